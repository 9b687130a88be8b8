"""Many targets: each is checked by a process of its own, some at a time. The thin shell behind ``check --all``.

A process of its own keeps what a target does to its run (a crash, memory, processor time) from the runs of others,
and its environment holds no key but the target's.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT
from tempfile import TemporaryFile
from typing import Final

import msgspec

from conformance.history.overview import TargetResult
from conformance.judge.report import decode
from conformance.problems import UsageProblem
from conformance.render.overview import result
from conformance.run.consent import unconsented
from conformance.run.settings import Settings
from conformance.run.stopping import stoppable
from conformance.run.targets import Target, environment
from conformance.text.safe import printable

GRACE: Final = 600.0
"""Seconds beyond the bounds of a run in which it may judge and write: what takes longer is stopped."""
LEAVE: Final = 20.0
"""Seconds that a run has to end in order: it removes its jobs within fewer (docs/populate.md)."""
_SAID: Final = 1 << 16
"""Bytes of a run's standard error that are read."""
_PROGRAM: Final = "from conformance.cli import main; main()"
_WITH_REPORT: Final = (0, 1, 10)
_TOLD: Final = (*_WITH_REPORT, 2)
"""Ends after which there is more to be said than why there is no report: of these the last is that of an interrupt."""
_USAGE: Final = 4
_FAILED: Final = 3

Tell = Callable[[str, TargetResult | None], None]
"""Is told the name of each target when its run starts and, with what it came to, when it ended."""


@dataclass(frozen=True)
class TargetRun:
    """One target to be checked: with its settings, where its report goes, and all that its run may see."""

    target: Target
    settings: Settings
    environ: Mapping[str, str]


def jobs(targets: Sequence[Target], environ: Mapping[str, str], directory: Path) -> list[TargetRun]:
    """Check all targets before anything is sent. Raises UsageProblem."""
    found = []
    for target in targets:
        own = environment(environ, target, targets)
        settings = target.settings(own, directory / target.name)
        if (question := unconsented(settings)) is not None:
            raise UsageProblem(f"target {target.name!r}: {question}: say yes = true below it")
        found.append(TargetRun(target, settings, own))
    return found


def run_all(
    work: Sequence[TargetRun],
    *,
    parallel: int,
    tell: Tell = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> list[TargetResult]:
    """Check all targets, ``parallel`` at a time, and return what each came to, in their order. Raises for none.

    ``say`` is told what a run has said on the standard error, each line with the name of its target: such as what it
    could not take away again, also where it was interrupted.
    """
    with stoppable() as stop, asyncio.Runner() as runner:
        return stop.run(runner, _all(work, parallel, tell, say))


async def _all(work: Sequence[TargetRun], parallel: int, tell: Tell, say: Callable[[str], None]) -> list[TargetResult]:
    turns = asyncio.Semaphore(parallel)

    async def one(job: TargetRun) -> TargetResult:
        async with turns:
            tell(job.target.name, None)
            found = await _check(job, say)
            tell(job.target.name, found)
            return found

    return await asyncio.gather(*map(one, work))


async def _check(job: TargetRun, say: Callable[[str], None]) -> TargetResult:
    settings = job.settings
    limit = settings.bounds.deadline + settings.wait_for_items + GRACE
    command = [*job.target.arguments(), f"--report-dir={settings.report_dir}", "--quiet"]
    report = settings.report_dir / "compliance.json"
    earlier = _stamp(report)
    said: list[str] = []
    with TemporaryFile() as errors:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                _PROGRAM,
                "check",
                *command,
                env=job.environ,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=errors,
                start_new_session=True,  # Ctrl-C comes to us, and once to each of them
            )
        except OSError as error:
            return _failed(job, f"its run could not be started: {error.strerror}")
        try:
            async with asyncio.timeout(limit):
                await process.wait()
        except TimeoutError:
            return _failed(job, f"its run did not end within {limit:,.0f} s and was stopped")
        finally:
            await _end(process)
            errors.seek(0)
            said = [printable(text, 300) for text in errors.read(_SAID).decode(errors="replace").split("\n") if text]
            for text in said if process.returncode in _TOLD else ():
                say(f"{job.target.name}: {text}")
    status = process.returncode
    assert status is not None
    if status not in _WITH_REPORT or _stamp(report) == earlier:  # Python itself ends with 1 where it cannot begin
        last = said[-1] if said else ""
        ended = f"its run was ended by signal {-status}" if status < 0 else f"its run ended with status {status}"
        return _failed(job, f"{ended}{': ' if last else ''}{last}", _USAGE if status == _USAGE else _FAILED)
    try:
        return result(job.target.name, decode(report.read_bytes()), status)
    except (OSError, msgspec.MsgspecError) as error:
        return _failed(job, f"its report cannot be read: {printable(str(error))}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a run that goes on: in order, so that it takes away what it has submitted; by force where that takes long."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(SIGINT)
    try:
        async with asyncio.timeout(LEAVE):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _stamp(path: Path) -> tuple[int, int] | None:
    """Tell a report from the one that stood there before: each is a file of its own."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _failed(job: TargetRun, reason: str, status: int = _FAILED) -> TargetResult:
    return TargetResult(
        name=job.target.name,
        target=job.target.url,
        dialect=job.settings.dialect.value,
        outcome="error",
        reason=reason,
        exit=status,
    )
