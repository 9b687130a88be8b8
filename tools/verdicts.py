"""Record what the suite reports for every fault, variant and recording, so that a change of its behaviour shows.

``python tools/verdicts.py`` writes ``tests/data/verdicts.json``. With ``--check`` it prints the differences to that
file and exits with 1 if there are any. A refactoring must not change the file.

The file has one line per case: the exit status, the verdict, the status of each clause (one letter each, in the order
of the ids that ``clauses`` lists) and the JSON Pointers of the evidence (null if it is not in the body). A recording is
judged under two dialects. Every run has a fixed seed, and times are not recorded.

For a fault that shows only under load, the result of a check without load is recorded, because under load the result
depends on the machine. ``tests/whole/test_faults.py`` tests that such a fault is found under load.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(__file__).parents[1]
TESTS: Final = HOME / "tests"
KEPT: Final = TESTS / "data" / "verdicts.json"
sys.path[:0] = [str(HOME), str(TESTS)]

from whole.test_faults import checked  # noqa: E402 - can be imported only after the path was extended

from conformance.contract.catalogue import CATALOGUE  # noqa: E402
from conformance.contract.terms import Dialect  # noqa: E402
from conformance.exchange.recordings import read_file  # noqa: E402
from conformance.judge.build import report_on, report_on_exchanges  # noqa: E402
from conformance.judge.exit import exit_status  # noqa: E402
from conformance.judge.report import Report, Status  # noqa: E402
from conformance.reference.faults import FAULTS  # noqa: E402
from conformance.reference.variants import VARIANTS  # noqa: E402
from conformance.run.settings import Settings  # noqa: E402
from helpers.reference_runs import asked, served  # noqa: E402 - found on the path that was just added

RECORDINGS: Final = TESTS / "recordings"
LETTERS: Final = {
    Status.PASS: "p",
    Status.FAIL: "F",
    Status.WARN: "W",
    Status.NOT_EXERCISED: "-",
    Status.NOT_APPLICABLE: "n",
    Status.WAIVED: "V",
    Status.ERROR: "E",
}
Case = dict[str, Any]


def subjects() -> dict[str, list[str]]:
    """Return the ids of all clauses, sorted, grouped by their first word."""
    found: dict[str, list[str]] = {}
    for name in sorted(clause.id for clause in CATALOGUE):
        found.setdefault(name.partition(".")[0], []).append(name)
    return found


def case_of(report: Report) -> Case:
    """Return the part of a report that is recorded."""
    results = {result.id: result for result in report.clauses}
    statuses = {
        subject: "".join(LETTERS[results[name].status] if name in results else "?" for name in names)
        for subject, names in subjects().items()
    }
    pointers = {
        name: sorted({found.pointer for found in result.evidence}, key=lambda pointer: (pointer is not None, pointer))
        for name, result in sorted(results.items())
        if result.evidence
    }
    return {"exit": exit_status(report), "verdict": report.verdict.value, "statuses": statuses, "pointers": pointers}


def measured(name: str) -> Case:
    """Run a case by its name, and return what is recorded."""
    kind, _, what = name.partition(" ")
    if kind == "fault":
        fault = FAULTS[what]  # over a connection, where a test may do without
        run = asked(what, whole=True) if fault.needs_jobs else served(what, whole=fault.hidden)
        return case_of(report_on(run.transcript, run.settings.judging))
    if kind == "variant":
        return case_of(checked(what))
    recording, _, dialect = what.rpartition(" ")
    exchanges = read_file(RECORDINGS / f"{recording}.http")
    return case_of(
        report_on_exchanges(exchanges, Settings(dialect=Dialect(dialect)).judging, target=recording, start=0.0)
    )


def names() -> list[str]:
    """Return the names of all cases."""
    recordings = sorted(path.stem for path in RECORDINGS.glob("*.http"))
    return [
        *(f"fault {name}" for name in sorted(FAULTS)),
        *(f"variant {name}" for name in sorted(VARIANTS)),
        *(f"recording {name} {dialect}" for name in recordings for dialect in (Dialect.CLOUD, Dialect.OSS)),
    ]


def measure() -> dict[str, Case]:
    """Run all cases, in as many processes as there are processors."""
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return dict(zip(names(), pool.map(measured, names(), chunksize=4), strict=True))


def encode(cases: dict[str, Case]) -> str:
    """Return the content of the file: a line for each group of clauses (by first word), then one for each case."""
    ids = ",\n".join(f" {json.dumps(subject)}: {json.dumps(found)}" for subject, found in subjects().items())
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
    return f'{{"clauses": {{\n{ids}\n}},\n"cases": {{\n{lines}\n}}}}\n'


def differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return lines that say what differs between two recorded results."""
    lines = []
    for name in sorted({*then["cases"], *now["cases"]}):
        old, new = then["cases"].get(name), now["cases"].get(name)
        if old is None or new is None:
            lines.append(f"{name}: {'is new' if old is None else 'is gone'}")
            continue
        lines += [
            f"{name}: {part} was {old[part]}, is {new[part]}" for part in ("exit", "verdict") if old[part] != new[part]
        ]
        before, after = _statuses(then, old), _statuses(now, new)
        for clause in sorted({*before, *after}):
            was, becomes = before.get(clause, "absent"), after.get(clause, "absent")
            if was != becomes:
                lines.append(f"{name}: {clause} was {was}, is {becomes}")
        for clause in sorted({*old["pointers"], *new["pointers"]}):
            places, moved = old["pointers"].get(clause, []), new["pointers"].get(clause, [])
            if places != moved:
                lines.append(f"{name}: {clause} pointed at {places}, points at {moved}")
    return lines


def _statuses(file: dict[str, Any], case: Case) -> dict[str, str]:
    words = {letter: status.value for status, letter in LETTERS.items()} | {"?": "absent"}
    return {
        name: words[letter]
        for subject, found in file["clauses"].items()
        for name, letter in zip(found, case["statuses"][subject], strict=True)
    }


def main(arguments: list[str]) -> int:
    """Write the file, or compare the current results with it (``--check``). Returns the exit status."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    text = encode(measure())
    if not arguments:
        KEPT.write_text(text, encoding="utf-8")
        return 0
    lines = differences(json.loads(KEPT.read_text(encoding="utf-8")), json.loads(text))
    for line in lines:
        print(line)
    print(f"{len(lines)} differences in {len(names())} cases")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
