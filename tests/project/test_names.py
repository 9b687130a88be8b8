"""A name of the package means one thing, so that a reader who meets it again need not look where it comes from."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "conformance"
PUBLIC = PACKAGE / "strategies"
"""Shares no code with the checks, and has types of its own for the dialect and for a job."""


def types_in(file: Path) -> list[str]:
    """Return the names of the classes and type aliases at the top level of a module, without leading underscores."""
    found = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name) and not target.id.isupper()]
    return [name.lstrip("_") for name in found if name.lstrip("_")[:1].isupper()]


def test_a_class_or_type_has_a_name_of_its_own() -> None:
    places = defaultdict(list)
    for file in sorted(PACKAGE.rglob("*.py")):
        if PUBLIC not in file.parents:
            for name in types_in(file):
                places[name].append(str(file.relative_to(PACKAGE.parent)))
    assert len(places) > 200
    twice = [f"{name} is in {' and '.join(where)}" for name, where in places.items() if len(where) > 1]
    assert not twice, "; ".join(twice) + ": give all but one another name"
