"""Faults of the JSON text as a whole."""

from __future__ import annotations

import json

from conformance.reference.faults.registry import writes


@writes("json.well-formed")
def trailing_comma(body: bytes) -> bytes:
    """There is a comma after the last member."""
    return body[:-1] + b",}"


@writes("json.well-formed")
def single_quotes(body: bytes) -> bytes:
    """Strings are in single quotes, as Python's repr writes them."""
    return str(json.loads(body)).encode()


@writes("json.well-formed")
def cut_short(body: bytes) -> bytes:
    """The last brace is missing, although Content-Length matches."""
    return body[:-1]


@writes("json.well-formed")
def empty_body(_body: bytes) -> bytes:
    """The body is empty."""
    return b""


@writes("json.well-formed")
def comment(body: bytes) -> bytes:
    """The text begins with a comment."""
    return b"/* the queue */" + body


@writes("json.well-formed")
def guarded(body: bytes) -> bytes:
    """The body begins with a prefix before the JSON, which keeps browsers from running it as a script."""
    return b")]}',\n" + body


@writes("json.well-formed")
def no_break_space(body: bytes) -> bytes:
    """The text has white space that JSON does not allow."""
    return body.replace(b":", b":\xc2\xa0", 1)


@writes("json.utf-8")
def utf_16(body: bytes) -> bytes:
    """The text is in UTF-16, with a byte order mark."""
    return body.decode().encode("utf-16")


@writes("json.no-bom")
def bom(body: bytes) -> bytes:
    """The text begins with a byte order mark."""
    return b"\xef\xbb\xbf" + body


@writes("json.single-text")
def served_by(body: bytes) -> bytes:
    """An HTML comment follows the JSON."""
    return body + b"\n<!-- served by node-7 -->"


@writes("json.single-text")
def two_texts(body: bytes) -> bytes:
    """A second JSON text follows on the next line."""
    return body + b"\n{}\n"


@writes("json.single-text")
def nul_at_the_end(body: bytes) -> bytes:
    """A NUL follows the JSON, as at the end of a C string."""
    return body + b"\x00"
