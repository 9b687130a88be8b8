"""Start the commands as a user does: in an empty folder, and with a clean environment."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from helpers import fork_server
from helpers.fork_server import Ended, Started, kill_in_time, spawn, starting

BIN: Final = Path(sys.executable).parent
TIMEOUT: Final = fork_server.TIMEOUT
NOWHERE: Final = "http://127.0.0.1:1"
"""A URL at which no server listens."""
_LEFT_OUT: Final = (
    "COMFY_",
    "CONFORMANCE_",
    "PYTEST_",
    "PYTHONDONTWRITEBYTECODE",
    "CI",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "PY_COLORS",
)
"""Prefixes of the names of environment variables that would change how a command behaves."""

ALONE: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "comfy_queue_conformance"}
"""Environment variables with which pytest loads our plugin and no other."""
TWO_WORKERS: Final = ("-p", "xdist.plugin", "-n", "2")

GENERATED: Final = "generated requests as by default"
"""A marker for tests, which is removed from the arguments: the command then sends the default number of generated
requests.
"""
_ABOUT_GENERATED: Final = (GENERATED, "--properties", "--seed", "--document", "--example-database", "--all", "--help")

Done = subprocess.CompletedProcess[str]


def thrifty(words: Sequence[str | Path]) -> list[str]:
    """Return the words of a command.

    ``--properties 0`` is added to commands that check one endpoint without that option. Generated requests take most of
    the time of a run, and few tests need them. Tests that need them give ``--properties`` or ``GENERATED``.
    """
    typed = [str(word) for word in words]
    checks = typed[:1] == ["check"] or typed[:2] == ["--pyargs", "conformance"]
    if checks and not any(word.startswith(_ABOUT_GENERATED) for word in typed):
        typed += ["--properties", "0"]
    return [word for word in typed if word != GENERATED]


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without variables that change how commands behave, and with ``extra``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    return {**kept, "COLUMNS": "200", **extra}


def run(folder: Path, *command: str | Path, stdin: str = "", **extra: str) -> Done:
    """Run a command in a fresh process, and wait for its end."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**extra),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


def suite(folder: Path, *arguments: str | Path, **extra: str) -> Done:
    """Run ``pytest --pyargs conformance`` without other plugins, in a process forked from a warm one."""
    return plain_pytest(folder, "--pyargs", "conformance", *arguments, **extra)


def plain_pytest(folder: Path, *arguments: str | Path, **extra: str) -> Done:
    """Run ``pytest`` with our plugin and no others, in a process forked from a warm one."""
    with started(folder, "pytest", *arguments, extra={**ALONE, **extra}) as process:
        return process.end()


def command_line(folder: Path, *arguments: str | Path, stdin: str = "", **extra: str) -> Ended:
    """Run ``comfy-conformance`` in a process forked from a warm one."""
    with started(folder, "comfy-conformance", *arguments, stdin=stdin, extra=extra) as process:
        return process.end()


def st(folder: Path, *arguments: str | Path, **extra: str) -> Done:
    """Run Schemathesis's ``st`` in a process forked from a warm one."""
    with started(folder, "st", *arguments, extra=extra) as process:
        return process.end()


def started(
    folder: Path,
    *command: str | Path,
    stdin: str = "",
    background: bool = False,
    extra: Mapping[str, str] | None = None,
) -> AbstractContextManager[Started]:
    """Start a command in a process forked from a warm one. It is killed when the ``with`` block ends."""
    typed = [str(command[0]), *thrifty(command[1:])]
    return starting(typed, folder=folder, environment=environment(**extra or {}), stdin=stdin, background=background)


def whole_suite(folder: Path, *arguments: str | Path, **extra: str) -> Done:
    """Run ``pytest --pyargs conformance`` with all installed plugins, in a fresh process."""
    return run(folder, BIN / "pytest", *thrifty(["--pyargs", "conformance", *arguments]), **extra)


def on_a_terminal(folder: Path, *arguments: str, typed: str = "", **extra: str) -> str:
    """Run ``comfy-conformance`` on a terminal, in a process forked from a warm one. ``typed`` is what the user types.

    Returns what the terminal shows.
    """
    ours, theirs = pty.openpty()
    shown = bytearray()
    with Connection(theirs) as terminal:
        process = spawn(
            ["comfy-conformance", *thrifty(arguments)], folder, environment(TERM="xterm", **extra), [terminal] * 3
        )
    os.write(ours, typed.encode())
    guard = kill_in_time(process)
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # on Linux, reading fails when the other side is closed
    finally:
        guard.cancel()
        os.close(ours)
        process.join()
    return shown.decode()


def report(folder: Path) -> dict[str, Any]:
    """Return the content of the report in its default directory."""
    found: dict[str, Any] = json.loads((folder / "reports/latest/compliance.json").read_text(encoding="utf-8"))
    return found


def left_behind(folder: Path) -> str:
    """Return the text of all report files."""
    return "".join(path.read_text(encoding="utf-8") for path in (folder / "reports/latest").iterdir())
