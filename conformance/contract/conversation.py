"""The data that clauses check: one response, all responses of a run, and the jobs that the run itself submitted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple

from msgspec import Raw, Struct

from conformance.contract.prompts import json_object, submitted_twice
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import BOUNDS, NOTHING, Listing, Summary
from conformance.contract.reading.memory import Observation, Remembered
from conformance.contract.terms import FastPath, Level
from conformance.exchange.model import Exchange, Extent, Operation, Request, Response, Same
from conformance.text.strict_json import Document

OK: Final = 200
FIRST_ERROR: Final = 400
DOCUMENTED: Final = (400, 500)
"""The error statuses that the OpenAPI document describes. The body of any other error cannot violate a ``must`` clause.
"""
REFUSALS: Final = (401, 403)
TOO_MANY: Final = 429
ORIGIN_AWAY: Final = (502, 504, *range(520, 528), 530)
"""Statuses by which a gateway says that the server behind it does not respond. Cloudflare has 520 to 527 and 530."""
NOT_NOW: Final = (408, 425, TOO_MANY, 503, *ORIGIN_AWAY)
"""Statuses that mean "try again later". They say nothing about the response to a later request."""
UNAVAILABLE: Final = (401, 402, 403, 407, *NOT_NOW)
"""Statuses that refuse access or mean "try again later". A run that gets no other statuses is inconclusive."""
LOOKED_AT: Final = 10_000
"""In a response with more jobs than this, the run's own jobs are not looked for. ``--populate`` is for smaller queues.
"""


class Answer(Struct, frozen=True, dict=True):
    """One request, its response, and the parsed body of the response (``reading``)."""

    exchange: Exchange
    response: Response
    reading: Reading

    @property
    def request(self) -> Request:
        """The request that got this response."""
        return self.exchange.request

    @property
    def document(self) -> Document:
        """The body parsed as JSON."""
        return self.reading.document

    @property
    def summary(self) -> Summary:
        """The facts about the body that are kept when its parsed value is dropped from memory."""
        return self.reading.summary

    @property
    def served(self) -> bool:
        """Whether this is a 200 response to a GET of the queue."""
        return self.request.reads and self.response.status == OK

    @cached_property
    def shows_queue(self) -> bool:
        """Whether this is a 200 response to a GET of the queue whose whole body is known and can be checked."""
        return self.served and self.response.whole

    @property
    def shows_part(self) -> bool:
        """Whether this is a 200 response to a GET of the queue that a recorder cut off.

        The complete jobs in it can be checked.
        """
        return self.served and self.response.extent is Extent.CUT and self.document.read

    @property
    def observations(self) -> Listing:
        """The jobs in the body by prompt id. Empty if this is not a 200 response to a GET of the queue."""
        return self.summary.observations if self.shows_queue else NOTHING.once

    def remaining(self, fast: FastPath | None, level: Level | None) -> tuple[bool, Answer]:
        """Return ``exercised``, and the part of the response that a clause must still check.

        ``exercised`` is True if the clause applies to a job that the fast path already found to conform. ``fast`` says
        what the fast path verifies for the clause. ``level`` is the level of the clause under the dialect of the run,
        or None if the clause is not checked.
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


class Conversation(Struct, frozen=True, dict=True):
    """All responses of a run, in the order of their requests.

    Clauses about a run use statuses, headers and summaries of bodies, but never the parsed value of a body, because the
    values of forty large bodies do not fit into memory together.
    """

    answers: Sequence[Answer]
    unanswered: Sequence[Exchange] = ()
    """The exchanges without a response."""

    @cached_property
    def shown(self) -> Sequence[Answer]:
        """The 200 responses to GETs of the queue whose body is an object."""
        return [answer for answer in self.answers if answer.shows_queue and answer.summary.is_object]

    @cached_property
    def reads(self) -> Sequence[Answer]:
        """The responses in ``shown`` with few enough jobs to be compared with one another."""
        return [answer for answer in self.shown if answer.summary.compared]

    @cached_property
    def uncompared(self) -> str | None:
        """A phrase that says how many GETs of the queue are not compared with one another, or None if all are."""
        left_out = [answer for answer in self.shown if not answer.summary.compared]
        message = f"{len(left_out)} of {len(self.shown)} GETs of the queue list {BOUNDS}: not compared"
        return message if left_out else None

    @cached_property
    def followed(self) -> Sequence[Answer]:
        """The GETs of the queue as a normal client sends them, with few enough jobs to look for the run's own jobs."""
        usual = (answer for answer in self.reads if answer.request.usual)
        return [answer for answer in usual if answer.summary.jobs <= LOOKED_AT]

    @cached_property
    def unlooked(self) -> str | None:
        """A phrase that says in how many GETs of the queue the suite did not look for the run's own jobs, or None."""
        left_out = sum(answer.request.usual for answer in self.shown) - len(self.followed)
        message = f"{left_out} of {len(self.shown)} GETs of the queue list more than {LOOKED_AT:,} jobs: not compared"
        return message if left_out else None

    @cached_property
    def history(self) -> JobHistory:
        """The requests about jobs that the run submitted, and the state of these jobs over time."""
        return JobHistory(self)

    @cached_property
    def served(self) -> bool:
        """Whether a normal GET of the queue got a 200. Some clauses apply only to a server that serves the queue."""
        return any(answer.request.plain and answer.response.status == OK for answer in self.answers)

    @cached_property
    def codings(self) -> frozenset[str | None]:
        """The values of Accept-Encoding of GETs of the queue that got a 200."""
        return frozenset(answer.request.members("accept-encoding") for answer in self.answers if answer.served)

    @cached_property
    def by_manner(self) -> Sequence[Sequence[Answer]]:
        """The GETs of the queue grouped by Accept and User-Agent.

        Requests with a query string or another optional header, and "try again later" responses, are left out.
        """
        groups: dict[tuple[str | None, str | None], list[Answer]] = {}
        for answer in self.answers:
            request = answer.request
            proper = request.reads and request.bare and not request.special
            if proper and answer.response.head and answer.response.status not in NOT_NOW:
                groups.setdefault((request.members("accept"), request.header("user-agent")), []).append(answer)
        return list(groups.values())

    @cached_property
    def by_request(self) -> Sequence[Sequence[Answer]]:
        """The GETs of the queue grouped by identical requests.

        "Try again later" responses, and a request that was sent only once and failed, are left out.
        """
        groups: dict[Same, list[Answer]] = {}
        for answer in self.answers:
            if answer.request.reads and answer.response.head and answer.response.status not in NOT_NOW:
                groups.setdefault(answer.request.same, []).append(answer)
        return without_chance(groups.values())

    @cached_property
    def successions(self) -> Sequence[tuple[Answer, Answer]]:
        """Pairs of consecutive GETs of the queue. The first response was complete before the second request was sent."""
        return [(a, b) for a, b in zip(self.reads, self.reads[1:], strict=False) if a.precedes(b)]


def without_chance(groups: Iterable[list[Answer]]) -> list[list[Answer]]:
    """Leave out each group of a single response that is not a 200, because such a failure may be chance."""
    return [group for group in groups if len(group) >= 2 or any(answer.response.status == OK for answer in group)]


ENDED: Final = ("completed", "failed", "cancelled")
ALIVE: Final = ("pending", "in_progress")


def began(answer: Answer) -> float:
    """Return when the request was sent, in seconds since the Unix epoch."""
    return answer.exchange.started or 0.0


def ended(answer: Answer) -> float:
    """Return when the response was complete, in seconds since the Unix epoch."""
    return began(answer) + (answer.exchange.elapsed or 0.0)


class Submission(Struct, frozen=True, dict=True):
    """A prompt of the run that the server accepted.

    ``sent`` is the body of the request, and ``prompt_id`` the id as it is spelt in the response.
    """

    answer: Answer
    sent: dict[str, Any]
    prompt_id: str

    @cached_property
    def id(self) -> str:
        """The prompt id in lower case, by which jobs are compared."""
        return self.prompt_id.lower()

    @property
    def prioritised(self) -> bool:
        """Whether the request has ``number`` or ``front``, which ask for a place in the queue."""
        return "number" in self.sent or "front" in self.sent

    @cached_property
    def workflow(self) -> object:
        """The digest of the submitted workflow. A listed job with the same workflow has the same digest."""
        return digest_of(self.sent.get("prompt"))

    def before(self, other: Submission) -> bool:
        """Whether this prompt was accepted before the other one was sent."""
        return self.answer.precedes(other.answer)


def digest_of(workflow: object) -> object:
    """Return a digest of a workflow, to compare it with the workflows of listed jobs."""
    return Remembered(text=Raw(json.dumps(workflow, default=repr).encode()))


class QueueRead(Struct, frozen=True, dict=True):
    """A normal GET of the queue whose response has the queue. Ids are in lower case.

    An id listed twice is only in ``ids``.
    """

    answer: Answer

    @cached_property
    def ids(self) -> frozenset[str]:
        """The prompt ids of all jobs in queue_running and queue_pending."""
        return frozenset(name.lower() for name in self.answer.summary.ids)

    @cached_property
    def jobs(self) -> Mapping[str, Observation]:
        """The jobs whose id is listed only once, by id.

        The running jobs come first, and the order is that of the lists.
        """
        return {name.lower(): seen for name, seen in self.answer.observations.items()}

    @cached_property
    def pending(self) -> list[str]:
        """The ids in ``queue_pending``, in order."""
        return [name for name, seen in self.jobs.items() if seen.pending]

    @cached_property
    def running(self) -> frozenset[str]:
        """The ids in ``queue_running``."""
        return frozenset(name for name, seen in self.jobs.items() if not seen.pending)


class Write(NamedTuple):
    """A request to delete, clear, interrupt or cancel jobs, with its response (``answer``).

    ``sent`` is the JSON object in the body of the request, or empty if the body is not an object.
    """

    answer: Answer
    sent: dict[str, Any]
    operation: Operation

    @property
    def deleted(self) -> frozenset[str]:
        """The ids, in lower case, that the request asks to delete."""
        named = self.sent.get("delete")
        return frozenset(str(name).lower() for name in named) if isinstance(named, list) else frozenset()


class JobList(NamedTuple):
    """A response of ``GET /api/jobs``. ``statuses`` has the status of each job by its id in lower case.

    ``whole`` is False if the response is only one of several pages.
    """

    answer: Answer
    statuses: Mapping[str, str]
    whole: bool


class JobHistory:
    """The requests about jobs that the run submitted, and what later responses say about these jobs."""

    def __init__(self, conversation: Conversation) -> None:
        self._answers = conversation.answers
        self._followed = conversation.followed

    @cached_property
    def prompts(self) -> list[tuple[Answer, dict[str, Any]]]:
        """Every response to a submission, with the JSON object in the body of the request."""
        return [(answer, json_object(answer.request.body)) for answer in self._of(Operation.SUBMIT)]

    @cached_property
    def submissions(self) -> list[Submission]:
        """The jobs that the server accepted, in the order of submission, without those whose id the run itself chose."""
        twice = submitted_twice(answer.exchange for answer, _ in self.prompts)
        return [found for found in self.accepted if found.id not in twice]

    @cached_property
    def accepted(self) -> list[Submission]:
        """All accepted prompts in order. If the server gave two prompts the same id, only the first is included."""
        found: dict[str, Submission] = {}
        for answer, sent in self.prompts:
            named = json_object(answer.response.content).get("prompt_id") if answer.response.status == OK else None
            if isinstance(named, str):
                found.setdefault(named.lower(), Submission(answer, sent, named))
        return list(found.values())

    @cached_property
    def queue_reads(self) -> list[QueueRead]:
        """The GETs of the queue as a normal client sends them, in order. Empty if the run submitted no job."""
        return [QueueRead(answer) for answer in self._followed] if self.prompts else []

    @cached_property
    def writes(self) -> list[Write]:
        """The requests to delete, clear, interrupt and cancel jobs, also those that should have no effect."""
        removing = (Operation.MANAGE, Operation.INTERRUPT, Operation.CANCEL)
        return [
            Write(answer, json_object(answer.request.body), operation)
            for answer in self._answers
            if (operation := answer.request.operation) in removing and operation is not None
        ]

    @cached_property
    def job_lists(self) -> list[JobList]:
        """The responses of ``GET /api/jobs`` that have a list of jobs."""
        return [job_list for answer in self._of(Operation.JOBS) if (job_list := _job_list(answer)) is not None]

    def _of(self, operation: Operation) -> Iterator[Answer]:
        return (answer for answer in self._answers if answer.request.operation is operation)

    def counts(self) -> Iterator[tuple[Answer, int]]:
        """Yield each response of ``GET /api/prompt`` that has ``queue_remaining``, with that number."""
        for answer in self._of(Operation.COUNT):
            info = json_object(answer.response.content).get("exec_info") if answer.response.status == OK else None
            number = info.get("queue_remaining") if isinstance(info, dict) else None
            if isinstance(number, int) and not isinstance(number, bool):
                yield answer, number

    def before(self, answer: Answer) -> list[QueueRead]:
        """Return the GETs of the queue whose responses were complete before the request of ``answer`` was sent."""
        return [read for read in self.queue_reads if read.answer.precedes(answer)]

    def after(self, answer: Answer) -> list[QueueRead]:
        """Return the GETs of the queue that were sent after the response ``answer`` was complete."""
        return [read for read in self.queue_reads if answer.precedes(read.answer)]

    def around(self, answer: Answer) -> tuple[QueueRead, QueueRead] | None:
        """Return the last GET of the queue before a response and the first after it.

        None if one of them is missing, or if they list different jobs.
        """
        before, after = self.before(answer), self.after(answer)
        if not before or not after:
            return None
        one, other = before[-1], after[0]
        still = one.pending == other.pending and one.running == other.running and one.ids == other.ids
        return (one, other) if still else None

    def status_of(self, name: str) -> str | None:
        """Return the last status of a job in a response of ``GET /api/jobs``, or None if no response has the job."""
        found = (job_list.statuses for job_list in reversed(self.job_lists))
        return next((statuses[name] for statuses in found if name in statuses), None)


def _job_list(answer: Answer) -> JobList | None:
    found = json_object(answer.response.content) if answer.response.status == OK else {}
    jobs = found.get("jobs")
    if not isinstance(jobs, list):
        return None
    statuses = {str(job.get("id")).lower(): str(job.get("status")) for job in jobs if isinstance(job, dict)}
    pages = found.get("pagination")
    return JobList(answer, statuses, whole=not (isinstance(pages, dict) and pages.get("has_more") is True))
