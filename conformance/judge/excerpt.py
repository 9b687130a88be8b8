"""A piece of a body around the place of a finding, made printable and bounded."""

from __future__ import annotations

import json
import re
from typing import Final

from conformance.judge.masking import masked
from conformance.judge.report import Excerpt
from conformance.text.safe import blotted, printable

CONTEXT: Final = 160
"""Characters before and after the place: enough to recognise it, too few to hold somebody's workflow."""
MARKED: Final = 240
SEARCHED: Final = 8 << 20
"""Bytes of the largest body in which a place is looked for: finding it reads all that stands before."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")


def start_of(content: bytes, limit: int = 600, *, hide: bool = False) -> str:
    """Return the first characters of a body as printable text; ``hide`` what stands in workflows."""
    text = blotted(content[: limit * 8].decode("utf-8", "replace"))
    text = masked(text) if hide else text
    return _line(text[:limit]) + ("…" if len(text) > limit else "")


def around(content: bytes, pointer: str, *, hide: bool = False) -> Excerpt | None:
    """Return the text around the value at a JSON Pointer, or around what should hold it. None where it is no place."""
    if not pointer or len(content) > SEARCHED:
        return None
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        start, end = _find(text, [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]])
    except (ValueError, IndexError, RecursionError):
        return None
    text = masked(blotted(text)) if hide else blotted(text)
    cut = end - start > MARKED
    return Excerpt(
        before=_line(text[max(0, start - CONTEXT) : start]),
        marked=_line(text[start : min(end, start + MARKED)]) + ("…" if cut else ""),
        after="" if cut else _line(text[end : end + CONTEXT]),
    )


def _line(text: str) -> str:
    return printable(text, len(text) or 1)


def _find(text: str, path: list[str]) -> tuple[int, int]:
    """Return start and end of the value at ``path``, or of the last one on the way that is there."""
    decoder = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)
    at = _skip(text, 0)
    for token in path:
        found = _member(text, at, token, decoder) if text[at] == "{" else _element(text, at, token, decoder)
        if found is None:
            break
        at = found
    _, end = decoder.raw_decode(text, at)
    return at, end


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _member(text: str, at: int, name: str, decoder: json.JSONDecoder) -> int | None:
    """Return where the value of member ``name`` starts (the last one of that name, as readers take it)."""
    at = _skip(text, at + 1)
    found = None
    while text[at] == '"':
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if key == name:
            found = at
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ",":
            break
        at = _skip(text, at + 1)
    return found


def _element(text: str, at: int, index: str, decoder: json.JSONDecoder) -> int | None:
    if text[at] != "[" or not index.isdecimal():
        return None
    at = _skip(text, at + 1)
    for _ in range(int(index)):
        if text[at] == "]":
            return None
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ",":
            return None
        at = _skip(text, at + 1)
    return None if text[at] == "]" else at
