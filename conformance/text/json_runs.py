"""Cut a large JSON text into pieces (``JsonRun``): some consecutive elements of an array, or members of an object.

Nothing is decoded here. The caller decodes the pieces and thereby checks their syntax. A text that is not JSON gives
pieces that cannot be decoded, or ends before its arrays and objects are closed.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from itertools import accumulate, chain, islice, pairwise, takewhile
from typing import Final, NamedTuple

from conformance.text.json_bytes import LARGE, STEP, steps

RUN: Final = LARGE
"""The approximate size of a piece in bytes. Only a single child (element or member) can be larger."""
_FIRST, _LARGEST = 1 << 12, 1 << 18
"""Bytes that are scanned in the first step, and the maximum for later steps. Most lists are short."""
_TAIL: Final = 1 << 11
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_SIGN: Final = re.compile(rb"[\[\]{},]")
_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^ \t\n\r,\]}:\[{\"]++")


class Unfinished(ValueError):
    """The text ends within a value, or lacks a value, at the offset ``at``.

    ``rest`` is the offset of the children that were not yielded, of an array or object with the bracket ``opening``.
    """

    def __init__(self, at: int, rest: int | None = None, opening: bytes = b"") -> None:
        super().__init__(at)
        self.at, self.rest, self.opening = at, rest, opening


class JsonRun(NamedTuple):
    """A piece of a JSON text: consecutive elements of an array or members of an object, as the offsets of their text.

    ``last`` means that no child follows: the closing bracket of the array or object should be at ``end``. ``giant``
    means that a single child begins at ``start`` and is too large for a piece; the caller must ``send`` the offset of
    its end to the generator. ``empty`` means that the piece has no child. ``depth`` is the nesting of a giant child in
    the part scanned so far.
    """

    start: int
    end: int
    last: bool = False
    giant: bool = False
    empty: bool = False
    depth: int = 0


Runs = Generator[JsonRun, int, None]


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
    depth = 0
    for start, plain in _plain_pieces(content, at):
        levels = list(accumulate(steps(plain), initial=depth))
        if 0 in levels[1:]:
            place = levels.index(0, 1) - 1
            return start + next(islice(_BRACKET.finditer(plain), place, None)).end()
        depth = levels[-1]
    raise Unfinished(len(content))


def end_of_member(content: bytes, at: int) -> int:
    """Return the offset of the end of an object's member. ``at`` is its start or white space before it.

    Raises Unfinished.
    """
    colon = skip_space(content, end_of_scalar(content, skip_space(content, at)))
    return end_of(content, skip_space(content, colon + 1))


def runs(content: bytes, at: int, *, size: int | None = None, opening: bytes = b"") -> Runs:
    """Yield, in pieces, the array or object whose bracket ``opening`` is at the offset ``at``.

    If a comma is at that offset, only the children after it are yielded. Then ``opening`` must be given.

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
            yield JsonRun(start, boundary)
            start, boundary = boundary + 1, None
        if position - start >= 2 * size:
            end = yield JsonRun(start, start, giant=True, depth=deepest)
            yield JsonRun(end, end, empty=True)
            end = skip_space(content, end)
            if not content.startswith(b",", end):
                yield JsonRun(end, end, last=True, empty=True)
                return
            start, position, depth, piece = end + 1, end + 1, 0, min(size, _FIRST)
        try:
            found = _scan(content, position, piece, depth)
        except Unfinished as error:
            raise Unfinished(error.at, start, opening or content[at : at + 1]) from None
        position, depth, deepest = found.end, found.depth, max(deepest, found.deepest)
        boundary = boundary if found.boundary is None else found.boundary
        if found.closed:
            yield JsonRun(start, position, last=True)
            return
        piece = min(_larger(piece), size)


class _Scanned(NamedTuple):
    """A scanned part of an array or object: its end, the nesting there and at most, and the last comma at level 0.

    ``closed``: the array or object ends at ``end``.
    """

    end: int
    depth: int
    deepest: int
    boundary: int | None
    closed: bool


def _scan(content: bytes, at: int, size: int, depth: int) -> _Scanned:
    """Scan at most ``size`` bytes of an array or object, or one longer string. Raises Unfinished."""
    plain = _without_strings(content[at : at + size])
    if not plain:
        return _Scanned(end_of_scalar(content, at), depth, depth, None, closed=False)
    levels = list(accumulate(steps(plain), initial=depth))
    if -1 in levels:
        closing = next(islice(_BRACKET.finditer(plain), levels.index(-1) - 1, None))
        return _Scanned(at + closing.start(), depth, depth, None, closed=True)
    comma = _last_comma(plain, levels[-1]) if 0 in levels else None
    boundary = None if comma is None else at + comma
    return _Scanned(at + len(plain), levels[-1], max(levels), boundary, closed=False)


def split(text: bytes) -> list[bytes]:
    """Return the texts of consecutive elements of an array or members of an object. ``text`` has no brackets around."""
    if not text.strip():
        return []
    plain, depth, commas = _without_strings(text), 0, list[int]()
    for found in _SIGN.finditer(plain):
        step = STEP.get(plain[found.start()], 0)
        if not (step or depth):
            commas.append(found.start())
        depth += step
    return [text[before + 1 : end].strip() for before, end in pairwise((-1, *commas, len(text)))]


def last_members(text: bytes, names: re.Pattern[bytes]) -> Iterator[int]:
    """Yield the offsets of those members of an object whose name matches ``names``, the last one first.

    ``text`` is the JSON text of the members, without the brackets around them. The pattern includes the quotation marks
    and the colon. Members of inner objects are left out.
    """
    plain = _without_strings(text)
    depth, end = 0, len(plain)
    for at in reversed([found.start() for found in names.finditer(text)]):
        if not plain.startswith(b'"', at):  # within a longer string
            continue
        depth, end = depth - sum(steps(plain[at:end])), at
        if not depth:
            yield at


def nesting_of(content: bytes) -> int:
    """Return the levels of nested arrays and objects in a JSON text. It needs little memory."""
    levels = accumulate(chain.from_iterable(steps(plain) for _, plain in _plain_pieces(content, 0)))
    return max(takewhile((0).__lt__, levels), default=0)  # text after the value does not count


def _plain_pieces(content: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the text from an offset on in pieces with their strings blanked, each with its offset.

    Long strings, and a string that does not end, are left out.
    """
    size = _FIRST
    while piece := content[at : at + size]:
        plain = _without_strings(piece)
        if plain:
            yield at, plain
            at, size = at + len(plain), _larger(size)
            continue
        found = _STRING.match(content, at)
        if found is None:
            return
        at = found.end()


def _larger(size: int) -> int:
    """Return the number of bytes to scan in the next step."""
    return min(2 * size, _LARGEST)


def _without_strings(piece: bytes) -> bytes:
    """Return a piece of JSON text with its strings blanked. A string that does not end in the piece is cut off."""
    if b"\\" in piece:
        piece = piece.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    parts = piece.split(b'"')
    if not len(parts) % 2:
        del parts[-1]
    parts[1::2] = [b"_" * len(part) for part in parts[1::2]]
    return b'"'.join(parts)


def _last_comma(plain: bytes, depth: int) -> int | None:
    """Return the offset of the last comma in ``plain`` at nesting level 0, between two elements or members, or None.

    ``depth`` is the nesting level at the end of ``plain``.
    """
    for stop in range(len(plain), 0, -_TAIL):
        for found in reversed(list(_SIGN.finditer(plain, stop - _TAIL, stop))):
            step = STEP.get(plain[found.start()], 0)
            if not (step or depth):
                return found.start()
            depth -= step
    return None
