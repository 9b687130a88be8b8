"""The reports that ``--format`` adds. To add one, write its module and add it to the table here; the option follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from conformance.judge.report import Report


class Format(NamedTuple):
    """A report that is written on request: the name of its file, and the function that makes the content.

    The function takes the report, and whether warnings fail the run (``--fail-on-should``).
    """

    file: str
    render: Callable[[Report, bool], bytes]


def _ctrf(report: Report, fail_on_should: bool) -> bytes:  # noqa: FBT001 - a plain function of the table
    from conformance.render.ctrf import render_ctrf

    return render_ctrf(report, fail_on_should=fail_on_should)


def _sarif(report: Report, _fail_on_should: bool) -> bytes:  # noqa: FBT001 - a plain function of the table
    from conformance.render.sarif import render_sarif

    return render_sarif(report)


FORMATS: Final = {"ctrf": Format("ctrf.json", _ctrf), "sarif": Format("results.sarif", _sarif)}
