"""What stands beside the verdict in every rendering: why a run is partial, and that warnings made it fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from conformance.history.snapshot import snapshot
from conformance.history.store import Store
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Status, Verdict
from conformance.render.badge import badge_of, render_endpoint, render_svg
from conformance.render.ctrf import render_ctrf
from conformance.render.html import render_html
from conformance.render.junit import render_junit
from conformance.render.markdown import render_markdown
from conformance.render.overview import result
from conformance.render.qualifiers import flags
from conformance.render.sarif import render_sarif
from conformance.render.terminal import summary_lines
from helpers import report_samples as sample

STOPPED = "the target is busy: the last 8 requests got a 429"
TEXTS: dict[str, Callable[[Report], str]] = {
    "terminal": lambda report: "\n".join(line.text for line in summary_lines(report)),
    "html": render_html,
    "markdown": render_markdown,
}
ALL: dict[str, Callable[[Report], str]] = {
    **TEXTS,
    "junit": lambda report: render_junit(report, fail_on_should=True).decode(),
    "ctrf": lambda report: render_ctrf(report, fail_on_should=True).decode(),
    "sarif": lambda report: render_sarif(report).decode(),
    "overview": lambda report: " ".join(result("prod", report, 1).flags),
}
SHOULD = "item.prompt-id.lower-case"
SAID = "fails the run: exit status 1 (--fail-on-should)"


def partial(*, stopped: str | None = None, selected: str | None = None) -> Report:
    report = sample.passing()
    run = structs.replace(report.run, partial=True, stopped=stopped, selected=selected)
    return structs.replace(report, run=run)


def warned(*, strict: bool, verdict: Verdict = Verdict.CONFORMANT) -> Report:
    found = sample.clause(SHOULD, Status.WARN)
    options: dict[str, str | int | float | bool | None] = {"fail_on_should": strict}
    return sample.report(verdict, "no must clause broken", [found], options=options)


@pytest.mark.parametrize("rendering", TEXTS)
def test_why_a_run_was_stopped_is_said(rendering: str) -> None:
    text = TEXTS[rendering](partial(stopped=STOPPED))
    assert STOPPED in text
    assert "selected clauses" not in text


@pytest.mark.parametrize("rendering", TEXTS)
def test_a_selection_is_not_called_a_stop(rendering: str) -> None:
    text = TEXTS[rendering](partial(selected="must"))
    assert "partial run" in text.lower()
    assert "only selected clauses" in text.lower()
    assert "stopped" not in text


def test_to_run_the_whole_suite_is_told_only_if_clauses_were_selected() -> None:
    told = "This run checked only selected clauses. Run the whole suite"
    assert told in render_html(partial(selected="must"))
    assert told in render_html(partial(selected="must", stopped=STOPPED))
    assert told not in render_html(partial(stopped=STOPPED))
    assert told not in render_html(partial())


def test_a_reason_that_says_why_a_run_was_stopped_is_not_repeated_beside_it() -> None:
    report = structs.replace(partial(stopped=STOPPED), verdict_reason=f"the run was stopped: {STOPPED}")
    assert TEXTS["terminal"](report).count(STOPPED) == 1


@pytest.mark.parametrize("rendering", ALL)
def test_a_run_that_fails_on_warnings_says_so(rendering: str) -> None:
    report = warned(strict=True)
    assert exit_status(report, fail_on_should=True) == 1
    assert SAID in ALL[rendering](report).replace("\\-", "-")


@pytest.mark.parametrize("rendering", ALL)
@pytest.mark.parametrize(
    "report",
    [
        warned(strict=False),
        structs.replace(sample.passing(), run=warned(strict=True).run),
        warned(strict=True, verdict=Verdict.NON_CONFORMANT),
    ],
    ids=["not asked for", "no warning", "non-conformant"],
)
def test_otherwise_nothing_is_said_of_it(rendering: str, report: Report) -> None:
    assert "--fail-on-should)" not in ALL[rendering](report)


def test_its_badge_is_not_green_also_from_a_history(tmp_path: Path) -> None:
    now = snapshot(warned(strict=True))
    with Store(tmp_path / "history.db", create=True) as store:
        store.add(now)
        (kept,) = map(store.snapshot, store.newest())
    for past in (now, kept):
        badge = badge_of(past)
        told = json.loads(render_endpoint(badge))
        assert "fails on warnings" in badge.message
        assert told["isError"] is True
        assert told["color"].encode() in render_svg(badge)
        assert told["color"] != json.loads(render_endpoint(badge_of(snapshot(sample.passing()))))["color"]
    assert "fails" not in badge_of(snapshot(warned(strict=False))).message


def test_how_many_are_waived_is_said_once() -> None:
    report = sample.known()
    assert TEXTS["terminal"](report).splitlines()[0].count("waived") == 1
    assert [flag for flag in flags(report) if "waived" in flag]
