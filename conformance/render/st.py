"""What ``st run`` (Schemathesis) shows about the clauses: the message of a breach, and the summary of the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Demand
from conformance.judge.report import ClauseResult, Status

NAMED: Final = 4
"""The maximum number of clauses that the summary names as not checked."""


@dataclass
class Tally:
    """The results of a Schemathesis run so far.

    ``broken`` maps the id of a clause to the ids of the test cases that broke it. ``should`` has the ids of broken
    should clauses, ``seen`` those of checked clauses. ``demand`` is the dialect that a response has shown; it applies
    to all later responses.
    """

    judged: int = 0
    served: bool = False
    broken: dict[str, set[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    should: set[str] = field(default_factory=set)
    demand: Demand | None = None

    def note(self, found: ClauseResult, case_id: str) -> None:
        """Count the result of a clause for the response of a test case.

        Counting the same result twice has no effect.
        """
        if found.status is not Status.NOT_EXERCISED:
            self.seen.add(found.id)
        if found.breached:
            self.broken.setdefault(found.id, set()).add(case_id)
            if found.status is Status.WARN:
                self.should.add(found.id)


def finding_lines(found: ClauseResult) -> Iterator[str]:
    """Yield lines that explain a broken clause: place, expected and received value, reason, and source."""
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
    yield f"Queue contract: {tally.judged} responses checked against the clauses about single responses."
    if tally.should:
        found = (f"{name} ({len(tally.broken[name])})" for name in sorted(tally.should))
        yield f"  ⚠️  broken 'should' clauses (a failure only with fail_on_should): {', '.join(found)}"
    unseen = [clause.id for clause in CATALOGUE if clause.core and clause.over and clause.id not in tally.seen]
    if unseen:
        rest = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
        yield f"  ⚠️  inconclusive: not checked {', '.join(unseen[:NAMED])}{rest}"
