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
    """Return the subdirectories with reports of runs that ended before this run started; "." for ``directory`` itself.

    ``results`` are the results of this run, which started at ``start``. Nothing is deleted, because the operator may
    still need the reports. Raises OSError if the directory cannot be read.
    """
    found = {path.parent for path in (directory / REPORT, *directory.glob(f"*/{REPORT}"))}
    if found:
        found -= {(directory / one.report).parent for one in results if one.report is not None}
    return sorted(str(path.relative_to(directory)) for path in found if _ended(path) < start)


def _ended(directory: Path) -> str:
    """Return when the run of a report ended, or a text that sorts after every time if the report cannot be read."""
    try:
        return msgspec.json.decode((directory / REPORT).read_bytes(), type=_Report).run.end
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return "~"
