"""Read bodies in small windows, so that a small body has several of them."""

from __future__ import annotations

from typing import Final

import pytest

WINDOW: Final = 1 << 13
"""Bytes of a small window."""
_READERS: Final = ("contract.reading.large", "contract.reading.large_jobs", "contract.reading.large_workflow")
_TEXT: Final = ("text.json_runs", "text.large_json")


def make_windows_small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (*_READERS, *_TEXT):
        monkeypatch.setattr(f"conformance.{module}.RUN", WINDOW)
    monkeypatch.setattr("conformance.text.large_json._KEPT", WINDOW >> 4)
