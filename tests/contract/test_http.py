"""What stands around the body: type, codings, dates, and what a request may change of an answer."""

from __future__ import annotations

import pytest

from conformance.contract.clauses.http import answered_at
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.exchange.codings import CODINGS, DECODABLE
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange, Request, Response
from conformance.judge.judge import judge
from helpers.answers import HEADERS, NOW, Told, asked, got, queue, read, said

DATE = ("Date", "Sun, 23 Nov 2025 16:00:00 GMT")
GZIP = ("Content-Encoding", "gzip")
BARE = Exchange("x1", Request("GET", "file:///queue.json"), Response(200, content=queue(), head=False))


def answered(*fields: tuple[str, str], status: int = 200, request: Headers = ()) -> Exchange:
    """Return a read with these header fields and no others."""
    sent = Request("GET", "http://t/api/queue", (("Accept", "application/json"), *request))
    return Exchange("x2", sent, Response(status, fields, queue()), started=NOW, elapsed=0.5)


# --- dates ------------------------------------------------------------------------------------------------------------


def made(date: str | None, started: float | None = NOW, elapsed: float | None = 0.5) -> float | None:
    response = Response(200, (("Date", date),) if date is not None else ())
    exchange = Exchange("x1", Request("GET", "http://t/api/queue"), response, started=started, elapsed=elapsed)
    return answered_at(Answer(exchange, response, Reading(b"")))


def test_an_answer_was_made_when_its_date_says_unless_that_is_a_day_off() -> None:
    assert made(DATE[1]) == NOW
    assert made(DATE[1], started=NOW + 86_400 - 1) == NOW
    assert made(DATE[1], started=NOW + 86_400) == NOW + 86_400.5
    assert made(DATE[1], started=NOW - 86_400) == NOW
    assert made(DATE[1], started=NOW - 86_401) == NOW - 86_400.5
    assert made(DATE[1], started=NOW + 86_400 - 0.5) == NOW + 86_400
    assert made(DATE[1], started=None) == NOW


def test_without_a_date_it_was_made_when_it_came() -> None:
    assert made(None) == NOW + 0.5
    assert made("soon") == NOW + 0.5
    assert made(None, elapsed=None) == NOW
    assert made(None, started=None) is None


@pytest.mark.parametrize(
    ("date", "found", "message"),
    [
        (None, "none", "The response has no Date."),
        ("", "", "Date is not in the format of RFC 9110."),
        ("soon", "soon", "Date is not in the format of RFC 9110."),
        (
            "Mon, 24 Nov 2025 16:00:01 GMT",
            "Mon, 24 Nov 2025 16:00:01 GMT",
            "Date differs from the time of the request by 1 days.",
        ),
        (
            "Sat, 22 Nov 2025 15:59:59 GMT",
            "Sat, 22 Nov 2025 15:59:59 GMT",
            "Date differs from the time of the request by 1 days.",
        ),
        (
            "Sun, 09 Nov 2025 04:00:00 GMT",
            "Sun, 09 Nov 2025 04:00:00 GMT",
            "Date differs from the time of the request by 14 days.",
        ),
        (
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Date differs from the time of the request by 20,416 days.",
        ),
    ],
)
def test_date_is_there_and_right(date: str | None, found: str, message: str) -> None:
    fields = () if date is None else (("Date", date),)
    (finding,) = said("http.date", answered(*fields)) or []
    assert (finding.got, finding.message) == (found, message)


@pytest.mark.parametrize(
    "date", ["Mon, 24 Nov 2025 16:00:00 GMT", "Sat, 22 Nov 2025 16:00:00 GMT", "Sun, 23 Nov 2025 16:00:00 GMT"]
)
def test_a_day_is_forgiven(date: str) -> None:
    assert said("http.date", answered(("Date", date))) == []


def test_where_we_have_no_clock_any_date_is_right() -> None:
    response = Response(200, (("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),))
    assert said("http.date", Exchange("x1", Request("GET", "http://t/api/queue"), response)) == []
    assert said("http.date", BARE) is None


# --- the type ---------------------------------------------------------------------------------------------------------

A_PAGE = "a web page: a proxy, a login page or the frontend responds instead of the queue"


@pytest.mark.parametrize(
    ("value", "found", "hint"),
    [
        (None, "no Content-Type", None),
        ("", "an empty Content-Type", None),
        ("text/plain", "text/plain", None),
        ("text/HTML; charset=utf-8", "text/HTML; charset=utf-8", A_PAGE),
        ("application/xhtml+xml", "application/xhtml+xml", A_PAGE),
        ("text/json", "text/json", None),
        ("application/a", "application/a", None),
    ],
)
def test_a_queue_is_labelled_as_json(value: str | None, found: str, hint: str | None) -> None:
    fields = () if value is None else (("Content-Type", value),)
    message = "The Content-Type of the response is not application/json."
    expected = [Told(None, "application/json", found, message, hint)]
    assert said("http.content-type", answered(*fields)) == expected


def test_each_line_of_the_type_is_named() -> None:
    twice = answered(("Content-Type", "application/json"), ("Content-Type", "text/plain"))
    assert got(said("http.content-type", twice)) == ["2 Content-Type lines: application/json and text/plain"]


def test_only_a_queue_whose_type_is_known_must_be_json() -> None:
    assert said("http.content-type", BARE) is None
    assert said("http.content-type", asked(404, b"", ("Content-Type", "text/html"))) is None


@pytest.mark.parametrize("value", ["application/json", "Application/JSON ; charset=x"])
def test_the_label_may_be_written_in_other_ways(value: str) -> None:
    assert said("http.content-type", answered(("Content-Type", value))) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("application/json; charset=utf-8", []),
        ('application/json;Charset="UTF-8"', []),
        ("application/json; charset=utf8", []),
        ("application/json; x=1; charset = latin-1 ", ["latin-1"]),
        ("application/json; charset=", [""]),
        ("application/json", None),
        ("charset=latin-1", None),
        ("application/json; x=latin-1", None),
        ("application/json; boundary=x; zone=latin-1", None),
    ],
)
def test_a_charset_is_utf_8(value: str, found: list[str] | None) -> None:
    assert got(said("http.charset", answered(("Content-Type", value)))) == found


def test_without_a_label_there_is_no_charset() -> None:
    assert said("http.charset", answered()) is None


# --- framing and codings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((), []),
        ((("Transfer-Encoding", "chunked"),), []),
        ((("Content-Length", "0"),), []),
        ((("Transfer-Encoding", "chunked"), ("Content-Length", "0")), ["both"]),
        ((("Transfer-Encoding", "chunked"), ("Content-Length", "")), ["both"]),
    ],
)
def test_one_framing(fields: Headers, found: list[str]) -> None:
    assert got(said("http.framing", answered(*fields))) == found
    assert said("http.framing", BARE) is None


@pytest.mark.parametrize(
    ("offered", "coding", "found"),
    [
        ("gzip", "gzip", []),
        ("gzip", "x-gzip", []),
        ("x-gzip", "gzip", []),
        ("GZIP", "gzip", []),
        ("br, gzip;q=0.5", "gzip", []),
        ("*", "gzip", []),
        ("gzip;q=0, *", "gzip", ["gzip"]),
        ("identity", "gzip", ["gzip"]),
        ("br", "gzip, deflate, br", ["gzip", "deflate"]),
        ("gzip;q=0", "gzip", ["gzip"]),
        ("*;q=0", "gzip", ["gzip"]),
        ("", "gzip", ["gzip"]),
        (None, "gzip", []),
        ("br", "identity", None),
        ("br", "", None),
        ("br", "zstd", ["zstd"]),
        ("br", "aaa", ["aaa"]),
    ],
)
def test_a_coding_was_asked_for(offered: str | None, coding: str, found: list[str] | None) -> None:
    sent = () if offered is None else (("Accept-Encoding", offered),)
    findings = said("http.coding-asked", answered(("Content-Encoding", coding), request=sent))
    assert got(findings) == found
    for finding in findings or ():
        assert finding.expected == f"no coding except {offered or 'identity'}"


@pytest.mark.parametrize(
    ("offered", "found"),
    [
        (("identity", "gzip"), []),
        (("gzip;q=0", "gzip"), []),
        (("", "identity;q=0.5, gzip;q=1.0"), []),
        (("identity", "br"), ["gzip"]),
    ],
)
def test_a_coding_may_be_asked_for_on_any_line(offered: tuple[str, ...], found: list[str]) -> None:
    sent = tuple(("Accept-Encoding", line) for line in offered)
    assert got(said("http.coding-asked", answered(("Content-Encoding", "gzip"), request=sent))) == found


def test_codings_of_answers_to_get_are_judged() -> None:
    for method in ("HEAD", "OPTIONS", "CONNECT"):
        assert said("http.coding-asked", asked(200, b"", GZIP, method=method)) is None
    assert said("http.coding-asked", BARE) is None


def undone(status: int = 200, coding: str = "gzip", error: str | None = "gzip: cut\n") -> list[str] | None:
    response = Response(status, (("Content-Encoding", coding), *HEADERS), b"", error)
    return got(said("http.coding-decodes", Exchange("x1", Request("GET", "http://t/api/queue"), response)))


def test_a_coding_can_be_undone() -> None:
    assert undone() == ["gzip: cut\\u000a"]
    assert undone(error=None) == []


@pytest.mark.parametrize(
    ("coding", "known"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("deflate", True),
        ("identity, gzip", True),
        ("deflate, gzip", True),
        ("br", "br" in DECODABLE),
        ("zstd", False),
        ("gzip, zstd", False),
        ("identity", False),
        ("", False),
        (", ".join(["gzip"] * CODINGS), True),
        (", ".join(["gzip"] * (CODINGS + 1)), False),
    ],
)
def test_of_codings_that_we_cannot_undo_nothing_is_said(coding: str, *, known: bool) -> None:
    assert (undone(coding=coding) is not None) is known


@pytest.mark.parametrize(
    ("status", "whole"),
    [
        (200, True),
        (203, True),
        (205, True),
        (207, True),
        (303, True),
        (305, True),
        (404, True),
        (500, True),
        (204, False),
        (206, False),
        (304, False),
    ],
)
def test_a_part_need_not_decode(status: int, *, whole: bool) -> None:
    assert (undone(status) is not None) is whole


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((GZIP,), ["no Vary"]),
        ((GZIP, ("Vary", "Accept")), ["accept"]),
        ((GZIP, ("Vary", "Accept, ACCEPT-Encoding")), []),
        ((GZIP, ("Vary", "*")), []),
        ((GZIP, ("Cache-Control", "private")), ["no Vary"]),
        ((GZIP, ("Cache-Control", "private, No-Store")), None),
        ((), None),
    ],
)
def test_a_compressed_answer_varies(fields: Headers, found: list[str] | None) -> None:
    assert got(said("http.vary", answered(*fields))) == found


# --- what the request may change --------------------------------------------------------------------------------------


def manner(
    status: int,
    number: int,
    accept: str | None,
    agent: str = "a",
    *more: tuple[str, str],
    purpose: str = "read as others do",
) -> Exchange:
    headers = (*((("Accept", accept),) if accept is not None else ()), ("User-Agent", agent), *more)
    sent = Request("GET", "http://t/api/queue", headers, purpose=purpose)
    return Exchange(f"x{number}", sent, Response(status), started=NOW + number, elapsed=0.01)


@pytest.mark.parametrize("accept", [None, "*/*", "text/html, */*;q=0.1", "application/*"])
@pytest.mark.parametrize("status", [199, 201, 406, 500])
def test_who_takes_json_gets_it(accept: str | None, status: int) -> None:
    again = manner(status, 4, accept, purpose="the same once more")
    exchanges = (read(queue()), manner(404, 2, accept), manner(404, 3, accept), again)
    message = "The status depends on Accept or User-Agent (read as others do)."
    assert said("http.accept", *exchanges) == [Told(None, "200", str(status), message)]
    found = judge(exchanges, only={"http.accept"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x4"]


@pytest.mark.parametrize(("status", "found"), [(200, []), (406, []), (404, ["404"]), (500, ["500"])])
def test_who_rules_json_out_may_be_told_so(status: int, found: list[str]) -> None:
    exchanges = (read(queue()), manner(status, 2, "text/html"), manner(status, 3, "text/html"))
    assert got(said("http.accept", *exchanges)) == found
    for finding in said("http.accept", *exchanges) or ():
        assert finding.expected == "200 or 406"


def test_one_right_answer_to_the_same_manner_is_enough() -> None:
    assert said("http.accept", read(queue()), manner(500, 2, "*/*"), manner(200, 3, "*/*")) == []
    assert said("http.accept", read(queue()), manner(200, 2, "*/*"), manner(500, 3, "*/*")) == []


def test_one_failure_of_a_manner_is_chance() -> None:
    assert said("http.accept", read(queue()), manner(500, 2, "*/*")) is None
    assert said("http.accept", read(queue()), manner(200, 2, "*/*")) == []


def test_the_usual_manner_is_not_compared_with_itself() -> None:
    usual = "application/json"
    assert said("http.accept", read(queue()), manner(500, 2, usual), manner(500, 3, usual)) is None


def test_manners_differ_in_accept_and_in_who_asks() -> None:
    others = (manner(500, 3, "*/*", "b"), manner(500, 4, "*/*", "b"))
    assert got(said("http.accept", read(queue()), manner(200, 2, "*/*"), *others)) == ["500"]
    ranged = ("Range", "bytes=0-0")
    odd = (manner(500, 3, "*/*", "b", ranged), manner(500, 4, "*/*", "b", ranged))
    assert said("http.accept", read(queue()), manner(200, 2, "*/*"), *odd) == []


def test_a_queue_that_nobody_gets_is_not_told_of_manners() -> None:
    assert said("http.accept", manner(500, 2, "*/*"), manner(500, 3, "*/*")) is None
    assert said("http.accept", read(queue()), manner(199, 2, "*/*")) is None


def queried(status: int, number: int, query: str = "?page=1") -> Exchange:
    sent = Request("GET", f"http://t/api/queue{query}", (("Accept", "application/json"),))
    return Exchange(f"x{number}", sent, Response(status), started=NOW + number, elapsed=0.01)


@pytest.mark.parametrize("status", [199, 201, 399, 401, 404, 500])
def test_an_undeclared_query_changes_nothing(status: int) -> None:
    exchanges = (read(queue()), queried(404, 2), queried(404, 3), queried(status, 4))
    message = "An undeclared query parameter changes the status."
    assert said("http.query", *exchanges) == [Told(None, "200 or 400", str(status), message)]
    found = judge(exchanges, only={"http.query"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x4"]


def test_it_may_be_ignored_or_refused() -> None:
    assert said("http.query", read(queue()), queried(200, 2), queried(500, 3)) == []
    assert said("http.query", read(queue()), queried(500, 2), queried(400, 3)) == []
    assert said("http.query", read(queue()), queried(200, 2)) == []


def test_each_query_is_judged_by_itself() -> None:
    exchanges = (read(queue()), *(queried(500, n, "?a") for n in (2, 3)), *(queried(400, n, "?b") for n in (4, 5)))
    assert got(said("http.query", *exchanges)) == ["500"]


def test_without_a_queue_or_a_query_nothing_is_said_of_queries() -> None:
    assert said("http.query", queried(500, 2), queried(500, 3)) is None
    assert said("http.query", read(queue()), manner(500, 2, "*/*"), manner(500, 3, "*/*")) is None
    assert said("http.query", *(read(queue(), number=n) for n in (1, 2))) is None
