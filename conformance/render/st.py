"""What ``st run`` shows about the clauses: the message of a breach, and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Demand
from conformance.judge.report import ClauseResult, Status

NAMED: Final = 4
"""How many unchecked clauses the summary names."""


@dataclass
class Tally:
    """The results of a run so far. ``broken`` has the cases that broke a clause, ``should`` the clauses of that level.

    ``told`` is what a response showed about the dialect. It applies to all later responses.
    """

    judged: int = 0
    served: bool = False
    broken: dict[str, set[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    should: set[str] = field(default_factory=set)
    told: Demand | None = None

    def note(self, found: ClauseResult, case_id: str) -> None:
        """Count a clause for a response. Checking the same response again counts once."""
        if found.status is not Status.NOT_EXERCISED:
            self.seen.add(found.id)
        if found.breached:
            self.broken.setdefault(found.id, set()).add(case_id)
            if found.status is Status.WARN:
                self.should.add(found.id)


def told(found: ClauseResult) -> Iterator[str]:
    """Yield where a breach is, what was expected and received, why it matters, and the source."""
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
    """Yield the number of judged responses, broken ``should`` clauses, and clauses that were not checked."""
    yield f"Queue contract: {tally.judged} responses judged by the clauses about single responses."
    if tally.should:
        found = (f"{name} ({len(tally.broken[name])})" for name in sorted(tally.should))
        yield f"  ⚠️  broken 'should' clauses (a failure only with fail_on_should): {', '.join(found)}"
    unseen = [clause.id for clause in CATALOGUE if clause.core and clause.over and clause.id not in tally.seen]
    if unseen:
        rest = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
        yield f"  ⚠️  inconclusive: not checked {', '.join(unseen[:NAMED])}{rest}"
