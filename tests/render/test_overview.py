"""The overview of many targets: read back as it was written, and as a page for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from conformance.history.overview import Overview, TargetResult, decode, encode, overview, worst_first
from conformance.judge.report import Fingerprint, Report, Status, Verdict
from conformance.render.overview import headline, render_html, result
from helpers.browser import Opener, Scheme, expect, overflows, violations
from helpers.history_samples import REPORTS as WITH_HISTORY
from helpers.report_samples import REPORTS

HOSTILE = "x<img src=y onerror='window.pwned=1'>\u202e\x1b[31m" + "w" * 300


def whole() -> Overview:
    """Return an overview of every sample, of what was not judged, and of hostile words."""
    found = [result(name, make(), 1) for name, make in {**REPORTS, **WITH_HISTORY}.items()]
    lost = TargetResult(
        name="lost", target=f"http://{'t' * 200}", dialect="oss", outcome="error", reason=HOSTILE, exit=3
    )
    hostile = structs.replace(found[0], name="hostile", reason=HOSTILE, changed=HOSTILE, flags=(HOSTILE,))
    return overview([*found, lost, hostile], start="2026-11-25T03:41:00Z", end="2026-11-25T03:42:00Z")


def test_an_overview_is_read_back_as_it_was_written() -> None:
    assert decode(encode(whole())) == whole()


def test_those_that_are_not_well_come_first() -> None:
    outcomes = [one.outcome for one in worst_first(whole())]
    assert outcomes == sorted(outcomes, key=["non-conformant", "error", "inconclusive", "conformant"].index)
    assert len(set(outcomes)) == 4


def with_verdicts(*verdicts: Verdict) -> Report:
    """Return a report with a history of these verdicts, its own at the end."""
    make = next(
        make for make in WITH_HISTORY.values() if (made := make().history) is not None and made.diff is not None
    )
    report = make()
    assert report.history is not None
    assert report.history.diff is not None
    runs = [structs.replace(report.history.runs[-1], verdict=verdict) for verdict in verdicts]
    diff = structs.replace(report.history.diff, old=runs[-2], new=runs[-1])
    history = structs.replace(report.history, runs=tuple(runs), diff=diff)
    return structs.replace(report, verdict=verdicts[-1], history=history)


@pytest.mark.parametrize(
    ("verdicts", "nights"),
    [("CC", 0), ("CI", 1), ("III", 3), ("ICII", 2), ("NIIN", 0)],
)
def test_nights_without_a_verdict_are_counted_up_to_this_one(verdicts: str, nights: int) -> None:
    by_letter = {"C": Verdict.CONFORMANT, "I": Verdict.INCONCLUSIVE, "N": Verdict.NON_CONFORMANT}
    found = result("t", with_verdicts(*(by_letter[letter] for letter in verdicts)), 0)
    assert found.nights == nights


def test_what_changed_is_told_between_two_verdicts_alone() -> None:
    told = result("t", with_verdicts(Verdict.CONFORMANT, Verdict.CONFORMANT), 0).changed
    assert told is not None
    assert told.startswith("Since run ")
    for pair in ((Verdict.CONFORMANT, Verdict.INCONCLUSIVE), (Verdict.INCONCLUSIVE, Verdict.CONFORMANT)):
        assert result("t", with_verdicts(*pair), 0).changed is None


def test_a_failure_that_shows_itself_otherwise_is_another_trouble() -> None:
    report = REPORTS["failing"]()
    failing = [one for one in report.clauses if one.status is Status.FAIL]
    found = {trouble.clause: trouble.key for trouble in result("t", report, 1).troubles}
    assert set(found) >= {one.id for one in failing}
    elsewhere = tuple(
        structs.replace(
            one, evidence=tuple(structs.replace(e, pointer="/elsewhere") for e in one.evidence), fingerprints=()
        )
        if one.id == failing[0].id
        else one
        for one in report.clauses
    )
    again = {one.clause: one.key for one in result("t", structs.replace(report, clauses=elsewhere), 1).troubles}
    assert {name for name in found if found[name] != again[name]} == {failing[0].id}


def test_the_list_in_which_a_failure_shows_makes_no_other_trouble_of_it() -> None:
    report = REPORTS["failing"]()
    (one, *_) = (clause for clause in report.clauses if clause.status is Status.FAIL)

    def key(*places: str) -> str:
        marks = tuple(Fingerprint(place=place, kind="seconds") for place in places)
        clauses = (structs.replace(one, fingerprints=marks),)
        (trouble,) = result("t", structs.replace(report, clauses=clauses), 1).troubles
        return trouble.key

    assert key("/queue_running/*/4") == key("/queue_pending/*/4") == key("/queue_pending/*/4", "/queue_running/*/4")
    assert key("/queue_running/*/4") != key("/queue_running/*/3")


def test_a_run_that_fails_for_more_than_its_verdict_is_named() -> None:
    found = result("t", REPORTS["passing"](), 1)
    told = headline(overview([found], start="", end=""))
    assert told == "1 target: 1 conformant; failed all the same: t"


# In the browser


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the page and return its URL."""
    path: Path = tmp_path_factory.mktemp("overview") / "index.html"
    path.write_text(render_html(whole()), "utf-8")
    return path.as_uri()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1200, "dark")])
def test_axe_finds_nothing(opener: Opener, page_url: str, width: int, scheme: Scheme) -> None:
    assert violations(opener(page_url, width=width, color_scheme=scheme, bypass_csp=True)) == []


@pytest.mark.browser
def test_nothing_of_a_server_runs_and_nothing_overflows(opener: Opener, page_url: str) -> None:
    page = opener(page_url)
    assert overflows(page) == []
    assert page.evaluate("window.pwned") is None


@pytest.mark.browser
def test_the_page_leads_to_the_report_of_each_target(opener: Opener, page_url: str) -> None:
    page = opener(page_url)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{len(whole().targets)} targets")
    assert page.get_by_role("link", name="failing", exact=True).get_attribute("href") == "failing/index.html"
    expect(page.get_by_role("link", name="lost")).to_have_count(0)
    expect(page.get_by_text("\\u202e\\u001b[31m").first).to_be_visible()
