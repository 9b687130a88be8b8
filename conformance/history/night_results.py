"""The results of many targets: the result of each target, and how many targets have which outcome. Does no I/O."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from typing import Final, Literal, get_args

from conformance.judge.report import Counts, Fingerprint, PastRun, Status, Value, Verdict, Waiver
from conformance.problems import (
    EXIT_CONFORMANT,
    EXIT_INCONCLUSIVE,
    EXIT_INTERNAL,
    EXIT_NON_CONFORMANT,
    EXIT_USAGE,
)
from conformance.version import __version__

TargetOutcome = Literal["non-conformant", "error", "inconclusive", "conformant"]
"""The outcomes of a target's run, worst first. ``error``: the run failed, so the target was not checked."""

WORST_FIRST: Final = (EXIT_NON_CONFORMANT, EXIT_INTERNAL, EXIT_USAGE, EXIT_INCONCLUSIVE, EXIT_CONFORMANT)
"""Exit statuses by priority. The exit status of a run over many targets is the first status in this list that any
target has.
"""

NAMED: Final = 5
"""Maximum number of targets whose names are shown next to the number of targets."""


NightState = Literal["broken", "warned", "inconclusive", "not-reached", "conformant"]
"""The results of a target in one nightly run, worst first."""
_IN_A_LIST: Final = re.compile("^/queue_(?:running|pending)(?=/)")
"""Matches the list that contains a job. It is left out of a problem's key, because a pending job runs later."""


class BrokenClause(Value, frozen=True, kw_only=True):
    """A clause that a target broke, or whose check failed in the suite."""

    id: str
    title: str
    status: Status


class Trouble(Value, frozen=True, kw_only=True):
    """A problem of a target. ``key`` is a readable id that stays the same as long as the problem does.

    ``whose`` says where the problem is: in the server, in the register of known deviations, or in the suite itself.
    ``since`` is the start of the run since which the clause is broken; None if that is not known.
    """

    key: str
    clause: str
    told: str
    whose: Literal["server", "register", "suite"]
    since: str | None = None


class TargetResult(Value, frozen=True, kw_only=True):
    """The result of one target's run.

    ``exit`` is the exit status of this run: 3 if it failed or was stopped. ``report`` is the path of its report below
    the directory of the overview, or None.

    ``troubles`` are the reasons for exit status 1, and failures of the suite itself. From a history come ``nights``,
    the number of inconclusive runs in a row up to this one, and ``changed``, what changed since the previous run if
    both runs have a verdict.

    ``unreached`` says why the target was not reached. From a history come ``unreached_since``, when the first of the
    runs in a row that did not reach it started, and ``unreached_nights``, the number of these runs. ``compared`` says
    whether the history has an earlier run that reached the target. ``newly`` and ``mended`` are ids of clauses that
    broke or were fixed since that run, and ``notes`` are other changes, such as the URL. ``strip`` has the results of
    the last nightly runs, oldest first.
    """

    name: str
    target: str
    dialect: str
    outcome: TargetOutcome
    reason: str
    exit: int
    start: str | None = None
    end: str | None = None
    counts: Counts | None = None
    broken: tuple[BrokenClause, ...] = ()
    flags: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    nights: int = 0
    changed: str | None = None
    report: str | None = None
    unreached: str | None = None
    unreached_since: str | None = None
    unreached_nights: int = 0
    compared: bool = False
    newly: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    strip: tuple[NightState, ...] = ()


class Outcomes:
    """Counts targets by outcome and exit status. It stores no results, so that it can count any number of targets."""

    def __init__(self, targets: Iterable[TargetResult] = ()) -> None:
        self.outcomes: Counter[TargetOutcome] = Counter()
        self.exits: Counter[int] = Counter()
        self.first: dict[TargetOutcome, list[str]] = {outcome: [] for outcome in get_args(TargetOutcome)}
        """The names of the first ``NAMED`` targets with each outcome."""
        self.failed_otherwise: list[str] = []
        """Names of targets with exit status 1 whose outcome is not ``non-conformant``: at most ``NAMED`` + 1."""
        for target in targets:
            self.count(target)

    def count(self, target: TargetResult) -> None:
        """Count a target."""
        self.outcomes[target.outcome] += 1
        self.exits[target.exit] += 1
        if len(self.first[target.outcome]) < NAMED:
            self.first[target.outcome].append(target.name)
        if target.exit == 1 and target.outcome != "non-conformant" and len(self.failed_otherwise) <= NAMED:
            self.failed_otherwise.append(target.name)

    @property
    def total(self) -> int:
        """The number of targets."""
        return self.outcomes.total()

    @property
    def exit(self) -> int:
        """The overall exit status: the first of WORST_FIRST that any target has."""
        return next((status for status in WORST_FIRST if self.exits[status]), 0)

    @property
    def outcome(self) -> TargetOutcome:
        """The worst outcome of any target."""
        return next(outcome for outcome in get_args(TargetOutcome) if self.outcomes[outcome] or outcome == "conformant")


@dataclass(frozen=True)
class Overview:
    """The results of one nightly run, with the start of its first check and the end of its last check."""

    start: str
    end: str
    targets: tuple[TargetResult, ...]
    suite_version: str = __version__


def trouble_key(clause: str, marks: Iterable[Fingerprint]) -> str:
    """Return the key of a problem: the id of the broken clause, and a hash of the places and kinds of its failures."""
    ways = repr(sorted({(_IN_A_LIST.sub("/*", mark.place or ""), mark.kind) for mark in marks}))
    return f"{clause} {sha256(ways.encode()).hexdigest()[:8]}"


def night_state(run: PastRun) -> NightState:
    """Return the result of a run as the chart of nightly runs shows it."""
    return state_of(run.verdict, reached=run.unreached is None, warned=run.counts.warn > 0)


def state_of(verdict: str, *, reached: bool, warned: bool) -> NightState:
    """Return the result of a run as the chart of nightly runs shows it."""
    if not reached:
        return "not-reached"
    if verdict == Verdict.CONFORMANT:
        return "warned" if warned else "conformant"
    return "broken" if verdict == Verdict.NON_CONFORMANT else "inconclusive"


def inconclusive_in_a_row(verdicts: Sequence[str]) -> int:
    """Return how many of the newest runs in a row had no verdict. The newest one is the last."""
    return sum(1 for _ in takewhile(lambda verdict: verdict == Verdict.INCONCLUSIVE, reversed(verdicts)))


def worst_first(targets: Iterable[TargetResult]) -> list[TargetResult]:
    """Return targets with the worst outcomes first. Targets with the same outcome keep their order."""
    order = get_args(TargetOutcome)
    return sorted(targets, key=lambda one: order.index(one.outcome))
