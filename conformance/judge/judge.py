"""Judge exchanges: give each clause a status. Pure, and the same for a live run and a recording."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple

from conformance.contract.ask import Asked, asked, asked_of_parts, subjects
from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer, Conversation, submitted_twice
from conformance.contract.expected_status import suspected
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.contract.reading.large import reading_of
from conformance.contract.terms import Demand, Dialect, Level
from conformance.exchange.model import Exchange, Response, Same
from conformance.exchange.stored import StoredBody
from conformance.judge.outcome import outcome
from conformance.judge.report import ClauseResult, Counts, Server, Verdict
from conformance.judge.tally import ClauseTally, readable
from conformance.judge.verdict import count, decide
from conformance.spec.schemas import Schemas

LIVE: Final = 8 << 20
"""Bytes of bodies whose parsed values are kept at once: a value takes about ten times its bytes."""

OVER: Final = "the time for the run was over (--deadline)"

_BREACHABLE: Final = (Level.MUST, Level.SHOULD)


class Judgement(NamedTuple):
    """The results of a run, and what was demanded.

    ``listed`` names the lists that held a job in some response. ``servers`` is set if a recording has several.
    """

    results: tuple[ClauseResult, ...]
    verdict: Verdict
    reason: str
    counts: Counts
    demand: Demand
    listed: frozenset[str]
    servers: tuple[Server, ...] = ()
    cut: str | None = None
    """Why some responses were not judged."""
    uncompared: str | None = None
    """Which reads were not compared with others."""


Waive = Callable[[ClauseResult, Dialect], ClauseResult]
"""Turns a failed result into a waived one if it is a known deviation under the demanded dialect."""


def judge(  # noqa: PLR0913 - what a judgement depends on
    exchanges: Sequence[Exchange],
    dialect: Dialect = Dialect.CLOUD,
    *,
    only: Collection[str] | None = None,
    hide_workflows: bool = False,
    told: Demand | None = None,
    waive: Waive = lambda result, _: result,
    recorded: bool = False,
    schemas: Schemas | None = None,
    late: Callable[[], bool] = lambda: False,
) -> Judgement:
    """Judge every response by every clause that applies to it.

    ``hide_workflows`` masks the contents of workflows in the evidence.
    ``told`` is the demand that earlier responses settled under AUTO.
    ``waive`` waives known deviations. ``schemas`` are those of the user's own document.
    ``recorded`` exchanges come from files: advice about a lost response is then about the recording.
    ``late`` says whether the time for judging is over. Later responses are then not judged, clauses across responses
    are skipped, and the verdict certifies nothing.
    ``only`` names the clauses to judge by; the verdict is then only about them. Never raises because of a response: a
    clause that raises has the status ``error``.
    """
    wanted = (told or Demand.of(dialect))._replace(twice=submitted_twice(exchanges), schemas=schemas)
    tallies = {clause: ClauseTally(hide_workflows) for clause in CATALOGUE if only is None or clause.id in only}
    answers, demand, seen = _in_time(exchanges, wanted, tallies, late)
    conversation = Conversation(answers[:seen], [exchange for exchange in exchanges if exchange.response is None])
    cut = None
    if seen < len(answers):
        cut = f"judging took until {OVER}: {seen} of {len(answers)} responses were judged"
        answers = answers[:seen]
    try:
        for clause, tally in tallies.items():
            if clause.across is not None and cut is None:  # a response that seems missing may be one not judged
                tally.attempt(partial(_across, tally, clause, conversation))
    except _Late:
        tally.judged &= tally.breached  # of what this clause did not find, nothing is known
        cut = f"judging took until {OVER}: the responses were not all compared with one another"
    left_out = {clause: clause.left_out(conversation) for clause in tallies if cut is None}

    results = tuple(
        waive(outcome(clause, demand, tally.counted()._replace(left_out=left_out.get(clause))), demand.read_as)
        for clause, tally in tallies.items()
    )
    verdict, reason = decide(results, exchanges, answers, recorded=recorded)
    if cut is not None and verdict is not Verdict.NON_CONFORMANT:
        verdict, reason = Verdict.INCONCLUSIVE, cut
    listed = frozenset(chain.from_iterable(answer.summary.lists for answer in answers if answer.shows_queue))
    uncompared = conversation.uncompared if cut is None else None
    return Judgement(results, verdict, reason, count(results), demand, listed, cut=cut, uncompared=uncompared)


class _Late(BaseException):
    """The time for judging is over. Not an Exception: no clause has failed."""


def _in_time(
    exchanges: Sequence[Exchange], wanted: Demand, tallies: Mapping[Clause, ClauseTally], late: Callable[[], bool]
) -> tuple[list[Answer], Demand, int]:
    """Judge the responses one by one until it is late. Return them, the demand, and how many were judged."""

    def pulse() -> None:
        if late():
            raise _Late

    answers, demand, seen = _answers(exchanges, wanted, pulse), wanted, 0
    live: dict[int, Reading] = {}
    known: _Known = {}
    try:
        answers, demand = _told(answers, exchanges, wanted, pulse)
        for answer in answers:
            if seen:
                pulse()
            live[id(answer.reading)] = answer.reading
            _make_room(live, answer.reading)  # first, so that two large values are never in memory together
            _ask(answer, tallies, demand, known)
            if answer.shows_queue:
                _ = answer.summary  # while the body is read: later it would be read again
            seen += 1
    except _Late:
        for tally in tallies.values():
            tally.forget_unless_broken(answers[seen].exchange.id)
    return answers, demand, seen


def demand_of(exchanges: Sequence[Exchange], dialect: Dialect, schemas: Schemas | None = None) -> Demand:
    """Return what a run demands: under AUTO, the order that the first job shows."""
    wanted = Demand.of(dialect)._replace(twice=submitted_twice(exchanges), schemas=schemas)
    return _told(_answers(exchanges, wanted), exchanges, wanted)[1]


class Bench:
    """Finds the clauses that single responses break, as they arrive. Equal bodies are read once.

    If it gets ``late``, the rest of the responses is left out.
    """

    def __init__(self, demand: Demand, late: Callable[[], bool] = lambda: False) -> None:
        self._demand, self._late = demand, late
        self._clauses = [clause for clause in CATALOGUE if clause.over and clause.level_in(demand) in _BREACHABLE]
        self._readings: dict[bytes | StoredBody, Reading] = {}
        self._live: dict[int, Reading] = {}
        self._kept: dict[int, set[str]] = {}
        """By reading: the clauses about its body that it keeps."""
        self._shared = Shared(KnownJobs(), self._pulse)

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that responses break. Never raises.

        A status breaks a clause only if every attempt of the same request got it.
        """
        broken: set[str] = set()
        suspects: dict[Same, list[str | None]] = {}
        with suppress(_Late):
            for exchange in exchanges:
                if exchange.response is not None:
                    answer = self._answer(exchange, exchange.response)
                    broken |= self._broken(answer)
                    suspects.setdefault(exchange.request.same, []).append(suspected(answer))
        return broken | {names[0] for names in suspects.values() if names[0] and all(names)}

    def _pulse(self) -> None:
        if self._late():
            raise _Late

    def _broken(self, answer: Answer) -> set[str]:
        """Return the ids of the clauses that one response breaks. A clause that fails itself does not count."""
        place, broken = id(answer.reading), set[str]()
        known = self._kept.get(place, set()) if answer.shows_queue else set()
        clauses = [clause for clause in self._clauses if clause.id not in known]
        for clause in clauses:
            with suppress(Exception):  # our own fault, reported when the whole run is judged
                if _breaks(clause, subjects(clause, answer)[1]):
                    broken.add(clause.id)
        for each in asked_of_parts(clauses, answer):
            with suppress(Exception):
                if each.clause.id not in broken and _breaks(each.clause, each.subjects):
                    broken.add(each.clause.id)
        if answer.shows_queue:
            of_body = {clause.id for clause in clauses if clause.of_body is not None}
            self._kept.setdefault(place, set()).update(of_body - broken)
        return broken

    def _answer(self, exchange: Exchange, response: Response) -> Answer:
        made = reading_of(response.body, self._demand, shared=self._shared)
        reading = self._readings.setdefault(response.body, made)
        self._live[id(reading)] = reading
        _make_room(self._live, reading)
        return Answer(exchange, response, reading)


def _breaks(clause: Clause, subjects: Iterable[Any]) -> bool:
    return any(True for subject in subjects for _ in clause.check(subject))


_Known = dict[int, str]
"""By reading: the id of the first exchange with that body. Same bytes, same findings."""


def _ask(answer: Answer, tallies: Mapping[Clause, ClauseTally], demand: Demand, known: _Known) -> None:
    """Judge one response by all clauses about single responses."""
    clauses = [c for c in tallies if c.over and c.speaks_of(answer.request) and c.level_in(demand) is not None]
    like = known.get(id(answer.reading)) if answer.shows_queue else None
    if like is not None:
        for clause in clauses:
            if clause.of_body is not None:
                tallies[clause].note_again(answer, like)
        clauses = [clause for clause in clauses if clause.of_body is None]
    for each in asked(clauses, answer):
        tallies[each.clause].attempt(partial(_over, tallies[each.clause], answer, each))
    if answer.shows_queue and like is None:
        known[id(answer.reading)] = answer.exchange.id


def _over(tally: ClauseTally, answer: Answer, each: Asked) -> None:
    if each.exercised:
        tally.judged.add(answer.exchange.id)
    for subject in each.subjects:
        tally.note(answer, each.clause, subject, each.reading)


def _across(tally: ClauseTally, clause: Clause, conversation: Conversation) -> None:
    assert clause.across is not None
    for answer, subject in clause.across(conversation):
        tally.note(answer, clause, subject)


def _make_room(live: dict[int, Reading], current: Reading) -> None:
    """Drop the values of earlier bodies if all of them together are large."""
    if sum(reading.length for reading in live.values()) > LIVE:
        for reading in live.values():
            if reading is not current:
                reading.release()
        live.clear()
        live[id(current)] = current


def _answers(exchanges: Sequence[Exchange], demand: Demand, pulse: Callable[[], None] = lambda: None) -> list[Answer]:
    """Return the responses. Equal bodies share one reading."""
    readings: dict[bytes | StoredBody, Reading] = {}
    answers, shared = [], Shared(KnownJobs(), pulse)
    for exchange in exchanges:
        if exchange.response is not None and not exchange.superseded:
            content = readable(exchange.response)
            reading = readings.setdefault(content, reading_of(content, demand, shared=shared))
            answers.append(Answer(exchange, exchange.response, reading))
    return answers


def _told(
    answers: list[Answer], exchanges: Sequence[Exchange], demand: Demand, pulse: Callable[[], None] = lambda: None
) -> tuple[list[Answer], Demand]:
    """Resolve AUTO by the first job that shows an order, and return the responses, read in that order."""
    for answer in answers if demand.open else ():
        found = answer.reading.order if answer.shows_queue else None
        if answer.reading.length > LIVE:
            answer.reading.release()
        if found is not None:
            order, pointer = found
            told = Demand.told_by(order, f"{pointer} in {answer.exchange.id}")
            told = told._replace(twice=demand.twice, schemas=demand.schemas)
            return _answers(exchanges, told, pulse), told
    return answers, demand
