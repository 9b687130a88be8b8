"""HAR files become exchanges without a key in them."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from conformance.exchange.model import Extent, NoResponse
from conformance.exchange.recording import UnreadableRecording
from conformance.exchange.recordings import read, recorded
from conformance.exchange.secrets import REDACTED
from conformance.judge.ledger import record
from helpers.recordings import one

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


@pytest.mark.parametrize(
    "before", [b"\xef\xbb\xbf", b"\x1b[0m", b"\x1b[0m\xef\xbb\xbf", b"\xef\xbb\xbf\x1b[0m", b" \r\n"]
)
def test_what_a_tool_writes_before_a_har_changes_nothing(before: bytes) -> None:
    assert one(before + har(ENTRY)).request == one(har(ENTRY)).request


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
    assert found.notes == ["x.har: entry 1 has no readable URL and is ignored"]
    (odd, *_) = recorded(har(1, None, [], ENTRY), name="x.har").exchanges
    assert odd.id == "x.har#4"


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("response", None, "has no response"),
        ("response.headers", [{}, {"name": "A", "value": "b"}], "has headers"),
        ("startedDateTime", "yesterday", "its time is unknown"),
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


@pytest.mark.parametrize("name", ["api_key", "apiKey", "access_token", "X-Amz-Signature", "password"])
def test_a_credential_in_a_recorded_url_is_taken_out(name: str) -> None:
    request = {"method": "GET", "url": f"http://t/api/queue?a=1&{name}=SEK%2DRET-123&b=2", "headers": []}
    content = {"text": '{"queue_running": [], "queue_pending": [], "you": "SEK-RET-123"}'}
    (exchange,) = read(har({"request": request, "response": {"status": 200, "content": content}}), name="f.har")
    assert "RET" not in exchange.request.url.replace("REDACTED", "")
    assert "a=1" in exchange.request.url
    assert exchange.response is not None
    assert "SEK-RET-123" not in repr(record(exchange, whole=True))
