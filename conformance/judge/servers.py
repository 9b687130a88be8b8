"""Check several servers in one recording separately. The worst result of a server is the result of the recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

from msgspec import structs

from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange
from conformance.judge.judge import Judgement, judge
from conformance.judge.outcome import broken_in
from conformance.judge.report import FINGERPRINTS, ClauseResult, Server, Status, Verdict
from conformance.judge.verdict import count
from conformance.text.plural import count as plural
from conformance.text.safe import printable

UNNAMED: Final = "a server that is not named"
NAME: Final = 300
_WORST_FIRST: Final = (
    Status.FAIL,
    Status.ERROR,
    Status.WARN,
    Status.WAIVED,
    Status.PASS,
    Status.NOT_EXERCISED,
    Status.NOT_APPLICABLE,
)
_VERDICTS: Final = (Verdict.NON_CONFORMANT, Verdict.INCONCLUSIVE, Verdict.CONFORMANT)


def by_server(exchanges: Sequence[Exchange]) -> dict[str, list[Exchange]]:
    """Group exchanges by server.

    If only one server is named, exchanges without the name of a server belong to that server.
    """
    names = {exchange.server for exchange in exchanges} - {""}
    unnamed = next(iter(names)) if len(names) == 1 else ""
    groups: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        groups.setdefault(exchange.server or unnamed, []).append(exchange)
    return groups


def judge_each(
    exchanges: Sequence[Exchange], dialect: Dialect, *, judge_one: Callable[..., Judgement] = judge, **options: Any
) -> Judgement:
    """Check the exchanges of each server separately with ``judge_one``, and combine the results."""
    groups = by_server(exchanges)
    judgements = {name: judge_one(group, dialect, **options) for name, group in groups.items()}
    if len(groups) < 2:
        return next(iter(judgements.values()), None) or judge_one(exchanges, dialect, **options)
    servers = tuple(
        Server(
            server=printable(name or UNNAMED, NAME),
            verdict=found.verdict,
            verdict_reason=found.reason,
            read_as=found.demand.read_as.value,
            exchanges=len(groups[name]),
            counts=found.counts,
        )
        for name, found in judgements.items()
    )
    return _combine(list(judgements.values()), servers)


def _combine(judgements: Sequence[Judgement], servers: tuple[Server, ...]) -> Judgement:
    first = judgements[0]
    results = tuple(map(_of_all, zip(*(judgement.results for judgement in judgements), strict=True)))
    return first._replace(
        results=results,
        counts=count(results),
        listed=frozenset(chain.from_iterable(j.listed for j in judgements)),
        demand=_demand(judgements, servers),
        servers=servers,
        cut=next((judgement.cut for judgement in judgements if judgement.cut is not None), None),
        uncompared=next((found.uncompared for found in judgements if found.uncompared is not None), None),
        **_verdict(servers),
    )


def _verdict(servers: Sequence[Server]) -> dict[str, Any]:
    """Return the worst verdict, with the reason of the first server that has it."""
    worst = next(verdict for verdict in _VERDICTS if any(one.verdict is verdict for one in servers))
    those = [one for one in servers if one.verdict is worst]
    if worst is Verdict.CONFORMANT:
        return {"verdict": worst, "reason": f"each of {len(servers)} servers: {those[0].verdict_reason}"}
    of = f"{len(those)} of {len(servers)} servers"
    return {"verdict": worst, "reason": f"{of}, {those[0].server}: {those[0].verdict_reason}"}


def _demand(judgements: Sequence[Judgement], servers: Sequence[Server]) -> Demand:
    demands = [judgement.demand for judgement in judgements]
    if len({demand.read_as for demand in demands}) == 1:
        return demands[0]
    shown = ", ".join(f"{one.read_as} at {one.server}" for one in servers)
    return Demand(demands[0].dialect, Dialect.AUTO, shown)


def _of_all(results: Sequence[ClauseResult]) -> ClauseResult:
    """Return the worst result of a clause among all servers, with their evidence and the sums of their counts."""
    worst = min(results, key=lambda result: _WORST_FIRST.index(result.status))
    judged, breached = sum(each.judged for each in results), sum(each.breached for each in results)
    fingerprints = tuple(dict.fromkeys(chain.from_iterable(each.fingerprints for each in results)))[:FINGERPRINTS]
    return structs.replace(
        worst,
        judged=judged,
        breached=breached,
        fingerprints=fingerprints,
        reason=_reason(worst, judged, breached),
        evidence=tuple(chain.from_iterable(each.evidence for each in results)),
    )


def _reason(worst: ClauseResult, judged: int, breached: int) -> str:
    if worst.status in {Status.FAIL, Status.WARN}:
        return broken_in(worst.id, breached, judged)
    kept = worst.status is Status.PASS and judged != worst.judged
    return f"kept in {plural(judged, 'response')}" if kept else worst.reason
