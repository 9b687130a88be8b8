"""JSON values as text for a URL or a header."""

from __future__ import annotations

from typing import Any


def texts(value: Any) -> list[str]:
    """Return the texts for a value: its JSON text, or one text for each element of a list."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if value is None:
        return ["null"]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)] or [""]
    return [value if isinstance(value, str) else str(value)]
