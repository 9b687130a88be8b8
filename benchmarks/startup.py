"""What a run costs from process start to report, next to what else could do the work.

Prints ratios of medians, measured in turn in one run, so that a busy machine slows both sides alike:

- ``comfy-conformance check`` of a local endpoint against ``schemathesis run`` of the same document against it;
- ``pytest --pyargs conformance`` against an empty pytest run in the same environment.

Needs the extra ``properties`` (Schemathesis). Every process talks to loopback alone.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from conformance.document import DOCUMENT_PATH
from conformance.reference.server import serve

ROUNDS = 9
"""Odd, so that the median is a measurement; enough to see past a disturbance."""
BIN = Path(sys.executable).parent


def seconds(command: Sequence[str], directory: Path) -> float:
    """Run a command once and return how long it took. Raises where it did not run at all."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False, timeout=120)
    taken = time.perf_counter() - start
    if done.returncode not in {0, 1, 5, 10}:  # conformant, findings, no tests, inconclusive
        raise RuntimeError(done.stderr.decode()[-400:])
    return taken


def main() -> None:
    """Measure in turn, print a table."""
    directory = Path(tempfile.mkdtemp())
    try:
        with serve(period=2.0) as endpoint:
            target = endpoint.url
            commands = {
                "comfy-conformance check": [str(BIN / "comfy-conformance"), "check", target, "--no-key"],
                "schemathesis run": [str(BIN / "st"), "run", str(DOCUMENT_PATH), "--url", target, "--no-color"],
                "pytest --pyargs conformance": [
                    str(BIN / "pytest"), "-q", "--pyargs", "conformance", "--target", target, "--no-key",
                ],
                "pytest, nothing to run": [str(BIN / "pytest"), "-q"],
            }  # fmt: skip
            for command in commands.values():  # the first run of each writes caches
                seconds(command, directory)
            taken: dict[str, list[float]] = {name: [] for name in commands}
            for _ in range(ROUNDS):
                for name, command in commands.items():
                    taken[name].append(seconds(command, directory))
    finally:
        shutil.rmtree(directory)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print("| command | median | least | most |\n|---|---|---|---|")
    for name, times in taken.items():
        print(f"| {name} | {medians[name]:.2f} s | {min(times):.2f} s | {max(times):.2f} s |")
    ratio = medians["comfy-conformance check"] / medians["schemathesis run"]
    above = medians["pytest --pyargs conformance"] - medians["pytest, nothing to run"]
    print(f"\ncheck / schemathesis run: {ratio:.2f}")
    print(f"pytest with the suite above an empty pytest: {above:.2f} s, time on the wire included")


if __name__ == "__main__":
    main()
