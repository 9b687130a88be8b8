"""Entity tags, 304 and 206: what each clause finds and lets pass, value by value."""

from __future__ import annotations

import pytest

from conformance.contract.clauses.http_conditional import MADE_UP_VALIDATOR
from conformance.exchange.model import Exchange, Request, Response
from helpers.answers import HEADERS, NOW, Told, asked, got, item, queue, read, said

HELD = (("If-None-Match", '"a"'),)
GZIP = ("Content-Encoding", "gzip")


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
    assert said(clause, tagged('"a"'), asked(404)) is None


def test_only_a_200_to_a_read_must_have_an_etag_like_that_of_a_304() -> None:
    unknown = Exchange("x3", Request("GET", "http://t/api/queue"), Response(200, content=queue(), head=False))
    for other in (tagged(None, number=2, status=199), asked(200, method="HEAD"), unknown):
        assert got(said("http.not-modified-etag", tagged('"a"'), other, unchanged())) == ["no ETag"]


@pytest.mark.parametrize(
    ("status", "validator", "found"),
    [
        (304, MADE_UP_VALIDATOR, ["304"]),
        (304, f'"x", {MADE_UP_VALIDATOR}', ["304"]),
        (304, '"x"', []),
        (304, "*", []),
        (200, MADE_UP_VALIDATOR, []),
        (303, MADE_UP_VALIDATOR, []),
        (412, MADE_UP_VALIDATOR, []),
        (304, None, None),
    ],
)
def test_304_answers_a_validator_that_was_sent(status: int, validator: str | None, found: list[str] | None) -> None:
    sent = () if validator is None else (("If-None-Match", validator),)
    assert got(said("http.not-modified", asked(status, request=sent))) == found


def test_of_what_is_no_read_no_condition_is_judged() -> None:
    sent = (("If-None-Match", MADE_UP_VALIDATOR),)
    assert said("http.not-modified", asked(304, request=sent, method="HEAD")) is None
    bare = Exchange("x1", Request("GET", "http://t/api/queue", sent), Response(304, head=False))
    assert said("http.not-modified", bare) is None


# --- one tag for other jobs -------------------------------------------------------------------------------------------


def test_a_strong_etag_stands_for_the_same_jobs() -> None:
    clause = "http.etag-changes"
    assert said(clause, tagged('"a"', 1, 2), tagged('"a"', 1, 2, number=2)) == []
    assert said(clause, tagged('"a"', 1), tagged('"b"', 2, number=2)) is None


@pytest.mark.parametrize("later", [[(1, 2), (3,)], [(1,)], [(1, 2, 3)], [(2, 3)]])
def test_two_queues_with_one_etag_are_reported_once(later: list[tuple[int, ...]]) -> None:
    reads = [tagged('"a"', *jobs, number=number) for number, jobs in enumerate(later, 2)]
    (found,) = said("http.etag-changes", tagged('"a"', 1, 2), *reads) or []
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


def part(
    content: bytes, content_range: str | None, asked_for: str = "bytes=0-0", *fields: tuple[str, str], status: int = 206
) -> list[Told] | None:
    named = () if content_range is None else (("Content-Range", content_range),)
    return said("http.range", read(queue()), asked(status, content, *named, *fields, request=(("Range", asked_for),)))


@pytest.mark.parametrize(
    ("content", "content_range", "asked_for"),
    [
        (b"{", "bytes 0-0/300", "bytes=0-0"),
        (b"{", "bytes 0-0/*", "bytes=0-0"),
        (b"abcde", "bytes 5-9/300", "bytes=5-9"),
        (b"{}", "bytes 0-1/2", "bytes=0-1"),
        (b"e", "bytes 299-299/300", "bytes=-1"),
        (b"e", "bytes 1-1/300", "bytes=-1"),
    ],
)
def test_a_part_that_says_which_it_is_is_right(content: bytes, content_range: str, asked_for: str) -> None:
    assert part(content, content_range, asked_for) == []


@pytest.mark.parametrize(
    ("content_range", "found"),
    [
        (None, "no Content-Range"),
        ("", ""),
        ("bytes */300", "bytes */300"),
        ("bytes 0-0", "bytes 0-0"),
        ("0-0/3", "0-0/3"),
    ],
)
def test_a_part_that_does_not_say_which_it_is(content_range: str | None, found: str) -> None:
    message = "The 206 response has no valid Content-Range, so it does not say which part of the body it is."
    assert part(b"{", content_range) == [Told(None, "Content-Range: bytes first-last/size", found, message)]


@pytest.mark.parametrize(
    ("content_range", "size"), [("bytes 0-1/300", 2), ("bytes 5-5/300", 1), ("bytes 1-1/300", 1), ("bytes 1-0/3", 0)]
)
def test_another_part_than_was_asked_for(content_range: str, size: int) -> None:
    message = "The 206 response is another part of the body than the request asked for."
    assert part(b"x" * size, content_range) == [Told(None, "bytes 0-0", content_range, message)]


@pytest.mark.parametrize(
    ("content_range", "size"),
    [("bytes 0-0/300", 0), ("bytes 0-0/300", 2), ("bytes 5-9/300", 4), ("bytes 5-9/300", 6), ("bytes 5-9/300", 14)],
)
def test_a_part_of_another_size_than_it_says(content_range: str, size: int) -> None:
    asked_for = "bytes=0-0" if content_range.startswith("bytes 0") else "bytes=5-9"
    expected = [
        Told(
            None,
            f"the bytes of {content_range}",
            f"{size} bytes",
            "The 206 response has another number of bytes than its Content-Range says.",
        )
    ]
    assert part(b"x" * size, content_range, asked_for) == expected


def test_of_a_compressed_part_the_size_is_not_known() -> None:
    assert part(b"x" * 9, "bytes 0-0/300", "bytes=0-0", GZIP) == []


def test_parts_that_come_together_say_it_inside() -> None:
    several = Response(206, (("Content-Type", "multipart/byteranges; boundary=x"),), b"--x")
    sent = Request("GET", "http://t/api/queue", (("Range", "bytes=0-0"),))
    assert said("http.range", read(queue()), Exchange("x2", sent, several, started=NOW + 2, elapsed=0.01)) == []


@pytest.mark.parametrize("content_type", ["multipart/a", "text/plain"])
def test_a_part_of_another_type_says_it_as_well(content_type: str) -> None:
    other = Response(206, (("Content-Type", content_type),), b"x")
    sent = Request("GET", "http://t/api/queue", (("Range", "bytes=0-0"),))
    found = said("http.range", read(queue()), Exchange("x2", sent, other, started=NOW + 2, elapsed=0.01))
    assert got(found) == ["no Content-Range"]


@pytest.mark.parametrize("status", [200, 205, 207, 400, 416, 500])
def test_an_answer_that_is_no_part_need_not_say_which(status: int) -> None:
    assert part(b"x", None, status=status) == []


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_not_now_says_nothing_of_parts(status: int) -> None:
    assert part(b"x", None, status=status) is None


def test_without_a_queue_or_a_range_nothing_is_said_of_parts() -> None:
    ranged = (("Range", "bytes=0-0"),)
    assert said("http.range", asked(206, request=ranged)) is None
    assert said("http.range", read(queue())) is None
    assert said("http.range", read(queue()), asked(206, request=ranged, method="HEAD")) is None
