"""How large a history becomes, and how long it takes to add a nightly run and to summarise a week.

Arguments: TARGETS NIGHTS. The runs are generated: each has all clauses, a fifth of the targets are broken, statuses
change each month and in a tenth of the nights, and in one night of fifty a target is not reached. CPU seconds are
printed beside wall-clock seconds, because the machine may be busy.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from conformance.contract.catalogue import CATALOGUE
from conformance.history.period import period
from conformance.history.snapshot import ClauseThen, Snapshot
from conformance.history.store import Store
from conformance.judge.report import Counts, Fingerprint, PastRun, Status, Verdict
from conformance.spec.document import DOCUMENT_SHA256
from conformance.version import __version__

FIRST: Final = datetime(2026, 1, 1, 3, tzinfo=UTC)
SHARES: Final = (
    (0.05, Status.WARN),
    (0.20, Status.NOT_EXERCISED),
    (0.25, Status.NOT_APPLICABLE),
)


def status_of(share: float, *, broken: bool) -> Status:
    """Return the status of a clause for a random number from 0 to 1."""
    if broken and share < 0.02:
        return Status.FAIL
    return next((status for most, status in SHARES if share < most), Status.PASS)


def clauses_of(chance: random.Random, *, broken: bool, away: bool) -> dict[str, ClauseThen]:
    """Return random results for all clauses of a run. ``away`` means that the target was not reached."""
    found = {}
    for clause in CATALOGUE:
        status = Status.NOT_EXERCISED if away else status_of(chance.random(), broken=broken)
        marks: tuple[Fingerprint, ...] = ()
        if status in {Status.FAIL, Status.WARN}:
            marks = (Fingerprint(place=f"/queue_pending/*/4/member_{chance.randrange(1000)}", kind="seconds"),)
        found[clause.id] = ClauseThen(clause.id, clause.title, clause.level.value, clause.core, status, marks)
    return found


def run_of(target: int, night: int) -> Snapshot:
    """Return the run of a target in a night. It is the same each time."""
    odd = random.Random(f"{target} {night}").random() < 0.1  # noqa: S311 - the same runs each time
    chance = random.Random(f"{target} {night // 30} {night if odd else ''}")  # noqa: S311 - the same runs each time
    away = odd and chance.random() < 0.2
    clauses = clauses_of(chance, broken=target % 5 == 0, away=away)
    statuses = [clause.status for clause in clauses.values()]
    start = FIRST + timedelta(days=night, seconds=target)
    verdict = (
        Verdict.INCONCLUSIVE if away else Verdict.NON_CONFORMANT if Status.FAIL in statuses else Verdict.CONFORMANT
    )
    run = PastRun(
        number=0,
        name=f"tenant-{target:04}",
        target=f"https://queue-{target:04}.example.com",
        queue_path="/api/queue",
        dialect="cloud",
        start=start.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        end=(start + timedelta(seconds=9)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        verdict=verdict,
        reason="2 must clauses broken: item.create-time.milliseconds, http.content-type",
        partial=False,
        selected=None,
        suite_version=__version__,
        edition=1,
        document_sha256=DOCUMENT_SHA256,
        counts=Counts(fail=statuses.count(Status.FAIL), warn=statuses.count(Status.WARN), total=len(statuses)),
        p50=0.0123,
        p95=0.0456,
        read_as="cloud",
        unreached="the target cannot be reached: Connection refused" if away else None,
    )
    return Snapshot(run, clauses)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the ``with`` block takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"{what}: {time.perf_counter() - wall:.2f} s, {time.process_time() - cpu:.2f} s of processor time")


def measure(path: Path, targets: int, nights: int) -> None:
    """Fill a history, and measure writing and reading."""
    with Store(path, create=True) as store:
        for night in range(nights - 1):
            store.add_all([run_of(target, night) for target in range(targets)])
        last = [run_of(target, nights - 1) for target in range(targets)]
        with timed(f"add a nightly run of {targets:,} targets"):
            store.add_all(last)
    size = path.stat().st_size
    print(f"{targets:,} targets, {nights:,} nights: {size / 1e6:,.0f} MB, {size / targets / nights:,.0f} bytes a run")
    with Store(path) as store, timed("examine the file"):
        store.examine()
    for which in ("first", "second"):
        with Store(path) as store, timed(f"summarise 7 days, {which} time"):
            period(store, timedelta(days=7))


if __name__ == "__main__":
    targets, nights = map(int, sys.argv[1:] or (1000, 365))
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(directory) / "history.db", targets, nights)
