"""The badge of a run: an SVG image, and JSON from which shields.io makes a badge (https://shields.io/endpoint)."""

from __future__ import annotations

from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import msgspec

from conformance.history.snapshot import Snapshot
from conformance.judge.report import Verdict
from conformance.text.safe import visible

LABEL: Final = "GET /api/queue"
_COLOUR: Final = {Verdict.CONFORMANT: "#1a7346", Verdict.NON_CONFORMANT: "#b3261e", Verdict.INCONCLUSIVE: "#6b5b00"}
"""Background colours. White text on them, and on the grey of the label, has a contrast of at least 4.5:1."""
_NARROW: Final = frozenset("fijltrI.,:;'|!()[]/- ")
_WIDE: Final = frozenset("mwMW@%·…")


class Badge(NamedTuple):
    """The texts on the left and right side of a badge, and the verdict.

    ``failed``: --fail-on-should made the run fail.
    """

    label: str
    message: str
    verdict: Verdict
    failed: bool = False

    @property
    def colour(self) -> str:
        """The colour of the right side. It is never green if the run failed."""
        return _COLOUR[Verdict.NON_CONFORMANT if self.failed else self.verdict]


def badge_of(of: Snapshot, label: str = LABEL) -> Badge:
    """Return the badge of a run.

    Its text has the verdict with its qualifiers (such as a partial run), the number of checked clauses for each profile
    (such as http), and the date.
    """
    run, counts = of.run, of.run.counts
    checked = [f"{one.profile.value} {one.checked}/{one.total}" for one in of.profiles if one.checked]
    parts = [
        run.verdict.value,
        *(["partial"] if run.partial else []),
        *(["embedded endpoint"] if run.target == "embedded" else []),
        *(["fails on warnings"] if run.failed_on_should else []),
        *([f"{counts.waived} waived"] if counts.waived else []),
        *(["not reached"] if run.unreached else checked or [f"{counts.exercised} checked"]),
        run.start[:10],
    ]
    return Badge(visible(label), visible(" · ".join(parts)), run.verdict, run.failed_on_should)


def render_endpoint(badge: Badge) -> bytes:
    """Return the JSON for shields.io. ``isError`` stops shields.io from changing the colour."""
    return msgspec.json.encode(
        {
            "schemaVersion": 1,
            "label": badge.label,
            "message": badge.message,
            "color": badge.colour,
            "isError": badge.failed or badge.verdict is not Verdict.CONFORMANT,
        }
    )


def render_svg(badge: Badge) -> bytes:
    """Return the badge as SVG. The SVG's title contains the whole text, for screen readers."""
    left, right = _width(badge.label) + 12, _width(badge.message) + 12
    whole = left + right
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" viewBox="0 0 {whole} 20" role="img">
<title>{escape(badge.label)}: {escape(badge.message)}</title>
<clipPath id="r"><rect width="{whole}" height="20" rx="3"/></clipPath>
<g clip-path="url(#r)">
<rect width="{left}" height="20" fill="#3b4046"/>
<rect x="{left}" width="{right}" height="20" fill="{badge.colour}"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,'DejaVu Sans',sans-serif" font-size="11">
<text x="{left / 2:g}" y="14" textLength="{left - 12}">{escape(badge.label)}</text>
<text x="{left + right / 2:g}" y="14" textLength="{right - 12}">{escape(badge.message)}</text>
</g>
</svg>
""".encode()


def _width(text: str) -> int:
    """Return the approximate width of a text in 11-pixel Verdana. ``textLength`` scales other fonts to this width."""
    return round(sum(4.2 if c in _NARROW else 9.5 if c in _WIDE else 6.9 for c in text))
