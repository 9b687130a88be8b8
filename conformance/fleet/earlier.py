"""Find what earlier runs left in a report directory. It does not belong to the run that the overview shows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from conformance.fleet.model import EndpointResult

REPORT: Final = "compliance.json"


class _Ended(msgspec.Struct):
    end: str


class _Report(msgspec.Struct):
    run: _Ended


def earlier(directory: Path, results: Iterable[EndpointResult], start: str) -> list[str]:
    """Return the names of directories with reports that ended before a run started, and "." for a single report.

    Nothing is deleted: the operator may still need them. Raises OSError.
    """
    found = {path.parent for path in (directory / REPORT, *directory.glob(f"*/{REPORT}"))}
    if found:
        found -= {(directory / one.report).parent for one in results if one.report is not None}
    return sorted(str(path.relative_to(directory)) for path in found if _ended(path) < start)


def _ended(directory: Path) -> str:
    """Return when the run of a report ended; the end of all times if that cannot be read."""
    try:
        return msgspec.json.decode((directory / REPORT).read_bytes(), type=_Report).run.end
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return "~"
