"""Looking at a page as its readers do: in Chromium, and by axe-core."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync "
    "--no-first-run"
)
Scheme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium: of the environment variable CHROMIUM, else as found on the PATH. Without it these tests fail."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail(
            "no chromium on the PATH: install it, name it in CHROMIUM, or leave these tests out with -m 'not browser'"
        )
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield started
        started.close()


class Opener:
    """Opens pages and remembers what the browser complained of."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []

    def __call__(self, url: str, *, width: int = 1200, **context: Any) -> Page:
        """Open ``url`` in a context of its own."""
        page = self.browser.new_context(
            viewport={"width": width, "height": 800}, reduced_motion="reduce", **context
        ).new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else self.complaints.append(request.url),
        )
        page.goto(url)
        return page


@pytest.fixture
def opener(browser: Browser) -> Iterator[Opener]:
    """Return an opener; contexts are closed, and complaints fail the test."""
    made = Opener(browser)
    yield made
    for context in browser.contexts:
        context.close()
    assert not made.complaints


@cache
def axe() -> str:
    """Return the text of axe-core."""
    return AXE.read_text("utf-8")


def overflows(page: Page) -> list[int]:
    """Return the widths, of a phone and of a screen, at which the page scrolls sideways."""
    found = []
    for width in (360, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(width)
    return found


def violations(page: Page) -> list[str]:
    """Return what axe-core finds of WCAG and of good practice. The page was opened with ``bypass_csp``."""
    page.add_script_tag(content=axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations)")
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"][:3]]


def looks(*pages: tuple[str, int]) -> pytest.MarkDecorator:
    """Parametrize with pages by name and width, in light and in dark; the quick run has one of both, in turn."""
    found = []
    for place, (name, width) in enumerate(pages):
        quick, other = ("light", "dark") if place % 2 == 0 else ("dark", "light")
        found += [pytest.param(name, width, quick), pytest.param(name, width, other, marks=pytest.mark.deep)]
    return pytest.mark.parametrize(("name", "width", "scheme"), found)
