"""Names that were meant: what is said beside an error about a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Return the name that was meant, as words to be put behind an error; nothing where none is near."""
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""
