"""Requests that submit, remove and list jobs, and the removal of the run's own jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterator
from typing import Any, Final

from conformance.contract.conversation import NOT_NOW, OK
from conformance.exchange.model import Exchange, Operation
from conformance.probe.leave import Leave, nameable
from conformance.probe.requests import Ask, other
from conformance.probe.workflows import Workflow
from conformance.text.safe import printable

FIRST_POLL, LAST_POLL = 0.05, 1.0
"""First and longest pause in seconds between two GETs of the queue. The pause grows while the queue does not change."""
THE_JOBS: Final = other("the list of jobs", Operation.JOBS, query="limit=1000")
WHICH_VERSION: Final = other("version of ComfyUI", Operation.STATS)
WHICH_NODES: Final = other("list of node classes", Operation.NODES)
READ_BACK: Final = 5.0
"""Seconds within which a GET of the queue must list the first submitted job. Until then, no other job is submitted."""
ARRIVAL: Final = 3.0
"""Seconds for which an existing job may be in neither list, because a cache responds or because the job is starting."""
CLEAN_UP: Final = 15.0
"""Seconds after its deadline that a run may spend on removing its jobs."""
TRIES: Final = 25
"""Maximum number of GETs of the queue while jobs are removed."""

Script = Generator[Ask | float, Exchange | None, None]
"""A generator of requests. It yields a request or a pause in seconds, and receives the exchange of each request."""


def submit(what: str, graph: Workflow, **members: Any) -> Ask:
    """Return the request that submits a workflow. ``what`` is its purpose. ``members`` are added to its body."""
    body = json.dumps({"prompt": graph, **members}, ensure_ascii=False).encode()
    return other(what, Operation.SUBMIT, body)


def manage(what: str, **members: Any) -> Ask:
    """Return the POST of the queue that removes jobs.

    ``members`` are those of its body: ``delete``, a list of ids, or ``clear``, true or false.
    """
    return other(what, Operation.MANAGE, json.dumps(members).encode())


def interrupt(what: str, prompt_id: str) -> Ask:
    """Return the request that interrupts the running job."""
    return other(what, Operation.INTERRUPT, json.dumps({"prompt_id": prompt_id}).encode())


def cancel(what: str, prompt_id: str) -> Ask:
    """Return the request that cancels one job, pending or running."""
    return other(what, Operation.CANCEL, job=prompt_id)


def stop_running(leave: Leave, name: str, what: str) -> Generator[Ask | float, Exchange | None, bool]:
    """Yield the requests that stop a running job of the run: a cancel with its id, or an interrupt.

    An interrupt is sent only if it cannot stop another user's job. Returns whether a request was possible.
    """
    if leave.cancels is not False and nameable(name):
        yield cancel(f"{what}: cancel", name)
        if leave.cancels:
            return True
        yield Ask("read before interrupting")
    if not leave.may_interrupt and leave.interrupts_by_id is None:
        yield WHICH_VERSION
    if leave.may_interrupt and leave.interrupts:
        yield interrupt(f"{what}: interrupt", name)
        return True
    return False


def status(exchange: Exchange | None) -> int | None:
    """Return the status of the response, None without an exchange or a response."""
    return None if exchange is None else exchange.status


def json_of(exchange: Exchange | None) -> Any:
    """Return the parsed body of a response, None without a response or if it is not JSON."""
    try:
        return json.loads(exchange.response.content) if exchange is not None and exchange.response is not None else None
    except (ValueError, RecursionError):
        return None


def classes_in(exchange: Exchange) -> Collection[str] | None:
    """Return the node classes in a response of GET /api/object_info, or None if it does not list any."""
    known = json_of(exchange)
    return known.keys() if isinstance(known, dict) and known and status(exchange) == OK else None


def path(exchange: Exchange) -> str:
    """Return the path of a request's URL."""
    return "/" + exchange.request.url.split("/", 3)[3]


def status_in_words(exchange: Exchange) -> str:
    """Return the result of a request in words for a message: ``got a 400``, or ``got no response``."""
    return "got no response" if status(exchange) is None else f"got a {status(exchange)}"


def deletable(leave: Leave) -> list[str]:
    """Return the ids of the run's pending jobs, except the job listed first and ids that are listed twice."""
    waiting = leave.own_listed(pending=True)
    return [name for name in waiting[1:] if waiting.count(name) == 1]


def read_back(leave: Leave, clock: Callable[[], float]) -> Script:
    """Yield GETs of the queue until the first job is listed or ``READ_BACK`` is over, then a GET of the list of jobs.

    The list of jobs may say that the job has already ended.
    """
    ends, pause = clock() + READ_BACK, FIRST_POLL
    while not leave.there and clock() < ends:
        yield pause
        yield Ask("read until the first job is listed")
        pause = min(2 * pause, LAST_POLL)
    if not leave.there:
        yield THE_JOBS


def why_not_listed(leave: Leave) -> str | None:
    """Return why no more jobs are submitted: the queue does not list the first job.

    None if it did, or if that job has ended.
    """
    if leave.seen or leave.own.keys() & leave.ended:
        return None
    how = "in a format that cannot be read" if leave.there else "nowhere"
    return f"no more jobs were submitted: the queue lists the first one {how}"


def left_behind(left: Collection[str], unknown: int) -> Iterator[str]:
    """Yield lines for the user about jobs that could not be removed, and about prompts with an unknown outcome."""
    if left:
        named = printable(", ".join(left), 2000)
        yield f"could not be removed, and may still be in the queue: {named}"
    if unknown:
        yield f"{unknown} submissions got no usable response: check whether their jobs are in the queue"


class Removal:
    """Removes the run's own jobs. ``left`` has the ids of the jobs that may still be in the queue."""

    def __init__(self, leave: Leave) -> None:
        self.leave = leave
        self.left = leave.left
        self._deleted = False
        """Whether a delete was sent for jobs that the queue did not list as pending."""

    def steps(self, clock: Callable[[], float], ends: float, *, followed: bool = False) -> Script:
        """Yield requests that delete pending jobs and stop the running job, until the queue lists no job of the run.

        Jobs of other users are never affected. ``ends`` is the time to give up, in seconds of ``clock``. If the queue
        cannot be read, the jobs that may be in it are deleted by their ids: once, or repeatedly if the server says to
        try again later. A job that is in neither list, and was last seen pending or was never seen, may be moving
        between the lists: it is deleted by its id, and the requests continue until it is gone. If all jobs were
        ``followed`` to their end, only jobs that were never listed are deleted.
        """
        gone_by, before, pause = None, None, FIRST_POLL
        expected: list[str] = []
        for _ in range(TRIES):
            read = yield Ask("read before cleaning up")
            if status(read) != OK or self.leave.listed is None:
                look_again = yield from self._remove_unseen(status(read))
                if not look_again or clock() >= ends:
                    return
                yield LAST_POLL
                continue
            found = self.leave.own_listed()
            if not found and not expected and (expected := self._not_listed(followed=followed)):
                yield manage("clean up: delete", delete=expected)
                if followed:
                    self.left = self._hidden()
                    return
                continue
            missing = bool(expected) or self.leave.unanswered > 0
            on_their_way = missing and not found and not followed and (gone_by is None or clock() < gone_by)
            self.left = tuple(expected) if on_their_way else (*found, *self._hidden())
            if not (found or on_their_way) or clock() >= ends:
                return
            if on_their_way:
                gone_by = clock() + ARRIVAL if gone_by is None else gone_by
                yield ARRIVAL / 10
                continue
            gone_by, expected = None, []
            waiting = self.leave.own_listed(pending=True)
            yield from self._remove_seen(found, waiting)
            grown = min(2 * pause, LAST_POLL) if found == before else FIRST_POLL  # a cache may list it for a while
            pause, before = grown if waiting else LAST_POLL, found
            yield pause

    def _remove_unseen(self, read: int | None) -> Generator[Ask | float, Exchange | None, bool]:
        """Yield a delete for the jobs that may be in the queue, after a GET that did not return the queue.

        ``read`` is the status of that GET. Returns whether to send another GET.
        """
        deleted: Exchange | None = None
        first = not self._deleted and bool(self.left)
        if self.left:
            self._deleted = True
            deleted = yield manage("clean up: delete", delete=list(self.left))
        return read in NOT_NOW or (first and status(deleted) == OK)

    def _remove_seen(self, found: list[str], waiting: list[str]) -> Script:
        """Yield requests that delete the pending jobs or stop the running job.

        If it cannot be stopped, try to delete it once.
        """
        if waiting:
            yield manage("clean up: delete", delete=[*waiting, *self._hidden()])
            return
        stopped = yield from stop_running(self.leave, found[0], "clean up")
        if not stopped and not self._deleted:
            self._deleted = True
            yield manage("clean up: delete", delete=found)

    def _not_listed(self, *, followed: bool) -> list[str]:
        """Return the ids of the run's jobs that may exist although the last GET of the queue does not list them."""
        names = self.leave.unlisted if followed else self.leave.unlisted | self.leave.waiting
        return sorted(self.leave.own[name] for name in names)

    def _hidden(self) -> tuple[str, ...]:
        """Return the ids of the run's jobs that may still exist although no GET of the queue ever listed them."""
        return tuple(sorted(self.leave.own[name] for name in self.leave.unlisted))
