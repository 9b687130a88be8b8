"""Serve a hostile endpoint: a raw server on loopback in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.reference.app import Reference
from conformance.reference.hostile.registry import HOSTILE, Play
from conformance.reference.listener import stop_accepting
from conformance.reference.message import HangUpError, IncomingRequest
from conformance.reference.variants import VARIANTS


@contextmanager
def serve_hostile(name: str, *, queue_path: str = "/api/queue", port: int = 0) -> Iterator[str]:
    """Serve a hostile endpoint on loopback in a thread, while the context is active. Yields its base URL.

    Raises KeyError if no endpoint has that name, and OSError if the port is in use. Port 0 selects a free one.
    """
    play = HOSTILE[name].play
    reference = Reference(VARIANTS["standing-still"], path=queue_path)
    up = threading.Event()
    with socket.create_server(("127.0.0.1", port)) as listener:

        async def serve() -> None:
            stop.append((asyncio.get_running_loop(), asyncio.Event()))
            server = await asyncio.start_server(functools.partial(_converse, reference, play), sock=listener)
            up.set()
            await stop[0][1].wait()
            await stop_accepting(listener)
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:
                await asyncio.wait(others)

        stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        thread = threading.Thread(target=lambda: asyncio.run(serve()), name=f"hostile {name}", daemon=True)
        thread.start()
        up.wait()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            loop, event = stop[0]
            loop.call_soon_threadsafe(event.set)
            thread.join()


async def _converse(
    reference: Reference, play: Play, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Respond to the requests of one connection until either side closes it."""
    try:
        while True:
            ask = _parse_head(await reader.readuntil(b"\r\n\r\n"))
            reply = reference.answer(ask)
            async with contextlib.aclosing(play(ask, reply)) as pieces:
                async for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)  # a fast reader never makes the writer wait, but other tasks need a turn
            if ask.header("connection") == "close":
                break
    except HangUpError as hang_up:
        if hang_up.reset:  # with a linger time of 0 the socket is closed with RST instead of FIN
            connection = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        pass  # either side closed the connection
    finally:
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()


def _parse_head(head: bytes) -> IncomingRequest:
    """Parse the head of a request. The parser is simple, because only this project's clients send requests here."""
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    path, _, query = target.partition("?")
    pairs = (field.partition(":") for field in fields if field)
    return IncomingRequest(method, path, query, tuple((key, value.strip()) for key, _, value in pairs))
