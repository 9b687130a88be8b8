"""The benchmarks run, and their tables say what their data says. How long anything takes is asserted nowhere."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "benchmarks"
SUBJECTS = ("faulty", "growth", "judging", "load", "small", "startup")
WITHOUT = """
import runpy, sys
for name in {missing}:
    sys.modules[name] = None
sys.path.insert(0, {folder!r})
sys.argv = [{script!r}, "--quick", "--out", {out!r}]
runpy.run_path({script!r}, run_name="__main__")
"""


@cache
def measure() -> dict[str, Any]:
    """Return what all benchmarks share."""
    return runpy.run_path(str(SCRIPTS / "measure.py"))


def shown(page: Path, subject: str) -> str:
    found = measure()["table_place"](subject).search(page.read_text(encoding="utf-8"))
    assert found, f"{page} has no table of {subject}"
    return str(found[2])


def result(folder: Path, subject: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "benchmarks" / f"{subject}.json").read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_table_of_the_page_says_what_its_data_says(subject: str) -> None:
    document = result(ROOT / "docs", subject)
    assert shown(ROOT / "docs" / "benchmarks.md", subject) == measure()["table"](document)
    for goal in document["goals"]:
        reached = goal["measured"] >= goal["bound"] if goal["least"] else goal["measured"] <= goal["bound"]
        assert goal["met"] is reached, goal["what"]


def test_every_table_and_plot_of_the_page_has_its_file_and_the_other_way_round() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    for subject in SUBJECTS:
        assert f"<!-- table: {subject} -->" in text
        assert f"(benchmarks/{subject}.svg)" in text
    files = {path.name for path in (ROOT / "docs" / "benchmarks").iterdir()}
    assert files == {f"{subject}.{kind}" for subject in SUBJECTS for kind in ("json", "svg")}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_plot_can_be_read_in_light_and_in_dark(subject: str) -> None:
    plot = (ROOT / "docs" / "benchmarks" / f"{subject}.svg").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in plot
    assert "<text" in plot
    for colour in measure()["MEANWHILE"]:
        assert colour not in plot


@pytest.mark.deep
@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_script_writes_table_data_and_plot(subject: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / f"{subject}.py"), "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    document = result(tmp_path, subject)
    assert document["rows"]
    assert document["measured"]
    assert shown(tmp_path / "benchmarks.md", subject) == measure()["table"](document)
    if find_spec("matplotlib"):
        assert (tmp_path / "benchmarks" / f"{subject}.svg").read_text(encoding="utf-8").startswith("<?xml")
    else:
        assert "no plot: matplotlib is not installed" in done.stderr


@pytest.mark.deep
def test_what_is_not_installed_is_left_out_and_a_line_says_so(tmp_path: Path) -> None:
    missing = ("orjson", "jsonschema_rs", "fastjsonschema", "pydantic", "openapi_core", "matplotlib")
    script = str(SCRIPTS / "small.py")
    code = WITHOUT.format(missing=missing, folder=str(SCRIPTS), script=script, out=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "left out: orjson.loads: orjson is not installed (extra bench)" in done.stderr
    assert "no plot: matplotlib is not installed (extra bench)" in done.stderr
    table = shown(tmp_path / "benchmarks.md", "small")
    assert "json.loads" in table
    assert "\n| orjson.loads" not in table
    assert "Left out, because not installed: orjson.loads, pydantic, orjson + jsonschema-rs" in table
    assert not (tmp_path / "benchmarks" / "small.svg").exists()
