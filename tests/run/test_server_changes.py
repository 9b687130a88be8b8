"""What may be written is asked for by name, checked before anything is sent, and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem
from conformance.run.consent import announcement, unconsented, with_consent
from conformance.run.server_changes import LARGEST_WORKFLOW
from helpers.run_options import make_settings

HERE, THERE = "http://127.0.0.1:8188", "https://cloud.comfy.org"
GOOD = {"1": {"class_type": "EmptyImage", "inputs": {}}}


def deep(levels: int) -> bytes:
    """Return a workflow with so many levels of nesting."""
    return b'{"1": {"class_type": "X", "inputs": {"a": %b}}}' % (b"[" * (levels - 3) + b"]" * (levels - 3))


def test_nothing_is_written_unless_that_is_asked_for() -> None:
    assert make_settings({}, target=HERE).server_changes is None


def test_to_populate_implies_leave_to_write() -> None:
    server_changes = make_settings({}, target=HERE, populate=True).server_changes
    assert server_changes is not None
    assert server_changes.populate
    assert make_settings({}, target=HERE, populate=True).options()["allow_writes"] is True
    assert make_settings({}, target=HERE, allow_writes=True).options()["populate"] is False


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"jobs": 4}, "--jobs needs --populate, which lets the run submit jobs: add it"),
        ({"clear": True}, "--clear needs --populate, which lets the run submit jobs: add it"),
        (
            {"job_timeout": 4.0, "allow_writes": True},
            "--job-timeout needs --populate, which lets the run submit jobs: add it",
        ),
        ({"workflow": ["x.json"]}, "--workflow needs --populate, which lets the run submit jobs: add it"),
        ({"yes": True}, "--yes permits --populate or --allow-writes: add one of them"),
        (
            {"populate": True, "jobs": 2},
            "--jobs must be 3 or more, not 2: the run needs one running and two pending jobs",
        ),
        ({"populate": True, "job_timeout": 0.0}, "--job-timeout must be a number above 0, not 0.0"),
        ({"populate": True, "job_timeout": float("nan")}, "--job-timeout must be a number above 0, not nan"),
        (
            {"populate": True, "workflow": ["no.json"]},
            "--workflow no.json cannot be read (No such file or directory): give a workflow in API format",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(typed: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        make_settings({}, target=HERE, **typed)
    assert str(problem.value) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"{}", "is not a JSON object"),
        (b"[" * 100_000, "is not a JSON object"),
        (json.dumps({"nodes": [], "links": []}).encode(), "is in the format of the editor"),
        (b'{"1": {"inputs": {}}}', "has a node without class_type"),
        (b'{"1": {"class_type": "X", "inputs": []}}', "has a node whose inputs or _meta are not objects"),
        (b'{"1": {"class_type": "X", "_meta": 1}}', "has a node whose inputs or _meta are not objects"),
        (deep(101), "has more than 100 levels of nesting"),
    ],
)
def test_what_is_no_workflow_is_named_with_what_to_do(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "w.json"
    file.write_bytes(content)
    with pytest.raises(UsageProblem) as problem:
        make_settings({}, target=HERE, populate=True, workflow=[file])
    assert str(problem.value) == f"--workflow {file} {told}: export it from ComfyUI in API format"


def test_a_workflow_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "w.json"
    file.write_bytes(b" " * LARGEST_WORKFLOW + json.dumps(GOOD).encode())
    with pytest.raises(UsageProblem, match="is larger than 1 MiB"):
        make_settings({}, target=HERE, populate=True, workflow=[file])


def test_several_workflows_are_taken_in_turn(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.json", "b.json")]
    contents = json.dumps(GOOD).encode(), deep(100)
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    server_changes = make_settings({}, target=HERE, populate=True, workflow=files).server_changes
    assert server_changes is not None
    assert server_changes.workflows == tuple(map(json.loads, contents))


def test_a_run_that_writes_has_more_time_and_requests_unless_told_otherwise() -> None:
    usual, more = Bounds(), make_settings({}, target=HERE, populate=True).bounds
    assert (more.max_requests, more.deadline) == (usual.max_requests + 350, usual.deadline + 240)
    told = make_settings({}, target=HERE, populate=True, max_requests=99, deadline=5.0).bounds
    assert (told.max_requests, told.deadline) == (99, 5.0)


@pytest.mark.parametrize("target", [HERE, "http://localhost:8188", "http://[::1]:8188", "embedded"])
def test_loopback_needs_no_yes(target: str) -> None:
    assert unconsented(make_settings({}, target=target, populate=True)) is None


def test_somebodys_host_needs_one_and_then_none() -> None:
    settings = make_settings({}, target=THERE, populate=True, jobs=5)
    assert unconsented(settings) == "this run writes to cloud.comfy.org: 5 jobs, which can cost credits"
    assert unconsented(with_consent(settings)) is None
    assert unconsented(make_settings({}, target=THERE, populate=True, yes=True)) is None
    small = make_settings({}, target=THERE, allow_writes=True)
    assert unconsented(small) == "this run writes to cloud.comfy.org: requests that should change nothing"
    assert unconsented(make_settings({}, target=THERE)) is None


def test_what_will_be_sent_is_said() -> None:
    said = "\n".join(announcement(make_settings({}, target=THERE, populate=True, clear=True, jobs=5)))
    for part in (
        "5 jobs are submitted",
        "and 2 more that should be refused",
        "only jobs of this run",
        "60 s",
        "--clear",
    ):
        assert part in said
    assert "write" not in "\n".join(announcement(make_settings({}, target=THERE)))
    assert "--allow-writes" in "\n".join(announcement(make_settings({}, target=THERE, allow_writes=True)))
