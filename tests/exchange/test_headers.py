"""Reading header fields: lines, lists, Accept, and dates."""

from __future__ import annotations

import pytest

from conformance.exchange.headers import accepts, first, http_date, lines, values, weight

FIELDS = (("Vary", "Accept, , ORIGIN"), ("vary", ""), ("X", "1"), ("VARY", " a;b "))


def test_a_name_is_found_in_any_letter_case() -> None:
    assert lines(FIELDS, "vary") == ["Accept, , ORIGIN", "", " a;b "]
    assert (first(FIELDS, "vary"), first(FIELDS, "x"), first(FIELDS, "accept")) == ("Accept, , ORIGIN", "1", None)


def test_the_members_of_all_lines_are_one_list() -> None:
    assert values(FIELDS, "vary") == ["accept", "origin", "a;b"]


@pytest.mark.parametrize(
    ("field", "accepted"),
    [
        (None, True),
        ("*/*", True),
        ("application/*", True),
        ("text/html, Application/JSON", True),
        ("application/json;q=0.001", True),
        ("*/*; Q=1", True),
        ("", False),
        ("text/html", False),
        ("application/json;q=0", False),
        ("application/json ; q=0.000", False),
        ("*/*, application/json;q=0", False),
        ("application/json;q=0, */*", False),
        ("*/*;q=0, application/*", True),
        ("application/*;q=0, */*", False),
        ("application/*;q=0, application/json;q=0.1", True),
        ("application/json;profile=x", False),
        ("application/json;profile=x;q=0.9", False),
        ("application/json;q=0.9;extension=x", True),
        ("application/json;profile=x, */*", True),
    ],
)
def test_the_most_specific_range_decides_whether_json_is_accepted(field: str | None, *, accepted: bool) -> None:
    assert accepts(field, "application/json") is accepted


@pytest.mark.parametrize(
    ("member", "found"),
    [("gzip", 1), ("gzip;q=1", 1), ("gzip; q=0.25", 0.25), ("gzip;q=0", 0), ("gzip;level=9;q=0.5", 0.5)],
)
def test_a_member_without_a_weight_has_the_weight_1(member: str, found: float) -> None:
    assert weight(member) == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Sun, 23 Nov 2025 16:00:00 GMT", 1_763_913_600),
        ("Wed, 31 Dec 2025 23:59:59 GMT", 1_767_225_599),
        ("Wed, 31 Dec 2025 23:59:60 GMT", 1_767_225_599),  # a leap second
        ("Mon, 01 Jan 2024 01:02:03 GMT", 1_704_070_923),
    ],
)
def test_a_date_is_read_in_seconds(text: str, seconds: float) -> None:
    assert http_date(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "Sun, 30 Feb 2025 16:00:00 GMT",
        "Sun, 00 Nov 2025 16:00:00 GMT",
        "Sun, 23 Nov 2025 24:00:00 GMT",
        "Sun, 23 Nov 2025 16:60:00 GMT",
        "Sun, 23 Nov 2025 16:00:61 GMT",
        "Sun, 23 Nov 2025 16:00:99 GMT",
        "Sun, 23 Nov 0000 16:00:00 GMT",
        "Sunday, 23-Nov-25 16:00:00 GMT",
        "Sun Nov 23 16:00:00 2025",
        "Sun, 23 Nov 2025 16:00:00 UTC",
        "Sun, 23 Nov 2025 16:00:00 GMT ",
        "2025-11-23",
    ],
)
def test_other_text_is_not_a_date(text: str) -> None:
    assert http_date(text) is None
