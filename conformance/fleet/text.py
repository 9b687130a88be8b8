"""What a fleet came to, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.fleet.tally import FleetTally, Group
from conformance.text.plural import count
from conformance.text.safe import line

SHOWN: Final = 10


def summary(tally: FleetTally) -> Iterator[str]:
    """Yield what is to be said before the headline: what is broken, by how many, and who cannot be reached."""
    clauses = sorted(tally.clauses.items(), key=lambda each: -each[1].number)
    for name, group in clauses[:SHOWN]:
        yield line(f"{group.status.value.upper()} {name}: {count(group.number, 'endpoint')} ({_examples(group)})")
    if len(clauses) > SHOWN:
        yield f"… {count(len(clauses) - SHOWN, 'more clause')} in the overview"
    for reason, unreached in sorted(tally.unreached.items(), key=lambda each: -each[1].number)[:SHOWN]:
        yield line(f"UNREACHABLE {count(unreached.number, 'endpoint')} ({_examples(unreached)}): {reason}")


def _examples(group: Group) -> str:
    return ", ".join(group.names[:2]) + (", …" if group.number > 2 else "")
