"""The report as one HTML file that needs nothing else: no network, no fonts, and no script to be read."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from conformance.judge.report import Report, Run, Status
from conformance.judge.timing import timing
from conformance.render import words
from conformance.render.load_chart import busiest, seconds
from conformance.render.page import render


class Segment(NamedTuple):
    """One piece of the bar: clauses of one status, in per mille of the whole."""

    status: Status
    number: int
    start: float
    width: float


def render_html(report: Report) -> str:
    """Return ``index.html``. All that a server sent is text in it."""
    return render(
        "template.html",
        report.verdict,
        script="script.js",
        version=report.run.suite_version,
        report=report,
        run=report.run,
        segments=_segments(report),
        subjects=words.by_subject(report.clauses),
        exchanges={exchange.id: exchange for exchange in report.exchanges},
        timing=timing(report),
        duration=_duration(report.run),
        seconds=[] if report.load is None else seconds(report.load),
        busiest=0 if report.load is None else busiest(report.load),
    )


def _segments(report: Report) -> list[Segment]:
    """Return the bar from left to right: what was seen to hold, what was not, what was not seen."""
    order = (
        Status.PASS,
        Status.WAIVED,
        Status.WARN,
        Status.FAIL,
        Status.ERROR,
        Status.NOT_EXERCISED,
        Status.NOT_APPLICABLE,
    )
    counts = words.status_counts(report)
    whole = sum(counts.values()) or 1
    segments, start = [], 0.0
    for status in order:
        width = 1000 * counts[status] / whole
        if width:
            segments.append(Segment(status, counts[status], round(start, 2), round(width, 2)))
        start += width
    return segments


def _duration(run: Run) -> str:
    try:
        seconds = (datetime.fromisoformat(run.end) - datetime.fromisoformat(run.start)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f"{seconds:.1f} s"
