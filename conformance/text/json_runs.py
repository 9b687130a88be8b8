"""Cut a large JSON text at the boundaries of its values, without decoding it.

What is cut is checked by those who decode the parts. A text that is not JSON gives parts that cannot be decoded, or
ends before its containers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Final, NamedTuple

RUN: Final = 1 << 20
"""Bytes of a run of children. A run is larger only if it is a single child."""
_FIRST, _LARGEST = 1 << 12, 1 << 18
"""Bytes that are looked at at a time: few at first, because most lists are short."""
_TAIL: Final = 1 << 11
_OPENING, _CLOSING = b"[{", b"]}"
_STEP: Final = [(code in _OPENING) - (code in _CLOSING) for code in range(256)]
_NO_BRACKETS: Final = bytes(code for code in range(256) if code not in b"[]{}")
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_SIGN: Final = re.compile(rb"[\[\]{},]")
_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^ \t\n\r,\]}:\[{\"]++")


class Unfinished(ValueError):
    """The text ends within a value, or something else is where a value has to be. ``at`` is the place."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Run(NamedTuple):
    """Children of a container that follow one another, without the comma after them.

    ``last`` says that the closing bracket of the container follows.
    """

    start: int
    end: int
    last: bool


def skip_space(content: bytes, at: int) -> int:
    """Return the place of the next byte that is not white space."""
    found = _SPACE.match(content, at)
    return found.end() if found else at


def end_of(content: bytes, at: int) -> int:
    """Return where the value ends that begins at a place. Raises Unfinished."""
    start = content[at : at + 1]
    if start in {b"[", b"{"}:
        end = at
        for run in runs(content, at):
            end = run.end
        return end + 1
    found = (_STRING if start == b'"' else _SCALAR).match(content, at)
    if found is None:
        raise Unfinished(at)
    return found.end()


def runs(content: bytes, at: int, *, size: int = RUN) -> Iterator[Run]:
    """Yield the children of the container whose opening bracket is at a place. Raises Unfinished."""
    start, position, depth, piece = at + 1, at + 1, 0, _FIRST
    boundary: int | None = None
    while True:
        if boundary is not None and position - start >= size:
            yield Run(start, boundary, last=False)
            start, boundary = boundary + 1, None
        plain = _without_strings(content[position : position + piece])
        if plain is None:  # a string that is longer than the piece
            found = _STRING.match(content, position)
            if found is None:
                raise Unfinished(position)
            position = found.end()
            continue
        if not plain:
            raise Unfinished(position)
        levels = list(accumulate(map(_STEP.__getitem__, plain.translate(None, _NO_BRACKETS)), initial=depth))
        lowest = min(levels)
        if lowest < 0:
            place = levels.index(-1) - 1
            plain = plain[: next(islice(_BRACKET.finditer(plain), place, None)).start()]
            levels = levels[: place + 1]
        if lowest <= 0:
            if position - start >= size and (comma := _first_comma(plain, depth)) is not None:
                yield Run(start, position + comma, last=False)
                start, boundary = position + comma + 1, None
            if (comma := _last_comma(plain, levels[-1])) is not None and position + comma >= start:
                boundary = position + comma
        depth, position = levels[-1], position + len(plain)
        if lowest < 0:
            if position - start > size and boundary is not None:
                yield Run(start, boundary, last=False)
                start = boundary + 1
            yield Run(start, position, last=True)
            return
        piece = min(2 * piece, _LARGEST)


def _without_strings(piece: bytes) -> bytes | None:
    """Return a piece of a text with strings blanked, up to a string that does not end in it; None where that is all."""
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


def _first_comma(plain: bytes, depth: int) -> int | None:
    for found in _SIGN.finditer(plain):
        sign = plain[found.start()]
        if sign == ord(",") and depth == 0:
            return found.start()
        depth += _STEP[sign]
    return None


def _last_comma(plain: bytes, depth: int) -> int | None:
    stop = len(plain)
    while stop > 0:
        begin = max(0, stop - _TAIL)
        for found in reversed(list(_SIGN.finditer(plain, begin, stop))):
            sign = plain[found.start()]
            if sign == ord(",") and depth == 0:
                return found.start()
            depth -= _STEP[sign]
        stop = begin
    return None
