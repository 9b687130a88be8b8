"""The response statuses that conform to the contract for a given GET of the queue."""

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
"""The statuses besides 200 that each request header allows, by RFC 9110 (§13.1, §14, §15.5) and the Fetch standard."""


def allowed(request: Request) -> frozenset[int]:
    """Return the statuses that a GET of the queue may get. Statuses that mean "try again later" are handled elsewhere.

    If a recording lacks the headers of the request, every status that some header allows is included.
    """
    found = {OK}
    if not request.takes_json:
        found.add(NOT_ACCEPTABLE)  # RFC 9110 §15.5.7
    if "?" in request.url:
        found.add(400)  # the OpenAPI document describes 400 as "Invalid request parameters"
    if not request.head:
        found.add(NOT_ACCEPTABLE)
    for name, statuses in _EXCUSED.items():
        if not request.head or request.header(name) is not None:
            found |= statuses
    return frozenset(found)


def unexpected(answer: Answer) -> bool:
    """Whether a GET of the queue got a status that its request does not allow, and that does not mean "try again later"."""
    status = answer.response.status
    excused = status in UNAVAILABLE or status in allowed(answer.request)
    return answer.request.reads and answer.response.head and not excused


def cause(request: Request) -> str:
    """Return the id of the clause that is violated if every request like this one gets an unexpected status.

    A request may differ from a normal GET in several ways. Then no single cause can be named, and the result is
    ``status.steady``.
    """
    usual_accept = request.header("accept") in {None, "*/*", JSON}
    if "?" in request.url:
        return "http.query" if request.bare and usual_accept else STEADY
    if request.bare:
        return STEADY if request.usual else "http.accept"
    return "error.optional-header" if usual_accept else STEADY


def suspected(answer: Answer) -> str | None:
    """Return the id of the clause that the status violates if repeating the request gives it again. None if it is expected."""
    return cause(answer.request) if unexpected(answer) else None
