"""The digest: the summary of many targets after a nightly run or over a period, for an operator. Does no I/O.

It has five lists (broken now, newly broken, fixed, not reached, waivers that expire soon), then groups of targets that
fail in the same way, then the rest. It is shown at the top of every overview. Results are read one by one, and only a
small part of each is kept.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from conformance.history.night_results import NightState, TargetResult, Trouble
from conformance.judge.deviations.review import SOON
from conformance.judge.report import Status, Value

GroupKind = Literal["broken", "error", "inconclusive", "not-reached"]
"""The kinds of groups of targets, worst first. In a group ``error``, the runs failed, so the targets were not checked.
"""
LISTED: Final = 10_000
"""Maximum number of targets in a list. Further targets are only counted."""
MOST_GROUPS: Final = 2000
"""Maximum number of groups of targets. Targets of further groups are only counted."""
T = TypeVar("T")
_ORDER: Final[tuple[GroupKind, ...]] = ("broken", "error", "inconclusive", "not-reached")


@dataclass
class FirstItems(Generic[T]):
    """The first items of a list, and the number of all items."""

    number: int = 0
    first: list[T] = field(default_factory=list)

    def add(self, item: T) -> None:
        """Count an item, and keep it unless the list already has ``LISTED`` items."""
        self.number += 1
        if self.number <= LISTED:
            self.first.append(item)


class Member(Value, frozen=True, kw_only=True):
    """A target in a group: its name, its URL, the page of its report, and the results of its last nightly runs."""

    name: str
    target: str
    report: str | None = None
    strip: tuple[NightState, ...] = ()


class ChangedTarget(Value, frozen=True, kw_only=True):
    """A target on which clauses newly broke or were fixed."""

    name: str
    clauses: tuple[str, ...]


class AwayTarget(Value, frozen=True, kw_only=True):
    """A target that was not reached: since when, and for how many nightly runs in a row.

    Without a history both are unknown: ``since`` is None, and ``nights`` is 0.
    """

    name: str
    since: str | None
    nights: int


class ExpiringWaiver(Value, frozen=True, kw_only=True):
    """A waiver in a register of known deviations that expires soon."""

    expires: str
    clause: str
    owner: str


@dataclass
class Alike:
    """A group of targets that fail in the same way. ``troubles`` are the problems of the first target.

    If there are none, ``reason`` says why the first target's run failed. ``since`` is the earliest time since which one
    of the clauses is known to be broken on one of the targets. It is None if that is not known, as in the first run of
    a history.
    """

    kind: GroupKind
    troubles: tuple[Trouble, ...]
    reason: str
    since: str | None = None
    members: FirstItems[Member] = field(default_factory=FirstItems)

    def add(self, one: TargetResult) -> None:
        """Add a target to the group."""
        self.members.add(_member(one))
        times = [trouble.since for trouble in one.troubles if one.compared]
        if self.kind == "not-reached":
            times = [one.unreached_since]
        self.since = min(filter(None, (self.since, *times)), default=None)


@dataclass
class Digest:
    """The summary of many targets. All lists except ``rest`` are about targets with problems; names are sorted.

    ``history`` says whether any target has a history. ``compared`` is the number of targets that were compared with an
    earlier run; what changed on the ``uncompared`` targets is unknown. ``notes`` are other changes and ``flags``
    qualifiers of verdicts, with their targets. ``ungrouped`` is the number of targets that fail in further ways, beyond
    MOST_GROUPS. ``left_out`` are targets without a run in the period.
    """

    start: str
    end: str
    targets: int = 0
    broken: FirstItems[str] = field(default_factory=FirstItems)
    newly: FirstItems[ChangedTarget] = field(default_factory=FirstItems)
    mended: FirstItems[ChangedTarget] = field(default_factory=FirstItems)
    unreached: FirstItems[AwayTarget] = field(default_factory=FirstItems)
    waivers: dict[ExpiringWaiver, FirstItems[str]] = field(default_factory=dict)
    groups: list[Alike] = field(default_factory=list)
    ungrouped: int = 0
    rest: FirstItems[Member] = field(default_factory=FirstItems)
    notes: dict[str, FirstItems[str]] = field(default_factory=dict)
    flags: dict[str, FirstItems[str]] = field(default_factory=dict)
    history: bool = False
    compared: int = 0
    uncompared: FirstItems[str] = field(default_factory=FirstItems)
    left_out: tuple[str, ...] = ()


def digest(
    targets: Iterable[TargetResult], *, start: str, end: str, left_out: Sequence[str] = (), said: Sequence[str] = ()
) -> Digest:
    """Return the digest of results between two times. ``said`` are notes to put before all other notes."""
    made = Digest(start, end, left_out=tuple(left_out), notes={text: FirstItems() for text in said})
    groups: dict[Hashable, Alike] = {}
    for one in targets:
        _add(made, one)
        kind, key = _group_of(one)
        if kind is None:
            made.rest.add(_member(one))
        elif (kind, key) in groups or len(groups) < MOST_GROUPS:
            groups.setdefault((kind, key), Alike(kind, one.troubles, one.reason)).add(one)
        else:
            made.ungrouped += 1
    made.groups = [*groups.values()]
    _sort(made)
    return made


def is_mended(before: Status | None, now: Status | None) -> bool:
    """Whether a clause failed before and is known to pass now."""
    return before is Status.FAIL and now is Status.PASS


def _add(made: Digest, one: TargetResult) -> None:
    """Add a target to all lists of the digest to which it belongs."""
    made.targets += 1
    made.history = made.history or bool(one.strip)
    if _is_broken(one):
        made.broken.add(one.name)
    if one.newly:
        made.newly.add(ChangedTarget(name=one.name, clauses=one.newly))
    if one.mended:
        made.mended.add(ChangedTarget(name=one.name, clauses=one.mended))
    if one.unreached is not None:
        made.unreached.add(AwayTarget(name=one.name, since=one.unreached_since, nights=one.unreached_nights))
    elif one.compared:
        made.compared += 1
    elif one.outcome != "error":
        made.uncompared.add(one.name)
    for waiver in dict.fromkeys(_expiring(one, _day(made.end))):
        _collect(made.waivers, waiver, one.name)
    for note in one.notes:
        _collect(made.notes, note, one.name)
    for flag in one.flags if one.unreached is None else ():
        _collect(made.flags, flag, one.name)


def _collect(into: dict[T, FirstItems[str]], key: T, name: str) -> None:
    if key in into or len(into) < MOST_GROUPS:
        into.setdefault(key, FirstItems()).add(name)


def _sort(made: Digest) -> None:
    """Sort the lists by name, and the groups by kind and size."""
    for names in (made.broken, made.uncompared, *made.waivers.values(), *made.notes.values(), *made.flags.values()):
        names.first.sort(key=_natural)
    for changed in (made.newly, made.mended):
        changed.first.sort(key=_by_name)
    made.unreached.first.sort(key=_by_name)
    for members in (made.rest, *(group.members for group in made.groups)):
        members.first.sort(key=_by_name)
    made.groups.sort(key=lambda one: (_ORDER.index(one.kind), -one.members.number, _by_name(one.members.first[0])))
    made.notes, made.flags = _frequent_first(made.notes), _frequent_first(made.flags)
    made.waivers = dict(sorted(made.waivers.items(), key=lambda each: (each[0].expires, each[0].clause)))


def _by_name(one: Member | ChangedTarget | AwayTarget) -> list[tuple[int, str]]:
    return _natural(one.name)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts names by the numbers in them: worker-9 before worker-10."""
    parts = re.split("([0-9]+)", name)
    return [(len(part.lstrip("0")) if place % 2 else 0, part) for place, part in enumerate(parts)]


def _frequent_first(notes: dict[str, FirstItems[str]]) -> dict[str, FirstItems[str]]:
    """Sort notes: first those about the whole run, then the others by the number of their targets."""
    return dict(sorted(notes.items(), key=lambda each: (each[1].number > 0, -each[1].number)))


def _member(one: TargetResult) -> Member:
    return Member(name=one.name, target=one.target, report=one.report, strip=one.strip)


def _is_broken(one: TargetResult) -> bool:
    return one.outcome == "non-conformant" or (one.exit == 1 and one.unreached is None)


def _group_of(one: TargetResult) -> tuple[GroupKind | None, Hashable]:
    """Return a key that is equal for targets that fail in the same way; None for a target without problems."""
    if one.outcome == "error":
        return "error", one.reason
    if one.unreached is not None:
        return "not-reached", _without_host(one.unreached, one.target)
    if _is_broken(one) or one.troubles:
        return "broken", frozenset(trouble.key for trouble in one.troubles) or one.reason
    if one.outcome == "inconclusive":
        return "inconclusive", _without_host(one.reason, one.target)
    return None, None


def _without_host(reason: str, url: str) -> str:
    """Return why a target has no verdict, without URL, host and long numbers: the same for targets that fail alike."""
    parts = urlsplit(url)
    for own in filter(None, (url, parts.netloc, parts.hostname)):
        reason = reason.replace(own, "…")
    return re.sub(r"\d{2,}", "…", reason)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _expiring(one: TargetResult, today: date | None) -> Iterator[ExpiringWaiver]:
    """Yield the waivers that expire within two weeks."""
    for waiver in one.waivers:
        last = _day(waiver.expires)
        if today is not None and last is not None and today <= last <= today + SOON:
            yield ExpiringWaiver(expires=waiver.expires, clause=waiver.clause, owner=waiver.owner)
