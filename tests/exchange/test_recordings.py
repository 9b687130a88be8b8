"""Recordings of any kind become exchanges without a key in them, and real answers of ComfyUI are judged rightly."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import DIFFERENCES, ELEMENT_ORDER, NO_AUTHENTICATION, Dialect, Difference
from conformance.exchange.model import Exchange, Extent, NoResponse, Response
from conformance.exchange.recordings import UnreadableRecording, read, read_file, recorded
from conformance.exchange.secrets import REDACTED
from conformance.judge.judge import Judgement, judge
from conformance.judge.ledger import record
from conformance.judge.report import Status

RECORDINGS = Path(__file__).parents[1] / "recordings"

# --- real answers -----------------------------------------------------------------------------------------------------

CACHE = {"warn caching.shared"}
SWAPPED = {"fail item.element-order", *CACHE}
FROM_ZERO = {"fail item.job-number.one-based"}
AS_FLOAT = {"fail item.job-number.plain"}
OWN_IDS = {"fail item.prompt-id.uuid"}
FALLING = {"warn queue.job-numbers.rising"}
NOT_OLDEST_FIRST = {"fail queue.pending.oldest-first"}
HEAP = {"warn queue.pending.oldest-first", *FALLING}
NAN = {"fail json.finite-numbers"}
HALVES = {"warn json.paired-surrogates"}
SAME_ID = {"warn queue.prompt-ids.distinct"}
SAME_NUMBER = {"warn queue.job-numbers.distinct"}
CORS = {"warn cors.credentials"}
VARY = {"warn http.vary"}

Broken = set[str]
EXPECTED: dict[str, tuple[Broken, Broken]] = {
    "q_empty": (CACHE, set()),
    "q_running1_pending0": (SWAPPED | FROM_ZERO, set()),
    "q_running1_pending5": (SWAPPED | FROM_ZERO, set()),
    "q_after_int_other": (SWAPPED | OWN_IDS, OWN_IDS),
    "q_default_20_before": (SWAPPED | OWN_IDS, OWN_IDS),
    "q_default_20_after_7_dispatched": (SWAPPED | OWN_IDS | NOT_OLDEST_FIRST | FALLING, OWN_IDS | HEAP),
    "q_15_shuffled": (SWAPPED | OWN_IDS | AS_FLOAT | NOT_OLDEST_FIRST | FALLING, OWN_IDS | HEAP),
    "q_front_2": (SWAPPED | FROM_ZERO | NOT_OLDEST_FIRST | FALLING, HEAP),
    "q_numbers": (
        SWAPPED
        | FROM_ZERO
        | AS_FLOAT
        | NOT_OLDEST_FIRST
        | FALLING
        | {"fail item.job-number.integer", "warn item.job-number.safe"},
        HEAP | {"warn item.job-number.safe"},
    ),
    "q_ties": (
        SWAPPED | OWN_IDS | AS_FLOAT | NOT_OLDEST_FIRST | SAME_NUMBER,
        OWN_IDS | {"warn queue.pending.oldest-first"},
    ),
    "q_number_nan": (SWAPPED | NAN, NAN),
    "q_number_inf": (SWAPPED | NAN, NAN),
    "q_json_edge": (SWAPPED | NAN, NAN),
    "q_lone_surrogate": (SWAPPED | OWN_IDS | HALVES, OWN_IDS | HALVES),
    "q_prompt_ids": (SWAPPED | OWN_IDS | SAME_ID, OWN_IDS | SAME_ID),
    "q_prompt_echo": (SWAPPED, set()),
    "q_same_id_same_number": (SWAPPED | OWN_IDS | AS_FLOAT | SAME_ID | SAME_NUMBER, OWN_IDS | SAME_ID),
    "q_extra_data": (SWAPPED, set()),
    "auth_apikey": (SWAPPED | OWN_IDS, OWN_IDS),
    "m_HEAD": (set(), set()),
    "m_OPTIONS": ({"warn method.options-allow"}, {"warn method.options-allow"}),
    "m_PUT": (set(), set()),
    "h_origin_bad_host": ({"fail error.content-type"}, set()),
    "h_origin_mismatch": ({"warn auth.error-response"}, set()),
    "h_origin_badport": ({"fail error.content-type", "warn error.bad-header"}, {"warn error.bad-header"}),
    "x_flags_gzip": (SWAPPED | FROM_ZERO | OWN_IDS | VARY | CORS, OWN_IDS | VARY | CORS),
    "x_flags_gzip_q0": (
        SWAPPED | FROM_ZERO | OWN_IDS | VARY | CORS | {"warn http.coding-asked"},
        OWN_IDS | VARY | CORS | {"warn http.coding-asked"},
    ),
    "x_flags_head_gzip": (CORS, CORS),
    "x_flags_empty_gzip": (CACHE | VARY | CORS, VARY | CORS),
    "x_flags_cors_origin": (SWAPPED | FROM_ZERO | OWN_IDS | CORS, OWN_IDS | CORS),
    "p_slash": (set(), set()),
    "pq_delete_pending": ({"fail lifecycle.delete.answer"}, set()),
    "pq_invalid_json": ({"warn lifecycle.delete.malformed"}, {"warn lifecycle.delete.malformed"}),
}
"""What each recording breaks, under ``cloud`` and under ``oss``."""


def judged(name: str, dialect: Dialect) -> Judgement:
    return judge(read_file(RECORDINGS / f"{name}.http"), dialect)


def broken_by(judgement: Judgement) -> Broken:
    return {
        f"{result.status} {result.id}"
        for result in judgement.results
        if result.status in {Status.FAIL, Status.WARN, Status.ERROR}
    }


def test_every_recording_is_in_the_table_and_in_the_index() -> None:
    assert {path.stem for path in RECORDINGS.glob("*.http")} == set(EXPECTED)
    assert {path.stem for path in RECORDINGS.glob("*.req")} == set(EXPECTED)
    index = (RECORDINGS / "INDEX.md").read_text()
    assert [name for name in EXPECTED if name not in index] == []


@pytest.mark.parametrize("dialect", [Dialect.CLOUD, Dialect.OSS])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_answer_breaks_what_it_breaks_and_nothing_else(name: str, dialect: Dialect) -> None:
    assert broken_by(judged(name, dialect)) == EXPECTED[name][dialect is Dialect.OSS]


@pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name][0] >= SWAPPED])
def test_swapped_elements_are_one_finding_for_each_item_named_as_comfyuis(name: str) -> None:
    exchange = read_file(RECORDINGS / f"{name}.http")[0]
    assert exchange.response is not None
    items = sum(len(found) for found in json.loads(exchange.response.content).values())
    result = next(result for result in judged(name, Dialect.CLOUD).results if result.id == "item.element-order")
    assert sum(1 + evidence.more for evidence in result.evidence) == items
    for evidence in result.evidence:
        assert evidence.pointer is not None
        assert evidence.pointer.endswith("/3")
        assert "12659" in str(evidence.hint)


@pytest.mark.parametrize("name", EXPECTED)
def test_auto_comes_to_the_same_as_oss_and_accuses_nothing_that_it_cannot_know(name: str) -> None:
    auto, oss = judged(name, Dialect.AUTO), judged(name, Dialect.OSS)
    idle = {"q_empty", "x_flags_head_gzip", "x_flags_empty_gzip"}
    shows_a_job = name.startswith(("q_", "auth_", "x_flags_")) and name not in idle
    assert auto.demand.read_as is (Dialect.OSS if shows_a_job else Dialect.AUTO)
    assert broken_by(auto) == broken_by(oss)
    statuses = {result.id: result.status for result in oss.results}
    other = {result.id for result in auto.results if result.status is not statuses[result.id]}
    which_order = {"item.element-order", "queue.one-order"}
    excused = {clause.id for clause in CATALOGUE if clause.oss}
    assert other <= (which_order if shows_a_job else which_order | excused)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_what_comfyui_does_by_design_is_recorded_and_not_held_against_it(difference: Difference) -> None:
    """Each recording breaks, under the document's reading, a clause that the difference excuses from."""
    excused = {clause.id for clause in CATALOGUE if clause.oss is difference} or {"item.element-order"}
    assert difference.shown_by
    for name in difference.shown_by:
        (exchange,) = read_file(RECORDINGS / f"{name}.http")
        under_cloud, under_oss = (judged(name, dialect) for dialect in (Dialect.CLOUD, Dialect.OSS))
        if difference is NO_AUTHENTICATION:  # of a recording nobody knows whether its key is the right one
            assert exchange.response is not None
            assert exchange.response.status == 200
        else:
            assert {line.split()[1] for line in broken_by(under_cloud)} & excused, name
        expected = Status.WARN if difference.softens else Status.NOT_APPLICABLE
        expected = Status.PASS if difference is ELEMENT_ORDER else expected
        said = {result.status for result in under_oss.results if result.id in excused}
        assert said - {Status.NOT_EXERCISED} == {expected}, "one answer exercises no clause on the life of jobs"


def test_findings_of_known_deviations_name_their_likely_cause() -> None:
    hints = {
        (result.id, evidence.hint)
        for name in ("q_front_2", "q_numbers", "q_running1_pending0", "q_number_nan")
        for result in judged(name, Dialect.CLOUD).results
        for evidence in result.evidence
    }
    for clause, word in [
        ("item.job-number.one-based", "counts from 0"),
        ("item.job-number.one-based", "front: true"),
        ("item.job-number.plain", "float"),
        ("queue.job-numbers.rising", "heap"),
        ("json.finite-numbers", "allow_nan"),
    ]:
        assert any(clause == told and word in str(hint) for told, hint in hints), clause


def test_a_nan_is_pointed_at_where_it_stands() -> None:
    results = judged("q_json_edge", Dialect.OSS).results
    evidence = next(result for result in results if result.id == "json.finite-numbers").evidence
    assert [found.pointer for found in evidence] == ["/queue_pending/1/2/1/inputs/nan"]


# --- raw answers ------------------------------------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"


def one(data: bytes, method: str | None = None, request: bytes | None = None) -> Exchange:
    (exchange,) = read(data, name="x.http", method=method, request=request)
    return exchange


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
        (b"HTTP/1.1 100 Continue\r\n\r\n", "holds an interim response (100) and no final response"),
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
    with pytest.raises(UnreadableRecording, match="'G ET' is no method"):
        one(OK + b"\r\n{}", method="G ET")


def test_a_method_that_is_named_counts_more_than_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / "a.http").write_bytes(OK + b"Content-Length: 2\r\n\r\n{}")
    (tmp_path / "a.req").write_bytes(b"HEAD /api/queue HTTP/1.1\r\n\r\n")
    assert read_file(tmp_path / "a.http")[0].request.method == "HEAD"
    assert read_file(tmp_path / "a.http", method="GET")[0].request.method == "GET"


# --- HAR --------------------------------------------------------------------------------------------------------------

ENTRY: dict[str, Any] = {
    "startedDateTime": "2026-11-23T10:00:00.500Z",
    "time": 250,
    "request": {
        "method": "get",
        "url": "https://me:sesame-0@cloud.example/api/queue",
        "httpVersion": "h2",
        "headers": [
            {"name": ":method", "value": "GET"},
            {"name": "x-api-key", "value": "sesame-1"},
            {"name": "cookie", "value": "sesame-2"},
        ],
    },
    "response": {
        "status": 200,
        "httpVersion": "h2",
        "headers": [
            {"name": ":status", "value": "200"},
            {"name": "content-encoding", "value": "br"},
            {"name": "set-cookie", "value": "sesame-3"},
            {"name": "x-echo", "value": "sesame-1"},
        ],
        "content": {"size": 20, "mimeType": "application/json", "text": '{"echo": "sesame-1"}'},
    },
}


def har(*entries: Any) -> bytes:
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return ENTRY with one member replaced, or taken out where the value is ``...``."""
    entry = copy.deepcopy(ENTRY)
    *way, last = path.split(".")
    place = entry
    for name in way:
        place = place[name]
    place[last] = value
    if value is ...:
        del place[last]
    return entry


def test_a_har_of_a_browser_is_read_without_pseudo_headers_and_credentials() -> None:
    exchange = one(har(changed("request.url", "https://cloud.example/favicon.ico"), ENTRY))
    assert exchange.id == "x.http#2"
    assert exchange.request.method == "GET"
    assert exchange.request.url == "https://cloud.example/api/queue"
    assert exchange.started == 1795428000.5
    assert exchange.elapsed == 0.25
    assert exchange.request.headers == (("x-api-key", REDACTED), ("cookie", REDACTED))
    assert exchange.response is not None
    assert exchange.response.http_version == "h2"
    assert exchange.response.coding_error is None  # HAR holds the content after its codings
    assert exchange.response.content == b'{"echo": "sesame-1"}'
    assert "sesame" not in repr(record(exchange, whole=True))
    assert "sesame" not in repr(exchange)


def test_a_har_may_hold_a_body_in_base64() -> None:
    content = {"size": 3, "encoding": "base64", "text": base64.b64encode(b"\xff\x00{").decode()}
    response = one(har(changed("response.content", content))).response
    assert response is not None
    assert response.content == b"\xff\x00{"


@pytest.mark.parametrize("status", [0, -1, -999, 42, 103, 999, None, "none", float("inf")])
def test_a_har_with_no_status_of_http_holds_no_response(status: Any) -> None:
    exchange = one(har(changed("response.status", status)))
    assert exchange.response is None
    assert exchange.problem is not None
    assert exchange.problem.fault is NoResponse.NOT_RECORDED


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("response.content", {"size": 9}),
        ("response.content", {}),
        ("response.content", None),
        ("response.content", "x"),
        ("response.content", {"size": -1}),
        ("response.content.text", None),
        ("response.content.text", 5),
        ("response.content", {"size": 0}),
        ("response.content", {"encoding": "base64", "text": "!"}),
    ],
)
def test_a_har_without_the_body_leaves_the_head_known(path: str, value: Any) -> None:
    exchange = one(har(changed(path, value)))
    assert exchange.response is not None
    assert (exchange.response.status, exchange.response.extent) == (200, Extent.UNKNOWN)
    assert exchange.problem is not None
    assert exchange.problem.fault is NoResponse.NOT_RECORDED


@pytest.mark.parametrize("path", ["request.method", "response.status"])
def test_what_has_no_body_needs_none_in_a_har(path: str) -> None:
    entry = changed(path, "HEAD" if path == "request.method" else 304)
    entry["response"]["content"] = {}
    assert one(har(entry)).response is not None


@pytest.mark.parametrize("value", [None, ..., "yesterday", 5, "2026-11-23T10:00:00", "Fri, 20-Nov-2026 10:00:00 GMT"])
def test_a_moment_that_a_har_does_not_hold_stays_unknown(value: Any) -> None:
    assert one(har(changed("startedDateTime", value))).started is None


@pytest.mark.parametrize("value", [None, ..., "long", -1, float("nan")])
def test_a_duration_that_a_har_does_not_hold_stays_unknown(value: Any) -> None:
    assert one(har(changed("time", value))).elapsed is None


@pytest.mark.parametrize("member", ["_fromCache", "response._fetchType"])
def test_a_response_from_the_browsers_cache_has_no_time(member: str) -> None:
    exchange = one(har(changed(member, "disk" if member == "_fromCache" else "Disk Cache")))
    assert (exchange.started, exchange.elapsed) == (None, None)
    assert exchange.response is not None
    assert exchange.response.whole


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("request", ...),
        ("request", "GET"),
        ("request.url", ...),
        ("request.url", "http://[::1/api/queue"),
        ("request.url", 7),
    ],
)
def test_an_entry_without_a_url_is_named_and_left_out(path: str, value: Any) -> None:
    found = recorded(har(changed(path, value), ENTRY), name="x.har")
    assert [exchange.id for exchange in found.exchanges] == ["x.har#2"]
    assert found.notes == ["x.har: entry 1 has no URL that can be read, and is left out"]
    (odd, *_) = recorded(har(1, None, [], ENTRY), name="x.har").exchanges
    assert odd.id == "x.har#4"


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("response", None, "has no response"),
        ("response.headers", [{}, {"name": "A", "value": "b"}], "has headers"),
        ("startedDateTime", "yesterday", "its time is not known"),
        ("_fromCache", "memory", "the browser's cache"),
    ],
)
def test_what_is_odd_about_an_entry_of_the_queue_is_named(path: str, value: Any, told: str) -> None:
    (note,) = recorded(har(changed(path, value)), name="x.har").notes
    assert note.startswith("x.har: entry 1 ")
    assert told in note


@pytest.mark.parametrize("headers", [[], ..., None, "none", [{"name": ":status", "value": "200"}]])
def test_a_har_without_headers_leaves_them_unknown_but_for_the_type(headers: Any) -> None:
    response = one(har(changed("response.headers", headers))).response
    assert response is not None
    assert (response.head, response.headers) == (False, (("Content-Type", "application/json"),))
    assert one(har(changed("request.headers", headers))).request.head is False


def test_headers_may_be_an_object_and_chrome_joins_lines() -> None:
    response = one(har(changed("response.headers", {"Vary": "Origin\nAccept-Encoding", "Age": 5}))).response
    assert response is not None
    assert response.lines("vary") == ["Origin", "Accept-Encoding"]
    assert (response.head, response.header("age")) == (True, "5")


def test_a_har_without_a_queue_is_told() -> None:
    with pytest.raises(UnreadableRecording, match="no request of a queue"):
        one(har(changed("request.url", "https://cloud.example/")))
    with pytest.raises(UnreadableRecording, match=r"see --queue-path and --target for https://cloud.example/v2/queues"):
        one(har(changed("request.url", "https://cloud.example/v2/queues")))


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


@pytest.mark.parametrize("name", ["api_key", "apiKey", "access_token", "X-Amz-Signature", "password"])
def test_a_credential_in_a_recorded_url_is_taken_out(name: str) -> None:
    request = {"method": "GET", "url": f"http://t/api/queue?a=1&{name}=SEK%2DRET-123&b=2", "headers": []}
    content = {"text": '{"queue_running": [], "queue_pending": [], "you": "SEK-RET-123"}'}
    (exchange,) = read(har({"request": request, "response": {"status": 200, "content": content}}), name="f.har")
    assert "RET" not in exchange.request.url.replace("REDACTED", "")
    assert "a=1" in exchange.request.url
    assert exchange.response is not None
    assert "SEK-RET-123" not in repr(record(exchange, whole=True))
