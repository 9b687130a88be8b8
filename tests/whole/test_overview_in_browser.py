"""The overview of many targets in a real browser: thousands of rows, with script and without, by keyboard, for all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conformance.fleet import overview_files
from conformance.fleet.overview_files import write_overview
from conformance.fleet.result_lines import BreachKind, EndpointResult
from conformance.fleet.results import Results
from conformance.fleet.tally import FleetTally
from conformance.problems import UsageProblem
from helpers.browser import Opener, Scheme, expect, harmless, violations
from helpers.fleet_samples import HEADER, MILLISECONDS, UUID, broken, kept

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

EVIL = '<img src=x onerror="pwned=1">\u202e'
LINES = [
    broken("twin-1", MILLISECONDS),
    broken(
        "twin-2", MILLISECONDS, target="https://a-host-with-a-very-long-name-indeed.example.org:8188/and/a/long/path"
    ),
    broken("odd-one", UUID, BreachKind(clause="item.array", place=f"/{EVIL}/*", kind="an array")),
    kept("dark", outcome="inconclusive", exit=10, unreached=f"unreachable: {EVIL}", reason=EVIL, p95=None),
    kept("lost", outcome="error", exit=3, reason="every worker that checked this target was lost", p95=None),
    kept(EVIL, flags=(EVIL,), changed=EVIL, report="reports/index.html"),
]


def written(directory: Path, lines: list[EndpointResult], *, ended: bool = True) -> str:
    """Write the overview of a fleet and return its URL."""
    with Results.begin(directory, HEADER, fresh=True) as results:
        for line in lines:
            results.add(line, None)
        if ended:
            results.write(FleetTally(lines).footer("2026-02-03T02:10:00.000Z"))
    write_overview([directory], directory)
    return (directory / "index.html").as_uri()


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the overview of 2,006 targets, six of which are not usual."""
    usual = [kept(f"worker-{number}", p95=number / 1000) for number in range(2_000)]
    return written(tmp_path_factory.mktemp("fleet"), [*usual, *LINES])


def unfolded(opener: Opener, url: str, **options: Any) -> Page:
    """Open the page and its folded table of all targets."""
    page = opener(url, **options)
    page.get_by_text("All targets: ").click()
    return page


def test_nothing_of_a_server_runs_and_nothing_overflows(opener: Opener, page_url: str) -> None:
    page = opener(page_url)
    harmless(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("2,006 targets")


def test_a_hundred_rows_are_shown_at_a_time_and_the_worst_come_first(opener: Opener, page_url: str) -> None:
    page = unfolded(opener, page_url)
    rows = page.locator("#rows tr")
    expect(rows).to_have_count(100)
    assert [text.split()[0] for text in page.locator("#rows th").all_inner_texts()[:6]] == [
        "twin-1",
        "twin-2",
        "odd-one",
        "lost",
        "dark",
        "worker-0",
    ]
    page.get_by_role("button", name="Next").press("Enter")
    expect(page.locator("#place")).to_have_text("Page 2 of 21")
    expect(rows.first).to_contain_text("worker-95")


def test_rows_are_found_filtered_and_sorted_by_keyboard(opener: Opener, page_url: str) -> None:
    page = unfolded(opener, page_url)
    rows, shown = page.locator("#rows tr"), page.locator("#shown")
    page.get_by_label("Search").focus()
    page.keyboard.type("WORKER-77 conformant")
    expect(shown).to_have_text("11 of 2,006 targets")
    page.get_by_role("button", name="p95, ms").press("Enter")
    expect(rows.first).to_contain_text("worker-779")
    page.get_by_role("button", name="p95, ms").press("Enter")
    expect(rows.first).to_contain_text("worker-77")
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
    page.get_by_role("button", name="Reset").press("Enter")
    page.get_by_label("Inconclusive").press("Space")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("dark")
    page.get_by_label("Search").fill("no such endpoint")
    expect(page.get_by_text("No target matches.")).to_be_visible()


def test_a_clause_leads_to_the_rows_of_its_targets(opener: Opener, page_url: str) -> None:
    page = opener(page_url)
    page.get_by_role("link", name="Clauses").press("Enter")
    page.locator("#clauses").get_by_role("link", name="odd-one").first.press("Enter")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#rows tr")).to_contain_text("2 must clause broken: item.prompt-id.uuid, item.array")
    expect(page.locator("#rows tr")).to_be_visible()


def test_a_target_leads_to_its_report(opener: Opener, tmp_path: Path) -> None:
    page = unfolded(opener, written(tmp_path, [kept("a", report="a/index.html"), kept("b")]))
    assert page.get_by_role("link", name="a", exact=True).last.get_attribute("href") == "a/index.html"
    assert page.locator("#rows a").count() == 1
    page.get_by_text("2 targets without a problem").click()
    assert page.locator(".members a").get_attribute("href") == "a/index.html"


def test_without_script_the_table_is_whole(opener: Opener, page_url: str) -> None:
    page = opener(page_url, java_script_enabled=False)
    expect(page.locator("#rows tr")).to_have_count(2_006)
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#pager")).to_be_hidden()


def test_the_page_begins_with_the_digest_and_folds_the_rest(opener: Opener, page_url: str) -> None:
    page = opener(page_url)
    titles = page.locator(".five dt").all_inner_texts()
    assert titles == ["Broken now", "Newly broken, fixed", "Not reached", "Waivers that expire within 14 days"]
    groups = page.locator(".group h3").all_inner_texts()
    assert groups == [
        "2 targets broken alike",
        "1 target broken",
        "1 target not checked, because the run failed",
        "1 target not reached",
    ]
    expect(page.locator(".group").last).to_contain_text("\\u202e")
    expect(page.get_by_text("worker-1999")).to_be_hidden()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), pytest.param(1200, "dark", marks=pytest.mark.deep)])
def test_axe_finds_nothing(opener: Opener, tmp_path: Path, scheme: Scheme, width: int) -> None:
    url = written(tmp_path, [*LINES, *(kept(f"worker-{number}") for number in range(200))], ended=False)
    assert not violations(opener(url, width=width, color_scheme=scheme))


def test_a_fleet_that_did_not_end_says_so(opener: Opener, tmp_path: Path) -> None:
    page = opener(written(tmp_path, [kept("a")], ended=False))
    expect(page.get_by_text("Not all targets were checked, because the run stopped early.")).to_be_visible()
    page.get_by_text("Broken clauses: 0").click()
    expect(page.get_by_text("No clause that was checked is broken.")).to_be_visible()


def test_the_parts_of_a_fleet_are_one(tmp_path: Path) -> None:
    for name, lines in (("a", LINES[:3]), ("b", LINES[3:])):
        written(tmp_path / name, lines)
    tally = write_overview([tmp_path / "a", tmp_path / "b"], tmp_path).tally
    assert (tally.total, tally.exit) == (6, 1)
    assert "stopped early" not in (tmp_path / "index.html").read_text(encoding="utf-8")
    with pytest.raises(UsageProblem, match="cannot be read"):
        write_overview([tmp_path / "a", tmp_path / "c"], tmp_path)


def test_more_rows_than_a_page_holds_are_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview_files, "ROWS", 4)
    written(tmp_path, LINES)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.count('<tr class="v-') == 4
    assert "2 targets more in" in text
