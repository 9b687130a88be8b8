"""SARIF: valid by its schema; each finding a result, and of what is not known no clause looks kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft4Validator, FormatChecker
from msgspec import structs

from conformance.judge.report import Report
from conformance.render.sarif import render_sarif
from helpers import history_samples
from helpers import report_samples as sample

SCHEMA = json.loads((Path(__file__).parents[1] / "schemas/sarif-2.1.0.schema.json").read_text("utf-8"))
REPORTS = {name: make for name, make in {**sample.REPORTS, **history_samples.REPORTS}.items() if name != "hostile"}
"""Without the one that has a clause some times: ``hostile-aged`` is it otherwise."""
ALL = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)


def run(report: Report) -> Any:
    """Return the one run of a log."""
    (found,) = json.loads(render_sarif(report))["runs"]
    return found


@ALL
def test_it_is_valid(make: Callable[[], Report]) -> None:
    Draft4Validator(SCHEMA, format_checker=FormatChecker()).validate(json.loads(render_sarif(make())))


def refused(document: Any) -> list[str]:
    """Return what GitHub code scanning refuses a file for, or does not show, as its documentation has it."""
    found = []
    for run in document["runs"]:
        found += ["too many results"] * (len(run["results"]) > 25_000)
        found += ["too many rules"] * (len(run["tool"]["driver"]["rules"]) > 25_000)
        for name, base in run.get("originalUriBaseIds", {}).items():
            found += [f"base {name} is not a file"] * (urlsplit(base.get("uri", "file:///")).scheme != "file")
        for rule in run["tool"]["driver"]["rules"]:
            found += [f"too many tags: {rule['id']}"] * (len(rule["properties"]["tags"]) > 20)
            found += [f"no text: {rule['id']}"] * (not rule["shortDescription"]["text"] or not rule["help"]["text"])
        for result in run["results"]:
            found += ["no message"] * (not result["message"]["text"])
            found += ["no location"] * (not result["locations"])
            for location in result["locations"]:
                place = location.get("physicalLocation", {})
                uri = place.get("artifactLocation", {}).get("uri", "")
                region = place.get("region", {})
                found += ["no region"] * ({"startLine", "startColumn", "endLine", "endColumn"} - region.keys() != set())
                found += [f"no relative URI: {uri}"] * (not uri or uri.startswith("/") or ":" in uri or "?" in uri)
    return found


@ALL
def test_github_code_scanning_takes_it(make: Callable[[], Report]) -> None:
    assert refused(json.loads(render_sarif(make()))) == []


@pytest.mark.parametrize(
    "uri", ["http://queue.example:8188/api/queue", "queue.example:8188/api/queue", "/api/queue", ""]
)
def test_what_github_refuses_is_seen(uri: str) -> None:
    document = json.loads(render_sarif(sample.failing()))
    location = document["runs"][0]["results"][0]["locations"][0]
    location["physicalLocation"]["artifactLocation"]["uri"] = uri
    assert refused(document) == [f"no relative URI: {uri}"]


@pytest.mark.parametrize(
    ("target", "url", "uri"),
    [
        ("https://cloud.comfy.org", "https://cloud.comfy.org/api/queue", "cloud.comfy.org/api/queue"),
        ("http://t/p", "http://t/p/api/queue?conformance=1", "t/p/api/queue"),
        ("http://[::1]:8188", "http://[::1]:8188/api/queue", "%5B%3A%3A1%5D%3A8188/api/queue"),
        ("embedded", "http://127.0.0.1:40123/api/queue", "embedded/api/queue"),
        ("queue.http", "file:///api/queue", "api/queue"),
        ("http://t", "http://t/../../etc/a b:c", "t/etc/a%20b%3Ac"),
    ],
)
def test_a_place_is_host_and_path_the_same_in_every_run(target: str, url: str, uri: str) -> None:
    report = sample.failing()
    exchanges = tuple(structs.replace(one, request=structs.replace(one.request, url=url)) for one in report.exchanges)
    report = structs.replace(report, run=structs.replace(report.run, target=target), exchanges=exchanges)
    results = [one for one in run(report)["results"] if one["ruleId"] == "item.create-time.milliseconds"]
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results} == {uri}


def test_the_schema_sees_what_is_wrong() -> None:
    document = json.loads(render_sarif(sample.failing()))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not Draft4Validator(SCHEMA).is_valid(document)


def test_each_finding_is_a_result_at_its_place() -> None:
    found = run(sample.failing())
    results = [one for one in found["results"] if one["ruleId"] == "item.create-time.milliseconds"]
    assert len(results) == 2
    first = results[0]
    assert (first["kind"], first["level"], first["occurrenceCount"]) == ("fail", "error", 42)
    (location,) = first["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {
        "uri": "queue.example%3A8188/api/queue",
        "uriBaseId": "ENDPOINT",
    }
    assert list(found["originalUriBaseIds"]) == ["ENDPOINT"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "/queue_pending/0/4/create_time"
    assert "The server sends seconds." in first["message"]["text"]
    assert found["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"]


def test_levels_are_those_of_the_clauses() -> None:
    levels = {one["ruleId"]: one["level"] for one in run(sample.failing())["results"]}
    assert levels["http.content-type"] == "error"
    assert levels["envelope.both-lists"] == "warning"
    assert levels["http.date"] == "warning", "a breach without evidence is a result as well"


def test_what_is_waived_is_suppressed_with_its_reason() -> None:
    results = {one["ruleId"]: one for one in run(sample.failing())["results"]}
    assert results["item.prompt-id.lower-case"]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "Accepted until the next release: gateway issue 481.",
        }
    ]
    assert [name for name, one in results.items() if "suppressions" in one] == ["item.prompt-id.lower-case"]


@ALL
def test_a_clause_without_a_word_is_one_that_was_kept(make: Callable[[], Report]) -> None:
    """Each other one has a result, or a notification that says why nothing is known of it."""
    report = make()
    found = run(report)
    told = {one["ruleIndex"] for one in found["results"]}
    told |= {one["associatedRule"]["index"] for one in found["invocations"][0]["toolExecutionNotifications"]}
    silent = [result.status.value for index, result in enumerate(report.clauses) if index not in told]
    assert set(silent) <= {"pass"}
    assert silent.count("pass") == sum(result.status == "pass" for result in report.clauses)


def test_what_was_not_exercised_is_a_notification() -> None:
    (invocation,) = run(sample.failing())["invocations"]
    told = {one["associatedRule"]["id"]: one for one in invocation["toolExecutionNotifications"]}
    assert told["error.code"]["descriptor"]["id"] == "not-exercised"
    assert told["error.code"]["level"] == "note"
    assert "needs a 400 or 500" in told["error.code"]["message"]["text"]
    assert told["workflow.links"]["level"] == "error"
    assert told["queue.one-order"]["level"] == "note"
    idle = run(sample.idle())["invocations"][0]["toolExecutionNotifications"]
    assert {one["level"] for one in idle if one["associatedRule"]["id"] == "item.array"} == {"warning"}


def test_an_inconclusive_run_did_not_succeed() -> None:
    """Else a reader would take the absence of findings for their end."""
    assert run(sample.passing())["invocations"][0]["executionSuccessful"] is True
    assert run(sample.failing())["invocations"][0]["executionSuccessful"] is True
    assert run(sample.unreachable())["invocations"][0]["executionSuccessful"] is False


def test_a_failure_is_known_again_the_next_night() -> None:
    def marks(report: Report) -> set[str]:
        return {one["partialFingerprints"]["clausePlaceKind/v1"] for one in run(report)["results"]}

    report = sample.failing()
    clause = report.clause("item.create-time.milliseconds")
    elsewhere = structs.replace(clause.evidence[0], pointer="/queue_pending/7/4/create_time", got="1767225999")
    again = history_samples.with_clauses(report, structs.replace(clause, evidence=(elsewhere, *clause.evidence[1:])))
    assert marks(again) == marks(report)
    assert len(marks(report)) > 4


def test_what_of_a_register_does_not_hold_is_told_as_misconfigured() -> None:
    (invocation,) = run(sample.known())["invocations"]
    told = [(one["level"], one["message"]["text"]) for one in invocation["toolConfigurationNotifications"]]
    assert told[0] == ("error", "reads.order: stale (deviations.toml, deviation 2)")
    assert len(told) == 2
    assert run(sample.passing())["invocations"][0]["toolConfigurationNotifications"] == []


def test_a_rule_says_that_it_is_inferred() -> None:
    described = [rule["fullDescription"]["text"] for rule in run(sample.failing())["tool"]["driver"]["rules"]]
    assert {text.endswith("Inferred: The RFC does not name a queue.") for text in described} == {True, False}
