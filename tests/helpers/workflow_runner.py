"""Run the steps of CI workflows in bash, as a GitHub runner does."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION: Final = ROOT / "action.yml"
GITLAB: Final = ROOT / "docs" / "gitlab-ci.yml"
_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def load(path: Path) -> dict[str, Any]:
    """Return a workflow as parsed YAML, in which the key ``on`` becomes True."""
    found: dict[str, Any] = yaml.safe_load(path.read_bytes())
    return found


def all_steps(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every step of a workflow with the name of its job."""
    content = load(path)
    jobs = content["jobs"] if "jobs" in content else {"action": content["runs"]}
    for job, body in jobs.items():
        for step in body["steps"]:
            yield job, step


def environment_of(path: Path, job: str, step: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables that a workflow sets for a step: its own, its job's and the workflow's."""
    content = load(path)
    above = [content, content.get("jobs", {}).get(job, {})]
    return {name: str(value) for each in (*above, step) for name, value in each.get("env", {}).items()}


def script_of(path: Path, job: str, step: Mapping[str, Any]) -> str:
    """Return a step's shell code as a script for shellcheck, with the step's variables."""
    assert "${{" not in step["run"], "the shell code contains an expression, whose value would be executed"
    given = "".join(f"export {name}\n" for name in environment_of(path, job, step))
    return f"#!/bin/bash\nset -eo pipefail\n{given}{step['run']}\n"


@dataclass
class Done:
    """The result of a step: its exit status, what it printed, and the outputs that it set for later steps."""

    status: int
    stdout: str
    stderr: str
    outputs: dict[str, str]


@dataclass
class Runner:
    """Runs the shell code of steps in a folder.

    ``values`` are the values of expressions (``${{ ... }}``); an unknown expression fails the test. ``environ`` is the
    environment of the shell, without the variables that the step sets.
    """

    folder: Path
    environ: Mapping[str, str]
    values: dict[str, str]

    def run(self, path: Path, job: str, step: Mapping[str, Any]) -> Done:
        """Run one step, and return its result."""
        outputs = self.folder / "github-output"
        outputs.write_text("")
        env = {name: self.resolved(value) for name, value in environment_of(path, job, step).items()}
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder,
            env={**self.environ, "GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(self.summary), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        found = dict(line.partition("=")[::2] for line in outputs.read_text("utf-8").splitlines())
        for name, value in found.items():
            self.values[f"steps.{step.get('id')}.outputs.{name}"] = value
        return Done(done.returncode, done.stdout, done.stderr, found)

    @property
    def summary(self) -> Path:
        """The file of the job summary, to which steps append."""
        return self.folder / "github-summary.md"

    def resolved(self, text: str) -> str:
        """Return a text with its expressions replaced by their values."""
        return _EXPRESSION.sub(lambda match: self.values[match[1]], text)


def path_with(*folders: Path) -> str:
    """Return a PATH that begins with these folders."""
    return os.pathsep.join([*map(str, folders), os.environ["PATH"]])
