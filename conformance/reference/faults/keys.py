"""Faults of authentication: wrong keys that are accepted, wrong refusals, and keys that are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from conformance.reference.faults.errors import A_JOB
from conformance.reference.faults.registry import hears, replies
from conformance.reference.faults.replies import PAGE
from conformance.reference.message import IncomingRequest, Reply

_KEYED: Final = "key-enforced"


def _given(ask: IncomingRequest) -> str | None:
    return ask.header("x-api-key")


@hears("auth.key-required", variant=_KEYED)
def no_key_needed(ask: IncomingRequest) -> IncomingRequest:
    """A request without a key gets the queue, although a wrong key is refused."""
    return ask.with_key() if _given(ask) is None and ask.method == "GET" else ask


@hears("auth.wrong-key", variant=_KEYED, name="any-key-will-do")
def accepts_any_key(ask: IncomingRequest) -> IncomingRequest:
    """Every key is accepted."""
    return ask.with_key() if _given(ask) else ask


@hears("auth.empty-key", variant=_KEYED, name="empty-key-will-do")
def accepts_empty_key(ask: IncomingRequest) -> IncomingRequest:
    """An empty key is accepted."""
    return ask.with_key() if _given(ask) == "" else ask


@hears("auth.head", variant=_KEYED)
def head_needs_no_key(ask: IncomingRequest) -> IncomingRequest:
    """HEAD works without a key."""
    return ask.with_key() if ask.method == "HEAD" else ask


@hears("auth.header-name", variant=_KEYED)
def header_name_by_the_letter(ask: IncomingRequest) -> IncomingRequest:
    """The key is ignored if the name of its header is in lower case."""
    return replace(ask, headers=tuple(field for field in ask.headers if field[0] != "x-api-key"))


@hears("auth.wrong-key", variant=_KEYED)
def last_character_overlooked(ask: IncomingRequest) -> IncomingRequest:
    """The last character of the key is not compared."""
    return ask.with_key() if (_given(ask) or "")[:-1] == (ask.key or "")[:-1] else ask


@hears("auth.wrong-key", variant=_KEYED)
def only_the_start_is_compared(ask: IncomingRequest) -> IncomingRequest:
    """Only the first eight characters of the key are compared."""
    return ask.with_key() if (_given(ask) or "").startswith((ask.key or "")[:8]) else ask


@hears("auth.key-case", variant=_KEYED)
def letter_case_overlooked(ask: IncomingRequest) -> IncomingRequest:
    """The key is accepted in any letter case."""
    return ask.with_key() if (_given(ask) or "").lower() == (ask.key or "").lower() else ask


@replies("auth.status", to=401, variant=_KEYED)
def refuses_with_404(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request without a key gets a 404."""
    return reply.error(404, "This path does not exist.").having(www_authenticate=None)


@replies("auth.status", to=401, variant=_KEYED)
def refuses_with_400(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request without a key gets a 400."""
    return reply.error(400, "X-API-Key is missing.").having(www_authenticate=None)


@replies("error.other-json", to=401, variant=_KEYED)
def refuses_with_a_word(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal has Content-Type application/json, but its body is a word without quotes."""
    return reply.having(b"Unauthorized")


@replies("error.no-queue", to=401, variant=_KEYED)
def refuses_and_shows_the_queue(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The response to a request without a key contains a job of the queue."""
    return reply.json(401, {"code": "UNAUTHORIZED", "message": "No.", "data": {"queue_running": [A_JOB]}})


@replies("auth.challenge", to=401, variant=_KEYED)
def no_challenge(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 401 has no WWW-Authenticate."""
    return reply.having(www_authenticate=None)


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_with_a_page(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal is a web page."""
    return reply.having(PAGE, content_type="text/html")


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_without_a_word(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal has no body."""
    return reply.having(b"", content_type=None)


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_with_detail(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The body of a refusal is JSON with only a detail, as FastAPI sends it."""
    return reply.having(b'{"detail":"Not authenticated"}')


@replies("auth.key-not-echoed", to=200, variant=_KEYED)
def echoes_the_key(reply: Reply, ask: IncomingRequest) -> Reply:
    """Bodies contain the key of the request."""
    return reply.json(200, {**json.loads(reply.body), "asked_by": _given(ask)})


@replies("auth.key-not-echoed", to=200, variant=_KEYED)
def echoes_the_key_in_a_header(reply: Reply, ask: IncomingRequest) -> Reply:
    """A response header contains the key of the request."""
    return reply.having(x_asked_by=_given(ask))
