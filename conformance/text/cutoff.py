"""Recognise JSON texts that are cut off, and keep the complete jobs at their start."""

from __future__ import annotations

import enum
import json
import re
from typing import Final

from conformance.text.json_bytes import LARGE

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_LAX: Final = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)
_LITERALS: Final = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_SPACE: Final = " \t\r\n"
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
"""Matches an incomplete escape at the end of a text."""
_LONGEST: Final = 6
_LIST: Final = 2
"""The level of nesting around a job: the object, and one of its lists."""


class Text(enum.Enum):
    """Whether a text is a complete JSON value."""

    COMPLETE = "complete"
    """The text begins with a complete JSON value."""
    ENDS_EARLY = "ends early"
    """The text is the start of a JSON value, whose rest is missing."""
    BROKEN = "broken"


def kind_of(content: bytes) -> Text:
    """Return whether bytes are JSON, the start of JSON, or something else."""
    if len(content) > LARGE:
        return _kind_of_large(content)
    text = content.decode("utf-8", "replace").lstrip(_SPACE)
    if not text:
        return Text.ENDS_EARLY
    try:
        _LAX.raw_decode(text)
    except json.JSONDecodeError as error:
        return Text.ENDS_EARLY if _is_at_the_end(error, text) else Text.BROKEN
    except RecursionError:
        pass  # deep nesting is reported by its own clause
    return Text.COMPLETE


def ends_early(content: bytes) -> bool:
    """Whether bytes are the start of a JSON value whose rest is missing. Large ones are not parsed."""
    if len(content) <= LARGE:
        return kind_of(content) is Text.ENDS_EARLY
    from conformance.text.json_runs import Unfinished, end_of, skip_space

    try:
        end_of(content, skip_space(content, 0))
    except Unfinished:
        return True
    return False


def _kind_of_large(content: bytes) -> Text:
    """Return whether bytes are JSON, the start of JSON, or something else, reading them in parts to save memory.

    A text with an error counts as the start of JSON if one of its brackets or strings is not closed.
    """
    from conformance.text.json_runs import Unfinished, skip_space
    from conformance.text.large_json import Checker, NotRead

    if ends_early(content):
        return Text.ENDS_EARLY
    try:
        Checker(content).value(skip_space(content, 0), "")
    except Unfinished:
        return Text.ENDS_EARLY
    except NotRead as error:
        return Text.COMPLETE if error.malformed is None else Text.BROKEN
    return Text.COMPLETE


def _is_at_the_end(error: json.JSONDecodeError, text: str) -> bool:
    rest = text[error.pos :].rstrip(_SPACE)
    if not rest or error.msg.startswith("Unterminated string"):
        return True
    in_escape = error.msg.startswith("Invalid \\") and _ESCAPE.search(text[-_LONGEST:])
    return bool(in_escape) or any(literal.startswith(rest) for literal in _LITERALS)


def complete_jobs(content: bytes) -> bytes:
    """Return the start of a cut-off body up to its last complete job, with its brackets closed. Empty if there is none.

    JSON Pointers into the result are also valid for the body.
    """
    depth = end = 0
    for found in _TOKEN.finditer(content):
        sign = content[found.start()]
        if sign in b"[{":
            depth += 1
        elif sign in b"]}":
            depth -= 1
            if depth == _LIST:
                end = found.end()
            elif depth == 0:
                break
    return content[:end] + b"]}" if end else b""
