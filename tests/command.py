"""Calling the command line within this process, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("COMFY_API_KEY", "CONFORMANCE_TARGET", "CONFORMANCE_TRACEBACK", "CI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def call(*arguments: str | Path, stdin: str | bytes = "", **extra: str) -> Result:
    """Call ``comfy-conformance``."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin, env=extra)


def is_refused(result: Result, told: str) -> None:
    """Assert that it is one line on the standard error that says what is wrong, and nothing else."""
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert told in line
