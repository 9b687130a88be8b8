"""Generated files are up to date."""

from __future__ import annotations

import json
import runpy
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.reference.faults import FAULTS
from conformance.reference.variants import VARIANTS

HOME: Final = Path(__file__).parents[2]
GENERATED: Final = runpy.run_path(str(HOME / "tools" / "docs.py"))["GENERATED"]
INTERFACE: Final = {
    "tests/data/clause-ids.txt": "people waive clauses and search for them by id",
    "tests/data/clause-kinds.txt": "people have written kinds into their registers of known deviations",
    "conformance/render/compliance.schema.json": "people read compliance.json, and members are only added to it",
}
"""Files that hold a part of the public interface: an existing line of them does not change."""


def test_the_recorded_verdicts_are_those_of_all_clauses_and_faults() -> None:
    """What they say takes minutes to compare: ``python tools/verdicts.py --check``."""
    kept = json.loads((HOME / "tests" / "data" / "verdicts.json").read_bytes())
    expected = {f"fault {name}" for name in FAULTS} | {f"variant {name}" for name in VARIANTS}
    stale = "tests/data/verdicts.json is stale: run `tox -e docs`"
    assert {name for name in kept["cases"] if name.startswith(("fault ", "variant "))} == expected, stale
    assert sorted(chain.from_iterable(kept["clauses"].values())) == sorted(BY_ID), stale


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_up_to_date(name: str) -> None:
    beware = f" Its existing lines must not change: {INTERFACE[name]}." if name in INTERFACE else ""
    up_to_date = (HOME / name).read_text(encoding="utf-8") == GENERATED[name]()
    assert up_to_date, f"{name} is stale: run `tox -e docs`.{beware}"
