"""Servers on loopback that forward to an endpoint (TLS, a proxy) or send fixed responses."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress

from conformance.reference.listener import stop_accepting

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Play = Callable[[Reader, Writer], Awaitable[None]]
_GONE = (OSError, EOFError)


@asynccontextmanager
async def accepting(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve each connection with ``play`` in this event loop, on a free loopback port. Yields the port.

    At the end no connection is left open, whether its client has read everything or not.
    """
    writers: list[Writer] = []
    tasks: list[asyncio.Task[None]] = []

    async def serve(reader: Reader, writer: Writer) -> None:
        with suppress(*_GONE):
            await play(reader, writer)
        writer.close()
        with suppress(*_GONE):
            await writer.wait_closed()

    def connected(reader: Reader, writer: Writer) -> None:  # not a coroutine, which could be cancelled before it starts
        writers.append(writer)
        tasks.append(asyncio.create_task(serve(reader, writer)))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = await asyncio.start_server(connected, sock=listener, ssl=tls)
        try:
            yield listener.getsockname()[1]
        finally:
            await stop_accepting(listener)
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in writers:
                writer.transport.abort()


@contextmanager
def listening(play: Play, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve each connection with ``play``, in a thread, on a free loopback port. Yields the port."""
    up: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(lambda *_: None)  # a handshake that fails is what some tests are about
        async with accepting(play, tls) as port:
            up.set_result((loop, stop, port))
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    loop, stop, port = up.result()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def join(reader: Reader, writer: Writer, port: int, first: bytes = b"") -> None:
    """Connect to a loopback port, send ``first``, and then copy all bytes in both directions."""
    there, back = await asyncio.open_connection("127.0.0.1", port)
    back.write(first)
    ways = [asyncio.ensure_future(_copy(reader, back)), asyncio.ensure_future(_copy(there, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        back.close()
        with suppress(*_GONE):
            await back.wait_closed()


async def _copy(reader: Reader, writer: Writer) -> None:
    while piece := await reader.read(1 << 16):
        writer.write(piece)
        await writer.drain()


def before(port: int) -> Play:
    """Return a function that forwards a connection to a loopback port."""

    async def play(reader: Reader, writer: Writer) -> None:
        await join(reader, writer, port)

    return play


def saying(answer: Callable[[bytes], bytes], heard: list[bytes]) -> Play:
    """Return a function that responds to each request with ``answer(head)``. The heads are appended to ``heard``."""

    async def play(reader: Reader, writer: Writer) -> None:
        while True:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer(heard[-1]))
            await writer.drain()

    return play


def proxy(port: int, heard: list[bytes]) -> Play:
    """Return a function that acts as an HTTP proxy. It forwards all requests to a server on a loopback port."""

    async def play(reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heard.append(head)
        if head.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await join(reader, writer, port)
            return
        method, url, rest = head.split(b" ", 2)
        path = b"/" + url.split(b"/", 3)[3]
        closing = b" ".join([method, path, rest[:-2]]) + b"Connection: close\r\n\r\n"
        await join(reader, writer, port, closing)

    return play
