"""What changed from one run to another, and whether something got worse. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, get_args

from conformance.history.snapshot import ClauseThen, Snapshot, in_order
from conformance.judge.report import EXERCISED, Change, ChangeKind, Diff, Outcome, PastRun, Status, Verdict
from conformance.text.plural import count

BROKEN: Final = (Status.FAIL, Status.WARN, Status.WAIVED)
_NEWLY: Final[dict[Status, ChangeKind]] = {
    Status.FAIL: "failed",
    Status.WARN: "warned",
    Status.WAIVED: "waived",
    Status.ERROR: "error",
}
_ORDER: Final = {kind: place for place, kind in enumerate(get_args(ChangeKind))}
_WORSE: Final[dict[ChangeKind, str]] = {
    "failed": "{} newly failed",
    "warned": "{} newly warned of, and a breached should is to fail",
    "changed": "{} broken in another way than before",
    "error": "{} on which the suite itself failed",
    "vanished": "{} no longer exercised",
}


def compare(old: Snapshot, new: Snapshot, *, fail_on_should: bool = False) -> Diff:
    """Return what changed from ``old`` to ``new``.

    Worse are: a clause that newly fails (or warns, with ``fail_on_should``); one that fails with a fingerprint that it
    did not have; a core clause that is no longer exercised; one on which the suite itself newly failed; and a verdict
    that is no longer conformant.
    """
    changes = sorted(_changes(old, new, fail_on_should=fail_on_should), key=lambda change: _ORDER[change.kind])
    worse = tuple(_worse(changes, old.run, new.run))
    return Diff(
        old=old.run,
        new=new.run,
        outcome=_outcome(changes, worse, old.run, new.run),
        notes=tuple(_notes(old, new)),
        worse=worse,
        changes=tuple(changes),
    )


def _changes(old: Snapshot, new: Snapshot, *, fail_on_should: bool) -> Iterator[Change]:
    for name in dict.fromkeys((*new.clauses, *old.clauses)):
        before, now = old.clauses.get(name), new.clauses.get(name)
        kind = _kind(before, now)
        left_out = (before is None and old.run.selected) or (now is None and new.run.selected)
        if kind is not None and not (left_out and kind in {"added", "removed"}):
            yield _change(kind, before, now, fail_on_should=fail_on_should)


def _kind(before: ClauseThen | None, now: ClauseThen | None) -> ChangeKind | None:
    if now is None:
        return "removed"
    was = None if before is None else before.status
    if now.status is was:
        return "changed" if before is not None and _differ(before, now) else None
    if now.status in _NEWLY:
        return _NEWLY[now.status]
    if was is None:
        return "added"
    if now.status is Status.PASS:
        return "fixed" if was in BROKEN else "exercised"
    return "vanished" if was in EXERCISED else None


def _differ(before: ClauseThen, now: ClauseThen) -> bool:
    """Whether the fingerprints are others. Where a run has none, they are not known: no difference is made of that."""
    return bool(before.failures and now.failures) and before.failures != now.failures


def _change(kind: ChangeKind, before: ClauseThen | None, now: ClauseThen | None, *, fail_on_should: bool) -> Change:
    clause = now or before
    assert clause is not None
    had = set() if before is None else set(before.failures)
    has = set() if now is None else set(now.failures)
    appeared, gone = in_order(has - had), in_order(had - has)
    counts = now is not None and (now.status is Status.FAIL or (now.status is Status.WARN and fail_on_should))
    worse = {
        "failed": True,
        "error": True,
        "warned": fail_on_should,
        "changed": counts and bool(appeared),
        "vanished": clause.core and now is not None and now.status is Status.NOT_EXERCISED,
    }.get(kind, False)
    return Change(
        kind=kind,
        clause=clause.id,
        title=clause.title,
        level=clause.level,
        core=clause.core,
        before=None if before is None else before.status,
        now=None if now is None else now.status,
        worse=worse,
        appeared=appeared,
        gone=gone,
    )


def _worse(changes: Sequence[Change], old: PastRun, new: PastRun) -> Iterator[str]:
    """Say what got worse, and how much of it."""
    tally = Counter(change.kind for change in changes if change.worse)
    for kind, told in _WORSE.items():
        if kind in tally:
            yield told.format(count(tally[kind], "core clause" if kind == "vanished" else "clause"))
    if old.verdict is Verdict.CONFORMANT and new.verdict is not Verdict.CONFORMANT:
        yield f"the verdict went from {old.verdict.value} to {new.verdict.value}"


def _outcome(changes: Sequence[Change], worse: Sequence[str], old: PastRun, new: PastRun) -> Outcome:
    if worse:
        return "worse"
    if new.verdict is Verdict.INCONCLUSIVE:
        return "unclear"
    risen = new.verdict is Verdict.CONFORMANT and old.verdict is not Verdict.CONFORMANT
    return "better" if risen or any(change.kind in {"fixed", "exercised"} for change in changes) else "same"


def _notes(old: Snapshot, new: Snapshot) -> Iterator[str]:
    """Say what else differs between the runs: then a change need not be the server's."""
    was, now = old.run, new.run
    for name, before, after in (
        ("targets", was.target, now.target),
        ("paths", was.queue_path or "not told", now.queue_path or "not told"),
        ("dialects", was.dialect, now.dialect),
        ("documents", f"SHA-256 {was.document_sha256[:12]}", f"SHA-256 {now.document_sha256[:12]}"),
        ("versions of the suite", was.suite_version, now.suite_version),
    ):
        if before != after:
            yield f"the {name} differ: {before}, then {after}"
    for which, run, other in (("older", was, new), ("newer", now, old)):
        if run.partial:
            mine = old.clauses if run is was else new.clauses
            missing = sum(name not in mine for name in other.clauses)
            told = f" ({run.selected})" if run.selected else ", cut short"
            left_out = f": {count(missing, 'clause')} not compared" if run.selected and missing else ""
            yield f"the {which} run is partial{told}{left_out}"
