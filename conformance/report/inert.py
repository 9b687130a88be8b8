"""What a server sent is hostile text wherever it is shown. Here it is made harmless for readers and for CI systems."""

from __future__ import annotations

import re
from typing import Final

_COMMANDS: Final = re.compile(
    r"::(?=[A-Za-z])(?![0-9a-fA-F:.]*\])"  # GitHub: ::error::…, wherever a terminal may wrap; not IPv6 in brackets
    r"|(?<=#)#(?=\w*\[)"  # Azure Pipelines and TeamCity: ##vso[…], ##teamcity[…], anywhere in a line
)


def visible(text: str, keep: str = "") -> str:
    """Escape what a reader could mistake or a format forbids: controls, bidirectional overrides, odd spaces.

    What is left is printable (hence also legal in XML); ``keep`` names characters left as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)


def line(text: str) -> str:
    """Return one printable line that no CI system takes for a command, wherever it is cut or wrapped."""
    return _COMMANDS.sub(lambda match: "".join(map(_escape, match[0])), visible(text))


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
