"""Two reports side by side: what each pair of statuses is called, whether it matters, and how that is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from msgspec import json, structs

from conformance.history.comparison import BROKEN as BROKEN_SOMEHOW
from conformance.history.comparison import ComparedClause, Comparison, SideKind, encode, side_by_side
from conformance.history.snapshot import snapshot
from conformance.judge.report import Fingerprint, Report, Status, Verdict
from conformance.render.comparison import comparison_lines, comparison_markdown, render_comparison
from conformance.render.terminal import COLOUR
from helpers import report_samples as sample
from helpers.browser import Opener, Scheme, harmless, in_both_schemes, violations
from helpers.history_samples import with_clauses, with_status

MUST = "item.array"
BROKEN = "item.create-time.milliseconds"
"""A clause that ``sample.failing`` breaks, with evidence."""
ALIKE = "the same verdict, and no clause differs"


def contrast(a: Report, b: Report) -> Comparison:
    """Compare two reports side by side."""
    return side_by_side(snapshot(a), snapshot(b))


def row(a: Status | None, b: Status | None, clause: str = MUST) -> ComparedClause:
    """Compare two conformant reports that differ in one clause; None: a report lacks it."""

    def made(status: Status | None) -> Report:
        report = sample.passing()
        if status is None:
            return structs.replace(report, clauses=tuple(one for one in report.clauses if one.id != clause))
        return with_status(report, clause, status)

    return next(found for found in contrast(made(a), made(b)).clauses if found.clause == clause)


@pytest.mark.parametrize(
    ("a", "b", "kind", "matters"),
    [
        (Status.PASS, Status.PASS, "same", False),
        (Status.FAIL, Status.FAIL, "same", False),
        (Status.NOT_EXERCISED, Status.NOT_EXERCISED, "same", False),
        (Status.NOT_EXERCISED, Status.NOT_APPLICABLE, "same", False),
        (Status.PASS, Status.FAIL, "opposed", True),
        (Status.PASS, Status.WARN, "opposed", True),
        (Status.PASS, Status.WAIVED, "opposed", True),
        (Status.FAIL, Status.WARN, "weighed", False),
        (Status.FAIL, Status.WAIVED, "weighed", False),
        (Status.FAIL, Status.NOT_EXERCISED, "alone", True),
        (Status.PASS, Status.NOT_EXERCISED, "unseen", False),
        (Status.PASS, Status.NOT_APPLICABLE, "unasked", False),
        (Status.FAIL, Status.NOT_APPLICABLE, "unasked", False),
        (Status.PASS, Status.ERROR, "error", False),
        (Status.ERROR, Status.ERROR, "error", False),
        (Status.PASS, None, "unknown", False),
    ],
)
def test_each_pair_of_statuses_has_its_name_from_either_side(
    a: Status, b: Status | None, kind: SideKind, *, matters: bool
) -> None:
    one, other = row(a, b), row(b, a)
    assert (one.kind, one.matters, one.a, one.b) == (kind, matters, a, b)
    assert (other.kind, other.matters, other.a, other.b) == (kind, matters, b, a)


def test_what_both_break_in_other_ways_is_told_by_place_and_kind() -> None:
    failing = sample.failing()
    result = failing.clause(BROKEN)
    moved = structs.replace(result.evidence[0], pointer="/queue_running/3/4/create_time", kind="microseconds")
    other = with_clauses(failing, structs.replace(result, evidence=(moved,)))
    found = next(row for row in contrast(failing, other).clauses if row.clause == BROKEN)
    assert (found.kind, found.matters) == ("otherwise", True)
    assert found.only_b == (Fingerprint(place="/queue_running/*/4/create_time", kind="microseconds"),)
    assert found.only_a
    assert contrast(failing, failing).outcome == "same"


def test_the_outcome_is_the_same_only_where_both_are_conclusive_and_nothing_is_opposed() -> None:
    passing, failing, idle = sample.passing(), sample.failing(), sample.idle()
    assert contrast(passing, passing).outcome == "same"
    assert contrast(failing, failing).outcome == "same"
    assert contrast(passing, failing).outcome == contrast(failing, passing).outcome == "different"
    assert contrast(passing, idle).outcome == contrast(idle, idle).outcome == "unclear"
    lost = contrast(failing, sample.unreachable())
    assert (lost.outcome, lost.clauses) == ("unclear", ())
    assert lost.reason.startswith("B was not reached: the target cannot be reached")
    broken = structs.replace(with_status(idle, "http.content-type", Status.FAIL), verdict=Verdict.NON_CONFORMANT)
    assert contrast(passing, broken).outcome == "different"
    seen = structs.replace(idle, clauses=with_status(idle, "http.content-type", Status.WARN).clauses)
    assert contrast(passing, seen).outcome == "different"  # inconclusive, and yet opposed


def test_opposed_verdicts_are_a_difference_whatever_the_clauses_say() -> None:
    fails = structs.replace(with_status(sample.passing(), MUST, Status.FAIL), verdict=Verdict.NON_CONFORMANT)
    warns = with_status(sample.passing(), MUST, Status.WARN)
    found = contrast(fails, warns)
    assert (found.outcome, found.reason) == ("different", "A is non-conformant, B is conformant")


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (Status.PASS, Status.FAIL, "1 clause failed only on B"),
        (Status.FAIL, Status.PASS, "1 clause failed only on A"),
        (Status.FAIL, Status.NOT_EXERCISED, "1 clause failed on A and not checked on B"),
        (Status.NOT_EXERCISED, Status.FAIL, "1 clause failed on B and not checked on A"),
        (Status.PASS, Status.NOT_EXERCISED, f"{ALIKE}; 1 clause judged only on one side"),
    ],
)
def test_the_reason_says_whose_it_is(a: Status, b: Status, reason: str) -> None:
    made = [with_status(sample.passing(), MUST, status) for status in (a, b)]
    assert contrast(*made).reason == reason


def test_what_else_differs_is_noted() -> None:
    passing = sample.passing()
    run = structs.replace(
        passing.run, document_sha256="0" * 64, suite_version="0.9", dialect="oss", read_as="oss", partial=True
    )
    assert contrast(passing, structs.replace(passing, run=run)).notes == (
        "the documents differ: 95185edf23bb for A, 000000000000 for B",
        "the versions of the suite differ: 1.0.0 for A, 0.9 for B",
        "the dialect is cloud for A and oss for B: clauses of only one dialect are not compared",
        "the run of B is partial, cut short",
    )
    assert contrast(passing, passing).notes == ()


def test_what_matters_comes_first_and_what_both_break_first_of_what_is_alike() -> None:
    kinds = [row.kind for row in contrast(sample.failing(), sample.idle()).clauses]
    assert kinds == sorted(kinds, key=list(SideKind.__args__).index)  # type: ignore[attr-defined]
    alike = [row for row in contrast(sample.failing(), sample.failing()).clauses if row.kind == "same"]
    broken = [row.a in BROKEN_SOMEHOW for row in alike]
    assert any(broken)
    assert broken == sorted(broken, reverse=True)


PAIRS: dict[str, tuple[Callable[[], Report], Callable[[], Report]]] = {
    "alike": (sample.passing, sample.passing),
    "different": (sample.failing, sample.passing),
    "unclear": (sample.failing, sample.idle),
    "hostile": (sample.hostile, sample.hostile),
    "half-hostile": (sample.failing, sample.hostile),
}
every_pair = pytest.mark.parametrize("name", PAIRS)


def pair(name: str) -> Comparison:
    a, b = PAIRS[name]
    return contrast(a(), b())


@every_pair
def test_no_line_acts_and_the_outcome_is_the_last_one(name: str) -> None:
    lines = comparison_lines(pair(name))
    for style, text in lines:
        assert style in {"detail", "counts", *COLOUR}
        assert text.isprintable()
        assert not text.lstrip().startswith("::")
        assert "##vso[" not in text
    assert lines[-1].text.startswith(("Alike: ", "Different: ", "Unclear: "))


@every_pair
def test_nothing_in_the_markdown_acts(name: str) -> None:
    text = comparison_markdown(pair(name))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {token.type for block in tokens for token in (block, *(block.children or ()))}
    assert not kinds & {"link_open", "image", "html_block", "fence", "code_block"}
    assert not re.search(r"^\s*::|##vso\[|##\[", text, re.MULTILINE)
    assert text.replace("\n", "").isprintable()


def test_the_json_is_the_comparison_and_can_be_read_again() -> None:
    made = pair("different")
    assert json.decode(encode(made), type=Comparison) == made
    assert encode(made).startswith(b'{\n  "schema_version": 1')


# --- the page ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("pages")
    for name in PAIRS:
        (directory / f"{name}.html").write_text(render_comparison(pair(name)), "utf-8")
    return {name: (directory / f"{name}.html").as_uri() for name in PAIRS}


@every_pair
def test_the_page_loads_nothing_and_links_to_both_reports(name: str) -> None:
    page = render_comparison(pair(name))
    links = set(re.findall(r'href="([^"]*)"', page))
    assert all(re.match(r"#|[ab]/index\.html(#|$)|data:image/svg", link) for link in links)
    assert {"a/index.html", "b/index.html"} <= links
    assert "<script" not in page
    assert 'onerror="' not in page


@pytest.mark.browser
@every_pair
def test_nothing_of_a_server_runs_and_nothing_overflows(opener: Opener, pages: dict[str, str], name: str) -> None:
    harmless(opener(pages[name]))


@pytest.mark.browser
@in_both_schemes(("different", 1200), ("different", 360), ("alike", 1200), ("unclear", 360), quick=["light"])
def test_axe_finds_nothing(opener: Opener, pages: dict[str, str], name: str, scheme: Scheme, width: int) -> None:
    assert not violations(opener(pages[name], width=width, color_scheme=scheme))


@pytest.mark.browser
def test_a_status_leads_to_its_evidence(opener: Opener, tmp_path: Path) -> None:
    from conformance.render.html import render_html

    for side, report in (("a", sample.failing()), ("b", sample.passing())):
        (tmp_path / side).mkdir()
        (tmp_path / side / "index.html").write_text(render_html(report), "utf-8")
    (tmp_path / "index.html").write_text(render_comparison(pair("different")), "utf-8")
    page = opener((tmp_path / "index.html").as_uri())
    page.locator(f"[id='c-{BROKEN}'] a").first.press("Enter")
    page.wait_for_url(f"**/a/index.html#{BROKEN}")
    assert page.get_by_text("The server sends seconds.").first.is_visible()
