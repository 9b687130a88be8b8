"""A badge says verdict, how much was seen, and when; as an SVG for all, and for shields.io."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from conformance.history import snapshot
from conformance.judge.report import Report
from conformance.render.badge import Badge, badge_of, render_endpoint, render_svg
from helpers import report_samples as sample

SVG = "{http://www.w3.org/2000/svg}"
ALL = pytest.mark.parametrize("make", sample.REPORTS.values(), ids=sample.REPORTS)
KNOWN = {
    "schemaVersion",
    "label",
    "message",
    "color",
    "labelColor",
    "isError",
    "namedLogo",
    "logoSvg",
    "logoColor",
    "logoSize",
    "style",
}
"""The members that shields.io documents."""


def badge(report: Report, label: str = "GET /api/queue") -> Badge:
    """Return the badge of a report."""
    return badge_of(snapshot(report), label)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (sample.passing, "conformant · queue 20/21 · http 4/4 · auth 1/1 · 2026-01-01"),
        (sample.failing, "non-conformant · 1 waived · queue 19/21 · http 4/4 · auth 1/1 · 2026-01-01"),
        (sample.unreachable, "inconclusive · not reached · 2026-01-01"),
        (sample.idle, "inconclusive · partial · embedded endpoint · queue 10/21 · http 4/4 · auth 1/1 · 2026-01-01"),
    ],
)
def test_it_says_verdict_what_qualifies_it_how_much_was_seen_and_when(make: Callable[[], Report], message: str) -> None:
    assert badge(make()).message == message


@ALL
def test_the_svg_is_text_and_has_a_title(make: Callable[[], Report]) -> None:
    made = badge(make())
    root = ET.fromstring(render_svg(made))  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == f"{made.label}: {made.message}"
    assert [text.text for text in root.iter(f"{SVG}text")] == [made.label, made.message]
    assert not [name for element in root.iter() for name in element.attrib if "href" in name]


@ALL
def test_the_endpoint_is_as_shields_wants_it(make: Callable[[], Report]) -> None:
    report = make()
    document = json.loads(render_endpoint(badge(report)))
    assert set(document) <= KNOWN
    assert document["schemaVersion"] == 1
    assert document["label"] and document["message"]  # noqa: PT018
    assert re.fullmatch("#[0-9a-f]{6}", document["color"])
    assert document["isError"] is (report.verdict != "conformant")


def test_each_verdict_has_a_colour_of_its_own_that_white_text_can_be_read_on() -> None:
    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    made = [render_svg(badge(make())).decode() for make in (sample.passing, sample.failing, sample.unreachable)]
    colours = {colour for svg in made for colour in re.findall(r'fill="(#[0-9a-f]{6})"', svg)}
    assert len(colours) == 4
    assert all(1.05 / (light(colour) + 0.05) >= 4.5 for colour in colours)


def test_a_label_of_ones_own_is_shown_inert() -> None:
    svg = render_svg(badge(sample.passing(), '<script>"&\x1b')).decode()
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert ET.fromstring(svg).findtext(f"{SVG}title", "").startswith('<script>"&\\u001b: ')  # noqa: S314
