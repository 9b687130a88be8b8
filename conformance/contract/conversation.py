"""The data that clauses check: a response, all responses of a run, and the jobs that the run itself submitted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import BOUNDS, NOTHING, Listing, Summary
from conformance.contract.reading.memory import Observation
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, FastPath, Level
from conformance.exchange.model import Exchange, Extent, Operation, Request, Response, Same
from conformance.text.strict_json import Document

OK: Final = 200
FIRST_ERROR: Final = 400
DOCUMENTED: Final = (400, 500)
"""Error statuses that the document describes. The body of any other error cannot break a ``must``."""
REFUSALS: Final = (401, 403)
TOO_MANY: Final = 429
ORIGIN_AWAY: Final = (502, 504, *range(520, 528), 530)
"""Statuses by which a gateway says that the server behind it does not respond. Cloudflare has 520 to 527 and 530."""
NOT_NOW: Final = (408, 425, TOO_MANY, 503, *ORIGIN_AWAY)
"""Statuses that say "not now". A later request may get any other status."""
UNAVAILABLE: Final = (401, 402, 403, 407, *NOT_NOW)
"""Statuses that say nothing about the contract: a refusal, or "not now". A run that sees no others is inconclusive."""
LOOKED_AT: Final = 10_000
"""Jobs of the largest read in which the run's own jobs are followed: a run that writes is for smaller queues."""
NOT_JSON: Final = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/csv")
"""Media types of bodies that are not meant to be JSON. Only the type is wrong."""


@dataclass(frozen=True)
class Answer:
    """A request and its response."""

    exchange: Exchange
    response: Response
    reading: Reading

    @property
    def request(self) -> Request:
        """The request."""
        return self.exchange.request

    @property
    def document(self) -> Document:
        """The body parsed as JSON."""
        return self.reading.document

    @property
    def summary(self) -> Summary:
        """The summary of the body."""
        return self.reading.summary

    @property
    def served(self) -> bool:
        """Whether this is a read that got a 200."""
        return self.request.reads and self.response.status == OK

    @cached_property
    def shows_queue(self) -> bool:
        """Whether this is a read that got a 200 and whose whole body is known. Every clause about bodies applies."""
        return self.served and self.response.whole

    @property
    def shows_part(self) -> bool:
        """Whether this is a read that got a 200, but only some of its jobs are known. Clauses about jobs apply."""
        return self.served and self.response.extent is Extent.CUT and self.document.read

    @property
    def observations(self) -> Listing:
        """The listed jobs by prompt id."""
        return self.summary.observations if self.shows_queue else NOTHING.once

    def remaining(self, fast: FastPath | None, level: Level | None) -> tuple[bool, Answer]:
        """Return whether the proven part of the body exercises a clause, and the part that is still to be checked.

        ``fast`` is the clause's own declaration. ``level`` is its level under the dialect of the reading.
        """
        if not self.shows_queue:
            return False, self
        exercised, reading = self.reading.remaining(fast, level)
        return exercised, self if reading is self.reading else Answer(self.exchange, self.response, reading)

    def precedes(self, other: Answer) -> bool:
        """Whether this response was complete before the other request was sent. False if the times are unknown."""
        mine, theirs = self.exchange, other.exchange
        if mine.started is None or mine.elapsed is None or theirs.started is None:
            return False
        return mine.started + mine.elapsed <= theirs.started


@dataclass(frozen=True)
class Conversation:
    """All responses of a run, in the order of their requests.

    Clauses about a run use statuses, headers and the summary of bodies, but never the value of a body:
    forty large ones would not fit into memory together.
    """

    answers: Sequence[Answer]
    unanswered: Sequence[Exchange] = ()
    """The exchanges without a response."""

    @cached_property
    def shown(self) -> Sequence[Answer]:
        """The responses that show the queue as an object."""
        return [answer for answer in self.answers if answer.shows_queue and answer.summary.is_object]

    @cached_property
    def reads(self) -> Sequence[Answer]:
        """Those with few enough jobs to be compared with one another."""
        return [answer for answer in self.shown if answer.summary.compared]

    @cached_property
    def uncompared(self) -> str | None:
        """Which reads are not compared with others, in words. None if all are."""
        left_out = len(self.shown) - len(self.reads)
        return f"{left_out} of {len(self.shown)} reads list {BOUNDS}: not compared" if left_out else None

    @cached_property
    def unlooked(self) -> str | None:
        """Which reads are not compared with the run's own jobs, in words. None if all are."""
        left_out = sum(answer.request.usual and not _is_looked_at(answer) for answer in self.shown)
        told = f"{left_out} of {len(self.shown)} reads list more than {LOOKED_AT:,} jobs: not compared"
        return told if left_out else None

    @cached_property
    def history(self) -> JobHistory:
        """What happened to the run's own jobs, if it submitted any."""
        return JobHistory(self)

    @cached_property
    def served(self) -> bool:
        """Whether any plain read got a 200. Some clauses apply only to a server that serves the queue."""
        return any(answer.request.plain and answer.response.status == OK for answer in self.answers)

    @cached_property
    def codings(self) -> frozenset[str | None]:
        """The Accept-Encoding of reads that got a 200."""
        return frozenset(answer.request.members("accept-encoding") for answer in self.answers if answer.served)

    @cached_property
    def by_manner(self) -> Sequence[Sequence[Answer]]:
        """The reads grouped by Accept and User-Agent, without those that have a query or another special header."""
        groups: dict[tuple[str | None, str | None], list[Answer]] = {}
        for answer in self.answers:
            request = answer.request
            proper = request.reads and request.bare and not request.special
            if proper and answer.response.head and answer.response.status not in NOT_NOW:
                groups.setdefault((request.members("accept"), request.header("user-agent")), []).append(answer)
        return list(groups.values())

    @cached_property
    def by_request(self) -> Sequence[Sequence[Answer]]:
        """The reads grouped by identical requests, without "not now".

        A request that was sent only once and failed is left out, because its failure may be chance.
        """
        groups: dict[Same, list[Answer]] = {}
        for answer in self.answers:
            if answer.request.reads and answer.response.head and answer.response.status not in NOT_NOW:
                groups.setdefault(answer.request.same, []).append(answer)
        return [group for group in groups.values() if len(group) > 1 or group[0].response.status == OK]

    @cached_property
    def successions(self) -> Sequence[tuple[Answer, Answer]]:
        """Consecutive reads, if the first was complete before the second began."""
        return [(a, b) for a, b in zip(self.reads, self.reads[1:], strict=False) if a.precedes(b)]


# --- selectors: of one answer, over its head and body -----------------------------------------


def json_texts(answer: Answer) -> Iterator[Answer]:
    """Bodies that must be JSON: of a 200 to a read, and of a documented error with a JSON Content-Type."""
    if answer.shows_queue or (answer.response.status in DOCUMENTED and _is_labelled_error(answer)):
        other_format = answer.response.media_type in NOT_JSON and not answer.document.read
        if answer.response.coding_error is None and not other_format:
            yield answer


def other_json_texts(answer: Answer) -> Iterator[Answer]:
    """Bodies with a JSON Content-Type of errors that the document does not describe."""
    if answer.response.status not in DOCUMENTED and _is_labelled_error(answer) and answer.response.coding_error is None:
        yield answer


def labelled_texts(answer: Answer) -> Iterator[Answer]:
    """Both of these."""
    yield from json_texts(answer)
    yield from other_json_texts(answer)


def _is_labelled_error(answer: Answer) -> bool:
    response = answer.response
    labelled = response.status >= FIRST_ERROR and response.media_type == "application/json"
    return labelled and response.whole and bool(response.size) and answer.request.method == "GET"


def read_texts(answer: Answer) -> Iterator[Answer]:
    """JSON bodies that could be parsed."""
    return (text for text in json_texts(answer) if text.document.read)


def read_parts(answer: Answer) -> Iterator[Answer]:
    """JSON bodies that could be parsed, and the whole jobs of a body that a recorder cut off."""
    yield from read_texts(answer)
    if answer.shows_part:
        yield answer


def labelled_parts(answer: Answer) -> Iterator[Answer]:
    """The same, and other errors with a JSON Content-Type that could be parsed."""
    yield from read_parts(answer)
    yield from (text for text in other_json_texts(answer) if text.document.read)


def sent_texts(answer: Answer) -> Iterator[Answer]:
    """JSON bodies whose exact bytes are known."""
    return (text for text in json_texts(answer) if text.response.verbatim)


ENDED: Final = ("completed", "failed", "cancelled")
ALIVE: Final = ("pending", "in_progress")


def began(answer: Answer) -> float:
    """Return when the request was sent, in seconds since the Unix epoch."""
    return answer.exchange.started or 0.0


def ended(answer: Answer) -> float:
    """Return when the response was complete, in seconds since the Unix epoch."""
    return began(answer) + (answer.exchange.elapsed or 0.0)


@dataclass(frozen=True)
class Submission:
    """An accepted prompt. ``prompt_id`` is as in the response, ``id`` in lower case."""

    answer: Answer
    sent: dict[str, Any]
    prompt_id: str

    @cached_property
    def id(self) -> str:
        """The id in lower case, by which jobs are compared."""
        return self.prompt_id.lower()

    @property
    def prioritised(self) -> bool:
        """Whether the request has ``number`` or ``front``."""
        return "number" in self.sent or "front" in self.sent

    @cached_property
    def workflow(self) -> object:
        """The digest of the workflow, as in an observation of the job."""
        return digest_of(self.sent.get("prompt"))

    def before(self, other: Submission) -> bool:
        """Whether this prompt was accepted before the other was sent."""
        return self.answer.precedes(other.answer)


def submitted_twice(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Return the ids, in lower case, that a run submitted for a second job and that the server accepted."""
    found: set[str] = set()
    for exchange in exchanges:
        request, response = exchange.request, exchange.response
        if request.operation is Operation.SUBMIT and response is not None and response.status == OK:
            named = _object(request.body).get("prompt_id")
            told = _object(response.content).get("prompt_id")
            if isinstance(named, str) and isinstance(told, str) and named.lower() == told.lower():
                found.add(named.lower())
    return frozenset(found)


def digest_of(workflow: object) -> object:
    """Return the digest in an observation of a job with this workflow."""
    body = json.dumps({"queue_pending": [[1, "x", workflow, [], {}]]}, default=repr).encode()
    found = Reading(body, AS_THE_DOCUMENT_SAYS).summary.observations["x"].workflow
    return None if found is None else found.value


@dataclass(frozen=True)
class Look:
    """A plain read that showed the queue. Ids are in lower case. A job that is listed twice is only in ``ids``."""

    answer: Answer

    @cached_property
    def ids(self) -> frozenset[str]:
        """All listed ids."""
        return frozenset(name.lower() for name in self.answer.summary.ids)

    @cached_property
    def jobs(self) -> Mapping[str, Observation]:
        """The jobs that are listed once, in the order of the lists, running before pending."""
        return {name.lower(): seen for name, seen in self.answer.observations.items()}

    @cached_property
    def pending(self) -> list[str]:
        """The ids of pending jobs, in order."""
        return [name for name, seen in self.jobs.items() if seen.pending]

    @cached_property
    def running(self) -> frozenset[str]:
        """The ids of running jobs."""
        return frozenset(name for name, seen in self.jobs.items() if not seen.pending)

    def twice(self, name: str) -> bool:
        """Whether an id is listed more than once."""
        return name in self.ids and name not in self.jobs


def _is_looked_at(answer: Answer) -> bool:
    return answer.summary.compared and answer.summary.jobs <= LOOKED_AT


class Write(NamedTuple):
    """A request that may change the queue, and its response. ``asked`` is the body of the request, if an object."""

    answer: Answer
    asked: dict[str, Any]
    operation: Operation

    @property
    def deleted(self) -> frozenset[str]:
        """The ids in lower case that the request asks to delete."""
        named = self.asked.get("delete")
        return frozenset(str(name).lower() for name in named) if isinstance(named, list) else frozenset()


class Roll(NamedTuple):
    """A response of the list of jobs: a status by id in lower case. ``whole`` is False if there are more pages."""

    answer: Answer
    statuses: Mapping[str, str]
    whole: bool


class JobHistory:
    """What happened to the run's own jobs."""

    def __init__(self, conversation: Conversation) -> None:
        self._answers = conversation.answers
        self._reads = conversation.reads

    @cached_property
    def prompts(self) -> list[tuple[Answer, dict[str, Any]]]:
        """Every submission that got a response, with the body of its request."""
        return [(answer, _object(answer.request.body)) for answer in self._of(Operation.SUBMIT)]

    @cached_property
    def submissions(self) -> list[Submission]:
        """The accepted prompts in order, without ids that the run submitted twice: such an id belongs to two jobs."""
        twice = submitted_twice(answer.exchange for answer, _ in self.prompts)
        return [found for found in self.accepted if found.id not in twice]

    @cached_property
    def accepted(self) -> list[Submission]:
        """All accepted prompts in order. If the server gave out an id twice, only the first prompt with it."""
        found: dict[str, Submission] = {}
        for answer, sent in self.prompts:
            named = _object(answer.response.content).get("prompt_id") if answer.response.status == OK else None
            if isinstance(named, str):
                found.setdefault(named.lower(), Submission(answer, sent, named))
        return list(found.values())

    @cached_property
    def looks(self) -> list[Look]:
        """The plain reads that showed the queue, in order."""
        usual = (answer for answer in self._reads if answer.request.usual and _is_looked_at(answer))
        return [Look(answer) for answer in usual] if self.prompts else []

    @cached_property
    def writes(self) -> list[Write]:
        """Requests to delete, clear, interrupt and cancel, including those that should not change anything."""
        asked = (Operation.MANAGE, Operation.INTERRUPT, Operation.CANCEL)
        return [
            Write(answer, _object(answer.request.body), operation)
            for answer in self._answers
            if (operation := answer.request.operation) in asked and operation is not None
        ]

    @cached_property
    def rolls(self) -> list[Roll]:
        """All usable responses of the list of jobs."""
        return [roll for answer in self._of(Operation.JOBS) if (roll := _roll(answer)) is not None]

    def _of(self, operation: Operation) -> Iterator[Answer]:
        return (answer for answer in self._answers if answer.request.operation is operation)

    def counts(self) -> Iterator[tuple[Answer, int]]:
        """Yield each response that says how many jobs remain, with the number."""
        for answer in self._of(Operation.COUNT):
            info = _object(answer.response.content).get("exec_info") if answer.response.status == OK else None
            number = info.get("queue_remaining") if isinstance(info, dict) else None
            if isinstance(number, int) and not isinstance(number, bool):
                yield answer, number

    def before(self, answer: Answer) -> list[Look]:
        """Return the reads that were complete before a request was sent."""
        return [look for look in self.looks if look.answer.precedes(answer)]

    def after(self, answer: Answer) -> list[Look]:
        """Return the reads that began after the response was complete."""
        return [look for look in self.looks if answer.precedes(look.answer)]

    def around(self, answer: Answer) -> tuple[Look, Look] | None:
        """Return the reads before and after a response, if both list the same jobs in the same lists."""
        before, after = self.before(answer)[-1:], self.after(answer)[:1]
        if not before or not after:
            return None
        still = before[0].pending == after[0].pending and before[0].running == after[0].running
        return (before[0], after[0]) if still and before[0].ids == after[0].ids else None

    def status_of(self, name: str) -> str | None:
        """Return the last status that the list of jobs gave for a job."""
        return next((roll.statuses[name] for roll in reversed(self.rolls) if name in roll.statuses), None)

    def vanished(self, write: Write) -> Iterator[tuple[Look, str]]:
        """Yield own jobs that a write removed by mistake, with the read that no longer lists them.

        A pending job that disappears may have run in between. It did not run if the list of jobs says so, if a job
        that was
        submitted before it is still pending, or if the same jobs ran all the time.
        """
        before, after = self.before(write.answer), self.after(write.answer)
        if not before or len(after) < 2 or self._others_between(before[-1], write, after[0]):
            return
        steady = {look.running for look in (*before[-2:], *after[:2])}
        still = len(before) > 1 and len(steady) == 1 and bool(after[0].running)
        own = [found.id for found in self.submissions]
        for place, name in enumerate(own):
            gone = name in before[-1].pending and not any(name in look.ids for look in after)
            if not gone or name in write.deleted:
                continue
            overtaken = any(older in before[-1].pending and older in after[0].pending for older in own[:place])
            status = self.status_of(name)
            if status == "cancelled" or ((overtaken or still) and status not in {"completed", "failed"}):
                yield after[0], name

    def _others_between(self, before: Look, write: Write, after: Look) -> bool:
        """Whether another write may have removed the job."""
        others = (other.answer for other in self.writes if other is not write)
        return any(before.answer.precedes(other) and other.precedes(after.answer) for other in others)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _roll(answer: Answer) -> Roll | None:
    found = _object(answer.response.content) if answer.response.status == OK else {}
    jobs = found.get("jobs")
    if not isinstance(jobs, list):
        return None
    statuses = {str(job.get("id")).lower(): str(job.get("status")) for job in jobs if isinstance(job, dict)}
    pages = found.get("pagination")
    return Roll(answer, statuses, whole=not (isinstance(pages, dict) and pages.get("has_more") is True))
