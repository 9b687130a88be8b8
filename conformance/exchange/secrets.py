"""Keys: a class that never shows its value, placeholders for redacted keys, and the wrong keys that a run tries."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

REDACTED: Final = "[redacted-api-key]"
"""Replaces a key in everything that is shown."""
REDACTED_WORD: Final = "[redacted]"
"""Replaces a key that could be an ordinary word, so that the text may not be the key at all."""
KEY_HEADER: Final = "X-API-Key"
SHORTEST_KEY: Final = 4
"""Minimum length of a key. A shorter one is refused as a mistake."""
LONGER_THAN_WORDS: Final = 16
"""Minimum length of a key that cannot occur as a word or number in a workflow by chance."""
LONGER_THAN_NAMES: Final = 12
RANDOM: Final = 3
"""A short key with this many changes between letter and digit, as in 4f1c, is not a word or the name of a model."""
VARIED: Final = 6
"""A key with fewer distinct characters than this, such as a row of zeros, may occur by chance."""
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Secret:
    """A secret such as a key. Its value does not appear in any repr, traceback or log."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself, for the code that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"


def is_unmistakable(key: str) -> bool:
    """Whether a text that equals the key can only be the key, because it is too long or random to occur by chance."""
    turns = sum(a.isalnum() and b.isalnum() and a.isdigit() is not b.isdigit() for a, b in pairwise(key))
    long = len(key) >= LONGER_THAN_WORDS or (len(key) >= LONGER_THAN_NAMES and turns >= RANDOM)
    return long and len(set(key)) >= VARIED


def near_misses(secret: Secret) -> tuple[Secret, Secret | None]:
    """Return two wrong keys that are similar to the right one.

    The first has another last character, the second has upper and lower case swapped (None if the key has no letters).
    Base64 padding stays, and the highest bit of the digit before it is changed: the lowest bits of a last digit may be
    unused, as in the signature of a JWT.
    """
    key = secret.reveal()
    body = key.rstrip("=") or key
    last = body[-1].translate(str.maketrans("-_", "+/"))
    other = _BASE64[(_BASE64.index(last) + 32) % 64] if last in _BASE64 else "x" if last != "x" else "y"
    swapped = key.swapcase()
    return Secret(body[:-1] + other + key[len(body) :]), Secret(swapped) if swapped != key else None
