"""The table of hostile endpoints, and the decorators that add a function to it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Any, Final

from conformance.reference.message import HangUpError, IncomingRequest, Reply, encode, items
from conformance.reference.queue import Queue, QueueItem

Play = Callable[[IncomingRequest, Reply], AsyncGenerator[bytes, None]]
"""A generator of the bytes to send for a request. It also gets the conforming response."""


@dataclass(frozen=True)
class Hostile:
    """One hostile endpoint.

    ``verdict`` is the verdict that a run must give it; ``reason`` is a part of the reason given for the verdict, or the
    id of the failed clause.
    """

    name: str
    summary: str
    verdict: str
    reason: str
    play: Play

    @property
    def expected(self) -> str:
        """The expected verdict, and its reason or failed clause."""
        return f"{self.verdict}: {self.reason}" if self.reason else self.verdict


HOSTILE: Final[dict[str, Hostile]] = {}
SILENT: Final = "the target did not respond in time"
BROKEN: Final = "the target broke off its response"
LARGE: Final = "the response is too large"


def _enter(function: Callable[..., Any], verdict: str, reason: str, play: Play) -> None:
    name = function.__name__.strip("_").replace("_", "-")
    assert name not in HOSTILE, name
    HOSTILE[name] = Hostile(name, " ".join((function.__doc__ or "").split()), verdict, reason, play)


def plays(verdict: str, reason: str = "") -> Callable[[Play], Play]:
    """Register a hostile endpoint: the function yields the bytes that the endpoint sends."""

    def register(function: Play) -> Play:
        _enter(function, verdict, reason, function)
        return function

    return register


def replies(verdict: str, reason: str = "") -> Callable[[Callable[[Reply], Reply]], Callable[[Reply], Reply]]:
    """Register a hostile endpoint: the function changes the endpoint's 200 responses."""

    def register(function: Callable[[Reply], Reply]) -> Callable[[Reply], Reply]:
        async def play(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
            yield (function(reply) if reply.status == 200 else reply).wire(ask.method)

        _enter(function, verdict, reason, play)
        return function

    return register


def bodies(verdict: str, reason: str = "") -> Callable[[Callable[[bytes], bytes]], Callable[[bytes], bytes]]:
    """Register a hostile endpoint: the function changes the JSON text.

    It is called once, and its result is sent every time.
    """

    def register(function: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        once: list[bytes] = []

        async def play(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
            if reply.status == 200 and not once:
                once.append(function(reply.body))
            yield (reply.having(once[0]) if reply.status == 200 else reply).wire(ask.method)

        _enter(function, verdict, reason, play)
        return function

    return register


def items_of(verdict: str, reason: str = "") -> Callable[[Callable[[QueueItem], None]], Callable[[QueueItem], None]]:
    """Register a hostile endpoint: the function changes each job of the queue in place."""

    def register(function: Callable[[QueueItem], None]) -> Callable[[QueueItem], None]:
        def change(body: bytes) -> bytes:
            queue: Queue = json.loads(body)
            for item in items(queue):
                function(item)
            return encode(queue)

        change.__name__, change.__doc__ = function.__name__, function.__doc__
        bodies(verdict, reason)(change)
        return function

    return register


OK_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def for_ever(head: bytes, piece: bytes) -> AsyncGenerator[bytes, None]:
    """Send ``head``, then ``piece`` again and again until the client stops reading."""
    yield head
    while True:
        yield piece


async def and_close(wire: bytes, *, reset: bool = False) -> AsyncGenerator[bytes, None]:
    """Send ``wire`` and close the connection."""
    yield wire
    raise HangUpError(reset=reset)
