"""Starting the commands as a user does: from a folder that is none of ours, with an environment of its own."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import warm

BIN: Final = Path(sys.executable).parent
TIMEOUT: Final = warm.TIMEOUT
NOWHERE: Final = "http://127.0.0.1:1"
"""Nothing listens on port 1."""
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

Done = subprocess.CompletedProcess[str]


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without what would change how the commands behave, and with ``extra``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    return {**kept, "COLUMNS": "200", **extra}


def run(folder: Path, *command: str | Path, stdin: str = "", **extra: str) -> Done:
    """Run a command to its end."""
    return subprocess.run(
        command, cwd=folder, env=environment(**extra), input=stdin, capture_output=True, text=True, check=False,
        timeout=TIMEOUT,
    )  # fmt: skip


def suite(folder: Path, *arguments: str | Path, **extra: str) -> Done:
    """Run ``pytest --pyargs conformance`` without the plugins of others, in a process forked from a warm one."""
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **extra}
    return _warm(folder, "pytest", "-p", "comfy_queue_conformance", "--pyargs", "conformance", *arguments, **alone)


def command_line(folder: Path, *arguments: str | Path, stdin: str = "", **extra: str) -> Done:
    """Run ``comfy-conformance`` in a process forked from a warm one."""
    return _warm(folder, "comfy-conformance", *arguments, stdin=stdin, **extra)


def _warm(folder: Path, program: str, *arguments: str | Path, stdin: str = "", **extra: str) -> Done:
    typed = [str(argument) for argument in arguments]
    return warm.forked(program, typed, folder=folder, stdin=stdin, environment=environment(**extra))


def whole_suite(folder: Path, *arguments: str | Path, **extra: str) -> Done:
    """Run ``pytest --pyargs conformance`` with all plugins that are installed, in a fresh process."""
    return run(folder, BIN / "pytest", "--pyargs", "conformance", *arguments, **extra)


def on_a_terminal(folder: Path, *command: str | Path, typed: str = "", **extra: str) -> str:
    """Run a command with both its outputs on a terminal, its input too where something is typed.

    Returns what stood there.
    """
    ours, theirs = pty.openpty()
    shown = bytearray()
    with subprocess.Popen(
        command, cwd=folder, env=environment(TERM="xterm", **extra), stdout=theirs,
        stderr=theirs, stdin=theirs if typed else subprocess.DEVNULL,
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, typed.encode())
        guard = threading.Timer(TIMEOUT, process.kill)
        guard.start()
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:
            pass  # how Linux says that the other side is closed
        finally:
            guard.cancel()
            os.close(ours)
    return shown.decode()


def report(folder: Path) -> dict[str, Any]:
    """Return the report that a run left in its usual place."""
    found: dict[str, Any] = json.loads((folder / "reports/latest/compliance.json").read_text(encoding="utf-8"))
    return found


def left_behind(folder: Path) -> str:
    """Return the text of all files of the report."""
    return "".join(path.read_text(encoding="utf-8") for path in (folder / "reports/latest").iterdir())
