"""Describe in words what changed from one run to another."""

from __future__ import annotations

from itertools import groupby, takewhile
from typing import Final

from conformance.judge.report import (
    Change,
    ChangeKind,
    ClauseHistory,
    Diff,
    Fingerprint,
    History,
    Outage,
    PastRun,
)
from conformance.render.words import STATUS, VERDICT, instant, place
from conformance.text.plural import count

KIND: Final[dict[str, str]] = {
    "failed": "Newly failed",
    "warned": "Now with a warning",
    "changed": "Broken in another way",
    "error": "The suite itself failed",
    "vanished": "No longer checked",
    "waived": "Newly waived",
    "fixed": "Fixed",
    "exercised": "Newly checked",
    "added": "New clauses",
    "removed": "Clauses that are gone",
}
UNCHANGED: Final = "no clause changed"


def groups(diff: Diff) -> list[tuple[ChangeKind, list[Change]]]:
    """Return the changes grouped by kind. Kinds that are worse come first."""
    return [(kind, list(group)) for kind, group in groupby(diff.changes, key=lambda change: change.kind)]


def headline(diff: Diff) -> str:
    """Return one line that says whether the newer run is worse or better, and what changed."""
    calm = ", ".join(f"{len(group)} {KIND[kind].lower()}" for kind, group in groups(diff))
    if diff.outage is not None:
        told = f"{not_reached(diff.outage)}; no clauses were compared"
    elif diff.new.unreached is not None:
        told = f"Not reached: {diff.new.unreached}; no clauses were compared"
    elif diff.old.unreached is not None:
        told = "Unclear: the older run did not reach the target; no clauses were compared"
    elif diff.outcome == "worse":
        told = f"Worse: {', '.join(diff.worse)}"
    elif diff.outcome == "better":
        risen = f"the verdict went from {diff.old.verdict.value} to {diff.new.verdict.value}"
        told = f"Better: {', '.join(filter(None, (risen if diff.old.verdict is not diff.new.verdict else '', calm)))}"
    elif diff.outcome == "unclear":
        told = f"Unclear: the newer run is inconclusive ({diff.new.reason}); {calm or UNCHANGED}"
    else:
        told = f"Neither better nor worse: {calm or UNCHANGED}"
    return told


def not_reached(outage: Outage) -> str:
    """Return how long a target has not been reached: ``Not reached since 2026-01-05 (3 nights)``."""
    return f"Not reached since {outage.since.start[:10]} ({count(outage.runs, 'night')})"


def target_name(run: PastRun) -> str:
    """Return the name of a run's target, or its URL if the target has no name."""
    return run.name or ("the embedded reference endpoint" if run.target == "embedded" else run.target)


def since(diff: Diff) -> str:
    """Return the earlier run of a comparison in words: ``Since run 11 of 2026-01-02 03:00:00 UTC``."""
    return f"Since run {diff.old.number} of {instant(diff.old.start)}"


def earlier_status(change: Change) -> str:
    """Return the status of a clause in the earlier run, in words."""
    if change.before is None:
        return "not in the older run"
    return "before: " + STATUS[change.before].lower()


def failure(one: Fingerprint) -> str:
    """Return a failure in words: its place in the response and, if known, its kind."""
    return f"{place(one.place)}{f': {one.kind}' if one.kind else ''}"


def broken_since(clause: ClauseHistory, newest: PastRun) -> str:
    """Return in words since which run a clause is broken; ``""`` if the clause passed when it was last checked."""
    if clause.broken_since is None:
        return ""
    if clause.broken_since.number == newest.number:
        return "new in this run"
    return f"since run {clause.broken_since.number} of {clause.broken_since.start[:10]}"


def line_note(clause: ClauseHistory, newest: PastRun) -> str:
    """Return a short note for a clause: since when it is broken, or when it was last checked.

    It is ``""`` if the clause passed in the newest run.
    """
    if clause.broken_since is not None:
        return broken_since(clause, newest)
    if clause.last_exercised is None:
        return "never checked"
    last = clause.last_exercised
    return "" if last.number == newest.number else f"last checked in run {last.number} of {last.start[:10]}"


def over_time(clause: ClauseHistory, newest: PastRun) -> str:
    """Return since when a clause is broken and when it was last checked, in words."""
    last, status = clause.last_exercised, clause.last_status
    if last is None or status is None:
        return "never checked in this history"
    seen = "" if last.number == newest.number else f"last checked in run {last.number} of {instant(last.start)}"
    if clause.broken_since is None:
        return f"{seen}, and passed then" if seen else "passed when last checked, in this run"
    at = clause.broken_since
    told = "broken for the first time" if at.number == newest.number else f"broken since run {at.number}"
    return ", ".join(filter(None, (f"{told} of {instant(at.start)}", seen)))


def runs_shown(history: History) -> str:
    """Return which runs a page lists: ``The last 30 of 35 runs, latest last``, or ``Both runs, latest last``."""
    if history.total == 1:
        return "One run"
    listed = f"All {history.total:,} runs" if history.total > 2 else "Both runs"
    if history.total > len(history.runs):
        listed = f"The last {len(history.runs)} of {count(history.total, 'run')}"
    return f"{listed}, latest last"


def verdict_since(history: History) -> str:
    """Return how long the verdict has been the same: ``Non-conformant since run 9 of 2026-01-09, in 3 runs``."""
    newest = history.runs[-1]
    if history.outage is not None:
        return not_reached(history.outage)
    same = list(takewhile(lambda run: run.verdict is newest.verdict, reversed(history.runs)))
    told = VERDICT[newest.verdict]
    if len(same) == len(history.runs):
        return f"{told} in {'this run, the only one' if len(same) == 1 else 'all the runs shown'}"
    if len(same) == 1:
        return f"{told} in this run, {VERDICT[history.runs[-2].verdict].lower()} in the one before"
    return f"{told} since run {same[-1].number} of {same[-1].start[:10]}, in {len(same)} runs"
