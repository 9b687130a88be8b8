"""What a release consists of: its version, its citation, its files, and the linters that every change passes."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import Any, Final

import pytest
import yaml

from conformance.version import __version__
from helpers.programs import linter, missing, succeeds
from helpers.workflow_runner import ROOT, all_steps

CITATION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "CITATION.cff").read_bytes())


def test_the_citation_passes_its_schema() -> None:
    succeeds(linter("check-jsonschema"), "--builtin-schema", "vendor.citation-file-format", "CITATION.cff")


def test_the_changelog_and_the_citation_have_the_version_and_its_date() -> None:
    newest = re.search(r"^## \[(.+?)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest.groups() == (__version__, str(CITATION["date-released"]))
    assert CITATION["version"] == __version__


def test_the_citation_and_the_package_name_the_same_authors() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["authors"] == CITATION["authors"]


def test_a_wheel_has_the_pages_that_help_refers_to() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["docs"] == "conformance/docs"


def test_the_readme_names_every_extra_that_is_not_for_development() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    install = (ROOT / "README.md").read_text("utf-8").partition("## Install")[2].partition("\n## ")[0]
    assert set(re.findall(r"`\[(\w+)\]`", install)) == set(extras) - {"test", "deep", "bench", "lint", "coverage"}


def test_no_file_of_the_repository_is_a_link() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("only a checkout knows which files belong to it")
    try:
        listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    except FileNotFoundError:
        missing("git", "'apt-get install git'")
    assert [line for line in listed.stdout.splitlines() if line.startswith("120000")] == []  # an sdist follows links


def test_the_workflow_the_script_and_pre_commit_run_the_same_linters() -> None:
    workflow = [
        step["run"]
        for job, step in all_steps(ROOT / ".github/workflows/tests.yml")
        if job == "lint" and "pip install" not in step.get("run", "pip install")
    ]
    script = (ROOT / ".ci/run").read_text("utf-8").replace('"$venv/bin/', "").replace('"', "")
    hooks = {
        hook["entry"].replace(" --force-exclude", "")
        for repository in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_bytes())["repos"]
        for hook in repository["hooks"]
    }
    assert len(workflow) == 5
    assert [line for line in workflow if f"\n{line}" not in re.sub(r"\n\w+=1 ", "\n", script)] == []
    assert [line for line in workflow if not any(entry.startswith(line) for entry in hooks)] == []
