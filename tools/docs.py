"""Write every generated page, table, count and snapshot. ``tox -e docs`` runs this program.

``python tools/docs.py FILE...`` writes only these files. Each takes a few seconds, except ``docs/faults.md``: for this
page every fault is checked, which takes a minute or two.
"""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

HOME: Final = Path(__file__).parents[1]
sys.path[:0] = [str(HOME), str(HOME / "tests"), str(HOME / "tools")]

import dialects_page  # noqa: E402
from options_page import check_options, page, parameters_page  # noqa: E402
from report_schema import schema_text  # noqa: E402

from conformance.contract.catalogue import CATALOGUE  # noqa: E402 - can be imported only after the path was extended
from conformance.reference.variants import VARIANTS  # noqa: E402
from conformance.render.catalogue import as_markdown  # noqa: E402


def clause_ids() -> str:
    """Return the ids of all clauses, one per line."""
    return "".join(f"{clause.id}\n" for clause in CATALOGUE)


def clause_kinds() -> str:
    """Return the kinds of findings that each clause distinguishes, one per line."""
    return "".join(f"{clause.id} {kind}\n" for clause in CATALOGUE for kind in clause.kinds)


def own_tests() -> str:
    """Return docs/own-tests.md with its table of parameters updated."""
    return parameters_page((HOME / "docs" / "own-tests.md").read_text(encoding="utf-8"))


def readme() -> str:
    """Return README.md with its numbers of clauses and variants updated."""
    text = (HOME / "README.md").read_text(encoding="utf-8")
    for pattern, count in (
        (r"\b\d+(?= clauses\b)", len(CATALOGUE)),
        (r"\b\d+(?= conforming variants\b)", len(VARIANTS)),
    ):
        text, found = re.subn(pattern, str(count), text)
        assert found, f"README.md has no text that matches {pattern}"
    return text


def mutants() -> str:
    """Return docs/mutants.md for the modules as they are now."""
    sys.path.append(str(HOME / "tests" / "mutants"))
    return str(runpy.run_path(str(HOME / "tests" / "mutants" / "page.py"))["current_page"]())


SERVERS: Final = runpy.run_path(str(HOME / "tools" / "servers_in_the_wild.py"))
GENERATED: Final[dict[str, Callable[[], str]]] = {
    "docs/clauses.md": as_markdown,
    "docs/dialects.md": dialects_page.page,
    "docs/options.md": page,
    "docs/own-tests.md": own_tests,
    "conformance/run/check_options.py": check_options,
    "docs/servers-in-the-wild.md": SERVERS["page"],
    "docs/mutants.md": mutants,
    "conformance/render/compliance.schema.json": schema_text,
    "tests/data/clause-ids.txt": clause_ids,
    "tests/data/clause-kinds.txt": clause_kinds,
    "README.md": readme,
}
"""The function that returns the content of each generated file, by its path."""
FAULTS: Final = "docs/faults.md"


def main(names: list[str]) -> None:
    """Write the named files, or all files if none is named."""
    for name in names or [*GENERATED, FAULTS]:
        if name == FAULTS:
            text = runpy.run_path(str(HOME / "tests" / "whole" / "test_faults.py"))["page"]()
        else:
            text = GENERATED[name]()
        (HOME / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
