"""Suggestions for misspelt names."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the nearest known name as the end of an error message, or ""."""
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""
