"""Two endpoints side by side, clause by clause: where they are alike, where not, and whether that matters. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

import msgspec

from conformance.history.snapshot import ClauseThen, in_order, snapshot
from conformance.judge.report import EXERCISED, Counts, Fingerprint, Report, Run, Status, Value, Verdict
from conformance.judge.timing import timing
from conformance.text.plural import count

Kind = Literal["opposed", "otherwise", "alone", "error", "weighed", "unseen", "unasked", "unknown", "same"]
"""Of a clause, in the order in which a reader wants them.

``opposed``: kept by one side and broken by the other. ``otherwise``: broken by both, and not in the same ways.
``alone``: broken by one, and not exercised on the other. ``error``: the suite itself failed on one side at least.
``weighed``: broken by both in the same ways, of which the dialects or a waiver make different things.
``unseen``: kept by one, and not exercised on the other. ``unasked``: exercised on one, not applicable to the other.
``unknown``: only in one report, because the other selected or knew other clauses. ``same``: all else.
"""
Outcome = Literal["same", "different", "unclear"]

BROKEN: Final = (Status.FAIL, Status.WARN, Status.WAIVED)
_ORDER: Final = {kind: place for place, kind in enumerate(get_args(Kind))}


class Side(Value, frozen=True, kw_only=True):
    """One of the two. ``p50`` and ``p95`` are percentiles of the seconds that answers took, None where none came."""

    run: Run
    verdict: Verdict
    verdict_reason: str
    counts: Counts
    p50: float | None
    p95: float | None


class Row(Value, frozen=True, kw_only=True):
    """One clause on both sides, None where a report lacks it.

    ``only_a`` and ``only_b`` are the fingerprints of breaches that one side alone shows.
    """

    clause: str
    title: str
    level: Literal["must", "should", "info"]
    core: bool
    kind: Kind
    matters: bool
    a: Status | None
    b: Status | None
    only_a: tuple[Fingerprint, ...] = ()
    only_b: tuple[Fingerprint, ...] = ()


class Comparison(Value, frozen=True, kw_only=True):
    """Two runs side by side: ``comparison.json`` is this, encoded. ``clauses`` are those that differ first.

    ``different``: the verdicts are opposed, or some row matters. ``unclear``: neither, and one side is inconclusive.
    ``notes`` say what else differs, so that a difference need not be the servers'.
    """

    schema_version: Literal[1] = 1
    outcome: Outcome
    reason: str
    notes: tuple[str, ...]
    a: Side
    b: Side
    clauses: tuple[Row, ...]

    @property
    def differing(self) -> tuple[Row, ...]:
        """The rows that are not the same."""
        return tuple(row for row in self.clauses if row.kind != "same")


def contrast(a: Report, b: Report) -> Comparison:
    """Return two reports side by side."""
    on_a, on_b = snapshot(a).clauses, snapshot(b).clauses
    conclusive = Verdict.INCONCLUSIVE not in {a.verdict, b.verdict}
    rows = [_row(on_a.get(name), on_b.get(name), conclusive=conclusive) for name in dict.fromkeys((*on_a, *on_b))]
    rows.sort(key=lambda row: (_ORDER[row.kind], row.kind == "same" and row.a not in BROKEN))
    opposed = {a.verdict, b.verdict} == {Verdict.CONFORMANT, Verdict.NON_CONFORMANT}
    outcome: Outcome = "same" if conclusive else "unclear"
    if opposed or any(row.matters for row in rows):
        outcome = "different"
    return Comparison(
        outcome=outcome,
        reason=_reason(outcome, a, b, rows),
        notes=tuple(_notes(a, b)),
        a=_side(a),
        b=_side(b),
        clauses=tuple(rows),
    )


def encode(comparison: Comparison) -> bytes:
    """Return ``comparison.json``: UTF-8, indented by two."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=2) + b"\n"


def _side(report: Report) -> Side:
    took = timing(report)
    return Side(
        run=report.run,
        verdict=report.verdict,
        verdict_reason=report.verdict_reason,
        counts=report.counts,
        p50=None if took is None else took.p50,
        p95=None if took is None else took.p95,
    )


def _row(a: ClauseThen | None, b: ClauseThen | None, *, conclusive: bool) -> Row:
    clause = a or b
    assert clause is not None
    ways_a, ways_b = set(() if a is None else a.failures), set(() if b is None else b.failures)
    kind: Kind = "unknown" if a is None or b is None else _kind(a.status, b.status, alike=ways_a == ways_b)
    return Row(
        clause=clause.id,
        title=clause.title,
        level=clause.level,
        core=clause.core,
        kind=kind,
        matters=kind in {"opposed", "otherwise"} or (kind == "alone" and conclusive),
        a=None if a is None else a.status,
        b=None if b is None else b.status,
        only_a=in_order(ways_a - ways_b),
        only_b=in_order(ways_b - ways_a),
    )


def _kind(a: Status, b: Status, *, alike: bool) -> Kind:
    both = {a, b}
    if Status.ERROR in both:
        return "error"
    if a in BROKEN and b in BROKEN:
        return "same" if alike and a is b else "weighed" if alike else "otherwise"
    exercised = both & set(EXERCISED)
    if a is b or not exercised:
        return "same"
    if Status.NOT_APPLICABLE in both:
        return "unasked"
    if len(exercised) == len(both):
        return "opposed"
    return "alone" if both & set(BROKEN) else "unseen"


def _reason(outcome: Outcome, a: Report, b: Report, rows: Sequence[Row]) -> str:
    """Say in a line what the outcome rests on."""
    if outcome == "unclear":
        which = [name for name, side in (("A", a), ("B", b)) if side.verdict is Verdict.INCONCLUSIVE]
        told = f"{' and '.join(which)} {'is' if len(which) == 1 else 'are'} inconclusive"
        return f"{told}; nothing is opposed of what was exercised on both sides"
    kinds = Counter((row.kind, row.a in BROKEN) for row in rows if row.matters)
    numbers = {
        "broken by A alone": kinds["opposed", True],
        "broken by B alone": kinds["opposed", False],
        "broken by both in other ways": kinds["otherwise", True],
        "broken by A and not exercised on B": kinds["alone", True],
        "broken by B and not exercised on A": kinds["alone", False],
    }
    named = [f"{count(number, 'clause')} {what}" for what, number in numbers.items() if number]
    if outcome == "same":
        unseen = sum(row.kind in {"unseen", "unasked", "unknown"} for row in rows)
        aside = f"; {count(unseen, 'clause')} judged on one side alone" if unseen else ""
        return f"the same verdict, and no clause is opposed{aside}"
    return "; ".join(named) or f"A is {a.verdict.value}, B is {b.verdict.value}"


def _notes(a: Report, b: Report) -> Iterator[str]:
    """Say what else differs between the runs."""
    for name, one, other in (
        ("documents", a.run.document_sha256[:12], b.run.document_sha256[:12]),
        ("versions of the suite", a.run.suite_version, b.run.suite_version),
    ):
        if one != other:
            yield f"the {name} differ: {one} for A, {other} for B"
    if a.run.read_as != b.run.read_as:
        told = f"A is read as {a.run.read_as}, B as {b.run.read_as}"
        yield f"{told}: what only one of the dialects asks is no difference"
    for name, run in (("A", a.run), ("B", b.run)):
        if run.partial:
            yield f"the run of {name} is partial" + (f" ({run.selected})" if run.selected else ", cut short")
