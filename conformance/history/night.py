"""Decide after a nightly run whether to open, update or close its GitHub issue, or do nothing. Does no I/O.

Each problem has a readable id, its key. The body of the issue lists the keys of the known problems in an HTML comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from conformance.history.night_results import TargetResult
from conformance.judge.report import Value

AFTER: Final = 3
"""After this many inconclusive nightly runs in a row, a target counts as a problem."""
MOST: Final = 300
"""Maximum number of keys in an issue. If there are more problems, all problems of a target get one common key."""
SILENT: Final = "silent"
"""The name under which the decision lists a target that had no verdict in several successive nightly runs."""
RUN: Final = "run"
"""The key of a target that could not be checked, because the run itself failed."""
UNTOLD: Final = "failed"
"""The key of a run that ended with exit status 1, but reported no problem."""
_KEPT: Final = re.compile(r"<!-- comfy-conformance night (\[.*?\]) -->", re.DOTALL)
_NAME: Final = r"[\w.~:/?#\[\]@!$&'()*+,;=%-]+"
"""The allowed characters of a target's name in a key: those of a URL."""
_KEY: Final = re.compile(rf"{_NAME}( [\w.:-]+){{1,2}}", re.ASCII)

Action = Literal["open", "update", "close", "nothing"]


class Decision(Value, frozen=True, kw_only=True):
    """What to do after a nightly run.

    ``troubles`` are the keys of all problems. ``appeared`` are the keys that the open issue lacks, and ``gone`` the
    keys in the issue whose problems no longer exist. ``exit`` is 1 if this nightly run itself showed a problem, and 0
    if it only could not check known problems again.
    """

    action: Action
    exit: int
    troubles: tuple[str, ...]
    appeared: tuple[str, ...]
    gone: tuple[str, ...]


def decide(targets: Sequence[TargetResult], known: Collection[str] | None, *, after: int = AFTER) -> Decision:
    """Decide what to do with the GitHub issue. ``known`` are the keys in the open issue; None if no issue is open.

    An inconclusive run of a target changes nothing: its known problems stay. After ``after`` inconclusive runs in a
    row, this becomes a problem too. If the suite itself failed and could not check a target, this is a problem at once.
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
    """Yield the keys of the problems that this nightly run showed in a target."""
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
    """Return an HTML comment with keys, for the body of an issue."""
    return f"<!-- comfy-conformance night {json.dumps(list(keys))} -->"


def known_keys(body: str) -> frozenset[str]:
    """Return the keys in the body of an issue. The set is empty if somebody removed the HTML comment with the keys."""
    found = _KEPT.search(body)
    if found is None:
        return frozenset()
    try:
        keys = json.loads(found[1])
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(key for key in keys[: 2 * MOST] if isinstance(key, str) and _KEY.fullmatch(key))
