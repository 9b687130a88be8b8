"""The report as one HTML file that needs nothing else: no network, no fonts, and no script to be read."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from conformance.report import words
from conformance.report.curl import curl_line
from conformance.report.inert import visible
from conformance.report.model import ClauseResult, Report, Run, SourceOfClause, Status, Verdict

_RFC: Final = re.compile(r"RFC (\d+)(?:.*?(?:§|[Ss]ection )\s*(\d+(?:\.\d+)*))?")
_ICON_COLOUR: Final = {
    Verdict.CONFORMANT: "#1a7346",
    Verdict.NON_CONFORMANT: "#b3261e",
    Verdict.INCONCLUSIVE: "#8a5a00",
}


class Segment(NamedTuple):
    """One piece of the bar: clauses of one status, in per mille of the whole."""

    status: Status
    number: int
    start: float
    width: float


def render_html(report: Report) -> str:
    """Return ``index.html``. All that a server sent is text in it: escaped, controls and overrides made visible."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def shown(value: object) -> object:
        """Make every value that the template prints visible, so that no place can be forgotten."""
        return value if isinstance(value, Markup) else visible(str(value), keep="\n\t")

    here = files("conformance.report")
    style, script, template = (
        here.joinpath(name).read_text("utf-8") for name in ("style.css", "script.js", "template.html")
    )
    environment = Environment(
        autoescape=True, finalize=shown, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "count": words.count, "size": _size, "ms": _ms, "curl": curl_line, "rfc_url": _rfc_url, "instant": _instant
    }  # fmt: skip
    return environment.from_string(template).render(
        report=report,
        run=report.run,
        words=words,
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704
        csp=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        favicon=_icon(report.verdict),
        segments=_segments(report),
        subjects=_subjects(report.clauses),
        exchanges={exchange.id: exchange for exchange in report.exchanges},
        timing=_timing(report),
        duration=_duration(report.run),
        source_text=_source_text,
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _icon(verdict: Verdict) -> str:
    """Return a favicon as a data URL: the verdict can be told from a row of tabs."""
    shape = {
        Verdict.CONFORMANT: "M4 8.5l3 3 5.5-6.5",
        Verdict.NON_CONFORMANT: "M5 5l6 6M11 5l-6 6",
        Verdict.INCONCLUSIVE: "M4.5 8h7",
    }[verdict]
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
        f'<circle cx="8" cy="8" r="8" fill="{_ICON_COLOUR[verdict]}"/>'
        f'<path d="{shape}" fill="none" stroke="#fff" stroke-width="2"/></svg>'
    )
    return "data:image/svg+xml," + quote(svg)


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


def _subjects(clauses: Sequence[ClauseResult]) -> list[tuple[str, list[ClauseResult]]]:
    """Return the clauses by subject, both in the order of the report."""
    order = list(dict.fromkeys(words.subject(result.id) for result in clauses))
    ordered = sorted(clauses, key=lambda result: order.index(words.subject(result.id)))
    return [(name, list(group)) for name, group in groupby(ordered, key=lambda result: words.subject(result.id))]


def _timing(report: Report) -> dict[str, Any] | None:
    """Return the 50th and 95th percentile (nearest rank) of the time that answers took."""
    times = sorted(e.elapsed for e in report.exchanges if e.response is not None and e.elapsed is not None)
    if not times:
        return None
    p50, p95 = (times[math.ceil(share * len(times)) - 1] for share in (0.5, 0.95))
    return {"p50": p50, "p95": p95, "answers": len(times)}


def _duration(run: Run) -> str:
    try:
        seconds = (datetime.fromisoformat(run.end) - datetime.fromisoformat(run.start)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f"{seconds:.1f} s"


def _instant(text: str) -> str:
    """Return an RFC 3339 time as people write it; as it stands where it is none."""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return text


def _source_text(source: SourceOfClause) -> str:
    return source.rfc or f"openapi-cloud.get-queue.yaml#{source.pointer or ''}"


def _rfc_url(text: str | None) -> str | None:
    """Return where an RFC's section can be read, None where the text names none."""
    match = _RFC.match(text or "")
    if match is None:
        return None
    return f"https://www.rfc-editor.org/rfc/rfc{match[1]}" + (f"#section-{match[2]}" if match[2] else "")


def _ms(seconds: float) -> str:
    """Return milliseconds with a sensible number of digits."""
    milliseconds = seconds * 1000
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.1f}"


def _size(number: int) -> str:
    if number < 10_000:
        return f"{number:,} B"
    return f"{number / 1000:,.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:,.1f} MB"
