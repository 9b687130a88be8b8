"""Find programs that some tests need and that may not be installed: a browser, curl, and the linters in ``[lint]``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

REQUIRED: Final = "TESTS_REQUIRE_EVERYTHING"
"""The environment variable that conftest.py sets in CI: with it, a missing program fails the test."""
NOT_INSTALLED: Final = " is not installed: "
LINTERS: Final = "pip install -e '.[lint]'"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_ELSEWHERE: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def missing(what: str, how: str) -> NoReturn:
    """Skip the test, or fail it in CI, because a program is not installed. ``how`` says how to install it."""
    message = f"{what}{NOT_INSTALLED}{how}"
    if REQUIRED in os.environ:
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def executable(playwright: Playwright) -> str:
    """Return the path of Chromium or Chrome: from the variable CHROMIUM, from the PATH, or from Playwright."""
    named = os.environ.get("CHROMIUM")
    found = [path for name in _NAMES if (path := shutil.which(name))]
    others = (*_ELSEWHERE, playwright.chromium.executable_path)
    candidates = [named] if named else [*found, *(path for path in others if Path(path).is_file())]
    if not candidates:
        missing("a browser", "'apt-get install chromium', or 'playwright install chromium', or name one in CHROMIUM")
    return candidates[0]


def program(name: str, how: str) -> str:
    """Return the path of a program. ``how`` says how to install it."""
    path = shutil.which(name)
    if path is None:
        missing(name, how)
    return path


def linter(name: str) -> Path:
    """Return the path of a program of the extra ``lint``."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        missing(name, LINTERS)
    return path


def succeeds(*command: str | Path) -> None:
    """Run a linter on this project. If the linter reports problems, the test fails with the linter's output."""
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
