"""What judging every answer costs under load: requests a second of the same Locust run with and without it.

One process of Locust, as fast as it can, against the embedded endpoint in another; in turn, medians of the ratio.
"""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 5
SECONDS = 5
USERS = 8
WITHOUT = """
from conformance.load.locustfile import QueueUser
from conformance.load.session import Session
from conformance.load.stream import Noted

def note(self, reader, exchange):
    self._tell(exchange, Noted())

Session.note = note
"""
WITH = "from conformance.load.locustfile import QueueUser\n"


def throughput(locustfile: str, url: str) -> float:
    """Return the requests a second of one run."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "locustfile.py")
        file.write_text(locustfile, encoding="utf-8")
        subprocess.run(
            [
                sys.executable, "-m", "locust", "-f", file, "--headless", f"-u{USERS}", f"-r{USERS}", f"-t{SECONDS}s",
                "-H", url, "--rate-limit=10000", f"--report-dir={directory}", f"--csv={directory}/l",
            ],
            check=False, capture_output=True,
        )  # fmt: skip
        rows = list(csv.DictReader(Path(directory, "l_stats.csv").read_text("utf-8").splitlines()))
    return float(rows[-1]["Request Count"]) / SECONDS


def main() -> None:
    """Print the ratio."""
    serving = subprocess.Popen(
        [sys.executable, "-c", "from conformance.cli import main; main(['serve', '--port', '0'])"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert serving.stderr is not None
    try:
        url = serving.stderr.readline().split()[1].removesuffix("/api/queue;")
        pairs = [(throughput(WITH, url), throughput(WITHOUT, url)) for _ in range(ROUNDS)]
    finally:
        serving.terminate()
        serving.wait()
    ratio = statistics.median(judged / plain for judged, plain in pairs)
    print(f"requests a second, judged / not judged: {ratio:.2f} (median of {ROUNDS}, in turn)")
    for judged, plain in pairs:
        print(f"  {judged:,.0f} / {plain:,.0f}")


if __name__ == "__main__":
    main()
