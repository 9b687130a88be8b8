"""Write numbers with their nouns."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 response`` or ``2,000 responses``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
