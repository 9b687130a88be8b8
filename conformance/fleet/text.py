"""The results of many targets as terminal lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.fleet.tally import FEW, FleetTally, Group
from conformance.history.overview import worst_first
from conformance.text.plural import count
from conformance.text.safe import line

SHOWN: Final = 10


def summary(tally: FleetTally) -> Iterator[str]:
    """Yield the lines before the headline: each target if there are few, else the most often broken clauses."""
    if tally.total <= FEW:
        for one in worst_first(tally.few):
            flags = "".join(f" [{flag}]" for flag in one.flags)
            yield line(f"{one.name}: {one.outcome}: {one.reason}{flags}")
        return
    clauses = sorted(tally.clauses.items(), key=lambda each: -each[1].number)
    for name, group in clauses[:SHOWN]:
        yield line(f"{group.status.value.upper()} {name}: {count(group.number, 'target')} ({_examples(group)})")
    if len(clauses) > SHOWN:
        yield f"… {count(len(clauses) - SHOWN, 'more clause')} in the overview"
    for reason, unreached in sorted(tally.unreached.items(), key=lambda each: -each[1].number)[:SHOWN]:
        yield line(f"UNREACHABLE {count(unreached.number, 'target')} ({_examples(unreached)}): {reason}")


def _examples(group: Group) -> str:
    return ", ".join(group.names[:2]) + (", …" if group.number > 2 else "")
