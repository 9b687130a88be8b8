"""The requests of a run: one request of the plan, which requests are allowed, and what the document requires."""

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
    """A request of the plan: how it differs from the plain read. A header of None is not sent.

    ``operation`` is an operation other than reading the queue; ``body`` is sent as is, JSON or deliberately not.
    """

    purpose: str
    method: str = "GET"
    headers: tuple[tuple[str, str | None], ...] = ()
    query: str = ""
    credential: Credential = Credential.GIVEN
    operation: Operation | None = None
    body: bytes = b""
    job: str = ""
    """The job id in the URL, for operations that have one."""


def other(purpose: str, operation: Operation, body: bytes = b"", query: str = "", job: str = "") -> Ask:
    """Return a request for an operation other than reading the queue."""
    headers = (("Content-Type", "application/json"),) if operation.writes else ()
    return Ask(purpose, operation.method, headers, query, operation=operation, body=body, job=job)


def guard(ask: Ask, leave: Leave | None) -> None:
    """Check a request before it is sent. Raises ValueError if it may write without permission."""
    if ask.method not in SAFE_METHODS:
        refusal = f"{ask.method} is not a read-only method"
        if leave is not None:
            refusal = leave.refusal(ask.method, ask.operation, ask.body, ask.job) or ""
        if refusal:
            raise ValueError(refusal)
    if any(name.lower() in METHOD_OVERRIDES for name, _ in ask.headers):
        msg = "a header that overrides the method may make a read write"
        raise ValueError(msg)


class Required(NamedTuple):
    """What the user's document requires of every read: header fields, and query parameters as pairs."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the header fields, in lower case."""
        return tuple(name.lower() for name, _ in self.headers)

    @property
    def text(self) -> str:
        """The query string."""
        return urlencode(self.query)

    def with_query(self, query: str) -> str:
        """Return a query with the missing required pairs added."""
        there = {unquote_plus(pair.partition("=")[0]) for pair in query.split("&")}
        missing = urlencode([(name, value) for name, value in self.query if name not in there])
        return "&".join(filter(None, (missing, query)))
