"""Render a report as CTRF (Common Test Report Format) JSON, which many test tools read. Each clause is one test."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final

import msgspec

from conformance.judge.report import ClauseResult, Report, Status
from conformance.render.junit import details, first_line
from conformance.render.qualifiers import failed_on_should, register_problems
from conformance.render.words import subject, subject_title
from conformance.text.safe import visible

SPEC_VERSION: Final = "0.0.0"
_STATUS: Final = {
    Status.PASS: "passed",
    Status.FAIL: "failed",
    Status.ERROR: "failed",
    Status.WARN: "other",
    Status.NOT_EXERCISED: "skipped",
    Status.NOT_APPLICABLE: "skipped",
    Status.WAIVED: "skipped",
}
"""The CTRF status for each status of this suite. CTRF has fewer, so ``rawStatus`` has the suite's own status."""


def render_ctrf(report: Report, *, fail_on_should: bool = False) -> bytes:
    """Return ``ctrf.json``. A warning has the CTRF status ``other``, or ``failed`` with ``fail_on_should``.

    A stale, expired or unknown entry of the register of known deviations is a failed test.
    """
    run = report.run
    tests = [_test(result, fail_on_should=fail_on_should) for result in report.clauses]
    tests += [_problem(clause, what) for clause, what in register_problems(report)]
    tally = Counter(test["status"] for test in tests)
    start, stop = _milliseconds(run.start), _milliseconds(run.end)
    document = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "timestamp": visible(run.end),
        "generatedBy": "comfy-queue-conformance",
        "results": {
            "tool": {"name": "comfy-queue-conformance", "version": visible(run.suite_version)},
            "summary": {
                "tests": len(tests),
                **{name: tally[name] for name in ("passed", "failed", "skipped", "pending", "other")},
                "start": start,
                "stop": stop,
                "duration": stop - start,
                "extra": {
                    "verdict": report.verdict.value,
                    "verdict_reason": visible(report.verdict_reason),
                    **({"failed_on_should": told} if (told := failed_on_should(report)) else {}),
                },
            },
            "tests": tests,
            "environment": {
                "appName": "GET /api/queue",
                "testEnvironment": visible(run.target),
                "extra": {
                    "dialect": visible(run.dialect),
                    "document_sha256": visible(run.document_sha256),
                    "partial": run.partial,
                },
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _test(result: ClauseResult, *, fail_on_should: bool) -> dict[str, Any]:
    failed = fail_on_should and result.status is Status.WARN
    test = {
        "name": visible(result.id),
        "testId": visible(result.id),
        "status": "failed" if failed else _STATUS[result.status],
        "rawStatus": result.status.value,
        "duration": 0,  # all clauses judge the same responses
        "suite": ["conformance", visible(subject_title(subject(result.id)))],
        "tags": [result.level, *(["core"] if result.core else [])],
        "extra": {"title": visible(result.title), "judged": result.judged, "breached": result.breached},
    }
    if result.status is not Status.PASS:
        reason = result.waiver or (first_line(result) if result.breached else result.reason)
        test["message"] = visible(f"{result.status.value}: {reason}")
    if result.evidence:
        test["trace"] = details(result)
    return test


def _problem(clause: str, what: str) -> dict[str, Any]:
    return {
        "name": visible(f"{clause} (known deviation)"),
        "status": "failed",
        "duration": 0,
        "suite": ["conformance", "Known deviations"],
        "message": visible(f"{clause}: {what}"),
    }


def _milliseconds(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return 0
