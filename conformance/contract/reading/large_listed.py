"""Facts about each of the two lists of a large body, including the places of their jobs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Raw

from conformance.contract.reading.body import Item, is_number
from conformance.contract.reading.fast_proof import exercised_with
from conformance.contract.reading.fast_split import AS_TEXTS, split_array
from conformance.contract.reading.known_jobs import Shared
from conformance.contract.reading.large_job import Reduced
from conformance.contract.terms import Dialect, FastPath

REPEATED: Final = 10_000
"""Maximum number of distinct job texts that are kept to recognise repeated jobs."""
SHORT: Final = 100
"""Only job texts of at most this many bytes are kept to recognise repeated jobs. Valid jobs are hardly shorter."""

ReadBytes = Callable[[int, int], bytes]
"""A function that returns the bytes of the body from one offset to another, from memory or from a file."""


@dataclass
class Window:
    """Consecutive jobs of a list: the index of the first, their number, and the offsets of their text in the body.

    ``ask`` says that the clauses must check some of the jobs. ``flawed`` says that the text is not strict JSON.
    ``giant`` is set if the window is a single job that is too large to parse. ``dense`` says that the jobs are very
    small.
    """

    first: int
    count: int
    start: int
    end: int
    ask: bool = False
    flawed: bool = False
    giant: Reduced | None = None
    dense: bool = False


@dataclass
class Repeat:
    """A job text that occurs several times: its first and last index in the list, and how often it occurs."""

    first: int
    last: int
    count: int = 1


@dataclass
class LargeList:
    """Facts about one list of a large body, such as its size and the groups of consecutive jobs (``windows``) in it.

    ``unasked`` counts the jobs that the fast path could not verify and that no clause checks, and ``partly`` those of
    which a part is left out.
    """

    windows: list[Window] = field(default_factory=list)
    size: int = 0
    shapes: set[tuple[bool, bool]] = field(default_factory=set)
    linked: bool = False
    repeats: dict[bytes, Repeat] = field(default_factory=dict)
    order: tuple[Dialect, str] | None = None
    order_at: float = math.inf
    latest: Any = None
    unasked: int = 0
    partly: int = 0

    def new(self, elements: Iterable[tuple[int, Raw]], *, again: bool) -> list[tuple[int, Raw]]:
        """Return the elements whose text does not occur earlier in the list.

        ``again`` says that they were already counted.
        """
        new = []
        for at, element in elements:
            key = bytes(element)
            known = self.repeats.get(key)
            if known is None:
                if len(key) <= SHORT and len(self.repeats) < REPEATED and not again:
                    self.repeats[key] = Repeat(at, at)
                new.append((at, element))
            elif again:
                if known.first == at:
                    new.append((at, element))
            else:
                known.count += 1
                known.last = at
        return new


def exercised_by(lists: Collection[LargeList]) -> frozenset[FastPath]:
    """Return the members of ``FastPath`` whose clauses apply to at least one job that the fast path verified."""
    shapes = {shape for listed in lists for shape in listed.shapes}
    return exercised_with(shapes, linked=any(listed.linked for listed in lists))


def hashes_of(number: Any) -> set[int]:
    """Return the hash of a number as it was written, and its hash as a float. They differ for numbers such as 0.1."""
    if not is_number(number):
        return set()
    try:
        return {hash(number), hash(float(number))}
    except OverflowError:  # beyond the range of a float
        return {hash(number)}


def place_of(item: Item) -> int:
    """Return the index of a job in its list."""
    return index_of(item.pointer)


def index_of(pointer: str) -> int:
    """Return the index of the job that a pointer leads to or into."""
    return int(pointer.split("/")[2])


def piece_of(content: bytes, start: int, end: int) -> bytes:
    """Return the bytes of a body in memory from one offset to another."""
    return content[start:end]


def text_again(source: ReadBytes, shared: Shared, window: Window, index: int, element: int) -> bytes:
    """Read the text of an element of a job again. The groups of jobs that were read last are kept in memory."""
    shared.pulse()
    kept = [] if shared.known is None else shared.known.windows
    texts = next((texts for owner, texts in kept if owner is window), None)
    if texts is None:
        texts = AS_TEXTS.elements.decode(b"[%b]" % source(window.start, window.end))
        kept.append((window, texts))
        del kept[:-2]  # one of each read that is compared
    return bytes(split_array(texts[index])[element])
