"""Generated files are up to date."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Final

import pytest

HOME: Final = Path(__file__).parents[2]
GENERATED: Final = runpy.run_path(str(HOME / "tools" / "docs.py"))["GENERATED"]
INTERFACE: Final = {
    "tests/data/clause-ids.txt": "people waive clauses and search for them by id",
    "tests/data/clause-kinds.txt": "people have written kinds into their registers of known deviations",
    "conformance/render/compliance.schema.json": "people read compliance.json, and members are only added to it",
}
"""Files that hold a part of the public interface: an existing line of them does not change."""


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    beware = f" Its existing lines must not change: {INTERFACE[name]}." if name in INTERFACE else ""
    up_to_date = (HOME / name).read_text(encoding="utf-8") == GENERATED[name]()
    assert up_to_date, f"{name} is stale: run `tox -e docs`.{beware}"
