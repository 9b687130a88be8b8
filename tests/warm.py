"""Run our commands in children forked from a warm process.

A fresh interpreter spends a CPU second on imports before our command does anything. The standard library's fork server
imports them once for each test process; every command then gets a process, environment, folder and outputs of its own
for a tenth of that. What is inherited from the warm process is imported modules, nothing else. Tests of what happens at
start-up (imports, plugins of others, signals) start real processes with ``outside.run``.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

_PRELOADED: Final = [
    *("aiohttp.web", "click", "httpx", "jinja2", "junitparser", "pytest"),
    *("_pytest.cacheprovider", "_pytest.junitxml", "_pytest.pastebin", "_pytest.terminal"),
    *("comfy_queue_conformance", "conformance.cli.check", "conformance.suite.plugin", "conformance.probe.plan"),
    *("conformance.probe.populate", "conformance.reference.server", "conformance.render.html"),
    *("hypothesis", "schemathesis.cli.commands.run.executor", "schemathesis.engine.run.unit"),
    "schemathesis.specs.openapi.schemas",
]
TIMEOUT: Final = 120
"""Seconds. A command that is still running by then hangs."""
PROGRAMS: Final = ("pytest", "comfy-conformance", "st")


class Ended(CompletedProcess[str]):
    """A program that ended. ``peak`` is the most memory that it had, in bytes, with what it shares with the others."""

    peak: int


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def forked(
    program: str, arguments: Sequence[str], *, folder: Path, stdin: str, environment: Mapping[str, str]
) -> Ended:
    """Run one of ``PROGRAMS`` to its end. Raises TimeoutError, having killed it, after two minutes."""
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory) / name for name in ("stdin", "stdout", "stderr", "peak")]
        files[0].write_text(stdin, encoding="utf-8")
        files[3].write_text("0", encoding="utf-8")  # what remains if a signal ends the program
        child = _context().Process(target=_child, args=(folder, program, arguments, dict(environment), files))
        child.start()
        child.join(TIMEOUT)
        if child.exitcode is None:
            child.kill()
            child.join()
            msg = f"{program} {' '.join(arguments)} did not end within {TIMEOUT} s"
            raise TimeoutError(msg)
        out, err, peak = (file.read_text(encoding="utf-8") for file in files[1:])
    ended = Ended([program, *arguments], child.exitcode, out, err)
    ended.peak = int(peak)
    return ended


def _child(
    folder: Path, program: str, arguments: Sequence[str], environment: Mapping[str, str], files: Sequence[Path]
) -> None:
    """Become the program: its folder, environment, arguments and standard streams."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files[:3]):
        opened = os.open(file, os.O_CREAT | (os.O_RDONLY if number == 0 else os.O_WRONLY), 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
    sys.argv = [program, *arguments]
    try:
        sys.exit(_main(program))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        files[3].write_text(str(peak), encoding="utf-8")


def _text(number: int, mode: str) -> io.TextIOWrapper:
    stream = open(number, mode, encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - a file descriptor
    assert isinstance(stream, io.TextIOWrapper)
    return stream


def _main(program: str) -> int:
    if program == "pytest":
        import pytest

        return int(pytest.console_main())
    if program == "st":
        from schemathesis.cli import schemathesis

        schemathesis()
    from conformance.cli import main

    main()
    return 0
