"""Compare the jobs of a large body with one another without keeping them: distinct ids and numbers, rising times."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract.reading.body import LISTS, is_number
from conformance.contract.terms import FastPath

COMPARED: Final = 500_000
"""Maximum number of jobs of a list whose ids and numbers are compared with one another."""
DISAGREEING: Final = 1000
"""Findings can name the jobs that share an id or a job number for at most this many ids, and this many numbers."""


ComparedJob = tuple[int, str | None, Any, Any]
"""A job's index in its list, and the values that are compared: id, number and create_time. The number may be a float.
"""


@dataclass
class _SeenHashes:
    """Hashes of one kind of value (such as ids) in one list.

    ``seen`` has the hashes of all values, and ``twice`` those of repeated values. ``number`` counts the values.
    """

    seen: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)
    number: int = 0
    last: Any = None
    falls_at: int | None = None
    """The index of the first job whose value is, or may be, below the one before it."""

    def add(self, value: Hashable) -> None:
        self.number += 1
        key = hash(value)
        if key in self.seen:
            if len(self.twice) < DISAGREEING:
                self.twice.add(key)
        elif len(self.seen) < COMPARED:
            self.seen.add(key)

    def rise(self, value: Any, at: int) -> None:
        last, self.last = self.last, value
        if last is None or self.falls_at is not None:
            return
        # Two numbers written as floats may be equal as doubles but differ as written.
        if value <= last if isinstance(value, float) else value < last:
            self.falls_at = at


@dataclass
class _SeenValues:
    ids: _SeenHashes = field(default_factory=_SeenHashes)
    numbers: _SeenHashes = field(default_factory=_SeenHashes)
    times: _SeenHashes = field(default_factory=_SeenHashes)


class Compared:
    """The ids, job numbers and times of a body's jobs, which clauses compare with one another."""

    CLAUSES: Final = frozenset(
        {FastPath.DISTINCT_IDS, FastPath.RISING_TIMES, FastPath.DISTINCT_NUMBERS, FastPath.RISING_NUMBERS}
    )

    def __init__(self) -> None:
        self._lists: dict[str, _SeenValues] = {}

    def drop(self, name: str) -> None:
        """Forget the jobs of the list with this name."""
        self._lists.pop(name, None)

    def add(self, name: str, entries: Iterable[ComparedJob]) -> None:
        """Add consecutive jobs of a list. Some of their values may be missing (None)."""
        seen, pending = self._lists.setdefault(name, _SeenValues()), name in LISTS[1:]
        for at, prompt_id, number, time in entries:
            if prompt_id is not None:
                seen.ids.add(prompt_id.lower())
            if pending and (is_number(number) or isinstance(number, float)):
                seen.numbers.add(number)
                seen.numbers.rise(number, at)
            if pending and is_number(time):
                seen.times.number += 1
                seen.times.rise(time, at)

    @property
    def twice(self) -> set[int]:
        """The hashes of ids that occur more than once, in one list or in both together."""
        found = {key for seen in self._lists.values() for key in seen.ids.twice}
        if len(self._lists) > 1:
            one, other = (seen.ids.seen for seen in self._lists.values())
            found |= one & other
        return found

    @property
    def numbers_twice(self) -> set[int]:
        """The hashes of job numbers that more than one pending job has."""
        return {key for seen in self._lists.values() for key in seen.numbers.twice}

    def falls_at(self, fast: FastPath) -> int | None:
        """Return the index of the first pending job that is out of order by number or by time, or None."""
        for seen in self._lists.values():
            values = seen.times if fast is FastPath.RISING_TIMES else seen.numbers
            if values.falls_at is not None:
                return values.falls_at
        return None

    @property
    def broken(self) -> frozenset[FastPath]:
        """The members of ``FastPath`` about several jobs, such as distinct ids, that the body violates or may violate."""
        found = {
            FastPath.DISTINCT_IDS: bool(self.twice),
            FastPath.DISTINCT_NUMBERS: bool(self.numbers_twice),
            FastPath.RISING_TIMES: self.falls_at(FastPath.RISING_TIMES) is not None,
            FastPath.RISING_NUMBERS: self.falls_at(FastPath.RISING_NUMBERS) is not None,
        }
        return frozenset(fast for fast, broken in found.items() if broken)

    def many(self, fast: FastPath) -> bool:
        """Whether at least two jobs have the value that a clause compares, so that it applies."""
        found = 0
        for seen in self._lists.values():
            values = seen.ids if fast is FastPath.DISTINCT_IDS else seen.numbers
            found += seen.times.number if fast is FastPath.RISING_TIMES else values.number
        return found > 1

    @property
    def uncompared(self) -> int:
        """The number of jobs whose ids were not compared with those of all others."""
        return sum(max(0, seen.ids.number - COMPARED) for seen in self._lists.values())
