"""Exchange: one request and the bytes that answered it, with its timing. Frozen.

Clauses judge a response as it came, so it may hold the key that was sent. Whoever makes an exchange (the probe, the
reader of recordings) replaces keys in the request, notes where the response repeats one (``Response.echoes``), and
adds what takes them out (``Exchange.redactor``) wherever the response is shown or written.

A live run knows all of an exchange. A recording may not, and these members say what is known, whatever tool
recorded it: ``Request.head``, ``Response.head``, ``Response.extent``, ``Response.verbatim``, ``Exchange.started``
and ``Exchange.elapsed``. The selectors of clauses look at them, so an unknown part breaks no clause.
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
    """What the user gave: a key, or none."""
    NONE = "none"
    WRONG = "wrong"
    """The user's key with another last character."""
    OTHER_CASE = "other case"
    """The user's key with upper and lower case swapped."""
    EMPTY = "empty"
    LOWER_CASE_NAME = "lower-case name"
    """The user's key in a header spelt ``x-api-key``."""


class Operation(enum.Enum):
    """What a request asks for that does not read the queue: the operations beside it, by which jobs come and go.

    The value is the method, and what stands in the place of ``queue`` in the queue's own URL: ``{job}`` is an id.
    """

    SUBMIT = ("POST", "prompt")
    """A workflow is to be run."""
    MANAGE = ("POST", "queue")
    """Pending jobs are to be removed, some or all."""
    INTERRUPT = ("POST", "interrupt")
    """What runs is to be stopped."""
    CANCEL = ("POST", "jobs/{job}/cancel")
    """One job, waiting or running, is to be cancelled: ComfyUI since 0.25."""
    COUNT = ("GET", "prompt")
    """How many jobs remain?"""
    JOBS = ("GET", "jobs")
    """Which jobs are there, and with which status? Those that ended too."""
    NODES = ("GET", "object_info")
    """Which classes of nodes may workflows be made of?"""
    STATS = ("GET", "system_stats")
    """Which version of ComfyUI is this?"""

    @property
    def method(self) -> str:
        """The method of its requests."""
        return self.value[0]

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method == "POST"


class NoResponse(enum.Enum):
    """Why there is no answer to judge. Never a breach: the run is inconclusive for what it would have shown."""

    UNREACHABLE = "unreachable"
    """Name not resolved, connection refused, TLS not established."""
    TIMEOUT = "timeout"
    """Not whole within the time for one exchange."""
    BROKEN = "broken"
    """The connection ended, or stopped being HTTP, before the answer was whole."""
    TOO_LARGE = "too large"
    """The body passed the bound on bytes."""
    NOT_RECORDED = "not recorded"
    """The recording lacks the response, or a part of it. Says nothing about the server."""


class Extent(enum.Enum):
    """How much of a response body is known."""

    WHOLE = "whole"
    CUT = "cut"
    """Only its start: what stands there counts, what is missing does not."""
    UNKNOWN = "unknown"


OTHER_PROTOCOL: Final = "no response in HTTP/1.1"
"""How ``detail`` of a problem begins if another protocol was recognised; what to do about it follows."""


class Problem(msgspec.Struct, frozen=True):
    """A fault of the transport, in words (``detail`` may quote the server: hostile text).

    ``begun`` tells an answer that broke off, or was no HTTP, from a connection that brought nothing: a
    server may close an idle one at any time (RFC 9112 §9.5), but what it began it has to end.
    """

    fault: NoResponse
    detail: str
    begun: bool = False


_COMMON: Final = frozenset(
    {"host", "connection", "user-agent", "accept", "accept-encoding", "x-request-id", "x-api-key", "authorization"}
)
_SPECIAL: Final = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "range", "origin")


Same = tuple[str, str, str, Headers]
"""What makes two requests the same: method, URL, credential, and fields but for the id of its own."""


@dataclass(frozen=True)
class Request:
    """What was asked.

    ``purpose`` says in words why the request was sent; ``to_queue`` whether it is judged as one to the queue.
    What goes to another operation names it, and is judged by the clauses on the life of jobs alone. ``body`` is
    what was sent, keys redacted. ``head`` says whether the headers are known: a recording may lack them.
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

    @cached_property
    def reads(self) -> bool:
        """A GET of the queue with the credential that the user gave."""
        return (
            self.method == "GET" and self.to_queue and self.credential in {Credential.GIVEN, Credential.LOWER_CASE_NAME}
        )

    @cached_property
    def plain(self) -> bool:
        """A read that nothing in its headers or query excuses from being answered 200 with the queue."""
        return self.reads and self.credential is Credential.GIVEN and not self.special and self.takes_json

    @cached_property
    def usual(self) -> bool:
        """A plain read that asks for JSON alone, as clients of the API do."""
        return self.plain and self.bare and self.header("accept") == "application/json"

    @cached_property
    def bare(self) -> bool:
        """Whether no header stands there but those that say who asks, and for what."""
        return all(name.lower() in _COMMON or name.lower() in self.own_headers for name, _ in self.headers)

    @cached_property
    def takes_json(self) -> bool:
        """Whether Accept lets the server answer with JSON."""
        fields = lines(self.headers, "accept")
        return accepts(", ".join(fields) if fields else None, "application/json")

    @cached_property
    def same(self) -> Same:
        """What makes two requests the same: all but the id that each has of its own."""
        named = [(name.lower(), value) for name, value in self.headers]
        kept = tuple([field for field in named if field[0] != "x-request-id"])
        return self.method, self.url, self.credential.value, kept

    @cached_property
    def special(self) -> bool:
        """Whether a condition, a range, an origin or a query may change the answer."""
        query = urlsplit(self.url).query
        return (bool(query) and query != self.own_query) or any(self.header(name) for name in _SPECIAL)


class Wire(msgspec.Struct, frozen=True):
    """What stood on the wire around an answer, where a client looked at its very bytes: libraries mend or hide it.

    ``lengths`` are the different values of Content-Length, each once. ``folded`` counts lines of the head that go on
    with a field of the line before, ``interim`` the answers of 1xx before this one. ``surplus`` are the bytes that
    followed a head after which there is no content (to HEAD, of 204 and 304), None after any other. ``misnamed`` are
    the first few field names that are none, such as one with a space before its colon.
    """

    lengths: tuple[str, ...] = ()
    folded: int = 0
    surplus: int | None = None
    interim: int = 0
    misnamed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Response:
    """What answered.

    ``content`` is the body after transfer and content codings. ``coding_error`` says why a coding
    could not be undone (``content`` is then what came out before the fault).
    ``wire`` is there where somebody looked, and the body was not read then.

    ``head`` is False if not all headers are known; ``headers`` then holds those that are. ``extent`` says how much of
    the body is in ``content``. ``verbatim`` is False if the recorder re-encoded or reformatted the text, so that its
    bytes say nothing about those that were sent. ``echoes`` names where the key of the request is repeated: header
    fields, and "" for the body.
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

    @property
    def whole(self) -> bool:
        """Whether the whole body is known."""
        return self.extent is Extent.WHOLE

    @cached_property
    def typed(self) -> bool:
        """Whether it is known which Content-Type the response has, or that it has none."""
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
        """The media type without its parameters, lower case; None where the field is missing."""
        found = self.lines("content-type")
        if len(found) > 1:  # no list-based field: readers differ in which of two lines they take
            return ", ".join(found).lower()
        return found[0].partition(";")[0].strip().lower() if found else None


class StoredResponse(Response):
    """A response whose body is in a file and is read when it is asked for."""

    def __init__(self, response: Response, body: StoredBody) -> None:
        vars(self).update({name: value for name, value in vars(response).items() if name != "content"}, _body=body)

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
    """One request and its answer, or the reason why there is none, or why a recording holds only a part of it.

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
