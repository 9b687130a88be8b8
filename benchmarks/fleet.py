"""What checking many targets costs: 1,000 embedded endpoints in one process, 3 % of them with a fault.

Prints the endpoints checked per second, the CPU time for each endpoint (of the workers, of the client, and of the
process that serves the endpoints), the endpoints per second that two idle cores could check, how the work was spread
over the workers, and how memory grows from a quarter of the endpoints to all of them. Fails if a fault was not found,
if a conforming endpoint was accused, or if an endpoint got other requests than ``check`` sends. All processes talk only
to loopback.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Level
from conformance.fleet.results import endpoints
from conformance.reference.faults import FAULTS
from conformance.reference.many import serve_many
from conformance.reference.server import serve
from conformance.run.one_run import ask
from conformance.run.settings import Settings

NUMBER = 1000
EVERY = 33
"""One endpoint in this many has a fault."""
WORKERS = 2
BIN = Path(sys.executable).parent


def faults(number: int) -> list[str | None]:
    """Return the fault of each endpoint, or None. Each fault breaks a must clause for every client."""
    musts = {clause.id for clause in CATALOGUE if clause.level is Level.MUST}
    known = [
        fault.name
        for fault in FAULTS.values()
        if fault.clause in musts
        and fault.dialect == "cloud"
        and not (fault.hidden or fault.under_load or fault.needs_key or fault.needs_jobs)
    ]
    step = max(1, len(known) // (number // EVERY))
    return [
        known[place // EVERY * step % len(known)] if place % EVERY == EVERY - 1 else None for place in range(number)
    ]


@dataclass
class Spent:
    """CPU time in seconds, and peak memory in megabytes, of the client, the workers and the server."""

    by_process: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    megabytes: dict[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> dict[str, float]:
        """The CPU time of client, workers and server, including processes that have ended."""
        return {part: sum(processes.values()) for part, processes in self.by_process.items()}


@contextmanager
def serving(number: int) -> Iterator[tuple[psutil.Process, str]]:
    """Serve the endpoints from a separate process; yields that process and its URL."""
    command = [sys.executable, __file__, "--serve", str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield psutil.Process(process.pid), process.stdout.readline().strip()
        finally:
            process.terminate()


def watched(process: subprocess.Popen[str], server: psutil.Process) -> Spent:
    """Return the CPU time and memory that a run and the server take until the run ends."""
    spent, before = Spent(), _seconds(server)
    client = psutil.Process(process.pid)
    while process.poll() is None:
        time.sleep(0.2)
        try:
            workers = [
                each
                for each in client.children(recursive=True)
                if "conformance.fleet.child" in " ".join(each.cmdline())
            ]
            parts = {"client": [client], "workers": workers, "server": [server]}
            for part, processes in parts.items():
                for each in processes:
                    spent.by_process[part][each.pid] = _seconds(each)
                    spent.megabytes[part] = max(each.memory_info().rss / 1e6, spent.megabytes.get(part, 0))
        except psutil.Error:
            continue  # one of them has just ended
    spent.by_process["server"][server.pid] -= before
    return spent


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def check_fleet(number: int, folder: Path) -> tuple[float, Spent, Counter[str]]:
    """Check all endpoints, and verify that every fault was found and no conforming endpoint accused.

    Returns the duration in seconds, CPU time and memory, and how many endpoints each worker checked.
    """
    with serving(number) as (server, url):
        listed = folder / "urls.txt"
        listed.write_text("".join(f"{url}/{place}\n" for place in range(number)), encoding="utf-8")
        options = [f"--workers={WORKERS}", f"--report-dir={folder}", "--properties=0"]
        command = [str(BIN / "comfy-conformance"), "check", "--all", str(listed), *options]
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            spent = watched(process, server)
        taken = time.perf_counter() - start
    with serve() as alone:
        plan = len(ask(Settings(target=alone.url)).exchanges)
    results = {result.name: result for result in endpoints(folder)}
    for place, fault in enumerate(faults(number)):
        result = results.pop(f"{url}/{place}")
        broken = {clause.id for clause in result.broken}
        if fault is None and (result.outcome, result.requests) != ("conformant", plan):
            raise RuntimeError(f"not conformant, or not checked with {plan} requests: {result}")
        if fault is not None and FAULTS[fault].clause not in broken:
            raise RuntimeError(f"{fault} was not found: {result}")
    if results:
        raise RuntimeError(f"results of endpoints that do not exist: {list(results)}")
    return taken, spent, Counter(result.worker for result in endpoints(folder))


def main() -> None:
    """Measure with a quarter of the endpoints and with all of them, and print a table."""
    measured = {}
    for number in (NUMBER // 4, NUMBER):
        with tempfile.TemporaryDirectory() as folder:
            measured[number] = check_fleet(number, Path(folder))
    print(
        "| endpoints | with a fault | per second | ms each: workers | client | server | per second on two idle cores |"
    )
    print("|---|---|---|---|---|---|---|")
    for number, (taken, spent, _) in measured.items():
        each = {part: 1000 * seconds / number for part, seconds in spent.seconds.items()}
        cost = " | ".join(f"{each[part]:.1f}" for part in ("workers", "client", "server"))
        lies = sum(fault is not None for fault in faults(number))
        print(f"| {number} | {lies} | {number / taken:.1f} | {cost} | {2000 / sum(each.values()):.1f} |")
    (_, few, _), (_, many, spread) = measured.values()
    for part in ("workers", "client"):
        print(f"\nmegabytes of the largest of the {part}: {few.megabytes[part]:.0f} -> {many.megabytes[part]:.0f}")
    print(f"\nendpoints by worker: {dict(spread)}; every fault was found, no conforming endpoint was accused")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        with serve_many(faults(int(sys.argv[2])), period=2.0) as fleet:
            print(fleet.url, flush=True)
            time.sleep(3600)
    main()
