"""CTRF: valid by its schema, and nothing in it looks like a pass that is none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from conformance.judge.report import Report
from conformance.render.ctrf import render_ctrf
from helpers import history_samples
from helpers import report_samples as sample

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/ctrf.schema.json").read_text("utf-8"))
ALL = pytest.mark.parametrize("make", {**sample.REPORTS, **history_samples.REPORTS}.values())


def results(report: Report, **more: bool) -> Any:
    """Return the results of a report."""
    return json.loads(render_ctrf(report, **more))["results"]


def by_name(report: Report, **more: bool) -> dict[str, Any]:
    """Return the tests of a report by name."""
    return {test["name"]: test for test in results(report, **more)["tests"]}


@ALL
@pytest.mark.parametrize("fail_on_should", [False, True])
def test_it_is_valid(make: Callable[[], Report], *, fail_on_should: bool) -> None:
    document = json.loads(render_ctrf(make(), fail_on_should=fail_on_should))
    Draft7Validator(SCHEMA, format_checker=FormatChecker()).validate(document)


def test_the_schema_sees_what_is_wrong() -> None:
    document = json.loads(render_ctrf(sample.failing()))
    document["results"]["tests"][0]["status"] = "not-exercised"
    assert not Draft7Validator(SCHEMA).is_valid(document)


def test_each_status_has_its_own() -> None:
    tests = by_name(sample.failing())
    for name, status, raw in (
        ("item.array", "passed", "pass"),
        ("http.content-type", "failed", "fail"),
        ("workflow.links", "failed", "error"),
        ("envelope.both-lists", "other", "warn"),
        ("error.code", "skipped", "not-exercised"),
        ("queue.one-order", "skipped", "not-applicable"),
        ("item.prompt-id.lower-case", "skipped", "waived"),
    ):
        assert (tests[name]["status"], tests[name]["rawStatus"]) == (status, raw), name
    assert by_name(sample.failing(), fail_on_should=True)["envelope.both-lists"]["status"] == "failed"


@ALL
def test_only_a_pass_looks_like_one(make: Callable[[], Report]) -> None:
    report = make()
    passed = [test["name"] for test in results(report)["tests"] if test["status"] == "passed"]
    assert len(passed) == sum(result.status == "pass" for result in report.clauses)


@ALL
def test_the_summary_counts_the_tests(make: Callable[[], Report]) -> None:
    found = results(make())
    tally = Counter(test["status"] for test in found["tests"])
    assert {name: found["summary"][name] for name in ("passed", "failed", "skipped", "pending", "other")} == {
        name: tally[name] for name in ("passed", "failed", "skipped", "pending", "other")
    }
    assert found["summary"]["tests"] == len(found["tests"])
    assert found["summary"]["duration"] == 1250


def test_a_failure_says_what_was_found_and_a_skip_why() -> None:
    tests = by_name(sample.failing())
    assert tests["http.content-type"]["message"] == "fail: Content-Type is text/html"
    assert 'got "text/html; charset=utf-8"' in tests["http.content-type"]["trace"]
    assert tests["error.code"]["message"] == "not-exercised: needs a 400 or 500"
    assert tests["item.prompt-id.lower-case"]["message"].startswith("waived: Accepted until the next release")
    assert results(sample.failing())["summary"]["extra"]["verdict"] == "non-conformant"


def test_what_a_server_sent_is_printable() -> None:
    def texts(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for one in value.values() for text in texts(one)]
        return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]

    assert all(text.replace("\n", "").isprintable() for text in texts(json.loads(render_ctrf(sample.hostile()))))


def test_what_of_a_register_does_not_hold_fails_by_name() -> None:
    test = by_name(sample.known())["reads.order (known deviation)"]
    assert (test["status"], test["message"]) == ("failed", "reads.order: stale (deviations.toml, deviation 2)")
    assert results(sample.known())["summary"]["failed"] == 2
