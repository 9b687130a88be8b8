"""The workflows, the action, the GitLab pipeline and the Dockerfile pass their schemas and linters."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from conformance.run.targets import read
from helpers.programs import linter, succeeds
from helpers.workflow_runner import ACTION, GITLAB, ROOT, WORKFLOWS, all_steps, load, script_of

FILES = [*WORKFLOWS, ACTION]
SHELL = [(path, job, step) for path in FILES for job, step in all_steps(path) if "run" in step]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        *(("vendor.github-workflows", path) for path in WORKFLOWS),
        ("vendor.github-actions", ACTION),
        ("vendor.gitlab-ci", GITLAB),
    ],
    ids=lambda value: value.name if isinstance(value, Path) else "",
)
def test_each_is_as_its_schema_has_it(schema: str, path: Path) -> None:
    more = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    succeeds(linter("check-jsonschema"), "--builtin-schema", schema, *more, path)


def test_zizmor_finds_nothing() -> None:
    succeeds(
        linter("zizmor"), "--offline", "--no-progress", "--persona", "pedantic", "--quiet", ".github", "action.yml"
    )


def test_hadolint_finds_nothing() -> None:
    succeeds(linter("hadolint"), "Dockerfile")


@pytest.mark.parametrize(
    ("path", "job", "step"), SHELL, ids=[f"{p.name}-{job}-{n}" for n, (p, job, _) in enumerate(SHELL)]
)
def test_shellcheck_finds_nothing(tmp_path: Path, path: Path, job: str, step: dict[str, Any]) -> None:
    script = tmp_path / "step.sh"
    script.write_text(script_of(path, job, step), encoding="utf-8")
    succeeds(linter("shellcheck"), script)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_of_others_is_pinned_and_its_version_named(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(?: # (\S+))?", path.read_text("utf-8"))
    assert used
    for name, version in used:
        if name != "./":
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)
            assert re.fullmatch(r"v\d+\.\d+\.\d+", version)


def test_one_action_is_pinned_alike_everywhere() -> None:
    pins: dict[str, set[str]] = {}
    for path in FILES:
        for name, commit in re.findall(r"uses: ([\w./-]+)@(\w+)", path.read_text("utf-8")):
            pins.setdefault(name, set()).add(commit)
    assert {name for name, commits in pins.items() if len(commits) > 1} == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_may_more_than_it_says_and_each_ends(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "permissions" in job
        assert job["timeout-minutes"] <= 120
    writes = {
        (name, scope)
        for name, job in workflow["jobs"].items()
        for scope, level in job["permissions"].items()
        if level == "write"
    }
    allowed = {
        "conformance.yml": {("night", "issues"), ("pages", "pages"), ("pages", "id-token")},
        "release.yml": {("publish", "id-token")},
    }
    assert writes == allowed.get(path.name, set())


def test_the_secret_is_seen_by_the_step_that_asks_alone() -> None:
    with_secrets = {
        (path.name, job, step.get("name"))
        for path in FILES
        for job, step in all_steps(path)
        if "secrets." in json.dumps(step)
    }
    assert with_secrets == {("conformance.yml", "check", "Check one target")}
    assert "secrets." not in json.dumps([{**load(path), "jobs": None} for path in FILES])


def test_the_pythons_of_the_matrix_are_those_that_are_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    promised = [name.rpartition(" ")[2] for name in project["classifiers"] if re.search(r":: 3\.\d+$", name)]
    for name, job in (("tests.yml", "tests"), ("release.yml", "try")):
        matrix: dict[str, Any] = load(ROOT / ".github/workflows" / name)["jobs"][job]["strategy"]["matrix"]
        assert matrix["python"] == promised


def test_every_variable_that_the_targets_name_is_handed_over() -> None:
    named = set().union(*(target.variables for target in read(ROOT / "targets.toml")))
    (step,) = (step for _, step in all_steps(ROOT / ".github/workflows/conformance.yml") if step.get("uses") == "./")
    assert named <= set(step["env"])


def test_the_image_is_given_all_that_the_package_is_built_from() -> None:
    copied = set(
        " ".join(
            re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
        ).split()
    )
    kept = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")
    }
    assert copied == kept
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    built = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"], "openapi", "README.md", "LICENSE"}
    assert built <= copied


def test_both_ends_of_the_range_of_schemathesis_are_tested() -> None:
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    (oldest,) = (
        match[1] for name in needed if (match := re.fullmatch(r"schemathesis>=([0-9.]+),<\d+", name)) is not None
    )
    tox = (ROOT / "tox.ini").read_text("utf-8")
    assert re.search(rf"^    oldest: schemathesis=={re.escape(oldest)}(?:\.0)*$", tox, re.MULTILINE)
    jobs = load(ROOT / ".github" / "workflows" / "tests.yml")["jobs"]
    assert jobs["schemathesis"]["strategy"]["matrix"]["end"] == ["oldest", "newest"]
