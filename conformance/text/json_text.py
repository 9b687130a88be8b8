"""Write JSON values as text for a query parameter or a header."""

from __future__ import annotations

from typing import Any


def texts(value: Any) -> list[str]:
    """Return the text of a value, in a list: ``true`` for True, and a string unchanged.

    A list of values, which may be nested, gives one text for each value, or one empty text if it has none.
    """
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if value is None:
        return ["null"]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)] or [""]
    return [value if isinstance(value, str) else str(value)]
