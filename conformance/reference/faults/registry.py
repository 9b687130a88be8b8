"""The table of faults, and the decorators that enter a function in it: one decorator for each stage of an answer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from conformance.reference.board import Board
from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.message import items as items_of
from conformance.reference.queue import Queue, QueueItem
from conformance.reference.variants import VARIANTS


@dataclass(frozen=True)
class Fault:
    """One lie, told by an endpoint that keeps the contract otherwise.

    ``clause`` is the one that it is meant to break, ``""`` where a run is to be ``inconclusive``
    instead. ``variant`` is what it is told on, where it shows best and breaks least else. A ``hidden`` one
    shows only to requests that the fixed plan does not send, one ``under_load`` only where many are sent at once.
    """

    name: str
    lie: str
    clause: str
    twist: Twist
    variant: str = "default"
    dialect: str = "cloud"
    inconclusive: bool = False
    hidden: bool = False
    under_load: bool = False
    board: type[Board] | None = None
    """What takes jobs, where the lie is in what comes of them."""

    @property
    def needs_key(self) -> bool:
        """Whether the lie can be told only where a key is enforced."""
        return VARIANTS[self.variant].needs_key

    @property
    def needs_jobs(self) -> bool:
        """Whether the lie can be told only of jobs that were submitted."""
        return VARIANTS[self.variant].board is not None


FAULTS: Final[dict[str, Fault]] = {}

When = Callable[[IncomingRequest], bool]
Lists = Callable[[Queue, IncomingRequest], object]
Replies = Callable[[Reply, IncomingRequest], Reply]
Plays = Callable[[bytes], AsyncIterator[bytes]]
ItemChange = Callable[[QueueItem], object]


def always(_ask: IncomingRequest) -> bool:
    """Tell the lie in every answer."""
    return True


def every(count: int) -> When:
    """Tell the lie in every ``count``-th read."""
    return lambda ask: ask.every(count)


def add(name: str, lie: str, clause: str, twist: Twist, **options: Any) -> None:
    """Enter a fault; ``options`` are the other fields of Fault."""
    assert name not in FAULTS, f"two faults are named {name}"
    FAULTS[name] = Fault(name, lie, clause, twist, **options)


def _enter(function: Callable[..., Any], clause: str, twist: Twist, options: dict[str, Any]) -> None:
    lie = " ".join((function.__doc__ or "").split())
    add(function.__name__.strip("_").replace("_", "-"), lie, clause, twist, **options)


def hears(
    clause: str, **options: Any
) -> Callable[[Callable[[IncomingRequest], IncomingRequest]], Callable[[IncomingRequest], IncomingRequest]]:
    """Register a function that changes what was asked."""

    def register(
        function: Callable[[IncomingRequest], IncomingRequest],
    ) -> Callable[[IncomingRequest], IncomingRequest]:
        _enter(function, clause, Twist(hears=function), options)
        return function

    return register


def lists(clause: str, when: When = always, **options: Any) -> Callable[[Lists], Lists]:
    """Register a function that takes the queue and returns what is to be written instead."""

    def register(function: Lists) -> Lists:
        def change(queue: Queue, ask: IncomingRequest) -> object:
            return function(queue, ask) if when(ask) else queue

        _enter(function, clause, Twist(lists=change), options)
        return function

    return register


def each_item(function: ItemChange, which: slice = slice(None), when: When = always) -> Twist:
    """Return the twist that changes items, running before pending: in place, or to what ``function`` returns."""

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
    """Register a function that changes an item in place, or returns another instead; ``which`` of running + pending."""

    def register(function: ItemChange) -> ItemChange:
        _enter(function, clause, each_item(function, which, when), options)
        return function

    return register


def writes(clause: str, **options: Any) -> Callable[[Callable[[bytes], bytes]], Callable[[bytes], bytes]]:
    """Register a function that changes the bytes of the JSON text."""

    def register(function: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        _enter(function, clause, Twist(writes=function), options)
        return function

    return register


def replies(
    clause: str, to: int | None = None, method: str | None = None, when: When = always, **options: Any
) -> Callable[[Replies], Replies]:
    """Register a function that changes whole answers: those whose status would be ``to``, if given, and so on."""

    def register(function: Replies) -> Replies:
        def change(reply: Reply, ask: IncomingRequest) -> Reply:
            meant = to in {None, reply.status} and method in {None, ask.method} and when(ask)
            return function(reply, ask) if meant else reply

        _enter(function, clause, Twist(replies=change), options)
        return function

    return register


def plays(**options: Any) -> Callable[[Plays], Plays]:
    """Register a generator that plays the bytes of an answer to the wire, in its own way. The run is inconclusive."""

    def register(function: Plays) -> Plays:
        _enter(function, "", Twist(plays=function), {"inconclusive": True, **options})
        return function

    return register


def board(clause: str, **options: Any) -> Callable[[type[Board]], type[Board]]:
    """Register a board on which jobs come to grief; the name of the fault is that of the class."""

    def register(cls: type[Board]) -> type[Board]:
        name = re.sub("(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        lie = " ".join((cls.__doc__ or "").split())
        add(name, lie, clause, Twist(), **{"variant": "takes-jobs", "board": cls, **options})
        return cls

    return register
