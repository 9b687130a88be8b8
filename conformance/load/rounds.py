"""A round of jobs: the requests by which one user submits a few jobs, removes some, and follows the rest to their end.

Does no I/O.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Final

from conformance.contract.clauses.lifecycle_stop import INTERRUPT_GRACE
from conformance.contract.conversation import OK
from conformance.exchange.model import Exchange
from conformance.probe.jobs import (
    ARRIVAL,
    CLEAN_UP,
    THE_JOBS,
    Removal,
    Script,
    deletable,
    interrupt,
    manage,
    read_back,
    status,
    submit,
    why_not_listed,
)
from conformance.probe.leave import Leave
from conformance.probe.requests import Ask
from conformance.probe.workflows import Workflow, as_frontend, unique

JOBS: Final = 4
"""Jobs in a round: one runs and three are pending, so that one can be deleted even if another starts meanwhile."""
FRONTEND: Final = 1
"""Which job (counted from 0) is submitted in the form that ComfyUI's own frontend sends."""
LISTING: Final = 2.0
"""Seconds between the first two requests for the list of jobs. Each further pause is twice as long."""
ALIKE: Final = 4
"""How many of the responses that show an unchanged queue are kept: the first three and the last."""


class Deed(enum.Enum):
    """What a round does with its jobs, apart from reading the queue."""

    NOTHING = "let them run"
    DELETE = "delete one that waits"
    INTERRUPT = "interrupt the one that runs"


class Round:
    """A round of jobs in progress.

    ``next`` is the request to send after ``pause`` seconds; None when the round is over. ``kept`` are the exchanges
    from which the jobs are judged, with at most ``room`` bytes of bodies. An exchange is left out if it shows the same
    queue as the exchanges before and after it.
    """

    def __init__(self, leave: Leave, script: Script, room: int = 1 << 62) -> None:
        self.leave = leave
        self.kept: list[Exchange] = []
        self.next: Ask | None = None
        self.pause = 0.0
        self._script = script
        self._room = room
        self._last_shown: object = None
        self._in_a_row = 0
        """How many successive exchanges, up to the last one, show the same jobs."""
        self._last: Exchange | None = None
        self._go_on(None)

    def note(self, exchange: Exchange) -> bool:
        """Record the exchange of the request ``next``. ``leave`` must have recorded it before.

        Returns whether the round continues.
        """
        self._keep(exchange)
        self._go_on(exchange)
        return self.next is not None

    @property
    def settled(self) -> bool:
        """Whether no job of the round can still be in the queue: none was submitted, or each was seen to end."""
        if not self.leave.own and not self.leave.unanswered:
            return True
        unseen = self.next is not None or self.leave.listed is None or self.leave.unanswered
        return not unseen and not self.leave.own_listed()

    def _go_on(self, exchange: Exchange | None) -> None:
        self.pause = 0.0
        try:
            while not isinstance(step := self._script.send(exchange), Ask):
                self.pause, exchange = self.pause + step, None
            self.next = step
        except StopIteration:
            self.next = None

    def _keep(self, exchange: Exchange) -> None:
        shows = None if exchange.request.operation else self.leave.listed
        shown = exchange.request.operation or (shows if shows is None else [job for job in shows if job.own])
        self._in_a_row = self._in_a_row + 1 if self._in_a_row and self._last_shown == shown else 1
        self._last_shown = shown
        if not exchange.request.operation and self._in_a_row > ALIKE and self.kept and self.kept[-1] is self._last:
            self._room += _weight(self.kept.pop())
        if _weight(exchange) <= self._room:
            self._room -= _weight(exchange)
            self.kept.append(exchange)
        self._last = exchange


def _weight(exchange: Exchange) -> int:
    return 0 if exchange.response is None else len(exchange.response.content)


def script(  # noqa: PLR0913 - one parameter for each part of a round
    leave: Leave,
    workflows: Sequence[Workflow],
    deed: Deed,
    *,
    clock: Callable[[], float],
    ends: float,
    first: bool = False,
) -> Script:
    """Yield the requests of a round: submit jobs, delete or interrupt one, and read the queue until all have ended.

    If this is the ``first`` round, it submits one job and continues only if that job can be found in the queue.

    Jobs that have not ended at ``ends``, in seconds of the clock, are removed. The first of ``workflows`` is submitted
    first. It should be slow if jobs are to be removed, so that they are still pending.
    """
    yield Ask("read before writing")
    if leave.listed is None:
        return
    jobs = leave.prompts
    for number in range(jobs):
        graph = unique(workflows[min(number, len(workflows) - 1)], f"{leave.token}-{number + 1}")
        aside = as_frontend(graph, leave.token[:32]) if number == FRONTEND else {}
        taken = yield submit(f"submit job {number + 1} of {jobs}", graph, **aside)
        if status(taken) != OK:
            break
        yield Ask("read after submitting")
        if first and number == 0:
            yield from read_back(leave, clock)
            if why_not_listed(leave) is not None:
                return
    if not leave.own and not leave.unanswered:
        return
    if deed is Deed.DELETE:
        yield from _delete(leave)
    elif deed is Deed.INTERRUPT:
        yield from _interrupt(leave, clock, ends)
    yield from _follow(leave, clock, ends)
    if leave.own_listed():
        yield from Removal(leave).steps(clock, clock() + CLEAN_UP)


def _follow(leave: Leave, clock: Callable[[], float], ends: float) -> Script:
    """Read the queue until it lists no job of the round.

    A job that is about to start may be in neither list for a moment.
    """
    there, listing, pause = clock(), clock(), LISTING
    while clock() < ends:
        yield Ask("read until the jobs have ended")
        if leave.listed is None or leave.own_listed():
            there = clock()
        elif not leave.waiting or clock() - there > ARRIVAL:
            return
        if clock() >= listing:
            response = yield THE_JOBS
            listing, pause = clock() + pause if status(response) == OK else ends, 2 * pause
            yield Ask("read after the list of jobs")


def _delete(leave: Leave) -> Script:
    """Delete one of the pending jobs of the round, with other jobs of the round before and after it."""
    if once := deletable(leave):
        yield manage("delete a pending job", delete=once[:1])
        yield Ask("read after deleting")
        yield Ask("read after deleting")


def _interrupt(leave: Leave, clock: Callable[[], float], ends: float) -> Script:
    """Wait until a job of the round runs, and interrupt it if the interrupt cannot stop any other job."""
    while not leave.own_listed(pending=False) and leave.own_listed(pending=True) and clock() < ends:
        yield Ask("read before interrupting")
    running = leave.own_listed(pending=False)
    if not running or not leave.may_interrupt:
        return
    yield interrupt("interrupt what runs", running[0])
    gone_by = clock() + INTERRUPT_GRACE + 1.0
    yield Ask("read after interrupting")
    while running[0] in leave.own_listed(pending=False) and clock() < gone_by:
        yield Ask("read after interrupting")
