"""docs/mutants.md: how many mutants of the clauses are killed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clauses import short
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

A test that cannot fail shows nothing. Mutation testing changes the code of the clauses in one place at a time, and runs
the tests: one must fail. **Of {mutants:,} mutants {killed:,} are killed**, {equivalent:,} are equivalent (they behave
like the original, so no test can fail), and {surviving or "none"} survive. A mutant that does not end counts as killed.

{table(tallies)}
The fast path and the reading of large bodies (`conformance/contract/reading/`) are mutated too, and so is the code that
makes evidence and a verdict of findings (`excerpt`, `outcome`, `tally` and `verdict` in `conformance/judge/`).

## Run it

    tox -e mutants                                 # all modules, two mutants at a time
    .venv/bin/python tests/mutants item queue      # some modules

A surviving mutant fails the run, unless `tests/mutants/equivalent.toml` lists it with the reason why it is equivalent.
An entry of that list fails the run too if its mutant was killed or its line is gone. Results are kept in
`.mutants.jsonl`, so that an interrupted run continues where it stopped.

## What is changed

[Cosmic Ray](https://cosmic-ray.readthedocs.io/) makes the changes: another operator or number, a negated condition, a
loop that never runs, a removed decorator. Three operators of our own change the conditions of comprehensions, `in` and
`not in`. Annotations, and operators that compare identity, are not changed.

The tests are those that need no server and check each clause value by value: `tests/contract/`, and the tests of the
code that the modules share. `tests/mutants/clauses.py` lists the modules and the tests.
"""
