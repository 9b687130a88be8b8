"""Clauses about deleting jobs, and about requests to delete that are malformed (``--populate``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from conformance.contract.clause import Finding, clause, inferred, published, rfc
from conformance.contract.conversation import (
    OK,
    Answer,
    Conversation,
    JobHistory,
    QueueRead,
    Write,
    began,
    ended,
)
from conformance.contract.reading.body import Reading
from conformance.contract.terms import EMPTY_ANSWER, Level
from conformance.exchange.model import Exchange, NoResponse, Operation, Response
from conformance.text.safe import printable, show

MANAGE: Final = "/paths/~1api~1queue/post"
REMOVES: Final = "Cancel specific PENDING jobs by ID or clear all pending jobs in the queue"
DELETE_GRACE: Final = 2.0
"""Seconds within which a deleted job must be gone from the queue."""
MALFORMED: Final = (b'{"delete": ', b'{"delete": 7}')
"""Bodies of malformed requests to remove jobs: one that is cut off, one with a number instead of a list of ids.

Neither names a job.
"""
_ENDED: Final = (NoResponse.BROKEN, NoResponse.UNREACHABLE)
"""The transport errors that a client sees if a request crashes the server."""
A_DELETE: Final = "a pending job of the run that is deleted (--populate)"


def _is_delete(write: Write) -> bool:
    return write.operation is Operation.MANAGE and bool(write.deleted)


def writes(conversation: Conversation, kind: Callable[[Write], bool]) -> Iterator[tuple[JobHistory, Write]]:
    """Yield the requests of a kind that remove jobs, each with the history of all jobs."""
    history = conversation.history
    return ((history, write) for write in history.writes if kind(write))


def _own_pending(history: JobHistory, write: Write) -> list[str]:
    """Return the ids of the run's own jobs that were pending in the last GET of the queue before a request."""
    before = history.before(write.answer)[-1:]
    own = {found.id for found in history.submissions}
    return [name for read in before for name in read.pending if name in own]


# --- deleting ---------------------------------------------------------------------------------------------------------


def removals(kind: Callable[[Write], bool], named: Callable[[Write, list[str]], list[str]]) -> Any:
    """Select the requests of a kind that removed pending jobs of the run. ``named`` returns the ids of these jobs."""

    def across(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write, list[str]]]]:
        for history, write in writes(conversation, kind):
            removed = named(write, _own_pending(history, write))
            if removed and write.answer.response.status == OK and history.after(write.answer):
                yield write.answer, (history, write, removed)

    return across


def still_there(subject: tuple[JobHistory, Write, list[str]]) -> Iterator[Finding]:
    """A removed pending job is gone 2 s after the response at the latest, does not run, and is not listed again."""
    history, write, removed = subject
    reads = history.after(write.answer)
    for name in removed:
        waited = gone = False
        for read in reads:
            late = name in read.pending and began(read.answer) > ended(write.answer) + DELETE_GRACE
            if (gone and name in read.ids) or (waited and name in read.running) or late:
                how = "listed again" if gone else "running" if name in read.running else "still pending"
                removal = f"Request {write.answer.exchange.id} removed the job {show(name)} and got a 200"
                yield Finding(
                    "",
                    "the job in neither list",
                    f"{how} in {read.answer.exchange.id}",
                    f"{removal}, but the job was {how} afterwards.",
                )
                break
            waited = waited or name in read.pending
            gone = gone or name not in read.ids


delete_removes = clause(
    "lifecycle.delete.removes",
    Level.MUST,
    title="A deleted pending job is removed from the queue",
    source=published(f"{MANAGE}/description", REMOVES),
    why="Users who delete a job do not want to pay for it.",
    keeps="pending · deleted, 200 · not listed",
    breaks="pending · deleted, 200 · running",
    needs=A_DELETE,
    across=removals(_is_delete, lambda write, own: [name for name in own if name in write.deleted]),
)(still_there)


def spared(kind: Callable[[Write], bool]) -> Any:
    """Select the requests of a kind that were sent while pending jobs of the run should have stayed."""

    def across(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write]]]:
        for history, write in writes(conversation, kind):
            others = set(_own_pending(history, write)) - write.deleted
            if others and len(history.after(write.answer)) > 1:
                yield write.answer, (history, write)

    return across


def others_gone(subject: tuple[JobHistory, Write]) -> Iterator[Finding]:
    """No other pending job of the run disappears from the queue, unless it may have run."""
    history, write = subject
    for read, name in vanished(history, write):
        yield Finding(
            "",
            "every other pending job",
            f"not listed in {read.answer.exchange.id}",
            f"The pending job {show(name)} is gone, but the request should not have removed it.",
        )


def vanished(history: JobHistory, write: Write) -> Iterator[tuple[QueueRead, str]]:
    """Yield each job of the run that a request wrongly removed, with the first GET that no longer lists the job.

    At least one GET of the queue comes before the request, and two come after it. A pending job that disappears may
    have run in between. The job did not run if ``GET /api/jobs`` says that it was cancelled, if a job that was
    submitted earlier is still pending, or if the same jobs were running all the time.
    """
    before, after = history.before(write.answer), history.after(write.answer)
    if _others_between(history, before[-1], write, after[0]):
        return
    running = after[0].running
    still = len(before) >= 2 and all(read.running == running for read in (*before[-2:], after[1]))
    own = [found.id for found in history.submissions]
    for place, name in enumerate(own):
        gone = name in before[-1].pending and not any(name in read.ids for read in after)
        if not gone or name in write.deleted:
            continue
        overtaken = any(older in before[-1].pending and older in after[0].pending for older in own[:place])
        status = history.status_of(name)
        if status == "cancelled" or ((overtaken or (running and still)) and status not in {"completed", "failed"}):
            yield after[0], name


def _others_between(history: JobHistory, before: QueueRead, write: Write, after: QueueRead) -> bool:
    """Whether a request to remove jobs, other than ``write``, was sent between two GETs of the queue."""
    others = (other.answer for other in history.writes if other is not write)
    return any(before.answer.precedes(other) and other.precedes(after.answer) for other in others)


delete_spares = clause(
    "lifecycle.delete.spares",
    Level.MUST,
    title="Deleting a job does not remove another",
    source=published(f"{MANAGE}/description", "Cancel specific PENDING jobs by ID"),
    why="Other users lose their work.",
    keeps="pending A, B, C · B deleted · pending A, C",
    breaks="pending A, B, C · B deleted · pending A",
    needs="a delete while another job of the run is pending (--populate)",
    across=spared(_is_delete),
)(others_gone)


def _deletes(answer: Answer) -> Iterator[Answer]:
    if answer.request.operation is Operation.MANAGE and answer.response.status == OK:
        yield answer


@clause(
    "lifecycle.delete.answer",
    Level.MUST,
    oss=EMPTY_ANSWER,
    title="A request to remove jobs gets a QueueManageResponse: an object with deleted and cleared",
    source=published("/components/schemas/QueueManageResponse/properties/deleted/type", "array"),
    why="Clients read from the response which jobs were removed.",
    keeps='{"deleted": ["2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"]}',
    breaks='{"deleted": true}',
    needs="a request to remove jobs that gets a 200 (--allow-writes)",
    over=_deletes,
)
def the_answer_is_a_queue_manage_response(answer: Answer) -> Iterator[Finding]:
    """The response body is an object. If present, deleted is an array of strings and cleared is a boolean."""
    found = answer.document.value
    if not isinstance(found, dict):
        yield Finding(
            "",
            "an object",
            show(found) if answer.document.read else "not JSON",
            "The response body is not a JSON object (schema QueueManageResponse).",
        )
        return
    deleted = found.get("deleted", [])
    if not isinstance(deleted, list) or not all(isinstance(name, str) for name in deleted):
        yield Finding("/deleted", "an array of ids", show(deleted), "deleted is not an array of strings.")
    if not isinstance(found.get("cleared", False), bool):
        yield Finding("/cleared", "true or false", show(found["cleared"]), "cleared is not a boolean.")


def _with_deleted_ids(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Write, list[str], list[Any]]]]:
    gone: set[str] = set()
    for history, write in writes(conversation, _is_delete):
        if write.answer.response.status != OK:
            continue
        body = write.answer.document.value
        returned = body.get("deleted") if isinstance(body, dict) else None
        if isinstance(returned, list):
            candidates = [name for name in _own_pending(history, write) if name in write.deleted - gone]
            removed = [name for read in history.after(write.answer)[:1] for name in candidates if name not in read.ids]
            yield write.answer, (write, removed, returned)
        gone |= write.deleted  # a job that a cache still lists and that is deleted again need not be named again


@clause(
    "lifecycle.delete.names",
    Level.SHOULD,
    oss=EMPTY_ANSWER,
    title="The response to a delete lists the ids that were deleted",
    source=published(
        "/components/schemas/QueueManageResponse/properties/deleted/description",
        "Array of job IDs that were successfully cancelled",
    ),
    why="Otherwise a client shows a wrong state for its jobs.",
    keeps='B deleted · {"deleted": ["B"]}',
    breaks='B deleted · {"deleted": []}',
    needs="a delete whose response has a list of ids (--allow-writes)",
    across=_with_deleted_ids,
)
def deleted_names_them(subject: tuple[Write, list[str], list[Any]]) -> Iterator[Finding]:
    """``deleted`` in the response has every pending job that was removed, and no id that is not in the request."""
    write, removed, returned = subject
    named = {str(name).lower() for name in returned}
    for name in removed:
        if name not in named:
            yield Finding(
                "/deleted",
                show(name),
                show(returned),
                "This job was deleted, but its id is missing from deleted in the response.",
            )
    for name in sorted(named - write.deleted):
        yield Finding(
            "/deleted",
            "only ids from the request",
            show(name),
            "deleted in the response has an id that the request did not ask to delete.",
        )


def _nothing_to_do(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    for history, write in writes(conversation, _is_delete):
        if not any(write.deleted & read.ids for read in history.before(write.answer)[-1:]):
            yield write.answer, write.answer


@clause(
    "lifecycle.delete.unknown",
    Level.SHOULD,
    title="Deleting an id that is not in the queue does not get a 500",
    source=inferred(
        rfc(
            "RFC 9110 §15.6", "the server is aware that it has erred or is incapable of performing the requested method"
        ),
        "By the RFC, a 5xx means that the server failed. The OpenAPI document does not describe the deletion of an unknown id.",
    ),
    why="A job often ends between the user's click and the request.",
    keeps="200, or 404",
    breaks="500",
    needs="a delete of an id that does not exist, or of a job that is gone (--allow-writes)",
    across=_nothing_to_do,
)
def deleting_nothing_is_no_server_error(answer: Answer) -> Iterator[Finding]:
    """A request to delete an id that is not in the queue does not get a 500."""
    if answer.response.status == 500:
        yield Finding(None, "200 or 4xx", "500", "A request to delete an id that is not in the queue gets a 500.")


def _malformed(answer: Answer) -> Iterator[Answer]:
    if answer.request.operation is Operation.MANAGE and not _is_well_formed(answer.request.body):
        yield answer


def _is_well_formed(body: bytes) -> bool:
    """Whether a body is a valid QueueManageRequest. Unknown members do not matter."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(request, dict):
        return False
    named = request.get("delete", [])
    return isinstance(named, list) and all(isinstance(name, str) for name in named)


@clause(
    "lifecycle.delete.malformed",
    Level.SHOULD,
    title="A malformed request to remove jobs is refused",
    source=published(f"{MANAGE}/responses/400/description", "Invalid request parameters"),
    why="Otherwise a faulty client assumes that its jobs were cancelled, or that the server is broken.",
    keeps='{"delete": 7} · 400',
    breaks='{"delete": 7} · 200',
    needs="a malformed request to remove jobs (--allow-writes)",
    over=_malformed,
)
def malformed_is_a_mistake_of_the_client(answer: Answer) -> Iterator[Finding]:
    """A request to remove jobs gets a 4xx if its JSON is cut off, or has a number instead of a list of ids."""
    status = answer.response.status
    if status < 300 or status == 500:
        yield Finding(
            None,
            "400",
            f"{status} to {answer.request.body.decode()}",
            "The request is malformed, but its status is not a 4xx.",
        )


def _died(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Exchange, bool]]]:
    """Yield each malformed request, and whether it crashed the server: it and all later requests got no response.

    If only the malformed request got no response, it is left out, because connections also end for other reasons.
    """
    answered = [answer.exchange for answer in conversation.answers]
    everything = sorted((*answered, *conversation.unanswered), key=lambda one: one.started or 0.0)
    for place, exchange in enumerate(everything):
        request, later = exchange.request, everything[place + 1 :]
        malformed = request.operation is Operation.MANAGE and not _is_well_formed(request.body)
        if not malformed or not later:
            continue
        ended = exchange.problem is not None and exchange.problem.fault in _ENDED
        gone = all(one.response is None for one in later)
        refused = later[0].problem is not None and later[0].problem.fault is NoResponse.UNREACHABLE
        response = exchange.response or Response(0)
        if exchange.response is not None or (ended and (gone or refused)):
            yield Answer(exchange, response, Reading(response.content)), (exchange, exchange.response is None)


@clause(
    "lifecycle.survives-malformed",
    Level.MUST,
    title="A malformed request does not crash the server",
    source=inferred(
        published(f"{MANAGE}/responses/400/description", "Invalid request parameters"),
        "The OpenAPI document says that a malformed request gets a 400. It does not mention that a server must not crash.",
    ),
    why="Anybody who can send one request could take the queue away from everybody. All its jobs would be lost.",
    keeps='{"delete": 7} · 400 · the queue as before',
    breaks='{"delete": 7} · no response · connection refused',
    needs="a malformed request to remove jobs, and a later request (--allow-writes)",
    across=_died,
)
def a_malformed_request_does_not_end_the_server(subject: tuple[Exchange, bool]) -> Iterator[Finding]:
    """The malformed request gets a response, or later requests do."""
    exchange, died = subject
    if died:
        sent = printable(exchange.request.body.decode(errors="replace"))
        yield Finding(
            None,
            "a response, such as 400",
            "none, and none to the requests that followed",
            f"The server crashed on POST /api/queue with the body {sent}. All jobs in its queue may be lost.",
        )
