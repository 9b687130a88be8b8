"""Send generated requests, first single ones and then sequences. Reduce those that break a clause to smaller ones.

Unlike in Hypothesis, a failure need not be reproducible: the smallest request that broke a clause is kept even if it
breaks the clause only sometimes, and the report says how often.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final, NamedTuple

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

from conformance.contract.expected_status import OF_STATUS, STEADY
from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange
from conformance.exchange.transcript import NO_ANSWER, FamilyTally, Search, Smallest
from conformance.judge.judge import Bench, demand_of
from conformance.probe.asker import AGAIN, READ, Asker, Sent
from conformance.probe.requests import Ask
from conformance.properties.generation import Properties
from conformance.properties.judging_time import PLAIN, TimedBench, up_to
from conformance.properties.names import SEQUENCES
from conformance.properties.request_source import Generated, Parts, Prepared, RequestSource, ask_of, in_words, written
from conformance.spec.schemas import Schemas

BATCH: Final = 32
"""Number of requests that are sent at the same time, on several connections."""
SHRINKS: Final = 160
"""Maximum number of requests that are sent to reduce failing requests to smaller ones."""
KEY: Final = b"comfy-queue-conformance"
"""The key of this suite's requests in the example database of Hypothesis."""
CONFIRMATIONS: Final = 5
"""How often a failing request is sent again to see whether the failure was chance. Normal GETs are sent as often
before.
"""
CONFIRMED: Final = 12
"""Maximum number of failures that are confirmed. Some servers break everything."""

Send = Callable[[Sequence[Ask]], Sent]
"""A function that sends requests. It returns the exchanges of each request, and why it stopped early, or None."""

BrokenBy = Callable[[Iterable[Exchange]], set[str]]
"""A function that returns the ids of the clauses that responses break."""


class Senders(NamedTuple):
    """Functions that send requests: in turn (``send``), and at the same time (``scatter``)."""

    send: Send
    """Sends requests in turn."""
    scatter: Send
    """Sends requests at the same time, in any order."""


def search_after(  # noqa: PLR0913 - what a search depends on
    ledger: Sequence[Exchange],
    prepared: Prepared,
    wire: Senders,
    properties: Properties,
    *,
    dialect: Dialect,
    schemas: Schemas | None = None,
    asker: Asker | None = None,
) -> Search:
    """Send generated requests, and find the clauses that their responses break but those to normal GETs do not.

    ``ledger`` has the requests that were sent before. With an ``asker``, the search ends early enough for all responses
    to be judged within the time of the run.
    """
    late = (lambda: False) if asker is None else lambda: asker.seconds <= 0
    clock = time.monotonic if asker is None else asker.client.monotonic
    timed = TimedBench(Bench(demand_of(ledger, dialect, schemas), late), ledger, clock)
    if asker is not None:
        asker.reserve(timed.seconds_for_all)
    known = timed.broken_by(up_to(PLAIN, (exchange for exchange in ledger if exchange.request.usual)))
    return search(prepared, wire, timed.broken_by, known, properties)


def search(
    prepared: Prepared, wire: Senders, broken_by: BrokenBy, known: Collection[str], properties: Properties
) -> Search:
    """Send generated requests, first single ones and then sequences, and return the clauses that they break.

    Clauses in ``known`` are ignored, because normal GETs already broke them. Never raises because of a response. The
    result is deterministic if the server is and the example database is empty.
    """
    hunt = _Hunt(prepared.source, wire, broken_by, set(known), properties.wanted)
    examples = _database(properties)
    if examples is not None:
        hunt.remember(examples)
    hunt.scatter_all(prepared.singles)
    hunt.known |= {name for _, name in hunt.smallest}
    for sequence in prepared.sequences:
        hunt.follow(sequence)
    if examples is not None:
        for breach in hunt.smallest.values():
            examples.save(KEY, written(breach.parts))
    return hunt.result(properties.seed)


class _BreakingRequests(NamedTuple):
    """Requests that broke a clause, with their exchanges. The request ``before`` them may have caused the failure."""

    parts: tuple[Parts, ...]
    exchanges: list[Exchange]
    before: tuple[Parts, ...] = ()

    @property
    def size(self) -> tuple[int, int, int]:
        """The size of the requests: their number, the number of their parts, and the length of the parts."""
        every = [part for each in self.parts for part in each]
        return len(self.parts), len(every), sum(len(part.name) + len(part.value) for part in every)


@dataclass
class _Hunt:
    source: RequestSource
    wire: Senders
    broken_by: BrokenBy
    known: set[str]
    """Ids of clauses to ignore, because normal GETs or earlier generated requests already broke them."""
    wanted: int
    examples: int = 0
    spare: int = SHRINKS
    """The number of requests that may still be sent to reduce failing requests."""
    stopped: str | None = None
    sent: Counter[str] = field(default_factory=Counter)
    """The number of requests by family, without those that were sent to reduce or confirm a failing one."""
    times: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The number of requests that broke a clause, by family and clause."""
    smallest: dict[tuple[str, str], _BreakingRequests] = field(default_factory=dict)
    """The smallest requests that broke a clause, by family and clause."""
    last: tuple[Parts, ...] = ()
    tried: set[Parts] = field(default_factory=set)
    """The single requests that were sent."""

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
        """Send single requests, and reduce each one that breaks a clause to a smaller one."""
        waiting = iter(requests)
        while not self.over and (batch := list(islice(waiting, min(BATCH, self.wanted - self.examples)))):
            found = self._asked(self.wire.scatter, [parts for _, parts in batch])
            for (family, parts), exchanges in zip(batch, found, strict=True):
                if exchanges:
                    self.tried.add(parts)
                    self._count(family, 1)
                    self._judge(family, (parts,), exchanges)

    def follow(self, parts: Sequence[Parts]) -> list[str]:
        """Send a sequence of requests. If it breaks clauses, reduce it to a smaller one.

        Returns the ids of these clauses.
        """
        asked = tuple(parts[: self.wanted - self.examples])
        found = [exchanges for exchanges in self._asked(self.wire.send, asked) if exchanges]
        self._count(SEQUENCES, len(found))
        return self._judge(SEQUENCES, asked[: len(found)], list(chain.from_iterable(found))) if found else []

    def _count(self, family: str, number: int) -> None:
        self.examples += number
        self.sent[family] += number

    def _judge(self, family: str, parts: tuple[Parts, ...], exchanges: list[Exchange]) -> list[str]:
        """Record the clauses that these requests break, each with the smallest requests that break it.

        Returns their ids.
        """
        before, self.last = self.last, parts[-1:]
        names = []
        for name in sorted(self._broken(exchanges) - self.known):
            covers = self._covering(parts) if name == STEADY else None
            if covers is None:
                covers = self._shrunk(family, name, _BreakingRequests(parts, exchanges, before))
            if covers not in self.known:
                names.append(covers)
        names = list(dict.fromkeys(names))
        self.times.update((family, name) for name in names)
        return names

    def _covering(self, parts: tuple[Parts, ...]) -> str | None:
        """Return the id of the clause that explains an unexpected status of these requests, or None.

        It is a clause about the status that an earlier request broke, if one of these requests has all parts of that
        one. ``status.steady`` never counts as an explanation.
        """
        there = [{part[:2] for part in each} for each in parts]
        for (_, name), breach in self.smallest.items():
            if name in OF_STATUS - {STEADY} and len(breach.parts) == 1:
                needed = {part[:2] for part in breach.parts[0]}
                if any(needed <= each for each in there):
                    return name
        return None

    def _shrunk(self, family: str, name: str, breach: _BreakingRequests) -> str:
        """Reduce requests to the smallest that break a clause, unless smaller ones are known.

        Returns the clause that they break. That may be another clause than ``name``, because what is unusual about a
        request decides which clause it breaks.
        """
        if self._is_new(family, name, breach):
            name, breach = self._without_parts(family, name, breach)
            if name not in self.known and self._is_new(family, name, breach):
                self.smallest[family, name] = breach
        return name

    def _is_new(self, family: str, name: str, breach: _BreakingRequests) -> bool:
        known = self.smallest.get((family, name))
        return known is None or breach.size < known.size

    def _without_parts(self, family: str, name: str, breach: _BreakingRequests) -> tuple[str, _BreakingRequests]:
        """Make a sequence smaller: remove requests, then their parts, as long as the rest still breaks the clause."""
        for fewer in _smaller(breach.parts):
            if self.spare < len(fewer):
                break
            self.spare -= len(fewer)
            smaller = _BreakingRequests(fewer, self._sent(fewer), self.last)
            self.last = fewer[-1:]
            broken = self._broken(smaller.exchanges)
            for other in broken - self.known - OF_STATUS - {name}:
                if self._is_new(family, other, smaller):
                    self.smallest[family, other] = smaller
            instead = sorted(broken & OF_STATUS) if name in OF_STATUS else []
            if name in broken or instead:
                return self._without_parts(family, name if name in broken else instead[0], smaller)
        return name, breach

    def result(self, seed: int) -> Search:
        """Send normal GETs, repeat the smallest requests that broke a clause, and return all results."""
        places = sorted(self.smallest, key=lambda place: self.smallest[place].size)
        plain = self._again(self._plain) if places else []
        outcomes = {place: self._confirmed(place, plain, again=index < CONFIRMED) for index, place in enumerate(places)}
        found: dict[str, Smallest] = {}
        for (_, name), smallest in outcomes.items():
            found.setdefault(name, smallest)  # the smallest of all families comes first
        names = [*(family.name for family in self.source.families), SEQUENCES]
        families = tuple(
            FamilyTally(
                family,
                self.sent[family],
                {name: smallest for (place, name), smallest in outcomes.items() if place == family},
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
            tuple(in_words(each.parts) for each in self.source.declared if each.parts not in self.tried),
        )

    def _confirmed(self, place: tuple[str, str], plain: list[list[Exchange]], *, again: bool) -> Smallest:
        parts, exchanges, before = self.smallest[place]
        _, name = place
        sent = self._again(lambda: self._sent(parts)) if again else []
        if again and before and not any(name in self._broken(each) for each in sent):
            with_before = self._again(lambda: self._sent((*before, *parts)))
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
        """Send requests in turn, and return their exchanges. Returns an empty list if one of them could not be sent."""
        found = self._asked(self.wire.send, parts)
        return list(chain.from_iterable(found)) if all(found) else []

    def _plain(self) -> list[Exchange]:
        return [] if self.stopped is not None else list(chain.from_iterable(self._taken(self.wire.send([READ]))))

    def _asked(self, send: Send, parts: Iterable[Parts]) -> list[list[Exchange]]:
        return [] if self.stopped is not None else self._taken(send([ask_of(each) for each in parts]))

    def _taken(self, sent: Sent) -> list[list[Exchange]]:
        self.stopped = sent.stopped
        return sent.exchanges

    def _broken(self, exchanges: Sequence[Exchange]) -> set[str]:
        lost = any(exchange.problem is not None for exchange in exchanges)
        return self.broken_by(exchanges) | ({NO_ANSWER} if lost else set())


def _smaller(parts: tuple[Parts, ...]) -> Iterator[tuple[Parts, ...]]:
    """Yield smaller versions of a sequence: first without one of the requests, then without some parts of one request.

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


def _database(properties: Properties) -> ExampleDatabase | None:
    if properties.kept_in is None:
        return None
    here = DirectoryBasedExampleDatabase(properties.kept_in)
    if not properties.example_database.startswith("github:"):
        return here
    owner, _, repository = properties.example_database.removeprefix("github:").partition("/")
    return MultiplexedDatabase(here, ReadOnlyDatabase(GitHubArtifactDatabase(owner, repository)))
