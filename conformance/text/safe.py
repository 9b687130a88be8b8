"""Make untrusted text from a server harmless for readers and for CI systems."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable
from typing import Any, Final

from conformance.text import credentials

_COMMANDS: Final = re.compile(
    r"::(?=[A-Za-z])(?![0-9a-fA-F:.]*\])"  # GitHub: ::error::…, wherever a terminal may wrap; not IPv6 in brackets
    r"|(?<=#)#(?=\w*\[)"  # Azure Pipelines and TeamCity: ##vso[…], ##teamcity[…], anywhere in a line
)
_UNSEEN: Final = re.compile(
    # Default_Ignorable_Code_Point of Unicode, as far as str.isprintable accepts it, without the two selectors of emoji,
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef"
    "\u2800\U00013441\U00013442\U0001d159]"  # and blank characters with a width
)


def visible(text: str, keep: str = "") -> str:
    """Escape every invisible character and every character that affects its surroundings. All output passes here.

    These are controls, format characters such as bidirectional overrides, spaces other than U+0020, surrogates, private
    and unassigned characters, and characters that are blank. The result is printable and legal in XML. ``keep`` names
    characters that stay.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)
    return text if text.isascii() else _UNSEEN.sub(lambda match: _escape(match[0]), text)


def line(text: str) -> str:
    """Return one printable line that no CI system reads as a command, even if it is cut or wrapped."""
    return _COMMANDS.sub(lambda match: "".join(map(_escape, match[0])), visible(text))


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


GOT_LIMIT: Final = 160
"""Maximum length of a server's value in a finding: one line, never a whole workflow."""

_SECRET: Final = re.compile(r'((?:api_key|auth_token)_comfy_org\\*"\s*+:\s*+\\*")((?:[^"\\]++|\\.)*+)', re.DOTALL)
"""The value of a member with a key, also in JSON inside a string."""


def show(value: object) -> str:
    """Return a server's value as one bounded printable line."""
    if isinstance(value, str | int | float | bool | list | dict | None):
        text = json.dumps(value, ensure_ascii=False, default=str) if not _is_big(value) else _summary(value)
    else:
        text = str(value)
    return printable(text)


def failure(error: Exception) -> str:
    """Describe how a clause itself failed, which is a defect of the suite and not of the response."""
    return f"{type(error).__name__}: {printable(str(error))}"


def printable(text: str, limit: int = GOT_LIMIT) -> str:
    """Limit the length of a text, escape it, and remove credentials."""
    text = without_credentials(text)
    safe = visible(text[:limit])
    return safe if len(text) <= limit else f"{safe}… ({len(text):,} characters)"


def blot_keys(text: str, mark: str = "█", spare: Container[str] = ()) -> str:
    """Replace keys by a mask of the same length, so that no offset changes. ``spare`` are values that are not keys."""
    if "_comfy_org" not in text:
        return text
    return _SECRET.sub(lambda match: match[0] if match[2] in spare else match[1] + mark * len(match[2]), text)


def without_credentials(text: str, mark: str = "█") -> str:
    """Replace everything that looks like a credential by a mask of the same length."""
    return credentials.without(blot_keys(text, mark), mark)


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
