"""The digest of many targets, which an operator reads first. Pure.

It has five lists (broken now, newly broken, fixed, not reached, waivers that expire soon), then groups of targets that
fail in the same way, then the rest. It is made from the results of a night or a period, for the top of every overview.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from typing import Final, Literal, TypeVar
from urllib.parse import urlsplit

from conformance.history.overview import TargetResult, Trouble
from conformance.judge.deviations.review import SOON
from conformance.judge.report import Status, Value

GroupKind = Literal["broken", "error", "inconclusive", "not-reached"]
"""Kinds of groups, worst first. Error: the run failed, so the target was not checked."""
K = TypeVar("K", bound=Hashable)
_ORDER: Final[tuple[GroupKind, ...]] = ("broken", "error", "inconclusive", "not-reached")


class ChangedTarget(Value, frozen=True, kw_only=True):
    """A target in which clauses broke or were fixed."""

    name: str
    clauses: tuple[str, ...]


class AwayTarget(Value, frozen=True, kw_only=True):
    """A target that is not reached, since when, and for how many nights in a row."""

    name: str
    since: str | None
    nights: int


class ExpiringWaiver(Value, frozen=True, kw_only=True):
    """A waiver that expires soon, and its targets."""

    clause: str
    expires: str
    owner: str
    names: tuple[str, ...]


class Alike(Value, frozen=True, kw_only=True):
    """Targets that fail in the same way. ``troubles`` are those of the first one; without any, ``reason`` says why.

    ``since`` is the earliest start of a run since which one of the clauses is broken in one of the targets.
    """

    kind: GroupKind
    names: tuple[str, ...]
    troubles: tuple[Trouble, ...]
    reason: str
    since: str | None


class Noted(Value, frozen=True, kw_only=True):
    """Another change, such as a new URL or version of the suite, and the targets with it."""

    text: str
    names: tuple[str, ...] = ()


class Digest(Value, frozen=True, kw_only=True):
    """The summary of many targets. All members except ``rest`` are about targets with problems; names are sorted.

    ``left_out`` are targets without a run in the period.
    """

    start: str
    end: str
    targets: int
    broken: tuple[str, ...]
    newly: tuple[ChangedTarget, ...]
    mended: tuple[ChangedTarget, ...]
    unreached: tuple[AwayTarget, ...]
    waivers: tuple[ExpiringWaiver, ...]
    groups: tuple[Alike, ...]
    rest: tuple[str, ...]
    notes: tuple[Noted, ...]
    left_out: tuple[str, ...] = ()


def digest(
    targets: Sequence[TargetResult], *, start: str, end: str, left_out: Sequence[str] = (), said: Sequence[str] = ()
) -> Digest:
    """Return the digest of results between two times. ``said`` are notes that come first."""
    groups = [_alike(kind, members) for (kind, _), members in _grouped(targets, _group_of).items() if kind]
    known = [Noted(text=text) for text in said]
    notes = _collected((note, one.name) for one in targets for note in one.notes)
    return Digest(
        start=start,
        end=end,
        targets=len(targets),
        broken=tuple(one.name for one in targets if _is_broken(one)),
        newly=tuple(ChangedTarget(name=one.name, clauses=one.newly) for one in targets if one.newly),
        mended=tuple(ChangedTarget(name=one.name, clauses=one.mended) for one in targets if one.mended),
        unreached=tuple(
            AwayTarget(name=one.name, since=one.unreached_since, nights=one.unreached_nights)
            for one in targets
            if one.unreached is not None
        ),
        waivers=tuple(_expiring(targets, _day(end))),
        groups=tuple(sorted(groups, key=lambda group: (_ORDER.index(group.kind), -len(group.names)))),
        rest=tuple(one.name for one in targets if _group_of(one)[0] is None),
        notes=(*known, *(Noted(text=text, names=names) for text, names in notes.items())),
        left_out=tuple(left_out),
    )


def is_mended(before: Status | None, now: Status | None) -> bool:
    """Whether a clause that failed is known to pass now."""
    return before is Status.FAIL and now is Status.PASS


def _is_broken(one: TargetResult) -> bool:
    return one.outcome == "non-conformant" or (one.exit == 1 and one.unreached is None)


def _group_of(one: TargetResult) -> tuple[GroupKind | None, Hashable]:
    """Return what identifies targets that fail in the same way; None for a target without problems."""
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
    """Return a reason without the host and port, which differ between targets."""
    parts = urlsplit(url)
    for own in filter(None, (url, parts.netloc, parts.hostname)):
        reason = reason.replace(own, "…")
    return re.sub(r"\d{2,}", "…", reason)


def _grouped(targets: Iterable[TargetResult], key: Callable[[TargetResult], K]) -> dict[K, list[TargetResult]]:
    found: dict[K, list[TargetResult]] = {}
    for one in targets:
        found.setdefault(key(one), []).append(one)
    return found


def _alike(kind: GroupKind | None, members: Sequence[TargetResult]) -> Alike:
    assert kind is not None
    first = members[0]
    times = [trouble.since for one in members for trouble in one.troubles if trouble.since is not None]
    if kind == "not-reached":
        times = [one.unreached_since for one in members if one.unreached_since is not None]
    return Alike(
        kind=kind,
        names=tuple(one.name for one in members),
        troubles=first.troubles,
        reason=first.reason,
        since=min(times, default=None),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _expiring(targets: Iterable[TargetResult], today: date | None) -> Iterable[ExpiringWaiver]:
    """Yield the waivers that expire within two weeks, soonest first."""
    found = _collected(
        ((waiver.expires, waiver.clause, waiver.owner), one.name) for one in targets for waiver in one.waivers
    )
    for (expires, clause, owner), names in sorted(found.items()):
        last = _day(expires)
        if today is not None and last is not None and today <= last <= today + SOON:
            yield ExpiringWaiver(clause=clause, expires=expires, owner=owner, names=names)


def _collected(pairs: Iterable[tuple[K, str]]) -> dict[K, tuple[str, ...]]:
    found: dict[K, dict[str, None]] = {}
    for key, name in pairs:
        found.setdefault(key, {})[name] = None
    return {key: tuple(names) for key, names in found.items()}
