"""The type of a request to send, the check that it is allowed, and the parameters that the user's document requires."""

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
    """A request to send, described by how it differs from a normal GET of the queue.

    ``purpose`` says in words why it is sent. A header with the value None is left out. ``operation`` is set if the
    request is not a GET of the queue. ``body`` is sent as it is, even if it is not JSON.
    """

    purpose: str
    method: str = "GET"
    headers: tuple[tuple[str, str | None], ...] = ()
    query: str = ""
    credential: Credential = Credential.GIVEN
    operation: Operation | None = None
    body: bytes = b""
    job: str = ""
    """The job id in the URL, for operations whose path has one."""


def other(purpose: str, operation: Operation, body: bytes = b"", query: str = "", job: str = "") -> Ask:
    """Return a request for an operation other than GET /api/queue, such as submitting a job."""
    headers = (("Content-Type", "application/json"),) if operation.writes else ()
    return Ask(purpose, operation.method, headers, query, operation=operation, body=body, job=job)


def guard(ask: Ask, leave: Leave | None) -> None:
    """Raise ValueError if a request may change the server without permission."""
    if ask.method not in SAFE_METHODS:
        refusal = f"{ask.method} is not a read-only method"
        if leave is not None:
            refusal = leave.refusal(ask.method, ask.operation, ask.body, ask.job) or ""
        if refusal:
            raise ValueError(refusal)
    if any(name.lower() in METHOD_OVERRIDES for name, _ in ask.headers):
        msg = "a header that overrides the method may turn a GET into a request that changes the server"
        raise ValueError(msg)


class Required(NamedTuple):
    """The header fields and query parameters that the user's OpenAPI document requires of every GET of the queue.

    ``declared`` names all parameters that it declares, as ``Request.own_parameters`` does.
    """

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    declared: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the header fields, in lower case."""
        return tuple(name.lower() for name, _ in self.headers)

    @property
    def text(self) -> str:
        """The required query parameters as a query string."""
        return urlencode(self.query)

    def with_query(self, query: str) -> str:
        """Return ``query`` with those required parameters added that it lacks."""
        there = {unquote_plus(pair.partition("=")[0]) for pair in query.split("&")}
        missing = urlencode([(name, value) for name, value in self.query if name not in there])
        return "&".join(filter(None, (missing, query)))
