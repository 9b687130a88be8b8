"""What many targets have in common, counted line by line with bounded memory. Pure."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, get_args

from conformance.fleet.model import BreachKind, EndpointResult, Footer
from conformance.history.overview import Outcome, Outcomes
from conformance.judge.report import Status

FEW: Final = 20
"""Up to this number of targets, the terminal shows each."""
EXAMPLES: Final = 5
"""How many targets a group names."""
SLOWEST: Final = 10
MOST_GROUPS: Final = 2000
"""Maximum number of groups. Further ones are counted together."""


@dataclass
class Group:
    """Targets that have something in common, such as the clauses that they break. ``names`` are the first of them."""

    number: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count a target."""
        self.number += 1
        if self.number <= EXAMPLES:
            self.names.append(name)


@dataclass
class ClauseGroup(Group):
    """Targets that break a clause."""

    title: str = ""
    status: Status = Status.FAIL


class FleetTally(Outcomes):
    """Counts what targets have in common."""

    def __init__(self, results: Iterable[EndpointResult] = ()) -> None:
        super().__init__()
        self.workers: Counter[str] = Counter()
        self.few: list[EndpointResult] = []
        """The first FEW results."""
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
        """Count the result of a target."""
        self.count(result)
        if self.total <= FEW:
            self.few.append(result)
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

    def groups(self) -> list[tuple[tuple[BreachKind, ...], Group]]:
        """Return the kinds of failure that several targets share, most frequent first."""
        return sorted(self.breaches.items(), key=lambda each: -each[1].number)

    def slowest(self) -> list[EndpointResult]:
        """Return the slowest targets, by the 95th percentile."""
        return [result for _, _, result in sorted(self._slowest, reverse=True)]

    def footer(self, end: str) -> Footer:
        """Return the last line of the file."""
        counts = {outcome: self.outcomes[outcome] for outcome in get_args(Outcome)}
        return Footer(end=end, endpoints=self.total, outcome=self.outcome, exit=self.exit, counts=counts)
