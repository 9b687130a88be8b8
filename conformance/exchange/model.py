"""The classes Request, Response and Exchange: one request and the bytes of its response, with timing.

Clauses check a response as received, so it may contain the key. The code that creates an exchange redacts keys in the
request, records where the response contains one (``Response.echoes``), and sets ``Exchange.redactor``, which redacts
the response wherever it is shown or written.

A live run knows everything about an exchange, but a recording may not. These members say what is known:
``Request.head``, ``Response.head``, ``Response.extent``, ``Response.verbatim``, ``Exchange.started`` and
``Exchange.elapsed``. Clauses are not applied to unknown parts.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from conformance.exchange.headers import Headers, accepts, first, lines, members
from conformance.exchange.redactor import NOTHING, Redactor
from conformance.exchange.stored import BodyStore, StoredBody


class Credential(enum.Enum):
    """Which key a request had."""

    GIVEN = "given"
    """The user's key, or none if the user gave none."""
    NONE = "none"
    WRONG = "wrong"
    """The user's key with another last character."""
    OTHER_CASE = "other case"
    """The user's key with upper and lower case swapped."""
    EMPTY = "empty"
    LOWER_CASE_NAME = "lower-case name"
    """The user's key, with the name of its header written in lower case (``x-api-key``)."""


class Operation(enum.Enum):
    """The operations of the API, other than GET /api/queue, that create, list or remove jobs.

    Each value is a pair: the method, and the path that replaces ``queue`` in the URL of the queue. ``{job}`` stands for
    the id of a job.
    """

    SUBMIT = ("POST", "prompt")
    """Submit a workflow."""
    MANAGE = ("POST", "queue")
    """Remove some or all pending jobs."""
    INTERRUPT = ("POST", "interrupt")
    """Stop the running job."""
    CANCEL = ("POST", "jobs/{job}/cancel")
    """Cancel one job, pending or running (ComfyUI since 0.25)."""
    COUNT = ("GET", "prompt")
    """Return the number of remaining jobs."""
    JOBS = ("GET", "jobs")
    """List all jobs with their statuses, including those that ended."""
    NODES = ("GET", "object_info")
    """List the node classes for workflows."""
    STATS = ("GET", "system_stats")
    """Return the version of ComfyUI."""

    @property
    def method(self) -> str:
        """The HTTP method of the operation."""
        return self.value[0]

    @property
    def writes(self) -> bool:
        """Whether the operation may change the server."""
        return self.method == "POST"


class NoResponse(enum.Enum):
    """Why a response is missing. That never violates a clause, but it can make the run inconclusive."""

    UNREACHABLE = "unreachable"
    """The name was not resolved, the connection was refused, or TLS failed."""
    TIMEOUT = "timeout"
    """The response was not complete within the time for one exchange."""
    BROKEN = "broken"
    """The connection ended, or stopped being HTTP, before the response was complete."""
    TOO_LARGE = "too large"
    """The body exceeded the size limit."""
    NOT_RECORDED = "not recorded"
    """The recording lacks the response or a part of it. That says nothing about the server."""


class Extent(enum.Enum):
    """How much of a response body is known."""

    WHOLE = "whole"
    CUT = "cut"
    """Only the start of the body is known. The complete jobs in it are checked."""
    UNKNOWN = "unknown"


OTHER_PROTOCOL: Final = "no response in HTTP/1.1"
"""The start of ``Problem.detail`` if the server speaks another protocol. The rest of the detail is advice for the user.
"""
UNRESOLVED: Final = "the name cannot be resolved"
"""The start of ``Problem.detail`` if the host name is unknown."""


class Problem(msgspec.Struct, frozen=True):
    """Why a request got no complete response: the kind, and the details in words, which may quote the server.

    ``begun`` is True if the server sent at least one byte. A server may close an idle connection at any time (RFC 9112
    §9.5), but must complete a response that it started.
    """

    fault: NoResponse
    detail: str
    begun: bool = False


_COMMON: Final = frozenset(
    {"host", "connection", "user-agent", "accept", "accept-encoding", "x-request-id", "x-api-key", "authorization"}
)
_SPECIAL: Final = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "range", "origin")


Same = tuple[str, str, str, Headers]
"""Everything by which two requests are compared: method, URL, credential, and header fields except the request id."""


@dataclass(frozen=True)
class Request:
    """A request that was sent or recorded.

    ``purpose`` says in words why it was sent. ``to_queue`` says whether it is a request to the URL of the queue that
    the clauses check. ``operation`` is set for another operation, which only clauses about the life of jobs check.
    ``body`` is the request body, with keys redacted. ``head`` says whether the headers are known. A recording may lack
    them.
    """

    method: str
    url: str
    headers: Headers = ()
    purpose: str = "read"
    credential: Credential = Credential.GIVEN
    to_queue: bool = True
    operation: Operation | None = None
    body: bytes = b""
    head: bool = True
    own_query: str = ""
    """The query string that the user's OpenAPI document requires of every GET of the queue."""
    own_headers: tuple[str, ...] = ()
    """The names, in lower case, of headers that the user's OpenAPI document requires of every GET of the queue."""
    own_parameters: tuple[str, ...] = ()
    """The parameters that the user's OpenAPI document declares: ``?depth`` (query), ``x-tier`` (header, lower case)."""

    def header(self, name: str) -> str | None:
        """Return the first value of the request header ``name`` (in lower case), or None."""
        return first(self.headers, name)

    def members(self, name: str) -> str | None:
        """Return the list-valued request header ``name`` (in lower case) with all its lines joined, or None."""
        found = lines(self.headers, name)
        return ", ".join(found) if found else None

    @cached_property
    def reads(self) -> bool:
        """Whether this is a GET of the queue with the user's key, or without a key if the user gave none."""
        return (
            self.method == "GET" and self.to_queue and self.credential in {Credential.GIVEN, Credential.LOWER_CASE_NAME}
        )

    @cached_property
    def plain(self) -> bool:
        """Whether this is a GET of the queue that must get a 200: no header and no query allows another response."""
        return self.reads and self.credential is Credential.GIVEN and not self.special and self.takes_json

    @cached_property
    def usual(self) -> bool:
        """Whether this is a GET of the queue as a normal client sends it, with Accept: application/json."""
        return self.plain and self.bare and self.header("accept") == "application/json"

    @cached_property
    def bare(self) -> bool:
        """Whether the request has only common headers, such as Accept, and those that the user's document requires."""
        return all(name.lower() in _COMMON or name.lower() in self.own_headers for name, _ in self.headers)

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """The declared parameters, such as ``?depth`` and ``X-Tier``, in which the request differs from a usual one."""
        query = [name for name in self._added_query if name in self.own_parameters]
        counted = set(self.own_parameters) - _COMMON - set(self.own_headers)
        return tuple(dict.fromkeys((*query, *(name for name, _ in self.headers if name.lower() in counted))))

    @cached_property
    def undeclared(self) -> tuple[str, ...]:
        """The query parameters and headers, such as ``?page`` and ``range``, that are neither common nor declared."""
        query = [name for name in self._added_query if name not in self.own_parameters]
        names = [name.lower() for name, _ in self.headers]
        known = _COMMON | {*self.own_headers, *self.own_parameters}
        return tuple(dict.fromkeys((*query, *(name for name in names if name not in known))))

    @cached_property
    def _added_query(self) -> list[str]:
        """The names of the query parameters, without those that the document requires and that have the usual value."""
        required = parse_qsl(self.own_query, keep_blank_values=True)
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        return [f"?{name}" for name, value in pairs if (name, value) not in required]

    @cached_property
    def takes_json(self) -> bool:
        """Whether the Accept header allows JSON."""
        return accepts(self.members("accept"), "application/json")

    @cached_property
    def same(self) -> Same:
        """The parts of the request that are compared with those of other requests: everything except the request id."""
        named = [(name.lower(), value) for name, value in self.headers]
        kept = tuple([field for field in named if field[0] != "x-request-id"])
        return self.method, self.url, self.credential.value, kept

    @cached_property
    def special(self) -> bool:
        """Whether the request has something that may change the response, as a condition, range or parameter."""
        query = urlsplit(self.url).query
        asks = query != self.own_query or bool(self.declared)
        return asks or any(self.header(name) for name in _SPECIAL)


class Wire(msgspec.Struct, frozen=True):
    """The framing of a response, as seen in its raw bytes.

    ``lengths`` has the distinct values of Content-Length. ``folded`` counts header lines that continue another one, and
    ``interim`` the 1xx responses before this one. ``surplus`` is the number of bytes after the headers of a response
    that must not have a body (to HEAD, or a 204 or 304), None for other responses. ``misnamed`` has the first few
    invalid header names, such as one with a space before its colon.
    """

    lengths: tuple[str, ...] = ()
    folded: int = 0
    surplus: int | None = None
    interim: int = 0
    misnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Response:
    """A response that was received or recorded.

    ``content`` is the body after the chunked coding and all content codings were decoded. If that failed,
    ``coding_error`` says why, and ``content`` is the part before the error. ``wire`` is set if the raw bytes were
    inspected; the body was then not read.

    ``head`` is False if not all headers are known. ``extent`` says how much of the body is known. ``verbatim`` is False
    if the recorder re-encoded or reformatted the body, so that its bytes are not those that the server sent. ``echoes``
    says where the response contains the key of the request: names of header fields, and "" for the body.
    """

    status: int
    headers: Headers = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    coding_error: str | None = None
    head: bool = True
    http_version: str = "HTTP/1.1"
    wire: Wire | None = field(default=None, repr=False)
    extent: Extent = Extent.WHOLE
    verbatim: bool = True
    echoes: tuple[str, ...] = ()

    @property
    def body(self) -> bytes | StoredBody:
        """The body, or a ``StoredBody`` if it is in a file. Equal bodies of a run are stored once."""
        return self.content

    @property
    def size(self) -> int:
        """The length of the body in bytes."""
        return len(self.content)

    def kept_in(self, store: BodyStore) -> Response:
        """Return the response with its body in ``store``, which may write it to a file."""
        body = store.keep(self.content)
        if body is self.content:
            return self
        return replace(self, content=body) if isinstance(body, bytes) else StoredResponse(self, body)

    def with_echoes(self, headers: Headers, echoes: tuple[str, ...]) -> Response:
        """Return a copy with these headers and ``echoes``: the places where the response contains the user's key."""
        return replace(self, headers=headers, echoes=echoes)

    @property
    def whole(self) -> bool:
        """Whether the complete body is known."""
        return self.extent is Extent.WHOLE

    @cached_property
    def typed(self) -> bool:
        """Whether the Content-Type of the response is known, or its absence."""
        return self.head or self.header("content-type") is not None

    def lines(self, name: str) -> list[str]:
        """Return the values of all lines of the response header ``name`` (in lower case)."""
        return lines(self.headers, name)

    def header(self, name: str) -> str | None:
        """Return the first value of the response header ``name`` (in lower case), or None."""
        return next(iter(self.lines(name)), None)

    def values(self, name: str) -> list[str]:
        """Return the members of the list-valued response header ``name`` over all its lines, in lower case."""
        return members(self.lines(name))

    @cached_property
    def media_type(self) -> str | None:
        """The media type of Content-Type, without parameters and in lower case. None if the header is missing."""
        found = self.lines("content-type")
        if len(found) > 1:  # not a list-based field: clients differ in which of two lines they use
            return ", ".join(found).lower()
        return found[0].partition(";")[0].strip().lower() if found else None


class StoredResponse(Response):
    """A response whose body is in a file. It is read from there on each access."""

    def __init__(self, response: Response, body: StoredBody) -> None:
        vars(self).update({name: value for name, value in vars(response).items() if name != "content"}, _body=body)

    def with_echoes(self, headers: Headers, echoes: tuple[str, ...]) -> Response:
        """Return a copy with these headers and ``echoes``: the places where the response contains the user's key."""
        others = {each.name: getattr(self, each.name) for each in fields(Response) if each.name != "content"}
        return StoredResponse(Response(**{**others, "headers": headers, "echoes": echoes}), self.body)

    def kept_in(self, _store: BodyStore) -> Response:
        """Return this response unchanged, because its body is already in a file."""
        return self

    @property
    def content(self) -> bytes:
        """The body, read from the file on each access."""
        return self.body.read()

    @property
    def body(self) -> StoredBody:
        """The body as it is stored in the file."""
        body: StoredBody = vars(self)["_body"]
        return body

    @property
    def size(self) -> int:
        """The length of the body in bytes."""
        return self.body.size

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle as a normal response, because another process does not have the file."""
        return Response, tuple(getattr(self, each.name) for each in fields(Response))


@dataclass(frozen=True)
class Exchange:
    """One request and its response, or ``problem``, the reason why the response is missing or incomplete.

    ``server`` names the server if a recording contains several. ``started`` is in seconds since the Unix epoch, None if
    a recording lacks it. ``elapsed`` is in seconds, from the first byte sent to the last one received. ``attempt``
    counts from 1. An attempt is ``superseded``, and not checked, if a later one replaced it or if the server had banned
    the suite.
    """

    id: str
    request: Request
    response: Response | None = None
    problem: Problem | None = None
    started: float | None = None
    elapsed: float | None = None
    attempt: int = 1
    superseded: bool = False
    server: str = ""
    redactor: Redactor = field(default=NOTHING, repr=False, compare=False)
    """Redacts the keys that were sent, in everything that is shown."""

    @property
    def status(self) -> int | None:
        """The status of the response, None without a response."""
        return None if self.response is None else self.response.status
