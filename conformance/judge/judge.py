"""Judge exchanges: give each clause a status. Pure, and the same for a live run and a recording."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final, NamedTuple

from conformance.contract.ask import Asked, asked
from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer, Conversation, submitted_twice
from conformance.contract.expected_status import suspected
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import KnownJobs
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
    answers, demand = _read(exchanges, wanted)
    tallies = {clause: ClauseTally(hide_workflows) for clause in CATALOGUE if only is None or clause.id in only}
    live: dict[int, Reading] = {}
    known: _Known = {}
    asked_of = 0
    for answer in answers:
        if asked_of and late():
            break
        asked_of += 1
        live[id(answer.reading)] = answer.reading
        _make_room(live, answer.reading)  # first, so that two large values are never in memory together
        _ask(answer, tallies, demand, known)
        if answer.shows_queue:
            _ = answer.summary  # while the body is read: later it would be read again
    conversation = Conversation(answers, [exchange for exchange in exchanges if exchange.response is None])
    cut = None
    if asked_of < len(answers):
        cut = f"judging took until {OVER}: {asked_of} of {len(answers)} responses were judged"
        answers = answers[:asked_of]
    for clause, tally in tallies.items():
        if clause.across is not None and cut is None:  # a response that seems missing may be among those not judged
            tally.attempt(partial(_across, tally, clause, conversation))

    results = tuple(
        waive(outcome(clause, demand, tally.counted()._replace(left_out=clause.left_out(conversation))), demand.read_as)
        for clause, tally in tallies.items()
    )
    verdict, reason = decide(results, exchanges, answers, recorded=recorded)
    if cut is not None and verdict is not Verdict.NON_CONFORMANT:
        verdict, reason = Verdict.INCONCLUSIVE, cut
    listed = frozenset(chain.from_iterable(answer.summary.lists for answer in answers if answer.shows_queue))
    uncompared = conversation.uncompared if cut is None else None
    return Judgement(results, verdict, reason, count(results), demand, listed, cut=cut, uncompared=uncompared)


class Bench:
    """Finds the clauses that single responses break, as they arrive. Equal bodies are read once."""

    def __init__(self, demand: Demand) -> None:
        self._demand = demand
        self._clauses = [clause for clause in CATALOGUE if clause.over and clause.level_in(demand) in _BREACHABLE]
        self._readings: dict[bytes | StoredBody, Reading] = {}
        self._live: dict[int, Reading] = {}
        self._kept: set[tuple[str, int]] = set()
        self._known = KnownJobs()

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that responses break. Never raises.

        A status breaks a clause only if every attempt of the same request got it.
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
                True for each in asked([clause], answer) for subject in each.subjects for _ in clause.check(subject)
            )
        except Exception:  # noqa: BLE001 - our own fault, reported when the whole run is judged
            return False
        if not broken and clause.of_body is not None and answer.shows_queue:
            self._kept.add(place)
        return broken

    def _answer(self, exchange: Exchange, response: Response) -> Answer:
        reading = self._readings.setdefault(response.body, reading_of(response.body, self._demand, known=self._known))
        self._live[id(reading)] = reading
        _make_room(self._live, reading)
        return Answer(exchange, response, reading)


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


def _read(exchanges: Sequence[Exchange], demand: Demand) -> tuple[list[Answer], Demand]:
    """Share one reading among equal bodies, and resolve AUTO by the first job that shows an order."""
    readings: dict[bytes | StoredBody, Reading] = {}
    answers, known = [], KnownJobs()
    for exchange in exchanges:
        if exchange.response is not None and not exchange.superseded:
            content = readable(exchange.response)
            reading = readings.setdefault(content, reading_of(content, demand, known=known))
            answers.append(Answer(exchange, exchange.response, reading))
    if demand.open:
        for answer in answers:
            found = answer.reading.order if answer.shows_queue else None
            if answer.reading.length > LIVE:
                answer.reading.release()
            if found is not None:
                order, pointer = found
                told = Demand.told_by(order, f"{pointer} in {answer.exchange.id}")
                return _read(exchanges, told._replace(twice=demand.twice, schemas=demand.schemas))
    return answers, demand
