"""The example of CONTRIBUTING.md can be followed as it stands, and each message on the way names what to do next."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from helpers.programs import linter

HOME: Final = Path(__file__).parents[2]
TEXT: Final = (HOME / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS: Final[list[tuple[str, str]]] = re.findall(r"Append to `([^`]+)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL)
"""Pieces of code, each with the file that it is appended to: a clause, a fault and a test."""
COPIED: Final = ("conformance", "tests", "tools", "docs", "openapi", "reports")
STALE: Final = "is stale: run `tox -e docs`"
DEADLINE: Final = 600
"""Seconds after which a command that hangs is ended."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the tree."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
    for name in COPIED:
        shutil.copytree(HOME / name, tmp_path / name, ignore=ignored)
    for file in HOME.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    return tmp_path


def add(tree: Path, block: tuple[str, str]) -> None:
    name, code = block
    with (tree / name).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{code}")


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Python on the copy."""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(
        [sys.executable, *command],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def failures(tree: Path, *selected: str) -> list[str]:
    """Run tests on the copy, and return the line that each failure ends with."""
    done = run(tree, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", "--tb=line", *selected)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return re.findall(r"^\S+:\d+: (.+)", done.stdout, re.MULTILINE)


def test_the_example_adds_a_clause_with_a_fault_and_a_test() -> None:
    assert [name.rpartition("/")[0] for name, _ in BLOCKS] == [
        "conformance/contract/clauses",
        "conformance/reference/faults",
        "tests/contract",
    ]


def test_each_message_on_the_way_names_what_to_do_next(tree: Path) -> None:
    clause, fault, test = BLOCKS
    add(tree, clause)
    aimed = "tests/whole/test_faults.py::test_every_clause_has_a_fault_that_breaks_it"
    found = failures(tree, "tests/contract/test_catalogue.py", "tests/project/test_docs.py", aimed)
    stale = [line for line in found if STALE in line]
    assert [name for name in generated(tree) if any(name in line for line in stale)] == [
        "docs/clauses.md",
        "docs/servers-in-the-wild.md",
        "docs/mutants.md",
        "tests/data/clause-ids.txt",
        "README.md",
    ]
    (other,) = [line for line in found if line not in stale]
    assert "add a fault that breaks each of these clauses to a file of conformance/reference/faults/" in other
    add(tree, fault)
    add(tree, test)
    (line,) = failures(tree, test[0], "tests/whole/test_faults.py", "-k", "nil_uuid or nil-prompt-id")
    assert f"docs/faults.md {STALE}" in line
    assert run(tree, "tools/docs.py", *generated(tree)).returncode == 0
    rest = ("tests/contract/test_catalogue.py", "tests/project/test_docs.py", "tests/judge/test_breach_kinds.py")
    (line,) = failures(tree, *rest)
    assert f"tests/data/verdicts.json {STALE}" in line, "tox -e docs records it too, which takes minutes"


def generated(tree: Path) -> list[str]:
    """Return the files that ``tox -e docs`` writes in seconds: all but ``docs/faults.md``."""
    done = run(tree, "-c", "import runpy; print(*runpy.run_path('tools/docs.py')['GENERATED'])")
    return done.stdout.split()


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")], ids=["check", "format"])
def test_the_example_is_written_as_the_linter_wants_it(tree: Path, arguments: tuple[str, ...]) -> None:
    for block in BLOCKS:
        add(tree, block)
    ruff = linter("ruff")
    files = [name for name, _ in BLOCKS]
    done = subprocess.run(
        [ruff, *arguments, *files], cwd=tree, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 0, done.stdout
