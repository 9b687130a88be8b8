"""Hostile responses that take endless time or space: slow, endless, or compressed a thousandfold."""

from __future__ import annotations

import asyncio
import functools
import zlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Final

from conformance.reference.hostile.registry import BROKEN, LARGE, OK_HEAD, SILENT, for_ever, plays, replies
from conformance.reference.message import IncomingRequest, Reply

MB: Final = 1 << 20


async def _second_by_second(wire: bytes) -> AsyncGenerator[bytes, None]:
    for byte in wire:
        yield bytes([byte])
        await asyncio.sleep(1)


# --- time -------------------------------------------------------------------------------------------------------------


@plays("inconclusive", SILENT)
async def accepts_and_never_answers(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The request never gets a response."""
    yield b""
    await asyncio.Event().wait()


@plays("inconclusive", SILENT)
async def a_header_byte_a_second(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The response arrives at one byte per second."""
    async for byte in _second_by_second(reply.wire(ask.method)):
        yield byte


@plays("inconclusive", SILENT)
async def a_body_byte_a_second(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The head of the response arrives at once, the body at one byte per second."""
    head, gap, body = reply.wire(ask.method).partition(b"\r\n\r\n")
    yield head + gap
    async for byte in _second_by_second(body):
        yield byte


@replies("inconclusive", "every GET of the queue gets a 503")
def retry_after_ages(reply: Reply) -> Reply:
    """Every response is a 503 with a very long Retry-After."""
    return reply.error(503, "Try again later.", retry_after="9" * 400)


# --- size -------------------------------------------------------------------------------------------------------------


@plays("inconclusive", LARGE)
def endless_body(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The response continues without end with chunks of white space."""
    return for_ever(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 0x10000 + b"\r\n")


@plays("inconclusive", LARGE)
def endless_string(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The body begins with a JSON string that never ends, and has no Content-Length."""
    return for_ever(OK_HEAD + b'Connection: close\r\n\r\n{"queue_running": ["', b"a" * 0x10000)


@plays("inconclusive", BROKEN)
def endless_status_line(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The reason phrase of the status line never ends."""
    return for_ever(b"HTTP/1.1 200 ", b"O" * 0x10000)


@plays("inconclusive", BROKEN)
def endless_headers(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """Header fields follow without end."""
    return for_ever(OK_HEAD, b"X-More: and more\r\n" * 1000)


@replies("inconclusive", BROKEN)
def a_header_of_five_megabytes(reply: Reply) -> Reply:
    """One header field is five megabytes long."""
    return reply.having(x_large="x" * 5_000_000)


@replies("inconclusive", BROKEN)
def a_hundred_thousand_headers(reply: Reply) -> Reply:
    """There are a hundred thousand header fields."""
    return replace(reply, headers=reply.headers | {f"X-{number}": "x" for number in range(100_000)})


@plays("inconclusive", SILENT)
def endless_chunk_extensions(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The extension in the size line of a chunk never ends.

    It arrives byte by byte, so that a limit on what one read returns never applies.
    """
    return _drop_by_drop(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x")


async def _drop_by_drop(head: bytes, piece: bytes) -> AsyncGenerator[bytes, None]:
    yield head
    while True:
        yield piece
        await asyncio.sleep(0.01)


@functools.cache
def _spaces(wbits: int) -> tuple[bytes, bytes]:
    """Return the start of a compressed stream, and a piece that can be repeated.

    The piece is about a kilobyte. Each repetition expands to a megabyte of spaces.
    """
    coder = zlib.compressobj(9, wbits=wbits)
    start = coder.compress(b" ") + coder.flush(zlib.Z_FULL_FLUSH)
    return start, coder.compress(b" " * MB) + coder.flush(zlib.Z_FULL_FLUSH)


async def _bomb(
    ask: IncomingRequest, coding: str, start: bytes, piece: bytes, size: int = 4 * MB
) -> AsyncGenerator[bytes, None]:
    """Send a compressed body of about ``size`` bytes, made of ``start`` and repetitions of ``piece``."""
    count = size // len(piece)
    yield OK_HEAD + f"Content-Encoding: {coding}\r\nVary: Accept-Encoding\r\n".encode()
    yield b"Content-Length: %d\r\n\r\n" % (len(start) + count * len(piece))
    if ask.method == "HEAD":
        return
    yield start
    several = max(1, 0x10000 // len(piece))
    for _ in range(count // several):
        yield piece * several
    yield piece * (count % several)


@plays("inconclusive", LARGE)
def gzip_bomb(ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """Four megabytes of gzip expand to four gigabytes."""
    return _bomb(ask, "gzip", *_spaces(31))


@plays("inconclusive", LARGE)
def deflate_bomb(ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """Four megabytes of deflate expand to four gigabytes."""
    return _bomb(ask, "deflate", *_spaces(15))


@plays("inconclusive", LARGE)
def gzip_in_gzip_bomb(ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """Four megabytes of gzip expand to gigabytes that are gzip again, and these to terabytes."""
    start, piece = _spaces(31)
    coder = zlib.compressobj(9, wbits=31)
    outer = coder.compress(start) + coder.flush(zlib.Z_FULL_FLUSH)
    return _bomb(ask, "gzip, gzip", outer, coder.compress(piece * 1000) + coder.flush(zlib.Z_FULL_FLUSH))


@replies("inconclusive", "could not be decoded as their Content-Encoding says")
def a_thousand_codings(reply: Reply) -> Reply:
    """Content-Encoding lists gzip a thousand times."""
    return reply.having(content_encoding=", ".join(["gzip"] * 1000), vary="Accept-Encoding")


UNDECODED: Final = "could not be decoded as their Content-Encoding says"


@plays("inconclusive", UNDECODED)
def br_bomb(ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """Fifteen kilobytes of Brotli expand to sixteen gigabytes. The client did not ask for Brotli."""
    start = bytes.fromhex("cfffff7f002440e2b14072efff0d")  # 16 MiB of spaces, ending on a byte
    return _bomb(ask, "br", start, bytes.fromhex("fcffff074002200e0b40f7fedf00"), 14_000)  # as many again each time


@plays("inconclusive", UNDECODED)
def zstd_bomb(ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """A megabyte of Zstandard expands to thirty-two gigabytes. The client did not ask for Zstandard."""
    magic, window_of_128k = bytes.fromhex("28b52ffd00"), b"\x38"
    run_of_128k_spaces = (131_072 << 3 | 1 << 1).to_bytes(3, "little") + b" "  # RFC 8878 §3.1.1.2: an RLE block
    return _bomb(ask, "zstd", magic + window_of_128k, run_of_128k_spaces, MB)
