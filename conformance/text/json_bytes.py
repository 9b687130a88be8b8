"""Facts about JSON texts from their bytes, without parsing, and about values without their paths."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

_PIECE: Final = 1 << 16
_FEW: Final = 1000
_STRIDE: Final = 30
_DIGITS: Final = bytes(ord("0") if chr(code).isdecimal() else code for code in range(128)) + bytes(128)
_HUGE: Final = re.compile(rb"[0-9]{309}")
"""A whole number beyond the range of a double has at least this many digits."""


def pieces_of_utf_8(content: bytes) -> Iterator[bytes]:
    """Yield a JSON text in pieces that end neither within a character nor within an escape.

    Raises UnicodeDecodeError if it is not UTF-8.
    """
    at = 0
    while at < len(content):
        piece = content[at : at + _PIECE]
        last = at + len(piece) == len(content)
        if not piece.isascii():
            piece = piece[: codecs.utf_8_decode(piece, "strict", last)[1]]
        if not last and (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            piece = piece[:-1]
        at += len(piece)
        yield piece


def quotes_in_utf_8(content: bytes, *, counted: bool) -> int | None:
    """Return ``quotes_in`` a text (0 unless ``counted``), or None if it is not UTF-8."""
    if content.isascii() and (not counted or len(content) <= _PIECE):
        return quotes_in(content) if counted else 0
    try:
        return sum([quotes_in(piece) if counted else 0 for piece in pieces_of_utf_8(content)])
    except UnicodeDecodeError:
        return None


def quotes_in(text: bytes) -> int:
    """Return the number of quotation marks around strings in a JSON text: two per string or name."""
    quotes, at = text.count(b'"'), text.find(b"\\")
    for _ in range(_FEW):
        if at < 0:
            return quotes
        quotes -= text.startswith(
            b'"', at + 1
        )  # an escape has two bytes, or starts with two that are not quotation marks
        at = text.find(b"\\", at + 2)
    return text.count(b'"') - text.replace(b"\\\\", b"").count(b'\\"')


def seems_huge(text: bytes) -> bool:
    """Whether a text may contain a whole number beyond the range of a double, by sampling every thirtieth byte."""
    return b"0" * 10 in text[::_STRIDE].translate(_DIGITS)


def may_hold_huge(text: bytes) -> bool:
    """Whether a text contains as many digits in a row as a whole number beyond the range of a double."""
    return seems_huge(text) and _HUGE.search(text) is not None


# --- values -----------------------------------------------------------------------------------


def depth_of(value: Any, levels: float = math.inf) -> int:
    """Return how deeply a value is nested, up to ``levels``."""
    depth, level = 0, [value] if isinstance(value, dict | list) else []
    while level and depth <= levels:
        depth += 1
        insides = [part.values() if isinstance(part, dict) else part for part in level]
        level = [part for inside in insides for part in inside if type(part) is dict or type(part) is list]
    return depth


def strings_of(value: Any) -> int:
    """Return the number of strings in a value, including names of members."""
    strings, level = 0, [value]
    while level:
        strings += list(map(type, level)).count(str)
        objects = [part for part in level if type(part) is dict]
        arrays = [part for part in level if type(part) is list]
        strings += sum(map(len, objects))
        level = list(chain.from_iterable(chain(map(dict.values, objects), arrays)))
    return strings
