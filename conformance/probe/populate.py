"""``--populate``: submit jobs, follow them through the queue, and remove them.

Submitted jobs are always removed: also after a failure, at the deadline, and if the user stops the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from itertools import count
from typing import Any, Final, TypeVar

from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.contract.clauses.lifecycle_stop import INTERRUPT_GRACE
from conformance.contract.conversation import OK
from conformance.exchange.model import Exchange, Operation
from conformance.exchange.transcript import Populated
from conformance.probe.asker import Asker, Stopped, gather_all
from conformance.probe.client import Client, OutOfTime
from conformance.probe.jobs import (
    ARRIVAL,
    CLEAN_UP,
    FIRST_POLL,
    LAST_POLL,
    THE_JOBS,
    WHICH_NODES,
    Removal,
    classes_in,
    deletable,
    interrupt,
    left_behind,
    manage,
    path,
    read_back,
    status,
    status_in_words,
    stop_running,
    submit,
    why_not_listed,
)
from conformance.probe.leave import Leave, ListedJob
from conformance.probe.limits import TO_BE_REFUSED, ServerChanges
from conformance.probe.pace import BRIEFLY
from conformance.probe.requests import Ask, other
from conformance.probe.workflows import (
    TEXT,
    NoWorkflow,
    Workflow,
    as_frontend,
    built_in,
    output_class,
    refused,
    unique,
)

T = TypeVar("T")
SLOW: Final = 2
"""Number of slow jobs. The first keeps the other jobs pending. The second does so once the first was stopped."""
PRIORITIES: Final[dict[int, dict[str, Any]]] = {3: {"number": -1}, 5: {"front": True}}
"""Members that are added to the requests that submit some jobs. The keys are positions of jobs, counted from 0."""
FRONTEND: Final = 2
"""Which job, counted from 0, is submitted in the way of ComfyUI's own frontend."""
WRITTEN: Final = 4
"""Which job, counted from 0, has a workflow with text from every plane of Unicode."""
BESIDE: Final = 12
"""Maximum number of GETs of the queue that are sent concurrently with the submissions."""
LOOKS: Final = 5
"""While jobs are followed, one GET of the list of jobs (GET /api/jobs) follows each this many GETs of the queue."""

Plan = Callable[[], Awaitable[str | None]]
Say = Callable[[str], None]
"""Prints one line that the user must see at once, such as the jobs that a run left in the queue."""


def leave_for(server_changes: ServerChanges, *, loopback: bool) -> Leave:
    """Return the user's permission to change this server. ``loopback`` says that the server is on this machine."""
    prompts = server_changes.jobs + TO_BE_REFUSED if server_changes.populate else 0
    return Leave(prompts=prompts, clear=server_changes.clear, bare=server_changes.interrupt or loopback)


class Populating:
    """One run that submits or removes jobs. ``plan`` sends the other requests. ``say`` prints a line for the user."""

    def __init__(  # noqa: PLR0913 - each comes from another part of a run
        self,
        client: Client,
        server_changes: ServerChanges,
        plan: Plan,
        say: Say,
        *,
        max_requests: int,
        priorities: bool,
    ) -> None:
        assert client.leave is not None
        self.client = client
        self.leave = client.leave
        self.server_changes = server_changes
        self.plan = plan
        self.say = say
        self.left: tuple[str, ...] = ()
        self._priorities = priorities
        self._ask = Asker(client, max_requests)
        self._submitted: list[Exchange] = []
        self._settled = 0.0

    @property
    def outcome(self) -> Populated:
        """How many jobs were submitted and accepted, and which of them could not be removed."""
        taken = sum(status(exchange) == OK for exchange in self._submitted)
        return Populated(len(self._submitted), taken, self.left)

    async def run(self) -> str | None:
        """Submit jobs, send the requests of the plan, and test all operations on jobs.

        Returns why the run stopped early, or None if it did not.
        """
        followed = False
        try:
            why = await self._until_stopped(self._fill) if self.server_changes.populate else None
            stopped = await self.plan()
            if why is None and stopped is None:
                why = await self._until_stopped(self._finish if self.server_changes.populate else self._change_nothing)
                followed = why is None and self._none_left()
                why = why or await self._until_stopped(self._malformed)
            return why or stopped
        finally:
            if self.server_changes.populate:
                await self._clean_up(followed=followed)

    async def _until_stopped(self, step: Callable[[], Awaitable[None]]) -> str | None:
        try:
            await step()
        except Stopped as stopped:
            return str(stopped)
        return None

    # --- filling ------------------------------------------------------------------------------------------------------

    async def _fill(self) -> None:
        before = await self._read("before writing")
        if before is None or self.leave.listed is None:
            raise Stopped("nothing was submitted, because the queue could not be read")
        await self._counted()
        await self._compared()
        workflows = self.server_changes.workflows or await self._built_in()
        done = asyncio.Event()
        await gather_all([self._submit_all(workflows, done), self._read_beside(done)])
        if not self.leave.own:
            raise Stopped(f"no job was accepted: POST {path(self._submitted[0])} {status_in_words(self._submitted[0])}")
        await self._poll("until a job is listed", self._settled, lambda: self.leave.seen)
        await self._counted()
        await self._compared()
        await self._change_nothing()
        await self._delete_one()
        await self._interrupt()

    async def _built_in(self) -> tuple[Workflow, ...]:
        """Return the built-in workflows, slow ones first, with nodes that the server has."""
        try:
            output = output_class(classes_in(await self._ask(WHICH_NODES)))
        except NoWorkflow as missing:
            raise Stopped(f"nothing was submitted: {missing}") from None
        return *[built_in(output, slow=True)] * SLOW, built_in(output, slow=False)

    async def _submit_all(self, workflows: tuple[Workflow, ...], done: asyncio.Event) -> None:
        """Submit the jobs in turn, each followed by a GET of the queue; then submit two that should be refused."""
        try:
            for number in range(self.server_changes.jobs):
                graph = workflows[
                    number % len(workflows) if self.server_changes.workflows else min(number, len(workflows) - 1)
                ]
                members = self._members(number)
                aside = as_frontend(graph, self.leave.token * 2) if number == FRONTEND else {}
                text = TEXT if number == WRITTEN else ""
                what = f"submit job {number + 1}" + "".join(f", {name} {value}" for name, value in members.items())
                what += ", as ComfyUI's frontend does" if aside else ""
                exchange = await self._submit(what, graph, text=text, **members, **aside)
                if status(exchange) != OK and not self.leave.own:
                    return
                await self._read("after submitting")
                if number == 0:
                    await self._read_back()
            await self._submit("submit a workflow that cannot run", None)
            await self._read("after submitting")
            again = next((job.id for job in reversed(self.leave.listed or ()) if job.own and job.pending), None)
            if again is not None:
                await self._submit("submit the prompt_id of another job", workflows[-1], prompt_id=again)
            await self._read("after submitting")
        finally:
            done.set()

    async def _read_back(self) -> None:
        """Wait until a GET of the queue lists the first job.

        Raises Stopped if no GET lists it and the job has not ended.
        """
        await self._play(read_back(self.leave, self.client.monotonic), self._ask)
        if (why := why_not_listed(self.leave)) is not None:
            reads = {one.response.body for one in self.client.ledger if one.request.usual and one.response}
            same = " (every GET of the queue returned the same bytes, perhaps from a cache)" if len(reads) == 1 else ""
            raise Stopped(why + same)

    def _members(self, number: int) -> dict[str, Any]:
        """Return additional members for a submission: some jobs get a priority, if no other user's job is queued."""
        if not self._priorities or not self.leave.alone:
            return {}
        return PRIORITIES.get(number, {})

    async def _submit(self, what: str, graph: Workflow | None, *, text: str = "", **members: Any) -> Exchange:
        mark = f"{self.leave.token}-{len(self._submitted) + 1}"
        made = refused(mark) if graph is None else unique(graph, mark, text=text)
        try:
            exchange = await self._ask(submit(what, made, **members))
        finally:
            self._settled = self.client.monotonic() + ARRIVAL
        self._submitted.append(exchange)
        return exchange

    async def _read_beside(self, done: asyncio.Event) -> None:
        for _ in range(BESIDE):
            if done.is_set():
                return
            await self._ask(Ask("read while jobs are submitted"))
            await self.client.sleep(FIRST_POLL)

    # --- changing -----------------------------------------------------------------------------------------------------

    async def _change_nothing(self) -> None:
        """Send requests to remove jobs that should have no effect: an unknown id, and ``clear: false``."""
        await self._read("before a request that changes nothing")
        for ask in (
            manage("delete an id that no job has", delete=[self.leave.make_up_id()]),
            manage("clear: false", clear=False),
        ):
            await self._ask_between_reads(ask)

    async def _malformed(self) -> None:
        """Send malformed requests.

        They come last, because they may crash a server, and its queue would then be lost.
        """
        await self._ask_between_reads(other("delete, cut off", Operation.MANAGE, MALFORMED[0]))
        await self._ask_between_reads(other("delete a number", Operation.MANAGE, MALFORMED[1]))

    async def _ask_between_reads(self, ask: Ask) -> None:
        await self._ask(ask)
        await self._read("after a request that changes nothing")
        await self._read("after a request that changes nothing")

    async def _delete_one(self) -> None:
        """Delete a pending job that does not run next. When it has left the queue, send the same request again."""
        await self._read("before deleting")
        once = deletable(self.leave)
        if not once:
            return
        for what in ("delete a pending job", "delete a job that is gone"):
            await self._ask(manage(what, delete=[once[len(once) // 2]]))
            await self._read("after deleting")
            await self._read("after deleting")

    async def _interrupt(self) -> None:
        """Stop the run's running job and wait until it is gone, but only if no other job can be stopped by mistake."""
        await self._read("before interrupting")
        running = self.leave.own_listed(pending=False)
        if not running:
            return
        if self.leave.may_interrupt:
            await self._ask(interrupt("interrupt what runs", running[0]))
        elif not await self._play(stop_running(self.leave, running[0], "stop what runs"), self._ask):
            return
        ends = self.client.monotonic() + INTERRUPT_GRACE + LAST_POLL
        await self._poll("after interrupting", ends, lambda: running[0] not in self.leave.own_listed(pending=False))
        await self._read("after interrupting")

    async def _finish(self) -> None:
        """Follow the remaining jobs until they have ended, and send the requests that need an idle queue."""
        await self._compared()
        clear = self.server_changes.clear and await self._read("before clearing") is not None
        if clear and self.leave.alone and self.leave.own_listed(pending=True):
            await self._ask(manage("clear", clear=True))
            await self._read("after clearing")
        ends = self.client.monotonic() + self.server_changes.job_timeout
        await self._poll("until the jobs have ended", ends, self._none_left)
        if not self.leave.own_listed():
            await self._compared()
            await self._read("before interrupting nothing")
            idle = self.leave.listed == () and not self.leave.shared and self.leave.interrupts
            if idle and self.leave.own and self.leave.may_interrupt:
                await self._ask(interrupt("interrupt while no job runs", min(self.leave.own.values())))
        await self._read("at the end")

    # --- reading the queue --------------------------------------------------------------------------------------------

    async def _read(self, why: str) -> Exchange | None:
        """Send a GET of the queue. Returns the exchange, or None if the status is not 200."""
        exchange = await self._ask(Ask(f"read {why}"))
        return exchange if status(exchange) == OK else None

    async def _poll(self, why: str, ends: float, over: Callable[[], bool]) -> None:
        """Send GETs of the queue until ``over()`` is true or the time is ``ends``, faster while the queue changes."""
        pause, before = FIRST_POLL, self._own()
        for number in count(1):
            if over() or self.client.monotonic() >= ends:
                return
            await self.client.sleep(pause)
            if number % LOOKS == 0:
                await self._ask(THE_JOBS)
            if await self._read(why) is None:
                return
            pause = FIRST_POLL if self._own() != before else min(2 * pause, LAST_POLL)
            before = self._own()

    async def _counted(self) -> None:
        """Send GET /api/prompt, which has the number of remaining jobs, between two GETs of the queue."""
        await self._read("before counting")
        await self._ask(other("how many jobs remain", Operation.COUNT))
        await self._read("after counting")

    async def _compared(self) -> None:
        """Send GET /api/jobs between two GETs of the queue."""
        await self._read("before the list of jobs")
        await self._ask(THE_JOBS)
        await self._read("after the list of jobs")

    def _own(self) -> list[ListedJob]:
        return [job for job in self.leave.listed or () if job.own]

    def _none_left(self) -> bool:
        """Whether the queue lists no job of the run, and no job of the run can be moving from one list to the other."""
        now = self.client.monotonic()
        if self.leave.own_listed(pending=True):
            self._settled = now + ARRIVAL
        on_their_way = self.leave.waiting or self.leave.unanswered
        return not self._own() and (not on_their_way or now >= self._settled)

    # --- removing -----------------------------------------------------------------------------------------------------

    async def _clean_up(self, *, followed: bool) -> None:
        """Remove the run's remaining jobs, and print what could not be removed."""
        if not (self._submitted or self.leave.own or self.leave.unanswered):
            return
        removal = Removal(self.leave)
        self.client.extend(max(0.0, CLEAN_UP - self.client.left))
        self.client.pace.longest = BRIEFLY
        try:
            with suppress(OutOfTime):
                ends = self.client.monotonic() + CLEAN_UP
                await self._play(removal.steps(self.client.monotonic, ends, followed=followed), self.client.ask)
        finally:
            self.left = removal.left
            self._tell()

    async def _play(
        self, script: Generator[Ask | float, Exchange | None, T], ask: Callable[[Ask], Awaitable[Exchange]]
    ) -> T:
        """Send the requests of a generator with ``ask``, and return the generator's result."""
        exchange: Exchange | None = None
        while True:
            try:
                step = script.send(exchange)
            except StopIteration as over:
                returned: T = over.value
                return returned
            exchange = None
            if isinstance(step, Ask):
                exchange = await ask(step)
            else:
                await self.client.sleep(step)

    def _tell(self) -> None:
        for line in left_behind(self.left, self.leave.unknown):
            self.say(line)
