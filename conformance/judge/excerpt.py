"""Make a short printable excerpt of a body around the place of a finding."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Final

from conformance.judge.masking import mask_workflows
from conformance.judge.report import Excerpt
from conformance.text.pointer import unescape
from conformance.text.safe import printable, without_credentials

CONTEXT: Final = 160
"""Number of characters that are shown before and after the place: enough to recognise it, but not a whole workflow."""
MARKED: Final = 240
SEARCHED: Final = 8 << 20
"""Bodies with more bytes than this get no excerpts, because finding a place means parsing everything before it."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")


def start_of(content: bytes, limit: int = 600, *, hide: bool = False) -> str:
    """Return the first characters of a body as printable text. ``hide`` masks the contents of workflows."""
    text = without_credentials(content[: limit * 8].decode("utf-8", "replace"))
    text = mask_workflows(text) if hide else text
    return _line(text[:limit]) + ("…" if len(text) > limit else "")


def around(content: bytes, pointer: str, *, hide: bool = False, class_types: bool = False) -> Excerpt | None:
    """Return the text around the value at a JSON Pointer, or around its parent. None if the place does not exist.

    ``hide`` masks the contents of workflows, except class types with ``class_types``.
    """
    if not pointer or len(content) > SEARCHED:
        return None
    text, shown = _shown(content, hide, class_types)
    try:
        start, end = _find(text, [*map(unescape, pointer.split("/")[1:])])
    except (ValueError, IndexError, RecursionError):
        return None
    text = shown
    cut = end - start > MARKED
    return Excerpt(
        before=_line(text[max(0, start - CONTEXT) : start]),
        marked=_line(text[start : min(end, start + MARKED)]) + ("…" if cut else ""),
        after="" if cut else _line(text[end : end + CONTEXT]),
    )


@lru_cache(maxsize=2)
def _shown(content: bytes, hide: bool, class_types: bool) -> tuple[str, str]:  # noqa: FBT001 - the key of a cache
    """Return a body as text, and that text with credentials and workflows masked.

    The result is cached, because a body can have many findings, and masking it takes seconds.
    """
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    shown = without_credentials(text)
    return text, mask_workflows(shown, class_types=class_types) if hide else shown


def _line(text: str) -> str:
    return printable(text, len(text) or 1)


def _find(text: str, path: list[str]) -> tuple[int, int]:
    """Return the start and end offset of the value at ``path``, or of its closest existing parent."""
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
    """Return the offset of the value of the last member called ``name``, or None.

    Parsers, too, use the last of several.
    """
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
