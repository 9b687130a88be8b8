"""Draft entries for a file of known deviations (a register), in TOML, for the failures of a run."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from conformance.contract.terms import Dialect
from conformance.judge.deviations.register import OUTSIDE, TO_DO
from conformance.judge.fingerprint import fingerprints
from conformance.judge.report import ClauseResult, Fingerprint, Report, Status
from conformance.text.safe import line

GRACE: Final = timedelta(days=90)
"""How long a drafted entry is valid."""
_LISTS: Final = ("/queue_running/", "/queue_pending/")
HEAD: Final = f"""\
# Known deviations: the suite waives these failures until they expire, and counts them as waived.
# Fill in each {TO_DO}. In a place, * matches one name or index, and ** everything that follows.
"""


def draft(report: Report, today: date, *, should: bool = False) -> str:
    """Return a register with an entry for each failure of a run, and with ``should`` also for each warning.

    Returns "" if there are none. The user must still fill in reasons, issues and owners.
    """
    statuses = {Status.FAIL, Status.WARN} if should else {Status.FAIL}
    tables = [
        _table(report, result, mark, today)
        for result in report.clauses
        if result.status in statuses
        for mark in _in_both_lists(_new(report, result))
    ]
    return HEAD + "".join(tables) if tables else ""


def _new(report: Report, result: ClauseResult) -> list[Fingerprint]:
    """Return the fingerprints of the violations of a clause that the register of the run does not cover."""
    problems = report.deviations.problems if report.deviations else ()
    new = [p.fingerprint for p in problems if p.clause == result.id and p.problem == "other-fingerprint"]
    return new or list(result.fingerprints or fingerprints(result))


def _in_both_lists(marks: Iterable[Fingerprint]) -> list[Fingerprint]:
    """Return fingerprints, with two merged into one if they differ only in the list (running or pending)."""
    found = dict.fromkeys(marks)
    for mark in tuple(found):
        places = [_elsewhere(mark.place, listed) for listed in _LISTS]
        twins = [Fingerprint(place=place, kind=mark.kind) for place in places if place is not None]
        if len(twins) == len(_LISTS) and all(twin in found for twin in twins):
            for twin in twins:
                del found[twin]
            found[Fingerprint(place=_elsewhere(mark.place, "/*/"), kind=mark.kind)] = None
    return list(found)


def _elsewhere(place: str | None, listed: str) -> str | None:
    """Return the place with the name of its list replaced by ``listed``. None if the place is not in a list."""
    inside = [prefix for prefix in _LISTS if place is not None and place.startswith(prefix)]
    return None if place is None or not inside else listed + place.removeprefix(inside[0])


def _table(report: Report, result: ClauseResult, mark: Fingerprint, today: date) -> str:
    rows = {
        "clause": result.id,
        "place": OUTSIDE if mark.place is None else mark.place,
        **({"kind": mark.kind} if mark.kind else {}),
        "reason": f"{TO_DO}: why this is accepted",
        "issue": f"{TO_DO}: a link to the issue",
        "owner": f"{TO_DO}: who is responsible",
    }
    texts = [f"{name} = {_quoted(value)}" for name, value in rows.items()]
    dates = [f"since = {today}", f"expires = {today + GRACE}"]
    dialect = "any" if report.run.read_as == Dialect.AUTO else report.run.read_as
    whom = [f"dialect = {_quoted(dialect)}", f"target = {_quoted(report.run.target)}"]
    comment = f"# {result.level}: {line(result.title)}; {line(result.reason)}"
    return "\n".join(["", comment, "[[deviation]]", *texts, *dates, *whom, ""])


def _quoted(text: str) -> str:
    """Return text as a quoted string in TOML. Characters that are not printable are escaped."""
    return '"' + line(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'
