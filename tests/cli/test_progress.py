"""The progress of a run, on a terminal and in a log."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from conformance.cli import progress as module
from conformance.cli.progress import ProgressLine, fitting, progress
from conformance.exchange.model import Exchange, Request, Response
from conformance.probe.limits import Bounds
from conformance.properties.generation import Properties
from conformance.run.settings import Settings
from helpers.simulated_runs import endpoint, ran

SETTINGS = Settings(properties=Properties(number=60), bounds=Bounds(max_requests=50, deadline=120))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def answered(purpose: str = "read", status: int | None = 200) -> Exchange:
    response = None if status is None else Response(status)
    return Exchange("x1", Request("GET", "http://t/api/queue", purpose=purpose), response)


def lines(settings: Settings, *exchanges: Exchange) -> list[str]:
    """Return the line after each exchange."""
    shown = ProgressLine(settings, Clock())
    found = []
    for exchange in exchanges:
        shown.after(exchange)
        found.append(shown.text())
    return found


def test_one_counter_counts_the_plan_and_the_generated_requests() -> None:
    assert lines(SETTINGS, answered(), answered("generated: query, Range")) == [
        "request 1 of at most 110: read",
        "request 2 of at most 110: generated query, Range",
    ]


def test_requests_that_shrink_a_breach_are_extra_and_never_exceed_a_maximum() -> None:
    settings = Settings(properties=None, bounds=Bounds(max_requests=1))
    assert lines(settings, answered(), answered())[-1] == "request 2: read"


def test_polls_for_a_job_are_not_counted() -> None:
    assert lines(SETTINGS, answered("waiting for a job"), answered()) == [
        "request 0 of at most 110: waiting for a job",
        "request 1 of at most 110: read",
    ]


def test_a_server_that_limits_the_rate_is_named_with_the_time_that_is_left() -> None:
    run = ran(*endpoint("thirty-a-minute"), None, bounds=Bounds())
    shown = lines(Settings(properties=None), *run.client.ledger)
    assert shown[29:32] == [
        "request 30 of at most 50: Range",
        "request 30 of at most 50 (at most 120 s left, the server limits the rate: 1 answered 429): read",
        "request 31 of at most 50 (at most 120 s left, the server limits the rate: 1 answered 429): read",
    ]


def test_a_server_that_does_not_respond_is_named_with_the_time_that_is_left() -> None:
    clock = Clock()
    shown = ProgressLine(SETTINGS, clock)
    clock.now += 2
    assert shown.text() == "request 0 of at most 110: connecting"
    clock.now += 10
    assert shown.text() == "request 0 of at most 110 (at most 108 s left, no response for 12 s): connecting"
    shown.after(answered())
    assert shown.text() == "request 1 of at most 110: read"
    clock.now += 500
    assert shown.text() == "request 1 of at most 110 (at most 0 s left, no response for 500 s): read"


def test_time_to_wait_for_a_job_is_added_to_the_time_that_is_left() -> None:
    settings = Settings(wait_for_items=60, bounds=Bounds(deadline=120))
    assert "at most 180 s left" in ProgressLine(settings, Clock()).text(left=True)


@pytest.mark.parametrize(("width", "shown"), [(10, "123456789"), (9, "1234567…"), (5, "123…"), (1, "…")])
def test_a_line_is_narrower_than_the_terminal(width: int, shown: str) -> None:
    assert fitting("123456789", width) == shown


@pytest.fixture
def echoed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Collect what is printed."""
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("click.echo", lambda text, **more: found.append((text, more)))
    return found


def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = threading.Event()
    found: list[str] = []

    def echo(text: str, *, err: bool) -> None:
        assert err
        found.append(text)
        printed.set()

    monkeypatch.setattr("click.echo", echo)
    monkeypatch.setattr(module, "EVERY", 0.001)
    with progress(SETTINGS, quiet=False):
        assert printed.wait(60)
    assert re.fullmatch(r"request 0 of at most 110 \(at most \d+ s left.*\): connecting", found[0])


def test_a_short_run_prints_nothing_in_a_log(echoed: list[tuple[str, dict[str, Any]]]) -> None:
    with progress(SETTINGS, quiet=False) as tell:
        tell(answered())
    assert echoed == []


def test_a_terminal_shows_each_request_and_is_left_empty(
    monkeypatch: pytest.MonkeyPatch, echoed: list[tuple[str, dict[str, Any]]]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(module, "TICK", 1000.0)
    with progress(SETTINGS, quiet=False) as tell:
        tell(answered())
    assert [text for text, _ in echoed] == ["\r\033[Krequest 1 of at most 110: read", "\r\033[K"]
    assert all(more == {"nl": False, "err": True} for _, more in echoed)


def test_quiet_means_quiet(monkeypatch: pytest.MonkeyPatch, echoed: list[tuple[str, dict[str, Any]]]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress(SETTINGS, quiet=True) as tell:
        tell(answered())
    assert echoed == []
