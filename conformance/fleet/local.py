"""The back end that runs checks in processes on this machine. Each process checks many targets at the same time.

If a process ends unexpectedly, each target that it was checking is checked again in a process of its own. This shows
which target ended the process, and the other targets still get a verdict.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from tempfile import TemporaryFile
from typing import Final

import msgspec

from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import Secret
from conformance.fleet.backend import GRACE, Lost, longest
from conformance.fleet.child import LENGTH, RESULTS, message
from conformance.fleet.result_lines import failed_result
from conformance.fleet.work import Assignment, Done
from conformance.text.safe import printable

PROGRAM: Final = "from conformance.fleet.child import main; main()"
_ERROR_TAIL: Final = 1 << 12
"""How many bytes at the end of a process's standard error are searched for the reason why the process ended."""


class ProcessEnded(Exception):
    """A process ended or was stopped before a result arrived. The message says how it ended."""


class Child:
    """A worker process, which runs ``fleet/child.py``."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.load = 0
        """The number of checks in the process that are running or waiting."""
        self.running: dict[int, asyncio.Future[Done]] = {}
        self.searching = asyncio.Lock()
        self.ended: str | None = None
        self._environ = environ
        self._numbers = count()
        self._process: asyncio.subprocess.Process
        self._reading: asyncio.Task[None]

    async def start(self) -> None:
        """Start the process.

        Its environment lacks the keys of the targets, and Ctrl-C in the terminal does not reach it.
        """
        self._errors = TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                PROGRAM,
                env=self._environ,
                stdin=PIPE,
                stdout=PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise Lost(f"no process can be started: {error.strerror}") from None
        self._reading = asyncio.create_task(self._read())

    async def check(self, order: Assignment) -> Done:
        """Let the process check a target. Raises ProcessEnded if the process ends before the result arrives."""
        if self.ended is not None:
            raise ProcessEnded(self.ended)
        number, future = next(self._numbers), asyncio.get_running_loop().create_future()
        self.running[number] = future
        assert self._process.stdin is not None
        limit = longest(order) + GRACE
        try:
            self._process.stdin.write(message(number, order))
            async with asyncio.timeout(limit):
                done: Done = await future
        except TimeoutError:
            self.ended = f"its check did not end within {limit:,.0f} s and was stopped"
            await self.stop()
            raise ProcessEnded(self.ended) from None
        finally:
            self.running.pop(number, None)
        return Done(msgspec.structs.replace(done.result, worker=self.name), done.report)

    async def stop(self) -> None:
        """End the process at once. Its checks only read from servers, so there is nothing to clean up."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                size = int.from_bytes(await self._process.stdout.readexactly(LENGTH))
                number, done = RESULTS.decode(await self._process.stdout.readexactly(size))
                if (future := self.running.get(number)) is not None and not future.done():
                    future.set_result(done)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except msgspec.MsgspecError:  # not a result
            self._process.kill()
        status = await self._process.wait()
        self.ended = self.ended or self._why(status)
        self._errors.close()
        for future in self.running.values():
            if not future.done():
                future.set_exception(ProcessEnded(self.ended))

    def _why(self, status: int) -> str:
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _ERROR_TAIL))
        said = self._errors.read().decode(errors="replace").split("\n")
        last = next((printable(text, 300) for text in reversed(said) if text.strip()), "")
        ended = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        return f"its process {ended}{': ' if last else ''}{last}"


class Processes:
    """The back end: at most ``number`` processes that check many targets each, and as many that check one each."""

    def __init__(self, number: int, environ: Mapping[str, str]) -> None:
        self._number = number
        self._environ = environ
        self._children: list[Child] = []
        self._alone: set[Child] = set()
        self._room = asyncio.Semaphore(number)
        self._placing = asyncio.Lock()
        self._names = count()

    async def check(self, order: Assignment) -> Done:
        """Check a target in a shared process.

        If that process ends, or the target is isolated, use a process of its own.
        """
        if not order.target.isolate:
            with suppress(ProcessEnded):
                return await self._check_beside_others(order)
            order = replace(order, delay=0.0)
        return await self._check_alone(order)

    async def demand_progress(self, silence: float, longest: float) -> None:
        """Do nothing, because each check has its own time limit."""

    async def stop(self) -> None:
        """End all processes."""
        await asyncio.gather(*(child.stop() for child in (*self._children, *self._alone)))

    async def _check_beside_others(self, order: Assignment) -> Done:
        while True:
            child = await self._least_busy()
            child.load += 1
            try:
                if not order.searches:
                    return await child.check(order)
                async with child.searching:  # one at a time; the time limit starts after the wait
                    if child.ended is None:
                        return await child.check(order)
            finally:
                child.load -= 1

    async def _least_busy(self) -> Child:
        async with self._placing:
            self._children = [child for child in self._children if child.ended is None]
            least = min(self._children, key=lambda child: child.load, default=None)
            if least is None or (least.load and len(self._children) < self._number):
                least = Child(str(next(self._names)), self._environ)
                await least.start()
                self._children.append(least)
            return least

    async def _check_alone(self, order: Assignment) -> Done:
        async with self._room:
            child = Child(str(next(self._names)), self._environ)
            await child.start()
            self._alone.add(child)
            try:
                return await child.check(order)
            except ProcessEnded as ended:
                reason = Redactor(*map(Secret, (order.environ or {}).values())).text(str(ended))
                return Done(failed_result(order.target, reason))
            finally:
                await child.stop()
                self._alone.discard(child)


@asynccontextmanager
async def processes(number: int, environ: Mapping[str, str]) -> AsyncIterator[Processes]:
    """Start the back end, and end all its processes when the ``with`` block ends."""
    made = Processes(number, environ)
    try:
        yield made
    finally:
        await made.stop()
