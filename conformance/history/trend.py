"""The part of a report that comes from a history: since when clauses are broken, when they were last exercised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from msgspec import structs

from conformance.history.comparison import BROKEN, diff_of, over_time
from conformance.history.snapshot import snapshot
from conformance.history.store import Past, Store
from conformance.history.tables import STATUS
from conformance.judge.report import EXERCISED, ClauseHistory, History, PastRun, Report, RunAt, Span, Status

LAST: Final = 30
"""How many runs of its target a report lists."""


@dataclass
class ClausePast:
    """What past runs show about a clause.

    ``last`` is the last run that exercised the clause, ``status`` its status in that run, and ``since`` the run since
    which it is broken.
    """

    last: RunAt | None = None
    status: Status | None = None
    since: RunAt | None = None


def keep(report: Report, path: Path, *, name: str | None = None, fail_on_should: bool = False) -> Report:
    """Store a run in a history. Returns the report with the history added. Raises HistoryProblem.

    ``name`` is the name of the target, if the report has none.
    """
    with Store(path, create=True) as store:
        run = store.run(store.add(snapshot(report, name=name)))
        return structs.replace(report, history=history_of(store, run, fail_on_should=fail_on_should))


def history_of(store: Store, run: PastRun, *, last: int = LAST, fail_on_should: bool = False) -> History:
    """Return the history of a run's target up to that run, for the report. It lists at most ``last`` runs."""
    runs, before, outage = store.series(run, last), store.before(run), store.outage(run)
    diff = None
    if before is not None:
        then, now = store.snapshot(before), store.snapshot(run)
        diff = diff_of(over_time(then, now, fail_on_should=fail_on_should, keep_same=False), outage)
    snapshots = (store.snapshot(one) for one in runs)
    statuses = [{name: clause.status for name, clause in one.clauses.items()} for one in snapshots]
    names = dict.fromkeys(name for of_a_run in reversed(statuses) for name in of_a_run)
    seen = look_back(store.past(run), names)
    return History(
        runs=tuple(runs),
        total=store.length(run),
        clauses={name: _clause(seen[name], [one.get(name) for one in statuses]) for name in names},
        diff=diff,
        outage=outage,
    )


def look_back(past: Iterable[Past], names: Iterable[str]) -> Mapping[str, ClausePast]:
    """Return what past runs show about clauses. ``past`` is newest first, and is read only until everything is known.

    A clause is broken since the first run that broke it after the last run in which it passed.
    """
    found = {name: ClausePast() for name in names}
    open_ = set(found)
    before: tuple[Sequence[str], str] | None = None
    broken: list[ClausePast] = []
    for at, clauses, statuses in past:
        if (clauses, statuses) != before:
            before, broken = (clauses, statuses), []
            for name, letter in zip(clauses, statuses, strict=True):
                status = STATUS[letter]
                if name not in open_ or status not in EXERCISED:
                    continue
                if found[name].last is None:
                    found[name].last, found[name].status = at, status
                if status in BROKEN:
                    broken.append(found[name])
                else:
                    open_.discard(name)
        for clause in broken:
            clause.since = at
        if not open_:
            break
    return found


def _clause(seen: ClausePast, line: Iterable[Status | None]) -> ClauseHistory:
    return ClauseHistory(
        spans=tuple(Span(status=status, runs=len(list(group))) for status, group in groupby(line)),
        last_exercised=seen.last,
        last_status=seen.status,
        broken_since=seen.since,
    )
