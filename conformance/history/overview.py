"""What the runs of many targets came to: each target, and their outcomes in numbers. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, get_args

from conformance.judge.report import Counts, Fingerprint, PastRun, Status, Value, Verdict, Waiver
from conformance.version import __version__

Outcome = Literal["non-conformant", "error", "inconclusive", "conformant"]
"""Of a target, the worst first. Error: the run of it failed, which says nothing about the target."""

WORST_FIRST: Final = (1, 3, 4, 10, 0)
"""Exit statuses of an overview: that of the whole is the first that any target has."""

NAMED: Final = 5
"""Targets that are named where their number is said."""


NightState = Literal["broken", "warned", "inconclusive", "not-reached", "conformant"]
"""What one night showed of a target, the worst first."""
_IN_A_LIST: Final = re.compile("^/queue_(?:running|pending)(?=/)")
"""What runs tonight may have been pending yesterday: the list in which a failure shows makes no other trouble of it."""


class BrokenClause(Value, frozen=True, kw_only=True):
    """A clause that a target broke, or upon which the suite broke."""

    id: str
    title: str
    status: Status


class Trouble(Value, frozen=True, kw_only=True):
    """What keeps a target from being well. ``key`` is plain words that stay the same as long as the trouble does.

    ``whose`` says where to look: at the server, at the register of known deviations, or at the suite itself. ``since``
    is the start of the run since which the clause is broken, None if no history says so.
    """

    key: str
    clause: str
    told: str
    whose: Literal["server", "register", "suite"]
    since: str | None = None


class TargetResult(Value, frozen=True, kw_only=True):
    """What the run of one target came to.

    ``exit`` is the status that the run of this target alone ends with: 3 where it failed or was stopped. ``report`` is
    the path of its page below the overview, None where it left none.

    ``troubles`` are what its exit status is 1 for, or what the suite itself failed on. Of a history come ``nights``,
    the runs in a row, up to this one, that were inconclusive, and ``changed``, what changed since the run before, where
    both have a verdict.

    ``unreached`` says why the target was not reached, with the start of the first such run in a row and their number.
    ``newly`` and ``mended`` are ids of clauses that broke, or were mended, since the last run that reached the target.
    ``notes`` say what else changed since then, such as the URL. ``strip`` is what the last nights showed, oldest first.
    """

    name: str
    target: str
    dialect: str
    outcome: Outcome
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
    newly: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    strip: tuple[NightState, ...] = ()


class Outcomes:
    """Counts targets by outcome and exit status. Its memory does not grow with their number."""

    def __init__(self, targets: Iterable[TargetResult] = ()) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.exits: Counter[int] = Counter()
        self.first: dict[Outcome, list[str]] = {outcome: [] for outcome in get_args(Outcome)}
        """The names of the first NAMED targets with each outcome."""
        self.failed_otherwise: list[str] = []
        """The names of the first targets that end with 1 though they are not non-conformant, one more than NAMED."""
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
        """How many targets there are."""
        return self.outcomes.total()

    @property
    def exit(self) -> int:
        """The exit status of the whole: the first of WORST_FIRST that any target has."""
        return next((status for status in WORST_FIRST if self.exits[status]), 0)

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of any target."""
        return next(outcome for outcome in get_args(Outcome) if self.outcomes[outcome] or outcome == "conformant")


@dataclass(frozen=True)
class Overview:
    """The targets of one night, and when the first of their runs began and the last one ended."""

    start: str
    end: str
    targets: tuple[TargetResult, ...]
    suite_version: str = __version__


def trouble_key(clause: str, marks: Iterable[Fingerprint]) -> str:
    """Return the key of a clause that is broken in these ways."""
    ways = repr(sorted({(_IN_A_LIST.sub("/*", mark.place or ""), mark.kind) for mark in marks}))
    return f"{clause} {sha256(ways.encode()).hexdigest()[:8]}"


def night_state(run: PastRun) -> NightState:
    """Return what a run showed of its target."""
    return state_of(run.verdict, reached=run.unreached is None, warned=run.counts.warn > 0)


def state_of(verdict: str, *, reached: bool, warned: bool) -> NightState:
    """Return what a run showed of its target."""
    if not reached:
        return "not-reached"
    if verdict == Verdict.CONFORMANT:
        return "warned" if warned else "conformant"
    return "broken" if verdict == Verdict.NON_CONFORMANT else "inconclusive"


def worst_first(targets: Iterable[TargetResult]) -> list[TargetResult]:
    """Return targets as a reader wants them; those with the same outcome stay in their order."""
    order = get_args(Outcome)
    return sorted(targets, key=lambda one: order.index(one.outcome))
