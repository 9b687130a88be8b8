"""Whole nights, as the workflow plays them: its own shell, the embedded endpoint, and a ``gh`` that takes notes."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance.reference.server import serve
from helpers import fake_gh
from helpers.commands import BIN, environment, run
from helpers.workflow_runner import ACTION, GITLAB, ROOT, Done, Runner, all_steps, load, path_with

CONFORMANCE = ROOT / ".github/workflows/conformance.yml"
SKIPPED = {"Install the suite", "Compare the published document"}
"""What needs a network. The latter is tested by itself."""


def named(path: Path, name: str) -> tuple[str, dict[str, Any]]:
    """Return the job and the step of that name."""
    ((job, step),) = ((job, step) for job, step in all_steps(path) if step.get("name") == name)
    return job, step


class Nights:
    """A repository with one target, night after night."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gh = folder / "gh-home"
        bin_ = folder / "bin"
        for each in (self.gh, bin_, folder / "temp"):
            each.mkdir()
        (bin_ / "gh").write_text(f'#!/bin/sh\nexec {sys.executable} -S -I {fake_gh.__file__} "$@"\n', encoding="utf-8")
        (bin_ / "gh").chmod(0o755)
        (folder / "temp/comfy-conformance").symlink_to(BIN.parent)  # where the action installs the suite
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.configure()
        environ = environment(
            PATH=path_with(bin_, BIN),
            FAKE_GH=str(self.gh),
            CI="true",
            GITHUB_REPOSITORY="o/r",
            GITHUB_REF_NAME="main",
            RUNNER_TEMP=str(folder / "temp"),
        )
        self.environ = environ
        self.number = 0
        self.pages = False
        self.names: list[str] = []

    def configure(self, *lines: str) -> None:
        """Write the file of targets: one, with these lines."""
        text = f'[[target]]\nname = "prod"\nurl = "http://127.0.0.1:{self.port}"\nproperties = 0\n' + "\n".join(lines)
        (self.folder / "targets.toml").write_text(text, encoding="utf-8")

    def play(self, fault: str | None = None, *, up: bool = True, variant: str = "default", lost: bool = False) -> Night:
        """Play one night: the endpoint as it is then, every step of the workflow, what it leaves."""
        self.number += 1
        here = self.folder / f"night-{self.number}"
        here.mkdir()
        for path in self.folder.glob("*.toml"):
            shutil.copy(path, here)
        with ExitStack() as stack:
            if up:
                stack.enter_context(serve(variant=variant, fault=fault, port=self.port))
            runner = Runner(here, self.environ, {"github.token": "t0ken", "env.TARGETS": "targets.toml"})
            if not self.names:
                done = runner.run(CONFORMANCE, *named(CONFORMANCE, "Read the targets"))
                assert done.status == 0, done.stderr
                self.names = [target["name"] for target in json.loads(done.outputs["targets"])]
            for name in self.names:
                self.check(runner, name)
        if lost:
            shutil.rmtree(here / "nights")
        return self.night(runner)

    def check(self, runner: Runner, name: str) -> None:
        """Run the action for one target, as the job of the matrix does, and upload its report."""
        job, step = named(CONFORMANCE, "Check one target")
        assert job == "check"
        inputs = {key: value["default"] for key, value in load(ACTION)["inputs"].items()}
        runner.values["matrix.target.name"] = name
        given = {key: runner.resolved(str(value)) for key, value in step["with"].items()}
        runner.values |= {f"inputs.{key}": value for key, value in {**inputs, **given}.items()}
        done = runner.run(ACTION, *named(ACTION, "Check"))
        assert done.status == 0, done.stderr
        shutil.copytree(runner.folder / "night" / name, runner.folder / "nights" / f"conformance-report-{name}")

    def publishes(self, here: Path) -> bool:
        """Say what the condition of the site comes to."""
        return self.pages and (here / "history/conformance.db").exists()

    def night(self, runner: Runner) -> Night:
        """Run the last job, step by step, and keep its artifact for the next night."""
        runner.values |= {
            "github.server_url": "https://github.example",
            "github.repository": "o/r",
            "github.run_id": str(self.number),
        }
        steps = {
            step["name"]: runner.run(CONFORMANCE, job, step)
            for job, step in all_steps(CONFORMANCE)
            if job == "night"
            and "run" in step
            and step["name"] not in SKIPPED
            and ("vars.CONFORMANCE_PAGES" not in step.get("if", "") or self.publishes(runner.folder))
        }
        if any((runner.folder / "history").iterdir()):  # an empty folder makes no artifact
            shutil.copytree(runner.folder / "history", self.gh / "artifact", dirs_exist_ok=True)
        return Night(runner.folder, steps, json.loads((self.gh / "state.json").read_text("utf-8"))["issues"])


class Night:
    """What a night left for people."""

    def __init__(self, folder: Path, steps: dict[str, Done], issues: dict[str, Any]) -> None:
        self.folder = folder
        self.steps = steps
        *others, last = steps.values()
        assert [done.stderr for done in others if done.status] == []
        self.exit = last.status
        self.action = steps["Say what the night means"].outputs["action"]
        self.issues = [issues[number] for number in sorted(issues, key=int)]
        self.summary = (folder / "github-summary.md").read_text("utf-8")
        self.commands = [
            line for line in steps["Say what the night means"].stdout.splitlines() if line.startswith("::")
        ]

    @property
    def issue(self) -> dict[str, Any]:
        """The newest issue."""
        found: dict[str, Any] = self.issues[-1]
        return found


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    """Return a repository before its first night."""
    return Nights(tmp_path)


WAIVED = """
[[deviation]]
clause = "item.create-time.milliseconds"
place = "/*/*/4/create_time"
kind = "{kind}"
reason = "the gateway divides by 1000; the fix is planned"
issue = "https://issues.example/7"
owner = "queue team"
since = 2026-01-01
expires = 2126-01-01
dialect = "cloud"
target = "*"
"""


# Each night costs a CPU second. What a night decides is tested in test_nightly.py; here are the steps of the workflow.


def test_an_issue_is_opened_and_closed_and_the_history_makes_the_site(nights: Nights) -> None:
    nights.pages = True
    bad = nights.play("seconds")
    assert (bad.action, bad.exit) == ("open", 1)
    assert bad.issue["title"] == "GET /api/queue: prod needs attention"
    assert bad.issue["open"]
    assert "`item.create-time.milliseconds`" in bad.issue["body"]
    assert "https://github.example/o/r/actions/runs/1" in bad.issue["body"]
    (error,) = bad.commands
    assert error.startswith("::error title=prod::non-conformant: item.create-time.milliseconds: ")

    well = nights.play()
    assert (well.action, well.exit) == ("close", 0)
    assert not well.issue["open"]
    assert well.issue["comments"][-1].startswith("No target has a problem any more.")
    assert "## ✅ 1 target: 1 conformant" in well.summary
    assert (well.folder / "site/runs/2/index.html").exists()


@pytest.mark.deep
def test_an_open_issue_is_updated_and_gets_a_comment_only_if_something_is_new(nights: Nights) -> None:
    issue = {"open": True, "labels": ["conformance"], "title": "t", "comments": [], "body": "from before"}
    (nights.gh / "state.json").write_text(json.dumps({"issues": {"1": issue}, "labels": ["conformance"]}), "utf-8")
    bad = nights.play("seconds")
    assert (bad.action, bad.exit) == ("update", 1)
    assert "`item.create-time.milliseconds`" in bad.issue["body"]
    (told,) = bad.issue["comments"]
    assert "New:\n\n- prod: item.create-time.milliseconds" in told
    same = nights.play("seconds")
    assert (same.action, same.exit, same.issue["comments"]) == ("update", 1, [told])
    assert "actions/runs/2" in same.issue["body"]


@pytest.mark.deep
def test_a_fault_that_is_waived_closes_the_issue_and_one_that_is_mended_asks_for_the_entry_to_go(
    nights: Nights,
) -> None:
    opened = nights.play("seconds")
    assert opened.action == "open"
    report = json.loads((opened.folder / "night/prod/prod/compliance.json").read_text("utf-8"))
    (failed,) = (clause for clause in report["clauses"] if clause["status"] == "fail")
    register = WAIVED.format(kind=failed["fingerprints"][0]["kind"])
    (nights.folder / "deviations.toml").write_text(register, encoding="utf-8")
    nights.configure('deviations = "deviations.toml"')

    waived = nights.play("seconds")
    assert (waived.action, waived.exit, waived.commands) == ("close", 0, [])
    assert "1 waived" in waived.summary

    still = nights.play("seconds")
    assert (still.action, still.exit) == ("nothing", 0)
    assert still.summary.endswith("nothing, because no issue is open and none is needed.\n")

    mended = nights.play()
    assert (mended.action, mended.exit) == ("open", 1)
    assert len(mended.issues) == 2
    assert "stale" in mended.issue["body"]
    assert "remove the entry" in mended.issue["body"]
    assert "of the register" in mended.issue["body"]

    (nights.folder / "deviations.toml").write_text("", encoding="utf-8")
    cleaned = nights.play()
    assert (cleaned.action, cleaned.exit) == ("close", 0)


@pytest.mark.deep
def test_the_history_goes_from_night_to_night_and_makes_the_site(nights: Nights) -> None:
    nights.pages = True
    lost = nights.play(lost=True)
    assert (lost.action, lost.exit) == ("open", 1)
    assert "No report was written: look at the log of the run" in lost.issue["body"]
    nights.play()
    second = nights.play("seconds")
    assert "Since run 1 of" in second.issue["body"]
    assert "1 clause newly failed" in second.issue["body"]
    site = second.folder / "site"
    assert (site / "index.html").exists()
    assert (site / "runs/2/index.html").exists()
    assert "<svg" in (second.folder / "nights/conformance-report-prod/prod/index.html").read_text("utf-8")
    calls = [json.loads(line) for line in (nights.gh / "calls.jsonl").read_text("utf-8").splitlines()]
    assert {call[1] for call in calls if call[0] == "api"} == {
        "repos/o/r/actions/artifacts?name=conformance-history&per_page=50"
    }
    assert [call for call in calls if call[:2] == ["run", "download"]] == [
        ["run", "download", "4711", "--name", "conformance-history", "--dir", "history"]
    ]


@pytest.fixture
def drifting(tmp_path: Path) -> Callable[[int], Done]:
    """Run the step that compares the document, with a command that ends as it is told."""

    def run(status: int) -> Done:
        command = tmp_path / "comfy-conformance"
        command.write_text(f"#!/bin/sh\necho '## Drift'\nexit {status}\n", encoding="utf-8")
        command.chmod(0o755)
        runner = Runner(tmp_path, environment(PATH=path_with(tmp_path)), {"github.token": "t"})
        return runner.run(CONFORMANCE, *named(CONFORMANCE, "Compare the published document"))

    return run


@pytest.mark.parametrize(
    ("status", "ends", "told"),
    [(0, 0, ""), (1, 0, "::warning title=drift::"), (11, 0, "::notice title=drift::"), (4, 4, "")],
)
def test_a_drift_is_told_and_fails_no_night(drifting: Callable[[int], Done], status: int, ends: int, told: str) -> None:
    done = drifting(status)
    assert done.status == ends
    assert done.stdout.startswith(told)
    assert bool(done.stdout) is bool(told)


# The action by itself


@pytest.mark.parametrize(("fault", "status"), [pytest.param(None, 0, marks=pytest.mark.deep), ("seconds", 1)])
def test_the_action_leaves_report_summary_annotations_and_the_exit_status(
    nights: Nights, fault: str | None, status: int
) -> None:
    with serve(fault=fault) as endpoint:
        values = {f"inputs.{key}": value["default"] for key, value in load(ACTION)["inputs"].items()}
        given = {"inputs.target": endpoint.url, "inputs.arguments": "--dialect cloud --format ctrf --properties 0"}
        runner = Runner(nights.folder, nights.environ, {**values, **given})
        done = [
            runner.run(ACTION, job, step)
            for job, step in all_steps(ACTION)
            if "run" in step and step["name"] != "Install the suite"
        ]
    assert [each.status for each in done] == [0, 0, status], done
    assert done[0].outputs == {"exit": str(status)}
    assert (nights.folder / "conformance-report/index.html").exists()
    assert (nights.folder / "conformance-report/ctrf.json").exists()
    assert runner.summary.read_text("utf-8").startswith("## ")
    assert done[1].stdout.startswith("::error title=http%3A//127.0.0.1%3A") is bool(status)
    assert ("::" in done[1].stdout) is bool(status)


def test_the_action_fails_at_once_for_what_cannot_be_meant(nights: Nights) -> None:
    values = {f"inputs.{key}": value["default"] for key, value in load(ACTION)["inputs"].items()}
    runner = Runner(nights.folder, nights.environ, {**values, "inputs.arguments": "--klingon"})
    assert runner.run(ACTION, *named(ACTION, "Check")).status == 4


# Elsewhere


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Return a folder with a file of targets: the reference endpoint."""
    (tmp_path / "targets.toml").write_text(
        '[[target]]\nname = "reference"\nurl = "embedded"\nproperties = 0\n', encoding="utf-8"
    )
    return tmp_path


def shell(folder: Path, script: str) -> Done:
    """Run a script as sh does."""
    done = run(folder, "/bin/sh", "-ec", script, PATH=path_with(BIN))
    return Done(done.returncode, done.stdout, done.stderr, {})


@pytest.mark.deep
def test_the_night_of_gitlab_leaves_report_site_and_decision(elsewhere: Path) -> None:
    job = load(GITLAB)["conformance"]
    done = shell(elsewhere, "\n".join(job["script"]))
    assert done.status == 0, done.stderr
    assert (elsewhere / "public/index.html").exists()
    assert (elsewhere / "history/conformance.db").exists()
    assert (elsewhere / "out/outputs.txt").read_text("utf-8").startswith("action=nothing\nexit=0\n")
    (junit,) = elsewhere.glob(job["artifacts"]["reports"]["junit"])
    assert junit.parent.name == "reference"
    (elsewhere / "targets.toml").write_text('[[target]]\nname = "gone"\nurl = "http://127.0.0.1:1"\n', encoding="utf-8")
    assert shell(elsewhere, "\n".join(job["script"])).status == 0
    (elsewhere / "targets.toml").write_text("nonsense", encoding="utf-8")
    assert shell(elsewhere, "\n".join(job["script"])).status != 0
