"""The part of a report that lists requests and responses."""

from __future__ import annotations

from typing import Literal

from conformance.exchange.model import Problem, Wire
from conformance.judge.statuses import Value


class RecordedRequest(Value, frozen=True, kw_only=True):
    """A request that was sent, with keys redacted. ``credential`` says which key it had.

    ``purpose`` says why it was sent. ``body`` is the start of the request body, made printable, and ``size`` its length
    in bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    purpose: str = ""
    credential: str = "given"
    body: str = ""
    size: int = 0


class RecordedResponse(Value, frozen=True, kw_only=True):
    """A response. ``size`` (in bytes) and ``sha256`` are those of the decoded body, and ``excerpt`` is its start."""

    status: int
    headers: tuple[tuple[str, str], ...]
    size: int
    sha256: str
    excerpt: str


class KeptAnswer(Value, frozen=True, kw_only=True):
    """What is needed to check a response again, besides its body. The members are those of ``Response``."""

    headers: tuple[tuple[str, str], ...]
    coding_error: str | None
    head: bool
    http_version: str
    wire: Wire | None
    extent: Literal["whole", "cut", "unknown"] = "whole"
    verbatim: bool = True
    echoes: tuple[str, ...] = ()
    """Where the response contains the key of the request: names of header fields, and "" for the body."""


class Kept(Value, frozen=True, kw_only=True):
    """What is needed to check an exchange again, besides what the report shows. Set with ``--full-bodies``.

    ``started`` is in seconds since the Unix epoch. ``operation`` names the operation if the request is not to the
    queue, and ``sent`` is the request body. ``request_head`` is False if a recording lacks the headers of the request.
    ``own_query`` and ``own_headers`` are those that the OpenAPI document of the user requires, and ``own_parameters``
    names all parameters that it declares.
    """

    started: float | None
    to_queue: bool
    answer: KeptAnswer | None
    problem: Problem | None
    operation: str | None = None
    sent: Body | None = None
    request_head: bool = True
    own_query: str = ""
    own_headers: tuple[str, ...] = ()
    own_parameters: tuple[str, ...] = ()


class Body(Value, frozen=True, kw_only=True):
    """A whole decoded body. ``content`` is its text, or base64 if it is not UTF-8.

    In it, each byte of a user's key is replaced by another character.
    """

    encoding: Literal["utf-8", "base64"]
    content: str


class RecordedExchange(Value, frozen=True, kw_only=True):
    """A request and its response in the report. Every attempt of a request is listed. ``elapsed`` is in seconds.

    A ``superseded`` attempt was not checked: it was repeated on a new connection, or refused because the server had
    banned the suite. ``kept`` is set with ``--full-bodies``. ``server`` names the server if a recording contains
    several.
    """

    id: str
    request: RecordedRequest
    response: RecordedResponse | None
    error: str | None
    elapsed: float | None
    attempt: int
    superseded: bool = False
    kept: Kept | None = None
    server: str = ""
