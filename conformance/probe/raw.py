"""Send one request on its own connection and inspect the raw bytes of the response, which HTTP libraries hide.

A library drops bytes after a response to HEAD, a 204 or a 304, refuses two Content-Length values, and joins folded
lines. This module reports all of these. It does not read the body of a response that may have one.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange.headers import Headers
from conformance.exchange.model import OTHER_PROTOCOL, Wire

HEAD_LIMIT: Final = 256 << 10
"""Maximum bytes of one header line, and of the headers of all responses together, including interim (1xx) ones."""
SURPLUS_LIMIT: Final = 64 << 10
"""Maximum bytes that are counted after the end of a response. Only whether there are any matters to the clauses."""
MISNAMED: Final = 3
"""Maximum number of invalid field names that are kept."""
NAME_LIMIT: Final = 100
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110 §5.6.2)."""
LINGER: Final = 1.0
"""Seconds to wait after a response for the server to close the connection or to send more bytes."""
_BEGINNING: Final = len(b"HTTP/1.1 ")
"""Number of bytes from which the protocol is recognised. The header of an HTTP/2 frame has the same length."""
_TLS_RECORDS: Final = (b"\x15\x03", b"\x16\x03")
"""The first bytes of a TLS alert and a TLS handshake."""
_SETTINGS: Final = b"\x04"
"""The type of the first frame of every HTTP/2 connection (RFC 9113 §3.4)."""
_STATUS_LINE: Final = re.compile(rb"(HTTP/\d\.\d) (\d{3})(?: [^\r\n]*)?\r?\n")
_INTERIM: Final = range(100, 200)
_BODILESS: Final = (204, 304)


class NotHTTP(ValueError):
    """The bytes are not an HTTP/1 response, or its headers are incomplete or too large."""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """The status and headers of a response as received, and its framing (``wire``)."""

    status: int
    http_version: str
    headers: Headers
    wire: Wire


async def send_raw(
    url: str, method: str, headers: Headers, *, tls: ssl.SSLContext | None, seconds: float
) -> RawResponse:
    """Send one request and return the raw response. Takes at most ``seconds``.

    ``headers`` are sent after Host and ``Connection: close``; ``tls`` is used if the URL is https.

    Raises TimeoutError, OSError if the connection fails (ssl.SSLError is one), and ValueError for an invalid URL.
    Raises NotHTTP, which may quote received bytes: they are untrusted, and the key is not redacted in them.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if secure else 80), ssl=tls if secure else None, limit=HEAD_LIMIT
        )
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            fields = (("Host", parts.netloc.rpartition("@")[2]), ("Connection", "close"), *headers)
            lines = (f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", "")
            writer.write("\r\n".join(lines).encode("latin-1"))
            return await _read_response(reader, method, secure=secure)
        finally:
            writer.transport.abort()


async def _read_response(reader: asyncio.StreamReader, method: str, *, secure: bool) -> RawResponse:
    room, interim = HEAD_LIMIT, 0
    begun = await _read_first_bytes(reader, secure=secure)
    while True:
        head = await _read_head(reader, room, begun)
        begun = b""
        room -= sum(map(len, head))
        match = _STATUS_LINE.fullmatch(head[0])
        if match is None:
            raise NotHTTP(f"the response does not begin with a status line: {_text(head[0])}")
        status = int(match[2])
        if status not in _INTERIM:
            break
        interim += 1
    headers, folded = _fields(head[1:])
    misnamed = tuple(name[:NAME_LIMIT] for name, _ in headers if not _NAME.fullmatch(name))[:MISNAMED]
    headers = tuple((name.rstrip(" \t"), value) for name, value in headers)
    surplus = await _surplus(reader) if method == "HEAD" or status in _BODILESS else None
    wire = Wire(_lengths(headers), folded, surplus, interim, misnamed)
    return RawResponse(status, match[1].decode(), headers, wire)


async def _read_first_bytes(reader: asyncio.StreamReader, *, secure: bool) -> bytes:
    """Return the first bytes of a response. Raises NotHTTP if they belong to another known protocol."""
    try:
        begun = await reader.readexactly(_BEGINNING)
    except asyncio.IncompleteReadError as error:
        begun = bytes(error.partial)
    if begun.startswith(_TLS_RECORDS) and not secure:
        raise NotHTTP(f"{OTHER_PROTOCOL}: this port speaks TLS (give the target with https://)")
    if begun[3:4] == _SETTINGS and begun[5:] == bytes(4):
        raise NotHTTP(
            f"{OTHER_PROTOCOL}: this port speaks only HTTP/2, and the suite speaks HTTP/1.1 "
            "(give the address of a gateway that speaks both)"
        )
    return begun


async def _read_head(reader: asyncio.StreamReader, room: int, begun: bytes) -> list[bytes]:
    """Return the status line and the header lines with their line ends, without the final empty line.

    ``room`` is the maximum of bytes. ``begun`` are bytes that were already read.
    """
    lines: list[bytes] = []
    while True:
        try:
            line = begun if begun.endswith(b"\n") else begun + await reader.readline()
            begun = b""
        except ValueError as error:  # asyncio's error for a line above its limit
            raise NotHTTP(f"a header line is longer than {HEAD_LIMIT:,} bytes") from error
        room -= len(line)
        if room < 0:
            raise NotHTTP(f"the headers are larger than {HEAD_LIMIT:,} bytes")
        if not line.endswith(b"\n"):
            text = _text(b"".join([*lines, line]))
            raise NotHTTP(f"the connection ended within the headers: {text}" if text else "no response")
        if lines and line in (b"\r\n", b"\n"):
            return lines
        lines.append(line)


def _fields(lines: list[bytes]) -> tuple[Headers, int]:
    """Return the header fields, with folded lines joined (RFC 9112 §5.2), and the number of folded lines."""
    fields: list[tuple[str, str]] = []
    folded = 0
    for line in lines:
        text = _text(line)
        if text[:1] in {" ", "\t"} and fields:
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {text.strip()}")
            folded += 1
        else:
            name, _, value = text.partition(":")
            fields.append((name, value.strip()))
    return tuple(fields), folded


def _text(line: bytes) -> str:
    return line.decode("latin-1").rstrip("\r\n")


def _lengths(headers: Headers) -> tuple[str, ...]:
    """Return the distinct values of Content-Length."""
    stated = (value for name, value in headers if name.lower() == "content-length")
    return tuple(dict.fromkeys(length.strip() for value in stated for length in value.split(",")))


async def _surplus(reader: asyncio.StreamReader) -> int:
    """Return how many bytes arrive until the server closes the connection, or until ``LINGER`` seconds are over."""
    count = 0
    with contextlib.suppress(TimeoutError, OSError):
        async with asyncio.timeout(LINGER):
            while count < SURPLUS_LIMIT and (piece := await reader.read(SURPLUS_LIMIT)):
                count += len(piece)
    return count
