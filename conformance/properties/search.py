"""The search: each odd request by itself, then sequences that Hypothesis draws, and shrinks where they break a clause.

What was seen decides, not what Hypothesis can make happen again: the smallest sequence that broke a clause is
kept also where it does not break it every time, and then says how often it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Final

import hypothesis
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)
from hypothesis.errors import HypothesisException

from conformance.exchange.model import Exchange
from conformance.exchange.transcript import NO_ANSWER, Search, Smallest
from conformance.probe.client import Ask
from conformance.probe.plan import AGAIN, READ, Stopped
from conformance.properties.model import Properties
from conformance.properties.requests import Parts, ask_of, read_back, scattered, sequences, written

SCATTERED: Final = 0.85
"""The part of the requests that are asked by themselves; the others come in sequences."""
BATCH: Final = 32
"""Requests that are asked at once, as far as connections allow."""
SHRINKS: Final = 160
"""Requests that are spent on making one breach small: most of what can be gained is gained by the first ones."""
KEY: Final = b"comfy-queue-conformance"
"""Under which sequences stand in the example database."""
CONFIRMATIONS: Final = 5
"""Times that the smallest sequence, and a plain read beside it, are asked again: cause or chance?"""

Send = Callable[[Sequence[Ask]], list[Exchange]]
"""Asks one after the other and returns what was answered. Raises Stopped."""

Scatter = Callable[[Sequence[Ask]], list[list[Exchange]]]
"""Asks in any order and returns what each request brought. Raises Stopped."""

BrokenBy = Callable[[Iterable[Exchange]], set[str]]
"""Names the clauses that answers break."""


def search(send: Send, scatter: Scatter, broken_by: BrokenBy, known: Collection[str], properties: Properties) -> Search:
    """Look for clauses beyond ``known`` that generated requests break.

    Never raises for anything that a server sent. Deterministic by the seed, as long as the server answers alike
    and the database holds no example from before.
    """
    hunt = _Hunt(send, scatter, broken_by, set(known), properties.max_examples)
    examples = _database(properties)
    if examples is not None:
        hunt.remember(examples)
    hunt.scatter_all(islice(scattered(properties.seed), int(SCATTERED * hunt.wanted)))
    seed = properties.seed
    while not hunt.over:
        _let_hypothesis_draw(hunt, seed)
        seed += 1
    if examples is not None:
        for asks, _ in hunt.smallest.values():
            examples.save(KEY, written(asks))
    return Search(properties.seed, hunt.examples, hunt.wanted, hunt.confirmed(), hunt.stopped)


class Breach(Exception):
    """An answer broke a clause. Each clause has a type of its own, by which Hypothesis tells breaches apart."""


class Enough(BaseException):
    """Nothing more is to be asked. Not an Exception: Hypothesis would take it for a breach."""


@cache
def _breach_of(clause: str) -> type[Breach]:
    return type(clause or "no answer", (Breach,), {})


@dataclass
class _Hunt:
    send: Send
    scatter: Scatter
    broken_by: BrokenBy
    known: set[str]
    """Clauses that are not looked for: the plain reads showed them, or a sequence of Hypothesis did already."""
    wanted: int
    examples: int = 0
    shrinks: int | None = None
    """Requests that may still be spent on the breach that was found; None as long as none was."""
    stopped: str | None = None
    mistake: Exception | None = None
    """What went wrong on our side: not to be taken for a breach."""
    smallest: dict[str, tuple[list[Ask], list[Exchange]]] = field(default_factory=dict)
    before: dict[str, list[Ask]] = field(default_factory=dict)
    """What was asked just before those: it may be what made the difference."""
    last: list[Ask] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.stopped is not None or self.examples >= self.wanted

    def remember(self, examples: ExampleDatabase) -> None:
        """Ask what broke something last time; forget what breaks nothing any more."""
        for value in sorted(examples.fetch(KEY)):
            asks = read_back(value)
            if asks and not self.over and not self.look(asks) and self.stopped is None:
                examples.delete(KEY, value)

    def scatter_all(self, requests: Iterable[Parts]) -> None:
        """Ask many single requests; where one breaks a clause that is looked for, leave out what it does not need."""
        waiting = iter(requests)
        while not self.over and (batch := list(islice(waiting, min(BATCH, self.wanted - self.examples)))):
            asks = [ask_of(parts) for parts in batch]
            self.examples += len(asks)
            for parts, ask, exchanges in zip(batch, asks, self._scattered(asks), strict=False):
                for name in self._note([ask], exchanges):
                    if self.smallest[name][0] == [ask]:
                        self._leave_out(name, parts)
        self.known |= self.smallest.keys()

    def _leave_out(self, name: str, parts: Parts) -> None:
        for index in range(len(parts)):
            fewer = parts[:index] + parts[index + 1 :]
            ask = ask_of(fewer)
            if fewer and name in self._note([ask], self._sent([ask])):
                self._leave_out(name, fewer)
                return

    def _scattered(self, asks: Sequence[Ask]) -> list[list[Exchange]]:
        try:
            return self.scatter(asks)
        except Stopped as stopped:
            self.stopped = str(stopped)
            return []

    def example(self, asks: list[Ask]) -> None:
        """Ask a sequence; raise Breach where it breaks a clause that is looked for, Enough without leave to ask."""
        if self.stopped is not None or (self.over if self.shrinks is None else self.shrinks <= 0):
            raise Enough
        try:
            names = self.look(asks)
        except Exception as error:
            self.mistake = error
            raise Enough from error
        if names:
            self.shrinks = SHRINKS if self.shrinks is None else self.shrinks
            raise _breach_of(names[0])

    def look(self, asks: list[Ask]) -> list[str]:
        """Ask a sequence; name the clauses looked for that it breaks, and keep it where it is the smallest so far."""
        if self.shrinks is None:
            asks = asks[: self.wanted - self.examples]
            self.examples += len(asks)
        else:
            self.shrinks -= len(asks)
        return self._note(asks, self._sent(asks))

    def _note(self, asks: list[Ask], exchanges: list[Exchange]) -> list[str]:
        names = sorted(self._broken(exchanges) - self.known)
        for name in names:
            if name not in self.smallest or _size(asks) < _size(self.smallest[name][0]):
                self.smallest[name] = (asks, exchanges)
                self.before[name] = self.last
        self.last = asks[-1:]
        return names

    def settle(self) -> None:
        """Be done with the breach that was found and made small: from now on, look for others."""
        if self.shrinks is not None:
            self.known |= self.smallest.keys()
            self.shrinks = None

    def confirmed(self) -> dict[str, Smallest]:
        """Ask the smallest sequences again, and plain reads beside them."""
        return {name: self._confirmed(name, *smallest) for name, smallest in self.smallest.items()}

    def _confirmed(self, name: str, asks: list[Ask], exchanges: list[Exchange]) -> Smallest:
        again = self._again(asks)
        if self.before[name] and not any(name in self._broken(sent) for sent in again):
            with_before = self._again([*self.before[name], *asks])
            telling = [sent for sent in with_before if name in self._broken(sent)]
            if telling:
                again, exchanges = with_before, telling[0]
        plain = self._again([READ])
        return Smallest(
            tuple(exchange.id for exchange in exchanges if not exchange.request.purpose.endswith(AGAIN)),
            asked=len(again), broken=sum(name in self._broken(sent) for sent in again),
            plain_asked=len(plain), plain_broken=sum(name in self._broken(sent) for sent in plain),
        )  # fmt: skip

    def _again(self, asks: Sequence[Ask]) -> list[list[Exchange]]:
        return [sent for _ in range(CONFIRMATIONS) if (sent := self._sent(asks))]

    def _sent(self, asks: Sequence[Ask]) -> list[Exchange]:
        if self.stopped is not None:
            return []
        try:
            return self.send(asks)
        except Stopped as stopped:
            self.stopped = str(stopped)
            return []

    def _broken(self, exchanges: Sequence[Exchange]) -> set[str]:
        lost = any(exchange.problem is not None for exchange in exchanges)
        return self.broken_by(exchanges) | ({NO_ANSWER} if lost else set())


def _size(asks: Sequence[Ask]) -> tuple[int, int, int]:
    """Measure a sequence: requests, then parts of them, then characters."""
    parts = [part for ask in asks for part in (*ask.headers, *((ask.query, "") for _ in ask.query.split("&") if _))]
    return len(asks), len(parts), sum(len(name) + len(value or "") for name, value in parts)


def _let_hypothesis_draw(hunt: _Hunt, seed: int) -> None:
    """Draw until there were enough, or until a breach was found and made small."""

    @hypothesis.settings(
        max_examples=hunt.wanted, database=None, deadline=None, print_blob=False,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        suppress_health_check=list(hypothesis.HealthCheck), verbosity=hypothesis.Verbosity.quiet,
    )  # fmt: skip
    @hypothesis.seed(seed)
    @hypothesis.given(sequences())
    def every_answer_keeps_every_clause(asks: list[Ask]) -> None:
        hunt.example(asks)

    with suppress(Breach, Enough, ExceptionGroup, HypothesisException):
        every_answer_keeps_every_clause()
    if hunt.mistake is not None:
        raise hunt.mistake
    hunt.settle()


def _database(properties: Properties) -> ExampleDatabase | None:
    if properties.kept_in is None:
        return None
    here = DirectoryBasedExampleDatabase(properties.kept_in)
    if not properties.example_database.startswith("github:"):
        return here
    owner, _, repository = properties.example_database.removeprefix("github:").partition("/")
    return MultiplexedDatabase(here, ReadOnlyDatabase(GitHubArtifactDatabase(owner, repository)))
