"""The jobs that the reads of a run list. Each distinct job is kept once, and a read is a list of their numbers."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from conformance.contract.reading.memory import Facts, Known, Observation
from conformance.contract.terms import Dialect

LISTS: Final = ("queue_running", "queue_pending")
DISTINCT: Final = 100_000
"""Different jobs of a run that are compared from read to read: about a kilobyte each."""
LISTED: Final = 5_000_000
"""Jobs of all reads of a run that are compared, repeated ones included: 8 bytes each."""
LONG: Final = 256
"""A job whose id or ``create_time`` has more characters counts as several."""
RECENT: Final = 3
"""Reads whose index by id is kept: a clause compares at most three."""
BOUNDS: Final = f"more than {DISTINCT:,} different jobs, or {LISTED:,} in all reads together"


class KnownJobs:
    """The distinct jobs of all reads.

    Without ``shared`` the jobs are those of a single read, and no job is looked up. ``distinct`` and ``listed`` are
    the bounds.
    """

    def __init__(self, *, shared: bool = True, distinct: int = DISTINCT, listed: int = LISTED) -> None:
        self.shared = shared
        self.names: list[str] = []
        self.facts: list[Facts] = []
        self._room, self._listed = distinct, listed
        self._numbers: dict[bytes, int] = {}
        self._proven: dict[bytes, Any] = {}
        self.windows: list[tuple[object, Any]] = []
        """Windows of large bodies that were read again last, with the texts of their jobs."""
        self._indexes: dict[int, tuple[Listing, Mapping[str, int]]] = {}

    def may_list(self, jobs: int) -> bool:
        """Whether a read with this many jobs may fit. If so, they count towards the bound."""
        fits = jobs <= self._listed
        self._listed -= jobs if fits else 0
        return fits

    def proven(self, key: bytes) -> Any:
        """Return the inspection of a proven job with the same text, without that text. None for an unknown text."""
        return self._proven.get(key)

    def keep_proven(self, key: bytes, inspection: Any) -> None:
        """Keep the inspection of a proven job, unless there are too many jobs."""
        if len(self._proven) < DISTINCT:
            self._proven[key] = inspection

    def number(self, key: bytes, name: str, make: Callable[[], Facts]) -> int | None:
        """Return the number of a job by a digest that is equal for equal jobs. None if there are too many jobs."""
        number = self._numbers.get(key) if self.shared else None
        if number is None:
            if self._room <= 0:
                return None
            facts = make()
            self._room -= 1 + len(name) // LONG + _characters(facts) // LONG
            if self._room < 0:
                return None
            number = len(self.names)
            self.names.append(name)
            self.facts.append(facts)
            if self.shared:
                self._numbers[key] = number
        return number

    def index(self, listing: Listing) -> Mapping[str, int]:
        """Return the positions of jobs in a listing, by id."""
        found = self._indexes.pop(id(listing), None)
        if found is None:
            found = listing, {name: at for at, name in enumerate(listing)}
        self._indexes[id(listing)] = found
        if len(self._indexes) > RECENT:
            del self._indexes[next(iter(self._indexes))]
        return found[1]


class Shared(NamedTuple):
    """What the readings of a run share.

    ``pulse`` is called from time to time while a large body is read, and may raise to end the reading.
    """

    known: KnownJobs | None = None
    pulse: Callable[[], None] = lambda: None


ALONE: Final = Shared()
"""For a reading without others."""


class Listing(Mapping[str, Observation]):
    """The jobs that a read lists once, by id, in the order of the lists, running before pending."""

    def __init__(self, known: KnownJobs, numbers: array[int], places: array[int], running: int) -> None:
        self._known, self._numbers, self._places, self._running = known, numbers, places, running

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return map(self._known.names.__getitem__, self._numbers)

    def __contains__(self, name: object) -> bool:
        return name in self.index

    def __getitem__(self, name: str) -> Observation:
        at = self.index[name]
        pending = at >= self._running
        return Observation(f"/{LISTS[pending]}/{self._places[at]}", pending, self._known.facts[self._numbers[at]])

    @property
    def index(self) -> Mapping[str, int]:
        """The positions of the jobs by id."""
        return self._known.index(self)

    @property
    def running(self) -> list[str]:
        """The ids of the running jobs, in order."""
        return list(islice(self, self._running))

    @property
    def pending(self) -> list[str]:
        """The ids of the pending jobs, in order."""
        return list(islice(self, self._running, None))

    @property
    def facts(self) -> Iterator[tuple[str, Facts]]:
        """The ids of the jobs with their facts."""
        return zip(self, map(self._known.facts.__getitem__, self._numbers), strict=True)

    def shares_jobs(self, other: Listing) -> bool:
        """Whether a job is in both listings."""
        return not self.index.keys().isdisjoint(other)

    def changed_since(self, before: Listing) -> list[str]:
        """Return the ids of the jobs that an earlier listing has too, but that may differ from it."""
        then = dict(before.facts)
        return [name for name, facts in self.facts if then.get(name, facts) is not facts]


class Summary(NamedTuple):
    """The facts about a body that are kept when its value is dropped.

    ``lists`` names the lists that are not empty, ``absent`` those that an object lacks. ``observations`` leaves out the
    ``repeated`` ids, which are listed more than once. ``order`` is the order of the first job that shows one, and the
    pointer of that job.
    """

    read: bool
    malformed: bool
    is_object: bool
    depth: int
    jobs: int
    lists: frozenset[str]
    absent: frozenset[str]
    order: tuple[Dialect, str] | None
    observations: Listing
    repeated: frozenset[str]
    compared: bool = True
    """Whether ``observations`` is complete: a read with too many jobs keeps none."""
    unread: str | None = None
    """The part of the jobs that no clause judged, in words."""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all jobs."""
        return self.repeated.union(self.observations)

    def settle(self, known: Known) -> None:
        """Drop the references to the body in texts of jobs."""
        for _, facts in self.observations.facts:
            facts.settle(known)


class Listed(NamedTuple):
    """The jobs of a read that are compared with other reads, and the ids that it lists more than once."""

    once: Listing
    repeated: frozenset[str]


class Roll:
    """Takes down the jobs of one read. ``complete`` is False if there are too many."""

    def __init__(self, known: KnownJobs) -> None:
        self.known = known
        self.complete = True
        self._lists: dict[str, tuple[array[int], array[int]]] = {}

    def drop(self, name: str) -> None:
        """Forget a list: another member of its name follows."""
        self._lists.pop(name, None)

    def add(self, name: str, place: int, number: int | None) -> None:
        """Add the job at a place of a list by its number."""
        if number is None:
            self.complete = False
            return
        numbers, places = self._lists.setdefault(name, (array("I"), array("I")))
        numbers.append(number)
        places.append(place)

    def note(self, name: str, observation: Observation) -> None:
        """Add the job with an id."""
        facts = observation.facts
        key = facts.key_of(name) if self.known.shared else b""
        _, listed, place = observation.pointer.split("/")
        self.add(listed, int(place), self.known.number(key, name, lambda: facts))

    def listed(self) -> Listed | None:
        """Return all jobs. None if there are too many."""
        lists = [self._in_order(name) for name in LISTS]
        if not self.complete or not self.known.may_list(sum(len(numbers) for numbers, _ in lists)):
            return None
        (running, at), (pending, after) = lists
        numbers, places = running + pending, at + after
        names = [self.known.names[number] for number in numbers]
        if len(set(names)) == len(names):
            return Listed(Listing(self.known, numbers, places, len(running)), frozenset())
        repeated = _repeated(names)
        once = [at for at, name in enumerate(names) if name not in repeated]
        first = sum(at < len(running) for at in once)
        numbers, places = (array("I", [each[at] for at in once]) for each in (numbers, places))
        return Listed(Listing(self.known, numbers, places, first), repeated)

    def _in_order(self, name: str) -> tuple[array[int], array[int]]:
        numbers, places = self._lists.get(name, (array("I"), array("I")))
        if all(map(int.__lt__, places, islice(places, 1, None))):
            return numbers, places
        order = sorted(range(len(places)), key=places.__getitem__)
        return array("I", [numbers[at] for at in order]), array("I", [places[at] for at in order])


def _repeated(names: Sequence[str]) -> frozenset[str]:
    seen, repeated = set[str](), set[str]()
    for name in names:
        (repeated if name in seen else seen).add(name)
    return frozenset(repeated)


def _characters(facts: Facts) -> int:
    """Return the length of a ``create_time``."""
    time = None if facts.create_time is None else facts.create_time.value
    return 0 if time is None or (type(time) is int and abs(time) < 1 << 63) else len(repr(time))


NOTHING: Final = Listed(Listing(KnownJobs(), array("I"), array("I"), 0), frozenset())
"""No jobs."""
