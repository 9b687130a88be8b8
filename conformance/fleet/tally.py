"""Counts over many targets: how many targets break which clause, and how fast they respond.

Memory is bounded. Does no I/O.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, get_args

from conformance.fleet.result_lines import EndpointResult, Footer
from conformance.history.night_results import Outcomes, TargetOutcome
from conformance.judge.report import Status

EXAMPLES: Final = 5
"""Maximum number of targets that are named for each broken clause."""
SLOWEST: Final = 10


@dataclass
class ClauseGroup:
    """The targets that break a clause. ``names`` are the names of the first of these targets."""

    title: str
    status: Status
    number: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count a target that breaks the clause."""
        self.number += 1
        if self.number <= EXAMPLES:
            self.names.append(name)


class FleetTally(Outcomes):
    """Counts targets by outcome, broken clauses, speed and worker."""

    def __init__(self, results: Iterable[EndpointResult] = ()) -> None:
        super().__init__()
        self.workers: Counter[str] = Counter()
        self.requests = 0
        self.received = 0
        self.clauses: dict[str, ClauseGroup] = {}
        self._slowest: list[tuple[float, int, EndpointResult]] = []
        for result in results:
            self.add(result)

    def add(self, result: EndpointResult) -> None:
        """Count a target by its result."""
        self.count(result)
        self.workers[result.worker] += 1
        self.requests += result.requests
        self.received += result.received
        for broken in result.broken:
            self.clauses.setdefault(broken.id, ClauseGroup(broken.title, broken.status)).add(result.name)
        if result.p95 is not None:
            entry = (result.p95, -self.total, result)
            (heapq.heappush if len(self._slowest) < SLOWEST else heapq.heappushpop)(self._slowest, entry)

    def slowest(self) -> list[EndpointResult]:
        """Return the slowest targets, by the 95th percentile of their response times, slowest first."""
        return [result for _, _, result in sorted(self._slowest, reverse=True)]

    def footer(self, end: str) -> Footer:
        """Return the footer of ``results.jsonl``."""
        counts = {outcome: self.outcomes[outcome] for outcome in get_args(TargetOutcome)}
        return Footer(end=end, endpoints=self.total, outcome=self.outcome, exit=self.exit, counts=counts)
