"""Run the commands in children forked from a warm process.

A fresh interpreter spends a CPU second on imports before a command does anything. The standard library's fork server
imports them once for each test process. A child then gets its own environment, folder and standard streams for a tenth
of that time. The child inherits only the imported modules of the warm process. Tests of what happens at start-up
(imports, other plugins, closed streams) start real processes with ``commands.run``.
"""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
import resource
import runpy
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final, TextIO

import pytest

_PRELOADED: Final = """
aiohttp.web anyio._backends._asyncio certifi click h11 httpcore httpx jinja2 junitparser pdb pytest
_pytest.cacheprovider _pytest.helpconfig _pytest.junitxml _pytest.pastebin _pytest.skipping _pytest.stepwise
_pytest.terminal _pytest.unittest _pytest.unraisableexception
comfy_queue_conformance conformance.cli.check conformance.suite.plugin conformance.probe.plan
conformance.probe.populate conformance.reference.server conformance.render.compiled conformance.render.html
conformance.render.junit conformance.render.markdown
hypothesis schemathesis.cli.commands.run.executor schemathesis.engine.run.unit schemathesis.specs.openapi.schemas
helpers.warm
"""
TIMEOUT: Final = 120
"""Seconds after which a command is killed, because it hangs."""

Stream = Path | Connection


class Ended(CompletedProcess[str]):
    """A command that ended.

    ``peak`` is its peak memory in bytes, including memory that it shares with other processes.
    """

    peak: int


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED.split())
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # the fork server does not inherit sys.path
        forkserver.ensure_running()
    return context


class Started:
    """A running command. A test can send it signals, read its standard error, and wait for its end."""

    def __init__(self, command: Sequence[str], child: ForkServerProcess, directory: Path, err: TextIO) -> None:
        self._command, self._child, self._directory = command, child, directory
        self.err = err

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        assert self._child.pid is not None
        os.kill(self._child.pid, number)

    def end(self) -> Ended:
        """Wait for the end of the command. Raises TimeoutError if it was killed because it hung."""
        err = self.err.read()
        self._child.join()
        assert self._child.exitcode is not None
        if self._child.exitcode == -signal.SIGKILL:
            msg = f"{' '.join(self._command)} did not end within {TIMEOUT} s"
            raise TimeoutError(msg)
        out, peak = ((self._directory / name).read_text(encoding="utf-8") for name in ("stdout", "peak"))
        ended = Ended(self._command, self._child.exitcode, out, err)
        ended.peak = int(peak)
        return ended


@contextmanager
def starting(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: str = "", background: bool = False
) -> Iterator[Started]:
    """Start ``pytest``, ``st`` or ``comfy-conformance``.

    The process is killed when the block ends, or after two minutes. With ``background`` it ignores Ctrl-C, like a
    command that a shell starts with "&".
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (directory / "stdin").write_text(stdin, encoding="utf-8")
        (directory / "peak").write_text("0", encoding="utf-8")  # stays 0 if a signal ends the command
        ours, theirs = map(stack.enter_context, multiprocessing.Pipe(duplex=False))
        streams = (directory / "stdin", directory / "stdout", theirs, directory / "peak")
        child = spawn(command, folder, environment, streams, background=background)
        stack.callback(child.join)
        stack.callback(child.kill)
        theirs.close()
        stack.callback(kill_in_time(child).cancel)
        err = stack.enter_context(open(ours.fileno(), encoding="utf-8", closefd=False))
        yield Started(command, child, directory, err)


def spawn(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    streams: Sequence[Stream],
    *,
    background: bool = False,
) -> ForkServerProcess:
    """Start a child process with these standard streams.

    A fourth stream is the file to which its peak memory is written.
    """
    child = _context().Process(
        target=_child, args=(command, folder, dict(environment), streams), kwargs={"background": background}
    )
    child.start()
    return child


def kill_in_time(child: ForkServerProcess) -> threading.Timer:
    """Return a running timer that kills a child after two minutes."""
    guard = threading.Timer(TIMEOUT, child.kill)
    guard.start()
    return guard


def _child(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Stream], *, background: bool
) -> None:
    """Run the command in this process, with its folder, environment, arguments and standard streams."""
    gc.freeze()  # keep pytest's final garbage collection from scanning inherited objects
    if background:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams[:3]):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
        opened = os.open(stream, flags, 0o600) if isinstance(stream, Path) else stream.fileno()
        os.dup2(opened, number)
    for stream in streams:
        if isinstance(stream, Connection):
            stream.close()
    sys.stdin, sys.stdout, sys.stderr = _text(0, "r"), _text(1, "w"), _text(2, "w")
    sys.argv = list(command)
    for place in environment["PYTHONPATH"].split(os.pathsep) if "PYTHONPATH" in environment else ():
        sys.path.insert(0, place)
        if Path(place, "sitecustomize.py").exists():  # as a new interpreter does
            runpy.run_path(str(Path(place, "sitecustomize.py")))
    try:
        sys.exit(_main(command[0]))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for path in streams[3:]:
            assert isinstance(path, Path)
            path.write_text(str(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss), encoding="utf-8")


def _text(number: int, mode: str) -> io.TextIOWrapper:
    stream = open(number, mode, encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115 - a file descriptor
    assert isinstance(stream, io.TextIOWrapper)
    return stream


def _main(program: str) -> int:
    if program == "pytest":
        import pytest

        del sys.modules["comfy_queue_conformance"]  # pytest warns of a plugin that it has not imported itself
        return int(pytest.console_main())
    if program == "st":
        from schemathesis.cli import schemathesis

        schemathesis()
    from conformance.cli import main

    main()
    return 0
