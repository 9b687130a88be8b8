"""Judge an endless stream of responses as they arrive, with bounded memory. Does no I/O.

Under load most responses are equal, or differ only in header fields that no clause reads, and so have the same
findings. Each body is parsed once, and each job is inspected once even if many bodies contain it. For a new response,
only its new parts are judged. ``bare`` shows which parts a clause reads; its result does not depend on any other.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from msgspec import Raw

from conformance.contract.ask import ClauseSubjects, subjects, subjects_of_parts
from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.clauses.status import accountable
from conformance.contract.clauses.status import every_read_is_answered_200 as STEADY  # noqa: N812 - a clause is a constant
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.fast_job import Inspection
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.contract.reading.large import LargeReading
from conformance.contract.terms import Demand
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange, Response, Same
from conformance.load.bare import HiddenPartRead, parts_to_compare, without_body, without_other_fields
from conformance.load.recent import Recent
from conformance.load.response_result import NOTHING, ResponseResult, Selected, result_of, results_across
from conformance.text.json_bytes import LARGE

EQUALS: Final = 1024
"""How many results are cached that similar responses share."""
BODIES: Final = 32 << 20
"""Maximum total size in bytes of the cached bodies with their findings. The same limit applies to the cached jobs."""
HOUR: Final = 3600.0
"""A Date is compared with this machine's clock again after this many seconds, even if the response is otherwise
unchanged.
"""
ROOM: Final = 4096
"""Size in bytes that a cached body or job takes in addition to its text, for the Python objects that it consists of."""
WINDOW: Final = 3
"""How many successive responses to one user are compared. Three show a job that is missing only in the second."""
JOBS: Final = 200_000
"""Maximum number of jobs, over all users, that are kept to compare successive responses. Each takes half a kilobyte."""
BETWEEN: Final = {"reads.job-data": 1, "reads.order": 1, "reads.steady": 2}
"""Clauses about successive responses to one user that hold even if others use the queue at the same time.

The value says which response gets the finding, counted from the end: a job that is missing in one response shows in the
next one.
"""


class _SharedResult(NamedTuple):
    """The result that similar responses share, and the other clauses, which must be checked for each response."""

    result: ResponseResult
    others: Sequence[Clause]


class _Head(NamedTuple):
    """All that can affect findings except the response body: parts of the request, status, header fields and the time.

    ``fields`` has only the header fields that a clause reads, because many servers send a unique id with each response.
    ``moment`` is the time of this machine, rounded.
    """

    same: Same
    body: bytes
    status: int
    fields: Headers
    coding_error: str | None
    echoes: tuple[str, ...]
    moment: int


class _Equal(NamedTuple):
    """Responses that differ at most in header fields which only the clauses ``others`` read, and their common result.

    Those clauses are checked for each response. The result does not include clauses that compare a response with
    earlier ones.
    """

    number: int
    head: _Head
    reading: Reading
    digest: bytes
    shows_queue: bool
    result: ResponseResult
    others: Sequence[Clause]

    @property
    def room(self) -> int:
        """The size of this entry in bytes."""
        return len(self.reading.content) + ROOM


@dataclass
class _Reader:
    """The last responses to one user, reduced to what is compared, and digests of their bodies.

    While the queue does not change, ``unchanged`` is the ``number`` of the equal responses, and ``repeated`` their
    result.
    """

    reads: tuple[Answer, ...] = ()
    digests: tuple[bytes, ...] = ()
    unchanged: int | None = None
    repeated: ResponseResult = NOTHING

    @property
    def jobs(self) -> int:
        return 1 + sum([len(answer.summary.observations) for answer in self.reads])


class Stream:
    """Judges responses by the clauses of one dialect. Each process has one stream. Not thread-safe."""

    def __init__(self, demand: Demand) -> None:
        applicable = [clause for clause in CATALOGUE if clause.level_in(demand) is not None]
        self._demand = demand
        of_body = [clause for clause in applicable if clause.of_body is not None]
        self._declared = [clause for clause in of_body if clause.fast is not None]
        self._of_body = [clause for clause in of_body if clause.fast is None]
        self._of_answer = [clause for clause in applicable if clause.over is not None and clause.of_body is None]
        self._between = [BY_ID[name] for name in BETWEEN if BY_ID[name] in applicable]
        self._steady = [STEADY] if STEADY in applicable else []
        self._of_jobs = [clause for clause in applicable if clause.across is not None and clause.subject == "lifecycle"]
        self._numbers = itertools.count()
        self._newest: _Equal | None = None
        self._sum = (NOTHING, NOTHING, NOTHING)
        """The last two results that were added, and their sum. If the same two are added again, the sum is the same
        object, which is faster to count.
        """
        self._fields: set[str] = set()
        """The names, in lower case, of all header fields that a clause has read."""
        self._readers: Recent[Hashable, _Reader] = Recent(JOBS, lambda reader: reader.jobs)
        # Three caches. Locust itself needs about 140 microseconds for a request, and judging may need a seventh of it
        # (benchmarks/load.py). Without _equals, alternating responses are judged again each time, such as those of a
        # server that sheds load. Without _alike or _jobs, a new 3 kB body takes 600 to 800 microseconds instead of
        # 250. Without _jobs, a new 30 kB body takes 5 milliseconds instead of half of one.
        self._equals: Recent[Hashable, _Equal] = Recent(BODIES, lambda equal: equal.room)
        self._alike: Recent[Hashable, _SharedResult] = Recent(EQUALS)
        self._jobs: Recent[bytes, Inspection] = Recent(BODIES, lambda seen: seen.size + ROOM)
        self._digests: Recent[bytes, bytes] = Recent(JOBS)

    def judge(self, reader: Hashable, exchange: Exchange) -> ResponseResult:
        """Return the result of all clauses for a response. ``reader`` identifies the user who sent the request.

        An exchange without a response exercises no clause.
        """
        response = exchange.response
        if response is None:
            return NOTHING
        equal, window = self._equal(exchange, response), self._readers.get(reader)
        if window is not None and window.unchanged == equal.number:
            result = window.repeated
        else:
            result = self._with_previous(reader, exchange, response, equal)
        return self._with_all_fields(result, exchange, response, equal) if equal.others else result

    def _with_all_fields(
        self, result: ResponseResult, exchange: Exchange, response: Response, equal: _Equal
    ) -> ResponseResult:
        """Add to a result the findings of the clauses that read all header fields."""
        answer = Answer(exchange, response, equal.reading)
        more = result_of((clause, partial(subjects, clause, answer)) for clause in equal.others)
        equal.reading.forget()
        one, other, _ = self._sum
        if one is not result or other != more:
            self._sum = (result, more, result + more)
        return self._sum[2]

    def _with_previous(self, reader: Hashable, exchange: Exchange, response: Response, equal: _Equal) -> ResponseResult:
        """Return the result for a response, including clauses that compare it with earlier responses to the user."""
        if not equal.shows_queue or not equal.reading.summary.is_object:
            return equal.result
        window = self._readers.get_or_make(reader, _Reader)
        digest, unchanged_digests = equal.digest, (equal.digest,) * WINDOW
        if window.digests != unchanged_digests:  # otherwise the stored ones are equal
            read = parts_to_compare(exchange, response, equal.reading.summary)
            window.reads = (*window.reads, read)[-WINDOW:]
            window.digests = (*window.digests, digest)[-WINDOW:]
            window.unchanged = None
            self._readers.put(reader, window)
        # A clause may look at the whole body of the newest read.
        result = equal.result + self._compare((*window.reads[:-1], Answer(exchange, response, equal.reading)))
        equal.reading.forget()
        if window.digests == unchanged_digests:
            window.unchanged, window.repeated = equal.number, result
        return result

    def _equal(self, exchange: Exchange, response: Response) -> _Equal:
        """Return the result for a response, without the clauses that compare it with previous ones.

        Usually the response equals the previous one, which is looked at first.
        """
        newest, head = self._newest, self._head(exchange, response)
        if newest is None or newest.head != head or newest.reading.content != response.content:
            newest = self._newest = self._look_up(exchange, response, head)
        return newest

    def _head(self, exchange: Exchange, response: Response) -> _Head:
        """Return what can affect findings except the body.

        The time is rounded to an hour, or to a second if there is no Date.
        """
        fields = tuple([field for field in response.headers if field[0].lower() in self._fields])
        request, started = exchange.request, exchange.started or 0.0
        moment = int(started // HOUR if response.header("date") else started)
        return _Head(
            request.same, request.body, response.status, fields, response.coding_error, response.echoes, moment
        )

    def _look_up(self, exchange: Exchange, response: Response, head: _Head) -> _Equal:
        digest = hashlib.blake2b(response.content, digest_size=16).digest()
        known = len(self._fields)
        equal = self._equals.get_or_make((head, digest), lambda: self._check(exchange, response, head, digest))
        if known == len(self._fields):
            return equal
        for memory in (self._equals, self._alike):  # a clause has read a new header field
            memory.forget()
        return self._look_up(exchange, response, self._head(exchange, response))

    def of_jobs(self, exchanges: Iterable[Exchange]) -> list[tuple[Exchange, ResponseResult]]:
        """Judge how the jobs of a round went through the queue. Returns each exchange that has a result, in order."""
        answers = [
            Answer(exchange, exchange.response, reading_of(exchange.response.content, self._demand))
            for exchange in exchanges
            if exchange.response is not None
        ]
        conversation, results = Conversation(answers), dict[str, ResponseResult]()
        for clause in self._of_jobs:
            for name, result in results_across(clause, conversation).items():
                results[name] = results.get(name, ResponseResult()) + result
        return [(answer.exchange, results[answer.exchange.id]) for answer in answers if answer.exchange.id in results]

    def _check(self, exchange: Exchange, response: Response, head: _Head, digest: bytes) -> _Equal:
        reading = self._reading(response.content)
        answer = Answer(exchange, response, reading)
        proven = reading.proven if answer.shows_queue else None
        alike = self._alike.get_or_make((head, proven), lambda: self._check_shared(answer, proven))
        result, others = _check_visible(alike.others, without_other_fields(answer, self._fields))
        result = alike.result + result
        if answer.shows_queue:
            result += _judged(self._of_body if proven is not None else self._declared + self._of_body, answer)
            result += ResponseResult(unread=reading.summary.unread, uncompared=not reading.summary.compared)
        if reading.proven is None:
            reading.summary.settle(self._digests.get_or_make)
        reading.forget()
        return _Equal(next(self._numbers), head, reading, digest, answer.shows_queue, result, others)

    def _reading(self, content: bytes) -> FastReading | LargeReading:
        if len(content) > LARGE:
            return LargeReading(content, self._demand, shared=Shared(KnownJobs(shared=False)))
        return FastReading(content, self._demand, recall=self._seen)

    def _check_shared(self, answer: Answer, proven: Hashable | None) -> _SharedResult:
        """Check the clauses that need only the header and what the fast path found out about the body (``proven``).

        Responses with the same header and the same ``proven`` share the result. A clause that reads more raises
        HiddenPartRead and is returned in ``others``.
        """
        clauses = [clause for clause in self._of_answer if clause.speaks_of(answer.request.operation)]
        result, others = _check_visible(clauses, without_body(answer, self._fields))
        result += result_of((clause, lambda: (False, accountable(answer))) for clause in self._steady)
        if proven is None:
            return _SharedResult(result, others)
        declared = [clause for clause in others if clause.fast is not None]
        more, wanting = _check_visible(declared, without_body(answer, self._fields, answer.reading))
        result += more + _judged(self._declared, answer)
        return _SharedResult(result, [c for c in others if c.fast is None or c in wanting])

    def _seen(self, look: Callable[[Raw], Inspection], element: Raw) -> Inspection:
        """Return the inspection of a job. Jobs with the same text are inspected only once."""
        text = bytes(element)
        return self._jobs.get_or_make(text, lambda: self._look(look, text))

    def _look(self, look: Callable[[Raw], Inspection], text: bytes) -> Inspection:
        seen = look(Raw(text))
        if seen.remaining is None:
            seen.facts(self._demand.read_as).settle(_digest)
        return seen

    def _compare(self, reads: Sequence[Answer]) -> ResponseResult:
        """Return the result of the clauses that compare a response with the previous ones of the same user."""
        return result_of([(clause, partial(_newest_findings, clause, reads)) for clause in self._between])


def _newest_findings(clause: Clause, reads: Sequence[Answer]) -> Selected:
    """Return the values that a clause must check because of the newest response. Earlier calls returned all others."""
    assert clause.across is not None
    place = BETWEEN[clause.id]
    charged = reads[-place] if len(reads) >= place else None
    conversation = Conversation(reads[-place - 1 :])
    return False, (subject for answer, subject in clause.across(conversation) if answer is charged)


def _digest(_: bytes, make: Callable[[], bytes]) -> bytes:
    """Return a digest without caching it."""
    return make()


def _judged(clauses: Collection[Clause], answer: Answer) -> ResponseResult:
    """Check clauses about bodies on a response. The jobs of a large body come in groups."""
    whole = ((clause, partial(subjects, clause, answer)) for clause in clauses)
    parts = ((each.clause, partial(_selected, each)) for each in subjects_of_parts(clauses, answer))
    return result_of(itertools.chain(whole, parts))


def _selected(each: ClauseSubjects) -> Selected:
    return each.exercised, each.subjects


def _check_visible(clauses: Iterable[Clause], answer: Answer) -> _SharedResult:
    """Check clauses on a response that lacks some parts.

    Clauses that read a missing part are returned as ``others``.
    """
    result, others = NOTHING, []
    for clause in clauses:
        try:
            result += result_of([(clause, partial(subjects, clause, answer))])
        except HiddenPartRead:
            others.append(clause)
    return _SharedResult(result, others)
