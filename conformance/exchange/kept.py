"""Find out how much of a response body a recording contains: all of it, its start, or nothing reliable.

Recorders decode the chunked transfer coding and content codings but keep the headers that announce them, stop at a
limit, reformat JSON, and count sizes differently. So the headers may contradict the body without any fault of the
server. A body that can be parsed as JSON is checked, whatever its headers say. A body that was stored as sent is
checked as it is. Everything else is unknown.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from conformance.exchange.codings import DECODABLE, ContentTooLarge, decode
from conformance.exchange.headers import Headers, lines, values
from conformance.exchange.model import Extent
from conformance.text.cutoff import Text, kind_of

NOT_BASE64: Final = "the body in the recording is marked as base64 but is not"
MAX_BODY: Final = 64 << 20
_CHUNK: Final = re.compile(rb"[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\r\n]*)?\r?\n")
_AFTER: Final = re.compile(rb"\s*(?:Elapsed time: [\d.]+s\s*)?\Z")
"""What HTTPie prints after a body: line breaks and the elapsed time."""
_ELAPSED: Final = re.compile(rb"\s*Elapsed time: [\d.]+s\s*\Z")
_TAIL: Final = 100
_LEFT_OUT: Final = b"NOTE: binary data not shown in terminal"
_MAGIC: Final = {"gzip": (b"\x1f\x8b",), "deflate": (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")}
_TEXT: Final = re.compile(rb"\s*[\[{\"<]")
"""The start of JSON or of a web page."""


class KnownBody(NamedTuple):
    """The known part of a recorded body. ``lost`` says what is missing, or None.

    The other members are those of ``Response``.
    """

    content: bytes = b""
    extent: Extent = Extent.WHOLE
    verbatim: bool = True
    coding_error: str | None = None
    lost: str | None = None


def _unknown(why: str) -> KnownBody:
    return KnownBody(extent=Extent.UNKNOWN, lost=why)


def _cut(content: bytes, size: int | None) -> KnownBody:
    of = "" if size is None or size <= len(content) else f" of {size:,}"
    return KnownBody(content, Extent.CUT, lost=f"the recording contains only {len(content):,}{of} bytes of the body")


def _number(value: object) -> int | None:
    """Return a size in a recording, or None if it is not a number or -1, which means unknown."""
    try:
        number = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number >= 0 and not isinstance(value, bool) else None


def content_length(headers: Headers) -> int | None:
    """Return the value of Content-Length, or None if it is missing or several lines differ."""
    found = {_number(value) for value in lines(headers, "content-length")}
    return found.pop() if len(found) == 1 else None


def _codings(headers: Headers) -> list[str]:
    return [coding for coding in values(headers, "content-encoding") if coding != "identity"]


def _is_known(codings: list[str]) -> bool:
    return {coding.removeprefix("x-") for coding in codings} <= set(DECODABLE)


def _is_coded(data: bytes, codings: list[str]) -> bool:
    """Whether a body still has its content coding: it begins with the coding's magic number, or is not text."""
    if data.startswith(_MAGIC.get(codings[-1].removeprefix("x-"), ())):
        return True
    try:
        return not _TEXT.match(data) and not codecs.utf_8_decode(data)
    except UnicodeDecodeError:
        return True


# --- a printed response -----------------------------------------------------------------------------------------------


def of_printed(data: bytes, headers: Headers, *, recoded: bool) -> KnownBody:
    """Return the known part of the body of a printed response. ``data`` is everything after its headers.

    ``recoded`` says that the file was not UTF-8, so that the bytes are not those that the server sent.
    """
    try:
        body, as_sent, cut = _remove_framing(data, headers, content_length(headers))
        if cut:
            return _start(body, headers)
        printed = None if as_sent else _ELAPSED.search(body[-_TAIL:])
        body = body.removesuffix(printed[0]) if printed else body
        if not as_sent and (not body.strip() or _LEFT_OUT in body):
            left_out = "HTTPie left out the body" if body.strip() else "the recording contains only headers"
            return _unknown(f"{left_out}: curl -i records the body too")
        if _codings(headers):
            return _of_coded(body, headers, as_sent=as_sent, recoded=recoded)
    except ContentTooLarge:
        return _unknown(f"the body has more than {MAX_BODY:,} bytes and was not read")
    if as_sent:
        return KnownBody(body, verbatim=not recoded)
    return _of_text(body, size=content_length(headers), recoded=recoded)


def _of_coded(body: bytes, headers: Headers, *, as_sent: bool, recoded: bool) -> KnownBody:
    """Return a body without its content coding, which the recorder may already have removed.

    ``as_sent`` says that Content-Length or the chunked coding proves that the server sent exactly these bytes.
    """
    codings = _codings(headers)
    content, error = decode(body, codings, MAX_BODY)
    if error is None:
        return KnownBody(content, verbatim=not recoded)
    complete, known = kind_of(body) is Text.COMPLETE, _is_known(codings)
    if as_sent and not recoded and (known or not complete):
        return KnownBody(content, coding_error=error)
    if not complete and (not _TEXT.match(body) or _is_coded(body, codings)):
        if known and not recoded and _is_coded(body, codings):
            return _cut(content, None)
        return _unknown(f"the body is still encoded ({', '.join(codings)[:40]}): record it with curl -i --compressed")
    return _of_text(body, size=None, recoded=recoded)  # the length is that of the encoded body


def _start(body: bytes, headers: Headers) -> KnownBody:
    """Return the start of a chunked body whose last chunk is missing."""
    codings = _codings(headers)
    if not codings:
        return _cut(body, None)
    return _cut(decode(body, codings, MAX_BODY)[0] if _is_known(codings) else b"", None)


def _of_text(body: bytes, *, size: int | None, recoded: bool) -> KnownBody:
    """Return a body that the recorder may have changed. ``size`` is its expected length in bytes, None if unknown."""
    kind = kind_of(body)
    if kind is Text.COMPLETE:
        return KnownBody(body, verbatim=size is None and not recoded)
    if kind is Text.ENDS_EARLY or (size is not None and size > len(body)):
        return _cut(body, size)
    if size is not None:
        return _unknown(f"the recording contains {len(body):,} bytes of a body of {size:,} bytes, so a tool changed it")
    return KnownBody(body, verbatim=not recoded)


def _remove_framing(data: bytes, headers: Headers, size: int | None) -> tuple[bytes, bool, bool]:
    """Return the body without the chunked transfer coding and without text that a tool printed after it.

    Returns also whether it surely has exactly the bytes that the server sent, and whether its end is missing.
    """
    if "chunked" in values(headers, "transfer-encoding"):
        return _remove_chunks(data)
    if size is None:
        return data, False, False
    if len(data) == size:
        return data, True, False
    if len(data) > size:
        start = data[:size]
        as_sent = _AFTER.match(data, size) or _is_whole(start, headers)
        return (start, True, False) if as_sent else (data, False, False)
    return data, False, False


def _is_whole(data: bytes, headers: Headers) -> bool:
    codings = _codings(headers)
    if not codings:
        return kind_of(data) is Text.COMPLETE
    return decode(data, codings, MAX_BODY)[1] is None


def _remove_chunks(data: bytes) -> tuple[bytes, bool, bool]:
    """Decode the chunked transfer coding if the body still has it.

    Most tools decode it but keep the Transfer-Encoding header.

    Returns the body, whether it surely has exactly the bytes that the server sent, and whether its end is missing.
    """
    import h11

    if not _CHUNK.match(data):
        return data, False, False
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "recorded")]))
    connection.send(h11.EndOfMessage())
    body = bytearray()
    try:
        connection.receive_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return bytes(body), True, False
            elif event is h11.NEED_DATA or event is h11.PAUSED:
                return bytes(body), False, True
    except h11.RemoteProtocolError:
        return bytes(body), False, True


# --- an entry of a HAR file -------------------------------------------------------------------------------------------


def of_entry(response: Mapping[str, Any], headers: Headers) -> KnownBody:
    """Return as much of the body of a response as the HAR file has, decompressed."""
    try:
        return _of_entry(response, headers)
    except ContentTooLarge:
        return _unknown(f"the body has more than {MAX_BODY:,} bytes and was not read")


def _of_entry(response: Mapping[str, Any], headers: Headers) -> KnownBody:
    content = response.get("content")
    content = content if isinstance(content, dict) else {}
    text, size, sent = content.get("text"), _number(content.get("size")), content_length(headers)
    if not isinstance(text, str) or not text:
        empty = sent == 0 or (text == "" and size == 0 and "chunked" not in values(headers, "transfer-encoding"))
        contradicted = any((size, sent, _number(response.get("bodySize"))))
        return KnownBody() if empty and not contradicted else _unknown("the recording does not contain the body")
    codings, saved = _codings(headers), _number(content.get("compression"))
    if codings and size is not None and size == sent:  # mitmproxy gives the size of the encoded body
        size = size + saved if saved else None
    counts = [count for count in (size, None if codings else sent) if count]
    data = text.encode("utf-8", "surrogatepass")
    sizes = [len(data), len(text)]
    if content.get("encoding") == "base64":
        decoded = _from_base64(text)
        if decoded is None and kind_of(data) is not Text.COMPLETE:
            return _unknown(NOT_BASE64)
        data = data if decoded is None else decoded
        sizes = [len(data)]
    if codings and size != len(data):
        undone, error = decode(data, codings, MAX_BODY) if _is_known(codings) else (b"", "unknown")
        if error is None:
            data, sizes = undone, [len(undone), *sizes]
        elif _is_coded(data, codings):
            return _unknown("the body in the recording is still encoded and cannot be decoded")
    if size in sizes and (max(counts) in sizes or kind_of(data) is Text.COMPLETE):
        return KnownBody(data)
    return _of_text(data, size=max(counts, default=None), recoded=False)


def _from_base64(text: str) -> bytes | None:
    """Decode base64 in all variants that recorders write. None if the text is not base64."""
    packed = re.sub(r"\s+", "", text).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
