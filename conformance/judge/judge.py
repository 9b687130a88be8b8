"""Check all exchanges of a run, and give each clause a status. Pure: the same for a live run and a recording."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from conformance.contract.ask import ClauseSubjects, subjects_by_clause
from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer, Conversation, submitted_twice
from conformance.contract.expected_status import suspected
from conformance.contract.reading.body import Reading
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
"""Maximum bytes of bodies whose parsed values are in memory at once. A value takes about ten times its bytes."""

OVER: Final = "the time for the run was over (--deadline)"

_BREACHABLE: Final = (Level.MUST, Level.SHOULD)


class Judgement(NamedTuple):
    """The results of a run: the status of each clause, the verdict with its reason, and the counts.

    ``demand`` is the dialect that was required. ``listed`` names the lists that had a job in some response. ``servers``
    is set if a recording contains several servers.
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


Waive = Callable[[ClauseResult, Dialect], ClauseResult]
"""Turns a failed result into a waived one if it is a known deviation under the dialect."""


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
    ``--dialect auto``. ``waive`` waives known deviations. ``recorded`` says that the exchanges come from files, so that
    advice about a lost response is about the recording. ``schemas`` are those of the OpenAPI document given with
    ``--document``. ``late`` says whether the time for checking is over. Then the remaining responses are not checked,
    clauses about several responses are skipped, and the verdict is not conformant.

    Never raises because of a response: a clause whose code raises has the status ``error``.
    """
    wanted = (detected or Demand.of(dialect))._replace(twice=submitted_twice(exchanges), schemas=schemas)
    answers, demand = _read(exchanges, wanted)
    tallies = {clause: ClauseTally(hide_workflows) for clause in CATALOGUE if only is None or clause.id in only}
    live: dict[int, Reading] = {}
    known: _Known = {}
    number_judged = 0
    for answer in answers:
        if number_judged and late():
            break
        number_judged += 1
        live[id(answer.reading)] = answer.reading
        _make_room(live, answer.reading)  # first, so that two large values are never in memory together
        _ask(answer, tallies, demand, known)
    conversation = Conversation(answers, [exchange for exchange in exchanges if exchange.response is None])
    cut = None
    if number_judged < len(answers):
        cut = f"judging took until {OVER}: {number_judged} of {len(answers)} responses were judged"
        answers = answers[:number_judged]
    for clause, tally in tallies.items():
        if clause.across is not None and cut is None:  # a response that seems missing may be among those not judged
            tally.attempt(partial(_across, tally, clause, conversation))

    results = tuple(
        waive(outcome(clause, demand, tally.counted()), demand.read_as) for clause, tally in tallies.items()
    )
    verdict, reason = decide(results, exchanges, answers, recorded=recorded)
    if cut is not None and verdict is not Verdict.NON_CONFORMANT:
        verdict, reason = Verdict.INCONCLUSIVE, cut
    listed = frozenset(chain.from_iterable(answer.summary.lists for answer in answers if answer.shows_queue))
    return Judgement(results, verdict, reason, count(results), demand, listed, cut=cut)


class Bench:
    """Finds the clauses that single responses violate, during a run. Equal bodies are parsed once."""

    def __init__(self, demand: Demand) -> None:
        self._demand = demand
        self._clauses = [clause for clause in CATALOGUE if clause.over and clause.level_in(demand) in _BREACHABLE]
        self._readings: dict[bytes | StoredBody, Reading] = {}
        self._live: dict[int, Reading] = {}
        self._kept: set[tuple[str, int]] = set()

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that responses violate. Never raises.

        An unexpected status violates a clause only if every attempt of the same request got one.
        """
        broken: set[str] = set()
        suspects: dict[Same, list[str | None]] = {}
        for exchange in exchanges:
            if exchange.response is not None:
                answer = self._answer(exchange, exchange.response)
                broken |= {clause.id for clause in self._clauses if self._breaks(clause, answer)}
                suspects.setdefault(exchange.request.same, []).append(suspected(answer))
        return broken | {names[0] for names in suspects.values() if names[0] and all(names)}

    def _breaks(self, clause: Clause, answer: Answer) -> bool:
        place = (clause.id, id(answer.reading))
        if place in self._kept and answer.shows_queue:
            return False
        try:
            broken = any(
                True
                for each in subjects_by_clause([clause], answer)
                for subject in each.subjects
                for _ in clause.check(subject)
            )
        except Exception:  # noqa: BLE001 - our own fault, reported when the whole run is judged
            return False
        if not broken and clause.of_body is not None and answer.shows_queue:
            self._kept.add(place)
        return broken

    def _answer(self, exchange: Exchange, response: Response) -> Answer:
        reading = self._readings.setdefault(response.body, reading_of(response.body, self._demand))
        self._live[id(reading)] = reading
        _make_room(self._live, reading)
        return Answer(exchange, response, reading)


_Known = dict[int, str]
"""By the identity of a parsed body: the id of the first exchange with that body. Equal bodies have equal findings."""


def _ask(answer: Answer, tallies: Mapping[Clause, ClauseTally], demand: Demand, known: _Known) -> None:
    """Check one response against all clauses about single responses."""
    clauses = [c for c in tallies if c.over and c.speaks_of(answer.request) and c.level_in(demand) is not None]
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
                reading.forget()
        live.clear()
        live[id(current)] = current


def _read(exchanges: Sequence[Exchange], demand: Demand) -> tuple[list[Answer], Demand]:
    """Parse the bodies, equal ones only once, and under ``--dialect auto`` detect the order of elements.

    Returns the responses with their parsed bodies, and the dialect that applies.
    """
    readings: dict[bytes | StoredBody, Reading] = {}
    answers = []
    for exchange in exchanges:
        if exchange.response is not None and not exchange.superseded:
            content = readable(exchange.response)
            reading = readings.setdefault(content, reading_of(content, demand))
            answers.append(Answer(exchange, exchange.response, reading))
    if demand.open:
        for answer in answers:
            found = answer.summary.order if answer.shows_queue else None
            if answer.reading.length > LIVE:
                answer.reading.forget()
            if found is not None:
                order, pointer = found
                detected = Demand.detected(order, f"{pointer} in {answer.exchange.id}")
                return _read(exchanges, detected._replace(twice=demand.twice, schemas=demand.schemas))
    return answers, demand
