"""An answer of which some is left out: whoever wants to see that is told apart from whoever does not.

What a clause says without having looked at something cannot depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.reading.memory import Summary
from conformance.exchange.model import Exchange, Response

HEAD: Final = ("status", "coding_error", "head", "wire", "extent", "verbatim", "echoes")
WHOLE: Final = (*HEAD, "content")
"""What can be seen of an answer, beside the fields of its head."""


class Wanted(BaseException):
    """Something was looked at that is not there. No Exception, so that nobody takes it for a mistake of a clause."""


class _Bare:
    """Shows what it is given, and raises Wanted for everything else."""

    def __init__(self, **shown: object) -> None:
        self.__dict__.update(shown)

    def __getattr__(self, name: str) -> Any:
        raise Wanted(name)


class _BareHead(_Bare):
    """The head of an answer. Fields are shown by their names, which are noted: nobody sees all of them."""

    header = Response.header
    values = Response.values
    media_type = Response.media_type
    typed = Response.typed
    whole = Response.whole

    def lines(self, name: str) -> list[str]:
        """Return the values of all lines of a field."""
        self.looked_at.add(name)
        found: list[str] = self.all_lines(name)
        return found


def without_body(answer: Answer, looked_at: set[str], reading: Reading | None = None) -> Answer:
    """Return an answer of which status, fields, request and the time that it was sent can be seen, and nothing else.

    Of its body no byte can be seen: what was read of it alone, and that only where ``reading`` is given.
    """
    return _made(
        *_head(answer, HEAD, looked_at, started=answer.exchange.started), _Bare() if reading is None else reading
    )


def without_other_fields(answer: Answer, looked_at: set[str]) -> Answer:
    """Return an answer of which everything can be seen but which fields it has beside those that are asked for."""
    exchange = answer.exchange
    asked, response = _head(answer, WHOLE, looked_at, started=exchange.started, elapsed=exchange.elapsed)
    return _made(asked, response, answer.reading)


def _head(answer: Answer, names: Sequence[str], looked_at: set[str], **of_exchange: object) -> tuple[_Bare, _BareHead]:
    """Return an exchange and its response. ``looked_at`` takes the names of fields that somebody looks at."""
    shown = {name: getattr(answer.response, name) for name in names}
    response = _BareHead(all_lines=answer.response.lines, looked_at=looked_at, **shown)
    return _Bare(request=answer.request, response=response, **of_exchange), response


def remembered(exchange: Exchange, response: Response, summary: Summary) -> Answer:
    """Return as much of an answer as is compared with the next ones: when and how it was asked for, and the summary."""
    asked = _Bare(id=exchange.id, request=exchange.request, started=exchange.started, elapsed=exchange.elapsed)
    return _made(asked, _Bare(status=response.status, whole=response.whole), _Bare(summary=summary))


def _made(exchange: _Bare, response: _Bare, reading: _Bare | Reading) -> Answer:
    make: Any = Answer
    answer: Answer = make(exchange, response, reading)
    return answer
