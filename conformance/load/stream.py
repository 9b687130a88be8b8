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
from dataclasses import dataclass, replace
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


class _Body(NamedTuple):
    """A body as it was read, and what the clauses that speak of bodies alone say of it."""

    reading: Reading
    digest: bytes
    noted: Noted
    proven: Hashable | None
    """Equal for bodies of which the clauses that declare ``fast`` say the same; None for others."""

    @property
    def room(self) -> int:
        """Bytes that it takes."""
        return len(self.reading.content) + ROOM


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
    moment: int


class _Equal(NamedTuple):
    """Answers that are equal in everything that is judged, and what is said of each of them by itself.

    ``others`` are clauses that look at all fields, whichever there are: they are asked of each answer.
    """

    number: int
    headers: Headers
    head: _Head
    body: _Body
    shows_queue: bool
    noted: Noted
    others: Sequence[Clause]
    dated: bool

    def is_again(self, exchange: Exchange, response: Response) -> bool:
        """Whether an answer is equal to the first of them in whatever it has."""
        return (
            response.content == self.body.reading.content
            and response.headers == self.headers
            and self.head == _head(exchange, response, self.head.fields, dated=self.dated)
        )


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
        self._last: Recent[Hashable, _Equal] = Recent(BODIES, lambda equal: equal.body.room)
        self._newest: _Equal | None = None
        self._equals: Recent[Hashable, _Equal] = Recent(BODIES, lambda equal: equal.body.room)
        self._numbers = itertools.count()
        self._sums: Recent[int, tuple[Noted, Noted, Noted]] = Recent(EQUALS)
        """What was added up last, so that equal sums are the same value: those are counted together."""
        self._fields: set[str] = set()
        """The fields of a head that some clause has looked at, by their names in lower case."""
        self._heads: Recent[_Head, _Alike] = Recent(EQUALS)
        self._alike: Recent[Hashable, _Alike] = Recent(EQUALS)
        self._proven: Recent[Hashable, Noted] = Recent(EQUALS)
        self._jobs: Recent[bytes, Inspection] = Recent(BODIES, lambda seen: seen.size + ROOM)
        self._bodies: Recent[bytes, _Body] = Recent(BODIES, lambda body: body.room)
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
        last, window = self._last.get(reader), self._readers.get(reader)
        if last is not None and last.is_again(exchange, response):
            equal = last
        else:
            equal = self._equal(reader, exchange, response)
        if window is not None and window.still == equal.number:
            noted = window.said
        else:
            noted = self._with_those_before(reader, exchange, response, equal)
        return self._with_all_fields(noted, exchange, response, equal) if equal.others else noted

    def _with_all_fields(self, noted: Noted, exchange: Exchange, response: Response, equal: _Equal) -> Noted:
        """Return what was said of an answer, with what those say of it who look at whatever fields it has."""
        answer = Answer(exchange, response, equal.body.reading)
        more = _noted((clause, partial(subjects, clause, answer)) for clause in equal.others)
        equal.body.reading.forget()
        one, other, both = self._sums.get(id(noted), (None, None, NOTHING))
        if one is not noted or other != more:
            both = noted + more
            self._sums.put(id(noted), (noted, more, both))
        return both

    def _with_those_before(self, reader: Hashable, exchange: Exchange, response: Response, equal: _Equal) -> Noted:
        """Return what is said of an answer by itself, and together with those before it of the same reader."""
        if not equal.shows_queue or not equal.body.reading.summary.is_object:
            return equal.noted
        window = self._readers.get_or_make(reader, _Reader)
        digest, stood_still = equal.body.digest, (equal.body.digest,) * WINDOW
        if window.digests != stood_still:  # else those that are there serve as well
            read = remembered(exchange, response, equal.body.reading.summary)
            window.reads = (*window.reads, read)[-WINDOW:]
            window.digests = (*window.digests, digest)[-WINDOW:]
            window.still = None
            self._readers.put(reader, window)
        run = (equal.number, window.digests)
        said = self._runs.get_or_make(run, lambda: equal.noted + self._compare(window.reads, equal.body.reading))
        if window.digests == stood_still:
            window.still, window.said = equal.number, said
        return said

    def _equal(self, reader: Hashable, exchange: Exchange, response: Response) -> _Equal:
        """Return what is said of an answer by itself: most often it is one more of the last ones, of anybody's."""
        last, newest, head = self._last.get(reader), self._newest, self._head(exchange, response)
        if last is not None and last.body.reading.content == response.content and last.head == head:
            return last
        if newest is None or newest.body.reading.content != response.content or newest.head != head:
            newest = self._newest = self._looked_up(exchange, response, head)
        self._last.put(reader, newest)
        return newest

    def _head(self, exchange: Exchange, response: Response) -> _Head:
        fields = tuple([field for field in response.headers if field[0].lower() in self._fields])
        return _head(exchange, response, fields, dated=_is_dated(response))

    def _looked_up(self, exchange: Exchange, response: Response, head: _Head) -> _Equal:
        digest = hashlib.blake2b(response.content, digest_size=16).digest()
        body = self._bodies.get_or_make(digest, lambda: self._read(digest, response.content))
        known = len(self._fields)
        equal = self._equals.get_or_make((head, digest), lambda: self._ask(exchange, response, head, body))
        if known == len(self._fields):
            return equal
        for memory in (self._equals, self._alike, self._heads):  # somebody looked at a field as nobody had before
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

    def _ask(self, exchange: Exchange, response: Response, head: _Head, body: _Body) -> _Equal:
        answer = Answer(exchange, response, body.reading)
        alike = self._heads.get_or_make(head, lambda: self._ask_of_head(answer))
        if body.proven is not None and answer.shows_queue:
            of_head = alike
            alike = self._alike.get_or_make((head, body.proven), lambda: self._ask_of_proven(answer, of_head))
        noted, others = _as_far_as_shown(alike.others, subjects, without_other_fields(answer, self._fields))
        body.reading.forget()
        noted = alike.noted + noted + (body.noted if answer.shows_queue else NOTHING)
        number, dated = next(self._numbers), _is_dated(response)
        return _Equal(number, response.headers, head, body, answer.shows_queue, noted, others, dated)

    def _ask_of_head(self, answer: Answer) -> _Alike:
        """Ask what can be asked without the body: which clauses want to see it, shows when they do."""
        clauses = [clause for clause in self._of_answer if clause.speaks_of(answer.request)]
        noted, others = _as_far_as_shown(clauses, _whole, without_body(answer, self._fields))
        return _Alike(noted + _noted((clause, lambda: (False, accountable(answer))) for clause in self._steady), others)

    def _ask_of_proven(self, answer: Answer, of_head: _Alike) -> _Alike:
        """Ask what can be asked of a head and the remaining jobs of a body: equal for all equal bodies."""
        declared = [clause for clause in of_head.others if clause.fast is not None]
        noted, others = _as_far_as_shown(declared, subjects, without_body(answer, self._fields, answer.reading))
        return _Alike(of_head.noted + noted, [c for c in of_head.others if c.fast is None or c in others])

    def _seen(self, look: Callable[[Raw], Inspection], element: Raw) -> Inspection:
        """Return what is seen of an element of a list: each is looked at once."""
        text = bytes(element)
        return self._jobs.get_or_make(text, lambda: self._look(look, text))

    def _look(self, look: Callable[[Raw], Inspection], text: bytes) -> Inspection:
        seen = look(Raw(text))
        if seen.remaining is None:
            seen.facts(self._demand.read_as).settle(self._digests.get_or_make)
        return seen

    def _read(self, digest: bytes, content: bytes) -> _Body:
        reading = FastReading(content, self._demand, recall=self._seen)
        proven = reading.proven
        if proven is None:
            noted = self._ask_declared(reading)
            reading.summary.settle(self._digests.get_or_make)
        else:
            noted = self._proven.get_or_make(proven, lambda: self._ask_declared(reading))
        noted += _noted((clause, partial(_of_body, clause, reading)) for clause in self._of_body)
        return _Body(reading, digest, noted, proven)

    def _ask_declared(self, reading: Reading) -> Noted:
        return _noted((clause, partial(_of_body, clause, reading)) for clause in self._declared)

    def _compare(self, before: Sequence[Answer], reading: Reading) -> Noted:
        """Return what a read says together with the ones before it of the same reader.

        Of the last read the whole body can be seen: a hint may depend on more of it than its summary.
        """
        reads = [*before[:-1], replace(before[-1], reading=reading)]
        return _noted([(clause, partial(_charged, clause, reads)) for clause in self._between])


_Asked = tuple[bool, Iterable[Any]]
"""Whether what is proven exercises a clause already, and the subjects that it has still to be asked of."""


def _whole(clause: Clause, answer: Answer) -> _Asked:
    assert clause.over is not None
    return False, clause.over(answer)


def _of_body(clause: Clause, reading: Reading) -> _Asked:
    assert clause.of_body is not None
    exercised, remaining = reading.remaining(clause.fast, clause.level_in(reading.demand))
    return exercised, clause.of_body(remaining)


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
    return {
        name: Noted((clause.id,), ((clause.id, tuple(told)),) if told else ()) for name, told in found.items()
    }  # fmt: skip


def _is_dated(response: Response) -> bool:
    return bool(response.header("date"))


def _head(exchange: Exchange, response: Response, fields: Headers, *, dated: bool) -> _Head:
    """Return the head of an answer: with our time to the second where the answer has no Date, else to the hour."""
    request, started = exchange.request, exchange.started or 0.0
    moment = int(started // HOUR if dated else started)
    return _Head(request.same, request.body, response.status, fields, response.coding_error, moment)


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
            exercised, remaining = asking()
            for subject in remaining:
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
