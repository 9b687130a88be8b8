"""Remember which names have occurred. Each name takes a few dozen bytes, whatever its length."""

from __future__ import annotations

import hashlib


class Marks:
    """A set of names that stores only hashes. With a million names, the chance that two collide is 1 in 10^26."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    def add(self, name: str) -> bool:
        """Add a name and return whether it was new."""
        before = len(self._digests)
        self._digests.add(_digest(name))
        return len(self._digests) > before

    def __contains__(self, name: str) -> bool:
        return _digest(name) in self._digests

    def __len__(self) -> int:
        return len(self._digests)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=16).digest()
