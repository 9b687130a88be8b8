"""What the tests of the verbs share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("COMFY_API_KEY", "CONFORMANCE_TARGET", "CONFORMANCE_TRACEBACK", "CI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
