"""Removing jobs: what deleting, clearing and interrupting do, and what they leave alone (``--populate``)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from conformance.contract.clause import Finding, clause, published, rfc
from conformance.contract.conversation import (
    NOT_NOW,
    OK,
    REFUSALS,
    Answer,
    Conversation,
    JobHistory,
    Look,
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
INTERRUPT: Final = "/paths/~1api~1interrupt/post"
INTERRUPT_GRACE: Final = 5.0
"""Seconds in which a job that is interrupted leaves: servers look for it between two nodes, or steps of one."""
DELETE_GRACE: Final = 2.0
"""Seconds in which a job that was deleted leaves."""
SURELY: Final = 1.0
"""Seconds after which a job of quick steps that still runs, and ends as completed, was not interrupted."""
QUICK: Final = frozenset({"EmptyImage", "ImageScale", "PreviewImage", "SaveImage"})
"""Nodes that take milliseconds. A step of another may take longer, and be the last one."""
MALFORMED: Final = (b'{"delete": ', b'{"delete": 7}')
"""Bodies that are no request to remove jobs: cut off, and a number where a list of ids stands. Neither names a job."""
_ENDED: Final = (NoResponse.BROKEN, NoResponse.UNREACHABLE)
"""What becomes of a request on which a server ends."""
A_DELETE: Final = "a pending job of the run that is deleted (--populate)"


def _is_delete(write: Write) -> bool:
    return write.operation is Operation.MANAGE and bool(write.deleted)


def _is_clear(write: Write) -> bool:
    return write.operation is Operation.MANAGE and write.asked.get("clear") is True


def _is_clear_false(write: Write) -> bool:
    return write.operation is Operation.MANAGE and write.asked.get("clear") is False and not write.deleted


def _is_interrupt(write: Write) -> bool:
    return write.operation is Operation.INTERRUPT


def _writes(conversation: Conversation, kind: Callable[[Write], bool]) -> Iterator[tuple[JobHistory, Write]]:
    history = conversation.history
    return ((history, write) for write in history.writes if kind(write))


def _own_pending(history: JobHistory, write: Write) -> list[str]:
    """Return the own ids that the last look before a write lists as pending."""
    before = history.before(write.answer)[-1:]
    own = {found.id for found in history.submissions}
    return [name for look in before for name in look.pending if name in own]


# --- deleting ---------------------------------------------------------------------------------------------------------


def _removals(kind: Callable[[Write], bool], named: Callable[[Write, list[str]], list[str]]) -> Any:
    def across(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write, list[str]]]]:
        for history, write in _writes(conversation, kind):
            removed = named(write, _own_pending(history, write))
            if removed and write.answer.response.status == OK and history.after(write.answer):
                yield write.answer, (history, write, removed)

    return across


def _still_there(subject: tuple[JobHistory, Write, list[str]]) -> Iterator[Finding]:
    """What was pending and is removed is listed no more: not later than 2 s after the answer, not as running, not again."""
    history, write, removed = subject
    looks = history.after(write.answer)
    for name in removed:
        waited = gone = False
        for look in looks:
            late = name in look.pending and began(look.answer) > ended(write.answer) + DELETE_GRACE
            if (gone and name in look.ids) or (waited and name in look.running) or late:
                how = "again" if gone else "running" if name in look.running else "still pending"
                asked = f"{write.answer.exchange.id} asks to remove {show(name)} and is answered 200"
                yield Finding(
                    "",
                    "the job in neither list",
                    f"{how} in {look.answer.exchange.id}",
                    f"{asked}, and the job is listed all the same.",
                )
                break
            waited = waited or name in look.pending
            gone = gone or name not in look.ids


delete_removes = clause(
    "lifecycle.delete.removes",
    Level.MUST,
    title="A pending job that is deleted is gone",
    source=published(f"{MANAGE}/description", REMOVES),
    why="Who cancels a job does not want to pay for it.",
    keeps="pending · deleted, 200 · not listed",
    breaks="pending · deleted, 200 · running",
    needs=A_DELETE,
    across=_removals(_is_delete, lambda write, own: [name for name in own if name in write.deleted]),
)(_still_there)


def _spared(kind: Callable[[Write], bool]) -> Any:
    def across(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write]]]:
        for history, write in _writes(conversation, kind):
            others = set(_own_pending(history, write)) - write.deleted
            if others and len(history.after(write.answer)) > 1:
                yield write.answer, (history, write)

    return across


def _others_gone(subject: tuple[JobHistory, Write]) -> Iterator[Finding]:
    """No other job of the run that waited is gone after it, unless it may have run."""
    history, write = subject
    for look, name in history.vanished(write):
        yield Finding(
            "",
            "every other job that waited",
            f"not listed in {look.answer.exchange.id}",
            f"{show(name)} waited before, was not to be removed, and is gone.",
        )


delete_spares = clause(
    "lifecycle.delete.spares",
    Level.MUST,
    title="Deleting a job removes no other",
    source=published(f"{MANAGE}/description", "Cancel specific PENDING jobs by ID"),
    why="Other people's work is lost.",
    keeps="pending A, B, C · B deleted · pending A, C",
    breaks="pending A, B, C · B deleted · pending A",
    needs="a delete while another job of the run waits (--populate)",
    across=_spared(_is_delete),
)(_others_gone)


def _deletes(answer: Answer) -> Iterator[Answer]:
    if answer.request.operation is Operation.MANAGE and answer.response.status == OK:
        yield answer


@clause(
    "lifecycle.delete.answer",
    Level.MUST,
    oss=EMPTY_ANSWER,
    title="A request to remove jobs is answered with a QueueManageResponse",
    source=published("/components/schemas/QueueManageResponse/properties/deleted/type", "array"),
    why="Clients read from it what was removed.",
    keeps='{"deleted": ["2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"]}',
    breaks='{"deleted": true}',
    needs="a request to remove jobs that is answered 200 (--allow-writes)",
    over=_deletes,
)
def the_answer_is_a_queue_manage_response(answer: Answer) -> Iterator[Finding]:
    """An object; where they are there, deleted is an array of strings and cleared a boolean."""
    found = answer.document.value
    if not isinstance(found, dict):
        yield Finding(
            "", "an object", show(found) if answer.document.read else "no JSON", "This is no QueueManageResponse."
        )
        return
    deleted = found.get("deleted", [])
    if not isinstance(deleted, list) or not all(isinstance(name, str) for name in deleted):
        yield Finding("/deleted", "an array of ids", show(deleted), "deleted does not list ids.")
    if not isinstance(found.get("cleared", False), bool):
        yield Finding("/cleared", "true or false", show(found["cleared"]), "cleared is not a boolean.")


def _told(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Write, list[str], list[Any]]]]:
    gone: set[str] = set()
    for history, write in _writes(conversation, _is_delete):
        body = write.answer.document.value
        told = body.get("deleted") if isinstance(body, dict) and write.answer.response.status == OK else None
        if isinstance(told, list):
            after = history.after(write.answer)[:1]
            removed = [
                name
                for name in _own_pending(history, write)
                if name in write.deleted - gone and all(name not in look.ids for look in after)
            ]
            yield write.answer, (write, removed if after else [], told)
        if write.answer.response.status == OK:
            gone |= write.deleted  # what a cache still lists, and is deleted again, is named no more


@clause(
    "lifecycle.delete.names",
    Level.SHOULD,
    oss=EMPTY_ANSWER,
    title="deleted names what was deleted",
    source=published(
        "/components/schemas/QueueManageResponse/properties/deleted/description",
        "Array of job IDs that were successfully cancelled",
    ),
    why="A client believes that a job was cancelled, or that it was not.",
    keeps='B deleted · {"deleted": ["B"]}',
    breaks='B deleted · {"deleted": []}',
    needs="a delete that is answered with a list of ids (--allow-writes)",
    across=_told,
)
def deleted_names_them(subject: tuple[Write, list[str], list[Any]]) -> Iterator[Finding]:
    """It lists the pending jobs that are gone, and none that was not asked for."""
    write, removed, told = subject
    named = {str(name).lower() for name in told}
    for name in removed:
        if name not in named:
            yield Finding("/deleted", show(name), show(told), "This job was deleted, and is not named.")
    for name in sorted(named - write.deleted):
        yield Finding("/deleted", "ids of the request alone", show(name), "This id was not to be deleted.")


def _nothing_to_do(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    for history, write in _writes(conversation, _is_delete):
        if not any(write.deleted & look.ids for look in history.before(write.answer)[-1:]):
            yield write.answer, write.answer


@clause(
    "lifecycle.delete.unknown",
    Level.SHOULD,
    title="Deleting what is not there fails no server",
    source=rfc(
        "RFC 9110 §15.6", "the server is aware that it has erred or is incapable of performing the requested method"
    ),
    why="A job ends between the click and the request, every day.",
    keeps="200, or 404",
    breaks="500",
    needs="a delete of an id that nobody has, or of a job that is gone (--allow-writes)",
    across=_nothing_to_do,
)
def deleting_nothing_is_no_server_error(answer: Answer) -> Iterator[Finding]:
    """The answer is no 500."""
    if answer.response.status == 500:
        yield Finding(None, "200 or 4xx", "500", "The server fails on an id that is not in the queue.")


def _malformed(answer: Answer) -> Iterator[Answer]:
    if answer.request.operation is Operation.MANAGE and not _is_well_formed(answer.request.body):
        yield answer


def _is_well_formed(body: bytes) -> bool:
    """Whether a body is a QueueManageRequest, but for members that it does not know."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(asked, dict):
        return False
    named = asked.get("delete", [])
    return isinstance(named, list) and all(isinstance(name, str) for name in named)


@clause(
    "lifecycle.delete.malformed",
    Level.SHOULD,
    title="A malformed request to remove jobs is told so",
    source=published(f"{MANAGE}/responses/400/description", "Invalid request parameters"),
    why="A client with a mistake in it believes that its jobs were cancelled, or that the server is broken.",
    keeps='{"delete": 7} · 400',
    breaks='{"delete": 7} · 200',
    needs="a malformed request to remove jobs (--allow-writes)",
    over=_malformed,
)
def malformed_is_a_mistake_of_the_client(answer: Answer) -> Iterator[Finding]:
    """JSON that is cut off, or a number for the list of ids, is answered 4xx."""
    status = answer.response.status
    if status < 300 or status == 500:
        yield Finding(
            None,
            "400",
            f"{status} to {answer.request.body.decode()}",
            "The request is malformed, and the answer does not say so.",
        )


def _died(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Exchange, bool]]]:
    """Yield each malformed request with whether the server ended on it: no answer, and nothing answers afterwards.

    A request that was not answered, while the next one was, says nothing: connections end for other reasons too.
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
    title="A malformed request does not end the server",
    source=published(f"{MANAGE}/responses/400/description", "Invalid request parameters"),
    why="Whoever can send one request takes the queue from everybody, and all jobs in it are lost.",
    keeps='{"delete": 7} · 400 · the queue, as before',
    breaks='{"delete": 7} · no answer · connection refused',
    needs="a malformed request to remove jobs, and a request after it (--allow-writes)",
    across=_died,
)
def a_malformed_request_does_not_end_the_server(subject: tuple[Exchange, bool]) -> Iterator[Finding]:
    """The request is answered, or the server goes on answering others."""
    exchange, died = subject
    if died:
        sent = printable(exchange.request.body.decode(errors="replace"))
        yield Finding(
            None,
            "an answer, such as 400",
            "none, and none to the requests that followed",
            f"The server ended on POST /api/queue with the body {sent}: all jobs in its queue may be lost.",
        )


# --- clearing ---------------------------------------------------------------------------------------------------------

clear_false = clause(
    "lifecycle.clear.false",
    Level.SHOULD,
    title="clear: false clears nothing",
    source=published(
        "/components/schemas/QueueManageRequest/properties/clear/description",
        "If true, clear all pending jobs from the queue",
    ),
    why="A client that writes all members of a request empties the queue.",
    keeps='pending A, B · {"clear": false} · pending A, B',
    breaks='pending A, B · {"clear": false} · nothing pending',
    needs="clear: false while a job of the run waits (--populate)",
    across=_spared(_is_clear_false),
)(_others_gone)

clear_empties = clause(
    "lifecycle.clear.empties",
    Level.MUST,
    title="Clearing removes every pending job",
    source=published(f"{MANAGE}/description", "clear all pending jobs in the queue"),
    why="Who clears the queue does not want to pay for what was in it.",
    keeps='pending A, B · {"clear": true} · nothing pending',
    breaks='pending A, B · {"clear": true} · pending B',
    needs="clear: true while jobs of the run wait, and no others (--populate --clear)",
    across=_removals(_is_clear, lambda _, own: own),
)(_still_there)


# --- interrupting -----------------------------------------------------------------------------------------------------


def _stopped(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write, str]]]:
    for history, write in _writes(conversation, _is_interrupt):
        name = str(write.asked.get("prompt_id")).lower()
        ran = any(name in look.running for look in history.before(write.answer)[-1:])
        if ran and write.answer.response.status == OK and history.after(write.answer):
            yield write.answer, (history, write, name)


@clause(
    "lifecycle.interrupt.stops",
    Level.MUST,
    title="A job that is interrupted stops",
    source=published(
        f"{INTERRUPT}/description", "This will interrupt any job that is currently in 'in_progress' status"
    ),
    why="A job that cannot be stopped is paid for to its end, and everybody waits.",
    keeps="running · interrupted, 200 · gone",
    breaks="running · interrupted, 200 · running, to its end",
    needs="a running job of the run that is interrupted, with no other jobs in the queue (--populate)",
    across=_stopped,
)
def an_interrupted_job_stops(subject: tuple[JobHistory, Write, str]) -> Iterator[Finding]:
    """5 s after the answer it runs no more; nor does one of quick steps run on for a second and end as completed."""
    history, write, name = subject
    running = [look for look in history.after(write.answer) if name in look.running]
    late = [began(look.answer) - ended(write.answer) for look in running]
    longest = max(late, default=0.0)
    completed = history.status_of(name) == "completed" and _is_quick(history, name)
    if longest > INTERRUPT_GRACE or (longest > SURELY and completed):
        yield Finding(
            None, "the job not running", f"running {longest:.1f} s later", f"{show(name)} was interrupted, and runs on."
        )


def _is_quick(history: JobHistory, name: str) -> bool:
    graphs = [found.sent.get("prompt") for found in history.submissions if found.id == name]
    return all(
        isinstance(node, dict) and node.get("class_type") in QUICK
        for graph in graphs
        if isinstance(graph, dict)
        for node in graph.values()
    )


def _interrupted(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write]]]:
    for answer, (history, write) in _spared(_is_interrupt)(conversation):
        if any(look.running for look in history.before(write.answer)[-1:]):
            yield answer, (history, write)


interrupt_spares = clause(
    "lifecycle.interrupt.spares",
    Level.MUST,
    title="An interrupt removes no pending job",
    source=published(f"{INTERRUPT}/description", "This endpoint only affects running jobs"),
    why="Who stops one job loses those behind it.",
    keeps="running A, pending B, C · interrupt · running B, pending C",
    breaks="running A, pending B, C · interrupt · running B",
    needs="an interrupt while a job of the run runs and others wait (--populate)",
    across=_interrupted,
)(_others_gone)


def _idle(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    for history, write in _writes(conversation, _is_interrupt):
        before: list[Look] = history.before(write.answer)[-1:]
        if before and not before[0].ids:
            yield write.answer, write.answer


@clause(
    "lifecycle.interrupt.idle",
    Level.MUST,
    title="An interrupt where nothing runs is answered 200",
    source=published(f"{INTERRUPT}/responses/200/description", "Success - Job interrupted or no running job found"),
    why="A job ends between the click and the request, every day.",
    keeps="nothing runs · interrupt · 200",
    breaks="nothing runs · interrupt · 409",
    needs="an interrupt while the queue is empty (--populate)",
    across=_idle,
)
def interrupting_nothing_is_fine(answer: Answer) -> Iterator[Finding]:
    """The answer is 200; refusals and "not now" are no answer to it."""
    status = answer.response.status
    if status not in {OK, *REFUSALS, *NOT_NOW}:
        yield Finding(None, "200", str(status), "Nothing ran, and the interrupt is refused.")
