"""Open pages in Chromium, and check them with axe-core."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from helpers.programs import executable

if TYPE_CHECKING:  # Playwright takes long to import, and only the process that opens pages needs it
    from playwright.sync_api import Browser, Page

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run"
)
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser. If it is not installed, tests are skipped, or fail in CI.

    The fixture does not last for the whole session: while Playwright runs, no other test of this process could run an
    event loop.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(playwright), args=ARGUMENTS.split())
        yield started
        started.close()


LONGEST: Final = 300_000
"""Milliseconds after which a page that does not load fails its test. A large one takes half a minute if others run."""


class Opener:
    """Opens URLs, and records console messages, errors, dialogs, pop-ups and network requests.

    A page is used again for the same options: Chromium takes half a CPU second to make a new one.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []
        self._pages: dict[str, Page] = {}

    def __call__(self, url: str, *, width: int = 1200, color_scheme: Scheme = "light", **context: Any) -> Page:
        """Open ``url`` in a page of a browser context with these options."""
        page = self._pages.get(repr(context)) or self._new(context)
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(media="screen", color_scheme=color_scheme, reduced_motion="reduce")
        page.goto("about:blank")  # so that a URL with another fragment is loaded again
        page.goto(url)
        return page

    def _new(self, context: dict[str, Any]) -> Page:
        page = self._pages[repr(context)] = self.browser.new_context(**context).new_page()
        page.set_default_timeout(LONGEST)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("popup", lambda popup: self.complaints.append(popup.url))
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else self.complaints.append(request.url),
        )
        return page


@pytest.fixture(scope="module")
def _opener(browser: Browser) -> Opener:
    return Opener(browser)


@pytest.fixture
def opener(_opener: Opener) -> Iterator[Opener]:
    """Yield an opener. The test fails if a page had errors, opened anything or loaded anything over the network."""
    _opener.complaints.clear()
    yield _opener
    assert not _opener.complaints


@cache
def axe() -> str:
    """Return the source of axe-core."""
    import axe_playwright_python

    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")


def unfold(page: Page, most: int = 10_000) -> None:
    """Open the first ``most`` folded parts of a page, and close the others."""
    page.evaluate("(most) => document.querySelectorAll('details').forEach((one, i) => { one.open = i < most })", most)


def harmless(page: Page) -> None:
    """Unfold a page; assert that no text of a server ran, and that it never scrolls sideways, even on a phone."""
    unfold(page)
    for width in (360, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    assert page.evaluate("window.pwned") is None
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def dark_and_light(opener: Opener, url: str) -> None:
    """Assert that a page follows the reader's colour scheme."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    light, dark = (
        opener(url, color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
        )
        for scheme in schemes
    )
    assert min(light) > 220
    assert max(dark) < 40


def violations(page: Page) -> list[str]:
    """Unfold much of a page; return its violations of WCAG and of good practice, as axe-core reports them."""
    unfold(page, 30)
    page.evaluate(axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations)")
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"][:3]]


def in_both_schemes(*pages: tuple[str, int], quick: Collection[Scheme]) -> pytest.MarkDecorator:
    """Parametrize a test with pages and widths, each in light and dark mode.

    The quick run has only the first page, in the ``quick`` modes: axe-core takes two CPU seconds a page.
    """
    schemes: tuple[Scheme, ...] = ("light", "dark")
    values = [
        pytest.param(*page, scheme, marks=() if page == pages[0] and scheme in quick else pytest.mark.deep)
        for page in pages
        for scheme in schemes
    ]
    return pytest.mark.parametrize(("name", "width", "scheme"), values)


def expect(found: Any) -> Any:
    """Return Playwright's assertions about an element of a page."""
    from playwright.sync_api import expect

    return expect(found)
