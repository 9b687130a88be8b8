"""What checking every response costs under load: requests per second of the same Locust run with and without checks.

One process of Locust sends requests, as fast as it can, to a reference endpoint in this process. The cases differ in
the bodies. In one case the queue changes as in a busy service, and is encoded anew for each response. In the others the
bodies are made in advance, so that the endpoint does not limit the rate: they are always the same (with and without a
unique id in a header), or change ten times a second, or change with each response (at 2,000 requests per second, and as
fast as possible).
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bodies import body
from measure import Bars, Cell, Goal, Result, bars, digits, options, ratio, spread, write

from conformance.reference.server import Endpoint, serve

USERS = 8
GOAL = 0.85
FAST = 10_000
LOCUSTFILE = """
from conformance.load.locustfile import QueueUser
from conformance.load.session import Session
from conformance.load.response_result import ResponseResult

def note(self, reader, exchange):
    self._report_to_locust(exchange, ResponseResult())

if {without}:
    Session.note = note
"""
JUDGED, PLAIN = "judged", "not judged"


def another_each_time(jobs: int, nodes: int) -> Iterator[bytes]:
    """Yield bodies without end, each with a different id of the first job."""
    whole = body(0, jobs, nodes)
    place = whole.index(b'"', whole.index(b"[[") + 2) + 1 + 24  # the last twelve digits of the first id
    for number in itertools.count():
        yield b"%b%012x%b" % (whole[:place], number, whole[place + 12 :])


def another_ten_times_a_second(jobs: int, nodes: int) -> Iterator[bytes]:
    """Yield the same body for a tenth of a second, and then a different one."""
    bodies, now = another_each_time(jobs, nodes), -1
    while True:
        if (tenth := int(10 * time.monotonic())) != now:
            whole, now = next(bodies), tenth
        yield whole


@dataclass(frozen=True)
class Case:
    """An endpoint, and the maximum requests per second. ``goal``: whether the goal for the cost applies to it."""

    endpoint: Callable[[], Endpoint]
    rate: int = FAST
    goal: bool = True


CASES: dict[str, Case] = {
    "changing queue, ten jobs a second": Case(lambda: serve(period=0.1)),
    "3 kB, the same each time": Case(lambda: serve(bodies=itertools.repeat(body(0, 5, 2)))),
    "3 kB, the same, each response with a unique id": Case(
        lambda: serve("ids-of-answers", bodies=itertools.repeat(body(0, 5, 2)))
    ),
    "3 kB, changing ten times a second": Case(lambda: serve(bodies=another_ten_times_a_second(5, 2))),
    "30 kB, changing ten times a second": Case(lambda: serve(bodies=another_ten_times_a_second(50, 2))),
    "3 kB, changing each time, 2,000 a second": Case(lambda: serve(bodies=another_each_time(5, 2)), 2000),
    "3 kB, changing each time": Case(lambda: serve(bodies=another_each_time(5, 2)), goal=False),
    "30 kB, changing each time": Case(lambda: serve(bodies=another_each_time(50, 2)), goal=False),
}


def seconds_for_one(url: str, seconds: int, rate: int = FAST, *, without: bool) -> float:
    """Run Locust, and return the average seconds per request. ``without``: responses are not checked."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "locustfile.py")
        file.write_text(LOCUSTFILE.format(without=without), encoding="utf-8")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "locust",
                "-f",
                file,
                "--headless",
                f"-u{USERS}",
                f"-r{USERS}",
                f"-t{seconds}s",
                "-H",
                url,
                f"--rate-limit={rate}",
                f"--report-dir={directory}",
                f"--json-file={directory}/l",
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        try:
            (totals,) = json.loads(Path(directory, "l.json").read_bytes())
            return float((totals["last_request_timestamp"] - totals["start_time"]) / totals["num_requests"])
        except (OSError, ValueError, LookupError, ZeroDivisionError):
            raise SystemExit(f"Locust did not run: {done.stderr[-400:]}") from None


def main() -> None:
    """Measure all cases in turn, and write the table and the plot."""
    chosen = options(__doc__, rounds=(6, 1, "rounds"), seconds=(4, 1, "seconds of each run"))
    taken: dict[str, list[float]] = {f"{what}, {how}": [] for what in CASES for how in (JUDGED, PLAIN)}
    for number in range(chosen.rounds):
        for what, case in CASES.items():
            with case.endpoint() as endpoint:
                for how in (JUDGED, PLAIN) if number % 2 else (PLAIN, JUDGED):
                    one = seconds_for_one(endpoint.url, chosen.seconds, case.rate, without=how is PLAIN)
                    taken[f"{what}, {how}"].append(one)
    ratios = {what: ratio(taken, f"{what}, {PLAIN}", f"{what}, {JUDGED}") for what in CASES}
    rows: list[list[Cell]] = [
        [
            what,
            digits(1 / statistics.median(taken[f"{what}, {PLAIN}"])),
            digits(1 / statistics.median(taken[f"{what}, {JUDGED}"])),
            digits(found),
            spread(taken[f"{what}, {JUDGED}"]),
        ]
        for what, found in ratios.items()
    ]
    goals = [
        Goal(f"judged / not judged, {what}", GOAL, found, least=True)
        for what, found in ratios.items()
        if CASES[what].goal
    ]
    notes = [
        f"Requests per second; medians of {chosen.rounds} rounds of {chosen.seconds} s each, in turn, {USERS} users.",
        "Without judging, Locust still sends its request, reads the whole response and counts it.",
        "A ratio of about 1 or more: the endpoint or the rate limit decides, not the judging.",
        "No real queue changes in each of 7,000 responses a second; the last two rows show the limits of judging.",
    ]
    columns = ("", f"a second, {PLAIN}", f"a second, {JUDGED}", "ratio", "spread")
    write(Result("load", columns, rows, goals, notes, taken), chosen.out)
    panel = Bars(
        "judged, per cent of not judged",
        [100 * found for found in ratios.values()],
        [f"{100 * found:.0f} %" for found in ratios.values()],
    )
    bars(chosen.out / "benchmarks" / "load.svg", list(ratios), list(ratios), [panel])


if __name__ == "__main__":
    main()
