"""Handle SIGINT and SIGTERM. The first signal stops a run, which can then still remove its jobs."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, TypeVar

T = TypeVar("T")
REPEAT: Final = 1.0
"""Seconds within which a second signal counts as a repetition: ``timeout`` signals its child, then the child's group.
"""
STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


class Repeats:
    """Distinguishes the repetition of one signal from a second signal. ``clock`` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.first: float | None = None
        self._clock = clock

    def is_new(self) -> bool:
        """Record a signal. Returns False if it only repeats the previous one."""
        now = self._clock()
        if self.first is not None and now - self.first < REPEAT:
            return False
        self.first = now
        return True


class Stop:
    """Handles the signals of a run: the first cancels the run's coroutine, the second raises KeyboardInterrupt."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._repeats = Repeats(clock)
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._before: dict[signal.Signals, Any] = {}
        self._over = False

    def run(self, runner: asyncio.Runner, step: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine. Raises KeyboardInterrupt if a signal stopped it."""

        async def stoppable() -> T:
            self._task = asyncio.current_task()
            try:
                return await step
            finally:
                self._task = None

        try:
            return runner.run(stoppable())
        except asyncio.CancelledError:
            if self._stopped:
                raise KeyboardInterrupt from None
            raise

    def listen(self) -> None:
        """Handle the signals from now on, also SIGINT where the shell made a background command ignore it."""
        self._before = {number: signal.signal(number, self._hear) for number in STOPPING}

    def leave(self) -> None:
        """Stop handling signals: at once, or, if a signal has arrived, once no repetition of it can follow."""
        self._over = True
        if self._repeats.first is None:
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _hear(self, number: int, _: FrameType | None) -> None:
        if not self._repeats.is_new():
            return
        if self._over:
            self._restore()
            signal.raise_signal(number)
            return
        if self._stopped or self._task is None:
            self._stopped = True
            raise KeyboardInterrupt
        self._stopped = True
        self._task.get_loop().call_soon_threadsafe(self._task.cancel)


@contextmanager
def stoppable(clock: Callable[[], float] = time.monotonic) -> Iterator[Stop]:
    """Let SIGINT and SIGTERM stop the ``with`` block. Outside the main thread this does nothing."""
    stop = Stop(clock)
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    stop.listen()
    try:
        yield stop
    finally:
        stop.leave()
