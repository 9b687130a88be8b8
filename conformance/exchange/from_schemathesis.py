"""Turn a response that Schemathesis received into an ``Exchange``, with keys redacted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from conformance.exchange.model import Credential, Exchange, Request
from conformance.exchange.model import Response as Answered
from conformance.exchange.recording import is_queue, redact
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import KEY_HEADER, SHORTEST_KEY, Secret

if TYPE_CHECKING:
    from schemathesis import Response


class Received(NamedTuple):
    """A response of Schemathesis, with its body and headers as received.

    ``response`` is kept so that Python does not give its ``id()`` to a later response.
    """

    response: Response
    content: bytes
    headers: Mapping[str, list[str]]


def exchange_of(received: Received, name: str, key: str | None) -> Exchange:
    """Return the exchange for a response. ``name`` becomes its id. ``key`` is the user's key, or None."""
    response, original = received.response, received.response.request
    sent = tuple(
        (str(field), value.decode("latin-1") if isinstance(value, bytes) else value)
        for field, value in original.headers.items()
    )
    redactor = redactor_of(key)
    url = original.url or ""
    credential = _credential(original.headers.get(KEY_HEADER), key)
    request = Request(original.method or "", redactor.text(url), redact(sent), "st run", credential, is_queue(url))
    headers = tuple((field, value) for field, values in received.headers.items() for value in values)
    answered = Answered(
        response.status_code,
        headers,
        received.content,
        http_version=f"HTTP/{response.http_version}",
        echoes=redactor.echoes(headers, received.content),
    )
    started = time.time() - response.elapsed
    return Exchange(name, request, answered, started=started, elapsed=response.elapsed, redactor=redactor)


def redactor_of(key: str | None) -> Redactor:
    """Return a redactor for the user's key. It does nothing if the key is too short to be recognised in text."""
    return Redactor(Secret(key) if key is not None and len(key) >= SHORTEST_KEY else None)


def _credential(sent: object, given: str | None) -> Credential:
    """Return which key a request has: the user's, none, an empty one, or one that Schemathesis made up.

    If the user gave no key, every request counts as having the user's.
    """
    if given is None or (sent is not None and sent == given):
        return Credential.GIVEN
    if sent is None:
        return Credential.NONE
    return Credential.WRONG if sent else Credential.EMPTY
