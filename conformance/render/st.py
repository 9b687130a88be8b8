"""What ``st run`` shows of the clauses: the message of a breach, and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Demand
from conformance.judge.report import ClauseResult, Status

NAMED: Final = 4
"""Clauses that the summary names if a run has not seen them."""


@dataclass
class Tally:
    """What a run has come to so far. ``broken`` names the cases that broke a clause, ``should`` clauses so called.

    ``told`` is what an answer has shown of the dialect, for all answers after it.
    """

    judged: int = 0
    served: bool = False
    broken: dict[str, set[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    should: set[str] = field(default_factory=set)
    told: Demand | None = None

    def note(self, found: ClauseResult, case_id: str) -> None:
        """Count a clause for one answer. Asking of the same answer again counts once."""
        if found.status is not Status.NOT_EXERCISED:
            self.seen.add(found.id)
        if found.breached:
            self.broken.setdefault(found.id, set()).add(case_id)
            if found.status is Status.WARN:
                self.should.add(found.id)


def told(found: ClauseResult) -> Iterator[str]:
    """Say where, what was expected and what came, why it matters and where that is said."""
    for evidence in found.evidence:
        place = "" if evidence.pointer is None else f"at {evidence.pointer or 'the top'}: "
        hint = f" ({evidence.hint})" if evidence.hint else ""
        yield f"{place}expected {evidence.expected}, got {evidence.got}. {evidence.message}{hint}"
        if evidence.more:
            yield f"and {evidence.more} more like it" + (f", the last at {evidence.last}" if evidence.last else "")
    source = found.source
    quote = f"“{source.quote}”" if source.quote else ""
    where = source.rfc or f"{source.document or ''}#{source.pointer}"
    yield f"\nWhy: {found.why}\nSource: {where} {quote}".rstrip()


def summary(tally: Tally) -> Iterator[str]:
    """Say what was judged, what a ``should`` found that fails nobody, and what was not seen."""
    yield f"Queue contract: {tally.judged} answers judged by the clauses that speak of one answer."
    if tally.should:
        found = (f"{name} ({len(tally.broken[name])})" for name in sorted(tally.should))
        yield f"  ⚠️  broken, and no failure unless fail_on_should: {', '.join(found)}"
    unseen = [clause.id for clause in CATALOGUE if clause.core and clause.over and clause.id not in tally.seen]
    if unseen:
        rest = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
        yield f"  ⚠️  inconclusive: nothing was seen of {', '.join(unseen[:NAMED])}{rest}"
