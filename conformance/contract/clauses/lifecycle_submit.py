"""Clauses about submitting jobs: how they are accepted and listed. They need a run with ``--populate``.

They check only jobs that the run itself submitted. Other users' jobs never violate them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred, published, rfc
from conformance.contract.clauses.http import answered_at
from conformance.contract.clauses.item import PROSE
from conformance.contract.clauses.item_create_time import CLOCK_SKEW_MS
from conformance.contract.clauses.queue import PENDING
from conformance.contract.conversation import (
    ALIVE,
    ENDED,
    OK,
    Answer,
    Conversation,
    JobHistory,
    QueueRead,
    Submission,
    began,
    ended,
)
from conformance.contract.reading.body import EPOCH_MS_FIRST, EPOCH_MS_LAST, is_number
from conformance.contract.terms import Level
from conformance.exchange.model import Operation
from conformance.text.pointer import escape
from conformance.text.safe import show
from conformance.text.strict_json import parse

LISTED: Final = "Returns information about running and pending items in the queue"
GET_QUEUE: Final = "/paths/~1api~1queue/get/description"
GAP: Final = 2.0
"""The number of seconds for which a job may be in neither list while it moves from one to the other, which the OpenAPI
document does not rule out.
"""
SEEN: Final = 3
"""A job counts as lost if this many GETs of the queue list an older job as pending, but not this job."""
A_JOB: Final = "a job that the run submitted (--populate)"
CACHE: Final = Cause(
    "cache", "every GET of the queue returned the same bytes: a cache may respond instead of the server"
)
_ABSENT: Final = object()
"""Marks a value that was submitted but is missing from the listed workflow."""


def each_queue_read(conversation: Conversation) -> Iterator[tuple[QueueRead, Submission, JobHistory]]:
    """Yield each job of the run with each GET of the queue after its submission, and the history of all jobs."""
    history = conversation.history
    for submission in history.submissions:
        for read in history.after(submission.answer):
            yield read, submission, history


# --- submitting -------------------------------------------------------------------------------------------------------


def _accepted(answer: Answer) -> Iterator[Answer]:
    if answer.request.operation is Operation.SUBMIT and answer.response.status == OK:
        yield answer


@clause(
    "lifecycle.prompt-id",
    Level.SHOULD,
    title="The response to an accepted prompt contains its id",
    source=inferred(
        published(
            "/components/schemas/PromptResponse/properties/prompt_id/description",
            "Unique identifier for the prompt execution",
        ),
        "The OpenAPI document describes prompt_id, but does not give its form in this response.",
    ),
    why="Without the id, a client cannot find its job.",
    keeps='{"prompt_id": "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", "number": 3}',
    breaks='{"status": "queued"}',
    needs="an accepted prompt (--populate)",
    over=_accepted,
)
def a_prompt_is_answered_with_its_id(answer: Answer) -> Iterator[Finding]:
    """The 200 response to a submission is an object whose prompt_id is a UUID."""
    found = answer.document.value
    named = found.get("prompt_id") if isinstance(found, dict) else None
    if not isinstance(named, str) or not _is_uuid(named):
        got = "absent" if named is None else show(named)
        problem = "the response has no prompt_id" if named is None else "prompt_id in the response is not a UUID"
        yield Finding("/prompt_id", "a UUID", got, f"The prompt was accepted, but {problem}.")


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def submissions(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Submission]]]:
    """Yield each job of the run with the response to its submission, if a GET of the queue came after it."""
    history = conversation.history
    return ((found.answer, (history, found)) for found in history.submissions if history.after(found.answer))


@clause(
    "lifecycle.listed",
    Level.MUST,
    title="A submitted job is listed until it ends",
    source=doc(GET_QUEUE, LISTED),
    why="A client that does not find its job assumes that it is done, or submits it again.",
    keeps="submitted · pending · running · gone",
    breaks="submitted · never listed, while older jobs are pending",
    needs=A_JOB,
    across=submissions,
    kinds=(CACHE.kind,),
)
def a_job_is_listed_until_it_ends(subject: tuple[JobHistory, Submission]) -> Iterator[Finding]:
    """A job that has not ended is never missing from the queue for more than 2 s."""
    history, submission = subject
    absence = _absence(history, submission, history.after(submission.answer))
    if absence is not None:
        cached = len({read.answer.response.body for read in history.queue_reads}) == 1
        yield Finding("", "the job, pending or running", *absence, CACHE if cached else None)


def _absence(history: JobHistory, submission: Submission, reads: list[QueueRead]) -> tuple[str, str] | None:
    """Return for how long a job that had not ended was missing from the queue, and what that means. None if it was not."""
    name, job = submission.id, show(submission.prompt_id)
    lost = f"The queue does not list the job {job}, which had not ended."
    alive = [ended(read.answer) for read in reads if name in read.ids]
    alive += [ended(job_list.answer) for job_list in history.job_lists if job_list.statuses.get(name) in ALIVE]
    was_listed = False
    for listed, group in groupby(reads, key=lambda read: name in read.ids):
        *_, last = stretch = list(group)
        absent = [read for read in stretch if any(ended(read.answer) < moment for moment in alive)]
        if absent and (last in absent or not was_listed):  # else it may have ended: GET /api/jobs may lag
            seconds = ended(absent[-1].answer) - began(absent[0].answer)
            if not listed and seconds > GAP and not any(_elsewhere(read, submission) for read in absent):
                return f"in neither list for {seconds:.1f} s", lost
        was_listed = listed
    if any(name in read.ids or _elsewhere(read, submission) for read in reads):
        return None
    never = f"not listed in {len(reads)} GETs of the queue"
    if len(_fresh_and_pending(history, submission, reads)) >= SEEN:
        later = "although it listed later jobs and GET /api/jobs says that the job was pending"
        return never, f"The queue never listed the job {job}, {later}."
    may_have_ended = history.status_of(name) in ENDED or submission.prioritised  # it may have been the next to run
    older = [] if may_have_ended else [other.id for other in history.submissions if other.before(submission)]
    if sum(any(other in read.pending for other in older) for read in reads) >= SEEN:
        accepted = f"The server accepted the job {job}, but the queue never listed it"
        return never, f"{accepted}, although an older job was still pending."
    return None


def _fresh_and_pending(history: JobHistory, submission: Submission, reads: list[QueueRead]) -> list[QueueRead]:
    """Return the GETs of the queue that list a later job and come before GET /api/jobs says that this one is pending."""
    later = [other.id for other in history.submissions if submission.before(other)]
    job_lists = [job_list.answer for job_list in history.job_lists if job_list.statuses.get(submission.id) == "pending"]
    fresh = (read for read in reads if any(other in read.ids for other in later))
    return [read for read in fresh if any(read.answer.precedes(job_list) for job_list in job_lists)]


def _elsewhere(read: QueueRead, submission: Submission) -> bool:
    """Whether a GET of the queue that does not list a job lists its workflow under another id."""
    workflows = (seen.workflow for seen in read.jobs.values())
    return any(found is not None and found.value == submission.workflow for found in workflows)


def _seen_soon(conversation: Conversation) -> Iterator[tuple[Answer, tuple[QueueRead, Submission]]]:
    history = conversation.history
    for submission in history.submissions:
        reads = history.after(submission.answer)
        first = next((read for read in reads if submission.id in read.jobs), None)
        if first is not None and (first is reads[0] or submission.id in first.pending):
            yield reads[0].answer, (reads[0], submission)


@clause(
    "lifecycle.listed-at-once",
    Level.SHOULD,
    title="The next GET of the queue lists a submitted job",
    source=inferred(
        rfc("RFC 9110 §9.3.1", "requests transfer of a current selected representation for the target resource"),
        "The RFC promises the current state, but the OpenAPI document does not say how soon a job is listed.",
    ),
    why="A client that reads the queue right after it submitted a job assumes that the job is done.",
    keeps="submitted · pending",
    breaks="submitted · not listed · pending",
    needs=A_JOB,
    across=_seen_soon,
)
def the_next_read_lists_it(subject: tuple[QueueRead, Submission]) -> Iterator[Finding]:
    """A job that a later GET lists as pending is in the first GET of the queue after the response to its submission.

    A job that starts at once may be in neither list for a moment: the OpenAPI document does not rule that out.
    """
    read, submission = subject
    if submission.id not in read.ids:
        late = began(read.answer) - ended(submission.answer)
        yield Finding(
            "",
            "the job, pending or running",
            "not listed yet",
            f"The queue did not list the job {show(submission.prompt_id)} {late:.3f} s after it was accepted, but listed it later.",
        )


def _same_workflow(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Submission, str, str]]]:
    for read, submission, _ in each_queue_read(conversation):
        for listed, seen in read.answer.observations.items():
            if seen.workflow is not None and seen.workflow.value == submission.workflow:
                yield read.answer, (submission, f"{seen.pointer}/1", listed)


@clause(
    "lifecycle.same-id",
    Level.SHOULD,
    title="A job is listed under the id in the response to its submission",
    source=inferred(
        published(
            "/components/schemas/PromptResponse/properties/prompt_id/description",
            "Unique identifier for the prompt execution",
        ),
        "The OpenAPI document has the id in both places, but does not say that their text is equal.",
    ),
    why="Clients look up their jobs by comparing ids as text.",
    keeps="in the response and listed: 2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e",
    breaks="2F1B0C3E-… in the response, listed as 2f1b0c3e-…",
    needs=A_JOB,
    across=_same_workflow,
)
def a_job_keeps_its_id(subject: tuple[Submission, str, str]) -> Iterator[Finding]:
    """A submitted workflow is listed with exactly the prompt_id in the response to its submission."""
    submission, pointer, listed = subject
    if listed != submission.prompt_id:
        yield Finding(
            pointer,
            show(submission.prompt_id),
            show(listed),
            "The job is listed under another id than the one in the response to its submission.",
        )


# --- what is listed ---------------------------------------------------------------------------------------------------


def _graphs(conversation: Conversation) -> Iterator[tuple[Answer, tuple[str, Any, Any]]]:
    """Yield each job of the run as first listed: the pointer of its workflow, the submitted graph and the listed graph."""
    first = {
        submission.id: (read, submission)
        for read, submission, _ in reversed(list(each_queue_read(conversation)))
        if submission.id in read.jobs
    }
    for read, submission in first.values():
        for item in read.answer.reading.items:
            match item.elements:
                case [_, str(name), graph, *_] if name.lower() == submission.id and _is_graph(graph):
                    sent = parse(submission.answer.request.body).value["prompt"]
                    yield read.answer, (f"{item.pointer}/2", sent, graph)
        read.answer.reading.forget()


def _is_graph(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(node, dict) and "class_type" in node for node in value.values())


def _differences(pointer: str, sent: Any, listed: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the place and both values of each difference between two graphs. Added members do not count."""
    if isinstance(sent, dict) and isinstance(listed, dict):
        for name, value in sent.items():
            place = f"{pointer}/{escape(name)}"
            if name in listed:
                yield from _differences(place, value, listed[name])
            else:
                yield place, value, _ABSENT
    elif isinstance(sent, list) and isinstance(listed, list) and len(sent) == len(listed):
        for index, pair in enumerate(zip(sent, listed, strict=True)):
            yield from _differences(f"{pointer}/{index}", *pair)
    elif is_number(sent) and is_number(listed):
        if float(sent) != float(listed):
            yield pointer, sent, listed
    elif type(sent) is not type(listed) or sent != listed:
        yield pointer, sent, listed


def _difference(pointer: str, sent: Any, listed: Any) -> Finding:
    message = f"The listed workflow differs from the submitted one, which has {show(sent)} here."
    return Finding(pointer, "as it was submitted", "absent" if listed is _ABSENT else show(listed), message)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not value.isascii()


@clause(
    "lifecycle.workflow",
    Level.SHOULD,
    title="A listed job has the workflow that was submitted",
    source=inferred(
        doc(PROSE, "[2] workflow_json (object): Full ComfyUI workflow"),
        "The OpenAPI document calls the workflow full, but does not say that it is the submitted one.",
    ),
    why="A user who loads a job from the queue gets a different workflow.",
    keeps='sent and listed: {"1": {"class_type": "EmptyImage", …}}',
    breaks="a node or an input that is missing or different",
    needs=A_JOB,
    across=_graphs,
)
def a_job_has_its_workflow(subject: tuple[str, Any, Any]) -> Iterator[Finding]:
    """workflow_json has every submitted node and value, if it is an API graph. Numbers are compared as doubles."""
    for pointer, sent, listed in _differences(*subject):
        if not _is_text(sent):
            yield _difference(pointer, sent, listed)


def _texts(conversation: Conversation) -> Iterator[tuple[Answer, tuple[str, Any, Any]]]:
    for answer, (pointer, sent, listed) in _graphs(conversation):
        if _has_text(sent):
            yield answer, (pointer, sent, listed)


def _has_text(value: Any) -> bool:
    members: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return _is_text(value) or any(map(_has_text, members))


@clause(
    "lifecycle.text",
    Level.SHOULD,
    title="Non-ASCII text in a submitted workflow is preserved",
    source=inferred(
        rfc(
            "RFC 8259 §8.1",
            "JSON text exchanged between systems that are not part of a closed ecosystem MUST be encoded using UTF-8",
        ),
        "The RFC requires UTF-8 in a response, but does not say that a server keeps what it received.",
    ),
    why="Users write prompts in every language, and with emoji.",
    keeps='sent and listed: "日本語 👩‍🚀"',
    breaks='sent "👩‍🚀", listed "??"',
    needs="a job with non-ASCII text that the run submitted (--populate)",
    across=_texts,
)
def text_survives(subject: tuple[str, Any, Any]) -> Iterator[Finding]:
    """Non-ASCII strings in a submitted workflow are listed unchanged."""
    for pointer, sent, listed in _differences(*subject):
        if _is_text(sent):
            yield _difference(pointer, sent, listed)


def _dated(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Submission, str, Any]]]:
    for read, submission, _ in each_queue_read(conversation):
        seen = read.jobs.get(submission.id)
        time = seen.create_time if seen is not None else None
        if time is not None and is_number(time.value) and EPOCH_MS_FIRST <= time.value < EPOCH_MS_LAST:
            yield read.answer, (submission, time.pointer, time.value)


@clause(
    "lifecycle.create-time",
    Level.SHOULD,
    title="create_time is the time of the submission",
    source=inferred(
        doc(PENDING, "creation time"), "The OpenAPI document does not say which moment counts as the creation."
    ),
    why="A wrong time zone, or the start time instead, puts jobs in the wrong order.",
    keeps="submitted at 16:00:00, create_time 16:00:00",
    breaks="submitted at 16:00:00 UTC, create_time 17:00:00",
    needs=A_JOB,
    across=_dated,
)
def create_time_is_that_of_the_submission(subject: tuple[Submission, str, Any]) -> Iterator[Finding]:
    """create_time differs by at most 60 s from the time of the submission, by the Date header of its response."""
    submission, pointer, value = subject
    answered = answered_at(submission.answer)
    if answered is None:
        return
    off = float(value) - answered * 1000
    took = (submission.answer.exchange.elapsed or 0.0) * 1000
    late, early = off > CLOCK_SKEW_MS, off < -CLOCK_SKEW_MS - took
    if late or early:
        yield Finding(
            pointer,
            "the time of the submission",
            show(value),
            f"create_time is {abs(off) / 1000:,.0f} s {'after' if late else 'before'} the job was submitted.",
        )
