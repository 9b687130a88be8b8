"""Turn the number of responses that were checked, and that violate a clause, into the clause's result."""

from __future__ import annotations

from typing import Final, NamedTuple

from conformance.contract.clause import Clause
from conformance.contract.terms import Demand, Level
from conformance.judge.report import ClauseResult, Evidence, Fingerprint, Status
from conformance.text.plural import count

_BREACHED: Final = {Level.MUST: Status.FAIL, Level.SHOULD: Status.WARN, Level.INFO: Status.PASS}


class Counted(NamedTuple):
    """How many responses a clause applied to (``judged``), how many violate it (``breached``), and the evidence.

    ``error`` is the exception that the code of the clause raised, or None. ``left_out`` says which responses were not
    compared with others, or is None.
    """

    judged: int = 0
    breached: int = 0
    evidence: tuple[Evidence, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    error: str | None = None
    left_out: str | None = None


def outcome(clause: Clause, demand: Demand, counted: Counted) -> ClauseResult:
    """Return the result of a clause under a dialect."""
    level = clause.level_in(demand)
    if level is None:
        return _not_asked(clause, demand)
    if counted.error is not None:
        reason = f"the suite itself failed: {counted.error}. Please report this"
        return _make(clause, level, counted, Status.ERROR, reason)
    if not counted.judged:
        return _make(clause, level, counted, Status.NOT_EXERCISED, f"needs {clause.needs}")
    if not counted.breached:
        return _make(clause, level, counted, Status.PASS, f"kept in {count(counted.judged, 'response')}")
    broken = broken_in(clause.id, counted.breached, counted.judged)
    return _make(clause, level, counted, _BREACHED[level], broken)


def _not_asked(clause: Clause, demand: Demand) -> ClauseResult:
    reason = clause.not_asked(demand) or "not checked under this dialect"
    if demand.open and demand.dialect in clause.only and not clause.own_document:
        reason = f"needs a job that shows the dialect: {reason}"
        return _make(clause, clause.level, Counted(), Status.NOT_EXERCISED, reason)
    return _make(clause, clause.level, Counted(), Status.NOT_APPLICABLE, reason)


def _make(clause: Clause, level: Level, counted: Counted, status: Status, reason: str) -> ClauseResult:
    reason = reason if counted.left_out is None else f"{reason}; {counted.left_out}"
    broken = status in _BREACHED.values() and counted.breached
    return ClauseResult(
        id=clause.id,
        title=clause.title,
        level=level.value,
        status=status,
        reason=reason,
        core=clause.core,
        since=clause.since,
        judged=counted.judged,
        breached=counted.breached,
        source=clause.source,
        why=clause.why,
        evidence=counted.evidence if broken else (),
        fingerprints=counted.fingerprints if broken else (),
    )


def broken_in(clause: str, breached: int, judged: int) -> str:
    """Return in words how many responses broke a clause.

    A violation by the whole run is recorded for one response only, so the number of responses is then left out.
    """
    if judged == 1 and clause.partition(".")[0] in {"reads", "lifecycle"}:
        return "broken in this run"
    return f"broken in {breached:,} of {count(judged, 'response')}"
