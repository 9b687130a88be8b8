"""Find out which parts of a response a clause reads.

Give it a response without some parts: reading one raises an error. The error is ``HiddenPartRead``. If a clause did not
read a part, the clause's result cannot depend on that part, and is the same for all responses that differ only in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import Summary
from conformance.exchange.model import Exchange, Response

HEAD: Final = ("status", "coding_error", "head", "wire", "extent", "verbatim", "echoes")
"""The attributes of ``Response`` that a response without its body still has. Header fields are also available, by name.
"""
WHOLE: Final = (*HEAD, "content")
"""The attributes of ``Response`` that a response with its body has. Header fields are also available, by name."""


class HiddenPartRead(BaseException):
    """A clause read a part of a response that was taken away from it, such as the body.

    It derives from BaseException, so that ``except Exception`` does not report it as an error in the clause.
    """


class _Bare:
    """An object that has only the given attributes. Reading any other attribute raises HiddenPartRead."""

    def __init__(self, **shown: object) -> None:
        self.__dict__.update(shown)

    def __getattr__(self, name: str) -> Any:
        raise HiddenPartRead(name)


class _BareHead(_Bare):
    """Status and header of a response.

    Header fields can only be read by name, and each name that is read is recorded.
    """

    header = Response.header
    values = Response.values
    media_type = Response.media_type
    typed = Response.typed
    whole = Response.whole

    def lines(self, name: str) -> list[str]:
        """Return the values of a header field, one for each line that has it."""
        self.looked_at.add(name)
        found: list[str] = self.all_lines(name)
        return found


def without_body(answer: Answer, looked_at: set[str], reading: Reading | None = None) -> Answer:
    """Return a response without its body: only status, header fields, request and sending time can be read.

    If ``reading`` (the parsed body) is given, the parsed body can be read too. The names of header fields that are read
    are added to ``looked_at``.
    """
    return _make_answer(
        *_partial_exchange(answer, HEAD, looked_at, started=answer.exchange.started),
        _Bare() if reading is None else reading,
    )


def without_other_fields(answer: Answer, looked_at: set[str]) -> Answer:
    """Return a response with everything except the list of all header fields.

    The names of fields that are read are added to ``looked_at``.
    """
    exchange = answer.exchange
    shown_exchange, response = _partial_exchange(
        answer, WHOLE, looked_at, started=exchange.started, elapsed=exchange.elapsed
    )
    return _make_answer(shown_exchange, response, answer.reading)


def _partial_exchange(
    answer: Answer, names: Sequence[str], looked_at: set[str], **of_exchange: object
) -> tuple[_Bare, _BareHead]:
    """Return an exchange and its response, of which only some attributes can be read.

    The names of header fields that are read are added to ``looked_at``.
    """
    shown = {name: getattr(answer.response, name) for name in names}
    response = _BareHead(all_lines=answer.response.lines, looked_at=looked_at, **shown)
    return _Bare(request=answer.request, response=response, **of_exchange), response


def parts_to_compare(exchange: Exchange, response: Response, summary: Summary) -> Answer:
    """Return the parts of a response that are compared with later ones: request, times, and a summary of the body."""
    shown_exchange = _Bare(id=exchange.id, request=exchange.request, started=exchange.started, elapsed=exchange.elapsed)
    return _make_answer(shown_exchange, _Bare(status=response.status, whole=response.whole), _Bare(summary=summary))


def _make_answer(exchange: _Bare, response: _Bare, reading: _Bare | Reading) -> Answer:
    make: Any = Answer
    answer: Answer = make(exchange, response, reading)
    return answer
