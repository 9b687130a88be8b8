"""HEAD beside GET, OPTIONS, and what Allow says."""

from __future__ import annotations

import pytest

from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Request, Response
from conformance.judge.judge import judge
from helpers.answers import NOW, Told, asked, got, queue, read, said

JSON = ("Content-Type", "application/json")
GZIP = ("Content-Encoding", "gzip")
BODY = queue()
LENGTH = ("Content-Length", str(len(BODY)))


def get(number: int, body: bytes = BODY, *fields: tuple[str, str]) -> Exchange:
    return read(body, number=number, headers=fields or (JSON, LENGTH))


def head(number: int, *fields: tuple[str, str], status: int = 200, **more: object) -> Exchange:
    sent = Request("HEAD", "http://t/api/queue", (("Accept", "application/json"),), **more)  # type: ignore[arg-type]
    return Exchange(f"x{number}", sent, Response(status, fields), started=NOW + number, elapsed=0.01)


def like(*exchanges: Exchange) -> list[Told] | None:
    return said("method.head", *exchanges)


def test_a_head_that_is_like_get_is_right() -> None:
    assert like(get(1), head(2, JSON, LENGTH), get(3)) == []
    assert like(get(1), head(2, JSON), get(3)) == []
    assert like(get(1), head(2, JSON, LENGTH)) == []


@pytest.mark.parametrize("status", [199, 201, 204, 404, 405, 500])
def test_a_head_with_another_status_is_named(status: int) -> None:
    expected = [Told(None, "200, as to GET", str(status), "HEAD does not get a 200, but GET does.")]
    assert like(get(1), head(2, status=status)) == expected


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_not_now_says_nothing_of_head(status: int) -> None:
    assert like(get(1), head(2, status=status)) is None


def test_a_head_is_compared_where_it_was_asked_with_the_key_and_get_was_answered() -> None:
    assert like(head(2, status=405)) is None
    assert like(read(b"", status=404), head(2, status=405)) is None
    assert like(read(b"", status=199), head(2, status=405)) is None
    assert like(asked(200, BODY, credential=Credential.NONE, number=1), head(2, status=405)) is None
    assert like(get(1), head(2, status=401, credential=Credential.NONE)) is None
    assert like(get(1), head(2, status=405, to_queue=False)) is None
    assert like(get(1), asked(405, number=2, method="OPTIONS")) is None
    bare = Exchange("q", Request("GET", "file:///queue.json"), Response(200, content=BODY, head=False))
    assert like(bare, head(2, status=405)) is None


TYPE = "HEAD has a different Content-Type from GET."
SIZE = "HEAD has a different Content-Length from GET."


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("application/json", "text/plain", ("application/json", "text/plain")),
        ("application/json", None, ("application/json", "no Content-Type")),
        (None, "text/plain", ("no Content-Type", "text/plain")),
        ("application/json", "application/a", ("application/json", "application/a")),
    ],
)
def test_a_head_names_the_type_of_get(theirs: str | None, ours: str | None, expected: tuple[str, str]) -> None:
    gets, heads = ([("Content-Type", value)] if value is not None else [("X", "y")] for value in (theirs, ours))
    assert like(get(1, BODY, *gets), head(2, *heads)) == [Told(None, *expected, TYPE)]


def test_it_is_compared_with_the_reads_beside_it() -> None:
    plain = ("Content-Type", "text/plain")
    others = (get(1, BODY, plain), get(2), head(3, JSON), get(4), get(5, BODY, plain))
    assert like(*others) == []
    assert like(get(1), head(2, JSON), get(3, BODY, plain)) == []
    assert got(like(head(2, JSON), get(3, BODY, plain), get(4))) == ["application/json"]
    unclear = Exchange("x9", head(1).request, Response(200, (JSON,)))
    assert got(like(get(1, BODY, plain), get(2), unclear)) == ["application/json"]


def test_each_head_is_charged_for_itself() -> None:
    exchanges = (get(1), head(2, status=405), get(3), head(4, JSON), head(5, status=500))
    assert got(like(*exchanges)) == ["405", "500"]
    found = judge(exchanges, only={"method.head"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x2"]
    assert found.evidence[0].seen_in == ("x5",)


@pytest.mark.parametrize("fields", [(JSON, LENGTH), (JSON,)])
@pytest.mark.parametrize("length", ["0", "1", "99999"])
def test_a_head_names_the_length_of_get_where_the_queue_stood_still(fields: Headers, length: str) -> None:
    found = like(get(1, BODY, *fields), head(2, JSON, ("Content-Length", length)), get(3, BODY, *fields))
    assert found == [Told(None, str(len(BODY)), length, SIZE)]


def test_what_get_says_of_its_length_outranks_what_came() -> None:
    told = (JSON, ("Content-Length", "7"))
    assert like(get(1, BODY, *told), head(2, JSON, ("Content-Length", "7")), get(3, BODY, *told)) == []
    assert got(like(get(1, BODY, *told), head(2, JSON, LENGTH), get(3, BODY, *told))) == [LENGTH[1]]
    assert got(like(get(1, BODY, *told), head(2, JSON, LENGTH), get(3))) == [LENGTH[1]]


def test_where_the_queue_moved_the_length_may_be_another() -> None:
    other = ("Content-Length", "1")
    assert like(get(1), head(2, JSON, other), get(3, BODY + b" ")) == []
    assert like(get(1, BODY + b" "), head(2, JSON, other), get(3)) == []
    assert like(get(1), head(2, JSON, other)) == []
    assert like(head(2, JSON, other), get(3)) == []
    assert like(head(2, JSON, other), get(3), get(4)) == []
    unclear = Exchange("x9", head(1).request, Response(200, (JSON, other)))
    assert like(get(1), get(2), unclear) == []
    assert got(like(get(1, b" " + BODY), get(2), head(3, JSON, other), get(4), get(5, b" " + BODY))) == ["1"]


def test_lengths_of_different_codings_are_not_compared() -> None:
    coded = (JSON, GZIP, ("Content-Length", "9"))
    other = ("Content-Length", "1")
    assert like(get(1, BODY, *coded), head(2, JSON, other), get(3, BODY, *coded)) == []
    assert got(like(get(1, BODY, *coded), head(2, JSON, GZIP, other), get(3, BODY, *coded))) == ["1"]
    assert got(like(get(1), head(2, JSON, other), get(3, BODY, JSON, GZIP))) == ["1"]
    assert got(like(get(1, BODY, JSON), head(2, JSON, other), get(3, BODY, JSON, GZIP))) == ["1"]
    untold = (JSON, GZIP)
    assert like(get(1, BODY, *untold), head(2, JSON, GZIP, other), get(3, BODY, *untold)) == []


# --- Allow ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_a_405_carries_allow(method: str) -> None:
    message = f"The 405 response to {method} has no Allow header."
    expected = [Told(None, "an Allow header", "none", message)]
    assert said("method.allow-on-405", asked(405, method=method)) == expected
    assert said("method.allow-on-405", asked(405, b"", ("Allow", ""), method=method)) == []


@pytest.mark.parametrize("status", [200, 404, 406, 501])
def test_other_statuses_need_no_allow(status: int) -> None:
    assert said("method.allow-on-405", asked(status)) is None


@pytest.mark.parametrize(
    ("allow", "found"),
    [("GET", []), ("post, get", []), ("POST", ["POST"]), ("post, Head", ["POST, HEAD"]), ("", ["an empty Allow"])],
)
def test_allow_lists_get(allow: str, found: list[str]) -> None:
    assert got(said("method.allow-get", asked(200, b"", ("Allow", allow)))) == found
    assert said("method.allow-get", asked(200, b"", ("Allow", allow), to_queue=False)) is None


def test_where_allow_is_not_sent_it_lists_nothing() -> None:
    assert said("method.allow-get", asked(405)) is None


# --- OPTIONS ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 505, 599])
def test_options_is_no_server_error(status: int) -> None:
    message = "OPTIONS causes a server error."
    expected = [Told(None, "2xx, 4xx or 501", str(status), message)]
    assert said("method.options", asked(status, method="OPTIONS")) == expected


@pytest.mark.parametrize("status", [200, 204, 405, 499, 501, 502, 503, 504])
def test_options_may_be_refused_or_not_be_there(status: int) -> None:
    assert said("method.options", asked(status, method="OPTIONS")) == []


@pytest.mark.parametrize("clause", ["method.options", "method.options-allow"])
def test_only_options_to_the_queue_is_judged(clause: str) -> None:
    assert said(clause, asked(200, method="OPTIONS", to_queue=False)) is None
    for method in ("GET", "HEAD", "PUT"):
        assert said(clause, asked(200, method=method)) is None


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((), ["none"]),
        ((("Allow", "GET"),), []),
        ((("Allow", ""),), []),
        ((("Access-Control-Allow-Methods", "GET"),), []),
    ],
)
@pytest.mark.parametrize("status", [200, 204, 299])
def test_a_successful_options_says_what_is_allowed(status: int, fields: Headers, found: list[str]) -> None:
    assert got(said("method.options-allow", asked(status, b"", *fields, method="OPTIONS"))) == found


@pytest.mark.parametrize("status", [198, 199, 300, 302, 404, 405, 500])
def test_an_options_without_success_need_not(status: int) -> None:
    assert said("method.options-allow", asked(status, method="OPTIONS")) is None


@pytest.mark.parametrize(
    ("fields", "found"), [((), []), ((("Content-Length", "0"),), ["0"]), ((("Content-Length", "7"),), ["7"])]
)
def test_a_204_states_no_length(fields: Headers, found: list[str]) -> None:
    assert got(said("method.no-content-length", asked(204, b"", *fields, method="OPTIONS"))) == found
    for status in (200, 205):
        assert said("method.no-content-length", asked(status, b"", *fields, method="OPTIONS")) is None
    assert said("method.no-content-length", asked(204, b"", *fields, method="OPTIONS", to_queue=False)) is None
