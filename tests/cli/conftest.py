"""What the tests of the verbs share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _in_an_empty_folder(folder: Path) -> None:
    """Run every test of a verb in a folder of its own."""
