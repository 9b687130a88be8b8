"""The table of hostile endpoints, and the decorators that add a function to it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, Final

from conformance.reference.message import HangUpError, IncomingRequest, Reply, encode, items
from conformance.reference.queue import Queue, QueueItem

Play = Callable[[IncomingRequest, Reply], AsyncGenerator[bytes, None]]
"""Takes a request and the conforming response, and yields the bytes to send instead."""


@dataclass(frozen=True)
class Hostile:
    """One endpoint. ``verdict`` is that of a run, ``told`` a part of its reason, or the failed clause."""

    name: str
    summary: str
    verdict: str
    told: str
    play: Play

    @property
    def expected(self) -> str:
        """The outcome in words."""
        return f"{self.verdict}: {self.told}" if self.told else self.verdict


HOSTILE: Final[dict[str, Hostile]] = {}
SILENT: Final = "the target did not respond in time"
BROKEN: Final = "the target broke off its response"
LARGE: Final = "the response is too large"


def _enter(function: Callable[..., Any], verdict: str, told: str, play: Play) -> None:
    name = function.__name__.strip("_").replace("_", "-")
    assert name not in HOSTILE, name
    HOSTILE[name] = Hostile(name, " ".join((function.__doc__ or "").split()), verdict, told, play)


def plays(verdict: str, told: str = "") -> Callable[[Play], Play]:
    """Register a generator of the bytes of a response."""

    def register(function: Play) -> Play:
        _enter(function, verdict, told, function)
        return function

    return register


def replies(verdict: str, told: str = "") -> Callable[[Callable[[Reply], Reply]], Callable[[Reply], Reply]]:
    """Register a function that changes 200 responses."""

    def register(function: Callable[[Reply], Reply]) -> Callable[[Reply], Reply]:
        async def play(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
            yield (function(reply) if reply.status == 200 else reply).wire(ask.method)

        _enter(function, verdict, told, play)
        return function

    return register


def bodies(verdict: str, told: str = "") -> Callable[[Callable[[bytes], bytes]], Callable[[bytes], bytes]]:
    """Register a function that changes the JSON text of the queue. It is called once: the response stays the same."""

    def register(function: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        once: list[bytes] = []

        async def play(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
            if reply.status == 200 and not once:
                once.append(function(reply.body))
            yield (reply.having(once[0]) if reply.status == 200 else reply).wire(ask.method)

        _enter(function, verdict, told, play)
        return function

    return register


def items_of(verdict: str, told: str = "") -> Callable[[Callable[[QueueItem], None]], Callable[[QueueItem], None]]:
    """Register a function that changes each item of the queue in place."""

    def register(function: Callable[[QueueItem], None]) -> Callable[[QueueItem], None]:
        def change(body: bytes) -> bytes:
            queue: Queue = json.loads(body)
            for item in items(queue):
                function(item)
            return encode(queue)

        change.__name__, change.__doc__ = function.__name__, function.__doc__
        bodies(verdict, told)(change)
        return function

    return register


OK_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def for_ever(head: bytes, piece: bytes) -> AsyncGenerator[bytes, None]:
    """Send ``piece`` until the client stops reading."""
    yield head
    while True:
        yield piece


async def and_close(wire: bytes, *, reset: bool = False) -> AsyncGenerator[bytes, None]:
    """Send ``wire`` and close the connection."""
    yield wire
    raise HangUpError(reset=reset)
