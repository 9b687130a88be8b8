"""What the endpoints of a fleet have in common, counted line by line: memory does not grow with their number. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, get_args

from conformance.fleet.model import BreachKind, EndpointResult, Footer
from conformance.history.overview import WORST_FIRST, Outcome
from conformance.judge.report import Status

EXAMPLES: Final = 5
"""Endpoints that a group names."""
SLOWEST: Final = 10
MOST_GROUPS: Final = 2000
"""Groups that are told apart; what comes later is counted as one."""


@dataclass
class Group:
    """Endpoints that have the same in common. ``names`` are the first of them."""

    number: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count an endpoint."""
        self.number += 1
        if self.number <= EXAMPLES:
            self.names.append(name)


@dataclass
class ClauseGroup(Group):
    """Endpoints that break a clause."""

    title: str = ""
    status: Status = Status.FAIL


class FleetTally:
    """Counts the endpoints of a fleet."""

    def __init__(self, results: Iterable[EndpointResult] = ()) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.exits: Counter[int] = Counter()
        self.workers: Counter[str] = Counter()
        self.requests = 0
        self.received = 0
        self.clauses: dict[str, ClauseGroup] = {}
        self.breaches: dict[tuple[BreachKind, ...], Group] = {}
        self.rarer = Group()
        self.unreached: dict[str, Group] = {}
        self._slowest: list[tuple[float, int, EndpointResult]] = []
        for result in results:
            self.add(result)

    def add(self, result: EndpointResult) -> None:
        """Count an endpoint."""
        self.outcomes[result.outcome] += 1
        self.exits[result.exit] += 1
        self.workers[result.worker] += 1
        self.requests += result.requests
        self.received += result.received
        for broken in result.broken:
            self.clauses.setdefault(broken.id, ClauseGroup(title=broken.title, status=broken.status)).add(result.name)
        if result.breaches:
            known = result.breaches in self.breaches or len(self.breaches) < MOST_GROUPS
            (self.breaches.setdefault(result.breaches, Group()) if known else self.rarer).add(result.name)
        if result.unreached is not None:
            known = result.unreached in self.unreached or len(self.unreached) < MOST_GROUPS
            (self.unreached.setdefault(result.unreached, Group()) if known else self.rarer).add(result.name)
        if result.p95 is not None:
            entry = (result.p95, -self.total, result)
            (heapq.heappush if len(self._slowest) < SLOWEST else heapq.heappushpop)(self._slowest, entry)

    @property
    def total(self) -> int:
        """Return how many endpoints there are."""
        return self.outcomes.total()

    @property
    def exit(self) -> int:
        """Return the exit status of the whole: the first of WORST_FIRST that any endpoint has."""
        return next((status for status in WORST_FIRST if self.exits[status]), 0)

    @property
    def outcome(self) -> Outcome:
        """Return the worst outcome of any endpoint."""
        return next(outcome for outcome in get_args(Outcome) if self.outcomes[outcome] or outcome == "conformant")

    def groups(self) -> list[tuple[tuple[BreachKind, ...], Group]]:
        """Return the kinds of failure that endpoints share, those of the most endpoints first."""
        return sorted(self.breaches.items(), key=lambda each: -each[1].number)

    def slowest(self) -> list[EndpointResult]:
        """Return the endpoints whose answers took longest, by the 95th percentile."""
        return [result for _, _, result in sorted(self._slowest, reverse=True)]

    def footer(self, end: str) -> Footer:
        """Return the last line of the file."""
        counts = {outcome: self.outcomes[outcome] for outcome in get_args(Outcome)}
        return Footer(end=end, endpoints=self.total, outcome=self.outcome, exit=self.exit, counts=counts)


def headline(tally: FleetTally) -> str:
    """Return the whole in a line: how many endpoints have which outcome."""
    told = [f"{tally.outcomes[outcome]:,} {outcome}" for outcome in get_args(Outcome) if tally.outcomes[outcome]]
    return f"{tally.total:,} endpoint{'' if tally.total == 1 else 's'}: {', '.join(told) or 'none judged'}"
