"""The response statuses that conform to the contract for a given GET of the queue."""

from __future__ import annotations

from typing import Final

from conformance.contract.conversation import OK, UNAVAILABLE, Answer, Conversation, without_chance
from conformance.exchange.model import Credential, Request

JSON: Final = "application/json"
NOT_ACCEPTABLE: Final = 406
STEADY: Final = "status.steady"
QUERY: Final = "http.query"
ACCEPT: Final = "http.accept"
HEADER: Final = "error.optional-header"
KEY_NAME: Final = "auth.header-name"
OF_STATUS: Final = frozenset({STEADY, QUERY, ACCEPT, HEADER})
"""The clauses that report an unexpected status. What is unusual about the request decides which of them reports it."""
SERVER_ERROR: Final = 500

_NO_CODING: Final = (None, "identity")
_EXCUSED: Final = {
    "if-none-match": {304},
    "if-modified-since": {304},
    "if-match": {412},
    "if-unmodified-since": {412},
    "range": {206, 400, 416},
    "origin": {400, 403},
}
"""The statuses besides 200 that each request header allows, by RFC 9110 (§13.1, §14, §15.5) and the Fetch standard."""


def allowed(request: Request) -> frozenset[int]:
    """Return the statuses that a GET of the queue may get, except those that mean "try again later".

    If a recording lacks the headers of the request, every status that some header allows is included.
    """
    found = {OK}
    if not request.takes_json:
        found.add(NOT_ACCEPTABLE)  # RFC 9110 §15.5.7
    if request.declared or any(map(_in_query, request.undeclared)):
        found.add(400)  # the OpenAPI document describes 400 as "Invalid request parameters"
    if not request.head:
        found.add(NOT_ACCEPTABLE)
    for name, statuses in _EXCUSED.items():
        if not request.head or request.header(name) is not None:
            found |= statuses
    return frozenset(found)


def is_allowed(status: int, request: Request) -> bool:
    """Whether a GET of the queue may get this status, apart from those that mean "try again later"."""
    return status == OK or status in allowed(request)


def as_allowed(answer: Answer) -> bool:
    """Whether the status is one that the request allows, such as a 206 for a request with Range."""
    return is_allowed(answer.response.status, answer.request)


def unexpected(answer: Answer) -> bool:
    """Whether a GET of the queue got a status that its request does not allow, and that does not mean "try again later"."""
    excused = answer.response.status in UNAVAILABLE or as_allowed(answer)
    return answer.request.reads and answer.response.head and not excused


def causes(request: Request) -> frozenset[str]:
    """Return the ids of the clauses that may report an unexpected status: one for each unusual property of a request.

    ``status.steady`` is the clause for a normal GET of the queue, for an unusual Accept-Encoding, and for parameters that
    the user's OpenAPI document declares.
    """
    found = {QUERY if _in_query(name) else HEADER for name in request.undeclared}
    if request.credential is Credential.LOWER_CASE_NAME:
        found.add(KEY_NAME)
    accept = request.members("accept")
    if accept not in {None, "*/*", JSON} or not (found or accept == JSON):
        found.add(ACCEPT)
    if not found or request.declared or request.members("accept-encoding") not in _NO_CODING:
        found.add(STEADY)
    return frozenset(found)


def _in_query(parameter: str) -> bool:
    return parameter.startswith("?")


def cause(request: Request, conversation: Conversation | None = None) -> str:
    """Return the id of the clause that is violated if every equal request gets an unexpected status.

    If a request is unusual in several ways, no single cause can be named, and the result is ``status.steady``. An
    Accept-Encoding with which another GET of the queue got a 200 does not count as unusual.
    """
    found = causes(request)
    harmless = conversation is not None and request.members("accept-encoding") in conversation.codings
    if harmless and not request.declared:
        found -= {STEADY}
    return next(iter(found)) if len(found) == 1 else STEADY


def by_accept(conversation: Conversation) -> list[list[Answer]]:
    """Return the GETs of the queue that are unusual only in Accept, grouped by Accept and User-Agent.

    A request that was sent only once and failed is left out.
    """
    return without_chance(
        [answer for answer in group if cause(answer.request, conversation) == ACCEPT]
        for group in conversation.by_manner
    )


def explained(conversation: Conversation) -> frozenset[str]:
    """Return the ids of failed GETs of the queue that another clause than ``status.steady`` reports.

    Such a GET failed each time it was sent, and it is unusual in a way in which another GET also failed each time.
    """
    refused = {
        cause(answer.request, conversation)
        for group in conversation.by_request
        if not any(map(as_allowed, group))
        for answer in group
    } - {STEADY, ACCEPT}
    if any(not any(map(as_allowed, group)) for group in by_accept(conversation)):
        refused.add(ACCEPT)
    served = {answer.request.same for answer in conversation.answers if as_allowed(answer)}
    return frozenset(
        answer.exchange.id
        for answer in conversation.answers
        if answer.request.same not in served and not refused.isdisjoint(causes(answer.request))
    )


def suspected(answer: Answer) -> str | None:
    """Return the id of the clause that is violated if repeating the request gives the same status.

    Returns None if the status is an expected one.
    """
    return cause(answer.request) if unexpected(answer) else None
