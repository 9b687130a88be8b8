"""The page in a real browser: with script and without, by keyboard, on a phone, on paper, in the dark, for all."""

from __future__ import annotations

import pytest

from conformance.render.html import render_html
from helpers import history_samples
from helpers import report_samples as sample
from helpers.browser import Opener, Scheme, dark_and_light, expect, harmless, in_both_schemes, violations
from helpers.profiles import one_in, quick_if
from helpers.stock_comfyui import comfyui

pytestmark = pytest.mark.browser

REPORTS = {**sample.REPORTS, **history_samples.REPORTS, "comfyui": comfyui}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write each sample and return its URL."""
    directory = tmp_path_factory.mktemp("pages")
    for name, make in REPORTS.items():
        (directory / f"{name}.html").write_text(render_html(make()), "utf-8")
    return {name: (directory / f"{name}.html").as_uri() for name in REPORTS}


ALL = pytest.mark.parametrize("name", quick_if(REPORTS, {"failing", "hostile", "comfyui", "unreachable"}.__contains__))


@ALL
def test_nothing_of_the_server_runs_and_nothing_overflows(opener: Opener, pages: dict[str, str], name: str) -> None:
    harmless(opener(pages[name]))


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
    expect(page.locator(".clause:not([hidden])")).to_have_count(27)
    expect(page.locator(".subject[open]")).to_have_count(0)
    page.get_by_role("button", name="Open all").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".clause:not([open])")).to_have_count(0)
    page.get_by_role("button", name="Close all").click()
    expect(page.locator(".subject[open]")).to_have_count(0)


def test_a_link_leads_to_a_clause_that_was_filtered_away(opener: Opener, pages: dict[str, str]) -> None:
    """The filter is reset and the clause opens; it links back to the finding, which links to the request."""
    page = opener(pages["failing"])
    page.get_by_label("Passed").check()
    page.locator(".finding").first.get_by_role("link", name="The clause and its source").click()
    clause = page.locator("[id='clause-item.create-time.milliseconds']")
    expect(clause).to_be_in_viewport()
    clause.get_by_role("link", name="Broken in 3 of 14 responses.").click()
    finding = page.locator("[id='item.create-time.milliseconds']")
    expect(finding).to_be_in_viewport()
    finding.get_by_role("link", name="x1").click()
    expect(page.locator("#x-x1")).to_be_in_viewport()


@pytest.mark.parametrize(
    ("anchor", "shown"),
    [
        ("item.prompt-id.uuid", "item.prompt-id.uuid"),
        ("envelope.both-lists", "envelope.both-lists"),
        pytest.param("c-item.prompt-id.uuid", "item.prompt-id.uuid", marks=pytest.mark.deep),
        pytest.param("item.prompt-id.lower-case", "item.prompt-id.lower-case", marks=pytest.mark.deep),
    ],
)
def test_a_link_from_outside_leads_to_a_clause(opener: Opener, pages: dict[str, str], anchor: str, shown: str) -> None:
    page = opener(f"{pages['failing']}#{anchor}")
    expect(page.locator(f"[id='{shown}']")).to_be_in_viewport()


FIRST_SCREENS = one_in(2, [(390, 844), (1440, 900)])


@pytest.mark.parametrize("screen", FIRST_SCREENS)
@pytest.mark.parametrize("name", ["failing", "comfyui"])
def test_the_first_screen_says_what_to_fix(
    opener: Opener, pages: dict[str, str], name: str, screen: tuple[int, int]
) -> None:
    page = opener(pages[name])
    page.set_viewport_size({"width": screen[0], "height": screen[1]})
    first = page.locator(".finding").first
    for term in ("Where", "Expected", "Got", "Likely cause", "What to do"):
        expect(first.locator("dt", has_text=term).first.locator("xpath=..")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport(ratio=1)
    expect(first.locator("pre.curl")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("more below")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("screen", FIRST_SCREENS)
@pytest.mark.parametrize("name", ["idle", "unreachable", "known"])
def test_without_findings_the_first_screen_says_what_to_do(
    opener: Opener, pages: dict[str, str], name: str, screen: tuple[int, int]
) -> None:
    page = opener(pages[name])
    page.set_viewport_size({"width": screen[0], "height": screen[1]})
    if name == "unreachable":  # the reason says it
        expect(page.locator(".hero-reason")).to_be_in_viewport(ratio=1)
    else:
        expect(page.get_by_role("heading", name="What to do next").locator("xpath=..")).to_be_in_viewport(ratio=1)


def test_the_command_can_be_copied(opener: Opener, pages: dict[str, str]) -> None:
    page = opener(pages["failing"], permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -sS -i")


def test_without_script_it_is_whole(opener: Opener, pages: dict[str, str]) -> None:
    """Controls that need the script are hidden, and links open the closed parts that they lead to."""
    page = opener(pages["failing"], java_script_enabled=False)
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator(".finding .curl").first).to_contain_text("$COMFY_API_KEY")
    page.locator(".finding").first.get_by_role("link", name="x1").press("Enter")
    expect(page.locator("#x-x1")).to_be_in_viewport()
    page.locator(".subject > summary").first.press("Enter")
    page.locator(".subject[open] .clause > summary").first.press("Enter")
    expect(page.locator(".clause[open] .quote").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_paper_shows_every_finding_and_folds_the_rest(opener: Opener, pages: dict[str, str], *, script: bool) -> None:
    """Print opens all findings, hides the controls, and is dark on white whatever the screen was."""
    page = opener(pages["failing"], java_script_enabled=script, color_scheme="dark")
    page.emulate_media(media="print")
    expect(page.get_by_text("The server sends seconds.")).to_be_visible()
    expect(page.get_by_text("$COMFY_API_KEY").first).to_be_visible()
    expect(page.locator(".finding-body").last).to_be_visible()
    expect(page.locator(".clause .quote").first).to_be_hidden()
    expect(page.locator("#requests ~ details table")).to_be_hidden()
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    assert page.pdf().startswith(b"%PDF")


def test_dark_is_dark_and_light_is_light(opener: Opener, pages: dict[str, str]) -> None:
    dark_and_light(opener, pages["passing"])


@in_both_schemes(
    ("comfyui", 390),
    ("failing", 1440),
    ("passing", 1440),
    ("failing", 320),
    ("comfyui", 768),
    ("idle", 390),
    ("unreachable", 320),
    ("known", 768),
    ("loaded", 390),
    ("aged", 1440),
    ("aged", 390),
    ("new", 768),
    quick=["light"],
)
def test_axe_finds_nothing(opener: Opener, pages: dict[str, str], name: str, scheme: Scheme, width: int) -> None:
    assert not violations(opener(pages[name], width=width, color_scheme=scheme))
