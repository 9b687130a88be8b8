"""Suggest the right name for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the end of an error message, such as ``: did you mean x?``. "" if no known name is similar."""
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""
