"""Cut a large JSON text into pieces (``Run``): some consecutive elements of an array, or members of an object.

Nothing is decoded here. The caller decodes the pieces and thereby checks their syntax. A text that is not JSON gives
pieces that cannot be decoded, or ends before its arrays and objects are closed.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from itertools import accumulate, islice, takewhile
from typing import Final, NamedTuple

from conformance.text.json_bytes import STEP, steps
from conformance.text.strict_json import nesting

RUN: Final = 1 << 20
"""The approximate size of a piece in bytes. Only a single child (element or member) can be larger."""
_FIRST, _LARGEST = 1 << 12, 1 << 18
"""Bytes that are scanned in the first step, and the maximum for later steps. Most lists are short."""
_TAIL: Final = 1 << 11
_OPENING, _CLOSING = b"[{", b"]}"
_QUOTE: Final = ord('"')
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_SIGN: Final = re.compile(rb"[\[\]{},]")
_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^ \t\n\r,\]}:\[{\"]++")


class Unfinished(ValueError):
    """The text ends within a value, or lacks a value, at the offset ``at``."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Run(NamedTuple):
    """A piece of a JSON text: consecutive elements of an array or members of an object, as the offsets of their text.

    ``last`` means that the closing bracket of the array or object is at ``end``. ``giant`` means that a single child
    begins at ``start`` and is too large for a piece; the caller must ``send`` the offset of its end to the generator.
    ``empty`` means that the piece has no child. ``depth`` is the nesting of a giant child in the part scanned so far.
    """

    start: int
    end: int
    last: bool = False
    giant: bool = False
    empty: bool = False
    depth: int = 0


Runs = Generator[Run, int, None]


def skip_space(content: bytes, at: int) -> int:
    """Return the offset of the next byte that is not white space."""
    found = _SPACE.match(content, at)
    return found.end() if found else at


def end_of_scalar(content: bytes, at: int) -> int:
    """Return the offset of the end of the string, number or word at an offset. Raises Unfinished."""
    found = (_STRING if content.startswith(b'"', at) else _SCALAR).match(content, at)
    if found is None:
        raise Unfinished(at)
    return found.end()


def end_of(content: bytes, at: int) -> int:
    """Return the offset of the end of the JSON value at an offset. Raises Unfinished."""
    if content[at : at + 1] not in {b"[", b"{"}:
        return end_of_scalar(content, at)
    end, depth, piece = at, 0, _FIRST
    while True:
        plain = _without_strings(content[end : end + piece])
        if plain is None:
            end = end_of_scalar(content, end)
            continue
        if not plain:
            raise Unfinished(end)
        levels = list(accumulate(steps(plain), initial=depth))
        if 0 in levels[1:]:
            place = levels.index(0, 1) - 1
            return end + next(islice(_BRACKET.finditer(plain), place, None)).start() + 1
        depth, end, piece = levels[-1], end + len(plain), min(2 * piece, _LARGEST)


def end_of_member(content: bytes, at: int) -> int:
    """Return the offset of the end of an object's member. ``at`` is its start or white space before it.

    Raises Unfinished.
    """
    colon = skip_space(content, end_of_scalar(content, skip_space(content, at)))
    return end_of(content, skip_space(content, colon + 1))


def runs(content: bytes, at: int, *, size: int | None = None) -> Runs:
    """Yield, in pieces, the array or object whose opening bracket is at the offset ``at``.

    Each piece has about ``size`` bytes (``RUN`` by default), and the last one may have fewer. A larger value is a piece
    of its own, marked ``giant``. The caller must then ``send`` the offset of its end, and that call returns an empty
    piece. Raises Unfinished if the closing bracket is missing.
    """
    size = RUN if size is None else size
    start, position, depth, piece = at + 1, at + 1, 0, min(size, _FIRST)
    boundary: int | None = None
    deepest = 0
    while True:
        if position - start >= size and boundary is not None:
            yield Run(start, boundary)
            start, boundary = boundary + 1, None
        if position - start >= 2 * size:
            end = yield Run(start, start, giant=True, depth=deepest)
            yield Run(end, end, empty=True)
            end = skip_space(content, end)
            if content.startswith((b"]", b"}"), end):
                yield Run(end, end, last=True, empty=True)
                return
            if not content.startswith(b",", end):
                raise Unfinished(end)
            start, position, depth, piece = end + 1, end + 1, 0, min(size, _FIRST)
        found = _scan(content, position, piece, depth)
        position, depth, deepest = found.end, found.depth, max(deepest, found.deepest)
        boundary = boundary if found.boundary is None else found.boundary
        if found.closed:
            yield Run(start, position, last=True)
            return
        piece = min(2 * piece, _LARGEST, size)


class _Scanned(NamedTuple):
    """A scanned part of an array or object: its end, the nesting there and at most, and the last comma at level 0.

    ``closed``: the array or object ends at ``end``.
    """

    end: int
    depth: int
    deepest: int
    boundary: int | None = None
    closed: bool = False


def _scan(content: bytes, at: int, size: int, depth: int) -> _Scanned:
    """Scan at most ``size`` bytes of an array or object, or one longer string. Raises Unfinished."""
    plain = _without_strings(content[at : at + size])
    if plain is None:
        return _Scanned(end_of_scalar(content, at), depth, depth)
    if not plain:
        raise Unfinished(at)
    levels = list(accumulate(steps(plain), initial=depth))
    deepest, lowest = max(levels), min(levels)
    if lowest < 0:
        place = levels.index(-1) - 1
        plain = plain[: next(islice(_BRACKET.finditer(plain), place, None)).start()]
        levels = levels[: place + 1]
    comma = _last_comma(plain, levels[-1], min(levels))
    return _Scanned(at + len(plain), levels[-1], deepest, None if comma is None else at + comma, lowest < 0)


def last_members(text: bytes, names: re.Pattern[bytes]) -> Iterator[int]:
    """Yield the offsets of those members of an object whose name matches ``names``, the last one first.

    ``text`` is the JSON text of the members, without the brackets around them. The pattern includes the quotation marks
    and the colon. Members of inner objects are left out.
    """
    plain = _without_strings(text) or b""
    depth, end = 0, len(plain)
    for found in reversed(list(names.finditer(text))):
        at = found.start()
        if plain[at] != _QUOTE:  # within a longer string
            continue
        opened, closed = (sum(plain.count(sign, at, end) for sign in signs) for signs in (_OPENING, _CLOSING))
        depth, end = depth + closed - opened, at
        if depth == 0:
            yield at


def nesting_of(content: bytes) -> int:
    """Return the levels of nested arrays and objects in a JSON text. It needs little memory."""
    at, level, deepest = 0, 0, 0
    while at < len(content):
        plain = _without_strings(content[at : at + _LARGEST])
        if plain is None:  # a string that is longer than the piece
            try:
                at = end_of_scalar(content, at)
            except Unfinished:
                return nesting(content)
            continue
        levels = list(accumulate(steps(plain), initial=level))
        if min(levels[level == 0 :], default=1) <= 0:  # the value ends here
            return max(deepest, *takewhile(lambda level: level > 0, levels[level == 0 :]), 0)
        deepest, level, at = max(deepest, *levels), levels[-1], at + len(plain)
    return deepest


def _without_strings(piece: bytes) -> bytes | None:
    """Return a piece of JSON text with its strings blanked. A string that does not end in the piece is cut off.

    None if nothing is left.
    """
    if b"\\" in piece:
        piece = piece.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    parts = piece.split(b'"')
    if len(parts) == 1:
        return piece
    unfinished = len(parts) % 2 == 0
    if unfinished:
        del parts[-1]
        if parts == [b""]:
            return None
    parts[1::2] = [b"_" * len(part) for part in parts[1::2]]
    return b'"'.join(parts)


def _last_comma(plain: bytes, depth: int, lowest: int) -> int | None:
    """Return the offset of the last comma in ``plain`` at nesting level 0, between two elements or members, or None.

    ``depth`` is the nesting level at the end of ``plain``, and ``lowest`` the lowest one within it.
    """
    stop = len(plain) if lowest <= 0 else 0
    while stop > 0:
        begin = max(0, stop - _TAIL)
        for found in reversed(list(_SIGN.finditer(plain, begin, stop))):
            sign = plain[found.start()]
            if sign == ord(",") and depth == 0:
                return found.start()
            depth -= STEP.get(sign, 0)
        stop = begin
    return None
