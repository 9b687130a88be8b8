"""JUnit XML for CI systems: one test case for each clause."""

from __future__ import annotations

from typing import Any

from conformance.judge.report import ClauseResult, Evidence, Report, Status
from conformance.render.qualifiers import failed_on_should, register_problems
from conformance.render.words import duration, judged_again, more_like_this, place, rule, subject
from conformance.text.safe import visible


def render_junit(report: Report, *, fail_on_should: bool = False) -> bytes:
    """Return ``junit.xml``. A warning is a passed test with its finding as output, unless ``fail_on_should``.

    A stale, expired or unknown entry of the register of known deviations is a failed test. The file is valid by the
    schema of Jenkins' xUnit plugin, which allows neither ``skipped`` on the root nor ``properties`` on a test case.
    """
    import junitparser

    junit: Any = junitparser  # most of its methods have no type hints
    run = report.run
    suite = junit.TestSuite("conformance")
    suite.timestamp = visible(run.start)
    for name, value in {
        "verdict": report.verdict.value,
        "verdict_reason": report.verdict_reason,
        "target": run.target,
        "dialect": run.dialect,
        "read_as": run.read_as,
        "suite_version": run.suite_version,
        "document_sha256": run.document_sha256,
        "schema_version": str(report.schema_version),
        "partial": str(run.partial).lower(),
        "edition": str(run.edition),
        **({"made_from": judged_again(report)} if run.made_from else {}),
        **({"failed_on_should": told} if (told := failed_on_should(report)) else {}),
    }.items():
        suite.add_property(name, visible(value))
    cases = [_case(junit, result, fail_on_should=fail_on_should) for result in report.clauses]
    suite.add_testcases([*cases, *(_problem(junit, clause, what) for clause, what in register_problems(report))])
    document = junit.JUnitXml("comfy-queue-conformance")
    suite.update_statistics()
    # Test cases have no duration, because all clauses judge the same responses.
    suite.time = document.time = round(max(0.0, duration(run) or 0.0), 3)
    document.tests, document.failures, document.errors = suite.tests, suite.failures, suite.errors
    document.append(suite)
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + bytes(document.tostring()) + b"\n"


def _case(junit: Any, result: ClauseResult, *, fail_on_should: bool) -> Any:
    case = junit.TestCase(visible(result.id), f"conformance.{visible(subject(result.id))}", 0)
    properties = {"level": result.level, "status": result.status.value, "core": str(result.core).lower()}
    if result.status is Status.WARN:
        properties["warning"] = first_line(result)
    told = [visible(f"[[PROPERTY|{name}={value}]]") for name, value in properties.items()]
    outcome = _outcome(junit, result, fail_on_should=fail_on_should)
    if outcome is not None:
        outcome.text = details(result)
        case.append(outcome)
    elif result.status is Status.WARN:
        told.append(details(result))
    case.system_out = "\n".join(told)  # every schema allows properties of a test case here
    return case


def _problem(junit: Any, clause: str, what: str) -> Any:
    case = junit.TestCase(visible(clause), "conformance.deviations", 0)
    case.append(junit.Failure(visible(f"{clause}: {what}"), "known-deviation"))
    return case


def _outcome(junit: Any, result: ClauseResult, *, fail_on_should: bool) -> Any | None:
    """Return the element for a test that did not pass; None if it passed."""
    status = result.status
    if status is Status.FAIL or (status is Status.WARN and fail_on_should):
        return junit.Failure(first_line(result), visible(f"{result.level}.{result.id}"))
    if status is Status.ERROR:
        return junit.Error(first_line(result), "suite-error")
    if status in {Status.NOT_EXERCISED, Status.NOT_APPLICABLE, Status.WAIVED}:
        return junit.Skipped(visible(f"{status.value}: {result.waiver or result.reason}"), status.value)
    return None


def first_line(result: ClauseResult) -> str:
    """Return one line about a clause: its first finding, or else the reason for its status."""
    return visible(result.evidence[0].message if result.evidence else result.reason)


def details(result: ClauseResult) -> str:
    """Return the text of all findings of a clause, one paragraph for each."""
    head = [rule(result.level, result.title), result.reason]
    blocks = ["\n".join(text for text in head if text), *map(_evidence, result.evidence)]
    return visible("\n\n".join(blocks), keep="\n")


def _evidence(evidence: Evidence) -> str:
    rows = [
        ("", evidence.message),
        ("at ", f"{place(evidence.pointer)} in exchange {evidence.exchange}"),
        ("expected ", evidence.expected),
        ("got ", evidence.got),
        ("hint: ", evidence.hint),
        ("", more_like_this(evidence)),
    ]
    return "\n".join(visible(f"{label}{text}") for label, text in rows if text)
