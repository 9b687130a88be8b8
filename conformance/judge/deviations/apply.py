"""Apply a file of known deviations (a register) to a run: waive known failures, and report stale entries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Final, NamedTuple

import msgspec
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
"""Maximum number of violations of a clause that are reported because no entry of the register covers them."""


class RunFacts(NamedTuple):
    """Facts about the run that a register is applied to: its target, the day (UTC), and whether it was ``partial``.

    A partial run did not check every clause, or was stopped before its end.
    """

    target: str
    today: date
    partial: bool = False


def waiving(register: Register, facts: RunFacts) -> Waive:
    """Return a function that turns a failed result into a waived one if valid entries cover all of its violations."""
    return lambda result, dialect: _waive(result, _valid(register, facts, dialect, result.id))


def account(register: Register, facts: RunFacts, judgement: Judgement) -> Deviations:
    """Return the state of each entry of a register that applies to the run, and the problems of the register."""
    results = {result.id: result for result in judgement.results}
    known: list[KnownDeviation] = []
    problems: list[DeviationProblem | None] = []
    for number, entry in enumerate(register.entries, 1):
        if entry.clause not in BY_ID:
            state = State.UNKNOWN_CLAUSE
        elif entry.clause in results and entry.concerns(facts.target, judgement.demand.read_as):
            state = _state(entry, results[entry.clause], facts, judgement.listed)
        else:
            continue
        row = msgspec.to_builtins(entry) | {"entry": number, "state": state}
        known.append(msgspec.convert(row, KnownDeviation))
        problems.append(_problem_of(entry, number, state))
    for result in judgement.results:
        problems += _others(result, _valid(register, facts, judgement.demand.read_as, result.id))
    return Deviations(file=register.file, known=tuple(known), problems=tuple(filter(None, problems)))


def _valid(register: Register, facts: RunFacts, dialect: Dialect, clause: str) -> list[Entry]:
    """Return the entries for a clause that apply to the run's target and dialect and have not expired."""
    return [
        entry
        for entry in register.entries
        if entry.clause == clause and entry.concerns(facts.target, dialect) and facts.today <= entry.expires
    ]


def _waive(result: ClauseResult, entries: Sequence[Entry]) -> ClauseResult:
    if result.status not in BREACHED or not entries:
        return result
    unknown = _unknown(result, entries)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        return structs.replace(
            result, reason=f"{result.reason}; not a known deviation: {describe_fingerprint(unknown[0])}{more}"
        )
    if len(result.fingerprints) >= FINGERPRINTS:
        return structs.replace(result, reason=f"{result.reason}; it has too many different violations to be waived")
    used = [entry for entry in entries if any(map(entry.covers, result.fingerprints))]
    waivers = dict.fromkeys(f"{e.reason.rstrip('.')} ({e.issue}; {e.owner}, until {e.expires})" for e in used)
    return structs.replace(result, status=Status.WAIVED, waiver="; ".join(waivers))


def _state(entry: Entry, result: ClauseResult, facts: RunFacts, listed: Collection[str]) -> State:
    """Return the state of a known deviation after a run. It is stale if the run would have shown it but did not."""
    if facts.today > entry.expires:
        return State.EXPIRED
    if any(map(entry.covers, result.fingerprints)):
        return State.HOLDS
    nothing_came = any(map(entry.lies_in, LISTS)) and not any(map(entry.lies_in, listed))
    if facts.partial or result.status not in EXERCISED or nothing_came:
        return State.NOT_EXERCISED
    may_be_hidden = entry.intermittent or len(result.fingerprints) >= FINGERPRINTS
    return State.NOT_SEEN if may_be_hidden else State.STALE


def _problem_of(entry: Entry, number: int, state: State) -> DeviationProblem | None:
    """Return the problem of an entry in this state, or None if it has none."""
    mark = Fingerprint(place=None if entry.place == OUTSIDE else entry.place, kind=entry.kind)
    problem = partial(DeviationProblem, clause=entry.clause, fingerprint=mark, entry=number)
    match state:
        case State.EXPIRED:
            to_do = f"{entry.owner} must renew or remove the entry"
            return problem(problem="expired", message=f"expired on {entry.expires}: {to_do}")
        case State.STALE:
            return problem(
                problem="stale",
                message=f"stale, because the failure is gone ({describe_fingerprint(mark)}): remove the entry",
            )
        case State.UNKNOWN_CLAUSE:
            message = f"no clause has this name{did_you_mean(entry.clause, BY_ID)}"
            return problem(problem="unknown-clause", message=message)
    return None


def _others(result: ClauseResult, entries: Sequence[Entry]) -> Iterator[DeviationProblem]:
    """Yield a problem for each violation of a failed must clause that has entries, none of which covers it."""
    if result.status is Status.FAIL and entries:
        for mark in _unknown(result, entries)[:NAMED]:
            message = f"fails in a way that no entry covers: {describe_fingerprint(mark)}"
            yield DeviationProblem(problem="other-fingerprint", clause=result.id, fingerprint=mark, message=message)


def _unknown(result: ClauseResult, entries: Sequence[Entry]) -> list[Fingerprint]:
    return [mark for mark in result.fingerprints if not any(entry.covers(mark) for entry in entries)]


def describe_fingerprint(mark: Fingerprint) -> str:
    """Return the kind and the place of a violation in words."""
    place = "outside the body" if mark.place is None else f"at {printable(mark.place) or 'the whole body'}"
    return f"{mark.kind} {place}" if mark.kind else f"a violation {place}"
