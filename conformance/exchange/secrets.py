"""A key that nothing shows, and what stands in its place."""

from __future__ import annotations

from typing import Final

REDACTED: Final = "[redacted-api-key]"
"""Stands where a credential stood. The clause on echoed keys looks for it in answers."""
SHORTEST_KEY: Final = 4
"""Characters. A shorter key could not be told from ordinary text where a server echoes it."""


class Secret:
    """A key that no repr, traceback or log shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself: for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"
