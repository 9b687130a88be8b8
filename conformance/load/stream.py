"""Answers without end, judged one by one as they come. What is kept is bounded; nothing is left out. Pure.

Under load most answers are equal, or but for fields of their heads that nobody looks at: they have the same findings.
Bodies are read once, and jobs are looked at once in whichever bodies they stand. Of an answer that is another one only
what is new in it is asked: what a clause says without having looked at something (``bare``) cannot depend on it.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import Raw, Struct

from conformance.contract.ask import subjects
from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Clause, Finding
from conformance.contract.clauses.status import accountable
from conformance.contract.clauses.status import every_read_is_answered_200 as STEADY  # noqa: N812 - a clause is a constant
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.fast_job import Inspection
from conformance.contract.terms import Demand
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange, Response, Same
from conformance.load.bare import Wanted, remembered, without_body, without_other_fields
from conformance.text.safe import failure

LISTED: Final = 2
"""Findings of a clause that are kept of an answer."""
EQUALS: Final = 1024
"""Different answers of which the findings are remembered."""
BODIES: Final = 32 << 20
"""Bytes of different bodies that are remembered with their findings, and of different jobs."""
HOUR: Final = 3600.0
"""Seconds after which our clock is asked again about a Date that stands still."""
ROOM: Final = 4096
"""Bytes that what is kept of a body or of a job takes beside its own, at most: a small one is many objects."""
WINDOW: Final = 3
"""Answers in a row to one reader: what is lost between two reads shows in the third."""
JOBS: Final = 200_000
"""Jobs, over all readers, that are kept for comparing a read with the next: half a kilobyte each."""
BETWEEN: Final = {"reads.job-data": 1, "reads.order": 1, "reads.steady": 2}
"""Clauses between the reads of one reader that hold however many others read and write beside it.

By id how far from the end the answer stands that is charged: what is missing between two reads shows in the next.
"""

CacheKey = TypeVar("CacheKey", bound=Hashable)
CacheValue = TypeVar("CacheValue")


class Noted(Struct, frozen=True, gc=False):
    """What clauses say of one answer: those that it exercised, and the first findings of those that it breaks.

    ``errors`` are clauses that failed themselves: that speaks of the suite and not of the answer.
    """

    judged: tuple[str, ...] = ()
    broken: tuple[tuple[str, tuple[Finding, ...]], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()

    def __add__(self, other: Noted) -> Noted:
        return Noted(self.judged + other.judged, self.broken + other.broken, self.errors + other.errors)


NOTHING: Final = Noted()


class Recent(OrderedDict[CacheKey, CacheValue]):
    """The values that were used last, as many as weigh ``room`` together."""

    def __init__(self, room: int, weigh: Callable[[CacheValue], int] = lambda _: 1) -> None:
        super().__init__()
        self._room, self._weigh = room, weigh
        self._weight = 0

    def get_or_make(self, key: CacheKey, make: Callable[[], CacheValue]) -> CacheValue:
        """Return the value of a key, made where it is not known any more."""
        if key in self:
            self.move_to_end(key)
            return self[key]
        self.put(key, make())
        return self[key]

    def put(self, key: CacheKey, value: CacheValue) -> None:
        """Remember a value; forget those that were used longest ago. The newest one is always kept."""
        if key in self:
            self._weight -= self._weigh(self.pop(key))
        self[key] = value
        self._weight += self._weigh(value)
        while self._weight > self._room and len(self) > 1:
            _, old = self.popitem(last=False)
            self._weight -= self._weigh(old)

    def forget(self) -> None:
        """Forget all."""
        self.clear()
        self._weight = 0


class _Alike(NamedTuple):
    """What is said of answers that are alike as far as anybody has looked, and who wants to see more of each."""

    noted: Noted
    others: Sequence[Clause]


class _Head(NamedTuple):
    """What of a request and the head of its answer can make a difference; ``moment`` is our time as far as it can.

    ``fields`` are those that some clause looks at: most services give each answer an id of its own as well.
    """

    same: Same
    body: bytes
    status: int
    fields: Headers
    coding_error: str | None
    echoes: tuple[str, ...]
    moment: int


class _Equal(NamedTuple):
    """Responses that are equal in everything that is judged, and the findings of each alone.

    ``others`` are clauses that look at every header field: they are asked about each response.
    """

    number: int
    head: _Head
    reading: Reading
    digest: bytes
    shows_queue: bool
    noted: Noted
    others: Sequence[Clause]

    @property
    def room(self) -> int:
        """The bytes that this takes."""
        return len(self.reading.content) + ROOM


@dataclass
class _Reader:
    """The last ``reads`` of one reader as far as they are compared, and the ``digests`` of their bodies.

    ``still`` is the number of answers of which one more says the same, ``said`` what: the queue stands still.
    """

    reads: tuple[Answer, ...] = ()
    digests: tuple[bytes, ...] = ()
    still: int | None = None
    said: Noted = NOTHING

    @property
    def jobs(self) -> int:
        return 1 + sum([len(answer.summary.observations) for answer in self.reads])


class Stream:
    """Judges answers by what is demanded. One for each process; not for several threads at once."""

    def __init__(self, demand: Demand) -> None:
        asked = [clause for clause in CATALOGUE if clause.level_in(demand) is not None]
        self._demand = demand
        of_body = [clause for clause in asked if clause.of_body is not None]
        self._declared = [clause for clause in of_body if clause.fast is not None]
        self._of_body = [clause for clause in of_body if clause.fast is None]
        self._of_answer = [clause for clause in asked if clause.over is not None and clause.of_body is None]
        self._between = [BY_ID[name] for name in BETWEEN if BY_ID[name] in asked]
        self._steady = [STEADY] if STEADY in asked else []
        self._of_jobs = [clause for clause in asked if clause.across is not None and clause.subject == "lifecycle"]
        self._numbers = itertools.count()
        self._newest: _Equal | None = None
        self._sum = (NOTHING, NOTHING, NOTHING)
        """The last two findings that were added, and the sum: equal sums are one object, which is counted faster."""
        self._fields: set[str] = set()
        """The header fields that some clause has looked at, by their names in lower case."""
        self._readers: Recent[Hashable, _Reader] = Recent(JOBS, lambda reader: reader.jobs)
        # Three caches. Locust alone takes some 140 microseconds for a request, and judging may take a seventh of that
        # (benchmarks/load.py). Without equals, responses that alternate are judged anew each time, such as those of a
        # server that sheds load. Without alike or jobs, a 3 kB body that is a new one takes 600 to 800 microseconds
        # instead of 250; without jobs, a 30 kB one takes 5 milliseconds instead of half of one.
        self._equals: Recent[Hashable, _Equal] = Recent(BODIES, lambda equal: equal.room)
        self._alike: Recent[Hashable, _Alike] = Recent(EQUALS)
        self._jobs: Recent[bytes, Inspection] = Recent(BODIES, lambda seen: seen.size + ROOM)

    def judge(self, reader: Hashable, exchange: Exchange) -> Noted:
        """Return what all clauses say of an answer; ``reader`` is who asked, one request after the other.

        An exchange without an answer exercises nothing.
        """
        response = exchange.response
        if response is None:
            return NOTHING
        equal, window = self._equal(exchange, response), self._readers.get(reader)
        if window is not None and window.still == equal.number:
            noted = window.said
        else:
            noted = self._with_those_before(reader, exchange, response, equal)
        return self._with_all_fields(noted, exchange, response, equal) if equal.others else noted

    def _with_all_fields(self, noted: Noted, exchange: Exchange, response: Response, equal: _Equal) -> Noted:
        """Return what was said of an answer, with what those say of it who look at whatever fields it has."""
        answer = Answer(exchange, response, equal.reading)
        more = _noted((clause, partial(subjects, clause, answer)) for clause in equal.others)
        equal.reading.forget()
        one, other, _ = self._sum
        if one is not noted or other != more:
            self._sum = (noted, more, noted + more)
        return self._sum[2]

    def _with_those_before(self, reader: Hashable, exchange: Exchange, response: Response, equal: _Equal) -> Noted:
        """Return what is said of an answer by itself, and together with those before it of the same reader."""
        if not equal.shows_queue or not equal.reading.summary.is_object:
            return equal.noted
        window = self._readers.get_or_make(reader, _Reader)
        digest, stood_still = equal.digest, (equal.digest,) * WINDOW
        if window.digests != stood_still:  # else those that are there serve as well
            read = remembered(exchange, response, equal.reading.summary)
            window.reads = (*window.reads, read)[-WINDOW:]
            window.digests = (*window.digests, digest)[-WINDOW:]
            window.still = None
            self._readers.put(reader, window)
        # A clause may look at the whole body of the newest read.
        said = equal.noted + self._compare((*window.reads[:-1], Answer(exchange, response, equal.reading)))
        equal.reading.forget()
        if window.digests == stood_still:
            window.still, window.said = equal.number, said
        return said

    def _equal(self, exchange: Exchange, response: Response) -> _Equal:
        """Return the findings of a response alone. Most often it equals the newest one."""
        newest, head = self._newest, self._head(exchange, response)
        if newest is None or newest.head != head or newest.reading.content != response.content:
            newest = self._newest = self._looked_up(exchange, response, head)
        return newest

    def _head(self, exchange: Exchange, response: Response) -> _Head:
        """Return the head of a response: with our time to the second if it has no Date, else to the hour."""
        fields = tuple([field for field in response.headers if field[0].lower() in self._fields])
        request, started = exchange.request, exchange.started or 0.0
        moment = int(started // HOUR if response.header("date") else started)
        return _Head(
            request.same, request.body, response.status, fields, response.coding_error, response.echoes, moment
        )

    def _looked_up(self, exchange: Exchange, response: Response, head: _Head) -> _Equal:
        digest = hashlib.blake2b(response.content, digest_size=16).digest()
        known = len(self._fields)
        equal = self._equals.get_or_make((head, digest), lambda: self._ask(exchange, response, head, digest))
        if known == len(self._fields):
            return equal
        for memory in (self._equals, self._alike):  # a clause looked at a field for the first time
            memory.forget()
        return self._looked_up(exchange, response, self._head(exchange, response))

    def of_jobs(self, exchanges: Iterable[Exchange]) -> list[tuple[Exchange, Noted]]:
        """Return what is said of a round of jobs, from its exchanges in their order, by the answer that is charged."""
        answers = [
            Answer(exchange, exchange.response, FastReading(exchange.response.content, self._demand))
            for exchange in exchanges
            if exchange.response is not None
        ]
        conversation, said = Conversation(answers), dict[str, Noted]()
        for clause in self._of_jobs:
            for name, noted in _of_each(clause, conversation).items():
                said[name] = said.get(name, Noted()) + noted
        return [(answer.exchange, said[answer.exchange.id]) for answer in answers if answer.exchange.id in said]

    def _ask(self, exchange: Exchange, response: Response, head: _Head, digest: bytes) -> _Equal:
        reading = FastReading(response.content, self._demand, recall=self._seen)
        answer = Answer(exchange, response, reading)
        proven = reading.proven if answer.shows_queue else None
        alike = self._alike.get_or_make((head, proven), lambda: self._ask_of_alike(answer, proven))
        noted, others = _as_far_as_shown(alike.others, subjects, without_other_fields(answer, self._fields))
        noted = alike.noted + noted
        if answer.shows_queue:
            noted += self._ask_of_body(self._of_body if proven is not None else self._declared + self._of_body, reading)
        if reading.proven is None:
            reading.summary.settle(_digest)
        reading.forget()
        return _Equal(next(self._numbers), head, reading, digest, answer.shows_queue, noted, others)

    def _ask_of_alike(self, answer: Answer, proven: Hashable | None) -> _Alike:
        """Ask what depends only on the head and on what was proven of the body: the same for all bodies alike.

        A clause that wants to see more shows that by looking at it.
        """
        clauses = [clause for clause in self._of_answer if clause.speaks_of(answer.request)]
        noted, others = _as_far_as_shown(clauses, _whole, without_body(answer, self._fields))
        noted += _noted((clause, lambda: (False, accountable(answer))) for clause in self._steady)
        if proven is None:
            return _Alike(noted, others)
        declared = [clause for clause in others if clause.fast is not None]
        more, wanting = _as_far_as_shown(declared, subjects, without_body(answer, self._fields, answer.reading))
        noted += more + self._ask_of_body(self._declared, answer.reading)
        return _Alike(noted, [c for c in others if c.fast is None or c in wanting])

    def _seen(self, look: Callable[[Raw], Inspection], element: Raw) -> Inspection:
        """Return what is seen of an element of a list: each is looked at once."""
        text = bytes(element)
        return self._jobs.get_or_make(text, lambda: self._look(look, text))

    def _look(self, look: Callable[[Raw], Inspection], text: bytes) -> Inspection:
        seen = look(Raw(text))
        if seen.remaining is None:
            seen.facts(self._demand.read_as).settle(_digest)
        return seen

    def _ask_of_body(self, clauses: Iterable[Clause], reading: Reading) -> Noted:
        return _noted((clause, partial(_of_body, clause, reading)) for clause in clauses)

    def _compare(self, reads: Sequence[Answer]) -> Noted:
        """Return what a read says together with the ones before it of the same reader."""
        return _noted([(clause, partial(_charged, clause, reads)) for clause in self._between])


_Asked = tuple[bool, Iterable[Any]]
"""Whether what is proven exercises a clause already, and the subjects that it has still to be asked of."""


def _whole(clause: Clause, answer: Answer) -> _Asked:
    assert clause.over is not None
    return False, clause.over(answer)


def _of_body(clause: Clause, reading: Reading) -> _Asked:
    assert clause.of_body is not None
    exercised, left = reading.remaining(clause.fast, clause.level_in(reading.demand))
    return exercised, clause.of_body(left)


def _charged(clause: Clause, reads: Sequence[Answer]) -> _Asked:
    """Return what a clause says of the one answer that no shorter conversation has charged."""
    assert clause.across is not None
    place = BETWEEN[clause.id]
    charged = reads[-place] if len(reads) >= place else None
    conversation = Conversation(reads[-place - 1 :])
    return False, (subject for answer, subject in clause.across(conversation) if answer is charged)


def _of_each(clause: Clause, conversation: Conversation) -> dict[str, Noted]:
    """Return what a clause says of a conversation, by the id of the exchange that is charged."""
    assert clause.across is not None
    found: dict[str, list[Finding]] = {}
    try:
        for answer, subject in clause.across(conversation):
            told = found.setdefault(answer.exchange.id, [])
            told += itertools.islice(clause.check(subject), LISTED - len(told))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
        failed = Noted(errors=((clause.id, failure(error)),))
        return {conversation.answers[0].exchange.id: failed}
    return {name: Noted((clause.id,), ((clause.id, tuple(told)),) if told else ()) for name, told in found.items()}


def _digest(_: bytes, make: Callable[[], bytes]) -> bytes:
    """Return a digest without a cache."""
    return make()


def _as_far_as_shown(clauses: Iterable[Clause], ask: Callable[[Clause, Answer], _Asked], answer: Answer) -> _Alike:
    """Ask clauses of an answer of which some is left out."""
    noted, others = NOTHING, []
    for clause in clauses:
        try:
            noted += _noted([(clause, partial(ask, clause, answer))])
        except Wanted:
            others.append(clause)
    return _Alike(noted, others)


def _noted(asked: Iterable[tuple[Clause, Callable[[], _Asked]]]) -> Noted:
    """Ask each clause of its subjects."""
    judged, broken, errors = [], [], []
    for clause, asking in asked:
        try:
            found = list[Finding]()
            exercised, left = asking()
            for subject in left:
                exercised = True
                if len(found) < LISTED:
                    found += itertools.islice(clause.check(subject), LISTED - len(found))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            errors.append((clause.id, failure(error)))
            continue
        if exercised:
            judged.append(clause.id)
        if found:
            broken.append((clause.id, tuple(found)))
    return Noted(tuple(judged), tuple(broken), tuple(errors))
