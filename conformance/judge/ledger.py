"""Reduce exchanges to the lines of the ledger in the report."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
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
from conformance.text.safe import blotted, printable

BODY: Final = 2000
"""Characters of a request body that are kept: enough for most requests, and for the start of a workflow."""


EXCERPT: Final = 1 << 14
"""Bytes of a response body from which the excerpt is made."""


def record(exchange: Exchange, *, hide_workflows: bool = False, whole: bool = False) -> RecordedExchange:
    """Return the ledger line of an exchange, its body bounded and printable. ``whole`` adds all that clauses read."""
    asked, answered, problem = exchange.request, exchange.response, exchange.problem
    recorded = RecordedExchange(
        id=exchange.id,
        request=RecordedRequest(
            method=asked.method,
            url=asked.url,
            headers=asked.headers,
            purpose=asked.purpose,
            credential=asked.credential.value,
            size=len(asked.body),
            body=start_of(asked.body, BODY, hide=hide_workflows) if asked.body else "",
        ),
        response=None
        if answered is None
        else RecordedResponse(
            status=answered.status,
            headers=tuple((printable(name), printable(value, 1000)) for name, value in answered.headers[:100]),
            size=answered.size,
            sha256=sha256_of(answered.body),
            excerpt=start_of(
                first_bytes(answered.body, EXCERPT),
                hide=hide_workflows and may_hold_workflows(answered.status, answered.body),
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
"""Bytes of all bodies in a report together, equal bodies counted once."""


BLOT: Final = "x"
"""Replaces each byte of a key. The clauses against showing keys still find it."""


_SPARED: Final = tuple(filter(None, HARMLESS))


def bodies(named: Iterable[tuple[str, bytes, Redactor]], limit: int = WHOLE_BODIES) -> dict[str, Body]:
    """Return bodies by their SHA-256, each once and without keys, except those that would exceed ``limit``."""
    found: dict[str, Body] = {}
    room = limit
    for name, content, redactor in named:
        if content and name not in found and len(content) <= room:
            found[name] = _body(redactor.content(content))
            room -= len(content)
    return found


def kept(exchange: Exchange) -> Kept:
    """Return the facts of an exchange that clauses read and the ledger line does not show."""
    request, answered = exchange.request, exchange.response
    return Kept(
        started=exchange.started,
        to_queue=request.to_queue,
        operation=None if request.operation is None else request.operation.name,
        sent=_body(exchange.redactor.content(request.body)) if request.body else None,
        request_head=request.head,
        own_query=request.own_query,
        own_headers=request.own_headers,
        answer=None
        if answered is None
        else KeptAnswer(
            headers=answered.headers,
            coding_error=answered.coding_error,
            head=answered.head,
            http_version=answered.http_version,
            wire=answered.wire,
            extent=_extent(exchange.redactor, answered).value,
            verbatim=answered.verbatim,
            echoes=answered.echoes,
        ),
        problem=exchange.problem,
    )


def _extent(redactor: Redactor, answered: Response) -> Extent:
    """Return how much of a body can be judged again: nothing if the redacted key may be an ordinary word."""
    whole = not redactor.finds_words(answered.content)
    return answered.extent if whole else Extent.UNKNOWN


def _body(content: bytes) -> Body:
    """Return a body of the same length, with keys of users blotted out."""
    content = blotted(content.decode("latin-1"), BLOT, _SPARED).encode("latin-1")
    try:
        return Body(encoding="utf-8", content=content.decode())
    except UnicodeDecodeError:
        return Body(encoding="base64", content=b64encode(content).decode())
