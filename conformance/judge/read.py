"""Read the report of a run from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from conformance.judge.report import Report, decode
from conformance.problems import UsageProblem
from conformance.text.safe import line

NAME: Final = "compliance.json"


class UnreadableReport(UsageProblem):
    """The file cannot be read or is not a report."""


def read_report(path: Path) -> Report:
    """Read a report from its ``compliance.json``, or from the directory that contains this file.

    Raises UnreadableReport.
    """
    file = path / NAME if path.is_dir() else path
    try:
        return decode(file.read_bytes())
    except OSError as error:
        raise UnreadableReport(line(f"{file} cannot be read: {error.strerror}")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableReport(line(f"{file} is not a report of a run ({error}): give its compliance.json")) from None
