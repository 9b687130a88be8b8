"""What a run can ask for: one request of the plan, what may be sent, and what the user's document requires."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import unquote_plus, urlencode

from conformance.exchange.model import Credential, Operation
from conformance.probe.leave import Leave
from conformance.probe.limits import METHOD_OVERRIDES

SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Ask:
    """A request of the plan: what differs from the plain read. A header of None is not sent.

    ``operation`` is what is asked for instead of the queue, with ``body`` as it goes out, JSON or meant to be.
    """

    purpose: str
    method: str = "GET"
    headers: tuple[tuple[str, str | None], ...] = ()
    query: str = ""
    credential: Credential = Credential.GIVEN
    operation: Operation | None = None
    body: bytes = b""
    job: str = ""
    """The id in the URL of an operation that names a job there."""


def other(purpose: str, operation: Operation, body: bytes = b"", query: str = "", job: str = "") -> Ask:
    """Return a request of another operation than reading the queue."""
    headers = (("Content-Type", "application/json"),) if operation.writes else ()
    return Ask(purpose, operation.method, headers, query, operation=operation, body=body, job=job)


def guard(ask: Ask, leave: Leave | None) -> None:
    """Stand before the wire: raises ValueError for what may write, unless there is leave for just this."""
    if ask.method not in SAFE_METHODS:
        refusal = f"{ask.method} is no method that only reads"
        if leave is not None:
            refusal = leave.refusal(ask.method, ask.operation, ask.body, ask.job) or ""
        if refusal:
            raise ValueError(refusal)
    if any(name.lower() in METHOD_OVERRIDES for name, _ in ask.headers):
        msg = "a header that overrides the method may make a read write"
        raise ValueError(msg)


class Required(NamedTuple):
    """What the user's document requires of every read: header fields, and a query as pairs of names and values."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the header fields, in lower case."""
        return tuple(name.lower() for name, _ in self.headers)

    @property
    def text(self) -> str:
        """The query as it is sent."""
        return urlencode(self.query)

    def with_query(self, query: str) -> str:
        """Return a query with the required pairs that are not in it."""
        there = {unquote_plus(pair.partition("=")[0]) for pair in query.split("&")}
        missing = urlencode([(name, value) for name, value in self.query if name not in there])
        return "&".join(filter(None, (missing, query)))
