"""Write ``docs/report.png``: a screenshot of the report on a stock ComfyUI. Needs Chromium, see CONTRIBUTING.md.

The report is a sample from the tests, so the picture changes only if the page (or the machine's fonts) change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

HOME: Final = Path(__file__).parents[1]
sys.path[:0] = [str(HOME), str(HOME / "tests")]

from conformance.render.html import render_html  # noqa: E402 - can be imported only after the path was extended
from helpers.programs import executable  # noqa: E402 - the same
from helpers.stock_comfyui import comfyui  # noqa: E402 - the same

WIDTH: Final = 1100
HEIGHT: Final = 800


def main() -> None:
    """Open the report in Chromium and save the screenshot."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        page = Path(directory) / "index.html"
        page.write_text(render_html(comfyui()), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=executable(playwright), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(page.as_uri())
        tab.screenshot(path=HOME / "docs" / "report.png", animations="disabled", caret="hide")
        browser.close()


if __name__ == "__main__":
    main()
