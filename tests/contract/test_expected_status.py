"""Which statuses a request may get, and which clause covers another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.conversation import Answer, Conversation
from conformance.contract.expected_status import OF_STATUS, allowed, by_accept, causes, suspected, unexpected
from conformance.contract.reading.body import Reading
from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Request, Response
from conformance.judge.judge import judge
from helpers.answers import asked

JSON = (("Accept", "application/json"),)
URL = "http://t/api/queue"
CONDITION = (("If-Match", '"x"'),)
GZIP = (("Accept-Encoding", "gzip"),)
QUERY = URL + "?page=1"


def answered(
    status: int, headers: Headers = JSON, url: str = URL, method: str = "GET", *, head: bool = True, **more: Any
) -> Answer:
    request = Request(method, url, headers, **more)
    response = Response(status, head=head)
    return Answer(Exchange("x1", request, response), response, Reading(b""))


@pytest.mark.parametrize(
    ("headers", "url", "more"),
    [
        (JSON, URL, set()),
        ((), URL, set()),
        ((("Accept", "text/html"),), URL, {406}),
        ((("Accept", "*/*"),), URL, set()),
        (JSON, URL + "?page=1", {400}),
        ((*JSON, ("If-None-Match", '"x"')), URL, {304}),
        ((*JSON, ("if-modified-since", "Sun, 23 Nov 2025 16:00:00 GMT")), URL, {304}),
        ((*JSON, ("If-Match", '"x"')), URL, {412}),
        ((*JSON, ("If-Unmodified-Since", "Sun, 23 Nov 2025 16:00:00 GMT")), URL, {412}),
        ((*JSON, ("Range", "bytes=0-0")), URL, {206, 400, 416}),
        ((*JSON, ("Origin", "https://a.example")), URL, {400, 403}),
        ((*JSON, ("Accept-Language", "de")), URL, set()),
        ((("Accept", "text/html"), ("Range", "x")), URL + "?a", {206, 400, 406, 416}),
    ],
)
def test_a_request_leaves_these_statuses_open(headers: Headers, url: str, more: set[int]) -> None:
    assert allowed(Request("GET", url, headers)) == {200, *more}


OWN: dict[str, Any] = {"own_query": "space=red", "own_parameters": ("?space", "?depth", "x-tier", "accept")}


@pytest.mark.parametrize(
    ("headers", "query", "clause", "declared"),
    [
        (JSON, "space=red", "status.steady", ()),
        (JSON, "space=blue", "status.steady", ("?space",)),
        (JSON, "space=red&depth=1", "status.steady", ("?depth",)),
        ((*JSON, ("X-Tier", "paid")), "space=red", "status.steady", ("X-Tier",)),
        (JSON, "space=red&page=1", "http.query", ()),
        ((*JSON, *CONDITION), "space=red", "error.optional-header", ()),
        ((*JSON, *CONDITION), "space=red&depth=1", "status.steady", ("?depth",)),
        ((("Accept", "*/*"),), "space=red", "http.accept", ()),
    ],
)
def test_a_declared_parameter_is_not_blamed_as_an_undeclared_one(
    headers: Headers, query: str, clause: str, declared: tuple[str, ...]
) -> None:
    answer = answered(500, headers, f"{URL}?{query}", **OWN)
    assert suspected(answer) == clause
    assert answer.request.declared == declared
    assert (400 in allowed(answer.request)) is (bool(declared) or "page" in query)
    assert answer.request.plain is (not declared and "page" not in query and not answer.request.header("if-match"))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answered(200), False),
        (answered(500), True),
        (answered(404), True),
        *((answered(status), False) for status in (401, 402, 403, 407, 408, 425, 429, 502, 503, 504)),
        *((answered(status), True) for status in (199, 201, 400, 405, 406, 409, 424, 426, 428, 430, 501, 505)),
        (answered(412), True),
        (answered(412, CONDITION), False),
        (answered(500, head=False), False),
        (answered(500, method="HEAD"), False),
        (answered(500, credential=Credential.WRONG), False),
    ],
)
def test_a_status_that_nothing_excuses_is_unexpected(answer: Answer, *, expected: bool) -> None:
    assert unexpected(answer) is expected


@pytest.mark.parametrize(
    ("headers", "url", "clause"),
    [
        (JSON, URL, "status.steady"),
        ((*JSON, ("User-Agent", "x")), URL, "status.steady"),
        ((), URL, "http.accept"),
        ((("Accept", "*/*"),), URL, "http.accept"),
        ((("Accept", "text/html"),), URL, "http.accept"),
        ((*JSON, *CONDITION), URL, "error.optional-header"),
        (CONDITION, URL, "error.optional-header"),
        ((("Accept", "*/*"), *CONDITION), URL, "error.optional-header"),
        ((("Accept", "text/html"), *CONDITION), URL, "status.steady"),
        (JSON, URL + "?page=1", "http.query"),
        ((), URL + "?page=1", "http.query"),
        ((("Accept", "text/html"),), URL + "?page=1", "status.steady"),
        ((*JSON, *CONDITION), URL + "?page=1", "status.steady"),
        ((*JSON, *GZIP), URL, "status.steady"),
        ((*JSON, *GZIP), URL + "?page=1", "status.steady"),
        ((*JSON, ("Accept-Encoding", "identity")), URL + "?page=1", "http.query"),
        ((("Accept", "text/html"), *GZIP), URL, "status.steady"),
        ((*JSON, *GZIP, *CONDITION), URL, "status.steady"),
    ],
)
def test_one_cause_has_one_clause_that_tells_of_it(headers: Headers, url: str, clause: str) -> None:
    assert suspected(answered(500, headers, url)) == clause
    assert suspected(answered(200, headers, url)) is None


def test_a_read_that_is_asked_for_by_hand_is_the_usual_one() -> None:
    assert asked(200).request.usual


def broken(*found: tuple[int, Headers, str]) -> list[str]:
    """Return the clauses about a status that responses to these requests break, after two plain reads with a 200."""
    told = ((200, JSON, URL), (200, JSON, URL), *found)
    exchanges = [
        replace(answered(status, headers, url).exchange, id=f"x{number}", response=Response(status))
        for number, (status, headers, url) in enumerate(told, 1)
    ]
    return [result.id for result in judge(exchanges, only=OF_STATUS).results if result.evidence]


@pytest.mark.parametrize(
    ("headers", "url", "alone", "clause"),
    [
        ((*JSON, *CONDITION), QUERY, (JSON, QUERY), "http.query"),
        ((*JSON, *CONDITION), QUERY, (JSON, URL + "?other=2"), "http.query"),
        ((*JSON, *CONDITION), QUERY, ((*JSON, *CONDITION), URL), "error.optional-header"),
        ((("Accept", "text/html"),), QUERY, ((("Accept", "text/html"),), URL), "http.accept"),
        ((("Accept", "text/html"), *GZIP), URL, ((("Accept", "text/html"),), URL), "http.accept"),
    ],
)
def test_a_request_that_is_unusual_in_several_ways_is_put_down_to_the_one_that_fails_alone(
    headers: Headers, url: str, alone: tuple[Headers, str], clause: str
) -> None:
    several, one = (500, headers, url), (500, *alone)
    assert broken(several, several, one, one) == [clause]
    assert broken(one, one, several) == [clause]
    assert broken(several, several, (200, *alone)) == ["status.steady"]


def test_a_coding_that_another_read_was_served_with_is_no_cause() -> None:
    failed = (500, (*JSON, *GZIP), QUERY)
    assert broken(failed, failed, (200, (*JSON, *GZIP), URL)) == ["http.query"]
    assert broken(failed, failed, (500, (*JSON, *GZIP), URL), (500, (*JSON, *GZIP), URL)) == ["status.steady"]
    assert broken(failed, failed) == ["status.steady"]
    once = (500, (*JSON, *GZIP), URL)
    assert broken(once) == broken(once, (200, *once[1:])) == ["status.steady"]


def test_a_key_that_is_refused_under_a_name_in_lower_case_is_not_blamed_on_accept() -> None:
    request = answered(500, credential=Credential.LOWER_CASE_NAME).request
    assert causes(request) == {"auth.header-name"}
    plain = [
        answered(200).exchange,
        *(replace(answered(403).exchange, id=name, request=request) for name in ("x2", "x3")),
    ]
    assert [result.id for result in judge(plain, only=OF_STATUS).results if result.evidence] == []


def test_only_a_request_that_is_unusual_in_accept_is_grouped_by_accept() -> None:
    fields = JSON, (*JSON, *GZIP), (("Accept", "*/*"),), (("Accept", "text/html"),)
    groups = by_accept(Conversation([answered(200, headers) for headers in fields]))
    assert [[answer.request.header("accept") for answer in group] for group in groups] == [["*/*"], ["text/html"]]


def test_accept_on_two_lines_is_one_field() -> None:
    both = (("Accept", "text/html"), ("Accept", "application/*"))
    assert allowed(Request("GET", URL, both)) == {200}
    one_line = (406, both[:1], URL)
    assert broken(one_line, one_line) == []
    assert broken(one_line, one_line, (406, both, URL), (406, both, URL)) == ["http.accept"]


def test_a_failure_by_chance_is_put_down_to_no_property_of_the_request() -> None:
    mixed, query = ((*JSON, *CONDITION), QUERY), (JSON, QUERY)
    assert broken((500, *query), (200, *query)) == ["status.steady"]
    assert broken((500, *mixed), (200, *mixed), (500, JSON, URL + "?b"), (500, JSON, URL + "?b")) == [
        "status.steady",
        "http.query",
    ]
