"""Framing: what the bytes of an answer say of where it ends, told value by value."""

from __future__ import annotations

import pytest

from conformance.exchange.model import Exchange, Request, Response, Wire
from helpers.answers import Told, said


def answered(wire: Wire | None, method: str = "GET", status: int = 200) -> Exchange:
    return Exchange("x1", Request(method, "http://t/api/queue", to_queue=False), Response(status, wire=wire))


def surplus(got: str, what: str) -> list[Told]:
    return [Told(None, "nothing after the headers", got, f"A body follows the headers of {what}.")]


def lengths(got: str) -> list[Told]:
    return [Told(None, "one length", got, "The response has several different Content-Length values.")]


def folded(got: str) -> list[Told]:
    return [Told(None, "each field on one line", got, "A header field continues on a second line.")]


SPACED = "A header line has white space between the name and the colon."


def named(got: str, message: str) -> list[Told]:
    return [Told(None, "a name directly followed by a colon", got, message)]


@pytest.mark.parametrize(
    ("clause", "answer", "told"),
    [
        ("content-length", answered(None), None),
        ("content-length", answered(Wire()), None),
        ("content-length", answered(Wire(("2",))), []),
        ("content-length", answered(Wire(("2", "3"))), lengths("2, 3")),
        ("content-length", answered(Wire(("2", "3", "4"))), lengths("2, 3, 4")),
        ("content-length", answered(Wire(("2", "\u202e"))), lengths("2, \\u202e")),
        ("line-folding", answered(None), None),
        ("line-folding", answered(Wire()), []),
        ("line-folding", answered(Wire(folded=2)), folded("2 folded")),
        ("field-name", answered(None), None),
        ("field-name", answered(Wire()), []),
        ("field-name", answered(Wire(misnamed=("Content-Type ",))), named('"Content-Type "', SPACED)),
        (
            "field-name",
            answered(Wire(misnamed=("<h1>\u202e",))),
            named('"<h1>\\u202e"', "A header line does not begin with a valid field name."),
        ),
        ("head-no-content", answered(Wire(surplus=0), "HEAD"), []),
        ("head-no-content", answered(Wire(surplus=1), "HEAD"), surplus("1 byte", "the response to HEAD")),
        ("head-no-content", answered(Wire(surplus=9999), "HEAD", 204), surplus("9,999 bytes", "the response to HEAD")),
        ("head-no-content", answered(Wire(surplus=9), "GET", 304), None),
        ("head-no-content", answered(Wire(), "GET"), None),
        ("head-no-content", answered(None, "HEAD"), None),
        ("status-no-content", answered(Wire(surplus=0), "OPTIONS", 204), []),
        ("status-no-content", answered(Wire(surplus=9), "GET", 304), surplus("9 bytes", "a 304 response")),
        ("status-no-content", answered(Wire(surplus=1), "TRACE", 204), surplus("1 byte", "a 204 response")),
        ("status-no-content", answered(Wire(surplus=9), "HEAD", 204), None),
        ("status-no-content", answered(Wire()), None),
    ],
)
def test_what_the_bytes_of_an_answer_say_of_its_end(clause: str, answer: Exchange, told: list[Told] | None) -> None:
    assert said(f"framing.{clause}", answer) == told
