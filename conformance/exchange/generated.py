"""Turn a response of Schemathesis into an exchange, without any key."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from conformance.exchange.model import Credential, Exchange, Request
from conformance.exchange.model import Response as Answered
from conformance.exchange.recordings import is_queue, redact
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import KEY_HEADER, SHORTEST_KEY, Secret

if TYPE_CHECKING:
    from schemathesis import Response


class Received(NamedTuple):
    """A response, with its content and headers as received. The reference keeps the ``id`` of the response unique."""

    response: Response
    content: bytes
    headers: Mapping[str, list[str]]


def exchange_of(received: Received, name: str, key: str | None) -> Exchange:
    """Return the request and the response. ``name`` becomes the id of the exchange, ``key`` is the user's key."""
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
    """Return what takes the user's key out of text. A key that is too short to recognise is not taken out."""
    return Redactor(Secret(key) if key is not None and len(key) >= SHORTEST_KEY else None)


def _credential(sent: object, given: str | None) -> Credential:
    """Return which key a request has: the user's, or one made up by Schemathesis. Without a user's key, any."""
    if given is None or (sent is not None and sent == given):
        return Credential.GIVEN
    if sent is None:
        return Credential.NONE
    return Credential.WRONG if sent else Credential.EMPTY
