"""What a command costs from process start to its end, next to what else could do the work.

- ``--help``, ``clauses`` and ``judge`` of a small file, next to Python with what any command line needs;
- ``comfy-conformance check`` of a local endpoint, next to ``st run`` against it, both with default settings and a key.
  It has the corrected document: by the published one, or where no key is wanted, it stops after a few requests;
- ``pytest --pyargs conformance``, next to an empty pytest run in the same environment.

Every process talks to loopback alone.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bodies import body
from measure import Bars, Cell, Goal, Result, bars, digits, interleaved, options, ratio, spread, write

from conformance.reference.app import Reference
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.server import KEY, Endpoint
from conformance.reference.variants import VARIANTS
from conformance.spec.document import CORRECTED_PATH

BIN = Path(sys.executable).parent
LEAST = 'python -c "import json, click"'
CHECK, PLAN, THEIRS = "check", "check --properties 0", "st run"
SUITE, EMPTY = "pytest --pyargs conformance", "pytest, nothing to run"
RUN = frozenset({0, 1, 5, 10})
"""Conformant, findings, no tests, inconclusive: whatever else comes back did not run."""


class Counting(Reference):
    """The reference endpoint, which counts what it is asked."""

    asked = 0

    def answer(self, ask: IncomingRequest) -> Reply:
        """Count, and answer."""
        self.asked += 1
        return super().answer(ask)


def run(command: Sequence[str], directory: Path) -> None:
    """Run a command once. Raises where it did not run at all."""
    environment = {**os.environ, "COMFY_API_KEY": KEY}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # pip compiles what it installs, and not a work tree
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False, timeout=120, env=environment)
    if done.returncode not in RUN:
        raise RuntimeError(done.stderr.decode()[-400:])


def commands(target: str, file: Path) -> dict[str, list[str]]:
    """Return the commands by name; without ``st run`` where Schemathesis is not installed."""
    ours = str(BIN / "comfy-conformance")
    found = {
        LEAST: [sys.executable, "-c", "import json, click"],
        "--help": [ours, "--help"],
        "clauses": [ours, "clauses"],
        "judge FILE": [ours, "judge", str(file)],
        CHECK: [ours, "check", target],
        PLAN: [ours, "check", target, "--properties", "0"],
        THEIRS: [str(BIN / "st"), "run", str(CORRECTED_PATH), "--url", target, "--no-color", "-H", f"X-API-Key: {KEY}"],
        SUITE: [str(BIN / "pytest"), "-q", "--pyargs", "conformance", "--target", target],
        EMPTY: [str(BIN / "pytest"), "-q"],
    }
    return {name: command for name, command in found.items() if Path(command[0]).exists()}


def main() -> None:
    """Measure in turn, write table and plot."""
    chosen = options(__doc__, rounds=(9, 1, "rounds"))
    directory = Path(tempfile.mkdtemp())
    try:
        file = directory / "queue.json"
        file.write_bytes(body(0, 5, 2))
        reference = Counting(VARIANTS["key-enforced"], key=KEY, period=2.0)
        asked = {}

        def counted(name: str, command: Sequence[str]) -> None:
            before = reference.asked
            run(command, directory)
            asked[name] = reference.asked - before

        with Endpoint(reference, "127.0.0.1", 0, "") as endpoint:
            cases = {name: partial(counted, name, command) for name, command in commands(endpoint.url, file).items()}
            taken = interleaved(cases, chosen.rounds, warm=not chosen.quick)
    finally:
        shutil.rmtree(directory)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    rows: list[list[Cell]] = [
        [
            name if name in {LEAST, THEIRS, EMPTY} else f"**{name}**",
            asked[name],
            f"{1000 * middle:.0f}",
            digits(ratio(taken, name, LEAST)),
            spread(taken[name]),
        ]
        for name, middle in medians.items()
    ]
    goals = [Goal(f"{name} / {LEAST}", 2.5, ratio(taken, name, LEAST)) for name in ("--help", "clauses", "judge FILE")]
    if THEIRS in taken:
        goals.append(Goal(f"{CHECK} / {THEIRS}, default settings of both", 1.1, ratio(taken, CHECK, THEIRS)))
        goals.append(Goal(f"{PLAN} / {THEIRS}", 0.45, ratio(taken, PLAN, THEIRS)))
    above = statistics.median(one - other for one, other in zip(taken[SUITE], taken[EMPTY], strict=True))
    goals.append(Goal("pytest with the suite, above an empty pytest", 0.5, above, unit="s"))
    notes = [
        f"Medians of {chosen.rounds} rounds, whole processes, time on the wire included.",
        "`check` judges every response by every clause and writes its report; `st run` has the corrected document.",
        *([] if THEIRS in taken else ["Left out, since not installed: st run."]),
    ]
    write(Result("startup", ("", "requests", "ms", "× the least", "spread"), rows, goals, notes, taken), chosen.out)
    panel = Bars(
        "ms from process start to end",
        [1000 * middle for middle in medians.values()],
        [f"{1000 * middle:.0f} ms" for middle in medians.values()],
    )
    bars(
        chosen.out / "benchmarks" / "startup.svg",
        list(medians),
        ["--help", "clauses", "judge FILE", CHECK, PLAN, SUITE],
        [panel],
    )


if __name__ == "__main__":
    main()
