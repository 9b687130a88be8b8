"""The reference endpoint: a conforming ``GET /api/queue``, changed by a variant and, if given, by a fault.

If the variant accepts jobs, the endpoint also has the operations that submit and remove jobs.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from conformance.reference.board import Board
from conformance.reference.door import Doorkeeper
from conformance.reference.faults import Fault
from conformance.reference.message import HangUpError, IncomingRequest, Reply, Twist, encode
from conformance.reference.operations import operation
from conformance.reference.queue import MovingQueue
from conformance.reference.variants import Variant


class Reference:
    """The endpoint without its network: ``answer`` returns the response to a request."""

    def __init__(  # noqa: PLR0913 - one parameter for each setting
        self,
        variant: Variant,
        fault: Fault | None = None,
        *,
        path: str = "/api/queue",
        key: str | None = None,
        period: float | None = None,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        bodies: Iterator[bytes] | None = None,
    ) -> None:
        """Serve the queue at ``path``. ``period`` (between new jobs) and ``clock`` are in seconds.

        If ``bodies`` is given, it must be endless. Each GET then gets the next body instead of the queue, and a HEAD
        gets the headers of the GET that follows.
        """
        self.path = path
        self.key = key
        self.reads = 0
        self.writing = 0
        """The number of POST requests in progress."""
        self.transports: WeakSet[asyncio.BaseTransport] = WeakSet()
        self._twists: list[Twist] = [variant.twist] + ([fault.twist] if fault else [])
        self._clock = clock
        self._started = clock()
        self._still = variant.still
        self._door = Doorkeeper(variant.door, self._started)
        self._bodies = bodies
        self._next: bytes | None = None
        board = (fault.board if fault else None) or variant.board
        self.board: Board | None = None if board is None else board(self._started, seed)
        self._queue = MovingQueue.full(self._started, period or variant.period, variant.waiting, variant.running, seed)

    def answer(self, ask: IncomingRequest) -> Reply:
        """Return the response to one request. Raises HangUpError if the connection is to be closed instead."""
        now = self._clock()
        connections = sum(not transport.is_closing() for transport in self.transports)
        ask = replace(ask, key=self.key, now=now, read=self.reads, connections=connections, writing=self.writing)
        for twist in self._twists:
            ask = twist.hears(ask) if twist.hears else ask
        # Date and the queue use the same clock, so that a test that drives it sees consistent times.
        general = {"Date": formatdate(ask.now, usegmt=True), "Server": "comfy-reference", "Cache-Control": "no-store"}
        if self.board is not None:
            self.board.advance(ask.now)
        blank = Reply(headers=general)
        reply = self._door.refusal(ask, blank) or self._refusal(ask, blank)
        if reply is None:
            self.reads += ask.method == "GET"
            ask = replace(ask, read=self.reads)
            reply = Reply(headers=general).json(200, None).having(self._text(ask))
        for twist in self._twists:
            reply = twist.replies(reply, ask) if twist.replies else reply
        if self.board is not None and self.board.dead:
            raise HangUpError
        return reply

    async def play(self, wire: bytes) -> AsyncIterator[bytes]:
        """Yield the bytes to send for the response ``wire``. Raises HangUpError where the connection must be closed."""
        for twist in reversed(self._twists):
            if twist.plays:
                async for piece in twist.plays(wire):
                    yield piece
                return
        yield wire

    def _refusal(self, ask: IncomingRequest, blank: Reply) -> Reply | None:
        """Return the response to a request that must not get the queue; None if the request may get the queue."""
        methods = "GET, HEAD, OPTIONS" if self.board is None else "GET, HEAD, OPTIONS, POST"
        other = None if self.board is None else operation(self.board, ask, blank, self.path)
        if other is None and ask.path != self.path:
            return blank.error(404, "This path does not exist.")
        if ask.method == "OPTIONS":  # before the key is checked: a browser's preflight cannot send one
            return replace(blank, status=204).having(allow=methods)
        if other is None and ask.method not in {"GET", "HEAD"}:
            return blank.error(405, "This method is not allowed.", allow=methods)
        if self.key is not None and ask.header("x-api-key") != self.key:
            return blank.error(401, "X-API-Key must have a valid key.", www_authenticate='ApiKey realm="comfy"')
        try:
            _ = urlsplit(ask.header("origin") or "").port
        except ValueError:
            return blank.error(400, "Origin is malformed.")
        return None if other is None else other()

    def _text(self, ask: IncomingRequest) -> bytes:
        """Return the queue as JSON text."""
        body = self._queue_text(ask) if self._bodies is None else self._next_body(ask, self._bodies)
        for twist in self._twists:
            body = twist.writes(body) if twist.writes else body
        return body

    def _queue_text(self, ask: IncomingRequest) -> bytes:
        document: Any
        if self.board is not None:
            document = self.board.snapshot()
        else:
            document = self._queue.snapshot(self._started if self._still else ask.now)
        for twist in self._twists:
            document = twist.lists(document, ask) if twist.lists else document
        return encode(document)

    def _next_body(self, ask: IncomingRequest, bodies: Iterator[bytes]) -> bytes:
        body = next(bodies) if self._next is None else self._next
        self._next = None if ask.method == "GET" else body
        return body


class _VerbatimResponse(web.StreamResponse):
    """A response that is sent exactly as the endpoint wrote it. aiohttp only parses requests and keeps connections."""

    def __init__(self, pieces: AsyncIterator[bytes], *, keeps: bool) -> None:
        super().__init__()
        self._pieces = pieces
        self._keep_open = keeps

    @property
    def keep_alive(self) -> bool:
        return self._keep_open

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        try:
            async for piece in self._pieces:
                if request.transport is None:
                    raise ConnectionResetError
                request.transport.write(piece)
                await request.writer.drain()
                await asyncio.sleep(0)  # a fast reader never makes the writer wait, but other tasks need a turn
        except HangUpError as hang_up:
            self._keep_open = False
            if hang_up.reset and request.transport is not None:
                # With a linger time of 0, closing the socket sends RST instead of FIN.
                connection = request.transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                request.transport.abort()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        pass


async def _nothing(hang_up: HangUpError) -> AsyncIterator[bytes]:
    yield b""
    raise hang_up


def handler(
    reference: Reference, play: Callable[[IncomingRequest, Reply], AsyncIterator[bytes]] | None = None
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Return a handler for ``aiohttp.web.Server``, which calls it for every request.

    If ``play`` is given, it yields the bytes to send for a request. It also gets the response of the reference.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers)
        path, _, query = request.raw_path.partition("?")
        writes = request.method == "POST"
        if request.transport is not None:
            reference.transports.add(request.transport)
        reference.writing += writes
        try:
            body = await request.read() if writes else b""
            if writes and reference.board is not None and reference.board.takes:
                await asyncio.sleep(reference.board.takes)
            ask = IncomingRequest(request.method, path, query, headers, body=body)
            reply = reference.answer(ask)
        except HangUpError as hang_up:
            return _VerbatimResponse(_nothing(hang_up), keeps=False)
        finally:
            reference.writing -= writes
        if not request.keep_alive:
            reply = reply.having(connection="close")
        pieces = play(ask, reply) if play else reference.play(reply.wire(request.method))
        return _VerbatimResponse(pieces, keeps=reply.keeps)

    return handle
