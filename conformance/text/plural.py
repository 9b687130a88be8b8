"""Numbers with their nouns."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Return ``1 response``, ``2 responses``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
