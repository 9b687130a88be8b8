"""The page in a real browser: with script and without, by keyboard, on a phone, on paper, in the dark, for all."""

from __future__ import annotations

import pytest

from conformance.render.html import render_html
from helpers import history_samples
from helpers import report_samples as sample
from helpers.browser import Opener, Scheme, expect, looks, overflows, violations

pytestmark = pytest.mark.browser

REPORTS = {**sample.REPORTS, **history_samples.REPORTS}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write each sample and return its URL."""
    directory = tmp_path_factory.mktemp("pages")
    for name, make in REPORTS.items():
        (directory / f"{name}.html").write_text(render_html(make()), "utf-8")
    return {name: (directory / f"{name}.html").as_uri() for name in REPORTS}


ALL = pytest.mark.parametrize("name", list(REPORTS))


@ALL
def test_nothing_of_the_server_runs_and_nothing_overflows(opener: Opener, pages: dict[str, str], name: str) -> None:
    """With everything open, on a phone and on a screen, the page never scrolls sideways."""
    page = opener(pages[name])
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert overflows(page) == []
    assert page.evaluate("window.pwned") is None
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_filters_and_search_work_by_keyboard(opener: Opener, pages: dict[str, str]) -> None:
    """Tab, space and letters are enough; the number shown is told."""
    page = opener(pages["failing"])
    page.get_by_label("Search").focus()
    page.keyboard.type("prompt-id UUID core")
    expect(page.locator(".clause:visible")).to_have_count(1)
    expect(page.locator("#shown")).to_have_text("1 of 27 clauses")
    page.keyboard.press("Control+A")
    page.keyboard.type("no such words")
    expect(page.get_by_text("No clause matches.")).to_be_visible()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("input[value=fail]")).to_be_checked()
    expect(page.locator(".clause:visible")).to_have_count(2)
    expect(page.locator(".subject:visible")).to_have_count(2)
    page.get_by_label("should").focus()
    page.keyboard.press("Space")
    expect(page.locator(".clause:visible")).to_have_count(0)
    page.get_by_role("button", name="Reset").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".clause:visible")).to_have_count(27)
    page.get_by_role("button", name="Open all").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".clause:not([open])")).to_have_count(0)


def test_a_link_leads_to_a_clause_that_was_filtered_away(opener: Opener, pages: dict[str, str]) -> None:
    """The filter gives way, the clause opens, and its evidence leads on to the ledger."""
    page = opener(pages["failing"])
    page.get_by_label("Passed").check()
    page.get_by_role("link", name="create_time is in milliseconds").press("Enter")
    body = page.locator("[id='c-item.create-time.milliseconds']")
    expect(body).to_be_in_viewport()
    body.get_by_role("link", name="x-04").click()
    expect(page.locator("#x-x-04")).to_be_in_viewport()


def test_without_script_it_is_whole(opener: Opener, pages: dict[str, str]) -> None:
    """No dead controls; clauses open by keyboard, and links open them too."""
    page = opener(pages["failing"], java_script_enabled=False)
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator(".clause:visible")).to_have_count(27)
    page.get_by_role("link", name="create_time is in milliseconds").press("Enter")
    expect(page.get_by_text("The server sends seconds.")).to_be_visible()
    page.locator(".clause[open] .exchange > summary").first.press("Enter")
    expect(page.locator(".clause[open] .curl")).to_contain_text("$COMFY_API_KEY")


@pytest.mark.parametrize("script", [True, False])
def test_paper_shows_everything(opener: Opener, pages: dict[str, str], *, script: bool) -> None:
    """Print opens all details, hides the controls, and is dark on white whatever the screen was."""
    page = opener(pages["failing"], java_script_enabled=script, color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_text("The server sends seconds.")).to_be_visible()
    expect(page.get_by_text("$COMFY_API_KEY").first).to_be_visible()
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    assert page.pdf().startswith(b"%PDF")


def test_dark_is_dark_and_light_is_light(opener: Opener, pages: dict[str, str]) -> None:
    """The page follows the reader's setting."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    light, dark = (
        opener(pages["passing"], color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
        )
        for scheme in schemes
    )
    assert min(light) > 220
    assert max(dark) < 40


@looks(
    ("passing", 1200),
    ("failing", 1200),
    ("failing", 360),
    ("idle", 1200),
    ("unreachable", 360),
    ("aged", 1200),
    ("aged", 360),
    ("new", 1200),
)
def test_axe_finds_nothing(opener: Opener, pages: dict[str, str], name: str, scheme: Scheme, width: int) -> None:
    """No violation of WCAG or of good practice, with much of it open; the policy is lifted for axe itself."""
    page = opener(pages[name], width=width, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach((one, i) => { one.open = i < 30 })")
    assert not violations(page)
