"""``comfy-conformance compare``: live, from files, side by side; its statuses, its files, and whose key goes where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli import Cli, main
from conformance.judge.report import decode
from conformance.reference.server import serve

NAMES = {"index.html", "comparison.json", "summary.md"}
REPORT = {"index.html", "compliance.json", "junit.xml", "summary.md"}


def compare(tmp_path: Path, *arguments: str, **environment: str) -> Result:
    assert isinstance(main, Cli)
    clean = {"COMFY_API_KEY": None, "CONFORMANCE_TARGET": None, "CI": None, **environment}
    return CliRunner().invoke(main, ["compare", *arguments, "--report-dir", str(tmp_path / "out")], env=clean)


def found(tmp_path: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((tmp_path / "out" / "comparison.json").read_text("utf-8"))
    return made


def kinds(made: dict[str, Any]) -> dict[str, str]:
    return {row["clause"]: row["kind"] for row in made["clauses"] if row["kind"] != "same"}


def test_a_cloud_and_a_comfyui_are_different_under_one_reading(tmp_path: Path) -> None:
    with serve() as cloud, serve("oss") as comfyui:
        done = compare(tmp_path, cloud.url, comfyui.url)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-2].startswith("Different: 2 clauses failed only on B")
    made = found(tmp_path)
    assert {name for name, kind in kinds(made).items() if kind == "opposed"} == {
        "item.element-order",
        "item.job-number.one-based",
    }
    assert [made[side]["target"] for side in "ab"] == [cloud.url, comfyui.url]


def test_each_under_its_own_reading_they_are_alike(tmp_path: Path) -> None:
    with serve() as cloud, serve("oss") as comfyui:
        done = compare(tmp_path, cloud.url, comfyui.url, "--dialect-b", "auto")
    assert done.exit_code == 0, done.output
    made = found(tmp_path)
    assert made["outcome"] == "same"
    assert made["b"]["read_as"] == "oss"
    assert set(kinds(made).values()) <= {"unasked", "unseen"}


def test_yesterday_and_today_are_compared_from_their_reports(tmp_path: Path) -> None:
    with serve() as well, serve(fault="seconds") as ill:
        compare(tmp_path, well.url, ill.url)
    (tmp_path / "out").rename(tmp_path / "before")
    yesterday, today = tmp_path / "before" / "a" / "compliance.json", tmp_path / "before" / "b"
    done = compare(tmp_path, str(yesterday), str(today), "--quiet")
    assert done.exit_code == 1
    assert done.stdout == "Different: 1 clause failed only on B\n"
    assert kinds(found(tmp_path))["item.create-time.milliseconds"] == "opposed"
    assert compare(tmp_path, str(yesterday), str(yesterday)).exit_code == 0


def test_a_report_may_stand_beside_a_live_one(tmp_path: Path) -> None:
    with serve() as endpoint:
        compare(tmp_path, endpoint.url, endpoint.url)
        done = compare(tmp_path, str(tmp_path / "out" / "a"), endpoint.url)
    assert done.exit_code == 0, done.output


def test_an_idle_side_makes_it_unclear(tmp_path: Path) -> None:
    with serve() as busy, serve("empty-queue") as idle:
        done = compare(tmp_path, busy.url, idle.url)
    assert done.exit_code == 10
    assert "Unclear: B is inconclusive" in done.stdout


def test_it_leaves_a_page_and_the_reports_of_both_sides(tmp_path: Path) -> None:
    with serve() as endpoint:
        done = compare(tmp_path, endpoint.url, "embedded")
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == NAMES | {"a", "b"}
    assert {path.name for path in (out / "a").iterdir()} == {path.name for path in (out / "b").iterdir()} == REPORT
    assert decode((out / "a" / "compliance.json").read_bytes()).run.target == endpoint.url
    assert done.stdout.splitlines()[-1] == f"report: {out / 'index.html'}"
    assert found(tmp_path)["schema_version"] == 1


def test_no_side_sees_the_key_of_the_other(tmp_path: Path) -> None:
    keys = {"KEY_OF_A": "canary-of-a", "KEY_OF_B": "canary-of-b", "COMFY_API_KEY": "canary-of-all"}
    with serve("key-enforced", key="canary-of-a") as a, serve("key-enforced", key="canary-of-b") as b:
        sides = (a.url, b.url)
        keyed = compare(tmp_path, *sides, "--api-key-env-a", "KEY_OF_A", "--api-key-env-b", "KEY_OF_B", **keys)
        (required,) = (row for row in found(tmp_path)["clauses"] if row["clause"] == "auth.key-required")
        crossed = compare(tmp_path, *sides, "--api-key-env-a", "KEY_OF_B", **keys)
    assert keyed.exit_code == 0, keyed.output
    assert (required["a"], required["b"]) == ("pass", "pass")
    assert "A: the key in KEY_OF_A is sent to" in keyed.stderr
    assert crossed.exit_code == 10  # both refuse: the key of one opens nothing, and COMFY_API_KEY is sent to nobody
    assert "B: no key is sent (--api-key-env-b names one)" in crossed.stderr
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"canary" not in written
    assert "canary" not in keyed.output + crossed.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to compare: give A and B"),
        (["embedded"], "nothing to compare: give A and B"),
        (
            ["example.org:1", "embedded"],
            "A: example.org:1 is not an http or https URL: give one such as http://example.org:1",
        ),
        (["embedded", "http://h/api/queue"], "B: the target is the base URL without /api/queue"),
        (["embedded", "nowhere.json"], "nowhere.json cannot be read: No such file or directory"),
        (["embedded", "README.md"], "README.md is not a report of a run"),
        (["embedded", "http://h", "--queue-path-b", "queue"], "B: --queue-path-b must be a path that starts with /"),
        (["http://h", "embedded", "--api-key-env-a", "NOT_SET"], "A: --api-key-env-a names NOT_SET, which is not set"),
        (["embedded", "http://h", "--dialect-b", "klingon"], "'cloud', 'oss', 'auto'"),
        (["README.md", "embedded", "--dialect-a", "oss"], "--dialect-a applies to a URL, but README.md is a report"),
        (["embedded", "embedded", "--deadline", "0"], "A: --deadline must be a number above 0"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_status_4(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "README.md").write_text("# Read me\n", encoding="utf-8")
    done = compare(tmp_path, *arguments)
    assert done.exit_code == 4
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_directory_that_cannot_be_written_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with serve() as endpoint:
        done = compare(tmp_path, endpoint.url, endpoint.url)
        assert endpoint.reference.reads == 0
    assert done.exit_code == 4
    assert "cannot be written" in done.stderr
