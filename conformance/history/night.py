"""What a night means for the one rolling issue: open it, update it, close it, or nothing. Pure.

A trouble has a key of plain words. The keys of an open issue stand in its body, unseen: they say what was known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from conformance.history.overview import TargetResult
from conformance.judge.report import Value

AFTER: Final = 3
"""Nights in a row without a verdict, until that is a trouble of its own."""
MOST: Final = 300
"""Keys that an issue keeps; where there are more, one for each target."""
SILENT: Final = "silent"
RUN: Final = "run"
UNTOLD: Final = "failed"
"""A run that ended with 1 for what no trouble tells of."""
_KEPT: Final = re.compile(r"<!-- comfy-conformance night (\[.*?\]) -->", re.DOTALL)
_KEY: Final = re.compile(r"[\w.-]+( [\w.:-]+){1,2}", re.ASCII)

Action = Literal["open", "update", "close", "nothing"]


class Decision(Value, frozen=True, kw_only=True):
    """What is to be done after a night.

    ``troubles`` are the keys of all that is not well, ``appeared`` and ``gone`` what differs from the open issue.
    ``exit`` is 1 where this night itself showed something: a trouble that is only still open leaves it 0.
    """

    action: Action
    exit: int
    troubles: tuple[str, ...]
    appeared: tuple[str, ...]
    gone: tuple[str, ...]


def decide(targets: Sequence[TargetResult], known: Collection[str] | None, *, after: int = AFTER) -> Decision:
    """Say what a night means. ``known`` are the keys of the open issue, None where none is open.

    A night without a verdict on a target is neutral: what was known of it stays known. After ``after`` of them in a
    row that is a trouble too. A run that failed is one at once: it is ours.
    """
    shown = {key for one in targets for key in _shown(one, after)}
    kept = {key for one in targets if one.outcome in {"inconclusive", "error"} for key in _of(one.name, known or ())}
    kept -= {f"{one.name} {what}" for one in targets for what in (SILENT, RUN, UNTOLD)}
    troubles = shown | kept
    if len(troubles) > MOST:
        shown, troubles = ({f"{key.partition(' ')[0]} several" for key in keys} for keys in (shown, troubles))
    action: Action = "nothing"
    if known is not None:
        action = "update" if troubles else "close"
    elif troubles:
        action = "open"
    return Decision(
        action=action,
        exit=1 if shown else 0,
        troubles=tuple(sorted(troubles)),
        appeared=tuple(sorted(troubles - set(known or ()))),
        gone=tuple(sorted(set(known or ()) - troubles)),
    )


def _shown(one: TargetResult, after: int) -> Iterable[str]:
    """Yield the keys of what this night shows of a target."""
    yield from (f"{one.name} {trouble.key}" for trouble in one.troubles)
    if one.outcome == "error":
        yield f"{one.name} {RUN}"
    elif one.exit == 1 and not one.troubles:
        yield f"{one.name} {UNTOLD}"
    if one.outcome == "inconclusive" and one.nights >= after:
        yield f"{one.name} {SILENT}"


def _of(name: str, keys: Iterable[str]) -> Iterable[str]:
    return (key for key in keys if key.partition(" ")[0] == name)


def kept_keys(keys: Iterable[str]) -> str:
    """Return keys as they are kept in the body of an issue."""
    return f"<!-- comfy-conformance night {json.dumps(list(keys))} -->"


def known_keys(body: str) -> frozenset[str]:
    """Return the keys that the body of an issue keeps; none where somebody has edited them away."""
    found = _KEPT.search(body)
    if found is None:
        return frozenset()
    try:
        keys = json.loads(found[1])
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(key for key in keys[: 2 * MOST] if isinstance(key, str) and _KEY.fullmatch(key))
