"""docs/mutants.md: how many mutants of each module are killed, and which modules changed since they were measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from clauses import GROUND, short
from figures import Figures, digest_of_code, read

DOCS: Final = Path(__file__).parents[2] / "docs" / "mutants.md"


def table(figures: Mapping[str, Figures]) -> str:
    """Return the figures by module as a Markdown table."""
    rows = [
        (short(module), found.mutants, found.killed, found.equivalent, found.surviving)
        for module, found in figures.items()
    ]
    total = ("all", *(sum(int(row[place]) for row in rows) for place in range(1, 5)))
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in (*rows, total)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join(["| module | mutants | killed | equivalent | surviving |", "|---|--:|--:|--:|--:|", *lines, ""])


def current_page() -> str:
    """Return the page for the modules as they are now."""
    return page(read(), {name: path.read_text(encoding="utf-8") for name, path in GROUND.modules.items()})


def page(figures: Mapping[str, Figures], sources: Mapping[str, str]) -> str:
    """Return the page. ``sources`` has the source of each module. Figures of another source are not shown."""
    current = {
        name: figures[name]
        for name, source in sources.items()
        if name in figures and figures[name].code == digest_of_code(source)
    }
    mutants, killed, equivalent, surviving = (
        sum(getattr(found, count) for found in current.values())
        for count in ("mutants", "killed", "equivalent", "surviving")
    )
    changed = [name for name in sources if name in figures and name not in current]
    never = [name for name in sources if name not in figures]
    missing = _listed("Changed since they were measured, so without current figures", changed)
    missing += _listed("No figures yet", never)
    return f"""# Mutants

A test that cannot fail shows nothing. Mutation testing changes the code in one place at a time and runs the tests: one
must fail. It covers the code that decides a verdict: the clauses, the parsing of bodies with its fast path, and the
part of the judge that turns findings into evidence, statuses and a verdict.

**{len(current)} of {len(sources)} modules have been measured as they are now. Of their {mutants:,} mutants {killed:,}
are killed**, {equivalent:,} are equivalent (they behave like the original, so no test can fail), and
{surviving or "none"} survive. A mutant that does not end counts as killed.

{table(current)}
{missing}## Run it

    tox -e mutants                                        # all modules, two mutants at a time
    .venv/bin/python tests/mutants item queue             # some modules
    .venv/bin/python tests/mutants item queue --near      # only with the tests of these modules, which is quicker
    .venv/bin/python tests/mutants item queue --docs      # also write their figures on this page

A surviving mutant fails the run, unless `tests/mutants/equivalent.toml` lists it with the reason why it is equivalent.
An entry of that list fails the run too if its mutant was killed or its line is gone. Results are kept in
`.mutants.jsonl`, so that an interrupted run continues where it stopped. `tests/mutants/figures.json` keeps the figures
of each module, and `tox -e docs` moves a module that has changed to the list below the table.

## What is changed

[Cosmic Ray](https://cosmic-ray.readthedocs.io/) makes the changes: another operator or number, a negated condition, a
loop that never runs, a removed decorator. Four operators of our own change the conditions of comprehensions, `in`,
`not in`, and the exceptions that a handler catches. Annotations, and operators that compare identity, are not changed.

First run the tests about the module, then all tests that need no server and check each clause value by value:
`tests/contract/`, and the tests of the code that the modules share. `tests/mutants/clauses.py` lists the modules and
the tests.
"""


def _listed(heading: str, names: Iterable[str]) -> str:
    listed = ", ".join(f"`{short(name)}`" for name in names)
    return textwrap.fill(f"{heading}: {listed}.", 120, break_on_hyphens=False) + "\n\n" if listed else ""
