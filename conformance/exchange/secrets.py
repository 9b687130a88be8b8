"""A key that nothing shows, the wrong keys that are tried beside it, and the marks that replace them."""

from __future__ import annotations

import string
from itertools import pairwise
from typing import Final

REDACTED: Final = "[redacted-api-key]"
"""Replaces a key wherever something is shown."""
REDACTED_WORD: Final = "[redacted]"
"""Replaces a key that may be an ordinary word: where it is found, the server need not have meant the key."""
SHORTEST_KEY: Final = 4
"""Characters. A shorter key is refused as a mistake."""
LONGER_THAN_WORDS: Final = 16
"""Characters. A shorter key may be a word or a number that a workflow holds by chance."""
LONGER_THAN_NAMES: Final = 12
RANDOM: Final = 3
"""Turns from letter to digit or back, as in 4f1c. A shorter key with so many is no word and no name of a model."""
VARIED: Final = 6
"""Different characters. A key with fewer, such as a row of zeros, may occur by chance too."""
_BASE64: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"


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


def is_unmistakable(key: str) -> bool:
    """Whether a key that is found in a response cannot be there by chance."""
    turns = sum(a.isalnum() and b.isalnum() and a.isdigit() is not b.isdigit() for a, b in pairwise(key))
    long = len(key) >= LONGER_THAN_WORDS or (len(key) >= LONGER_THAN_NAMES and turns >= RANDOM)
    return long and len(set(key)) >= VARIED


def near_misses(secret: Secret) -> tuple[Secret, Secret | None]:
    """Return two wrong keys that are nearly the right one.

    The first has another last character, the second upper and lower case swapped (None if the key has no letters).
    Padding of base64 stays, and the highest bit of the digit before it is changed: the lowest bits of a last
    digit may mean nothing, as in the signature of a JWT.
    """
    key = secret.reveal()
    body = key.rstrip("=") or key
    last = body[-1].translate(str.maketrans("-_", "+/"))
    other = _BASE64[(_BASE64.index(last) + 32) % 64] if last in _BASE64 else "x" if last != "x" else "y"
    swapped = key.swapcase()
    return Secret(body[:-1] + other + key[len(body) :]), Secret(swapped) if swapped != key else None
