"""Faults of the key: who is let in, how others are refused, and where the key turns up."""

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
    """A request without a key is served, while a wrong key is refused."""
    return ask.with_key() if _given(ask) is None and ask.method == "GET" else ask


@hears("auth.wrong-key", variant=_KEYED)
def any_key_will_do(ask: IncomingRequest) -> IncomingRequest:
    """Any key opens."""
    return ask.with_key() if _given(ask) else ask


@hears("auth.empty-key", variant=_KEYED)
def empty_key_will_do(ask: IncomingRequest) -> IncomingRequest:
    """An empty key opens."""
    return ask.with_key() if _given(ask) == "" else ask


@hears("auth.head", variant=_KEYED)
def head_needs_no_key(ask: IncomingRequest) -> IncomingRequest:
    """HEAD is answered without a key."""
    return ask.with_key() if ask.method == "HEAD" else ask


@hears("auth.header-name", variant=_KEYED)
def header_name_by_the_letter(ask: IncomingRequest) -> IncomingRequest:
    """The key is overlooked where the name of its header is in lower case."""
    return replace(ask, headers=tuple(field for field in ask.headers if field[0] != "x-api-key"))


@hears("auth.wrong-key", variant=_KEYED)
def last_character_overlooked(ask: IncomingRequest) -> IncomingRequest:
    """The last character of the key is not compared."""
    return ask.with_key() if (_given(ask) or "")[:-1] == (ask.key or "")[:-1] else ask


@hears("auth.wrong-key", variant=_KEYED)
def only_the_start_is_compared(ask: IncomingRequest) -> IncomingRequest:
    """Of the key only the first eight characters are compared."""
    return ask.with_key() if (_given(ask) or "").startswith((ask.key or "")[:8]) else ask


@hears("auth.key-case", variant=_KEYED)
def letter_case_overlooked(ask: IncomingRequest) -> IncomingRequest:
    """The key opens in any letter case."""
    return ask.with_key() if (_given(ask) or "").lower() == (ask.key or "").lower() else ask


@replies("auth.status", to=401, variant=_KEYED)
def refuses_with_404(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Who has no key is told 404."""
    return reply.error(404, "There is nothing here.").having(www_authenticate=None)


@replies("auth.status", to=401, variant=_KEYED)
def refuses_with_400(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Who has no key is told 400."""
    return reply.error(400, "A key is missing.").having(www_authenticate=None)


@replies("error.other-json", to=401, variant=_KEYED)
def refuses_with_a_word(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal is labelled as JSON and is a word."""
    return reply.having(b"Unauthorized")


@replies("error.no-queue", to=401, variant=_KEYED)
def refuses_and_shows_the_queue(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal carries a job."""
    return reply.json(401, {"code": "UNAUTHORIZED", "message": "No.", "data": {"queue_running": [A_JOB]}})


@replies("auth.challenge", to=401, variant=_KEYED)
def no_challenge(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 401 does not say what to authenticate with."""
    return reply.having(www_authenticate=None)


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_with_a_page(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal is a page."""
    return reply.having(PAGE, content_type="text/html")


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_without_a_word(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal has no body."""
    return reply.having(b"", content_type=None)


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_with_detail(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal is JSON of another framework, with a detail alone."""
    return reply.having(b'{"detail":"Not authenticated"}')


@replies("auth.key-not-echoed", to=200, variant=_KEYED)
def echoes_the_key(reply: Reply, ask: IncomingRequest) -> Reply:
    """Answers name the key that they were asked with."""
    return reply.json(200, {**json.loads(reply.body), "asked_by": _given(ask)})


@replies("auth.key-not-echoed", to=200, variant=_KEYED)
def echoes_the_key_in_a_header(reply: Reply, ask: IncomingRequest) -> Reply:
    """A header of answers names the key that they were asked with."""
    return reply.having(x_asked_by=_given(ask))
