"""The part of a report that comes from a history: past runs, what changed between two of them, and since when."""

from __future__ import annotations

from typing import Literal

from conformance.judge.statuses import Counts, Fingerprint, Status, Value, Verdict

ChangeKind = Literal[
    "failed", "warned", "changed", "error", "vanished", "waived", "fixed", "exercised", "added", "removed"
]
"""How the result of a clause changed between two runs, the worst change first."""


OverTimeOutcome = Literal["worse", "better", "same", "unclear"]
"""How a run compares with an earlier one. It is unclear if nothing got worse but the newer run is inconclusive."""


class PastRun(Value, frozen=True, kw_only=True):
    """A run in a history of runs. ``number`` is its number in the history, or 0 if it is not in a history.

    ``failed_on_should`` says that warnings made the exit status 1 (``--fail-on-should``). ``p50`` and ``p95`` are the
    median and the 95th percentile of response times in seconds, None without responses. ``name`` is the name of the
    target, None if it has none. ``unreached`` says why the target was not reached, None if it was.
    """

    number: int
    target: str
    queue_path: str
    dialect: str
    start: str
    end: str
    verdict: Verdict
    reason: str
    partial: bool
    selected: str | None
    suite_version: str
    edition: int
    document_sha256: str
    counts: Counts
    failed_on_should: bool = False
    p50: float | None = None
    p95: float | None = None
    name: str | None = None
    read_as: str | None = None
    unreached: str | None = None


class RunAt(Value, frozen=True, kw_only=True):
    """The number of a run in a history, and its start as an RFC 3339 time."""

    number: int
    start: str


class Outage(Value, frozen=True, kw_only=True):
    """The latest consecutive runs that did not reach the target: the first of them, and their number."""

    since: RunAt
    runs: int


class Span(Value, frozen=True, kw_only=True):
    """Consecutive runs in which a clause had the same status. The status is None if they did not check the clause."""

    status: Status | None
    runs: int


class ClauseHistory(Value, frozen=True, kw_only=True):
    """The results of a clause over the runs of a history.

    ``spans`` covers the listed runs, oldest first. The other members cover the whole history: the last run that checked
    the clause, the status of the clause in that run, and, if that run broke it, the run since which it has been broken.
    """

    spans: tuple[Span, ...]
    last_exercised: RunAt | None
    last_status: Status | None
    broken_since: RunAt | None


class Change(Value, frozen=True, kw_only=True):
    """How the result of one clause changed between two runs.

    ``before`` and ``now`` are its statuses, None if the run does not have the clause. ``appeared`` are the fingerprints
    that only the newer run has, and ``gone`` those that only the older run has.
    """

    kind: ChangeKind
    clause: str
    title: str
    level: Literal["must", "should", "info"]
    core: bool
    before: Status | None
    now: Status | None
    worse: bool
    appeared: tuple[Fingerprint, ...] = ()
    gone: tuple[Fingerprint, ...] = ()


class Diff(Value, frozen=True, kw_only=True):
    """What changed from one run to another.

    ``notes`` has other differences between the runs, such as another dialect, which may explain changes. ``worse`` says
    in words what got worse. ``outage`` is set if the newer run did not reach the target. Then no clause is compared.
    """

    old: PastRun
    new: PastRun
    outcome: OverTimeOutcome
    notes: tuple[str, ...]
    worse: tuple[str, ...]
    changes: tuple[Change, ...]
    outage: Outage | None = None


class History(Value, frozen=True, kw_only=True):
    """The last runs of a target, oldest first. The last one is the run of this report.

    A target is identified by its name, or if it has none, by its URL, path and dialect. ``total`` counts all of its
    runs in the history. ``diff`` compares this run with the last complete run before it that reached the target.
    """

    runs: tuple[PastRun, ...]
    total: int
    clauses: dict[str, ClauseHistory]
    diff: Diff | None
    outage: Outage | None = None
