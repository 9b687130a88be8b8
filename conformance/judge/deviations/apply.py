"""What a register does to a run: which failures it waives, and what of it does not hold. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Final, NamedTuple

from msgspec import structs

from conformance.contract.catalogue import BY_ID
from conformance.contract.reading.body import LISTS
from conformance.contract.terms import Dialect
from conformance.judge.deviations.register import OUTSIDE, Entry, Register
from conformance.judge.judge import Judgement, Waive
from conformance.judge.report import (
    EXERCISED,
    FINGERPRINTS,
    ClauseResult,
    DeviationProblem,
    Deviations,
    Fingerprint,
    KnownDeviation,
    State,
    Status,
)
from conformance.text.safe import printable
from conformance.text.suggest import did_you_mean

BREACHED: Final = (Status.FAIL, Status.WARN)
NAMED: Final = 20
"""Fingerprints of a clause that are told as unknown."""


class Night(NamedTuple):
    """What a register is held against: who was asked, judged on which day (UTC), and whether that is all of a run."""

    target: str
    today: date
    partial: bool = False


def waiving(register: Register, night: Night) -> Waive:
    """Return what waives a broken clause where valid entries know all that was found."""
    return lambda result, dialect: _waived(result, _valid(register, night, dialect, result.id))


def account(register: Register, night: Night, judgement: Judgement) -> Deviations:
    """Say of each entry that concerns a run what became of it, and by name what does not hold."""
    results = {result.id: result for result in judgement.results}
    known: list[KnownDeviation] = []
    problems: list[DeviationProblem | None] = []
    for number, entry in enumerate(register.entries, 1):
        if entry.clause not in BY_ID:
            state = State.UNKNOWN_CLAUSE
        elif entry.clause in results and entry.concerns(night.target, judgement.demand.read_as):
            state = _state(entry, results[entry.clause], night, judgement.listed)
        else:
            continue
        known.append(_known(entry, number, state))
        problems.append(_told(entry, number, state))
    for result in judgement.results:
        problems += _others(result, _valid(register, night, judgement.demand.read_as, result.id))
    return Deviations(file=register.file, known=tuple(known), problems=tuple(filter(None, problems)))


def _valid(register: Register, night: Night, dialect: Dialect, clause: str) -> list[Entry]:
    """Return the entries that waive what they know of a clause."""
    return [
        entry
        for entry in register.entries
        if entry.clause == clause and entry.concerns(night.target, dialect) and night.today <= entry.expires
    ]


def _waived(result: ClauseResult, entries: Sequence[Entry]) -> ClauseResult:
    if result.status not in BREACHED or not entries:
        return result
    unknown = _unknown(result, entries)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return structs.replace(result, reason=f"{result.reason}; not known is {described(unknown[0])}{more}")
    if len(result.fingerprints) >= FINGERPRINTS:
        return structs.replace(result, reason=f"{result.reason}; in too many ways for all of them to be known")
    used = [entry for entry in entries if any(map(entry.covers, result.fingerprints))]
    told = dict.fromkeys(f"{e.reason.rstrip('.')} ({e.issue}; {e.owner}, until {e.expires})" for e in used)
    return structs.replace(result, status=Status.WAIVED, waiver="; ".join(told))


def _state(entry: Entry, result: ClauseResult, night: Night, listed: Collection[str]) -> State:
    """Return what became of an entry. That its failure is gone is said only where it could have shown."""
    if night.today > entry.expires:
        return State.EXPIRED
    if any(map(entry.covers, result.fingerprints)):
        return State.HOLDS
    nothing_came = any(map(entry.lies_in, LISTS)) and not any(map(entry.lies_in, listed))
    if night.partial or result.status not in EXERCISED or nothing_came:
        return State.NOT_EXERCISED
    untold = entry.intermittent or len(result.fingerprints) >= FINGERPRINTS
    return State.NOT_SEEN if untold else State.STALE


def _told(entry: Entry, number: int, state: State) -> DeviationProblem | None:
    """Return what does not hold about an entry in a state."""
    mark = Fingerprint(place=None if entry.place == OUTSIDE else entry.place, kind=entry.kind)
    told = partial(DeviationProblem, clause=entry.clause, fingerprint=mark, entry=number)
    match state:
        case State.EXPIRED:
            to_do = f"{entry.owner} is to look again, and to renew the entry or take it out"
            return told(problem="expired", message=f"expired on {entry.expires}: {to_do}")
        case State.STALE:
            return told(problem="stale", message=f"stale, the failure is gone ({described(mark)}): take the entry out")
        case State.UNKNOWN_CLAUSE:
            message = f"there is no clause of this name{did_you_mean(entry.clause, BY_ID)}"
            return told(problem="unknown-clause", message=message)
    return None


def _others(result: ClauseResult, entries: Sequence[Entry]) -> Iterator[DeviationProblem]:
    """Name what a failed clause shows beside what is known of it. A `should` that does warns all the same."""
    if result.status is Status.FAIL and entries:
        for mark in _unknown(result, entries)[:NAMED]:
            message = f"fails in another way than is known: {described(mark)}"
            yield DeviationProblem(problem="other-fingerprint", clause=result.id, fingerprint=mark, message=message)


def _unknown(result: ClauseResult, entries: Sequence[Entry]) -> list[Fingerprint]:
    return [mark for mark in result.fingerprints if not any(entry.covers(mark) for entry in entries)]


def described(mark: Fingerprint) -> str:
    """Return a fingerprint in words, its place bounded."""
    place = "outside the body" if mark.place is None else f"at {printable(mark.place) or 'the whole body'}"
    return f"{mark.kind} {place}" if mark.kind else f"a breach {place}"


def _known(entry: Entry, number: int, state: State) -> KnownDeviation:
    return KnownDeviation(
        entry=number,
        state=state,
        clause=entry.clause,
        place=entry.place,
        kind=entry.kind,
        reason=entry.reason,
        issue=entry.issue,
        owner=entry.owner,
        since=entry.since.isoformat(),
        expires=entry.expires.isoformat(),
        intermittent=entry.intermittent,
    )
