"""Choose which target to check next, with limits on concurrent checks in total and per host. Does no I/O."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from conformance.run.settings import EMBEDDED
from conformance.run.targets import Target

AHEAD: Final = 1000
"""How many targets are read ahead to find one whose host can take another check."""


def host_of(target: Target) -> str:
    """Return the host of a target in lower case, with the port if its URL has one."""
    if target.url == EMBEDDED:
        return "localhost"
    return urlsplit(target.url if "://" in target.url else f"//{target.url}").netloc.lower()


class Turns:
    """Returns targets in order.

    ``room`` returns the maximum number of concurrent checks of a host; None means unlimited.
    """

    def __init__(self, targets: Iterator[Target], *, parallel: int, room: Callable[[str], int | None]) -> None:
        self._targets = targets
        self._parallel = parallel
        self._room = room
        self._held: deque[Target] = deque()
        self._at: Counter[str] = Counter()

    def next(self) -> Target | None:
        """Return a target that may be checked now; None if no target may be checked before another check ends."""
        if self._at.total() >= self._parallel:
            return None
        for place, target in enumerate(self._held):
            if self._has_room(target):
                del self._held[place]
                return self._hand_out(target)
        for target in islice(self._targets, AHEAD - len(self._held)):
            if self._has_room(target):
                return self._hand_out(target)
            self._held.append(target)
        return None

    def over(self, target: Target) -> None:
        """Record that the check of a target has ended."""
        host = host_of(target)
        self._at[host] -= 1
        if not self._at[host]:
            del self._at[host]

    def _has_room(self, target: Target) -> bool:
        host = host_of(target)
        room = self._room(host)
        return room is None or self._at[host] < room

    def _hand_out(self, target: Target) -> Target:
        self._at[host_of(target)] += 1
        return target
