"""Clauses about clearing the queue, and about interrupting a running job (``--populate``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Finding, clause, inferred, published
from conformance.contract.clauses.lifecycle_remove import MANAGE, others_gone, removals, spared, still_there, writes
from conformance.contract.conversation import (
    NOT_NOW,
    OK,
    REFUSALS,
    Answer,
    Conversation,
    JobHistory,
    Write,
    began,
    ended,
)
from conformance.contract.terms import Level
from conformance.exchange.model import Operation
from conformance.text.safe import show

INTERRUPT: Final = "/paths/~1api~1interrupt/post"
INTERRUPT_GRACE: Final = 5.0
"""Seconds within which an interrupted job must stop. Servers stop a job only between two nodes or steps."""
SURELY: Final = 1.0
"""If a job of quick nodes runs for this many seconds after an interrupt and then completes, it was not interrupted."""
QUICK: Final = frozenset({"EmptyImage", "ImageScale", "PreviewImage", "SaveImage"})
"""Node classes that take milliseconds. One step of another node may take longer than ``SURELY``."""


def _is_clear(write: Write) -> bool:
    return write.operation is Operation.MANAGE and write.sent.get("clear") is True


def _is_clear_false(write: Write) -> bool:
    return write.operation is Operation.MANAGE and write.sent.get("clear") is False and not write.deleted


def _is_interrupt(write: Write) -> bool:
    return write.operation is Operation.INTERRUPT


# --- clearing ---------------------------------------------------------------------------------------------------------

clear_false = clause(
    "lifecycle.clear.false",
    Level.SHOULD,
    title='A request with "clear": false does not clear the queue',
    source=inferred(
        published(
            "/components/schemas/QueueManageRequest/properties/clear/description",
            "If true, clear all pending jobs from the queue",
        ),
        "The OpenAPI document says what true does, but not what false does.",
    ),
    why="A client that writes every member of the request would empty the queue.",
    keeps='pending A, B · {"clear": false} · pending A, B',
    breaks='pending A, B · {"clear": false} · nothing pending',
    needs='a POST with {"clear": false} while a job of the run is pending (--populate)',
    across=spared(_is_clear_false),
)(others_gone)

clear_empties = clause(
    "lifecycle.clear.empties",
    Level.MUST,
    title="Clearing removes every pending job",
    source=published(f"{MANAGE}/description", "clear all pending jobs in the queue"),
    why="Users who clear the queue do not want to pay for its jobs.",
    keeps='pending A, B · {"clear": true} · nothing pending',
    breaks='pending A, B · {"clear": true} · pending B',
    needs="clear: true while only jobs of the run are pending (--populate --clear)",
    across=removals(_is_clear, lambda _, own: own),
)(still_there)


# --- interrupting -----------------------------------------------------------------------------------------------------


def _stopped(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write, str]]]:
    for history, write in writes(conversation, _is_interrupt):
        name = str(write.sent.get("prompt_id")).lower()
        ran = any(name in read.running for read in history.before(write.answer)[-1:])
        if ran and write.answer.response.status == OK and history.after(write.answer):
            yield write.answer, (history, write, name)


@clause(
    "lifecycle.interrupt.stops",
    Level.MUST,
    title="An interrupted job stops",
    source=published(
        f"{INTERRUPT}/description", "This will interrupt any job that is currently in 'in_progress' status"
    ),
    why="Users would pay for a job that they cannot stop, and everybody would wait for it.",
    keeps="running · interrupted, 200 · gone",
    breaks="running · interrupted, 200 · running, to its end",
    needs="an interrupt of a running job of the run, with no other jobs in the queue (--populate)",
    across=_stopped,
)
def an_interrupted_job_stops(subject: tuple[JobHistory, Write, str]) -> Iterator[Finding]:
    """The job stops within 5 s of the response. A job of quick nodes does not run on for 1 s and complete."""
    history, write, name = subject
    completed = history.status_of(name) == "completed" and _is_quick(history, name)
    bound = SURELY if completed else INTERRUPT_GRACE
    running = [read for read in history.after(write.answer) if name in read.running]
    late = [began(read.answer) - ended(write.answer) for read in running]
    if any(seconds > bound for seconds in late):
        yield Finding(
            None,
            "the job not running",
            f"running {max(late):.1f} s later",
            f"The job {show(name)} was interrupted, but kept running.",
        )


def _is_quick(history: JobHistory, name: str) -> bool:
    """Whether the run submitted the job, and all its nodes are quick."""
    graphs = [found.sent.get("prompt") for found in history.submissions if found.id == name]
    return any(isinstance(graph, dict) and all(map(_is_quick_node, graph.values())) for graph in graphs)


def _is_quick_node(node: object) -> bool:
    return isinstance(node, dict) and node.get("class_type") in QUICK


def _interrupted(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Write]]]:
    for answer, (history, write) in spared(_is_interrupt)(conversation):
        if any(read.running for read in history.before(write.answer)[-1:]):
            yield answer, (history, write)


interrupt_spares = clause(
    "lifecycle.interrupt.spares",
    Level.MUST,
    title="An interrupt does not remove a pending job",
    source=published(f"{INTERRUPT}/description", "This endpoint only affects running jobs"),
    why="A user who stops one job would lose the jobs behind it.",
    keeps="running A, pending B, C · interrupt · running B, pending C",
    breaks="running A, pending B, C · interrupt · running B",
    needs="an interrupt while one job of the run runs and others are pending (--populate)",
    across=_interrupted,
)(others_gone)


def _idle(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    for history, write in writes(conversation, _is_interrupt):
        if any(not read.ids for read in history.before(write.answer)[-1:]):
            yield write.answer, write.answer


@clause(
    "lifecycle.interrupt.idle",
    Level.MUST,
    title="An interrupt gets a 200 if no job runs",
    source=published(f"{INTERRUPT}/responses/200/description", "Success - Job interrupted or no running job found"),
    why="A job often ends between the user's click and the request.",
    keeps="no job runs · interrupt · 200",
    breaks="no job runs · interrupt · 409",
    needs="an interrupt while the queue is empty (--populate)",
    across=_idle,
)
def interrupting_nothing_is_fine(answer: Answer) -> Iterator[Finding]:
    """The status is 200. Statuses that refuse access or mean "try again later" are not checked."""
    status = answer.response.status
    if status not in {OK, *REFUSALS, *NOT_NOW}:
        yield Finding(
            None, "200", str(status), "An interrupt that was sent while no job was running did not get a 200."
        )
