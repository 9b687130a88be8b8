"""The lines at the end of a run."""

from __future__ import annotations

from conformance.judge.report import Report, Status, Verdict
from conformance.render.terminal import summary_lines
from helpers import report_samples as sample


def texts(report: Report) -> list[str]:
    """Return the lines of a summary as text."""
    return [line.text for line in summary_lines(report)]


def test_the_verdict_comes_first_then_the_first_finding_in_five_lines() -> None:
    lines = texts(sample.failing())
    assert (
        lines[0] == "Non-conformant: 2 must clauses broken: http.content-type, item.create-time.milliseconds [1 waived]"
    )
    assert lines[1].startswith("FAILED item.create-time.milliseconds: ")
    assert lines[1].endswith("(broken in 3 of 14 responses, 42 places in response x1)")
    assert lines[2:8] == [
        "    Where         /queue_pending/0/4/create_time in response x1",
        "    Expected      milliseconds since the Unix epoch",
        "    Got           1767225600",
        "    Likely cause  The server sends seconds. Multiply by 1,000.",
        "    What to do    Multiply the value by 1,000 before you send it.",
        "    Run `comfy-conformance clauses item.create-time.milliseconds` for more.",
    ]


def test_the_other_findings_follow_with_failures_before_warnings() -> None:
    kinds = [text.split()[0] for text in texts(sample.failing()) if text[:4] in {"FAIL", "ERRO", "WARN", "WAIV"}]
    assert kinds == ["FAILED", "FAILED", "FAILED", "ERROR", "WARNING", "WARNING", "WAIVED"]


def test_many_findings_are_cut_and_counted() -> None:
    report = sample.report(
        Verdict.NON_CONFORMANT, "all broken", [sample.clause(name, Status.FAIL) for name, *_ in sample.CATALOGUE]
    )
    assert len([text for text in texts(report) if text.startswith("FAILED ")]) == 11
    assert f"… {len(sample.CATALOGUE) - 11} more findings in the report" in texts(report)


def test_findings_that_the_reader_has_seen_are_left_out() -> None:
    report = sample.failing()
    failed = {result.id for result in report.clauses if result.status is Status.FAIL}
    lines = [line.text for line in summary_lines(report, already_shown=failed)]
    assert not any(text.startswith("FAILED ") for text in lines)
    assert lines[1].startswith("ERROR workflow.links")


def test_each_profile_has_a_line_of_its_own() -> None:
    lines = texts(sample.failing())
    assert (
        "Checked 24 of 26 clauses that this run could check: 2 failed, 1 error, 2 warnings, 1 waived, 19 passed"
        in lines
    )
    assert "    queue      19 of 21" in lines
    assert "    http       4 of 4" in lines
    assert not any("lifecycle" in text for text in lines)


def test_an_idle_queue_is_one_line_and_says_what_to_do() -> None:
    lines = texts(sample.idle())
    assert "[embedded reference endpoint, not your server] [partial run]" in lines[0]
    assert lines[1].startswith("Next: Queue at least one running and two pending jobs")
    assert "11 not checked: 10 need a job in the queue, 1 needs a response that the server did not send." in lines
    assert not any("item.prompt-id.uuid" in text for text in lines)


def test_a_target_that_does_not_respond_shows_no_counts() -> None:
    lines = texts(sample.unreachable())
    assert lines[-1] == "No clause was checked."
    assert not any(text.startswith("    queue") for text in lines)
