"""The statuses that a request allows without breaking the contract."""

from __future__ import annotations

from typing import Final

from conformance.contract.conversation import OK, UNAVAILABLE, Answer
from conformance.exchange.model import Request

JSON: Final = "application/json"
NOT_ACCEPTABLE: Final = 406
STEADY: Final = "status.steady"
SERVER_ERROR: Final = 500

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


def cause(request: Request) -> str:
    """Name the clause that covers an unexpected status if every such request gets it.

    If a request is unusual in several ways, no single cause can be named, so ``status.steady`` covers it.
    """
    usual_accept = request.header("accept") in {None, "*/*", JSON}
    if "?" in request.url:
        return "http.query" if request.bare and usual_accept else STEADY
    if request.bare:
        return STEADY if request.usual else "http.accept"
    return "error.optional-header" if usual_accept else STEADY


def suspected(answer: Answer) -> str | None:
    """Name the clause that the status breaks unless it is chance, or None if the status is expected."""
    return cause(answer.request) if unexpected(answer) else None
