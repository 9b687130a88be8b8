"""From exchanges to the status of each clause. Pure: the same for a live run and a recording."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple

from msgspec import structs

from conformance.contract import CATALOGUE, Clause, Finding, Level
from conformance.contract.allowed import suspected
from conformance.contract.answer import Answer, Conversation
from conformance.contract.clause import failure
from conformance.contract.history import submitted_twice
from conformance.contract.reading import Reading
from conformance.contract.skim import Skimmed
from conformance.dialect import Demand, Dialect
from conformance.edition import EDITION
from conformance.excerpt import around
from conformance.exchange import Exchange, Response, Same
from conformance.masking import masked, shows_workflow
from conformance.outcome import Counted, outcome
from conformance.report.fingerprint import fingerprint_at
from conformance.report.model import (
    FINGERPRINTS,
    ClauseResult,
    Counts,
    Evidence,
    Fingerprint,
    NewerEdition,
    Verdict,
)
from conformance.verdict import count, decide

LISTED: Final = 2
"""Findings of one kind that are listed for an answer; the rest are counted."""
KINDS: Final = 20
"""Kinds of findings that are listed for a clause: a server that breaks one clause in more ways is told of these."""
SEEN_IN: Final = 20
"""Other exchanges that are named as showing the same."""
LIVE: Final = 8 << 20
"""Bytes of bodies whose values are kept at once: a value takes some ten times its bytes."""

_BREACHABLE: Final = (Level.MUST, Level.SHOULD)
POINTER_LIMIT: Final = 1000
"""Characters of a JSON Pointer that are shown."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


class Judgement(NamedTuple):
    """What a run's exchanges say, and what was demanded of them.

    ``listed`` are the lists that held a job in some answer. ``newer`` is what a newer edition than the one by which
    they are judged would add.
    """

    results: tuple[ClauseResult, ...]
    verdict: Verdict
    reason: str
    counts: Counts
    demand: Demand
    listed: frozenset[str]
    edition: int
    newer: NewerEdition | None


Waive = Callable[[ClauseResult, Dialect], ClauseResult]
"""Returns what is said of a clause that is broken, with the dialect that was demanded: it may be a known deviation."""


def _shown(pointer: str | None) -> str | None:
    """Return a JSON Pointer as it can be written: half a character as its escape, a name of megabytes cut."""
    if pointer is None:
        return None
    whole = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", pointer[:POINTER_LIMIT])
    return whole if len(pointer) <= POINTER_LIMIT else whole + "…"


def as_evidence(exchange: Exchange, clause: str, finding: Finding, *, hide: bool = False) -> Evidence:
    """Return a finding as a report shows it; ``hide`` leaves out what users wrote into workflows."""
    told = hide and shows_workflow(clause, finding.pointer)
    content, pointer = exchange.response.content if exchange.response else b"", finding.pointer
    return Evidence(
        exchange=exchange.id, pointer=_shown(pointer), expected=finding.expected, hint=finding.hint,
        kind=finding.kind, got=masked(finding.got) if told else finding.got,
        message=masked(finding.message) if told else finding.message,
        excerpt=None if pointer is None else around(content, pointer, hide=hide),
    )  # fmt: skip


@dataclass
class _Kind:
    """The findings of one kind: listed from the first answer that shows them, counted, and named for the others."""

    exchange: str
    clause: str
    hide: bool = False
    listed: list[Evidence] = field(default_factory=list)
    more: int = 0
    last: str | None = None
    seen_in: list[str] = field(default_factory=list)

    def name(self, answer: Answer) -> None:
        """Name another answer that shows the same."""
        if len(self.seen_in) < SEEN_IN and answer.exchange.id not in self.seen_in:
            self.seen_in.append(answer.exchange.id)

    def add(self, answer: Answer, finding: Finding) -> None:
        name = answer.exchange.id
        if name != self.exchange:
            self.name(answer)
        elif len(self.listed) < LISTED:
            self.listed.append(as_evidence(answer.exchange, self.clause, finding, hide=self.hide))
        else:
            self.more += 1
            self.last = _shown(finding.pointer)

    def evidence(self) -> list[Evidence]:
        rest = {"more": self.more, "last": self.last, "seen_in": tuple(self.seen_in)}
        return [*self.listed[:-1], *(structs.replace(last, **rest) for last in self.listed[-1:])]


@dataclass
class _Tally:
    """What one clause has come to so far. Bounded, however many findings there are; the counts are exact."""

    hide: bool = False
    judged: set[str] = field(default_factory=set)
    breached: set[str] = field(default_factory=set)
    kinds: dict[tuple[object, ...], _Kind] = field(default_factory=dict)
    fingerprints: dict[Fingerprint, None] = field(default_factory=dict)
    error: str | None = None

    def note(self, answer: Answer, clause: Clause, subject: Any) -> None:
        """Ask the clause of one subject."""
        self.judged.add(answer.exchange.id)
        for finding in clause.check(subject):
            self.breached.add(answer.exchange.id)
            place = None if finding.pointer is None else _INDEX.sub("/*", finding.pointer)
            kind = (place, finding.expected, finding.cause)
            if kind not in self.kinds:
                if len(self.fingerprints) < FINGERPRINTS:
                    self.fingerprints[fingerprint_at(_shown(finding.pointer), finding.kind)] = None
                if len(self.kinds) == KINDS:
                    continue
                self.kinds[kind] = _Kind(answer.exchange.id, clause.id, self.hide)
            self.kinds[kind].add(answer, finding)

    def note_again(self, answer: Answer, like: str) -> None:
        """Note of an answer what was found in another one of the same body, by its id."""
        for names in (self.judged, self.breached):
            if like in names:
                names.add(answer.exchange.id)
        for kind in self.kinds.values():
            if like == kind.exchange or like in kind.seen_in:
                kind.name(answer)

    def counted(self) -> Counted:
        """Return what it has come to."""
        evidence = tuple(listed for kind in self.kinds.values() for listed in kind.evidence())
        return Counted(len(self.judged), len(self.breached), evidence, tuple(self.fingerprints), self.error)

    def attempt(self, noting: Callable[[], None]) -> None:
        """Note, unless the clause itself fails: that must neither stop the run nor pass for a verdict."""
        try:
            noting()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            self.error = failure(error)


def judge(  # noqa: PLR0913 - what a judgement depends on
    exchanges: Sequence[Exchange], dialect: Dialect = Dialect.CLOUD, *, only: Collection[str] | None = None,
    hide_workflows: bool = False, told: Demand | None = None, waive: Waive = lambda result, _: result,
    edition: int = EDITION,
) -> Judgement:  # fmt: skip
    """Judge every answer by every clause that applies to it.

    ``hide_workflows`` leaves out of the evidence what users wrote into theirs.
    ``told`` is what earlier answers have come to under AUTO.
    ``waive`` says which breaches are known deviations. ``edition`` is the one that decides.
    ``only`` names the clauses that are asked for; the verdict then speaks of them alone. Never
    raises for anything that a server sent: a clause that fails itself has the status ``error``.
    """
    asked = (told or Demand.of(dialect))._replace(twice=submitted_twice(exchanges))
    answers, demand = _read(exchanges, asked)
    tallies = {clause: _Tally(hide_workflows) for clause in CATALOGUE if only is None or clause.id in only}
    live: dict[int, Reading] = {}
    known: _Known = {}
    for answer in answers:
        live[id(answer.reading)] = answer.reading
        _make_room(live, answer.reading)  # first: two large values are not to stand side by side
        for clause, tally in tallies.items():
            if clause.over and clause.speaks_of(answer.request) and clause.level_in(demand) is not None:
                tally.attempt(partial(_over, tally, clause, answer, known))
    conversation = Conversation(answers, [exchange for exchange in exchanges if exchange.response is None])
    for clause, tally in tallies.items():
        if clause.across is not None:
            tally.attempt(partial(_across, tally, clause, conversation))

    def say(clause: Clause, tally: _Tally) -> ClauseResult:
        return waive(outcome(clause, demand, tally.counted()), demand.read_as)

    then = {clause: clause.in_edition(edition) for clause in tallies}
    results = [say(older, tallies[clause]) for clause, older in then.items() if older is not None]
    newer = tuple(say(clause, tallies[clause]) for clause, older in then.items() if older is not clause)
    verdict, reason = decide(results, exchanges, answers)
    listed = frozenset(chain.from_iterable(answer.gist.lists for answer in answers if answer.shows_queue))
    return Judgement(
        tuple(results), verdict, reason, count(results), demand, listed, edition,
        NewerEdition(edition=EDITION, clauses=newer) if edition < EDITION else None,
    )  # fmt: skip


class Bench:
    """Judges answers one by one, as they come: which clauses does this one break? Equal bodies are read once."""

    def __init__(self, demand: Demand, edition: int = EDITION) -> None:
        self._demand = demand
        standing = (clause.in_edition(edition) for clause in CATALOGUE)
        self._clauses = [
            clause for clause in standing if clause and clause.over and clause.level_in(demand) in _BREACHABLE
        ]
        self._readings: dict[bytes, Reading] = {}
        self._live: dict[int, Reading] = {}
        self._kept: set[tuple[str, int]] = set()

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that answers break. Never raises.

        A status breaks one where it came every time that the very same request was sent.
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
            assert clause.over is not None
            broken = any(True for subject in clause.over(answer.left(clause)[1]) for _ in clause.check(subject))
        except Exception:  # noqa: BLE001 - ours, and told by the judgement of the whole run
            return False
        if not broken and clause.of_body is not None and answer.shows_queue:
            self._kept.add(place)
        return broken

    def _answer(self, exchange: Exchange, response: Response) -> Answer:
        content = response.content
        reading = self._readings.setdefault(content, Skimmed(content, self._demand))
        self._live[id(reading)] = reading
        _make_room(self._live, reading)
        return Answer(exchange, response, reading)


_Known = dict[tuple[str, int], str]
"""By clause and reading: the first answer of that body, by its id. Same bytes, same findings."""


def _over(tally: _Tally, clause: Clause, answer: Answer, known: _Known) -> None:
    assert clause.over is not None
    place = (clause.id, id(answer.reading)) if clause.of_body is not None and answer.shows_queue else None
    if place is not None and place in known:
        tally.note_again(answer, known[place])
        return
    exercised, left = answer.left(clause)
    if exercised:
        tally.judged.add(answer.exchange.id)
    for subject in clause.over(left):
        tally.note(answer, clause, subject)
    if place is not None:
        known[place] = answer.exchange.id


def _across(tally: _Tally, clause: Clause, conversation: Conversation) -> None:
    assert clause.across is not None
    for answer, subject in clause.across(conversation):
        tally.note(answer, clause, subject)


def _make_room(live: dict[int, Reading], current: Reading) -> None:
    """Forget values of earlier bodies where all of them together are large."""
    if sum(len(reading.content) for reading in live.values()) > LIVE:
        for reading in live.values():
            if reading is not current:
                reading.forget()
        live.clear()
        live[id(current)] = current


def _read(exchanges: Sequence[Exchange], demand: Demand) -> tuple[list[Answer], Demand]:
    """Give equal bodies one reading, and resolve AUTO by the first job that shows an order."""
    readings: dict[bytes, Reading] = {}
    answers = []
    for exchange in exchanges:
        if exchange.response is not None and not exchange.superseded:
            content = exchange.response.content
            reading = readings.setdefault(content, Skimmed(content, demand))
            answers.append(Answer(exchange, exchange.response, reading))
    if demand.open:
        shown = ((answer.exchange.id, answer.gist.order) for answer in answers if answer.shows_queue)
        for name, found in shown:
            if found is not None:
                order, pointer = found
                told = Demand.told_by(order, f"{pointer} in {name}")
                return _read(exchanges, told._replace(twice=demand.twice))
    return answers, demand
