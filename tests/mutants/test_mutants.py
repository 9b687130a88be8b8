"""Mutation testing of a small module, the list of equivalent mutants, and the page with the figures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("cosmic_ray", reason="Cosmic Ray is not installed: pip install -e '.[deep]'")

from changes import changes
from clauses import GROUND
from equivalent import listed, name
from figures import Figures, digest_of_code, read, write
from page import page

pytestmark = pytest.mark.deep

MODULE = """
def first_free(taken):
    number = 1
    while number in taken:
        number += 1
    return number
"""
TESTS = """
from sample import first_free

def test_one_is_taken():
    assert first_free({1}) == 2
"""
MAIN = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from equivalent import Equivalent
from hunt import main
from trial import Ground
entries = [Equivalent(**each) for each in json.loads(sys.argv[2])]
near = {"sample": ["test_sample.py"]}
ground = Ground(Path.cwd(), {"sample": Path("sample.py")}, near, [], paths=[Path.cwd()], near_s=2)
sys.exit(main(sys.argv[3:], ground, entries))
"""
SURVIVOR = {"module": "sample", "where": "first_free", "line": "number = 1", "becomes": ["number = 2"], "reason": "why"}
SAID = "survives: sample, first_free: number = 1 -> number = 2\n"
FIGURES = "| sample | 6 | 5 | {} | {} |\n"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module whose mutants are four that a test kills, one that survives it, and one that does not end."""
    root = tmp_path_factory.mktemp("mutants")
    (root / "sample.py").write_text(MODULE, encoding="utf-8")
    (root / "tests").mkdir()
    (root / "test_sample.py").write_text(TESTS, encoding="utf-8")
    hunt(root)
    return root


def hunt(root: Path, *arguments: str, entries: tuple[dict[str, Any], ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", MAIN, str(Path(__file__).parent), json.dumps(entries), *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def outcomes(root: Path) -> dict[str, str | None]:
    lines = (root / ".mutants.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)[3]: json.loads(line)[-1] for line in lines}


def test_each_mutant_is_killed_or_survives_or_does_not_end(ground: Path) -> None:
    killed = "test_sample.py::test_one_is_taken"
    assert outcomes(ground) == {
        "number = 2": None,
        "number = 0": killed,
        "number += 2": killed,
        "number += 0": "does not end",
        "while number not in taken:": killed,
        "while not number in taken:": killed,
    }


def test_a_survivor_fails_the_run_and_known_results_are_not_tried_again(ground: Path) -> None:
    before = (ground / ".mutants.jsonl").read_bytes()
    again = hunt(ground)
    assert (again.returncode, again.stderr) == (1, "")
    assert FIGURES.format(0, 1) in again.stdout
    assert again.stdout.endswith(SAID)
    assert (ground / ".mutants.jsonl").read_bytes() == before


def test_a_listed_survivor_does_not_fail_the_run(ground: Path) -> None:
    done = hunt(ground, entries=(SURVIVOR,))
    assert done.returncode == 0
    assert FIGURES.format(1, 0) in done.stdout


@pytest.mark.parametrize("becomes", ["number = 0", "number = 7"])
def test_an_entry_that_was_killed_or_is_gone_fails_the_run(ground: Path, becomes: str) -> None:
    done = hunt(ground, entries=({**SURVIVOR, "becomes": ["number = 2", becomes]},))
    assert done.returncode == 1
    said = f"listed as equivalent, but killed or gone: sample, first_free: number = 1 -> {becomes}\n"
    assert done.stdout.endswith(said)


def test_a_line_that_was_cut_off_is_tried_again(ground: Path, tmp_path: Path) -> None:
    lines = (ground / ".mutants.jsonl").read_text(encoding="utf-8").splitlines()
    file = tmp_path / "results.jsonl"
    file.write_text("\n".join([*lines[:-1], lines[-1][:30]]), encoding="utf-8")
    done = hunt(ground, "--results", str(file))
    assert FIGURES.format(0, 1) in done.stdout
    assert file.read_text(encoding="utf-8").splitlines()[-1] == lines[-1]


def test_nearby_tests_only_keep_no_survivor(ground: Path, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    done = hunt(ground, "--near", "--results", str(file))
    assert FIGURES.format(0, 1) in done.stdout
    assert None not in [json.loads(line)[-1] for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_test_that_fails_without_a_change_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "test_sample.py").write_text(TESTS.replace("== 2", "== 3"), encoding="utf-8")
    done = hunt(tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert (
        done.stderr
        == "python tests/mutants: without any change, test_sample.py::test_one_is_taken fails: fix that first\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["queue"], "no such module: queue. There are sample"),
        (["--jobs", "0"], "--jobs: at least 1"),
        (["--jobs", "many"], "argument --jobs: invalid int value: 'many'"),
        (["--fast"], "unrecognized arguments: --fast"),
        (["--results", "tests"], "--results: Is a directory: tests"),
    ],
)
def test_a_usage_error_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "tests").mkdir()
    done = hunt(tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (4, f"python tests/mutants: {said}\n")


# --- equivalent mutants -----------------------------------------------------------------------------------------------

LISTED = listed()


@pytest.mark.parametrize("module", sorted({entry.module for entry in LISTED}))
def test_each_listed_mutant_can_be_made_from_the_source(module: str) -> None:
    entries = [entry for entry in LISTED if entry.module == module]
    made = {name(change) for change in changes(module, GROUND.modules[module], [entry.line for entry in entries])}
    assert [each for entry in entries for each in entry.names if each not in made] == []


def test_each_entry_has_a_reason_and_occurs_once() -> None:
    assert [entry for entry in LISTED if len(entry.reason.split()) < 3] == []
    names = [each for entry in LISTED for each in entry.names]
    assert len(set(names)) == len(names)


def test_every_mutated_module_has_nearby_tests() -> None:
    assert [module for module in GROUND.modules if not GROUND.near[module]] == []
    files = {file for files in (*GROUND.near.values(), GROUND.tests) for file in files}
    assert [file for file in files if not (GROUND.root / file).is_file()] == []


def test_the_changes_of_a_line_are_among_the_changes_of_the_module() -> None:
    path = GROUND.modules["conformance.contract.clauses.item"]
    line = "elif size == ARITY - 1:"
    whole = {change.becomes for change in changes("item", path) if change.line == line}
    assert {change.becomes for change in changes("item", path, [line]) if change.line == line} == whole
    assert len(whole) > 10


@pytest.mark.parametrize(
    ("handler", "changed"),
    [
        ("OSError", ["CosmicRayTestingException"]),
        ("json.JSONDecodeError", ["CosmicRayTestingException"]),
        ("(OSError)", ["(CosmicRayTestingException)"]),
        ("(OSError, ValueError)", ["(CosmicRayTestingException, ValueError)", "(OSError, CosmicRayTestingException)"]),
        ("(*KINDS, ValueError)", ["(CosmicRayTestingException, ValueError)", "(*KINDS, CosmicRayTestingException)"]),
    ],
)
def test_each_exception_of_a_handler_is_replaced(handler: str, changed: list[str], tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text(f"try:\n    pass\nexcept {handler}:\n    pass\n", encoding="utf-8")
    assert [change.becomes for change in changes("sample", path)] == [f"except {each}:" for each in changed]


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_figures_of_modules_that_have_not_changed() -> None:
    source = '"""Doc."""\nx = 1\n'
    found = Figures(1200, 1100, 60, 40, digest_of_code("x = 1  # the same code\n"))
    sources = {"package.same": source, "package.other": "x = 2\n", "package.new": "x = 3\n"}
    text = page({"package.same": found, "package.other": found, "package.gone": found}, sources)
    assert "\n| same | 1,200 | 1,100 | 60 | 40 |\n| all | 1,200 | 1,100 | 60 | 40 |\n" in text
    assert "**1 of 3 modules have been measured as they are now." in text
    assert "Changed since they were measured, so without current figures: `other`.\n" in text
    assert "No figures yet: `new`.\n" in text


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    figures = {"b": Figures(1, 2, 3, 4, "x"), "a": Figures(5, 6, 7, 8, "y")}
    write(figures, tmp_path / "figures.json")
    assert read(tmp_path / "figures.json") == figures
