"""How ``check`` shows its report: in a browser with ``--open``, in colour if the environment asks for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.history.snapshot import snapshot
from conformance.judge.report import encode
from conformance.render.badge import badge_of
from helpers import report_samples as sample
from helpers.cli_runner import call, is_refused

CHECK = ("check", "embedded", "--properties", "0", "-q")
GREEN = "\x1b[32mConformant: "


@pytest.mark.parametrize("found", [True, False])
def test_open_shows_the_report_and_never_changes_the_exit_status(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, found: bool
) -> None:
    shown: list[str] = []

    def show(url: str) -> bool:
        shown.append(url)
        return found

    monkeypatch.setattr("webbrowser.open", show)
    result = call(*CHECK, "--open", FORCE_COLOR="1")
    page = folder / "reports" / "latest" / "index.html"
    assert result.exit_code == 0
    assert shown == [page.as_uri()]
    assert (str(page) in result.stderr) is not found
    assert result.stdout.startswith(GREEN)


def test_open_is_an_option_of_check_only() -> None:
    is_refused(call("judge", "queue.json", "--open"), "--open")


def test_no_color_outweighs_force_color(folder: Path) -> None:
    (folder / "queue.json").write_text('{"queue_running": 1, "queue_pending": []}')
    judged = ("judge", "queue.json", "-q")
    assert call(*judged, FORCE_COLOR="1").stdout.startswith("\x1b[31mNon-conformant: ")
    assert call(*judged, FORCE_COLOR="1", NO_COLOR="1").stdout.startswith("Non-conformant: ")
    assert call(*judged).stdout.startswith("Non-conformant: ")


def test_a_badge_of_a_report_counts_each_profile(folder: Path) -> None:
    report = sample.failing()
    (folder / "compliance.json").write_bytes(encode(report))
    made = badge_of(snapshot(report))
    assert made.message == "non-conformant · 1 waived · queue 19/21 · http 4/4 · auth 1/1 · 2026-01-01"
    call("publish", "badge", "compliance.json", "-q")
    assert json.loads((folder / "badge.json").read_text(encoding="utf-8"))["message"] == made.message
