"""Clauses about framing (RFC 9112), which says where a response ends. They need the raw bytes that the server sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Finding, clause, rfc
from conformance.contract.conversation import Answer
from conformance.contract.terms import Level
from conformance.exchange.model import Wire
from conformance.text.safe import printable, show

LOOKED_AT: Final = "a response whose raw bytes were recorded"


def _wires(answer: Answer) -> Iterator[Wire]:
    if answer.response.wire is not None:
        yield answer.response.wire


def _bodiless(answer: Answer, *, head: bool) -> Iterator[tuple[Answer, int]]:
    """Yield the response if it must not have a body, with the number of bytes after its headers.

    With ``head`` these are responses to HEAD, else 204 and 304 responses to other methods.
    """
    for wire in _wires(answer):
        if wire.surplus is not None and head == (answer.request.method == "HEAD"):
            yield answer, wire.surplus


@clause(
    "framing.content-length",
    Level.MUST,
    title="A response has one value of Content-Length",
    source=rfc("RFC 9110 §5.3", "a sender MUST NOT generate multiple field lines with the same name in a message"),
    why="Two HTTP parsers that use different lengths find the end of the response at different places (response splitting). Careful clients refuse the response.",
    keeps="Content-Length: 42",
    breaks="Content-Length: 42, and below it Content-Length: 41",
    needs=f"{LOOKED_AT}, with Content-Length",
    over=lambda answer: (wire for wire in _wires(answer) if wire.lengths),
)
def one_content_length(wire: Wire) -> Iterator[Finding]:
    """The response has at most one value of Content-Length."""
    if len(wire.lengths) > 1:
        yield Finding(
            None,
            "one length",
            printable(", ".join(wire.lengths)),
            "The response has several different Content-Length values.",
        )


@clause(
    "framing.line-folding",
    Level.MUST,
    title="No header field continues on a second line",
    source=rfc("RFC 9112 §5.2", "A sender MUST NOT generate a message that includes line folding"),
    why="Some HTTP parsers join the lines, others see a second header or refuse the response.",
    keeps="X-Trace: a b",
    breaks="X-Trace: a, then b on a line that begins with a space",
    needs=LOOKED_AT,
    over=_wires,
)
def no_line_is_folded(wire: Wire) -> Iterator[Finding]:
    """No header line begins with white space."""
    if wire.folded:
        yield Finding(
            None, "each field on one line", f"{wire.folded} folded", "A header field continues on a second line."
        )


@clause(
    "framing.field-name",
    Level.MUST,
    title="Each header line begins with a valid field name",
    source=rfc("RFC 9112 §5.1", "No whitespace is allowed between the field name and colon."),
    why="Careful clients refuse the whole response, others ignore the field (response splitting).",
    keeps="Content-Type: application/json",
    breaks="Content-Type : application/json",
    needs=LOOKED_AT,
    over=_wires,
)
def each_line_names_a_field(wire: Wire) -> Iterator[Finding]:
    """Each header name is a token (RFC 9110), and a colon follows it directly."""
    for name in wire.misnamed:
        spaced = name[-1:].isspace()
        message = (
            "A header line has white space between the name and the colon."
            if spaced
            else "A header line does not begin with a valid field name."
        )
        yield Finding(None, "a name directly followed by a colon", show(name), message)


@clause(
    "framing.head-no-content",
    Level.MUST,
    title="A response to HEAD has no body",
    source=rfc("RFC 9110 §9.3.2", "the server MUST NOT send content in the response"),
    why="The next client on the connection reads the body as the start of its own response.",
    keeps="HEAD → only headers",
    breaks="HEAD → headers, then the queue",
    needs=f"{LOOKED_AT}, to HEAD",
    over=lambda answer: _bodiless(answer, head=True),
)
def head_has_no_content(subject: tuple[Answer, int]) -> Iterator[Finding]:
    """No byte follows the headers."""
    yield from _surplus(*subject)


@clause(
    "framing.status-no-content",
    Level.MUST,
    title="A 204 or 304 response has no body",
    source=rfc(
        "RFC 9112 §6.3",
        "any response with a 1xx (Informational), 204 (No Content), or 304 (Not Modified) status code is always terminated by the first empty line after the header fields",
    ),
    why="The next client on the connection reads the body as the start of its own response.",
    keeps="OPTIONS → 204, only headers",
    breaks="OPTIONS → 204, headers, then OK",
    needs=f"{LOOKED_AT}, of 204 or 304",
    over=lambda answer: _bodiless(answer, head=False),
)
def these_statuses_have_no_content(subject: tuple[Answer, int]) -> Iterator[Finding]:
    """No byte follows the headers."""
    yield from _surplus(*subject)


def _surplus(answer: Answer, count: int) -> Iterator[Finding]:
    if count:
        what = "the response to HEAD" if answer.request.method == "HEAD" else f"a {answer.response.status} response"
        got = "1 byte" if count == 1 else f"{count:,} bytes"
        yield Finding(None, "nothing after the headers", got, f"A body follows the headers of {what}.")
