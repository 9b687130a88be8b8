"""Values of JSON as texts, for a URL or a header."""

from __future__ import annotations

from typing import Any


def texts(value: Any) -> list[str]:
    """Return the texts that stand for a value: JSON's own words, and one text for each member of a list."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if value is None:
        return ["null"]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)] or [""]
    return [value if isinstance(value, str) else str(value)]
