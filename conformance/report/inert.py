"""What a server sent is hostile text wherever it is shown. Here it is made harmless for readers and for CI systems."""

from __future__ import annotations

import re
from typing import Final

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
