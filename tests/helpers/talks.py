"""One client talks with one server that plays a part."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from conformance.exchange.model import Exchange, NoResponse
from conformance.exchange.secrets import Secret
from conformance.probe.client import Client
from conformance.probe.limits import Bounds
from conformance.probe.requests import Ask
from helpers.servers import accepting

READ = Ask("read")
KEY = 'sesame"<&>/+%\\~-42'
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
QUICK = Bounds(exchange_timeout=0.3, connect_timeout=0.3)
"""For servers that never finish: how long we wait is what the test takes."""
USUAL = Bounds(exchange_timeout=60, connect_timeout=60)

Play = Callable[["Wire"], Awaitable[None]]


@dataclass
class Wire:
    """One connection as the server sees it; ``number`` counts connections from 1."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    heard: list[bytes]

    async def hear(self) -> bytes:
        """Wait for the next request."""
        request = await self.reader.readuntil(b"\r\n\r\n")
        self.heard.append(request)
        return request

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Talk:
    """What came of asking a server."""

    ledger: list[Exchange]
    answers: list[Exchange]
    heard: list[bytes] = field(default_factory=list)

    @property
    def faults(self) -> list[NoResponse | None]:
        return [fault(exchange) for exchange in self.ledger]


def fault(exchange: Exchange) -> NoResponse | None:
    return None if exchange.problem is None else exchange.problem.fault


async def talking(  # noqa: PLR0913 - each is something that some test turns
    play: Play, asks: Sequence[Ask], key: str | None, bounds: Bounds, path: str, *, at_once: bool
) -> Talk:
    heard: list[bytes] = []
    numbers = count(1)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(Wire(reader, writer, next(numbers), heard))

    async with asyncio.timeout(60), accepting(connected) as port:
        async with Client(f"http://127.0.0.1:{port}{path}", None if key is None else Secret(key), bounds) as client:
            if at_once:
                answers = await asyncio.gather(*(client.ask(ask) for ask in asks))
            else:
                answers = [await client.ask(ask) for ask in asks]
        return Talk(client.ledger, answers, heard)


def talk(
    play: Play,
    *asks: Ask,
    key: str | None = None,
    bounds: Bounds = USUAL,
    path: str = "/api/queue",
    at_once: bool = False,
) -> Talk:
    return asyncio.run(talking(play, asks or (READ,), key, bounds, path, at_once=at_once))


def always(answer: bytes) -> Play:
    """Answer every request of every connection so."""

    async def play(wire: Wire) -> None:
        while True:
            await wire.hear()
            await wire.say(answer)

    return play


def once(answer: bytes) -> Play:
    """Answer the first request of each connection so, and close it."""

    async def play(wire: Wire) -> None:
        await wire.hear()
        await wire.say(answer)

    return play


def reply(body: bytes, *headers: str) -> bytes:
    head = "\r\n".join(("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n\r\n" + body


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
