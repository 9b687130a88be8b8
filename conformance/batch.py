"""Many targets: each is checked by a process of its own, some at a time. The thin shell behind ``check --all``.

A process of its own keeps what a target does to its run (a crash, memory, processor time) from the runs of others,
and its environment holds no key but the target's.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from conformance.contract.clause import printable
from conformance.report.model import decode
from conformance.report.overview import TargetResult, result
from conformance.settings import Settings
from conformance.targets import Target, environment

GRACE: Final = 600.0
"""Seconds beyond the bounds of a run in which it may judge and write: what takes longer is stopped."""
_PROGRAM: Final = "from conformance.cli import main; main()"
_WITH_REPORT: Final = (0, 1, 10)
_USAGE: Final = 4
_FAILED: Final = 3

Tell = Callable[[str, TargetResult | None], None]
"""Is told the name of each target when its run starts and, with what it came to, when it ended."""


@dataclass(frozen=True)
class Job:
    """One target to be checked: with its settings, where its report goes, and all that its run may see."""

    target: Target
    settings: Settings
    environ: Mapping[str, str]


def jobs(targets: Sequence[Target], environ: Mapping[str, str], directory: Path) -> list[Job]:
    """Check all targets before anything is sent. Raises UsageProblem."""
    found = []
    for target in targets:
        own = environment(environ, target, targets)
        found.append(Job(target, target.settings(own, directory / target.name), own))
    return found


def run_all(work: Sequence[Job], *, parallel: int, tell: Tell = lambda *_: None) -> list[TargetResult]:
    """Check all targets, ``parallel`` at a time, and return what each came to, in their order. Raises for none."""
    return asyncio.run(_all(work, parallel, tell))


async def _all(work: Sequence[Job], parallel: int, tell: Tell) -> list[TargetResult]:
    turns = asyncio.Semaphore(parallel)

    async def one(job: Job) -> TargetResult:
        async with turns:
            tell(job.target.name, None)
            found = await _check(job)
            tell(job.target.name, found)
            return found

    return await asyncio.gather(*map(one, work))


async def _check(job: Job) -> TargetResult:
    settings = job.settings
    limit = settings.bounds.deadline + settings.wait_for_items + GRACE
    command = [*job.target.arguments(), f"--report-dir={settings.report_dir}", "--quiet"]
    report = settings.report_dir / "compliance.json"
    earlier = _stamp(report)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", _PROGRAM, "check", *command, env=job.environ, stdin=DEVNULL, stdout=DEVNULL,
            stderr=PIPE,
        )  # fmt: skip
    except OSError as error:
        return _failed(job, f"its run could not be started: {error.strerror}")
    try:
        async with asyncio.timeout(limit):
            _, said = await process.communicate()
    except TimeoutError:
        return _failed(job, f"its run did not end within {limit:,.0f} s and was stopped")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    status = process.returncode
    assert status is not None
    if status not in _WITH_REPORT or _stamp(report) == earlier:  # Python itself ends with 1 where it cannot begin
        last = printable(said.decode(errors="replace").strip().rpartition("\n")[2], 300)
        ended = f"its run was ended by signal {-status}" if status < 0 else f"its run ended with status {status}"
        return _failed(job, f"{ended}{': ' if last else ''}{last}", _USAGE if status == _USAGE else _FAILED)
    try:
        return result(job.target.name, decode(report.read_bytes()), status)
    except (OSError, msgspec.MsgspecError) as error:
        return _failed(job, f"its report cannot be read: {printable(str(error))}")


def _stamp(path: Path) -> tuple[int, int] | None:
    """Tell a report from the one that stood there before: each is a file of its own."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _failed(job: Job, reason: str, status: int = _FAILED) -> TargetResult:
    return TargetResult(
        name=job.target.name, target=job.target.url, dialect=job.settings.dialect.value, outcome="error",
        reason=reason, exit=status,
    )  # fmt: skip
