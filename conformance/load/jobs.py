"""The jobs that one process submits under load: which user submits the next ones, and which must still be removed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from typing import Final

from msgspec import structs

from conformance.contract.conversation import OK
from conformance.exchange.model import Exchange
from conformance.load.rounds import JOBS, Deed, Round, script
from conformance.load.tally import Own
from conformance.probe.jobs import (
    CLEAN_UP,
    WHICH_NODES,
    Removal,
    Script,
    classes_in,
    path,
    status,
    status_in_words,
    why_not_listed,
)
from conformance.probe.leave import Leave, new_token
from conformance.probe.limits import ServerChanges
from conformance.probe.requests import Ask
from conformance.probe.workflows import NoWorkflow, built_in, output_class

ROOM: Final = 64 << 20
"""Maximum bytes of response bodies that all active rounds together keep, to check how their jobs went through the
queue.
"""
FUTILE: Final = 3
"""Stop submitting once this many jobs were submitted and none was accepted."""
DEEDS: Final = (Deed.DELETE, Deed.NOTHING, Deed.INTERRUPT)

SendRequest = Callable[[Ask, Leave], Exchange]
"""Sends a request if the permission (the leave) allows it, and returns the exchange."""
Pause = Callable[[float], object]
Clock = Callable[[], float]


class JobRounds:
    """Gives simulated users rounds of jobs: a few jobs to submit and follow.

    At most ``server_changes.jobs`` jobs of this process are in the queue. While a round interrupts a job, this process
    has no other rounds. The same holds for the first round, until one of its jobs has been found in the queue.
    ``why_not`` says why users get no more rounds. ``bare`` permits an interrupt that may stop any running job.
    """

    def __init__(self, server_changes: ServerChanges, clock: Clock, *, bare: bool = False) -> None:
        self.why_not: str | None = None
        self.left: tuple[str, ...] = ()
        self.unknown = 0
        """The number of submissions of which it is unknown whether they were accepted."""
        self._token = new_token()
        """The beginning of the marks in workflows by which the jobs of this process are recognised."""
        self._server_changes = server_changes
        self._clock = clock
        self._bare = bare
        self._workflows = server_changes.workflows
        self._deeds = cycle(DEEDS)
        self._deed = next(self._deeds)
        self._active: dict[Round, Deed] = {}
        self._unsettled: list[Leave] = []
        self._closed = False
        self._submitted = self._taken = 0
        self._refused: int | None = 0
        """How many submissions were refused at the start; None once a submission was accepted."""
        self._read_back = False
        """Whether a response has listed a job of this process."""

    # --- rounds -------------------------------------------------------------------------------------------------------

    def begin(self) -> Round | None:
        """Return a round of jobs for a user to submit and follow, or None if the user should only read the queue."""
        if self._closed or self.why_not is not None:
            return None
        if not self._workflows:
            return None if self._active else self._enter(Leave(), self._choose(), Deed.NOTHING)
        self._read_back = self._read_back or any(entered.leave.seen for entered in self._active)
        alone = not self._read_back or Deed.INTERRUPT in {self._deed, *self._active.values()}
        if self._active and (alone or (len(self._active) + 1) * JOBS > self._server_changes.jobs):
            return None
        deed, self._deed = self._deed, next(self._deeds)
        fast, ends = self._workflows[1:], self._clock() + self._server_changes.job_timeout
        workflows = self._workflows if deed is not Deed.NOTHING or not fast else fast
        leave = Leave(prompts=min(JOBS, self._server_changes.jobs), bare=self._bare, token=self._token + new_token())
        steps = script(leave, workflows, deed, clock=self._clock, ends=ends, first=not self._read_back)
        return self._enter(leave, steps, deed)

    def _enter(self, leave: Leave, steps: Script, deed: Deed) -> Round:
        most = max(1, self._server_changes.jobs // JOBS)
        entered = Round(leave, steps, ROOM // most)
        self._active[entered] = deed
        return entered

    def _choose(self) -> Script:
        """Select built-in workflows whose nodes the server has. The slow workflow comes first."""
        exchange = yield WHICH_NODES
        assert exchange is not None
        try:
            output = output_class(classes_in(exchange))
        except NoWorkflow as missing:
            self.why_not = f"nothing was submitted: {missing}"
            return
        self._workflows = (built_in(output, slow=True), built_in(output, slow=False))

    def note(self, exchange: Exchange) -> None:
        """Record whether a submission was accepted.

        If all of the first submissions are refused, no more jobs are submitted.
        """
        self._submitted += 1
        taken = status(exchange) == OK
        self._taken += taken
        self._refused = None if self._refused is None or taken else self._refused + 1
        if self._refused == FUTILE:
            self.why_not = f"no job was accepted: POST {path(exchange)} {status_in_words(exchange)}"

    def end(self, over: Round) -> None:
        """Record that a round has ended or was stopped."""
        del self._active[over]
        if over.leave.own and not self._read_back:
            self.why_not = self.why_not or why_not_listed(over.leave)
            self._read_back = self.why_not is None
        if not over.settled:
            self._unsettled.append(over.leave)

    def part(self, *, last: bool) -> Own:
        """Return what happened to the submissions since the last call.

        With ``last``, jobs that may still be in the queue are included.
        """
        part = Own(submitted=self._submitted, taken=self._taken, why_not=self.why_not)
        self._submitted = self._taken = 0
        if last:
            part = structs.replace(part, left=self.left, unknown=self.unknown)
            self.left, self.unknown = (), 0
        return part

    # --- removing jobs ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Allow rounds again after ``close``."""
        self._closed = False

    def close(self) -> Leave:
        """Allow no more rounds. Returns the permission to remove the jobs of unfinished rounds."""
        leaves = [*self._unsettled, *(entered.leave for entered in self._active if not entered.settled)]
        self._closed, self._unsettled, self._active = True, [], {}
        joined = Leave.to_remove(leaves, self._token, bare=self._bare)
        if leaves:
            self.left, self.unknown = joined.left, joined.unanswered
        return joined

    def clean_up(self, send: SendRequest, pause: Pause) -> None:
        """Remove the remaining jobs of all rounds. A second call does nothing."""
        leave = self.close()
        if not leave.own and not leave.unanswered:
            return
        removal = Removal(leave)
        try:
            _play(removal.steps(self._clock, self._clock() + CLEAN_UP), leave, send, pause)
        finally:
            self.left = removal.left
            self.unknown = leave.unknown


def _play(steps: Script, leave: Leave, send: SendRequest, pause: Pause) -> None:
    exchange: Exchange | None = None
    with suppress(StopIteration):
        while True:
            step, exchange = steps.send(exchange), None
            if isinstance(step, Ask):
                exchange = send(step, leave)
            else:
                pause(step)
