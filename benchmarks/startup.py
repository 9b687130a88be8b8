"""How much CPU time commands take from the start of the process to its end, compared with other programs.

- ``--help``, ``clauses`` and ``judge`` of a small file, compared with a Python process that imports only json and click
- ``comfy-conformance check`` of a local endpoint, with and without generated requests, compared with ``st run`` with
  default settings, all with a key. ``st run`` uses the corrected document: with the published one, or without a key, it
  stops after a few requests
- ``pytest --pyargs conformance`` without generated requests, compared with an empty pytest run in the same environment

All processes talk only to loopback. CPU time is measured because a machine with other work spoils wall time.
"""

from __future__ import annotations

import os
import resource
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
SUITE, EMPTY = "pytest --pyargs conformance --properties 0", "pytest, nothing to run"
RUN = frozenset({0, 1, 5, 10})
"""Exit statuses of a command that ran normally: conformant (0), findings (1), no tests (5), inconclusive (10)."""


class Counting(Reference):
    """The reference endpoint, with a counter of requests."""

    requests = 0

    def answer(self, ask: IncomingRequest) -> Reply:
        """Count a request, and return its response."""
        self.requests += 1
        return super().answer(ask)


def run(command: Sequence[str], directory: Path) -> None:
    """Run a command once. Raises RuntimeError if it could not run."""
    environment = {**os.environ, "COMFY_API_KEY": KEY}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package is compiled too
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False, timeout=120, env=environment)
    if done.returncode not in RUN:
        raise RuntimeError(done.stderr.decode()[-400:])


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def commands(target: str, file: Path) -> dict[str, list[str]]:
    """Return the commands to measure, by name. Programs that are not installed are left out."""
    ours = str(BIN / "comfy-conformance")
    found = {
        LEAST: [sys.executable, "-c", "import json, click"],
        "--help": [ours, "--help"],
        "clauses": [ours, "clauses"],
        "judge FILE": [ours, "judge", str(file)],
        CHECK: [ours, "check", target],
        PLAN: [ours, "check", target, "--properties", "0"],
        THEIRS: [str(BIN / "st"), "run", str(CORRECTED_PATH), "--url", target, "--no-color", "-H", f"X-API-Key: {KEY}"],
        SUITE: [str(BIN / "pytest"), "-q", "--pyargs", "conformance", "--target", target, "--properties", "0"],
        EMPTY: [str(BIN / "pytest"), "-q"],
    }
    return {name: command for name, command in found.items() if Path(command[0]).exists()}


def main() -> None:
    """Measure the commands in turn, and write the table and the plot."""
    chosen = options(__doc__, rounds=(9, 1, "rounds"))
    directory = Path(tempfile.mkdtemp())
    try:
        file = directory / "queue.json"
        file.write_bytes(body(0, 5, 2))
        reference = Counting(VARIANTS["key-enforced"], key=KEY, period=2.0)
        requests = {}

        def counted(name: str, command: Sequence[str]) -> None:
            before = reference.requests
            run(command, directory)
            requests[name] = reference.requests - before

        with Endpoint(reference, "127.0.0.1", 0, "") as endpoint:
            cases = {name: partial(counted, name, command) for name, command in commands(endpoint.url, file).items()}
            taken = interleaved(cases, chosen.rounds, warm=not chosen.quick, clock=cpu_of_children)
    finally:
        shutil.rmtree(directory)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    rows: list[list[Cell]] = [
        [
            name if name in {LEAST, THEIRS, EMPTY} else f"**{name}**",
            requests[name],
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
        f"CPU time of whole processes, medians of {chosen.rounds} rounds.",
        "`check` checks every response against every clause and writes a report; `st run` uses the corrected document.",
        *([] if THEIRS in taken else ["Left out, because not installed: st run."]),
    ]
    write(Result("startup", ("", "requests", "CPU ms", "× the least", "spread"), rows, goals, notes, taken), chosen.out)
    panel = Bars(
        "ms of CPU time from process start to end",
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
