"""The jobs in the queue responses of a run. Each distinct job is stored once, with a number.

Each response is stored as the list of the numbers of its jobs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from conformance.contract.reading.memory import DigestCache, Facts, Observation
from conformance.contract.terms import Dialect

LISTS: Final = ("queue_running", "queue_pending")
DISTINCT: Final = 100_000
"""Maximum number of distinct jobs of a run that are compared from response to response. Each needs about a kilobyte."""
LISTED: Final = 5_000_000
"""Maximum number of jobs in all compared responses of a run together, also repeated ones. Each needs 8 bytes."""
LONG: Final = 256
"""A job whose id or ``create_time`` has more characters than this counts as several jobs."""
RECENT: Final = 3
"""Number of responses whose index by id is kept in memory. A clause compares at most three."""
BOUNDS: Final = f"more than {DISTINCT:,} different jobs, or more than {LISTED:,} jobs in all"


class KnownJobs:
    """The distinct jobs in all queue responses of a run.

    If ``shared`` is False, the jobs are those of a single response, and equal jobs are not looked for. ``distinct`` and
    ``listed`` limit the number of jobs.
    """

    def __init__(self, *, shared: bool = True, distinct: int = DISTINCT, listed: int = LISTED) -> None:
        self.shared = shared
        self.names: list[str] = []
        self.facts: list[Facts] = []
        self._room, self._listed = distinct, listed
        self._numbers: dict[bytes, int] = {}
        self._proven: dict[bytes, Any] = {}
        self.windows: list[tuple[object, Any]] = []
        """The pieces of large bodies that were last read again, with the texts of their jobs."""
        self._indexes: dict[int, tuple[Listing, Mapping[str, int]]] = {}

    def may_list(self, jobs: int) -> bool:
        """Whether a response with this many jobs is within the limit. If it is, its jobs count towards the limit."""
        fits = jobs <= self._listed
        self._listed -= jobs if fits else 0
        return fits

    def proven(self, key: bytes) -> Any:
        """Return the stored result for a job whose text has this digest, or None if none is stored."""
        return self._proven.get(key)

    def keep_proven(self, key: bytes, inspection: Any) -> None:
        """Store the result for a job that the fast path verified, unless too many are stored already."""
        if len(self._proven) < DISTINCT:
            self._proven[key] = inspection

    def number(self, key: bytes, name: str, make: Callable[[], Facts]) -> int | None:
        """Return the number of the job with the digest ``key``, and store the job if it is new.

        None if there are too many.
        """
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
        """Return, by id, the positions of the jobs in a listing."""
        found = self._indexes.pop(id(listing), None)
        if found is None:
            found = listing, {name: at for at, name in enumerate(listing)}
        self._indexes[id(listing)] = found
        if len(self._indexes) > RECENT:
            del self._indexes[next(iter(self._indexes))]
        return found[1]


class Shared(NamedTuple):
    """What the parsed bodies of a run share.

    ``pulse`` is called from time to time while a large body is read, and may raise to end the reading.
    """

    known: KnownJobs | None = None
    pulse: Callable[[], None] = lambda: None


ALONE: Final = Shared()
"""For a body that is not compared with others."""


class Listing(Mapping[str, Observation]):
    """The jobs of a response by id, running before pending, in the order of the lists.

    Ids listed twice are left out.
    """

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
        """The ids of the jobs, each with the data that must be the same in every response."""
        return zip(self, map(self._known.facts.__getitem__, self._numbers), strict=True)

    def shares_jobs(self, other: Listing) -> bool:
        """Whether at least one job is in both listings."""
        return not self.index.keys().isdisjoint(other)

    def changed_since(self, before: Listing) -> list[str]:
        """Return the ids of the jobs that are also in an earlier listing, and whose data may have changed since."""
        then = dict(before.facts)
        return [name for name, facts in self.facts if then.get(name, facts) is not facts]


class Summary(NamedTuple):
    """The facts about a body that are kept when its parsed value is dropped.

    ``lists`` names the lists that are not empty, and ``absent`` those that are missing in the object. ``observations``
    has the jobs, without those whose id is listed more than once (``repeated``). ``order`` is the order of elements in
    the first job that shows one, and the JSON Pointer of that job.
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
    compared: bool
    """Whether ``observations`` is complete. It is empty if the body has too many jobs."""
    unread: str | None = None
    """In words, which jobs or parts of jobs no clause checked. None if all were checked."""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all jobs."""
        return self.repeated.union(self.observations)

    def settle(self, known: DigestCache) -> None:
        """Replace texts of jobs by digests, so that the body can be freed."""
        for _, facts in self.observations.facts:
            facts.settle(known)


class ComparableJobs(NamedTuple):
    """The jobs of a response that are compared with other responses, and the ids that are listed more than once."""

    once: Listing
    repeated: frozenset[str]


class Roll:
    """Collects the jobs of one response. ``complete`` is False if there are too many."""

    def __init__(self, known: KnownJobs) -> None:
        self.known = known
        self.complete = True
        self._lists: dict[str, tuple[array[int], array[int]]] = {}

    def drop(self, name: str) -> None:
        """Forget the jobs of a list, because the body has another member with the same name."""
        self._lists.pop(name, None)

    def add(self, name: str, place: int, number: int | None) -> None:
        """Add a job by its number. ``place`` is its index in the list ``name``.

        Without a number there are too many jobs.
        """
        if number is None:
            self.complete = False
            return
        numbers, places = self._lists.setdefault(name, (array("I"), array("I")))
        numbers.append(number)
        places.append(place)

    def note(self, name: str, observation: Observation) -> None:
        """Add a job by the data that is compared. ``name`` is its prompt id."""
        facts = observation.facts
        key = facts.key_of(name) if self.known.shared else b""
        _, listed, place = observation.pointer.split("/")
        self.add(listed, int(place), self.known.number(key, name, lambda: facts))

    def listed(self) -> ComparableJobs | None:
        """Return all collected jobs. None if there are too many."""
        lists = [self._in_order(name) for name in LISTS]
        if not self.complete or not self.known.may_list(sum(len(numbers) for numbers, _ in lists)):
            return None
        (running, at), (pending, after) = lists
        numbers, places = running + pending, at + after
        names = [self.known.names[number] for number in numbers]
        if len(set(names)) == len(names):
            return ComparableJobs(Listing(self.known, numbers, places, len(running)), frozenset())
        repeated = _repeated(names)
        once = [at for at, name in enumerate(names) if name not in repeated]
        first = sum(at < len(running) for at in once)
        numbers, places = (array("I", [each[at] for at in once]) for each in (numbers, places))
        return ComparableJobs(Listing(self.known, numbers, places, first), repeated)

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
    return 0 if facts.create_time is None else len(repr(facts.create_time.value))


NOTHING: Final = ComparableJobs(Listing(KnownJobs(), array("I"), array("I"), 0), frozenset())
"""No jobs."""
