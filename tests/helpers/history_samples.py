"""Sample histories: the sample reports, stored as nightly runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import structs

from conformance.history import Store, keep, snapshot
from conformance.judge.report import ClauseResult, Report, Status
from helpers import report_samples as sample

Make = Callable[[], Report]

NIGHTS: tuple[Make, ...] = (
    sample.passing,
    sample.passing,
    sample.failing,
    sample.failing,
    sample.unreachable,
    sample.passing,
    sample.passing,
    sample.failing,
)
"""Runs of one target: conformant, broken for two nights, an outage, conformant again, broken again."""


def night(report: Report, day: int) -> Report:
    """Return a report with another date: day 1 is the first of January 2026."""
    at = date(2025, 12, 31) + timedelta(days=day)
    start, end = f"{at}T03:00:00.000Z", f"{at}T03:00:01.250Z"
    return structs.replace(report, run=structs.replace(report.run, start=start, end=end))


def with_clauses(report: Report, *changed: ClauseResult) -> Report:
    """Return a report with other results of some clauses. Its counts stay as they were."""
    by_id = {result.id: result for result in changed}
    return structs.replace(report, clauses=tuple(by_id.get(result.id, result) for result in report.clauses))


def with_status(report: Report, clause_id: str, status: Status) -> Report:
    """Return a report in which one clause has another status."""
    return with_clauses(report, structs.replace(report.clause(clause_id), status=status))


def fill(path: Path, nights: Iterable[Make] = NIGHTS) -> Path:
    """Store nightly runs in a history, one per day, and return its path."""
    with Store(path, create=True) as store:
        store.add_all([snapshot(night(make(), day)) for day, make in enumerate(nights, 1)])
    return path


@cache
def aged() -> Report:
    """Return a report with a history of earlier runs."""
    with TemporaryDirectory() as directory:
        return keep(night(sample.failing(), 9), fill(Path(directory) / "history.db"))


@cache
def new() -> Report:
    """Return the report of the first run in a history."""
    with TemporaryDirectory() as directory:
        return keep(sample.passing(), Path(directory) / "history.db")


@cache
def hostile() -> Report:
    """Return a report with hostile text from the server, also in its history."""
    now = sample.hostile()
    before = with_status(now, "item.prompt-id.uuid", Status.PASS)
    text = " ".join(sample.HOSTILE)
    before = structs.replace(before, run=structs.replace(before.run, suite_version=text, selected=text))
    now = structs.replace(now, clauses=tuple({result.id: result for result in now.clauses}.values()))
    before = structs.replace(before, clauses=tuple({result.id: result for result in before.clauses}.values()))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "history.db"
        keep(before, path)
        return keep(now, path)


REPORTS: dict[str, Make] = {"aged": aged, "new": new, "hostile-aged": hostile}
