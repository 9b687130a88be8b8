"""Exchange: one request and the bytes of its response, with timing. Frozen.

Clauses judge a response as received, so it may contain the key. The creator of an exchange (the probe, the reader of
recordings) redacts keys in the request, records where the response repeats one (``Response.echoes``), and adds the
``Exchange.redactor``, which redacts the response wherever it is shown or written.

A live run knows everything about an exchange, a recording may not. These members say what is known, for every tool:
``Request.head``, ``Response.head``, ``Response.extent``, ``Response.verbatim``, ``Exchange.started`` and
``Exchange.elapsed``. The selectors of clauses check them, so an unknown part breaks no clause.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Final
from urllib.parse import urlsplit

import msgspec

from conformance.exchange.headers import Headers, accepts, first, lines, members
from conformance.exchange.redactor import NOTHING, Redactor
from conformance.exchange.stored import BodyStore, StoredBody


class Credential(enum.Enum):
    """Which key a request carried."""

    GIVEN = "given"
    """The user's key, or none if the user gave none."""
    NONE = "none"
    WRONG = "wrong"
    """The user's key with another last character."""
    OTHER_CASE = "other case"
    """The user's key with upper and lower case swapped."""
    EMPTY = "empty"
    LOWER_CASE_NAME = "lower-case name"
    """The user's key in a header spelt ``x-api-key``."""


class Operation(enum.Enum):
    """An operation other than reading the queue, through which jobs are created and removed.

    The value is the method and the path that replaces ``queue`` in the queue's URL; ``{job}`` is an id.
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
        """The method of the operation."""
        return self.value[0]

    @property
    def writes(self) -> bool:
        """Whether the operation changes something."""
        return self.method == "POST"


class NoResponse(enum.Enum):
    """Why there is nothing to judge. Never a breach: the run is inconclusive about the missing response."""

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
    """Only the start of the body: the known part counts, the missing part does not."""
    UNKNOWN = "unknown"


OTHER_PROTOCOL: Final = "no response in HTTP/1.1"
"""Prefix of a problem's ``detail`` if another protocol was recognised. Advice follows it."""
UNRESOLVED: Final = "the name cannot be resolved"
"""Prefix of a problem's ``detail`` if the host name is unknown."""


class Problem(msgspec.Struct, frozen=True):
    """A transport problem, in words (``detail`` may quote the server: untrusted text).

    ``begun`` is True if a response broke off or was not HTTP, and False if the connection ended without a byte. A
    server may close an idle connection at any time (RFC 9112 §9.5), but must complete a response that it started.
    """

    fault: NoResponse
    detail: str
    begun: bool = False


_COMMON: Final = frozenset(
    {"host", "connection", "user-agent", "accept", "accept-encoding", "x-request-id", "x-api-key", "authorization"}
)
_SPECIAL: Final = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "range", "origin")


Same = tuple[str, str, str, Headers]
"""What makes two requests equal: method, URL, credential, and header fields except the request id."""


@dataclass(frozen=True)
class Request:
    """A request.

    ``purpose`` says why it was sent, and ``to_queue`` whether it is judged as a request to the queue. A request for
    another operation names it, and is judged only by the clauses on the life of jobs. ``body`` is the body sent, with
    keys redacted. ``head`` says whether the headers are known: a recording may lack them.
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
    """The query that the document requires of every read."""
    own_headers: tuple[str, ...] = ()
    """The names (lower case) of headers that the document requires of every read."""

    def header(self, name: str) -> str | None:
        """Return the first value of the request field ``name`` (lower case)."""
        return first(self.headers, name)

    def members(self, name: str) -> str | None:
        """Return the value of the list-based request field ``name`` (lower case), over all its lines."""
        found = lines(self.headers, name)
        return ", ".join(found) if found else None

    @cached_property
    def reads(self) -> bool:
        """Whether this is a GET of the queue with the user's credential."""
        return (
            self.method == "GET" and self.to_queue and self.credential in {Credential.GIVEN, Credential.LOWER_CASE_NAME}
        )

    @cached_property
    def plain(self) -> bool:
        """Whether nothing in the headers or the query excuses another response than a 200 with the queue."""
        return self.reads and self.credential is Credential.GIVEN and not self.special and self.takes_json

    @cached_property
    def usual(self) -> bool:
        """Whether this is a plain read that accepts only JSON, as clients of the API do."""
        return self.plain and self.bare and self.header("accept") == "application/json"

    @cached_property
    def bare(self) -> bool:
        """Whether there are only headers that identify the client and the request."""
        return all(name.lower() in _COMMON or name.lower() in self.own_headers for name, _ in self.headers)

    @cached_property
    def takes_json(self) -> bool:
        """Whether Accept allows JSON."""
        return accepts(self.members("accept"), "application/json")

    @cached_property
    def same(self) -> Same:
        """What makes two requests equal: everything except the request id."""
        named = [(name.lower(), value) for name, value in self.headers]
        kept = tuple([field for field in named if field[0] != "x-request-id"])
        return self.method, self.url, self.credential.value, kept

    @cached_property
    def special(self) -> bool:
        """Whether a condition, a range, an origin or a query may change the response."""
        query = urlsplit(self.url).query
        return (bool(query) and query != self.own_query) or any(self.header(name) for name in _SPECIAL)


class Wire(msgspec.Struct, frozen=True):
    """The framing of a response as received, if the client inspected the raw bytes, which libraries repair or hide.

    ``lengths`` are the distinct values of Content-Length. ``folded`` counts continuation lines in the head, ``interim``
    the 1xx responses before this one. ``surplus`` is the number of bytes after a head without content (of a response to
    HEAD, of 204 and 304), None for other responses. ``misnamed`` are the first few invalid field names, such as one
    with a space before its colon.
    """

    lengths: tuple[str, ...] = ()
    folded: int = 0
    surplus: int | None = None
    interim: int = 0
    misnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Response:
    """A response.

    ``content`` is the body after transfer and content codings. ``coding_error`` says why a coding could not be undone;
    ``content`` is then the part before the error. ``wire`` is present if the raw bytes were inspected; the body was
    then not read.

    ``head`` is False if not all headers are known; ``headers`` then holds those that are. ``extent`` says how much of
    the body is in ``content``. ``verbatim`` is False if the recorder re-encoded or reformatted the text, so that its
    bytes are not those that were sent. ``echoes`` names where the key of the request is repeated: header fields, and ""
    for the body.
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
        """The body, or where it is stored: equal for responses with the same body that a run kept once."""
        return self.content

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.content)

    def kept_in(self, store: BodyStore) -> Response:
        """Return the response with its body kept in a store."""
        body = store.keep(self.content)
        return replace(self, content=body) if isinstance(body, bytes) else StoredResponse(self, body)

    def with_echoes(self, headers: Headers, echoes: tuple[str, ...]) -> Response:
        """Return the response with other headers, and with the places that repeat the key."""
        return replace(self, headers=headers, echoes=echoes)

    @property
    def whole(self) -> bool:
        """Whether the complete body is known."""
        return self.extent is Extent.WHOLE

    @cached_property
    def typed(self) -> bool:
        """Whether the Content-Type, or its absence, is known."""
        return self.head or self.header("content-type") is not None

    def lines(self, name: str) -> list[str]:
        """Return the values of all lines of the response field ``name`` (lower case)."""
        return lines(self.headers, name)

    def header(self, name: str) -> str | None:
        """Return the first value of the response field ``name`` (lower case)."""
        return next(iter(self.lines(name)), None)

    def values(self, name: str) -> list[str]:
        """Return the members of the list-based response field ``name``, lower-cased, over all its lines."""
        return members(self.lines(name))

    @cached_property
    def media_type(self) -> str | None:
        """The media type without parameters, in lower case; None if the field is missing."""
        found = self.lines("content-type")
        if len(found) > 1:  # not a list-based field: clients differ in which of two lines they use
            return ", ".join(found).lower()
        return found[0].partition(";")[0].strip().lower() if found else None


class StoredResponse(Response):
    """A response whose body is in a file and is read when it is asked for."""

    def __init__(self, response: Response, body: StoredBody) -> None:
        vars(self).update({name: value for name, value in vars(response).items() if name != "content"}, _body=body)

    def with_echoes(self, headers: Headers, echoes: tuple[str, ...]) -> Response:
        """Return the response with other headers, and with the places that repeat the key."""
        others = {each.name: getattr(self, each.name) for each in fields(Response) if each.name != "content"}
        return StoredResponse(Response(**{**others, "headers": headers, "echoes": echoes}), self.body)

    def kept_in(self, _store: BodyStore) -> Response:
        """Return the response, whose body is stored already."""
        return self

    @property
    def content(self) -> bytes:
        """The body."""
        return self.body.read()

    @property
    def body(self) -> StoredBody:
        """Where the body is stored."""
        body: StoredBody = vars(self)["_body"]
        return body

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return self.body.size

    def __reduce__(self) -> tuple[object, ...]:
        """Become a plain response in another process, which does not have the file."""
        return Response, tuple(getattr(self, each.name) for each in fields(Response))


@dataclass(frozen=True)
class Exchange:
    """One request and its response, or the reason why it is missing or incomplete.

    ``server`` names the server of a recording that holds several; clauses never compare one with another.
    ``started`` is in seconds since the Unix epoch (None for a recording without a clock),
    ``elapsed`` in seconds from the first byte sent to the last one read. ``attempt`` counts from 1;
    an attempt that a later one replaced, or that a ban refused, is ``superseded``: in the ledger, but not judged.
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
    """Takes the keys that were sent out of what is shown."""
