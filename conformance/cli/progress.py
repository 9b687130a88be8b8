"""Show the progress of a run: as one line on a terminal, and as a line from time to time in the log of a CI system."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.exchange.model import Exchange
    from conformance.run.settings import Settings

SILENT: Final = 3.0
"""After this many seconds without a response, the progress line says so."""
EVERY: Final = 30.0
"""Seconds between two progress lines if standard error is not a terminal."""
TICK: Final = 1.0
"""Seconds between two updates of the progress line on a terminal."""
USUAL_WIDTH: Final = 80
_GENERATED: Final = "generated: "
_CLEAR: Final = "\r\033[K"


class ProgressLine:
    """The progress of a run in one line: the current request, and why the next one takes long.

    ``clock`` returns seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        generated = settings.properties.wanted if settings.properties is not None else 0
        self._most = settings.bounds.max_requests + generated
        self._ends = clock() + settings.bounds.deadline + settings.wait_for_items
        self._clock = clock
        self._last = clock()
        self._purpose = "connecting"
        self._count = 0
        self._refused = 0
        self._status = 0

    def after(self, exchange: Exchange) -> None:
        """Count an exchange.

        Requests that were refused because of the rate limit, and polls for jobs, are not counted.
        """
        from conformance.probe.pace import TOO_FAST
        from conformance.probe.plan import WAITING

        self._last = self._clock()
        self._purpose = exchange.request.purpose
        status = exchange.status
        if status in TOO_FAST:
            self._refused, self._status = self._refused + 1, status
        elif self._purpose != WAITING.purpose:
            self._count += 1

    def text(self, *, left: bool = False) -> str:
        """Return the line. It shows the remaining time if ``left`` is set, or if the server is slow."""
        now = self._clock()
        slow = []
        if self._refused:
            slow.append(f"the server limits the rate: {self._refused} answered {self._status}")
        elif now - self._last >= SILENT:
            slow.append(f"no response for {now - self._last:.0f} s")
        notes = [f"at most {max(0.0, self._ends - now):.0f} s left", *slow] if slow or left else []
        most = f" of at most {self._most}" if self._count <= self._most else ""
        told = f" ({', '.join(notes)})" if notes else ""
        return line(f"request {self._count}{most}{told}: {self._purpose.replace(_GENERATED, 'generated ')}")


def fitting(text: str, width: int) -> str:
    """Shorten a line so that it does not wrap on a terminal of this width."""
    return text if len(text) < width else f"{text[: max(0, width - 2)]}…"


@contextmanager
def progress(settings: Settings, *, quiet: bool) -> Iterator[Callable[[Exchange], None]]:
    """Show the progress on standard error. Yields a function to call after each exchange."""
    if quiet:
        yield lambda _: None
        return
    shown, lock, over = ProgressLine(settings), threading.Lock(), threading.Event()
    terminal = sys.stderr.isatty()

    def show() -> None:
        if terminal:
            click.echo(f"{_CLEAR}{fitting(shown.text(), _width())}", nl=False, err=True)
        else:
            click.echo(shown.text(left=True), err=True)

    def tell(exchange: Exchange) -> None:
        with lock:
            shown.after(exchange)
            if terminal:
                show()

    def watch() -> None:
        while not over.wait(TICK if terminal else EVERY):
            with lock:
                show()

    watching = threading.Thread(target=watch, name="progress", daemon=True)
    watching.start()
    try:
        yield tell
    finally:
        over.set()
        watching.join()
        if terminal:
            click.echo(_CLEAR, nl=False, err=True)


def _width() -> int:
    """Return the number of columns of the terminal, or a common number if it is unknown."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return USUAL_WIDTH
