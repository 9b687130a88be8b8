"""docs/mutants.md: how many mutants of the clauses are killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clauses import NOT_TRIED, short
from drive import Tally

DOCS: Final = Path(__file__).parents[2] / "docs" / "mutants.md"


def table(tallies: Mapping[str, Tally]) -> str:
    """Return the figures by module, as a table of Markdown."""
    rows = [
        (short(module), tally.mutants, tally.killed, tally.equivalent, len(tally.surviving))
        for module, tally in tallies.items()
    ]
    total = ("all", *(sum(int(row[place]) for row in rows) for place in range(1, 5)))
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in (*rows, total)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join(["| module | mutants | killed | equivalent | surviving |", "|---|--:|--:|--:|--:|", *lines, ""])


def page(tallies: Mapping[str, Tally]) -> str:
    """Return the page."""
    mutants, killed, equivalent = (
        sum(getattr(tally, name) for tally in tallies.values()) for name in ("mutants", "killed", "equivalent")
    )
    surviving = sum(len(tally.surviving) for tally in tallies.values())
    return f"""# Mutants of the clauses

A test that cannot fail shows nothing. So the code of the clauses is changed, in one place at a time, and the tests are
run: a test has to fail. **Of {mutants:,} mutants {killed:,} are killed**, {equivalent:,} are equivalent (they do what
the module does, so no test can tell), and {surviving or "none"} survive. One that does not end counts as killed.

{table(tallies)}
The changes are [Cosmic Ray's](https://cosmic-ray.readthedocs.io/) (another operator or number, a condition negated, a
loop that never runs, a decorator taken away), and three of our own for the conditions of comprehensions, for `in` and
for `not in`. Left out are annotations, and operators on whether two values are one object. The tests are those that
need no server and say value by value what a clause finds and lets pass: `tests/contract/`, and those of what the
modules share.

The fast path (`conformance/contract/reading/{NOT_TRIED}`) is not tried. It proves bodies good without building them;
what holds it against the clauses, on everything that was recorded and generated, takes minutes: too long for a mutant.

    tox -e mutants                                 # all modules, two mutants at a time
    .venv/bin/python tests/mutants item queue      # some

A mutant that survives fails the run, unless
[`tests/mutants/equivalent.toml`](../tests/mutants/equivalent.toml) lists it with the reason why it is equivalent; so
does an entry of that list that was killed after all, or whose line is gone. What is known is kept in `.mutants.jsonl`,
and a run that was interrupted goes on from there. `tests/mutants/clauses.py` says which modules are tried and which
tests are run.
"""
