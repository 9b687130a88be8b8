"""A run with generated requests, as its user sees it: same seed, same requests; bounds; the key; the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.reference.server import serve
from helpers.commands import command_line, left_behind, report, suite

KEY = "sesame-4711-canary"
SEARCH = ("--seed", "5")
PLAN = 39
"""Requests before the generated ones."""


def asked(found: dict[str, Any]) -> list[Any]:
    """Return the requests of a run, without their ids."""
    requests = [exchange["request"] for exchange in found["exchanges"]]
    return [
        (one["purpose"], one["url"].partition("?")[2], [h for h in one["headers"] if h[0] != "X-Request-Id"])
        for one in requests
    ]


def test_the_same_seed_sends_the_same_requests_to_cli_and_pytest(tmp_path: Path) -> None:
    with serve() as endpoint:
        once = command_line(tmp_path, "check", endpoint.url, *SEARCH)
        first = report(tmp_path)
        again = suite(tmp_path, "--target", endpoint.url, *SEARCH, "-q")
        second = report(tmp_path)
    assert (once.returncode, again.returncode) == (0, 0), once.stderr + again.stdout
    # Hypothesis also draws by the constants of modules that are not in site-packages, and pytest loads more of ours.
    drawn = 54
    assert asked(first)[: PLAN + drawn] == asked(second)[: PLAN + drawn]
    assert first["run"]["seed"] == second["run"]["seed"] == 5
    told = first["properties"]
    assert (told["examples"], told["wanted"], told["stopped"], told["no_answer"]) == (60, 60, None, None)
    assert sum(family["sent"] for family in told["families"]) == 60
    assert all(family["sent"] > 0 for family in told["families"])
    assert [path.name for path in tmp_path.iterdir() if path.name != ".pytest_cache"] == ["reports"]


def test_a_breach_is_told_everywhere_with_the_smallest_request(tmp_path: Path) -> None:
    with serve(fault="counts-from-zero-when-not-cached") as endpoint:
        done = command_line(tmp_path, "check", endpoint.url, *SEARCH)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "curl" in line and "Cache-Control: no-cache" in line][:1]
    assert "smallest request that shows it (5 of 5 times; a normal GET for comparison: 0 of 5):" in done.stdout
    (clause,) = [found for found in report(tmp_path)["clauses"] if found["status"] == "fail"]
    assert clause["id"] == "item.job-number.one-based"
    assert clause["smallest"]["curl"] == [line.strip()]
    for name in ("index.html", "summary.md"):
        text = (tmp_path / "reports/latest" / name).read_text(encoding="utf-8")
        assert "Cache-Control: no-cache" in text
        assert "5 of 5 times" in text


def test_generated_requests_do_not_count_towards_the_limit_of_the_plan(tmp_path: Path) -> None:
    with serve() as endpoint:
        done = command_line(tmp_path, "check", endpoint.url, *SEARCH, "--max-requests", "48")
    assert done.returncode == 0, done.stdout
    assert len(report(tmp_path)["exchanges"]) > 100


def test_no_generated_request_is_sent_where_the_number_is_nought(tmp_path: Path) -> None:
    with serve() as endpoint:
        done = command_line(tmp_path, "check", endpoint.url, "--properties", "0")
    found = report(tmp_path)
    assert done.returncode == 0
    assert "generate" not in done.stdout + done.stderr
    assert found["properties"] is None
    assert not [one for one in found["exchanges"] if "generated" in one["request"]["purpose"]]


def test_a_request_whose_answer_breaks_off_is_named(tmp_path: Path) -> None:
    with serve(fault="breaks-off-on-a-quote") as endpoint:
        done = command_line(tmp_path, "check", endpoint.url, *SEARCH)
    assert done.returncode == 10
    assert report(tmp_path)["properties"]["no_answer"]["curl"][0].endswith("%27'")


def test_the_key_stands_nowhere_not_in_the_example_database_either(tmp_path: Path) -> None:
    with serve(variant="key-enforced", fault=None, key=KEY) as endpoint:
        done = command_line(
            tmp_path,
            "check",
            endpoint.url,
            "--properties",
            "130",
            "--seed",
            "1",
            "--example-database",
            "kept",
            COMFY_API_KEY=KEY,
        )
    assert done.returncode == 0, done.stdout
    shown = done.stdout + done.stderr + left_behind(tmp_path)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert KEY not in shown
    assert not [content for content in kept if KEY.encode() in content]
    keys = [
        value for e in report(tmp_path)["exchanges"] for name, value in e["request"]["headers"] if "key" in name.lower()
    ]
    assert sum("wrong" in value for value in keys) <= 2


@pytest.mark.parametrize(
    "typed", [["--seed", "1", "--properties", "0"], ["--seed", "x"], ["--properties", "-1"], ["--properties", "many"]]
)
def test_what_was_typed_wrong_is_one_line_and_4(tmp_path: Path, typed: list[str]) -> None:
    for done in (command_line(tmp_path, "check", *typed), suite(tmp_path, *typed)):
        assert done.returncode == 4
        assert "Traceback" not in done.stdout + done.stderr
