"""JUnit XML as CI systems read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
import report_samples as sample
from junitparser import JUnitXml

from conformance.judge.report import Report
from conformance.render.junit import render_junit


def cases(data: bytes) -> dict[str, ET.Element]:
    """Return the test cases by name."""
    return {case.attrib["name"]: case for case in ET.fromstring(data).iter("testcase")}  # noqa: S314 - our own


def test_each_status_is_what_a_ci_system_shows() -> None:
    """fail, error, skipped and passed, with the words that explain them."""
    data = render_junit(sample.failing())
    by_name = cases(data)
    failed = by_name["item.create-time.milliseconds"]
    assert failed.attrib["classname"] == "conformance.item"
    failure = failed.find("failure")
    assert failure is not None
    assert "2026-01-01 in seconds" in failure.attrib["message"]
    assert "41 more like this, last at /queue_pending/41/4/create_time" in (failure.text or "")
    assert by_name["workflow.links"].find("error") is not None
    for name in ("error.code", "queue.one-order", "item.prompt-id.lower-case"):
        skipped = by_name[name].find("skipped")
        assert skipped is not None
        assert skipped.attrib["message"]
    assert len(by_name["status.served"]) == 1  # its properties
    suite: Any
    (suite,) = JUnitXml.fromstring(data)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (27, 2, 1, 3)
    assert suite.time == 1.25
    properties = {one.name: one.value for one in suite.properties()}
    assert properties["verdict"] == "non-conformant"
    assert properties["target"] == "http://queue.example:8188"
    assert properties["suite_version"] == "1.0.0"


def test_a_warning_passes_unless_asked_otherwise() -> None:
    """The finding is in the output of a passed test; with fail_on_should it is a failure."""
    warned = cases(render_junit(sample.failing()))["envelope.both-lists"]
    assert warned.find("failure") is None
    output = warned.find("system-out")
    assert output is not None
    assert "queue_running is missing" in (output.text or "")
    assert any(p.attrib == {"name": "warning", "value": "queue_running is missing"} for p in warned.iter("property"))
    strict = cases(render_junit(sample.failing(), fail_on_should=True))["envelope.both-lists"]
    assert strict.find("failure") is not None


def test_what_a_register_says_and_does_not_hold_fails_by_name_and_what_is_waived_is_skipped() -> None:
    root = ET.fromstring(render_junit(sample.known()))  # noqa: S314
    (stale, _) = [case for case in root.iter("testcase") if case.attrib["classname"] == "conformance.deviations"]
    failure = stale.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "reads.order: stale (deviations.toml, deviation 2)"
    waived = cases(render_junit(sample.known()))["item.element-order"].find("skipped")
    assert waived is not None
    assert waived.attrib["message"].startswith("waived: Accepted until")


@pytest.mark.parametrize("make", sample.REPORTS.values(), ids=sample.REPORTS)
def test_it_is_xml_whatever_was_sent(make: Callable[[], Report]) -> None:
    """Well-formed, one case for each clause, nothing added by the server, nothing illegal in XML."""
    report = make()
    data = render_junit(report)
    root = ET.fromstring(data)  # noqa: S314
    problems = report.deviations.problems if report.deviations else ()
    assert len(list(root.iter("testcase"))) == len(report.clauses) + len(problems)
    allowed = {
        "testsuites",
        "testsuite",
        "testcase",
        "properties",
        "property",
        "failure",
        "error",
        "skipped",
        "system-out",
    }
    assert {element.tag for element in root.iter()} <= allowed
    assert data.decode().replace("\n", "").isprintable()
