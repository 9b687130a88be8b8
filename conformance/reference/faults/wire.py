"""Faults of the connection, and endpoints that do not serve the queue. Most runs against them are inconclusive."""

from __future__ import annotations

import asyncio
import functools
import struct
import zlib
from collections.abc import AsyncIterator

from conformance.reference.faults.registry import add, plays, replies
from conformance.reference.message import HangUpError, IncomingRequest, Reply, Twist


@plays()
async def closes_at_once(_wire: bytes) -> AsyncIterator[bytes]:
    """The connection is closed without a response."""
    yield b""
    raise HangUpError


@plays()
async def closes_in_the_middle(wire: bytes) -> AsyncIterator[bytes]:
    """The connection is closed before the body has its stated length."""
    yield wire[: -(len(wire) // 3)]
    raise HangUpError


@plays()
async def resets_in_the_middle(wire: bytes) -> AsyncIterator[bytes]:
    """The connection is reset before the body has its stated length."""
    yield wire[: -(len(wire) // 3)]
    raise HangUpError(reset=True)


@plays()
async def never_answers(_wire: bytes) -> AsyncIterator[bytes]:
    """The request never gets a response."""
    yield b""
    await asyncio.Event().wait()


@plays()
async def drips(wire: bytes) -> AsyncIterator[bytes]:
    """The response arrives at ten bytes a second, so that a timeout for each read never expires."""
    for byte in wire:
        yield bytes([byte])
        await asyncio.sleep(0.1)


@plays()
async def never_ends(_wire: bytes) -> AsyncIterator[bytes]:
    """The response never ends: white space follows the body without end."""
    yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b" " * 0x10000 + b"\r\n"


@plays()
async def speaks_no_http(_wire: bytes) -> AsyncIterator[bytes]:
    """The response is not HTTP."""
    yield b"SSH-2.0-OpenSSH_9.6\r\n"
    raise HangUpError


@functools.cache
def _bomb() -> bytes:
    """Return 100 MiB of spaces, compressed to about 100 kB of gzip."""
    count, spaces = 100, b" " * 2**20
    coder = zlib.compressobj(9, wbits=-15)
    # A full flush ends on a byte and resets the state, so the piece can be repeated. Compressing
    # everything would block the event loop for almost a second.
    piece = coder.compress(spaces) + coder.flush(zlib.Z_FULL_FLUSH)
    checksum = functools.reduce(lambda value, _: zlib.crc32(spaces, value), range(count), 0)
    head = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
    return head + piece * count + coder.flush() + struct.pack("<II", checksum, count * len(spaces))


@replies("", to=200, inconclusive=True)
def gzip_bomb(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The body is a hundred kilobytes of gzip that expand to a hundred megabytes of white space."""
    return reply.having(_bomb(), content_encoding="gzip", vary="Accept-Encoding")


@replies("", to=200, inconclusive=True)
def busy_503(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 503."""
    return reply.error(503, "Try again later.", retry_after="1")


@replies("", to=200, inconclusive=True)
def too_many_429(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 429."""
    return reply.error(429, "Try again later.", retry_after="1")


@replies("", to=200, inconclusive=True)
def wants_a_key(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 401, whatever its key."""
    return reply.error(401, "X-API-Key must have a valid key.", www_authenticate='ApiKey realm="comfy"')


def _rewritten(old: bytes, new: bytes) -> Twist:
    """Return a Twist that replaces bytes in the head of each response."""

    async def play(wire: bytes) -> AsyncIterator[bytes]:
        yield wire.replace(old, new, 1)

    return Twist(plays=play)


for _name, _summary, _clause, _old, _new in (
    (
        "space-before-a-colon",
        "Content-Type has white space before its colon.",
        "framing.field-name",
        b"\r\nContent-Type:",
        b"\r\nContent-Type :",
    ),
    (
        "a-line-without-a-colon",
        "One of the header lines is not a header field.",
        "framing.field-name",
        b"\r\nDate",
        b"\r\nno field\r\nDate",
    ),
    (
        "two-lines-of-one-type",
        "Content-Type is sent twice with the same value.",
        "http.content-type",
        b"\r\nContent-Type: application/json\r\n",
        b"\r\nContent-Type: application/json\r\nContent-Type: application/json\r\n",
    ),
):
    add(_name, _summary, _clause, _rewritten(_old, _new))
