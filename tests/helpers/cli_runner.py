"""Call the command line within the test process."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from conformance.cli import main
from helpers.commands import thrifty


def call(*arguments: str | Path, stdin: str | bytes = "", **extra: str) -> Result:
    """Call ``comfy-conformance`` with these arguments. ``extra`` are environment variables."""
    return CliRunner().invoke(main, thrifty(arguments), input=stdin, env=extra)


def is_refused(result: Result, text: str) -> None:
    """Assert that the command printed only one line, a usage error that contains ``text``."""
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert text in line
