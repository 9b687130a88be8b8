"""Printed responses, and any other bytes, become exchanges without a key in them."""

from __future__ import annotations

import gzip
import re
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.exchange.model import Extent, NoResponse, Response
from conformance.exchange.recording import UnreadableRecording
from conformance.exchange.recordings import read, read_file
from conformance.exchange.secrets import REDACTED
from conformance.judge.judge import judge
from conformance.judge.ledger import record
from helpers.recordings import one

# --- raw answers ------------------------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"


def answer(data: bytes, method: str | None = None) -> Response:
    response = one(data, method).response
    assert response is not None
    return response


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (OK + b"Content-Length: 2\r\n\r\n{}", b"{}"),
        (OK + b"Content-Length: 2\r\n\r\n{}{}{}", b"{}"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\n", b"{}"),
        (OK + b"\r\n{}", b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", b"{}"),
        (b"HTTP/2 200 \r\ncontent-type: application/json\r\n\r\n{}", b"{}"),
        (b"HTTP/3 200\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", b"{}"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}", b"{}"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}", mtime=0), b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
    ],
)
def test_an_answer_is_read_as_a_client_reads_it(data: bytes, content: bytes) -> None:
    response = answer(data)
    assert (response.content, response.coding_error, response.head) == (content, None, True)


@pytest.mark.parametrize(
    ("line", "version"), [(b"HTTP/1.0", "HTTP/1.0"), (b"HTTP/1.1", "HTTP/1.1"), (b"HTTP/2", "HTTP/2")]
)
def test_the_version_is_that_of_the_status_line(line: bytes, version: str) -> None:
    assert answer(line + b" 404 \r\n\r\n").http_version == version


@pytest.mark.parametrize(
    ("data", "content", "extent"),
    [
        (OK + b'Content-Length: 20\r\n\r\n{"a": ', b'{"a": ', Extent.CUT),
        (OK + b'Transfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n', b'{"', Extent.CUT),
        (OK + b'Transfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n0\n\n', b'{"', Extent.CUT),
        (OK + b'\r\n{"a": [1, 2', b'{"a": [1, 2', Extent.CUT),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a": 1}', mtime=0)[:-9], b'{"a": ', Extent.CUT),
        (OK + b"Content-Length: 20\r\n\r\n", b"", Extent.UNKNOWN),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"", Extent.UNKNOWN),
        (OK + b"Content-Length: 9\r\n\r\n{1: 2, 3: 4}", b"", Extent.UNKNOWN),
        (OK + b"Content-Encoding: zstd\r\n\r\n\x8b\x00\x80\xff", b"", Extent.UNKNOWN),
    ],
    ids=count(),
)
def test_a_body_that_is_not_whole_leaves_the_head_known(data: bytes, content: bytes, extent: Extent) -> None:
    exchange = one(data)
    assert exchange.problem is not None
    assert exchange.problem.fault is NoResponse.NOT_RECORDED
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.head) == (200, True)
    assert exchange.response.extent is extent
    assert exchange.response.content.startswith(content[:6])


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 20\r\n\r\n{}",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"no colon\r\n\r\n{}",
        OK + b"X: " + b"y" * (2 << 20) + b"\r\n\r\n{}",
    ],
    ids=count(),
)
def test_a_whole_body_is_read_whatever_the_headers_say(data: bytes) -> None:
    response = answer(data)
    assert (response.content, response.whole) == (b"{}", True)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (OK + b"Content-Length: 20\r\n", "is cut off in its headers"),
        (b"HTTP/", "does not begin with an HTTP status line"),
        (b"HTTP/9.9 \x00\xff\r\n\r\n", "does not begin with an HTTP status line"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "contains an interim response (100) but no final response"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc", "an interim response (101)"),
    ],
    ids=count(),
)
def test_a_file_without_a_final_response_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(UnreadableRecording, match=re.escape(told)):
        one(data)


def test_a_head_answer_has_no_body_whatever_its_headers_say() -> None:
    response = answer(OK + b"Content-Length: 42\r\nContent-Encoding: gzip\r\n\r\n", "HEAD")
    assert (response.content, response.coding_error) == (b"", None)


def test_header_values_are_latin_1_and_keep_their_order_and_case() -> None:
    response = answer(OK + b"X-B: caf\xe9\r\nx-a: 1\r\nX-B: 2\r\n\r\n")
    assert response.headers == (("X-B", "café"), ("x-a", "1"), ("X-B", "2"))


def test_a_body_that_is_not_coded_as_it_says_is_told() -> None:
    assert answer(OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}").coding_error
    assert not answer(OK + b"Content-Encoding: gzip\r\n\r\n{}").coding_error  # the recorder may have decoded it


@pytest.mark.parametrize("data", [b"{}", b"<html>", b"\xff\xfe{\0}\0", b"null", b'{"log": {"entries": 1}}'])
def test_what_is_neither_http_nor_har_is_a_body_of_which_no_head_is_known(data: bytes) -> None:
    response = answer(data)
    assert (response.status, response.content, response.head) == (200, data, False)


def test_the_request_beside_an_answer_is_read_and_its_credentials_are_not_kept() -> None:
    request = b"OPTIONS /x/queue?a=sesame-1 HTTP/1.1\r\nHost: h\r\nX-API-Key: sesame-1\r\nCookie: a=sesame-2\r\n"
    request += b"Authorization: Bearer sesame-3\r\nX-Empty:\r\n\r\nbody"
    body = b'{"echo": "sesame-1", "token": "sesame-3"}'
    exchange = one(OK + b"Set-Cookie: s=sesame-4\r\nX-Echo: sesame-3\r\n\r\n" + body, request=request)
    assert (exchange.request.method, exchange.request.to_queue) == ("OPTIONS", True)
    assert exchange.request.header("x-api-key") == REDACTED
    assert exchange.request.header("x-empty") == ""
    assert "sesame" not in repr(exchange)
    assert exchange.response is not None
    assert exchange.response.content == body
    assert "sesame" not in repr(record(exchange, whole=True))
    assert exchange.response.header("set-cookie") != REDACTED  # no echo of a key


def test_an_empty_key_stays_one() -> None:
    exchange = one(OK + b"\r\n{}", request=b"GET /api/queue HTTP/1.1\r\nX-API-Key: \r\n\r\n")
    assert exchange.request.header("x-api-key") == ""


@pytest.mark.parametrize("request_line", [b"", b"GET", b"G(T /api/queue HTTP/1.1", b"\r\n\r\n", b"\xff /api/queue x"])
def test_a_request_that_is_none_is_told_in_one_line(request_line: bytes) -> None:
    with pytest.raises(UnreadableRecording) as told:
        one(OK + b"\r\n{}", request=request_line)
    assert "\n" not in str(told.value)


def test_a_method_that_is_none_is_told_in_one_line() -> None:
    with pytest.raises(UnreadableRecording, match="'G ET' is not an HTTP method"):
        one(OK + b"\r\n{}", method="G ET")


def test_a_method_that_is_named_counts_more_than_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / "a.http").write_bytes(OK + b"Content-Length: 2\r\n\r\n{}")
    (tmp_path / "a.req").write_bytes(b"HEAD /api/queue HTTP/1.1\r\n\r\n")
    assert read_file(tmp_path / "a.http")[0].request.method == "HEAD"
    assert read_file(tmp_path / "a.http", method="GET")[0].request.method == "GET"


# --- anything ---------------------------------------------------------------------------------------------------------

lines = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 503 x",
        b"HTTP/2 200",
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"",
        b"Content-Encoding: gzip",
        b"3",
        b"{}",
        b"0",
        b"A:\xe9",
        b"GET /api/queue HTTP/1.1",
        b"X-API-Key: sesame",
    ]
)


@given(st.lists(lines | st.binary(max_size=9)), st.none() | st.lists(lines))
def test_any_bytes_are_read_or_told_to_be_unreadable(data: list[bytes], request: list[bytes] | None) -> None:
    raw = None if request is None else b"\r\n".join(request)
    try:
        exchanges = read(b"\r\n".join(data), name="x", request=raw)
    except UnreadableRecording:
        return
    assert [result.id for result in judge(exchanges).results if result.status == "error"] == []
