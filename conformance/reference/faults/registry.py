"""The table of faults, and one decorator for each stage of a response that a fault can change.

The decorator adds a function to the table.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance.reference.board import Board
from conformance.reference.message import IncomingRequest, Replies, Reply, Twist
from conformance.reference.message import items as items_of
from conformance.reference.queue import Queue, QueueItem
from conformance.reference.variants import VARIANTS


@dataclass(frozen=True)
class Fault:
    """One fault of an endpoint that otherwise conforms.

    ``clause`` is the clause that the fault breaks, or ``""`` if the run must be ``inconclusive`` instead. ``variant``
    is the variant that shows the fault best and breaks the fewest other clauses. A ``hidden`` fault shows only to
    requests that the fixed plan does not send, one ``under_load`` only while many requests are sent at once.
    ``declared`` are parameters that generated requests have only if the user's own document declares them.
    """

    name: str
    summary: str
    clause: str
    twist: Twist
    variant: str = "default"
    dialect: str = "cloud"
    inconclusive: bool = False
    hidden: bool = False
    under_load: bool = False
    declared: tuple[Mapping[str, Any], ...] = ()
    board: type[Board] | None = None
    """The class of queue that has the fault, if the fault is in how jobs are accepted, run or removed."""

    @property
    def needs_key(self) -> bool:
        """Whether the fault needs a server that requires a key."""
        return VARIANTS[self.variant].needs_key

    @property
    def needs_jobs(self) -> bool:
        """Whether the fault shows only if jobs are submitted."""
        return VARIANTS[self.variant].board is not None


FAULTS: Final[dict[str, Fault]] = {}

When = Callable[[IncomingRequest], bool]
Lists = Callable[[Queue, IncomingRequest], object]
Plays = Callable[[bytes], AsyncIterator[bytes]]
ItemChange = Callable[[QueueItem], object]


def always(_ask: IncomingRequest) -> bool:
    """Return True: the fault applies to every request."""
    return True


def every(count: int) -> When:
    """Return a condition: the fault applies to every ``count``-th GET."""
    return lambda ask: ask.every(count)


def add(name: str, summary: str, clause: str, twist: Twist, **options: Any) -> None:
    """Add a fault to the table. ``options`` are the other fields of Fault."""
    if name in FAULTS:
        raise TypeError(f"two faults are named {name}: give one of them another name")
    if not summary:
        raise TypeError(f"the fault {name} has no docstring: say in one sentence what the server does")
    FAULTS[name] = Fault(name, summary, clause, twist, **options)


def _enter(function: Callable[..., Any], clause: str, twist: Twist, options: dict[str, Any]) -> None:
    summary = " ".join((function.__doc__ or "").split())
    own = {"name": function.__name__.strip("_").replace("_", "-")}
    add(summary=summary, clause=clause, twist=twist, **{**own, **options})


def hears(
    clause: str, **options: Any
) -> Callable[[Callable[[IncomingRequest], IncomingRequest]], Callable[[IncomingRequest], IncomingRequest]]:
    """Register a fault that changes the request before the endpoint sees it."""

    def register(
        function: Callable[[IncomingRequest], IncomingRequest],
    ) -> Callable[[IncomingRequest], IncomingRequest]:
        _enter(function, clause, Twist(hears=function), options)
        return function

    return register


def lists(clause: str, when: When = always, **options: Any) -> Callable[[Lists], Lists]:
    """Register a fault that changes the queue. The function returns the value that is encoded as JSON instead."""

    def register(function: Lists) -> Lists:
        def change(queue: Queue, ask: IncomingRequest) -> object:
            return function(queue, ask) if when(ask) else queue

        _enter(function, clause, Twist(lists=change), options)
        return function

    return register


def each_item(function: ItemChange, which: slice = slice(None), when: When = always) -> Twist:
    """Return a Twist that calls ``function`` with each selected job.

    It changes the job in place or returns another value. ``which`` is a slice of the running jobs followed by the
    pending jobs.
    """

    def change(queue: Queue, ask: IncomingRequest) -> Queue:
        chosen = [id(item) for item in items_of(queue)[which]] if when(ask) else []
        for items in queue.values():
            for index, item in enumerate(items):
                if id(item) in chosen:
                    changed = function(item)
                    items[index] = item if changed is None else changed
        return queue

    return Twist(lists=change)


def items(
    clause: str, which: slice = slice(None), when: When = always, **options: Any
) -> Callable[[ItemChange], ItemChange]:
    """Register a fault that changes or replaces jobs.

    ``which`` is a slice of the running jobs followed by the pending jobs.
    """

    def register(function: ItemChange) -> ItemChange:
        _enter(function, clause, each_item(function, which, when), options)
        return function

    return register


def replies(
    clause: str, to: int | None = None, method: str | None = None, when: When = always, **options: Any
) -> Callable[[Replies], Replies]:
    """Register a fault that changes responses.

    If given, ``to`` limits it to one status, and ``method`` to one request method.
    """

    def register(function: Replies) -> Replies:
        def change(reply: Reply, ask: IncomingRequest) -> Reply:
            meant = to in {None, reply.status} and method in {None, ask.method} and when(ask)
            return function(reply, ask) if meant else reply

        _enter(function, clause, Twist(replies=change), options)
        return function

    return register


def plays(**options: Any) -> Callable[[Plays], Plays]:
    """Register a fault of how the bytes of a response are sent. Runs against it are inconclusive."""

    def register(function: Plays) -> Plays:
        _enter(function, "", Twist(plays=function), {"inconclusive": True, **options})
        return function

    return register


def board(clause: str, **options: Any) -> Callable[[type[Board]], type[Board]]:
    """Register a class of queue that has a fault. The fault is named after the class."""

    def register(cls: type[Board]) -> type[Board]:
        own = {"name": re.sub("(?<!^)(?=[A-Z])", "-", cls.__name__).lower(), "variant": "takes-jobs", "board": cls}
        summary = " ".join((cls.__doc__ or "").split())
        add(summary=summary, clause=clause, twist=Twist(), **{**own, **options})
        return cls

    return register
