"""Find reports that earlier runs left in a report directory. The overview of the current run does not show them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from conformance.fleet.model import EndpointResult
from conformance.judge.read import NAME as REPORT


class _Ended(msgspec.Struct):
    end: str


class _Report(msgspec.Struct):
    run: _Ended


def earlier(directory: Path, results: Iterable[EndpointResult], start: str) -> list[str]:
    """Return the names of directories with reports that ended before a run started; "." for a single report.

    Nothing is deleted, because the operator may still need the reports. Raises OSError.
    """
    found = {path.parent for path in (directory / REPORT, *directory.glob(f"*/{REPORT}"))}
    if found:
        found -= {(directory / one.report).parent for one in results if one.report is not None}
    return sorted(str(path.relative_to(directory)) for path in found if _ended(path) < start)


def _ended(directory: Path) -> str:
    """Return when the run of a report ended; the latest possible time if that cannot be read."""
    try:
        return msgspec.json.decode((directory / REPORT).read_bytes(), type=_Report).run.end
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return "~"
