"""The results of all targets of a history in a period, such as a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from conformance.history.comparison import Comparison, over_time
from conformance.history.digest import Digest, digest, is_mended
from conformance.history.file import HistoryProblem
from conformance.history.night_results import (
    BrokenClause,
    TargetResult,
    Trouble,
    inconclusive_in_a_row,
    state_of,
    trouble_key,
)
from conformance.history.snapshot import Snapshot
from conformance.history.store import Store
from conformance.history.trend import LAST, look_back
from conformance.judge.exit import EXIT_OF
from conformance.judge.report import PastRun, Status, Verdict
from conformance.problems import EXIT_NON_CONFORMANT

BREACHED: Final = (Status.FAIL, Status.ERROR, Status.WARN)
WAYS: Final = 3
"""Maximum number of kinds of failures that are listed for a clause."""
MOST: Final = 400
"""The maximum number of nightly runs of a target that a period shows."""


def period(store: Store, length: timedelta) -> Digest:
    """Return the digest of the period up to the newest run. Raises HistoryProblem for an empty history.

    The last run of each target is compared with the last run before the period that reached the target, or else with
    the first run in the history that reached it. Targets without a run in the period are left out and named.
    """
    newest = store.newest()
    if not newest:
        raise HistoryProblem(f"the history {store.path} has no run yet: run check with --history first")
    end = max(run.start for run in newest)
    try:
        start = (datetime.fromisoformat(end) - length).strftime("%Y-%m-%dT%H:%M:%S")  # as the times in the history
    except (ValueError, OverflowError):
        raise HistoryProblem(f"the history {store.path} has a run whose start is not a time: {end!r}") from None
    names = labels(newest)
    found = sorted((run for run in newest if run.start >= start), key=lambda run: names[run.number])
    results = (result_of(store, run, names[run.number], start) for run in found)
    left_out = sorted(names[run.number] for run in newest if run.start < start)
    return digest(results, start=start, end=end, left_out=left_out)


def labels(newest: Sequence[PastRun]) -> dict[int, str]:
    """Return the name to show for each target, by the number of its run.

    A target without a name is called by its URL, with more details if the URL is not unique.
    """
    urls = Counter(run.name or run.target for run in newest)
    found = {}
    for run in newest:
        if run.name or urls[run.target] == 1:
            found[run.number] = run.name or run.target
        else:
            found[run.number] = " ".join(filter(None, (run.target, run.dialect, run.queue_path)))
    return found


def result_of(store: Store, run: PastRun, name: str, start: str | None = None) -> TargetResult:
    """Return the result of a run, compared with the target's last run before ``start``, or with its previous run."""
    nights = store.nights(run, MOST if start else LAST, start or "")
    reached = run if run.unreached is None else store.reached(run)
    now = None if reached is None else store.snapshot(reached)
    found = None if reached is None or now is None else _since(store, reached, now, start)
    outage = store.outage(run)
    strip = tuple(state_of(one.verdict, reached=one.reached, warned=one.warned) for one in nights)
    troubles = tuple(_troubles(store, now)) if now is not None and outage is None else ()
    failed = run.verdict is Verdict.NON_CONFORMANT or run.failed_on_should
    return TargetResult(
        name=name,
        target=run.target,
        dialect=run.dialect,
        outcome=run.verdict.value,
        reason=run.reason,
        exit=EXIT_NON_CONFORMANT if failed else EXIT_OF[run.verdict],
        start=run.start,
        end=run.end,
        counts=run.counts,
        broken=() if now is None or outage is not None else tuple(_broken(now)),
        troubles=troubles,
        nights=inconclusive_in_a_row([night.verdict for night in nights]),
        unreached=run.unreached,
        unreached_since=outage.since.start if outage else None,
        unreached_nights=outage.runs if outage else 0,
        compared=found is not None,
        newly=tuple(row.clause for row in found.clauses if row.kind == "failed") if found else (),
        mended=tuple(row.clause for row in found.clauses if is_mended(row.a, row.b)) if found else (),
        notes=tuple(_notes(found, start)) if found else (),
        waivers=() if now is None else now.waivers,
        strip=strip,
    )


def _since(store: Store, run: PastRun, now: Snapshot, start: str | None) -> Comparison | None:
    if start is not None and run.start < start:
        return None  # not reached in the period
    before = store.before(run, start)
    return None if before is None else over_time(store.snapshot(before), now, keep_same=False)


def _notes(found: Comparison, start: str | None) -> Iterator[str]:
    yield from found.notes
    if start is not None and found.a.start >= start:
        yield f"compared with the first run in the history, of {found.a.start[:10]}: no run is older than the period"


def _broken(now: Snapshot) -> Iterator[BrokenClause]:
    for status in BREACHED:
        for clause in now.clauses.values():
            if clause.status is status:
                yield BrokenClause(id=clause.id, title=clause.title, status=status)


def _troubles(store: Store, now: Snapshot) -> Iterator[Trouble]:
    """Yield the failing clauses of a run in a history, with the places and kinds of their failures."""
    failing = {Status.FAIL, Status.WARN} if now.run.failed_on_should else {Status.FAIL}
    broken = [clause for clause in now.clauses.values() if clause.status in failing]
    seen = look_back(store.past(now.run), [clause.id for clause in broken]) if broken else {}
    for clause in broken:
        ways = [" at ".join(filter(None, (one.kind, one.place))) for one in clause.failures]
        told = ", ".join(filter(None, ways[:WAYS])) + (f" and {len(ways) - WAYS} more" if len(ways) > WAYS else "")
        since = seen[clause.id].since
        yield Trouble(
            key=trouble_key(clause.id, clause.failures),
            clause=clause.id,
            told=f"broken{f' ({told})' if told else ''}; {clause.level}: {clause.title}",
            whose="server",
            since=since.start if since else None,
        )
