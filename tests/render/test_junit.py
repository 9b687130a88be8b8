"""JUnit XML as CI systems read it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from junitparser import JUnitXml
from msgspec import structs

from conformance.judge.report import Report
from conformance.render.junit import render_junit
from helpers import report_samples as sample

JENKINS = xmlschema.XMLSchema(Path(__file__).parents[1] / "schemas/junit-10.xsd")


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
    assert "41 more in the same response, last at /queue_pending/41/4/create_time" in (failure.text or "")
    assert by_name["workflow.links"].find("error") is not None
    for name in ("error.code", "queue.one-order", "item.prompt-id.lower-case"):
        skipped = by_name[name].find("skipped")
        assert skipped is not None
        assert skipped.attrib["message"]
    assert [element.tag for element in by_name["status.served"]] == ["system-out"]
    assert by_name["status.served"].findtext("system-out") == (
        "[[PROPERTY|level=must]]\n[[PROPERTY|status=pass]]\n[[PROPERTY|core=true]]"
    )
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
    assert "[[PROPERTY|warning=queue_running is missing]]" in (output.text or "").splitlines()
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
@pytest.mark.parametrize("fail_on_should", [False, True])
def test_it_is_valid_for_the_xunit_plugin_of_jenkins(make: Callable[[], Report], *, fail_on_should: bool) -> None:
    JENKINS.validate(render_junit(make(), fail_on_should=fail_on_should).decode())


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ('<testsuites skipped="3" ', "<testsuites "),
        ("<testcase><properties/></testcase>", "<testcase></testcase>"),
        ('time="1.2345"', 'time="1.234"'),
    ],
)
def test_the_schema_of_jenkins_sees_what_is_wrong(wrong: str, right: str) -> None:
    suite = '<testsuite name="s" tests="1" failures="0" errors="0" time="1.234"><testcase></testcase></testsuite>'
    document = f'<testsuites name="x">{suite}</testsuites>'
    document, wrong, right = (text.replace("<testcase>", '<testcase name="t">') for text in (document, wrong, right))
    assert JENKINS.is_valid(document)
    assert right in document
    assert not JENKINS.is_valid(document.replace(right, wrong))


@pytest.mark.parametrize("end", ["2026-01-01T03:00:00.123456Z", "2025-12-31T00:00:00Z", "2026-02-01T03:00:00Z", "x"])
def test_the_time_of_any_run_is_valid(end: str) -> None:
    report = sample.passing()
    JENKINS.validate(render_junit(structs.replace(report, run=structs.replace(report.run, end=end))).decode())


@pytest.mark.parametrize("make", sample.REPORTS.values(), ids=sample.REPORTS)
def test_there_is_one_case_for_each_clause_and_each_problem_of_the_register(make: Callable[[], Report]) -> None:
    report = make()
    problems = report.deviations.problems if report.deviations else ()
    cases = list(ET.fromstring(render_junit(report)).iter("testcase"))  # noqa: S314
    assert len(cases) == len(report.clauses) + len(problems)
