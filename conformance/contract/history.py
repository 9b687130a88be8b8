"""What a run that writes saw of its own jobs: which were submitted, where each look found them, what was asked of them.

Only the run's own jobs are looked at. Others come and go as they like, and accuse nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from conformance.contract.answer import OK, Answer, Conversation
from conformance.contract.reading import REMEMBERED, Reading, Sighting
from conformance.dialect import AS_THE_DOCUMENT_SAYS
from conformance.exchange import Exchange, Operation

ENDED: Final = ("completed", "failed", "cancelled")
ALIVE: Final = ("pending", "in_progress")


def began(answer: Answer) -> float:
    """Return when a request was sent, in seconds since the Unix epoch."""
    return answer.exchange.started or 0.0


def ended(answer: Answer) -> float:
    """Return when its answer was whole."""
    return began(answer) + (answer.exchange.elapsed or 0.0)


@dataclass(frozen=True)
class Submission:
    """A prompt that was taken. ``prompt_id`` is as the answer has it, ``id`` in lower case."""

    answer: Answer
    sent: dict[str, Any]
    prompt_id: str

    @cached_property
    def id(self) -> str:
        """The id by which jobs are told apart."""
        return self.prompt_id.lower()

    @property
    def prioritised(self) -> bool:
        """Whether ``number`` or ``front`` was sent."""
        return "number" in self.sent or "front" in self.sent

    @cached_property
    def workflow(self) -> object:
        """The digest of the workflow, as a sighting of the job has it."""
        return digest_of(self.sent.get("prompt"))

    def before(self, other: Submission) -> bool:
        """Whether this prompt was taken before the other was sent."""
        return self.answer.precedes(other.answer)


def submitted_twice(exchanges: Iterable[Exchange]) -> frozenset[str]:
    """Return the ids, in lower case, that a run submitted for a second job, and that the server took."""
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
    """Return the digest that a sighting of a job with this workflow has."""
    body = json.dumps({"queue_pending": [[1, "x", workflow, [], {}]]}, default=repr).encode()
    found = Reading(body, AS_THE_DOCUMENT_SAYS).gist.sightings["x"].workflow
    return None if found is None else found.value


@dataclass(frozen=True)
class Look:
    """A plain read that showed the queue, by ids in lower case. What is listed twice is in ``ids`` alone."""

    answer: Answer

    @cached_property
    def ids(self) -> frozenset[str]:
        """Every id that is listed."""
        return frozenset(name.lower() for name in self.answer.gist.ids)

    @cached_property
    def jobs(self) -> Mapping[str, Sighting]:
        """The jobs that are listed once, in the order of the lists, running before pending."""
        return {name.lower(): seen for name, seen in self.answer.sightings.items()}

    @cached_property
    def pending(self) -> list[str]:
        """The ids that wait, in their order."""
        return [name for name, seen in self.jobs.items() if seen.pending]

    @cached_property
    def running(self) -> frozenset[str]:
        """The ids that run."""
        return frozenset(name for name, seen in self.jobs.items() if not seen.pending)

    def twice(self, name: str) -> bool:
        """Whether an id is listed more than once."""
        return name in self.ids and name not in self.jobs and self.answer.gist.jobs <= REMEMBERED


class Write(NamedTuple):
    """A request that changes the queue, or might, and its answer. ``asked`` is its body, where that is an object."""

    answer: Answer
    asked: dict[str, Any]
    operation: Operation

    @property
    def deleted(self) -> frozenset[str]:
        """The ids that it names to be deleted, in lower case."""
        named = self.asked.get("delete")
        return frozenset(str(name).lower() for name in named) if isinstance(named, list) else frozenset()


class Roll(NamedTuple):
    """An answer of the list of jobs: ids in lower case with their statuses. ``whole`` is False where it has more."""

    answer: Answer
    statuses: Mapping[str, str]
    whole: bool


class History:
    """What happened to the run's own jobs."""

    def __init__(self, conversation: Conversation) -> None:
        self._answers = conversation.answers
        self._reads = conversation.reads

    @cached_property
    def prompts(self) -> list[tuple[Answer, dict[str, Any]]]:
        """Every submission that was answered, with its body."""
        return [(answer, _object(answer.request.body)) for answer in self._of(Operation.SUBMIT)]

    @cached_property
    def submissions(self) -> list[Submission]:
        """The prompts that were taken, in order, but for ids that the run submitted twice: they name no single job."""
        twice = submitted_twice(answer.exchange for answer, _ in self.prompts)
        return [found for found in self.taken if found.id not in twice]

    @cached_property
    def taken(self) -> list[Submission]:
        """All prompts that were taken, in order; where an id was given out twice, the first of them."""
        found: dict[str, Submission] = {}
        for answer, sent in self.prompts:
            named = _object(answer.response.content).get("prompt_id") if answer.response.status == OK else None
            if isinstance(named, str):
                found.setdefault(named.lower(), Submission(answer, sent, named))
        return list(found.values())

    @cached_property
    def looks(self) -> list[Look]:
        """The plain reads that showed the queue, in order."""
        return [Look(answer) for answer in self._reads if answer.request.usual] if self.prompts else []

    @cached_property
    def writes(self) -> list[Write]:
        """Requests to delete, to clear, to interrupt and to cancel, those that should change nothing among them."""
        asked = (Operation.MANAGE, Operation.INTERRUPT, Operation.CANCEL)
        return [
            Write(answer, _object(answer.request.body), operation)
            for answer in self._answers
            if (operation := answer.request.operation) in asked and operation is not None
        ]

    @cached_property
    def rolls(self) -> list[Roll]:
        """What the list of jobs said, each time that it was asked for and is there."""
        return [roll for answer in self._of(Operation.JOBS) if (roll := _roll(answer)) is not None]

    def _of(self, operation: Operation) -> Iterator[Answer]:
        return (answer for answer in self._answers if answer.request.operation is operation)

    def counts(self) -> Iterator[tuple[Answer, int]]:
        """Yield what was said of how many jobs remain."""
        for answer in self._of(Operation.COUNT):
            info = _object(answer.response.content).get("exec_info") if answer.response.status == OK else None
            number = info.get("queue_remaining") if isinstance(info, dict) else None
            if isinstance(number, int) and not isinstance(number, bool):
                yield answer, number

    def before(self, answer: Answer) -> list[Look]:
        """Return the looks that were over before a request was sent."""
        return [look for look in self.looks if look.answer.precedes(answer)]

    def after(self, answer: Answer) -> list[Look]:
        """Return the looks that began after it was answered."""
        return [look for look in self.looks if answer.precedes(look.answer)]

    def around(self, answer: Answer) -> tuple[Look, Look] | None:
        """Return the looks next to an answer, where both list the same jobs in the same lists: nothing moved."""
        before, after = self.before(answer)[-1:], self.after(answer)[:1]
        if not before or not after:
            return None
        still = before[0].pending == after[0].pending and before[0].running == after[0].running
        return (before[0], after[0]) if still and before[0].ids == after[0].ids else None

    def status_of(self, name: str) -> str | None:
        """Return the last status that the list of jobs gave a job."""
        return next((roll.statuses[name] for roll in reversed(self.rolls) if name in roll.statuses), None)

    def vanished(self, write: Write) -> Iterator[tuple[Look, str]]:
        """Yield own jobs that a write took away without being asked to, with the look that lacks them.

        A job that waited before and is gone after may have run in between. It has not where the list of jobs says
        so, where one that was submitted before it still waits, or where the same jobs ran all the time.
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
        """Whether another write may have done it."""
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
