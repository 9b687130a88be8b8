"""Entity tags, 304 and 206: what each clause finds and lets pass, value by value."""

from __future__ import annotations

import pytest

from conformance.exchange.model import Exchange
from helpers.answers import HEADERS, Told, asked, got, item, queue, read, said

HELD = (("If-None-Match", '"a"'),)


def tagged(tag: str | None, *jobs: int, number: int = 1, status: int = 200, **fields: str) -> Exchange:
    own = () if tag is None else (("ETag", tag),)
    more = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return read(queue(*map(item, jobs)), number=number, status=status, headers=(*HEADERS, *own, *more))


def unchanged(*fields: tuple[str, str], number: int = 5) -> Exchange:
    return asked(304, b"", *fields, request=HELD, number=number)


# --- ETag -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag", ['"a"', 'W/"a"', '""', 'W/""', '"!#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~"', '"caf\xe9"', ' "a" ']
)
def test_an_entity_tag_is_quoted(tag: str) -> None:
    assert said("http.etag", tagged(tag)) == []


@pytest.mark.parametrize("tag", ["a", '"a', 'a"', "'a'", 'w/"a"', "W/a", '"a b"', '"a"b"', '"a", "b"', '"\x7f"'])
def test_what_is_not_quoted_is_no_entity_tag(tag: str) -> None:
    assert got(said("http.etag", tagged(tag))) == [tag.replace("\x7f", "\\u007f")]


def test_an_empty_etag_is_none() -> None:
    assert got(said("http.etag", tagged(""))) == ["an empty ETag"]


def test_each_line_and_each_status_of_the_queue_is_looked_at() -> None:
    assert got(said("http.etag", tagged("a", ETag="b"))) == ["a", "b"]
    assert got(said("http.etag", unchanged(("ETag", "a")))) == ["a"]
    assert said("http.etag", tagged(None)) is None
    assert said("http.etag", asked(200, b"", ("ETag", "a"), to_queue=False)) is None


# --- 304 --------------------------------------------------------------------------------------------------------------


def test_a_304_carries_the_etag_that_each_200_carries() -> None:
    clause, reads = "http.not-modified-etag", (tagged('"a"'), tagged('"a"', number=9))
    assert said(clause, *reads, unchanged(("ETag", '"a"'))) == []
    told = Told(
        None,
        "the ETag of the 200",
        "no ETag",
        "The 304 response has no ETag, so it does not say which stored response is still valid.",
    )
    assert said(clause, *reads, unchanged()) == [told]


def test_a_304_of_a_server_whose_200_may_lack_an_etag_need_not_have_one() -> None:
    clause = "http.not-modified-etag"
    assert said(clause, tagged('"a"'), tagged(None, number=2), unchanged()) is None
    assert said(clause, unchanged()) is None
    assert said(clause, tagged('"a"'), tagged('"a"', number=2)) is None


# --- one tag for other jobs -------------------------------------------------------------------------------------------


def test_a_strong_etag_stands_for_the_same_jobs() -> None:
    clause = "http.etag-changes"
    assert said(clause, tagged('"a"', 1, 2), tagged('"a"', 1, 2, number=2)) == []
    assert said(clause, tagged('"a"', 1), tagged('"b"', 2, number=2)) is None
    told = said(clause, tagged('"a"', 1), tagged('"a"', 1, 2, number=2), tagged('"a"', 3, number=3))
    assert told is not None
    (found,) = told
    assert (found.expected, found.got) == ("a different ETag for different jobs", '"a" for both')
    assert "misses the change" in found.message


@pytest.mark.parametrize("tag", ['W/"a"', "a", None])
def test_a_weak_tag_says_nothing_about_bytes(tag: str | None) -> None:
    assert said("http.etag-changes", tagged(tag, 1), tagged(tag, 2, number=2)) is None


def test_tags_of_different_codings_are_not_compared() -> None:
    coded = tagged('"a"', 2, number=2, Content_Encoding="gzip")
    assert said("http.etag-changes", tagged('"a"', 1), coded) is None


# --- 206 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["bytes", "Bytes", "BYTES"])
def test_the_unit_of_a_range_has_no_case(unit: str) -> None:
    ranged = (("Range", "bytes=0-0"),)
    part = asked(206, b"{", ("Content-Range", f"{unit} 0-0/42"), request=ranged)
    assert said("http.range", tagged(None), part) == []
    other = asked(206, b"{", ("Content-Range", f"{unit} 1-1/42"), request=ranged)
    assert got(said("http.range", tagged(None), other)) == [f"{unit} 1-1/42"]
