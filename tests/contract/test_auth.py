"""Who is let in, how the others are refused, and that the key comes back to nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange
from conformance.exchange.secrets import REDACTED
from conformance.judge.judge import judge
from conformance.judge.report import ClauseResult
from helpers.answers import Told, asked, got, queue, read, said

LOWER = Credential.LOWER_CASE_NAME
ERROR = b'{"code": "UNAUTHORIZED", "message": "m"}'
KEYED = (("X-API-Key", REDACTED),)


def plain(status: int, number: int) -> Exchange:
    return read(queue(), status=status, number=number)


def lower(status: int, number: int) -> Exchange:
    return asked(status, number=number, credential=LOWER)


WRONG_WAYS = {
    "auth.key-required": (Credential.NONE, "GET", "no key"),
    "auth.wrong-key": (Credential.WRONG, "GET", "a wrong key"),
    "auth.key-case": (Credential.OTHER_CASE, "GET", "the key with its letter case swapped"),
    "auth.empty-key": (Credential.EMPTY, "GET", "an empty key"),
}
HINTS = {
    "auth.key-required": "the server accepts this request without a key",
    "auth.wrong-key": "the server accepts a key that is not the right one",
    "auth.key-case": None,
    "auth.empty-key": "the server accepts an empty value as a key",
}
"""What one request shows. That the server checks no key at all, it does not."""


@pytest.mark.parametrize("clause", WRONG_WAYS)
@pytest.mark.parametrize("status", [300, 302, 399, 400, 401, 403, 404, 499])
def test_any_3xx_or_4xx_refuses(clause: str, status: int) -> None:
    credential, method, _ = WRONG_WAYS[clause]
    assert said(clause, asked(status, credential=credential, method=method)) == []


@pytest.mark.parametrize("clause", WRONG_WAYS)
@pytest.mark.parametrize(("status", "served"), [(199, False), (200, True), (299, True), (500, False), (501, False)])
def test_anything_else_lets_in(clause: str, status: int, *, served: bool) -> None:
    credential, method, words = WRONG_WAYS[clause]
    message = f"The server did not refuse a request with {words}."
    assert said(clause, asked(status, credential=credential, method=method)) == [
        Told(None, "401 or 403", str(status), message, HINTS[clause] if served else None)
    ]


@pytest.mark.parametrize("clause", WRONG_WAYS)
@pytest.mark.parametrize("status", [402, 407, 408, 425, 429, 502, 503, 504])
def test_not_now_says_nothing_of_keys(clause: str, status: int) -> None:
    credential, method, _ = WRONG_WAYS[clause]
    assert said(clause, asked(status, credential=credential, method=method)) is None


@pytest.mark.parametrize("clause", WRONG_WAYS)
def test_each_way_is_asked_of_its_own_requests(clause: str) -> None:
    credential, method, _ = WRONG_WAYS[clause]
    for other in Credential:
        for name in ("GET", "HEAD", "OPTIONS", "CONNECT"):
            if (other, name) != (credential, method):
                assert said(clause, asked(200, credential=other, method=name)) is None
    assert said(clause, asked(200, credential=credential, method=method, to_queue=False)) is None


# --- HEAD ---


def head(status: int, number: int, credential: Credential = Credential.NONE) -> Exchange:
    return asked(status, method="HEAD", number=number, credential=credential)


KEYED_HEAD = head(200, 1, Credential.GIVEN)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_head_without_the_key_is_not_answered_2xx(status: int) -> None:
    hint = "the server accepts this request without a key"
    message = "The server did not refuse a request with no key."
    assert said("auth.head", KEYED_HEAD, head(status, 2)) == [Told(None, "401 or 403", str(status), message, hint)]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 500, 501])
def test_another_status_of_head_shows_nothing_of_the_queue(status: int) -> None:
    assert said("auth.head", KEYED_HEAD, head(status, 2)) == []


@pytest.mark.parametrize("status", [199, 405, 501, 404, 204])
def test_head_without_the_key_says_nothing_if_head_does_not_work_with_it(status: int) -> None:
    assert said("auth.head", head(status, 1, Credential.GIVEN), head(status, 2)) is None
    assert said("auth.head", head(200, 2)) is None


@pytest.mark.parametrize("status", [402, 429, 503])
def test_a_head_at_a_bad_moment_says_nothing_of_keys(status: int) -> None:
    assert said("auth.head", KEYED_HEAD, head(status, 2)) is None


@pytest.mark.parametrize(
    "other",
    [
        asked(200, method="HEAD", number=2, credential=Credential.EMPTY),
        asked(200, method="GET", number=2, credential=Credential.NONE),
        asked(200, method="OPTIONS", number=2, credential=Credential.NONE),
        asked(200, method="HEAD", number=2, credential=Credential.NONE, to_queue=False),
    ],
)
def test_only_a_head_of_the_queue_without_a_key_is_meant(other: Exchange) -> None:
    assert said("auth.head", KEYED_HEAD, other) is None


# --- how a refusal looks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        (Credential.NONE, "no key"),
        (Credential.WRONG, "a wrong key"),
        (Credential.OTHER_CASE, "the key with its letter case swapped"),
        (Credential.EMPTY, "an empty key"),
    ],
)
def test_the_refusal_is_401_or_403(credential: Credential, words: str) -> None:
    for status in (401, 403):
        assert said("auth.status", asked(status, credential=credential)) == []
    for status in (300, 302, 399, 400, 404, 499):
        expected = [
            Told(
                None, "401 or 403", str(status), f"The server refused a request with {words}, but not with 401 or 403."
            )
        ]
        assert said("auth.status", asked(status, credential=credential)) == expected


@pytest.mark.parametrize("status", [200, 299, 402, 429, 500, 501, 503])
def test_what_refuses_nobody_has_no_status_of_a_refusal(status: int) -> None:
    assert said("auth.status", asked(status, credential=Credential.NONE)) is None


def test_the_right_key_and_other_resources_are_refused_with_any_status() -> None:
    assert said("auth.status", asked(403, credential=Credential.GIVEN)) is None
    assert said("auth.status", asked(403, credential=LOWER)) is None
    assert said("auth.status", asked(403, credential=Credential.NONE, to_queue=False)) is None


@pytest.mark.parametrize("method", ["HEAD", "CONNECT"])
def test_the_status_of_a_refusal_is_checked_only_for_get(method: str) -> None:
    """The server may not implement another method, and then 405 is right."""
    assert said("auth.status", asked(405, method=method, credential=Credential.NONE)) is None


@pytest.mark.parametrize(
    ("fields", "found"),
    [((("WWW-Authenticate", "ApiKey"),), []), ((), ["none"]), ((("WWW-Authenticate", ""),), ["none"])],
)
def test_a_401_carries_a_challenge(fields: Headers, found: list[str]) -> None:
    assert got(said("auth.challenge", asked(401, ERROR, *fields))) == found


@pytest.mark.parametrize("status", [200, 400, 402, 403])
def test_no_other_status_needs_a_challenge(status: int) -> None:
    assert said("auth.challenge", asked(status, ERROR)) is None


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("body", "found"),
    [
        (ERROR, []),
        (b'{"code": 1, "message": "m"}', ['{"code": 1, "message": "m"}']),
        (b'{"message": "m"}', ['{"message": "m"}']),
        (b'{"code": "c"}', ['{"code": "c"}']),
        (b"[]", ["[]"]),
        (b"no", ["not JSON"]),
    ],
)
def test_the_body_of_a_refusal_is_an_error_response(status: int, body: bytes, found: list[str]) -> None:
    findings = said("auth.error-response", asked(status, body))
    assert got(findings) == found
    for finding in findings or ():
        assert (
            finding.message
            == f"The body of the {status} response is not a JSON object with code and message (schema ErrorResponse)."
        )
        assert finding.pointer == ""


def test_a_refusal_of_another_type_is_no_error_response() -> None:
    for media_type in ("text/plain", "application/geo+json"):
        page = read(ERROR, status=401, headers=(("Content-Type", media_type),))
        assert got(said("auth.error-response", page)) == ['{"code": "UNAUTHORIZED", "message": "m"}']


@pytest.mark.parametrize("status", [400, 402, 404, 500])
def test_other_errors_are_no_refusals(status: int) -> None:
    assert said("auth.error-response", asked(status, ERROR)) is None


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "CONNECT"])
def test_only_the_refusal_of_a_get_has_a_body(method: str) -> None:
    assert said("auth.error-response", asked(401, b"", method=method)) is None


# --- the name of the key's header -------------------------------------------------------------------------------------


def header_name(*exchanges: Exchange) -> ClauseResult:
    judgement = judge(exchanges, only={"auth.header-name"})
    return judgement.results[0]


def test_a_key_in_lower_case_is_let_in_like_the_other() -> None:
    assert said("auth.header-name", plain(200, 1), lower(200, 2)) == []
    assert said("auth.header-name", plain(200, 1), lower(401, 2), lower(200, 3)) == []
    assert said("auth.header-name", lower(404, 2), plain(200, 3)) != []


@pytest.mark.parametrize("status", [199, 201, 401, 404, 500])
def test_a_key_that_is_refused_in_lower_case_alone_is_a_breach(status: int) -> None:
    message = "The server accepts the key in X-API-Key, but refuses it if the header name is in lower case."
    assert said("auth.header-name", plain(200, 1), lower(404, 2), lower(status, 3)) == [
        Told(None, "200", str(status), message)
    ]


def test_it_is_charged_to_the_last_of_them() -> None:
    found = header_name(plain(200, 1), lower(404, 2), lower(401, 3))
    assert [(evidence.exchange, evidence.got) for evidence in found.evidence] == [("x3", "401")]


@pytest.mark.parametrize("status", [199, 201, 401])
def test_a_key_that_is_let_in_no_more_is_not_asked_for_in_lower_case(status: int) -> None:
    assert said("auth.header-name", plain(200, 1), plain(status, 2), lower(401, 3)) is None
    assert said("auth.header-name", plain(200, 1), plain(status, 2), lower(401, 3), plain(status, 4)) is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_server_that_bans_the_address_is_not_accused_for_the_name_of_the_header(status: int) -> None:
    banned = (plain(200, 1), lower(status, 3), plain(status, 4))
    assert said("auth.header-name", *banned) is None
    assert said("auth.header-name", *banned, plain(200, 5)) is None


def test_a_bad_moment_beside_it_does_not_excuse_the_name_of_the_header() -> None:
    exchanges = (plain(200, 1), plain(503, 2), lower(401, 3), plain(429, 4), plain(200, 5))
    assert got(said("auth.header-name", *exchanges)) == ["401"]


def test_only_the_next_reads_with_the_key_show_that_it_is_valid() -> None:
    exchanges = (plain(401, 1), plain(200, 2), lower(401, 3), plain(200, 4), plain(401, 5))
    assert got(said("auth.header-name", *exchanges)) == ["401"]


def test_a_read_between_the_two_does_not_tell_whether_the_key_is_still_good() -> None:
    assert said("auth.header-name", lower(401, 2), plain(200, 3), lower(401, 4)) is None


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_not_now_says_nothing_of_the_header(status: int) -> None:
    assert said("auth.header-name", plain(200, 1), lower(status, 2)) is None
    assert got(said("auth.header-name", plain(200, 1), lower(401, 2), lower(status, 3))) == ["401"]


def test_without_such_a_request_the_header_is_not_judged() -> None:
    assert said("auth.header-name", plain(200, 1), plain(401, 2)) is None


# --- the key that comes back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("echoes", "pointers"),
    [
        ((), []),
        (("",), [("", "in the body")]),
        (("X-You\x07",), [(None, "in the header X-You\\u0007")]),
        (("A", "B", ""), [(None, "in the header A"), (None, "in the header B"), ("", "in the body")]),
    ],
)
def test_the_key_is_not_echoed(echoes: tuple[str, ...], pointers: list[tuple[str | None, str]]) -> None:
    found = said("auth.key-not-echoed", echoing(echoes))
    assert found is not None
    assert [(finding.pointer, finding.got) for finding in found] == pointers


def echoing(echoes: tuple[str, ...], fields: Headers = KEYED, credential: Credential = Credential.GIVEN) -> Exchange:
    exchange = asked(200, queue(), request=fields, credential=credential)
    assert exchange.response is not None
    return replace(exchange, response=replace(exchange.response, echoes=echoes))


def test_where_no_key_was_sent_none_is_echoed() -> None:
    assert said("auth.key-not-echoed", echoing(("",), (("A", "A"), ("Z", "z")))) is None


@pytest.mark.parametrize("credential", [Credential.WRONG, Credential.OTHER_CASE])
def test_a_wrong_key_that_comes_back_is_not_the_key(credential: Credential) -> None:
    assert said("auth.key-not-echoed", echoing(("",), credential=credential)) is None
