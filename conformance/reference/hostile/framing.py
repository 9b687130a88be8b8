"""Hostile responses that break HTTP itself, and hostile redirects."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from conformance.reference.hostile.registry import BROKEN, OK_HEAD, SILENT, and_close, for_ever, plays, replies
from conformance.reference.message import HangUpError, IncomingRequest, Reply


@plays("inconclusive", BROKEN)
def closed_at_once(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The connection is closed without a response."""
    return and_close(b"")


@plays("inconclusive", BROKEN)
def reset_in_the_middle(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The connection is reset before the body is complete."""
    return and_close(reply.wire(ask.method)[:-9], reset=True)


@plays("inconclusive", BROKEN)
def bytes_that_are_not_http(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """The response is not HTTP."""
    return and_close(bytes(range(256)) * 16)


async def _chunk_of(size: bytes, ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """Send the body as one chunk whose size line is ``size``."""
    yield OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    if ask.method != "HEAD":
        yield size + b"\r\n" + reply.body + b"\r\n0\r\n\r\n"
    raise HangUpError


@plays("inconclusive", BROKEN)
def bad_chunks(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The size of a chunk is not a number."""
    return _chunk_of(b"some", ask, reply)


@plays("inconclusive", BROKEN)
def a_chunk_of_2_to_the_80(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The size of a chunk has too many digits for any integer type."""
    return _chunk_of(b"1" + b"0" * 20, ask, reply)


@plays("inconclusive", BROKEN)
def short_body(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The body is shorter than its stated length."""
    return and_close(reply.wire(ask.method)[:-9])


@plays("inconclusive", BROKEN)
def http_0_9(_ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The response is HTTP/0.9: only a body."""
    return and_close(reply.body)


@plays("inconclusive", SILENT)
def endless_1xx(_ask: IncomingRequest, _reply: Reply) -> AsyncGenerator[bytes, None]:
    """Interim responses (1xx) follow each other without end."""
    return for_ever(b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


async def _framed(ask: IncomingRequest, reply: Reply, *fields: bytes) -> AsyncGenerator[bytes, None]:
    """Send the response with extra header fields directly after its status line."""
    line, gap, rest = reply.wire(ask.method).partition(b"\r\n")
    yield line + gap + b"".join(field + b"\r\n" for field in fields) + rest


@plays("non-conformant", "framing.content-length")
def two_content_lengths(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """There are two different Content-Length values."""
    return _framed(ask, reply, b"Content-Length: %d" % (len(reply.body) + 1))


@plays("non-conformant", "http.framing")
async def content_length_beside_chunks(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The response has a Content-Length, but its body is chunked."""
    both = reply.having(content_length="2") if reply.status == 200 else reply
    yield replace(both, chunked=reply.status == 200).wire(ask.method)


@plays("non-conformant", "framing.line-folding")
def folded_headers(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """A header field continues on a second line, as was allowed until 2014."""
    return _framed(ask, reply, b"X-Folded: a", b" b")


@plays("non-conformant", "framing.head-no-content")
async def a_body_for_head(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """The response to HEAD has the body of GET."""
    yield reply.wire("GET")
    if ask.method == "HEAD":
        raise HangUpError


@plays("non-conformant", "framing.status-no-content")
async def a_204_with_a_body(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """A 204 to OPTIONS has a body."""
    yield reply.wire(ask.method)
    if ask.method == "OPTIONS":
        yield b"OK\r\n"
        raise HangUpError


@plays("non-conformant", "framing.status-no-content")
async def a_304_with_a_body(ask: IncomingRequest, reply: Reply) -> AsyncGenerator[bytes, None]:
    """A 304 has the queue as its body."""
    if ask.method == "GET" and ask.header("if-none-match") == '"1"':
        yield b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n' + reply.body
        raise HangUpError
    yield reply.having(etag='"1"').wire(ask.method)


def _sends_to(place: str, name: str, summary: str) -> None:
    def play(reply: Reply) -> Reply:
        return reply.error(307, "Elsewhere.", location=place)

    play.__name__, play.__doc__ = name, summary
    replies("non-conformant", "status.served")(play)


for _name, _place, _summary in (
    ("redirect_loop", "/api/queue", "Every request is redirected to the same URL."),
    (
        "redirect_to_another_host",
        "http://conformance.invalid/api/queue",
        "Every request is redirected to another host.",
    ),
    ("redirect_to_another_port", "http://127.0.0.1:1/api/queue", "Every request is redirected to another port."),
    ("redirect_to_another_scheme", "file:///etc/passwd", "Every request is redirected to a file."),
    ("redirect_to_garbage", "http://[::1", "Every request is redirected to an invalid URL."),
):
    _sends_to(_place, _name, _summary)
