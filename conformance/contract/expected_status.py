"""Which statuses leave the contract unbroken, by what the request asked for."""

from __future__ import annotations

from typing import Final

from conformance.contract.conversation import OK, UNAVAILABLE, Answer
from conformance.exchange.model import Request

TOO_MANY: Final = 429

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
"""By request header: the statuses that RFC 9110 (§13.1, §14, §15.5) and Fetch give a server the choice of."""


def allowed(request: Request) -> frozenset[int]:
    """Return the statuses that a served queue may answer a read with; "not now" and refusals are beside this."""
    found = {OK}
    if not request.takes_json:
        found.add(NOT_ACCEPTABLE)  # RFC 9110 §15.5.7
    if "?" in request.url:
        found.add(400)  # the document: Invalid request parameters
    for name, statuses in _EXCUSED.items():
        if request.header(name) is not None:
            found |= statuses
    return frozenset(found)


def unexpected(answer: Answer) -> bool:
    """Whether a read was answered with a status that nothing in the request, and no bad moment, excuses."""
    status = answer.response.status
    excused = status in UNAVAILABLE or status in allowed(answer.request)
    return answer.request.reads and answer.response.head and not excused


def cause(request: Request) -> str:
    """Name the clause that tells of an unexpected status which comes every time that the request is sent.

    One cause has a clause of its own; where a request differs from the usual in several ways, none can be named.
    """
    usual_accept = request.header("accept") in {None, "*/*", JSON}
    if "?" in request.url:
        return "http.query" if request.bare and usual_accept else STEADY
    if request.bare:
        return STEADY if request.usual else "http.accept"
    return "error.optional-header" if usual_accept else STEADY


def suspected(answer: Answer) -> str | None:
    """Name the clause that the status breaks, if it is no chance; None where the status is expected."""
    return cause(answer.request) if unexpected(answer) else None
