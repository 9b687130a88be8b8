"""Compare two runs, clause by clause. Does no I/O.

There are two kinds of comparison. Side by side: do two servers behave alike, and does a difference matter? Over time:
what changed from an older to a newer run of the same server, and did anything get worse?
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, Literal, get_args

import msgspec

from conformance.history.snapshot import ClauseThen, Snapshot, in_order
from conformance.judge.report import (
    EXERCISED,
    Change,
    ChangeKind,
    Diff,
    Fingerprint,
    Outage,
    OverTimeOutcome,
    PastRun,
    Status,
    Value,
    Verdict,
)
from conformance.text.plural import count

SideKind = Literal["opposed", "otherwise", "alone", "error", "weighed", "unseen", "unasked", "unknown", "same"]
"""How a clause differs between two servers, in the order of display.

``opposed``: passed on one side, failed on the other. ``otherwise``: failed on both sides in different ways. ``alone``:
failed on one side, not checked on the other. ``error``: the suite itself failed on a side. ``weighed``: failed on both
sides in the same ways, but with different levels or waivers. ``unseen``: passed on one side, not checked on the other.
``unasked``: checked on one side, not applicable on the other. ``unknown``: in only one of the reports, because the
other run selected other clauses or had another version of the suite. ``same``: no difference.
"""
Kind = SideKind | ChangeKind
"""How a clause differs between two runs, side by side or over time."""
ComparisonOutcome = Literal["different"] | OverTimeOutcome
"""The result of a comparison. Side by side: same, different or unclear. Over time: worse, better, same or unclear."""

BROKEN: Final = (Status.FAIL, Status.WARN, Status.WAIVED)
_SIDE_ORDER: Final[dict[Kind, int]] = {kind: place for place, kind in enumerate(get_args(SideKind))}
_TIME_ORDER: Final[dict[Kind, int]] = {kind: place for place, kind in enumerate((*get_args(ChangeKind), "same"))}
_NEWLY: Final[dict[Status, ChangeKind]] = {
    Status.FAIL: "failed",
    Status.WARN: "warned",
    Status.WAIVED: "waived",
    Status.ERROR: "error",
}
_WORSE: Final[dict[Kind, str]] = {
    "failed": "{} newly failed",
    "warned": "{} now with a warning (--fail-on-should)",
    "changed": "{} broken in another way than before",
    "error": "{} on which the suite itself failed",
    "vanished": "{} no longer checked",
}


class ComparedClause(Value, frozen=True, kw_only=True):
    """One clause in both runs. ``a`` and ``b`` are its statuses; None if a run did not judge the clause.

    ``matters`` means that because of this clause the runs count as different, or the newer run as worse. ``only_a`` and
    ``only_b`` are the failures that are in only one run.
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
    """The comparison of two runs, which is also the content of ``comparison.json``. ``clauses`` are ordered by kind.

    With ``over_time``, ``a`` is the older run and ``b`` the newer run; otherwise they are two sides. ``reason``
    explains the outcome, and ``worse`` lists what got worse. ``notes`` are other differences, which may explain a
    result. If a run did not reach its target, no clauses are compared and the outcome is ``unclear``.
    """

    schema_version: Literal[1] = 1
    over_time: bool = False
    outcome: ComparisonOutcome
    reason: str
    notes: tuple[str, ...]
    worse: tuple[str, ...] = ()
    a: PastRun
    b: PastRun
    clauses: tuple[ComparedClause, ...]

    @property
    def differing(self) -> tuple[ComparedClause, ...]:
        """The clauses that differ between the runs."""
        return tuple(row for row in self.clauses if row.kind != "same")


def side_by_side(a: Snapshot, b: Snapshot) -> Comparison:
    """Compare two servers. They differ if the verdicts are opposite, or if any clause differs in a way that matters."""
    conclusive = Verdict.INCONCLUSIVE not in {a.run.verdict, b.run.verdict}
    rows = []
    for pair in _pairs(a, b):
        kind = _side_kind(*pair)
        matters = kind in {"opposed", "otherwise"} or (kind == "alone" and conclusive)
        rows.append(_row(*pair, kind, matters=matters))
    rows.sort(key=lambda row: (_SIDE_ORDER[row.kind], row.kind == "same" and row.a not in BROKEN))
    opposed = {a.run.verdict, b.run.verdict} == {Verdict.CONFORMANT, Verdict.NON_CONFORMANT}
    outcome: ComparisonOutcome = "same" if conclusive else "unclear"
    if opposed or any(row.matters for row in rows):
        outcome = "different"
    return Comparison(
        outcome=outcome,
        reason=_reason(outcome, a.run, b.run, rows),
        notes=tuple(_notes_of_sides(a.run, b.run)),
        a=a.run,
        b=b.run,
        clauses=tuple(rows),
    )


def over_time(old: Snapshot, new: Snapshot, *, fail_on_should: bool = False, keep_same: bool = True) -> Comparison:
    """Compare two runs of one server. Without ``keep_same``, only clauses that differ are listed, which is faster.

    The newer run is worse if a clause newly fails (or warns, with ``fail_on_should``), or fails at a new place or in a
    new way; if a core clause is not checked any more; if the suite itself newly fails on a clause; or if the verdict is
    not conformant any more. A run that did not reach its target is neither worse nor better.
    """
    rows = [*_changes(old, new, fail_on_should=fail_on_should, keep_same=keep_same)]
    rows.sort(key=lambda row: _TIME_ORDER[row.kind])
    worse = tuple(_worse(rows, old.run, new.run))
    outcome = _outcome(rows, worse, old.run, new.run)
    return Comparison(
        over_time=True,
        outcome=outcome,
        reason=_unreached((("older run", old.run), ("newer run", new.run))),
        notes=tuple(_notes_over_time(old, new)),
        worse=worse,
        a=old.run,
        b=new.run,
        clauses=tuple(rows),
    )


def diff_of(found: Comparison, outage: Outage | None = None) -> Diff:
    """Return a comparison over time in the form that ``compliance.json`` contains."""
    assert found.outcome != "different"
    return Diff(
        old=found.a,
        new=found.b,
        outcome=found.outcome,
        notes=found.notes,
        worse=found.worse,
        changes=tuple(
            Change(
                kind=row.kind,  # type: ignore[arg-type]
                clause=row.clause,
                title=row.title,
                level=row.level,
                core=row.core,
                before=row.a,
                now=row.b,
                worse=row.matters,
                appeared=row.only_b,
                gone=row.only_a,
            )
            for row in found.differing
        ),
        outage=outage,
    )


def encode(comparison: Comparison) -> bytes:
    """Return the content of ``comparison.json``."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=2) + b"\n"


# --- rows -----------------------------------------------------------------------------------------

Pair = tuple[ClauseThen | None, ClauseThen | None]


def _pairs(a: Snapshot, b: Snapshot) -> Iterator[Pair]:
    """Yield, for each clause, its result in either run. Yields nothing if one of the runs did not reach its target."""
    if a.run.unreached is None and b.run.unreached is None:
        for name in dict.fromkeys((*a.clauses, *b.clauses)):
            yield a.clauses.get(name), b.clauses.get(name)


def _row(a: ClauseThen | None, b: ClauseThen | None, kind: Kind, *, matters: bool) -> ComparedClause:
    clause = b or a
    assert clause is not None
    only_a, only_b = _ways(a, b)
    return ComparedClause(
        clause=clause.id,
        title=clause.title,
        level=clause.level,
        core=clause.core,
        kind=kind,
        matters=matters,
        a=None if a is None else a.status,
        b=None if b is None else b.status,
        only_a=only_a,
        only_b=only_b,
    )


def _ways(a: ClauseThen | None, b: ClauseThen | None) -> tuple[tuple[Fingerprint, ...], tuple[Fingerprint, ...]]:
    """Return the failures that only ``a`` has, and those that only ``b`` has."""
    in_a, in_b = () if a is None else a.failures, () if b is None else b.failures
    if in_a == in_b:
        return (), ()
    ways_a, ways_b = set(in_a), set(in_b)
    return in_order(ways_a - ways_b), in_order(ways_b - ways_a)


# --- side by side ---------------------------------------------------------------------------------


def _side_kind(a: ClauseThen | None, b: ClauseThen | None) -> SideKind:
    if a is None or b is None:
        return "unknown"
    both = {a.status, b.status}
    exercised, broken = both & set(EXERCISED), both & set(BROKEN)
    found: SideKind = "same"
    if Status.ERROR in both:
        found = "error"
    elif broken == both:
        found = _both_broken(a, b)
    elif len(both) == 2 and len(exercised) == 2:
        found = "opposed"
    elif len(both) == 2 and exercised:
        found = "unasked" if Status.NOT_APPLICABLE in both else "alone" if broken else "unseen"
    return found


def _both_broken(a: ClauseThen, b: ClauseThen) -> SideKind:
    if set(a.failures) != set(b.failures):
        return "otherwise"
    return "same" if a.status is b.status else "weighed"


def _unreached(runs: Sequence[tuple[str, PastRun]]) -> str:
    told = [f"{name} was not reached: {run.unreached}" for name, run in runs if run.unreached is not None]
    return "; ".join(told)


def _reason(outcome: ComparisonOutcome, a: PastRun, b: PastRun, rows: Sequence[ComparedClause]) -> str:
    """Return one line that explains the outcome of a comparison side by side."""
    if told := _unreached((("A", a), ("B", b))):
        return f"{told}; no clauses were compared"
    if outcome == "unclear":
        which = [name for name, run in (("A", a), ("B", b)) if run.verdict is Verdict.INCONCLUSIVE]
        told = f"{' and '.join(which)} {'is' if len(which) == 1 else 'are'} inconclusive"
        return f"{told}; no difference in the clauses checked on both sides"
    kinds = Counter((row.kind, row.a in BROKEN) for row in rows if row.matters)
    numbers = {
        "failed only on A": kinds["opposed", True],
        "failed only on B": kinds["opposed", False],
        "failed on both in different ways": kinds["otherwise", True],
        "failed on A and not checked on B": kinds["alone", True],
        "failed on B and not checked on A": kinds["alone", False],
    }
    named = [f"{count(number, 'clause')} {what}" for what, number in numbers.items() if number]
    if outcome == "same":
        unseen = sum(row.kind in {"unseen", "unasked", "unknown"} for row in rows)
        aside = f"; {count(unseen, 'clause')} judged only on one side" if unseen else ""
        return f"the same verdict, and no clause differs{aside}"
    return "; ".join(named) or f"A is {a.verdict.value}, B is {b.verdict.value}"


def _notes_of_sides(a: PastRun, b: PastRun) -> Iterator[str]:
    """Yield notes on differences between two sides other than clauses: they may explain why the clauses differ."""
    for name, one, other in (
        ("documents", a.document_sha256[:12], b.document_sha256[:12]),
        ("versions of the suite", a.suite_version, b.suite_version),
    ):
        if one != other:
            yield f"the {name} differ: {one} for A, {other} for B"
    if a.read_as != b.read_as:
        yield f"the dialect is {a.read_as} for A and {b.read_as} for B: clauses of only one dialect are not compared"
    for name, run in (("A", a), ("B", b)):
        if run.partial:
            yield f"the run of {name} is partial" + (f" ({run.selected})" if run.selected else ", cut short")


# --- over time ------------------------------------------------------------------------------------


def _changes(old: Snapshot, new: Snapshot, *, fail_on_should: bool, keep_same: bool) -> Iterator[ComparedClause]:
    for before, now in _pairs(old, new):
        if before is now and not keep_same:
            continue  # a history shares equal results
        kind = _time_kind(before, now)
        left_out = (before is None and old.run.selected) or (now is None and new.run.selected)
        if not (left_out and kind in {"added", "removed"}) and (keep_same or kind != "same"):
            yield _row(before, now, kind, matters=_is_worse(kind, before, now, fail_on_should=fail_on_should))


def _time_kind(before: ClauseThen | None, now: ClauseThen | None) -> Kind:
    if now is None:
        return "removed"
    was = None if before is None else before.status
    if now.status is was:
        return "changed" if before is not None and _differ(before, now) else "same"
    if now.status in _NEWLY:
        return _NEWLY[now.status]
    if was is None:
        return "added"
    if now.status is Status.PASS:
        return "fixed" if was in BROKEN else "exercised"
    return "vanished" if was in EXERCISED else "same"


def _differ(before: ClauseThen, now: ClauseThen) -> bool:
    """Whether the failures differ. False if one of the runs has no record of its failures."""
    return bool(before.failures and now.failures) and before.failures != now.failures


def _is_worse(kind: Kind, before: ClauseThen | None, now: ClauseThen | None, *, fail_on_should: bool) -> bool:
    if now is None or kind == "same":
        return False
    fails = now.status is Status.FAIL or (now.status is Status.WARN and fail_on_should)
    return {
        "failed": True,
        "error": True,
        "warned": fail_on_should,
        "changed": fails and bool(_ways(before, now)[1]),
        "vanished": now.core and now.status is Status.NOT_EXERCISED,
    }.get(kind, False)


def _worse(rows: Sequence[ComparedClause], old: PastRun, new: PastRun) -> Iterator[str]:
    """Yield phrases that say what got worse, and in how many clauses."""
    tally = Counter(row.kind for row in rows if row.matters)
    for kind, told in _WORSE.items():
        if kind in tally:
            yield told.format(count(tally[kind], "core clause" if kind == "vanished" else "clause"))
    away = new.unreached is not None or old.unreached is not None
    if old.verdict is Verdict.CONFORMANT and new.verdict is not Verdict.CONFORMANT and not away:
        yield f"the verdict went from {old.verdict.value} to {new.verdict.value}"


def _outcome(rows: Sequence[ComparedClause], worse: Sequence[str], old: PastRun, new: PastRun) -> OverTimeOutcome:
    if worse:
        return "worse"
    if new.verdict is Verdict.INCONCLUSIVE or old.unreached is not None:
        return "unclear"
    risen = new.verdict is Verdict.CONFORMANT and old.verdict is not Verdict.CONFORMANT
    return "better" if risen or any(row.kind in {"fixed", "exercised"} for row in rows) else "same"


def _notes_over_time(old: Snapshot, new: Snapshot) -> Iterator[str]:
    """Yield notes on differences between the runs other than clauses: they may explain why clauses changed."""
    was, now = old.run, new.run
    if now.start < was.start:
        yield f"the run given as the newer one is older, from {now.start[:19]}Z: swap the two runs to see what changed"
    for name, before, after in (
        ("names", was.name or "none", now.name or "none"),
        ("URLs", was.target, now.target),
        ("paths", was.queue_path or "not told", now.queue_path or "not told"),
        ("dialects", was.dialect, now.dialect),
        ("documents", f"SHA-256 {was.document_sha256[:12]}", f"SHA-256 {now.document_sha256[:12]}"),
        ("versions of the suite", was.suite_version, now.suite_version),
    ):
        if before != after:
            yield f"the {name} differ: {before}, then {after}"
    for which, run, other in (("older", was, new), ("newer", now, old)):
        if run.partial and run.unreached is None:
            mine = old.clauses if run is was else new.clauses
            missing = sum(name not in mine for name in other.clauses)
            told = f" ({run.selected})" if run.selected else ", cut short"
            left_out = f": {count(missing, 'clause')} not compared" if run.selected and missing else ""
            yield f"the {which} run is partial{told}{left_out}"
