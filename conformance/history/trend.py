"""From a history to what a report shows of it: a line for each clause, since when it is broken, when it was seen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from msgspec import structs

from conformance.history.diff import BROKEN, compare
from conformance.history.snapshot import snapshot
from conformance.history.store import Store
from conformance.judge.report import EXERCISED, ClauseHistory, History, PastRun, Report, Span, Status

LAST: Final = 30
"""Runs that a report shows."""


def keep(report: Report, path: Path, *, fail_on_should: bool = False) -> Report:
    """Keep a run in a history, and return its report with that history in it. Raises HistoryProblem."""
    with Store(path, create=True) as store:
        run = store.run(store.add(snapshot(report)))
        return structs.replace(report, history=history_of(store, run, fail_on_should=fail_on_should))


def history_of(store: Store, run: PastRun, *, last: int = LAST, fail_on_should: bool = False) -> History:
    """Return the history that ends with a run: its series, of which the ``last`` runs are listed."""
    runs, before = store.series(run, last), store.before(run)
    diff = None
    if before is not None:
        diff = compare(store.snapshot(before), store.snapshot(run), fail_on_should=fail_on_should)
    statuses = [store.statuses(one) for one in runs]
    names = dict.fromkeys(name for of_a_run in reversed(statuses) for name in of_a_run)
    return History(
        runs=tuple(runs),
        total=store.length(run),
        clauses={name: _clause(store, name, run, [one.get(name) for one in statuses]) for name in names},
        diff=diff,
    )


def _clause(store: Store, name: str, run: PastRun, line: Iterable[Status | None]) -> ClauseHistory:
    last = store.last(name, run, EXERCISED)
    since = None
    if last is not None and last.status in BROKEN:
        kept = store.last(name, run, (Status.PASS,))
        since = store.first(name, run, BROKEN, after=0 if kept is None else kept.at.number)
    return ClauseHistory(
        spans=tuple(Span(status=status, runs=len(list(group))) for status, group in groupby(line)),
        last_exercised=last and last.at,
        last_status=last and last.status,
        broken_since=since and since.at,
    )
