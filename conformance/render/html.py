"""Render a report as one self-contained HTML file: no network, no fonts, and readable without scripts."""

from __future__ import annotations

from typing import NamedTuple

from conformance.contract.terms import PROFILE_MEANING, profile_of
from conformance.judge.report import Report, Status
from conformance.judge.timing import timing
from conformance.render import words
from conformance.render.advice import next_steps
from conformance.render.findings import cards
from conformance.render.load_chart import busiest, seconds
from conformance.render.page import render


class Segment(NamedTuple):
    """One segment of the status bar: the number of clauses with one status. ``start`` and ``width`` are per mille."""

    status: Status
    number: int
    start: float
    width: float


def render_html(report: Report) -> str:
    """Return ``index.html``. All text from the server is escaped."""
    took = words.duration(report.run)
    return render(
        "report.html",
        report.verdict,
        styles=("style.css", "report.css"),
        script="script.js",
        version=report.run.suite_version,
        report=report,
        run=report.run,
        path=report.run.options.get("queue_path") or "/api/queue",
        cards=cards(report),
        steps=next_steps(report),
        profile_of=profile_of,
        profile_meaning=PROFILE_MEANING,
        segments=_segments(report),
        subjects=words.by_subject(report.clauses),
        exchanges={exchange.id: exchange for exchange in report.exchanges},
        timing=timing(report),
        duration="" if took is None else f"{took:.1f} s",
        seconds=[] if report.load is None else seconds(report.load),
        busiest=0 if report.load is None else busiest(report.load),
    )


def _segments(report: Report) -> list[Segment]:
    """Return the segments of the status bar: all clauses by status. The filter below the bar shows the same numbers."""
    counts = words.status_counts(report)
    order = (
        Status.PASS,
        Status.WAIVED,
        Status.WARN,
        Status.FAIL,
        Status.ERROR,
        Status.NOT_EXERCISED,
        Status.NOT_APPLICABLE,
    )
    whole = sum(counts.values()) or 1
    segments, start = [], 0.0
    for status in order:
        width = 1000 * counts[status] / whole
        if width:
            segments.append(Segment(status, counts[status], round(start, 2), round(width, 2)))
        start += width
    return segments
