"""The README keeps what it says."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.cli import VERBS
from conformance.cli.check import check
from conformance.contract import CATALOGUE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_option_of_check_stands_in_the_table_and_no_other() -> None:
    options = {name for parameter in check.params for name in parameter.opts if name.startswith("--")}
    table = set(re.findall(r"^\| `(--[a-z-]+)", README, re.MULTILINE))
    assert table == options - {"--quiet"}


def test_every_verb_is_shown() -> None:
    assert set(re.findall(r"^    (?:\S+=\S+ )?comfy-conformance (\w+)", README, re.MULTILINE)) == set(VERBS)


def test_the_number_of_clauses_is_right() -> None:
    assert f"{len(CATALOGUE)} clauses" in README


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
