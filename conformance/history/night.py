"""Decide what a night means for the rolling issue: open, update or close it, or do nothing. Pure.

Each problem has a readable key. The body of the issue contains the keys of the known problems in a hidden comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from conformance.history.overview import TargetResult
from conformance.judge.report import Value

AFTER: Final = 3
"""After this many inconclusive nights in a row, there is a problem."""
MOST: Final = 300
"""Maximum number of keys in an issue. If there are more, they are combined to one per target."""
SILENT: Final = "silent"
RUN: Final = "run"
UNTOLD: Final = "failed"
"""The run ended with exit status 1, but reported no problem."""
_KEPT: Final = re.compile(r"<!-- comfy-conformance night (\[.*?\]) -->", re.DOTALL)
_NAME: Final = r"[\w.~:/?#\[\]@!$&'()*+,;=%-]+"
"""What the name of a target in a key may consist of: the characters of a URL."""
_KEY: Final = re.compile(rf"{_NAME}( [\w.:-]+){{1,2}}", re.ASCII)

Action = Literal["open", "update", "close", "nothing"]


class Decision(Value, frozen=True, kw_only=True):
    """What to do after a night.

    ``troubles`` are the keys of all problems, ``appeared`` and ``gone`` the differences to the open issue. ``exit`` is
    1 if this night itself showed a problem. It is 0 for problems that are only still open.
    """

    action: Action
    exit: int
    troubles: tuple[str, ...]
    appeared: tuple[str, ...]
    gone: tuple[str, ...]


def decide(targets: Sequence[TargetResult], known: Collection[str] | None, *, after: int = AFTER) -> Decision:
    """Decide what a night means. ``known`` are the keys of the open issue, or None.

    A night without a verdict on a target changes nothing: known problems stay. After ``after`` of them in a row, that
    is a problem too. A failed run is a problem at once, because the cause is on our side.
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
    """Yield the keys of the problems that this night showed for a target."""
    yield from (f"{one.name} {trouble.key}" for trouble in one.troubles)
    if one.outcome == "error":
        yield f"{one.name} {RUN}"
    elif one.exit == 1 and not one.troubles:
        yield f"{one.name} {UNTOLD}"
    if one.outcome == "inconclusive" and one.nights >= after:
        yield f"{one.name} {SILENT}"


def _of(name: str, keys: Iterable[str]) -> Iterable[str]:
    return (key for key in keys if key.partition(" ")[0] == name)


def is_name(text: str) -> bool:
    """Return whether a target's name can be part of a key."""
    return re.fullmatch(_NAME, text, re.ASCII) is not None


def kept_keys(keys: Iterable[str]) -> str:
    """Return keys in the form for the body of an issue."""
    return f"<!-- comfy-conformance night {json.dumps(list(keys))} -->"


def known_keys(body: str) -> frozenset[str]:
    """Return the keys in the body of an issue; none if they were removed by an edit."""
    found = _KEPT.search(body)
    if found is None:
        return frozenset()
    try:
        keys = json.loads(found[1])
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(key for key in keys[: 2 * MOST] if isinstance(key, str) and _KEY.fullmatch(key))
