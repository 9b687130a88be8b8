"""What a server sent is hostile text wherever it is shown. Here it is made harmless for readers and for CI systems."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable
from typing import Any, Final

_COMMANDS: Final = re.compile(
    r"::(?=[A-Za-z])(?![0-9a-fA-F:.]*\])"  # GitHub: ::error::…, wherever a terminal may wrap; not IPv6 in brackets
    r"|(?<=#)#(?=\w*\[)"  # Azure Pipelines and TeamCity: ##vso[…], ##teamcity[…], anywhere in a line
)
_UNSEEN: Final = re.compile(
    # Printable by their category, and blank or nothing at all to the eye; not the two selectors that emoji need.
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)


def visible(text: str, keep: str = "") -> str:
    """Escape what a reader could mistake or a format forbids: controls, bidirectional overrides, odd spaces.

    What is left is printable (hence also legal in XML); ``keep`` names characters left as they are.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)
    return text if text.isascii() else _UNSEEN.sub(lambda match: _escape(match[0]), text)


def line(text: str) -> str:
    """Return one printable line that no CI system takes for a command, wherever it is cut or wrapped."""
    return _COMMANDS.sub(lambda match: "".join(map(_escape, match[0])), visible(text))


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


GOT_LIMIT: Final = 160
"""Characters of a server's value that a finding shows: a line of text, never somebody's workflow."""

_SECRET: Final = re.compile(r'((?:api_key|auth_token)_comfy_org\\*"\s*+:\s*+\\*")((?:[^"\\]++|\\.)*+)', re.DOTALL)
"""The value of a member that holds somebody's key, also in JSON that stands in a string."""


def show(value: object) -> str:
    """Return a server's value as one bounded line of printable text."""
    if isinstance(value, str | int | float | bool | list | dict | None):
        text = json.dumps(value, ensure_ascii=False, default=str) if not _is_big(value) else _summary(value)
    else:
        text = str(value)
    return printable(text)


def failure(error: Exception) -> str:
    """Say how a clause itself failed, which speaks of the suite and not of an answer."""
    return f"{type(error).__name__}: {printable(str(error))}"


def printable(text: str, limit: int = GOT_LIMIT) -> str:
    """Escape what a terminal or a reader could mistake (controls, bidirectional overrides) and bound the length."""
    text = blotted(text)
    cut = text[:limit]
    safe = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in cut)
    return safe if len(text) <= limit else f"{safe}… ({len(text):,} characters)"


def blotted(text: str, mark: str = "█", spare: Container[str] = ()) -> str:
    """Blot out keys, character by character: no place moves. ``spare`` are values that are no keys."""
    if "_comfy_org" not in text:
        return text
    return _SECRET.sub(lambda match: match[0] if match[2] in spare else match[1] + mark * len(match[2]), text)


def _is_big(value: object) -> bool:
    return isinstance(value, dict | list) and (
        len(value) > 8 or any(isinstance(v, dict | list) for v in _members(value))
    )


def _members(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _summary(value: object) -> str:
    if isinstance(value, dict):
        names = ", ".join(json.dumps(name, ensure_ascii=False) for name in list(value)[:4])
        return f"object with {len(value)} members ({names}{', …' if len(value) > 4 else ''})"
    assert isinstance(value, list)
    return f"array of {len(value)} elements"
