"""Make the entries of the report's list of exchanges (``exchanges`` in compliance.json)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from conformance.contract.clauses.privacy import HARMLESS
from conformance.exchange.model import Exchange, Extent, Response
from conformance.exchange.redactor import Redactor
from conformance.exchange.stored import sha256_of
from conformance.exchange.stored import start_of as first_bytes
from conformance.judge.excerpt import start_of
from conformance.judge.masking import may_hold_workflows
from conformance.judge.redaction import exchange_without_keys
from conformance.judge.report import Body, Kept, KeptAnswer, RecordedExchange, RecordedRequest, RecordedResponse
from conformance.text.safe import blot_keys, printable

BODY: Final = 2000
"""Maximum number of characters of a request body that the report shows."""


EXCERPT: Final = 1 << 14
"""Number of bytes at the start of a response body from which the excerpt is made."""
_start_of_body: Final = lru_cache(maxsize=32)(start_of)
"""Cached, because many responses of a run have the same body."""


def record(exchange: Exchange, *, hide_workflows: bool = False, whole: bool = False) -> RecordedExchange:
    """Return an exchange as the report shows it, with printable excerpts of its bodies.

    ``whole`` adds what is needed to check the exchange again.
    """
    request, response, problem = exchange.request, exchange.response, exchange.problem
    recorded = RecordedExchange(
        id=exchange.id,
        request=RecordedRequest(
            method=request.method,
            url=request.url,
            headers=request.headers,
            purpose=request.purpose,
            credential=request.credential.value,
            size=len(request.body),
            body=start_of(request.body, BODY, hide=hide_workflows) if request.body else "",
        ),
        response=None
        if response is None
        else RecordedResponse(
            status=response.status,
            headers=tuple((printable(name), printable(value, 1000)) for name, value in response.headers[:100]),
            size=response.size,
            sha256=sha256_of(response.body),
            excerpt=_start_of_body(
                first_bytes(response.body, EXCERPT),
                hide=hide_workflows and may_hold_workflows(response.status, response.body),
            ),
        ),
        error=None if problem is None else f"{problem.fault.value}: {printable(problem.detail)}",
        elapsed=exchange.elapsed,
        attempt=exchange.attempt,
        superseded=exchange.superseded,
        kept=kept(exchange) if whole else None,
        server=printable(exchange.server, 300),
    )
    return exchange_without_keys(recorded, exchange.redactor)


def instant(seconds: float) -> str:
    """Return seconds since the Unix epoch as an RFC 3339 time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


WHOLE_BODIES: Final = 64 << 20
"""Maximum total size of the bodies in a report, in bytes. Equal bodies count once."""


BLOT: Final = "x"
"""The character that replaces each byte of a key in a stored body, so that clauses about credentials still find a
value.
"""


_SPARED: Final = tuple(filter(None, HARMLESS))


def bodies(named: Iterable[tuple[str, bytes, Redactor]], limit: int = WHOLE_BODIES) -> dict[str, Body]:
    """Return bodies by their SHA-256, with keys redacted.

    A body is left out if all bodies together would have more than ``limit`` bytes with it.
    """
    found: dict[str, Body] = {}
    room = limit
    for name, content, redactor in named:
        if content and name not in found and len(content) <= room:
            found[name] = _body(redactor.content(content))
            room -= len(content)
    return found


def kept(exchange: Exchange) -> Kept:
    """Return the facts about an exchange that clauses need and that the other members of the report do not have."""
    request, response = exchange.request, exchange.response
    return Kept(
        started=exchange.started,
        to_queue=request.to_queue,
        operation=None if request.operation is None else request.operation.name,
        sent=_body(exchange.redactor.content(request.body)) if request.body else None,
        request_head=request.head,
        own_query=request.own_query,
        own_headers=request.own_headers,
        own_parameters=request.own_parameters,
        answer=None
        if response is None
        else KeptAnswer(
            headers=response.headers,
            coding_error=response.coding_error,
            head=response.head,
            http_version=response.http_version,
            wire=response.wire,
            extent=_extent(exchange.redactor, response).value,
            verbatim=response.verbatim,
            echoes=response.echoes,
        ),
        problem=exchange.problem,
    )


def _extent(redactor: Redactor, response: Response) -> Extent:
    """Return how much of a body can be checked again.

    It is nothing if the body was changed because the key may be an ordinary word in it.
    """
    whole = not redactor.finds_words(response.content)
    return response.extent if whole else Extent.UNKNOWN


def _body(content: bytes) -> Body:
    """Return a body for the report in which each byte of a key is replaced by ``BLOT``."""
    content = blot_keys(content.decode("latin-1"), BLOT, _SPARED).encode("latin-1")
    try:
        return Body(encoding="utf-8", content=content.decode())
    except UnicodeDecodeError:
        return Body(encoding="base64", content=b64encode(content).decode())
