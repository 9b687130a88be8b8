"""A response with some parts hidden; reading a hidden part raises ``Wanted``.

The result of a clause that did not read a part cannot depend on that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import Summary
from conformance.exchange.model import Exchange, Response

HEAD: Final = ("status", "coding_error", "head", "wire", "extent", "verbatim", "echoes")
WHOLE: Final = (*HEAD, "content")
"""The attributes of a response that can be read, in addition to header fields."""


class Wanted(BaseException):
    """A hidden part was read. Not an Exception, so that it is not mistaken for an error in a clause."""


class _Bare:
    """Has the given attributes, and raises Wanted for all others."""

    def __init__(self, **shown: object) -> None:
        self.__dict__.update(shown)

    def __getattr__(self, name: str) -> Any:
        raise Wanted(name)


class _BareHead(_Bare):
    """The head of a response. Header fields can only be read by name, and each name is recorded."""

    header = Response.header
    values = Response.values
    media_type = Response.media_type
    typed = Response.typed
    whole = Response.whole

    def lines(self, name: str) -> list[str]:
        """Return the values of all lines of a header field."""
        self.looked_at.add(name)
        found: list[str] = self.all_lines(name)
        return found


def without_body(answer: Answer, looked_at: set[str], reading: Reading | None = None) -> Answer:
    """Return a response that shows only its status, header fields, request and sending time.

    The body is hidden. If ``reading`` is given, the results of parsing it can be read.
    """
    return _made(
        *_head(answer, HEAD, looked_at, started=answer.exchange.started), _Bare() if reading is None else reading
    )


def without_other_fields(answer: Answer, looked_at: set[str]) -> Answer:
    """Return a response that hides only which other header fields it has."""
    exchange = answer.exchange
    asked, response = _head(answer, WHOLE, looked_at, started=exchange.started, elapsed=exchange.elapsed)
    return _made(asked, response, answer.reading)


def _head(answer: Answer, names: Sequence[str], looked_at: set[str], **of_exchange: object) -> tuple[_Bare, _BareHead]:
    """Return an exchange and its response. ``looked_at`` receives the names of header fields that are read."""
    shown = {name: getattr(answer.response, name) for name in names}
    response = _BareHead(all_lines=answer.response.lines, looked_at=looked_at, **shown)
    return _Bare(request=answer.request, response=response, **of_exchange), response


def remembered(exchange: Exchange, response: Response, summary: Summary) -> Answer:
    """Return the parts of a response that are compared with later ones: the request, the times and the summary."""
    asked = _Bare(id=exchange.id, request=exchange.request, started=exchange.started, elapsed=exchange.elapsed)
    return _made(asked, _Bare(status=response.status, whole=response.whole), _Bare(summary=summary))


def _made(exchange: _Bare, response: _Bare, reading: _Bare | Reading) -> Answer:
    make: Any = Answer
    answer: Answer = make(exchange, response, reading)
    return answer
