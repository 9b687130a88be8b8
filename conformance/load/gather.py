"""Count responses as they arrive. The counters are changed in place; ``tally`` turns them into a frozen value."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Level
from conformance.exchange.model import Exchange
from conformance.judge.fingerprint import fingerprint_at
from conformance.judge.ledger import record
from conformance.judge.report import FINGERPRINTS, Evidence, Fingerprint, RecordedExchange
from conformance.judge.tally import as_evidence
from conformance.load.response_result import ResponseResult
from conformance.load.tally import ClauseCounts, Latency, LoadTally, Second, Unjudged, bucket, mentioned, size_class

ALIKE: Final = 256
"""How many different results are collected before they are added to the counters."""


@dataclass
class Gathering:
    """The counters of one process since its last tally."""

    hide_workflows: bool = False
    _judged: Counter[str] = field(default_factory=Counter)
    _alike: dict[int, list[Any]] = field(default_factory=dict)
    """How often each result occurred, by the ``id()`` of the result: most responses share one object."""
    _breached: Counter[str] = field(default_factory=Counter)
    _first: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _evidence: defaultdict[str, dict[Fingerprint, Evidence]] = field(default_factory=lambda: defaultdict(dict))
    _errors: dict[str, str] = field(default_factory=dict)
    _statuses: Counter[int] = field(default_factory=Counter)
    _beside: Counter[int] = field(default_factory=Counter)
    _problems: Counter[str] = field(default_factory=Counter)
    _requests: Counter[int] = field(default_factory=Counter)
    _seconds_breached: Counter[int] = field(default_factory=Counter)
    _users: dict[int, int] = field(default_factory=dict)
    _latency: defaultdict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    _longest: dict[int, float] = field(default_factory=dict)
    _exchanges: dict[str, RecordedExchange] = field(default_factory=dict)
    _unjudged: Unjudged = field(default_factory=Unjudged)

    def note(self, exchange: Exchange, result: ResponseResult, users: int) -> None:
        """Count one exchange and its result. ``users`` is how many simulated users this process has now."""
        second = int(_ended(exchange))
        self._requests[second] += 1
        self._users[second] = users
        if exchange.problem is not None:
            self._problems[exchange.problem.fault.value] += 1
        if exchange.response is None:
            return
        if exchange.request.operation is not None:
            self._beside[exchange.response.status] += 1
        else:
            self._statuses[exchange.response.status] += 1
            elapsed, size = exchange.elapsed or 0.0, size_class(len(exchange.response.content))
            self._latency[size][bucket(elapsed)] += 1
            self._longest[size] = max(self._longest.get(size, 0.0), elapsed)
        self.judged(exchange, result)

    def judged(
        self, exchange: Exchange, result: ResponseResult, others: Mapping[str, Exchange] = MappingProxyType({})
    ) -> None:
        """Count the result of a response. ``others`` are further exchanges, by id, that the findings may mention."""
        self._alike.setdefault(id(result), [result, 0])[1] += 1
        if len(self._alike) > ALIKE:
            self._count_alike()
        if result.unread or result.uncompared:
            self._unjudged += Unjudged(
                responses=result.unread is not None, what=result.unread, uncompared=result.uncompared
            )
        if result.errors:
            self._errors.update(result.errors)
        if result.broken:
            self._broken(exchange, result, _ended(exchange), others)

    def _broken(self, exchange: Exchange, result: ResponseResult, ended: float, others: Mapping[str, Exchange]) -> None:
        ids = [clause for clause, _ in result.broken]
        self._breached.update(ids)
        if any(BY_ID[clause].level is Level.MUST for clause in ids):
            self._seconds_breached[int(ended)] += 1
        for clause, found in result.broken:
            self._first[clause] = min(ended, self._first.get(clause, ended))
            self._last[clause] = max(ended, self._last.get(clause, ended))
            kinds = self._evidence[clause]
            for finding in found:
                kind = fingerprint_at(finding.pointer, finding.kind)
                if kind in kinds or len(kinds) == FINGERPRINTS:
                    continue
                piece = kinds[kind] = as_evidence(exchange, clause, finding, hide=self.hide_workflows)
                for name in sorted(mentioned(piece)):
                    named = exchange if name == exchange.id else others.get(name)
                    if named is not None:
                        self._exchanges.setdefault(name, record(named, hide_workflows=self.hide_workflows))

    def _count_alike(self) -> None:
        for result, number in self._alike.values():
            self._judged.update(dict.fromkeys(result.judged, number))
        self._alike.clear()

    def tally(self) -> LoadTally:
        """Return everything counted so far, as a frozen value."""
        self._count_alike()
        return LoadTally(
            clauses={
                clause: ClauseCounts(
                    judged=self._judged[clause],
                    breached=self._breached[clause],
                    first=self._first.get(clause),
                    last=self._last.get(clause),
                    evidence=tuple(self._evidence[clause].values()),
                    error=self._errors.get(clause),
                )
                for clause in (self._judged | self._errors)
            },
            statuses=dict(self._statuses),
            problems=dict(self._problems),
            seconds={
                second: Second(requests=number, breached=self._seconds_breached[second], users=self._users[second])
                for second, number in self._requests.items()
            },
            latency={
                size: Latency(buckets=dict(buckets), longest=self._longest[size])
                for size, buckets in self._latency.items()
            },
            exchanges=self._exchanges,
            beside=dict(self._beside),
            unjudged=self._unjudged,
        )


def _ended(exchange: Exchange) -> float:
    return (exchange.started or 0.0) + (exchange.elapsed or 0.0)
