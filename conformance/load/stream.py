"""Answers without end, judged one by one as they come. What is kept is bounded; nothing is left out. Pure.

Under load most answers are equal to the last byte, or but for their heads: the same bytes to the same
request have the same findings, and bodies are read once. Of a body that is another one only what is new in it is
asked: a clause that said all it says of the head alone says it of every answer with that head.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from conformance.contract import BY_ID, CATALOGUE, Clause, Finding
from conformance.contract.answer import Answer, Conversation
from conformance.contract.clause import failure
from conformance.contract.envelope import accountable
from conformance.contract.envelope import every_read_is_answered_200 as STEADY  # noqa: N812 - a clause is a constant
from conformance.contract.reading import Reading
from conformance.contract.skim import Skimmed
from conformance.contract.skim.reading import KNOWN
from conformance.dialect import Demand
from conformance.exchange import Exchange, Headers, Request, Response
from conformance.load.bare import Wanted, without_body

LISTED: Final = 2
"""Findings of a clause that are kept of an answer."""
EQUALS: Final = 1024
"""Different answers of which the findings are remembered."""
BODIES: Final = 32 << 20
"""Bytes of different bodies that are remembered with their findings."""
WINDOW: Final = 3
"""Answers in a row to one reader: what is lost between two reads shows in the third."""
JOBS: Final = 200_000
"""Jobs, over all readers, that are kept for comparing a read with the next: half a kilobyte each."""
BETWEEN: Final = {"reads.job-data": 1, "reads.order": 1, "reads.steady": 2}
"""Clauses between the reads of one reader that hold however many others read and write beside it.

By id how far from the end the answer stands that is charged: what is missing between two reads shows in the next.
"""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Noted:
    """What clauses say of one answer: those that it exercised, and the first findings of those that it breaks.

    ``errors`` are clauses that failed themselves: that speaks of the suite and not of the answer.
    """

    judged: tuple[str, ...] = ()
    broken: tuple[tuple[str, tuple[Finding, ...]], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: Noted) -> Noted:
        return Noted(self.judged + other.judged, self.broken + other.broken, self.errors + other.errors)


NOTHING: Final = Noted()


class Recent(OrderedDict[Key, Value]):
    """The values that were used last, as many as weigh ``room`` together."""

    def __init__(self, room: int, weigh: Callable[[Value], int] = lambda _: 1) -> None:
        super().__init__()
        self._room, self._weigh = room, weigh
        self._weight = 0

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made where it is not known any more."""
        if key in self:
            self.move_to_end(key)
            return self[key]
        self.put(key, make())
        return self[key]

    def put(self, key: Key, value: Value) -> None:
        """Remember a value; forget those that were used longest ago. The newest one is always kept."""
        self.drop(key)
        self[key] = value
        self._weight += self._weigh(value)
        while self._weight > self._room and len(self) > 1:
            _, old = self.popitem(last=False)
            self._weight -= self._weigh(old)

    def drop(self, key: Key) -> None:
        """Forget a value, where there is one."""
        if key in self:
            self._weight -= self._weigh(self.pop(key))


@dataclass
class _Body:
    """A body as it was read, and what the clauses that speak of bodies alone say of it."""

    reading: Reading
    digest: bytes
    noted: Noted
    fresh: bool = True
    """Whether its value is still there."""


class _OfHead(NamedTuple):
    """What is said of all answers with one head, and the clauses that want to see more of each."""

    noted: Noted
    others: Sequence[Clause]


@dataclass
class _Reader:
    """The last reads of one reader: by the digest of its body the gist of each."""

    reads: list[tuple[bytes, Answer]] = field(default_factory=list)

    @property
    def digests(self) -> tuple[bytes, ...]:
        return tuple(digest for digest, _ in self.reads)

    @property
    def jobs(self) -> int:
        return 1 + sum(len(answer.gist.sightings) for _, answer in self.reads)


class _Seen(NamedTuple):
    """What of a request and of the head of its answer can make a difference; ``dated`` is our time where it is used."""

    same: tuple[str, ...]
    body: bytes
    status: int
    headers: Headers
    coding_error: str | None
    dated: int | None


class _Last(NamedTuple):
    """The last answer to a reader to whom the queue stands still, and what was said of it."""

    head: _Seen
    content: bytes
    noted: Noted

    def is_like(self, request: Request, response: Response) -> bool:
        """Whether another answer is equal in everything that is judged."""
        head = self.head
        return (
            response.content == self.content
            and response.headers == head.headers
            and response.status == head.status
            and response.coding_error == head.coding_error
            and request.body == head.body
            and request.same == head.same
        )


class Stream:
    """Judges answers by what is demanded. One for each process; not for several threads at once."""

    def __init__(self, demand: Demand) -> None:
        asked = [clause for clause in CATALOGUE if clause.level_in(demand) is not None]
        self._demand = demand
        of_body = [clause for clause in asked if clause.of_body is not None]
        self._known = [clause for clause in of_body if clause.id in KNOWN]
        self._of_body = [clause for clause in of_body if clause.id not in KNOWN]
        self._of_answer = [clause for clause in asked if clause.over is not None and clause.of_body is None]
        self._between = [BY_ID[name] for name in BETWEEN if BY_ID[name] in asked]
        self._steady = [STEADY] if STEADY in asked else []
        self._of_jobs = [clause for clause in asked if clause.across is not None and clause.subject == "lifecycle"]
        self._last: Recent[Hashable, _Last] = Recent(BODIES, lambda last: len(last.content) + 1)
        self._equals: Recent[Hashable, Noted] = Recent(EQUALS)
        self._heads: Recent[_Seen, _OfHead] = Recent(EQUALS)
        self._proven: Recent[Hashable, Noted] = Recent(EQUALS)
        self._bodies: Recent[bytes, _Body] = Recent(BODIES, lambda body: len(body.reading.content) + 1)
        self._readers: Recent[Hashable, _Reader] = Recent(JOBS, lambda reader: reader.jobs)
        self._runs: Recent[Hashable, Noted] = Recent(EQUALS)
        self._digests: Recent[bytes, bytes] = Recent(2 * JOBS)

    def judge(self, reader: Hashable, exchange: Exchange) -> Noted:
        """Return what all clauses say of an answer; ``reader`` is who asked, one request after the other.

        An exchange without an answer exercises nothing.
        """
        response = exchange.response
        if response is None:
            return NOTHING
        last = self._last.get(reader)
        if last is not None and last.is_like(exchange.request, response):
            return last.noted
        digest = hashlib.blake2b(response.content, digest_size=16).digest()
        body = self._bodies.get_or_make(digest, lambda: self._read(digest, response.content))
        answer = Answer(exchange, response, body.reading)
        dated = None if response.header("date") else int(exchange.started or 0)  # else our clock speaks for it
        request = exchange.request
        head = _Seen(request.same, request.body, response.status, response.headers, response.coding_error, dated)
        noted = self._equals.get_or_make((head, digest), lambda: self._ask(answer, head, body))
        if answer.shows_queue:
            noted += body.noted + self._since(reader, digest, answer)
        if body.fresh:
            body.reading.forget()
            body.fresh = False
        self._remember(reader, digest, _Last(head, body.reading.content, noted))
        return noted

    def _remember(self, reader: Hashable, digest: bytes, last: _Last) -> None:
        """Remember the last answer to a reader, if one more of its kind says the same: the queue stands still."""
        window = self._readers.get(reader)
        if last.head.dated is None and window is not None and window.digests == (digest,) * WINDOW:
            self._last.put(reader, last)
        else:
            self._last.drop(reader)

    def of_jobs(self, exchanges: Iterable[Exchange]) -> list[tuple[Exchange, Noted]]:
        """Return what is said of a round of jobs, from its exchanges in their order, by the answer that is charged."""
        answers = [
            Answer(exchange, exchange.response, Skimmed(exchange.response.content, self._demand))
            for exchange in exchanges
            if exchange.response is not None
        ]
        conversation, said = Conversation(answers), dict[str, Noted]()
        for clause in self._of_jobs:
            for name, noted in _of_each(clause, conversation).items():
                said[name] = said.get(name, Noted()) + noted
        return [(answer.exchange, said[answer.exchange.id]) for answer in answers if answer.exchange.id in said]

    def _ask(self, answer: Answer, head: _Seen, body: _Body) -> Noted:
        body.fresh = True  # as far as it is read again
        of_head = self._heads.get_or_make(head, lambda: self._ask_of_head(answer))
        return of_head.noted + _noted((clause, partial(_over, clause, answer)) for clause in of_head.others)

    def _ask_of_head(self, answer: Answer) -> _OfHead:
        """Ask what can be asked without the body and the clock: which clauses want to see them, shows when they do."""
        bare, others, noted = without_body(answer), list[Clause](), list[Noted]()
        for clause in self._of_answer:
            if clause.speaks_of(answer.request):
                try:
                    noted.append(_noted([(clause, partial(_whole, clause, bare))]))
                except Wanted:
                    others.append(clause)
        noted.append(_noted((clause, lambda: (False, accountable(answer))) for clause in self._steady))
        return _OfHead(sum(noted, Noted()), others)

    def _read(self, digest: bytes, content: bytes) -> _Body:
        reading = Skimmed(content, self._demand)
        proven = reading.proven
        if proven is None:
            noted = self._ask_known(reading)
        else:
            noted = self._proven.get_or_make(proven, lambda: self._ask_known(reading))
        noted += _noted((clause, partial(_of_body, clause, reading)) for clause in self._of_body)
        reading.gist.settle(self._digests.get_or_make)
        return _Body(reading, digest, noted)

    def _ask_known(self, reading: Reading) -> Noted:
        return _noted((clause, partial(_of_body, clause, reading)) for clause in self._known)

    def _since(self, reader: Hashable, digest: bytes, answer: Answer) -> Noted:
        """Return what this read says together with the ones before it of the same reader."""
        if not answer.gist.is_object:
            return NOTHING
        window = self._readers.get_or_make(reader, _Reader)
        if window.digests != (digest,) * WINDOW:  # else those that are there serve as well
            window.reads = [*window.reads, (digest, _slim(answer))][-WINDOW:]
            self._readers.put(reader, window)
        return self._runs.get_or_make(window.digests, lambda: self._compare([read for _, read in window.reads]))

    def _compare(self, reads: list[Answer]) -> Noted:
        conversation = Conversation(reads)
        return _noted([(clause, partial(_charged, clause, conversation)) for clause in self._between])


_Asked = tuple[bool, Iterable[Any]]
"""Whether what is proven exercises a clause already, and the subjects that it has still to be asked of."""


def _over(clause: Clause, answer: Answer) -> _Asked:
    assert clause.over is not None
    exercised, left = answer.left(clause)
    return exercised, clause.over(left)


def _whole(clause: Clause, answer: Answer) -> _Asked:
    assert clause.over is not None
    return False, clause.over(answer)


def _of_body(clause: Clause, reading: Reading) -> _Asked:
    assert clause.of_body is not None
    exercised, left = reading.left(clause)
    return exercised, clause.of_body(left)


def _charged(clause: Clause, conversation: Conversation) -> _Asked:
    """Return what a clause says of the one answer that no shorter conversation has charged."""
    assert clause.across is not None
    answers, place = conversation.answers, BETWEEN[clause.id]
    charged = answers[-place] if len(answers) >= place else None
    return False, (subject for answer, subject in clause.across(conversation) if answer is charged)


def _of_each(clause: Clause, conversation: Conversation) -> dict[str, Noted]:
    """Return what a clause says of a conversation, by the id of the exchange that is charged."""
    assert clause.across is not None
    found: dict[str, list[Finding]] = {}
    try:
        for answer, subject in clause.across(conversation):
            told = found.setdefault(answer.exchange.id, [])
            told += islice(clause.check(subject), LISTED - len(told))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
        failed = Noted(errors=((clause.id, failure(error)),))
        return {conversation.answers[0].exchange.id: failed}
    return {
        name: Noted((clause.id,), ((clause.id, tuple(told)),) if told else ()) for name, told in found.items()
    }  # fmt: skip


def _slim(answer: Answer) -> Answer:
    """Return an answer without its body, of which the gist is kept."""
    reading = Reading(b"", answer.reading.demand)
    reading.__dict__["gist"] = answer.gist
    response = replace(answer.response, content=b"")
    return Answer(replace(answer.exchange, response=response), response, reading)


def _noted(asked: Iterable[tuple[Clause, Callable[[], _Asked]]]) -> Noted:
    """Ask each clause of its subjects."""
    judged, broken, errors = [], [], []
    for clause, subjects in asked:
        try:
            found = list[Finding]()
            exercised, left = subjects()
            for subject in left:
                exercised = True
                if len(found) < LISTED:
                    found += islice(clause.check(subject), LISTED - len(found))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            errors.append((clause.id, failure(error)))
            continue
        if exercised:
            judged.append(clause.id)
        if found:
            broken.append((clause.id, tuple(found)))
    return Noted(tuple(judged), tuple(broken), tuple(errors))
