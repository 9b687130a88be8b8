"""The statuses that a request allows without breaking the contract."""

from __future__ import annotations

from typing import Final

from conformance.contract.conversation import OK, UNAVAILABLE, Answer, Conversation
from conformance.exchange.model import Credential, Request

JSON: Final = "application/json"
NOT_ACCEPTABLE: Final = 406
STEADY: Final = "status.steady"
QUERY: Final = "http.query"
ACCEPT: Final = "http.accept"
HEADER: Final = "error.optional-header"
KEY_NAME: Final = "auth.header-name"
OF_STATUS: Final = frozenset({STEADY, QUERY, ACCEPT, HEADER})
"""The clauses that cover an unexpected status. Which of them does depends on what is unusual about the request."""
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
"""The statuses that each request header allows by RFC 9110 (§13.1, §14, §15.5) and Fetch."""


def allowed(request: Request) -> frozenset[int]:
    """Return the statuses that a read may get if the queue is served. Refusals and "not now" are handled elsewhere.

    If the headers of the request are unknown, every status that some header allows is included.
    """
    found = {OK}
    if not request.takes_json:
        found.add(NOT_ACCEPTABLE)  # RFC 9110 §15.5.7
    if "?" in request.url:
        found.add(400)  # the document describes 400 as "Invalid request parameters"
    if not request.head:
        found.add(NOT_ACCEPTABLE)
    for name, statuses in _EXCUSED.items():
        if not request.head or request.header(name) is not None:
            found |= statuses
    return frozenset(found)


def unexpected(answer: Answer) -> bool:
    """Whether the status of a read is one that neither the request nor a "not now" excuses."""
    status = answer.response.status
    excused = status in UNAVAILABLE or status in allowed(answer.request)
    return answer.request.reads and answer.response.head and not excused


def causes(request: Request) -> frozenset[str]:
    """Name the clauses that may cover an unexpected status: one for each way in which a request is unusual.

    ``status.steady`` covers a usual request, and Accept-Encoding.
    """
    found = set()
    if "?" in request.url:
        found.add(QUERY)
    if not request.bare:
        found.add(HEADER)
    if request.credential is Credential.LOWER_CASE_NAME:
        found.add(KEY_NAME)
    accept = request.members("accept")
    if accept not in {None, "*/*", JSON} or not (found or accept == JSON):
        found.add(ACCEPT)
    if not found or request.members("accept-encoding") not in _NO_CODING:
        found.add(STEADY)
    return frozenset(found)


def cause(request: Request, conversation: Conversation | None = None) -> str:
    """Name the clause that covers an unexpected status if every such request gets it.

    If a request is unusual in several ways, no single cause can be named, so ``status.steady`` covers it. An
    Accept-Encoding with which the server served another read is not a cause.
    """
    found = causes(request)
    if len(found) > 1 and conversation is not None and request.members("accept-encoding") in conversation.codings:
        found -= {STEADY}
    return next(iter(found)) if len(found) == 1 else STEADY


def as_allowed(answer: Answer) -> bool:
    """Whether the status is one that the request allows."""
    return answer.response.status in allowed(answer.request)


def by_accept(conversation: Conversation) -> list[list[Answer]]:
    """Return the reads that are unusual only in Accept, grouped by it and by User-Agent.

    A group of one read that failed is left out, because its failure may be chance.
    """
    groups = [
        [answer for answer in group if cause(answer.request, conversation) == ACCEPT]
        for group in conversation.by_manner
    ]
    return [group for group in groups if len(group) > 1 or any(answer.response.status == OK for answer in group)]


def explained(conversation: Conversation) -> frozenset[str]:
    """Return the ids of failed reads that a clause other than ``status.steady`` covers.

    Such a read failed each time it was sent, and so did one that is unusual in only one of the same ways.
    """
    by_query_or_header = [group for group in conversation.by_request if cause(group[0].request, conversation) != ACCEPT]
    refused = {
        cause(group[0].request, conversation)
        for group in (*by_accept(conversation), *by_query_or_header)
        if not any(map(as_allowed, group))
    } - {STEADY}
    served = {answer.request.same for answer in conversation.answers if as_allowed(answer)}
    return frozenset(
        answer.exchange.id
        for answer in conversation.answers
        if answer.request.same not in served and not refused.isdisjoint(causes(answer.request))
    )


def suspected(answer: Answer) -> str | None:
    """Name the clause that the status breaks unless it is chance, or None if the status is expected."""
    return cause(answer.request) if unexpected(answer) else None
