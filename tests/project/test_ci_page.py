"""The snippets of docs/ci.md pass their schemas and linters, and run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from conformance.reference.server import serve
from helpers.commands import BIN, environment, run
from helpers.programs import linter, succeeds
from helpers.workflow_runner import ACTION, ROOT, WORKFLOWS, Done, Runner, all_steps, load, path_with, script_of

PAGE: Final = (ROOT / "docs/ci.md").read_text("utf-8")
COMMIT: Final = "0123456789abcdef0123456789abcdef01234567"
"""What a reader puts in the place of COMMIT."""
SNIPPETS: Final = {
    Path(match[1]).name: match[0].replace("@COMMIT", f"@{COMMIT}")
    for match in re.finditer(
        r"(?<=^```yaml\n)# (\.github/workflows/[\w-]+\.yml)\n.*?(?=^```$)", PAGE, re.DOTALL | re.MULTILINE
    )
}
(GITLAB,) = re.findall(r"^```yaml\n(# \.gitlab-ci\.yml\n.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(SCRIPT,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
GONE: Final = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def pasted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Paste every workflow of the page into a repository, and return the folder of its workflows."""
    folder = tmp_path_factory.mktemp("repository") / ".github/workflows"
    folder.mkdir(parents=True)
    for name, text in SNIPPETS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_every_block_of_yaml_is_a_file_with_a_name() -> None:
    assert list(SNIPPETS) == ["queue.yml", "queue-action.yml", "queue-sarif.yml"]
    assert PAGE.count("```yaml") == len(SNIPPETS) + 1
    assert "# .gitlab-ci.yml\n" in GITLAB


def test_each_workflow_passes_the_schema_of_github(pasted: Path) -> None:
    succeeds(
        linter("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *(pasted / name for name in SNIPPETS)
    )


def test_the_pipeline_passes_the_schema_of_gitlab(tmp_path: Path) -> None:
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(GITLAB, encoding="utf-8")
    succeeds(linter("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", path)


def test_the_schema_finds_a_misspelt_key(tmp_path: Path) -> None:
    wrong = tmp_path / "queue.yml"
    wrong.write_text(SNIPPETS["queue.yml"].replace("runs-on", "run-on"), encoding="utf-8")
    with pytest.raises(AssertionError, match="run-on"):
        succeeds(linter("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", wrong)


def test_zizmor_finds_nothing_in_the_page(pasted: Path) -> None:
    succeeds(linter("zizmor"), "--offline", "--no-progress", "--quiet", pasted)


def test_shellcheck_finds_nothing_in_the_page(pasted: Path, tmp_path: Path) -> None:
    scripts = {"night": SCRIPT} | {
        f"{name}-{number}": script_of(pasted / name, job, step)
        for name in SNIPPETS
        for number, (job, step) in enumerate(all_steps(pasted / name))
        if "run" in step
    }
    for name, text in scripts.items():
        (tmp_path / f"{name}.sh").write_text(text, encoding="utf-8")
    assert len(scripts) == 6
    succeeds(linter("shellcheck"), *tmp_path.iterdir())


def test_the_page_pins_each_action_to_a_commit_the_same_as_the_workflows_here() -> None:
    here = set(re.findall(r"uses: (\S+@\S+ # v\S+)", "".join(path.read_text("utf-8") for path in [*WORKFLOWS, ACTION])))
    used = set(re.findall(r"uses: (.*)", "".join(SNIPPETS.values())))
    others = {use for use in used - here if not use.startswith("OWNER/")}
    (upload,) = others
    assert re.fullmatch(r"github/codeql-action/upload-sarif@[0-9a-f]{40} # v\d+\.\d+\.\d+", upload)


def test_the_action_has_the_inputs_that_the_page_gives_it(pasted: Path) -> None:
    (step,) = (step for _, step in all_steps(pasted / "queue-action.yml") if "OWNER" in step.get("uses", ""))
    assert set(step["with"]) <= set(load(ACTION)["inputs"])


def play(pasted: Path, name: str, folder: Path, url: str) -> list[Done]:
    """Run the shell of a workflow's steps against a server, all but the installation."""
    folder.mkdir(exist_ok=True)
    runner = Runner(folder, environment(PATH=path_with(BIN), CI="true"), {"secrets.COMFY_API_KEY": ""})

    def given(step: dict[str, Any]) -> dict[str, Any]:
        return {**step, "env": {**step.get("env", {}), "QUEUE_URL": url}}

    return [
        runner.run(pasted / name, job, given(step))
        for job, step in all_steps(pasted / name)
        if "run" in step and "pip install" not in step["run"]
    ]


@pytest.mark.deep
def test_pytest_leaves_a_report_and_the_summary_of_the_job(pasted: Path, tmp_path: Path) -> None:
    for fault, status in ((None, 0), ("seconds", 1)):
        with serve(fault=fault) as endpoint:
            done = play(pasted, "queue.yml", tmp_path, endpoint.url)
        assert [each.status for each in done] == [status, 0], done
        assert (tmp_path / "github-summary.md").read_text("utf-8").startswith("## ")
        assert (tmp_path / "report/index.html").exists()


@pytest.mark.deep
def test_gitlab_gets_the_report_and_the_clauses_as_junit(tmp_path: Path) -> None:
    job = yaml.safe_load(GITLAB)["contract"]
    _, command = job["script"]
    for fault, status in ((None, 0), ("seconds", 1)):
        with serve(fault=fault) as endpoint:
            done = run(tmp_path, "/bin/sh", "-ec", command, PATH=path_with(BIN), QUEUE_URL=endpoint.url)
        assert done.returncode == status, done.stderr
        assert (tmp_path / job["artifacts"]["reports"]["junit"]).exists()


@pytest.mark.deep
def test_findings_are_uploaded_unless_the_run_was_inconclusive(pasted: Path, tmp_path: Path) -> None:
    with serve(fault="seconds") as endpoint:
        (done,) = play(pasted, "queue-sarif.yml", tmp_path, endpoint.url)
    assert done.status == 1, done
    assert (tmp_path / "report/results.sarif").exists()
    assert play(pasted, "queue-sarif.yml", tmp_path, GONE)[0].status == 10
    assert not (tmp_path / "report/results.sarif").exists()


@pytest.fixture
def mail(tmp_path: Path) -> Callable[..., str]:
    """Run the line of the crontab in a folder, and return what cron would send."""
    (line,) = re.findall(r"^41 3 \* \* \*  (.*)$", PAGE, re.MULTILINE)
    assert "%" not in line, "cron takes it for the end of the line"
    (tmp_path / "night.sh").write_text(SCRIPT, encoding="utf-8")

    def send(*path: Path) -> str:
        command = line.replace("/srv/conformance", str(tmp_path))
        done = run(tmp_path, "/bin/sh", "-c", command, PATH=path_with(*path))
        assert done.stderr == ""
        return done.stdout

    return send


@pytest.mark.parametrize(
    ("check", "nightly", "sent"),
    [
        (0, 0, ""),
        (10, 0, ""),  # not reached, for the first time
        (10, 1, "nightly\n"),
        (1, 1, "nightly\n"),
        (3, 1, "nightly\n"),
        (4, 0, "check\n"),
        (2, 0, "check\n"),
    ],
)
def test_cron_sends_what_needs_attention(
    mail: Callable[..., str], tmp_path: Path, check: int, nightly: int, sent: str
) -> None:
    command = tmp_path / "comfy-conformance"
    command.write_text(f'#!/bin/sh\necho "$1"\n[ "$1" = check ] && exit {check}\nexit {nightly}\n', encoding="utf-8")
    command.chmod(0o755)
    assert mail(tmp_path) == sent


@pytest.mark.deep
def test_cron_sends_the_digest_of_a_broken_target(mail: Callable[..., str], tmp_path: Path) -> None:
    targets = tmp_path / "targets.toml"
    target = '[[target]]\nname = "{}"\nurl = "{}"\nproperties = 0\n'
    targets.write_text(target.format("good", "embedded") + target.format("gone", GONE), encoding="utf-8")
    assert mail(BIN) == ""
    with serve(fault="seconds") as endpoint:
        targets.write_text(target.format("bad", endpoint.url), encoding="utf-8")
        assert "item.create-time.milliseconds" in mail(BIN)
    targets.write_text("nonsense", encoding="utf-8")
    assert "targets.toml" in mail(BIN)
