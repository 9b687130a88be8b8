"""The search: each odd request by itself, then sequences that Hypothesis draws, and shrinks where they break a clause.

What was seen decides, not what Hypothesis can make happen again: the smallest sequence that broke a clause is
kept also where it does not break it every time, and then says how often it does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from unittest import SkipTest

import hypothesis
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)
from hypothesis.errors import HypothesisException

from conformance.exchange import Exchange
from conformance.probe.client import Ask
from conformance.probe.plan import READ, Stopped
from conformance.properties.outcome import NO_ANSWER, Search, Smallest
from conformance.properties.requests import sequences, sweep
from conformance.settings import Properties

SHRINKS: Final = 80
"""Requests that are spent on making one breach small: most of what can be gained is gained by the first ones."""
CONFIRMATIONS: Final = 5
"""Times that the smallest sequence, and a plain read beside it, are asked again: cause or chance?"""

Send = Callable[[Sequence[Ask]], list[Exchange]]
"""Asks one after the other and returns what was answered. Raises Stopped."""

BrokenBy = Callable[[Iterable[Exchange]], set[str]]
"""Names the clauses that answers break."""


def search(send: Send, broken_by: BrokenBy, known: Collection[str], properties: Properties) -> Search:
    """Look for clauses beyond ``known`` that generated requests break.

    Never raises for anything that a server sent. Deterministic by the seed, as long as the server answers alike
    and the database holds no example from before.
    """
    hunt = _Hunt(send, broken_by, set(known), properties.max_examples)
    examples = _database(properties.example_database)
    seed = properties.seed
    if examples is not None:
        _let_hypothesis_draw(hunt, seed, _LastNight(examples, hunt))
    for ask in sweep(seed):
        if not hunt.over:
            hunt.look([ask])
    tonight = None if examples is None else _Tonight(examples)
    while not hunt.over:
        _let_hypothesis_draw(hunt, seed, tonight, hypothesis.Phase.generate)
        seed += 1
    return Search(properties.seed, hunt.examples, hunt.wanted, hunt.confirmed(), hunt.stopped)


class Breach(Exception):
    """An answer broke a clause. Each clause has a type of its own, by which Hypothesis tells breaches apart."""


@cache
def _breach_of(clause: str) -> type[Breach]:
    return type(clause or "no answer", (Breach,), {})


@dataclass
class _Hunt:
    send: Send
    broken_by: BrokenBy
    known: set[str]
    """Clauses that are not looked for: the plain reads showed them, or a sequence of Hypothesis did already."""
    wanted: int
    examples: int = 0
    shrinks: int | None = None
    """Requests that may still be spent on the breach that was found; None as long as none was."""
    stopped: str | None = None
    smallest: dict[str, tuple[list[Ask], list[Exchange]]] = field(default_factory=dict)
    before: dict[str, list[Ask]] = field(default_factory=dict)
    """What was asked just before those: it may be what made the difference."""
    last: list[Ask] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.stopped is not None or self.examples >= self.wanted

    def example(self, asks: list[Ask]) -> None:
        """Ask a sequence, while there is leave to; raise Breach where it breaks a clause that is looked for."""
        if self.stopped is not None or (self.over if self.shrinks is None else self.shrinks < len(asks)):
            return
        names = self.look(asks)
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
        exchanges = self._sent(asks)
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
        first_asked = {exchange.request.same: exchange.id for exchange in reversed(exchanges)}
        return Smallest(
            tuple(exchange.id for exchange in exchanges if exchange.id in first_asked.values()),
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


def _let_hypothesis_draw(hunt: _Hunt, seed: int, database: ExampleDatabase | None, *phases: hypothesis.Phase) -> None:
    """Draw until there were enough, or until a breach was found and made small."""

    @hypothesis.settings(
        max_examples=hunt.wanted, database=database, deadline=None, print_blob=False,
        phases=[hypothesis.Phase.reuse, hypothesis.Phase.shrink, *phases],
        suppress_health_check=list(hypothesis.HealthCheck), verbosity=hypothesis.Verbosity.quiet,
    )  # fmt: skip
    @hypothesis.seed(seed)  # below the settings: it would take the database out of them
    @hypothesis.given(sequences())
    def every_answer_keeps_every_clause(asks: list[Ask]) -> None:
        hunt.example(asks)

    try:
        every_answer_keeps_every_clause()
    except (Breach, HypothesisException, SkipTest):  # skipped: the database held no example
        pass
    except ExceptionGroup as group:
        foreign = group.split((Breach, HypothesisException))[1]
        if foreign is not None:
            raise foreign from None
    hunt.settle()


class _Tonight(ExampleDatabase):
    """Keeps what is found, and knows nothing of what was found before."""

    def __init__(self, examples: ExampleDatabase) -> None:
        super().__init__()
        self._examples = examples

    def save(self, key: bytes, value: bytes) -> None:
        """Keep an example."""
        self._examples.save(key, value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return nothing."""
        del key
        return ()

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget nothing: an example that breaks a clause which is known by now would count as mended."""


class _LastNight(_Tonight):
    """Brings what was found before, and forgets what was asked again and broke nothing."""

    def __init__(self, examples: ExampleDatabase, hunt: _Hunt) -> None:
        super().__init__(examples)
        self._hunt = hunt

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the examples of before."""
        return self._examples.fetch(key)

    def delete(self, key: bytes, value: bytes) -> None:
        """Forget an example, if there was leave to ask it."""
        if not self._hunt.over:
            self._examples.delete(key, value)


def _database(named: str) -> ExampleDatabase | None:
    if named == "none":
        return None
    if not named.startswith("github:"):
        return DirectoryBasedExampleDatabase(Path(named))
    owner, _, repository = named.removeprefix("github:").partition("/")
    here = DirectoryBasedExampleDatabase(Path(Properties.example_database))
    return MultiplexedDatabase(here, ReadOnlyDatabase(GitHubArtifactDatabase(owner, repository)))
