"""Write JSON values as text for a query parameter or a header."""

from __future__ import annotations

from typing import Any


def texts(value: Any) -> list[str]:
    """Return a value as text. A list gives one text for each element, and a string itself."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if value is None:
        return ["null"]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)] or [""]
    return [value if isinstance(value, str) else str(value)]
