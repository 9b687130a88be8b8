"""A cache of the most recently used values."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

CacheKey = TypeVar("CacheKey", bound=Hashable)
CacheValue = TypeVar("CacheValue")


class Recent(OrderedDict[CacheKey, CacheValue]):
    """A cache of the most recently used values, whose weights add up to at most ``room``."""

    def __init__(self, room: int, weigh: Callable[[CacheValue], int] = lambda _: 1) -> None:
        super().__init__()
        self._room, self._weigh = room, weigh
        self._weight = 0

    def get_or_make(self, key: CacheKey, make: Callable[[], CacheValue]) -> CacheValue:
        """Return the value of a key, and create it if it is not cached."""
        if key in self:
            self.move_to_end(key)
            return self[key]
        self.put(key, make())
        return self[key]

    def put(self, key: CacheKey, value: CacheValue) -> None:
        """Store a value, and drop the least recently used values until the rest fits.

        The new value is never dropped.
        """
        if key in self:
            self._weight -= self._weigh(self.pop(key))
        self[key] = value
        self._weight += self._weigh(value)
        while self._weight > self._room and len(self) > 1:
            _, old = self.popitem(last=False)
            self._weight -= self._weigh(old)

    def forget(self) -> None:
        """Drop all values."""
        self.clear()
        self._weight = 0
