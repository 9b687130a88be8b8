"""Render HTML templates safely, and draw the charts in them. The report, the site and the overviews use it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from conformance.judge.curl import curl_line
from conformance.judge.report import PastRun, Span, Status, Verdict
from conformance.render import changes, qualifiers, words
from conformance.text.plural import count
from conformance.text.safe import visible

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_OPTION: Final = re.compile(r"(?<![^\s(])--[a-z][a-z-]*(?: (?:oss|cloud|auto))?")
"""Matches a command-line option in a sentence, together with its value if the value is a dialect."""
_ICON_COLOUR: Final = {
    Verdict.CONFORMANT: "#1a7346",
    Verdict.NON_CONFORMANT: "#b3261e",
    Verdict.INCONCLUSIVE: "#8a5a00",
}
CELL: Final = 6
STRIP: Final = 16
"""The strip of a clause is a row of bars that shows the status in each run. ``CELL`` is the width for one run,
``STRIP`` the height of the strip, in SVG units.
"""
_HEIGHT: Final = {
    Status.FAIL: STRIP,
    Status.ERROR: STRIP,
    Status.WARN: 12,
    Status.WAIVED: 9,
    Status.PASS: 6,
    Status.NOT_EXERCISED: 2,
    Status.NOT_APPLICABLE: 1,
}
"""The height of a bar for each status. Worse statuses are higher, so that the strip can be read without colour."""


class Bar(NamedTuple):
    """One bar in the strip of a clause: consecutive runs with the same status. Positions are in SVG units."""

    status: Status
    x: int
    y: int
    width: int
    height: int


class Chart(NamedTuple):
    """Response times over runs (median and 95th percentile) as SVG paths in a box of 1000 by 100.

    ``most`` is the longest time in seconds, at the top of the box. ``first`` and ``last`` are the runs at the left and
    right edge.
    """

    p50: str
    p95: str
    most: float
    first: PastRun
    last: PastRun


def render(
    template: str, verdict: Verdict, *, styles: Sequence[str] = ("style.css",), script: str = "", **values: Any
) -> str:
    """Return a page. All server text is escaped, and control characters are made visible.

    ``verdict`` selects the icon. ``styles`` and ``script`` name template files, which are inlined. The page's content
    security policy allows only their hashes.
    """
    from markupsafe import Markup

    style = "".join(map(_text, styles))
    code = _text(script) if script else ""
    allowed = f"script-src '{_digest(code)}'; " if script else ""
    return (
        _environment()
        .get_template(template)
        .render(
            words=words,
            qualifiers=qualifiers,
            changes=changes,
            style=Markup(style),  # noqa: S704 - ours
            script=Markup(code),  # noqa: S704 - ours
            favicon=_icon(verdict),
            csp=f"default-src 'none'; style-src '{_digest(style)}'; {allowed}img-src data:; base-uri 'none'; "
            "form-action 'none'",
            **values,
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    from conformance.render.compiled import Compiled

    def shown(value: object) -> object:
        """Make unprintable characters of a value visible. Jinja calls this for every value that a template prints."""
        return value if isinstance(value, Markup) else visible(str(value), keep="\n\t")

    environment = Environment(
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_text),
        bytecode_cache=Compiled(),
    )
    environment.filters |= {
        "count": count,
        "size": _size,
        "ms": _ms,
        "curl": curl_line,
        "rfc_url": words.rfc_url,
        "unsent": words.unsent,
        "instant": words.instant,
        "minute": words.minute,
        "bars": bars,
        "chart": chart,
        "total": _total,
        "coded": _coded,
        "data_url": _data_url,
    }
    return environment


def bars(spans: Iterable[Span]) -> Iterator[Bar]:
    """Yield the bars of a clause's strip from left to right. Runs whose report lacks the clause leave a gap."""
    x = 0
    for span in spans:
        width = CELL * span.runs
        if span.status is not None:
            height = _HEIGHT[span.status]
            yield Bar(span.status, x, STRIP - height, width, height)
        x += width


def chart(runs: Sequence[PastRun]) -> Chart | None:
    """Return the response times of runs as a chart, or None if fewer than two runs have response times."""
    timed = [run for run in runs if run.p50 is not None and run.p95 is not None]
    if len(timed) < 2:
        return None
    most = max(run.p95 for run in timed if run.p95 is not None) or 1.0
    step = 1000 / (len(runs) - 1)
    p50, p95 = (
        _path([None if one is None else (step * index, 100 - 100 * one / most) for index, one in enumerate(line)])
        for line in ([run.p50 for run in runs], [run.p95 for run in runs])
    )
    return Chart(p50, p95, most, timed[0], timed[-1])


def _path(points: Iterable[tuple[float, float] | None]) -> str:
    """Return an SVG path with a gap for each missing point. A single point becomes a dot."""
    pieces, pen = [], False
    for point in points:
        if point is not None:
            pieces.append(f"{'L' if pen else 'M'}{point[0]:.1f} {point[1]:.1f}{'' if pen else 'h0'}")
        pen = point is not None
    return "".join(pieces)


def _total(spans: Iterable[Span]) -> str:
    """Return in words how many runs in a clause's strip had which status: ``passed 9, failed 3``."""
    tally: dict[Status | None, int] = {}
    for span in spans:
        tally[span.status] = tally.get(span.status, 0) + span.runs
    named = [f"{words.STATUS[status].lower()} {tally[status]}" for status in words.STATUS if status in tally]
    return ", ".join([*named, *([f"not judged {tally[None]}"] if None in tally else [])])


def _coded(text: str) -> Markup:
    """Return a sentence with the options in it marked as code. Everything else is escaped."""
    from markupsafe import Markup, escape

    escaped = str(escape(visible(text, keep="\n\t")))
    return Markup(_OPTION.sub(r'<code class="option">\g<0></code>', escaped))  # noqa: S704 - escaped, and only letters and dashes are marked


def _text(name: str) -> str:
    return files("conformance.render").joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _icon(verdict: Verdict) -> str:
    """Return the favicon for a verdict as a data URL."""
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
    return _data_url(svg)


def _data_url(svg: str) -> str:
    """Return an image as a data URL, so that a page loads nothing."""
    return "data:image/svg+xml," + quote(svg)


def _ms(seconds: float) -> str:
    """Return a time in milliseconds as text, with a sensible number of digits."""
    milliseconds = seconds * 1000
    return f"{milliseconds:,.0f}" if milliseconds >= 100 else f"{milliseconds:.1f}"


def _size(number: int) -> str:
    if number < 10_000:
        return f"{number:,} B"
    return f"{number / 1000:,.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:,.1f} MB"
