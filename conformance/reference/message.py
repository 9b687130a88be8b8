"""Requests and responses as plain values, and the stages at which a variant or fault can change a response."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from conformance.reference.queue import Queue


@dataclass(frozen=True)
class IncomingRequest:
    """One request, and the state of the endpoint when it arrives.

    ``headers`` are pairs of name (as sent) and value, in order; ``query`` has no ``?``. ``key`` is the key that the
    endpoint requires, if any. ``now`` is in seconds since the epoch. ``read`` counts the GETs that got the queue so
    far, including this one. ``connections`` counts the open connections, ``writing`` the POST requests in progress.
    """

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    now: float = 0.0
    read: int = 0
    body: bytes = b""
    connections: int = 0
    writing: int = 0

    def header(self, name: str) -> str | None:
        """Return the first value of the field ``name`` (any case), or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def members(self, name: str) -> str | None:
        """Return the values of all fields called ``name`` (any case), joined by commas; None if there are none."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    def accepts(self, coding: str) -> bool:
        """Whether Accept-Encoding names ``coding`` and does not give it a weight of 0."""
        members = (self.members("accept-encoding") or "").lower().replace(" ", "").split(",")
        weights = {name: weight for name, _, weight in (member.partition(";q=") for member in members)}
        return coding in weights and float(weights[coding] or 1) > 0

    def every(self, count: int) -> bool:
        """Whether this is a GET of the queue, and its number among these GETs (``read``) is a multiple of ``count``."""
        return self.method == "GET" and self.read > 0 and self.read % count == 0

    def with_key(self) -> IncomingRequest:
        """Return this request with the key that the endpoint requires."""
        return replace(self, headers=(("X-API-Key", self.key or ""), *self.headers))


@dataclass(frozen=True)
class Reply:
    """One response. Content-Length and Transfer-Encoding are not in ``headers``: they are added when it is sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    version: str = "HTTP/1.1"
    chunked: bool = False

    def having(self, body: bytes | None = None, **headers: str | None) -> Reply:
        """Return this response with ``body``, if given, and fields set (``content_type=...``) or removed (None)."""
        named = {name.replace("_", "-").title().replace("Etag", "ETag"): value for name, value in headers.items()}
        merged = {name: value for name, value in {**self.headers, **named}.items() if value is not None}
        return replace(self, headers=merged, body=self.body if body is None else body)

    def json(self, status: int, value: object, **headers: str) -> Reply:
        """Return a JSON response with ``status``, the body ``value`` and the headers of this one."""
        return replace(self, status=status).having(encode(value), content_type="application/json", **headers)

    def error(self, status: int, message: str, **headers: str) -> Reply:
        """Return a response whose body is an ErrorResponse. Its code is the name of the status (``NOT_FOUND``)."""
        return self.json(status, {"code": HTTPStatus(status).name, "message": message}, **headers)

    @property
    def keeps(self) -> bool:
        """Whether the connection stays open after this response."""
        return self.version == "HTTP/1.1" and self.headers.get("Connection") != "close"

    def wire(self, method: str) -> bytes:
        """Return the response to a request with ``method`` as the bytes to send."""
        headers = dict(self.headers)
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif (
            self.version == "HTTP/1.1"
            and self.status not in {204, 304}
            and "content-length" not in map(str.lower, self.headers)
        ):
            headers["Content-Length"] = str(len(self.body))
        head = f"{self.version} {self.status} {HTTPStatus(self.status).phrase}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = b"" if method == "HEAD" or self.status in {204, 304} else self.body
        if body and self.chunked:
            # A prime size, so that chunks end inside names, numbers and multi-byte characters.
            pieces = [body[start : start + 997] for start in range(0, len(body), 997)]
            body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        return head.encode("latin-1") + b"\r\n" + body


class HangUpError(Exception):
    """Raised to close the connection instead of sending more bytes.

    With ``reset``, the connection ends with a TCP reset.
    """

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


Replies = Callable[[Reply, IncomingRequest], Reply]
"""Changes a whole response."""


@dataclass(frozen=True)
class Twist:
    """What a variant or a fault changes: an optional function for each stage of a response.

    ``hears`` changes the request. ``lists`` changes the queue and returns the value to encode. ``writes`` changes the
    bytes of the JSON text. ``replies`` changes the whole response, errors included. ``plays`` yields the bytes to send,
    at its own pace, or ends the connection by raising HangUpError.
    """

    hears: Callable[[IncomingRequest], IncomingRequest] | None = None
    lists: Callable[[Queue, IncomingRequest], object] | None = None
    writes: Callable[[bytes], bytes] | None = None
    replies: Replies | None = None
    plays: Callable[[bytes], AsyncIterator[bytes]] | None = None


def encode(value: object) -> bytes:
    """Return ``value`` as compact JSON in UTF-8. Each mark that ``verbatim`` made is replaced by its text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = re.sub('"\ue000([0-9a-f]*)\ue001"', lambda found: bytes.fromhex(found[1]).decode("utf-8", _LENIENT), text)
    return text.encode("utf-8", _LENIENT)


def verbatim(text: str) -> str:
    r"""Return a mark that ``encode`` replaces by ``text``, for text that ``json.dumps`` cannot write.

    A byte that is not UTF-8 is written as in Python's surrogateescape: ``"\udce9"`` is byte E9.
    """
    return f"\ue000{text.encode('utf-8', _LENIENT).hex()}\ue001"


def items(queue: Queue) -> list[Any]:
    """Return the jobs of both lists, running jobs first."""
    return [*queue["queue_running"], *queue["queue_pending"]]


_LENIENT = "surrogateescape"
