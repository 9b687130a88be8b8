"""Send generated requests, first single ones and then sequences, and shrink those that break a clause.

Unlike in Hypothesis, a failure need not be reproducible: the smallest request that broke a clause is kept even if it
breaks the clause only sometimes, and the report says how often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

from conformance.exchange.model import Exchange
from conformance.exchange.transcript import NO_ANSWER, FamilyTally, Search, Smallest
from conformance.probe.asker import AGAIN, READ, Stopped
from conformance.probe.requests import Ask
from conformance.properties.model import Properties
from conformance.properties.names import SEQUENCES
from conformance.properties.requests import Generated, Parts, Prepared, Source, ask_of, written

BATCH: Final = 32
"""Number of requests that are sent at the same time, on several connections."""
SHRINKS: Final = 160
"""Maximum number of requests that are sent to find smaller ones."""
KEY: Final = b"comfy-queue-conformance"
"""The key of this suite's requests in the example database of Hypothesis."""
CONFIRMATIONS: Final = 5
"""How often the smallest request, and a normal GET in between, are sent again to see whether the failure is chance."""
CONFIRMED: Final = 12
"""Maximum number of failures that are confirmed. Some servers break everything."""

Send = Callable[[Sequence[Ask]], list[Exchange]]
"""Sends requests one after the other and returns their exchanges. Raises Stopped."""

Scatter = Callable[[Sequence[Ask]], list[list[Exchange]]]
"""Sends requests at the same time, in any order, and returns the exchanges of each request. Raises Stopped."""

BrokenBy = Callable[[Iterable[Exchange]], set[str]]
"""Returns the ids of the clauses that responses break."""


class Wire(NamedTuple):
    """Functions that send requests and check their responses."""

    send: Send
    scatter: Scatter
    broken_by: BrokenBy


def search(prepared: Prepared, wire: Wire, known: Collection[str], properties: Properties) -> Search:
    """Send generated requests, first single ones and then sequences, and return the clauses that they break.

    Clauses in ``known`` are ignored, because normal GETs already broke them. Never raises because of a response. The
    result is deterministic if the server is and the example database is empty.
    """
    hunt = _Hunt(prepared.source, wire, set(known), properties.number)
    examples = _database(properties)
    if examples is not None:
        hunt.remember(examples)
    hunt.scatter_all(prepared.singles)
    hunt.known |= {name for _, name in hunt.smallest}
    for sequence in prepared.sequences:
        hunt.follow(sequence)
    if examples is not None:
        for parts, _ in hunt.smallest.values():
            examples.save(KEY, written(parts))
    return hunt.result(properties.seed)


@dataclass
class _Hunt:
    source: Source
    wire: Wire
    known: set[str]
    """Ids of clauses to ignore, because normal GETs or earlier generated requests already broke them."""
    wanted: int
    examples: int = 0
    spare: int = SHRINKS
    """The number of requests that may still be sent to find smaller ones."""
    stopped: str | None = None
    sent: Counter[str] = field(default_factory=Counter)
    """The number of requests by family, without those sent to shrink or confirm others."""
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of requests that broke a clause, by family and clause."""
    smallest: dict[tuple[str, str], tuple[tuple[Parts, ...], list[Exchange]]] = field(default_factory=dict)
    """The smallest requests that broke a clause, with their exchanges, by family and clause."""
    before: dict[tuple[str, str], tuple[Parts, ...]] = field(default_factory=dict)
    """The requests that were sent just before the smallest ones, which may have caused the failure."""
    last: tuple[Parts, ...] = ()

    @property
    def over(self) -> bool:
        return self.stopped is not None or self.examples >= self.wanted

    def remember(self, examples: ExampleDatabase) -> None:
        """Send the stored requests that broke a clause in an earlier run, and delete those that no longer do."""
        for value in sorted(examples.fetch(KEY)):
            parts = self.source.read_back(value)
            if parts and not self.over and not self.follow(parts) and self.stopped is None:
                examples.delete(KEY, value)

    def scatter_all(self, requests: Iterable[Generated]) -> None:
        """Send single requests, and shrink each one that breaks a clause."""
        waiting = iter(requests)
        while not self.over and (batch := list(islice(waiting, min(BATCH, self.wanted - self.examples)))):
            scattered = self._scattered([ask_of(parts) for _, parts in batch])
            for (family, parts), exchanges in zip(batch, scattered, strict=False):
                self._count(family, 1)
                self._judge(family, (parts,), exchanges)

    def follow(self, parts: Sequence[Parts]) -> list[str]:
        """Send a sequence of requests, and shrink it if it breaks a clause. Returns the ids of these clauses."""
        whole = tuple(parts[: self.wanted - self.examples])
        exchanges = self._sent(whole)
        if self.stopped is not None or not whole:
            return []
        self._count(SEQUENCES, len(whole))
        return self._judge(SEQUENCES, whole, exchanges)

    def _count(self, family: str, number: int) -> None:
        self.examples += number
        self.sent[family] += number

    def _judge(self, family: str, parts: tuple[Parts, ...], exchanges: list[Exchange]) -> list[str]:
        names = self._note(family, parts, exchanges)
        self.times.update((family, name) for name in names)
        for name in names:
            if self.smallest[family, name][0] == parts:
                self._leave_out(family, name, parts)
        return names

    def _leave_out(self, family: str, name: str, parts: tuple[Parts, ...]) -> None:
        """Shrink a sequence: remove requests, then their parts, as long as the rest still breaks the clause."""
        for fewer in _smaller(parts):
            if self.spare < len(fewer):
                return
            self.spare -= len(fewer)
            if name in self._note(family, fewer, self._sent(fewer)):
                self._leave_out(family, name, fewer)
                return

    def _scattered(self, asks: Sequence[Ask]) -> list[list[Exchange]]:
        try:
            return self.wire.scatter(asks)
        except Stopped as stopped:
            self.stopped = str(stopped)
            return []

    def _note(self, family: str, parts: tuple[Parts, ...], exchanges: list[Exchange]) -> list[str]:
        names = sorted(self._broken(exchanges) - self.known)
        for name in names:
            place = family, name
            if place not in self.smallest or _size(parts) < _size(self.smallest[place][0]):
                self.smallest[place] = (parts, exchanges)
                self.before[place] = self.last
        self.last = parts[-1:]
        return names

    def result(self, seed: int) -> Search:
        """Send the smallest requests again, with normal GETs in between, and return all results."""
        places = sorted(self.smallest, key=lambda place: _size(self.smallest[place][0]))
        plain = self._again(lambda: self._send([READ])) if places else []
        confirmed = {
            place: self._confirmed(place, plain, again=index < CONFIRMED) for index, place in enumerate(places)
        }
        found: dict[str, Smallest] = {}
        for (_, name), smallest in confirmed.items():
            found.setdefault(name, smallest)  # the smallest of all families comes first
        names = [*(family.name for family in self.source.families), SEQUENCES]
        families = tuple(
            FamilyTally(
                family,
                self.sent[family],
                {name: smallest for (place, name), smallest in confirmed.items() if place == family},
                {name: times for (place, name), times in self.times.items() if place == family},
            )
            for family in names
        )
        return Search(
            seed,
            self.examples,
            self.wanted,
            found,
            self.stopped,
            self.source.label,
            families,
            self.source.sha256,
            self.source.schemathesis,
        )

    def _confirmed(self, place: tuple[str, str], plain: list[list[Exchange]], *, again: bool) -> Smallest:
        parts, exchanges = self.smallest[place]
        _, name = place
        sent = self._again(lambda: self._sent(parts)) if again else []
        if again and self.before[place] and not any(name in self._broken(each) for each in sent):
            with_before = self._again(lambda: self._sent((*self.before[place], *parts)))
            telling = [each for each in with_before if name in self._broken(each)]
            if telling:
                sent, exchanges = with_before, telling[0]
        return Smallest(
            tuple(exchange.id for exchange in exchanges if not exchange.request.purpose.endswith(AGAIN)),
            asked=len(sent),
            broken=sum(name in self._broken(each) for each in sent),
            plain_asked=len(plain),
            plain_broken=sum(name in self._broken(each) for each in plain),
        )

    def _again(self, send: Callable[[], list[Exchange]]) -> list[list[Exchange]]:
        return [sent for _ in range(CONFIRMATIONS) if (sent := send())]

    def _sent(self, parts: Iterable[Parts]) -> list[Exchange]:
        return self._send([ask_of(each) for each in parts])

    def _send(self, asks: Sequence[Ask]) -> list[Exchange]:
        if self.stopped is not None:
            return []
        try:
            return self.wire.send(asks)
        except Stopped as stopped:
            self.stopped = str(stopped)
            return []

    def _broken(self, exchanges: Sequence[Exchange]) -> set[str]:
        lost = any(exchange.problem is not None for exchange in exchanges)
        return self.wire.broken_by(exchanges) | ({NO_ANSWER} if lost else set())


def _smaller(parts: tuple[Parts, ...]) -> Iterator[tuple[Parts, ...]]:
    """Yield smaller versions of a sequence: without one request, then with half of a request's parts, or without one.

    Required parts stay.
    """
    if len(parts) > 1:
        yield from (parts[:index] + parts[index + 1 :] for index in range(len(parts)))
    for index, each in enumerate(parts):
        fixed = tuple(part for part in each if part.fixed)
        loose = tuple(part for part in each if not part.fixed)
        half = len(loose) // 2
        halves = [loose[:half], loose[half:]] if half > 1 else []
        for fewer in (*halves, *(loose[:place] + loose[place + 1 :] for place in range(len(loose)))):
            if fewer or len(parts) > 1:
                yield (*parts[:index], (*fixed, *fewer), *parts[index + 1 :])


def _size(parts: Sequence[Parts]) -> tuple[int, int, int]:
    """Return the size of a sequence for comparison: the number of requests, of their parts, and of characters."""
    every = [part for each in parts for part in each]
    return len(parts), len(every), sum(len(part.name) + len(part.value) for part in every)


def _database(properties: Properties) -> ExampleDatabase | None:
    if properties.kept_in is None:
        return None
    here = DirectoryBasedExampleDatabase(properties.kept_in)
    if not properties.example_database.startswith("github:"):
        return here
    owner, _, repository = properties.example_database.removeprefix("github:").partition("/")
    return MultiplexedDatabase(here, ReadOnlyDatabase(GitHubArtifactDatabase(owner, repository)))
