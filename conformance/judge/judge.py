"""Check all exchanges of a run, and give each clause a status. Pure: the same for a live run and a recording."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import chain
from typing import Any, Final, NamedTuple

from conformance.contract.ask import ClauseSubjects, subjects, subjects_by_clause, subjects_of_parts
from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.expected_status import suspected
from conformance.contract.prompts import submitted_twice
from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.contract.terms import Demand, Dialect, Level
from conformance.exchange.model import Exchange, Operation, Response, Same
from conformance.exchange.stored import StoredBody
from conformance.judge.outcome import outcome
from conformance.judge.report import ClauseResult, Counts, Server, Verdict
from conformance.judge.tally import ClauseTally, readable
from conformance.judge.verdict import count, decide
from conformance.spec.schemas import Schemas

LIVE: Final = 8 << 20
"""Maximum total size of the bodies whose parsed values are in memory at once. A parsed value needs about ten times as
many bytes as its text.
"""

OVER: Final = "the time for the run was over (--deadline)"

_BREACHABLE: Final = (Level.MUST, Level.SHOULD)


class Judgement(NamedTuple):
    """The results of a run: the status of each clause, the verdict with its reason, and the counts.

    ``demand`` is the dialect that was required. ``listed`` names the lists that had a job in at least one response.
    ``servers`` has the result of each server if a recording contains several.
    """

    results: tuple[ClauseResult, ...]
    verdict: Verdict
    reason: str
    counts: Counts
    demand: Demand
    listed: frozenset[str]
    servers: tuple[Server, ...] = ()
    cut: str | None = None
    """Why some responses were not checked, or None."""
    uncompared: str | None = None
    """In words, how many GETs of the queue were not compared with one another. None if all were."""


Waive = Callable[[ClauseResult, Dialect], ClauseResult]
"""A function that turns a failed result into a waived one if it is a known deviation under the dialect."""


def judge(  # noqa: PLR0913 - what a judgement depends on
    exchanges: Sequence[Exchange],
    dialect: Dialect = Dialect.CLOUD,
    *,
    only: Collection[str] | None = None,
    hide_workflows: bool = False,
    detected: Demand | None = None,
    waive: Waive = lambda result, _: result,
    recorded: bool = False,
    schemas: Schemas | None = None,
    late: Callable[[], bool] = lambda: False,
) -> Judgement:
    """Check every response against every clause that applies to it.

    ``only`` has the ids of the clauses to check; the verdict is then only about them. ``hide_workflows`` masks the
    contents of workflows in the evidence. ``detected`` is the order of elements that earlier responses showed under
    ``--dialect auto``. ``waive`` waives known deviations. ``recorded`` says that the exchanges come from files; advice
    about a missing response is then about the recording. ``schemas`` are those of the OpenAPI document given with
    ``--document``. ``late`` returns True when the time for checking is over. Then the remaining responses are not
    checked, clauses about several responses are skipped, and the verdict is not conformant.

    Never raises because of a response: a clause whose code raises has the status ``error``.
    """
    wanted = (detected or Demand.of(dialect))._replace(twice=submitted_twice(exchanges), schemas=schemas)
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
    """The time for judging is over.

    It derives from BaseException, so that it does not count as an error in a clause.
    """


def _in_time(
    exchanges: Sequence[Exchange], wanted: Demand, tallies: Mapping[Clause, ClauseTally], late: Callable[[], bool]
) -> tuple[list[Answer], Demand, int]:
    """Judge the responses one by one until ``late`` returns True.

    Returns all responses, the dialect that was required, and how many responses were judged.
    """

    def pulse() -> None:
        if late():
            raise _Late

    answers, demand, seen = _answers(exchanges, wanted, pulse), wanted, 0
    live: dict[int, Reading] = {}
    known: _FirstExchanges = {}
    try:
        answers, demand = _told(answers, exchanges, wanted, pulse)
        required = [clause for clause in tallies if clause.over and clause.level_in(demand) is not None]

        @cache
        def clauses_about(operation: Operation | None) -> list[Clause]:
            return [clause for clause in required if clause.speaks_of(operation)]

        for answer in answers:
            if seen:
                pulse()
            live[id(answer.reading)] = answer.reading
            _make_room(live, answer.reading)  # first, so that two large values are never in memory together
            _ask(answer, clauses_about(answer.request.operation), tallies, known)
            if answer.shows_queue:
                _ = answer.summary  # while the body is read: later it would be read again
            seen += 1
    except _Late:
        for tally in tallies.values():
            tally.forget_unless_broken(answers[seen].exchange.id)
    return answers, demand, seen


def demand_of(exchanges: Sequence[Exchange], dialect: Dialect, schemas: Schemas | None = None) -> Demand:
    """Return the dialect that a run requires. Under ``auto`` it is the order of elements that the first job shows."""
    wanted = Demand.of(dialect)._replace(twice=submitted_twice(exchanges), schemas=schemas)
    return _told(_answers(exchanges, wanted), exchanges, wanted)[1]


class Bench:
    """Finds the clauses that single responses break, while a run goes on. Equal bodies are parsed only once.

    When ``late`` returns True, the remaining responses are not checked.
    """

    def __init__(self, demand: Demand, late: Callable[[], bool] = lambda: False) -> None:
        self._demand, self._late = demand, late
        self._clauses = [clause for clause in CATALOGUE if clause.over and clause.level_in(demand) in _BREACHABLE]
        self._readings: dict[bytes | StoredBody, Reading] = {}
        self._live: dict[int, Reading] = {}
        self._left: dict[int, list[Clause]] = {}
        """By the ``id()`` of a parsed body: the clauses without those about bodies to which it conforms."""
        self._shared = Shared(KnownJobs(), self._pulse)

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that responses violate. Never raises.

        An unexpected status violates a clause only if every attempt of the same request got one.
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
        """Return the ids of the clauses that one response breaks.

        A clause whose code raises an exception is left out.
        """
        place, broken = id(answer.reading), set[str]()
        clauses = self._left.get(place, self._clauses) if answer.shows_queue else self._clauses
        for clause in clauses:
            with suppress(Exception):  # our own fault, reported when the whole run is judged
                if _breaks(clause, subjects(clause, answer)[1]):
                    broken.add(clause.id)
        for each in subjects_of_parts(clauses, answer):
            with suppress(Exception):
                if each.clause.id not in broken and _breaks(each.clause, each.subjects):
                    broken.add(each.clause.id)
        if answer.shows_queue and place not in self._left:
            self._left[place] = [clause for clause in clauses if clause.of_body is None or clause.id in broken]
        return broken

    def _answer(self, exchange: Exchange, response: Response) -> Answer:
        made = reading_of(response.body, self._demand, shared=self._shared)
        reading = self._readings.setdefault(response.body, made)
        self._live[id(reading)] = reading
        _make_room(self._live, reading)
        return Answer(exchange, response, reading)


def _breaks(clause: Clause, subjects: Iterable[Any]) -> bool:
    return any(True for subject in subjects for _ in clause.check(subject))


_FirstExchanges = dict[int, str]
"""By the ``id()`` of a parsed body: the id of the first exchange with that body. Equal bodies have equal findings."""


def _ask(
    answer: Answer, clauses: Sequence[Clause], tallies: Mapping[Clause, ClauseTally], known: _FirstExchanges
) -> None:
    """Check one response against clauses about single responses."""
    like = known.get(id(answer.reading)) if answer.shows_queue else None
    if like is not None:
        for clause in clauses:
            if clause.of_body is not None:
                tallies[clause].note_again(answer, like)
        clauses = [clause for clause in clauses if clause.of_body is None]
    for each in subjects_by_clause(clauses, answer):
        tallies[each.clause].attempt(partial(_over, tallies[each.clause], answer, each))
    if answer.shows_queue and like is None:
        known[id(answer.reading)] = answer.exchange.id


def _over(tally: ClauseTally, answer: Answer, each: ClauseSubjects) -> None:
    if each.exercised:
        tally.judged.add(answer.exchange.id)
    for subject in each.subjects:
        tally.note(answer, each.clause, subject, each.reading)


def _across(tally: ClauseTally, clause: Clause, conversation: Conversation) -> None:
    assert clause.across is not None
    for answer, subject in clause.across(conversation):
        tally.note(answer, clause, subject)


def _make_room(live: dict[int, Reading], current: Reading) -> None:
    """Drop the parsed values of earlier bodies from memory if all of them together are large."""
    if sum(reading.length for reading in live.values()) > LIVE:
        for reading in live.values():
            if reading is not current:
                reading.release()
        live.clear()
        live[id(current)] = current


def _answers(exchanges: Sequence[Exchange], demand: Demand, pulse: Callable[[], None] = lambda: None) -> list[Answer]:
    """Return the responses, each with its parsed body. Responses with equal bodies share one ``Reading``."""
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
    """If the dialect is ``auto``, detect it by the first job whose elements show an order.

    Returns the responses, parsed for that dialect, and the dialect.
    """
    for answer in answers if demand.open else ():
        found = answer.reading.order if answer.shows_queue else None
        if answer.reading.length > LIVE:
            answer.reading.release()
        if found is not None:
            order, pointer = found
            told = Demand.detected(order, f"{pointer} in {answer.exchange.id}")
            told = told._replace(twice=demand.twice, schemas=demand.schemas)
            return _answers(exchanges, told, pulse), told
    return answers, demand
