"""An answer without its body and its time: whoever wants to see them is told apart from whoever does not.

What a clause says without having looked at something cannot depend on it.
"""

from __future__ import annotations

from typing import Any, Final

from conformance.contract.answer import Answer
from conformance.exchange import Response

HEAD: Final = ("status", "headers", "coding_error", "head", "http_version", "wire")


class Wanted(BaseException):
    """Something was looked at that is not there. No Exception, so that nobody takes it for a mistake of a clause."""


class _Bare:
    """Shows what it is given, and raises Wanted for everything else."""

    def __init__(self, **shown: object) -> None:
        self.__dict__.update(shown)

    def __getattr__(self, name: str) -> Any:
        raise Wanted(name)


class _Head(_Bare):
    """An answer without its body, with what is told from its head."""

    header = Response.header
    media_type = Response.media_type


def without_body(answer: Answer) -> Answer:
    """Return an answer of which status, head and request can be seen, and nothing else."""
    bare: Any = Answer
    response = _Head(**{name: getattr(answer.response, name) for name in HEAD})
    without: Answer = bare(_Bare(request=answer.request, response=response), response, _Bare())
    return without
