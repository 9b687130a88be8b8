"""Make text from a server harmless before it is shown: printable, short, without credentials and CI commands."""

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
    """Return text in which every invisible character is escaped. All output passes through this function.

    Escaped are controls, format characters such as bidirectional overrides, spaces other than U+0020, surrogates,
    private and unassigned characters, and characters that are blank. The result is printable and legal in XML.
    Characters in ``keep`` are not escaped.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)
    return text if text.isascii() else _UNSEEN.sub(lambda match: _escape(match[0]), text)


def line(text: str) -> str:
    """Return text as one printable line that no CI system takes for a command, even if it is cut or wrapped."""
    return _COMMANDS.sub(lambda match: "".join(map(_escape, match[0])), visible(text))


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


GOT_LIMIT: Final = 160
"""Maximum number of characters of a server's value in a finding."""

_SECRET: Final = re.compile(r'((?:api_key|auth_token)_comfy_org\\*"\s*+:\s*+\\*")((?:[^"\\]++|\\.)*+)', re.DOTALL)
"""Matches a member with a key of ComfyUI, also in JSON inside a string."""


def show(value: object) -> str:
    """Return a server's value as one short printable line."""
    if isinstance(value, str | int | float | bool | list | dict | None):
        text = json.dumps(value, ensure_ascii=False, default=str) if not _is_big(value) else _summary(value)
    else:
        text = str(value)
    return printable(text)


def failure(error: Exception) -> str:
    """Return one line of text about an exception that the code of a clause raised."""
    return f"{type(error).__name__}: {printable(str(error))}"


def printable(text: str, limit: int = GOT_LIMIT, *, more: int = 0) -> str:
    """Return text as printable, with credentials masked, and cut to ``limit`` characters.

    ``more`` is the number of characters that follow, if ``text`` is only the start of a long text.
    """
    text = without_credentials(text)
    safe = visible(text[:limit])
    return safe if len(text) <= limit else f"{safe}… ({len(text) + more:,} characters)"


def blot_keys(text: str, mark: str = "█", spare: Container[str] = ()) -> str:
    """Return text in which each character of a ComfyUI key is replaced by ``mark``, so that no offset changes.

    Values in ``spare``, such as ``[REDACTED]``, stay as they are.
    """
    if "_comfy_org" not in text:
        return text
    return _SECRET.sub(lambda match: match[0] if match[2] in spare else match[1] + mark * len(match[2]), text)


def without_credentials(text: str, mark: str = "█") -> str:
    """Return text in which each character of what looks like a credential is replaced by ``mark``."""
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
