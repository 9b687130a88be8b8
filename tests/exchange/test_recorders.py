"""What tools record, and what they lose: the server is blamed for what it sent, and never for what a recorder did.

Each file of ``cases/recordings`` has a twin in which the server breaks a clause in what the recorder kept.
"""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64decode, b64encode, encodebytes
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from conformance.exchange.recording import UnreadableRecording
from conformance.exchange.recordings import recorded
from helpers.cli_runner import call
from helpers.recordings import BODY, CASES, CUT, GOOD, HEAD, NO_UUID, bad_id, judged

NO_TYPE: Final = {"FAILED http.content-type"}
NOT_SERVED: Final = {"FAILED status.served"}
SHOWN_BY_404: Final = {*NOT_SERVED, "FAILED error.no-queue", "WARNING error.other-status"}


class Case(NamedTuple):
    """What a file comes to. ``told`` is part of the output."""

    status: int = 0
    broken: frozenset[str] | set[str] = frozenset()
    told: str = ""
    options: tuple[str, ...] = ()


EXPECTED: Final = {
    "00_good.har": Case(),
    "a01_firefox_truncated.har": Case(10, told="contains only 5,000 of 12,360 bytes of the body"),
    "a02_size0_bodysize517.har": Case(10, told="does not contain the body"),
    "a02c_text_empty_size0_bodysize517.har": Case(10, told="does not contain the body"),
    "a05_odd_date_elsewhere.har": Case(
        told="ignored 1 unreadable entry for other URLs than the queue: entry 1 (/logo.png)"
    ),
    "a05b_odd_date_of_queue.har": Case(told="entry 1 has a startedDateTime that is not a date"),
    "a06_minus999.har": Case(10, told="contains no response; docs/recordings.md says how to record whole responses"),
    "a07b_queue_without_response.har": Case(10, told="1 of 2 GETs of the queue was not recorded completely"),
    "a08b_base64_label_elsewhere.har": Case(
        told="ignored 1 unreadable entry for other URLs than the queue: entry 1 (/x.svg)"
    ),
    "a10b_utf16.har": Case(),
    "a14b_page_at_queue.har": Case(),
    "a15_headers_empty.har": Case(),
    "a17_base64_lines.har": Case(),
    "a18_base64_still_gzip.har": Case(),
    "a20_header_without_value_elsewhere.har": Case(
        told="ignored 1 unreadable entry for other URLs than the queue: entry 1 (/a.js)"
    ),
    "a22_two_hosts.har": Case(told="Server https://worker-b.example: conformant"),
    "a22c_cloud_and_local_auto.har": Case(told="Server http://127.0.0.1:8188: conformant", options=("--dialect=auto",)),
    "a24_har_cut_off.har": Case(4, told="looks like a HAR file that was cut off or damaged"),
    "a24d_har_gz.har.gz": Case(),
    "a24g_empty.har": Case(4, told="is empty"),
    "b00_good.http": Case(),
    "b01_curl_i_chunked.http": Case(),
    "b02_curl_compressed_len.http": Case(),
    "b02c_curl_compressed_chunked.http": Case(),
    "b03_curl_proxy_preface.http": Case(),
    "b03c_h2_early_hints.http": Case(),
    "b04_curl_iL.http": Case(told="only the last response is checked, not the earlier ones (301)"),
    "b06_powershell_utf16.http": Case(),
    "b06b_powershell_utf16.json": Case(1, {"FAILED json.utf-8"}, "a Windows shell may have re-encoded it"),
    "b06c_powershell_utf8bom.http": Case(),
    "b09_httpie_v.http": Case(),
    "b10_request_file.http": Case(4, told="looks like a request"),
}


def test_every_case_is_in_the_table() -> None:
    assert {path.name for path in CASES.iterdir()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_is_judged_by_what_it_holds(name: str) -> None:
    case = EXPECTED[name]
    status, broken, shown = judged(CASES / name, *case.options)
    assert (status, broken) == (case.status, case.broken), shown
    assert case.told in shown


# --- twins: the server breaks a clause in what was kept ---------------------------------------------------------------


def in_har(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Change the response of each entry of a HAR file."""

    def changed(data: bytes) -> bytes:
        value = json.loads(data)
        for entry in value["log"]["entries"]:
            change(entry["response"])
        return json.dumps(value).encode()

    return changed


def as_html(response: dict[str, Any]) -> None:
    response["headers"] = [field for field in response["headers"] if field["name"] != "Content-Type"]
    response["headers"] += [{"name": "Content-Type", "value": "text/html"}] if response["headers"] else []
    response["content"]["mimeType"] = "text/html"


def as_missing(response: dict[str, Any]) -> None:
    response["status"] = 404


def in_base64(response: dict[str, Any]) -> None:
    content = response["content"]
    data = b64decode(content["text"])
    coded = data.startswith(b"\x1f\x8b")
    broken = bad_id(data)
    content["text"] = b64encode(broken).decode() if coded else encodebytes(broken).decode()


TWINS: Final[dict[str, list[tuple[Callable[[bytes], bytes], set[str]]]]] = {
    "a02_size0_bodysize517.har": [(in_har(as_html), NO_TYPE), (in_har(as_missing), NOT_SERVED)],
    "a02c_text_empty_size0_bodysize517.har": [(in_har(as_html), NO_TYPE), (in_har(as_missing), NOT_SERVED)],
    "a06_minus999.har": [(in_har(as_missing), NOT_SERVED)],
    "a15_headers_empty.har": [
        (in_har(as_html), NO_TYPE),
        (bad_id, NO_UUID),
        (in_har(as_missing), {*NOT_SERVED, *SHOWN_BY_404}),
    ],
    "a17_base64_lines.har": [(in_har(in_base64), NO_UUID)],
    "a18_base64_still_gzip.har": [(in_har(in_base64), NO_UUID)],
}
READ: Final = [name for name, case in EXPECTED.items() if case.status != 4]


@pytest.mark.parametrize(
    ("name", "change", "broken"),
    [
        pytest.param(name, change, broken, id=f"{name}-{number}")
        for name in READ
        for number, (change, broken) in enumerate(TWINS.get(name, [(bad_id, NO_UUID)]))
    ],
)
def test_a_server_that_breaks_a_clause_is_blamed(
    name: str, change: Callable[[bytes], bytes], broken: set[str], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(change((CASES / name).read_bytes()))
    status, found, shown = judged(tmp_path / name, *EXPECTED[name].options)
    assert status == 1, shown
    assert found == broken | set(EXPECTED[name].broken)


# --- more kinds -------------------------------------------------------------------------------------------------------

BROKEN: Final = BODY[:-1] + b",}"
INDENTED: Final = json.dumps(json.loads(BODY), indent=4).encode()
GZIP: Final = b"Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
BR: Final = b"Content-Encoding: br\r\nVary: Accept-Encoding\r\n"
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
CODED: Final = gzip.compress(BODY, mtime=0)
MALFORMED: Final = {"FAILED json.well-formed"}
UNDECODABLE: Final = {"FAILED http.coding-decodes"}
REQUEST: Final = b"GET /api/queue HTTP/1.1\r\nHost: cloud.example\r\n\r\n"
FOUND: Final = b"HTTP/1.1 302 Found\r\nLocation: /api/queue\r\nContent-Length: 5\r\n\r\nmoved"


def length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n" % len(body)


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


PRINTED: Final[dict[str, tuple[bytes, int, set[str]]]] = {
    "the body follows chunked framing": (HEAD + CHUNKED + b"\r\n" + chunks(BODY[:9], BODY[9:], b""), 0, set()),
    "chunks end early": (HEAD + CHUNKED + b"\r\n" + chunks(BODY[:500]), 10, set()),
    "chunks end early after a bad job": (HEAD + CHUNKED + b"\r\n" + chunks(bad_id(BODY)[:500]), 1, NO_UUID),
    "broken JSON in chunks": (HEAD + CHUNKED + b"\r\n" + chunks(BROKEN, b""), 1, MALFORMED),
    "cut JSON in whole chunks": (HEAD + CHUNKED + b"\r\n" + chunks(CUT, b""), 1, MALFORMED),
    "coded chunks": (HEAD + GZIP + CHUNKED + b"\r\n" + chunks(CODED, b""), 0, set()),
    "coded chunks end early": (HEAD + GZIP + CHUNKED + b"\r\n" + chunks(CODED[:150]), 10, set()),
    "the body is cut": (HEAD + length(BODY) + b"\r\n" + CUT, 10, set()),
    "the server sends a cut body": (HEAD + length(CUT) + b"\r\n" + CUT, 1, MALFORMED),
    "the body is cut and has no length": (HEAD + b"\r\n" + CUT, 10, set()),
    "broken JSON without a length": (HEAD + b"\r\n" + BROKEN, 1, MALFORMED),
    "broken JSON with line ends after it": (HEAD + length(BROKEN) + b"\r\n" + BROKEN + b"\n\n", 1, MALFORMED),
    "broken JSON of another length": (HEAD + length(BODY) + b"\r\n" + BROKEN + b" ", 10, set()),
    "contains only headers": (HEAD + length(BODY) + b"\r\n", 10, set()),
    "contains only headers, of chunks": (HEAD + CHUNKED + b"\r\n", 10, set()),
    "an empty body that the server sent": (HEAD + b"Content-Length: 0\r\n\r\n", 1, MALFORMED),
    "HTTPie indents the body": (HEAD + length(BODY) + b"\r\n" + INDENTED + b"\n\n", 0, set()),
    "HTTPie indents a body with a bad job": (HEAD + length(BODY) + b"\r\n" + bad_id(INDENTED), 1, NO_UUID),
    "HTTPie says how long it took": (HEAD + CHUNKED + b"\r\n" + BODY + b"\n\nElapsed time: 0.07s\n\n", 0, set()),
    "HTTPie in colour": (b"\x1b[34mHTTP\x1b[39;49;00m" + HEAD[4:] + b"\r\n" + BODY, 0, set()),
    "HTTPie leaves a binary body out": (
        HEAD + GZIP + length(CODED) + b"\r\n\n+---+\n| NOTE: binary data not shown in terminal |\n+---+",
        10,
        set(),
    ),
    "another text follows the JSON": (HEAD + b"\r\n" + BODY + b'{"error": 1}', 1, {"FAILED json.single-text"}),
    "a short body whose coded one is longer": (
        HEAD + GZIP + b'Content-Length: 60\r\n\r\n{"queue_running":[],"queue_pending":[]}',
        10,
        set(),
    ),
    "coded and kept so": (HEAD + GZIP + length(CODED) + b"\r\n" + CODED, 0, set()),
    "coded in zlib's format": (HEAD + GZIP.replace(b"gzip", b"deflate") + b"\r\n" + zlib.compress(BODY), 0, set()),
    "coded and cut": (HEAD + GZIP + length(CODED) + b"\r\n" + CODED[:150], 10, set()),
    "coded wrongly by the server": (HEAD + GZIP + length(CODED) + b"\r\n" + CODED[:-4] + b"\0\0\0\0", 1, UNDECODABLE),
    "plain under gzip, as it was sent": (HEAD + GZIP + length(BODY) + b"\r\n" + BODY, 1, UNDECODABLE),
    "decoded and broken": (HEAD + GZIP + b"\r\n" + BROKEN, 1, MALFORMED),
    "decoded from br": (HEAD + BR + b"Content-Length: 99\r\n\r\n" + BODY, 0, set()),
    "still coded in br": (HEAD + BR + b"Content-Length: 9\r\n\r\n\x8b\x00\x80\xff\xfe\x00\x01", 10, set()),
    "lines end in LF": ((HEAD + length(INDENTED) + b"\r\n" + INDENTED).replace(b"\r\n", b"\n"), 0, set()),
    "LF became CRLF": (
        (HEAD + length(INDENTED) + b"\r\n").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        + INDENTED.replace(b"\n", b"\r\n"),
        0,
        set(),
    ),
    "no reason": (HEAD.replace(b" OK", b"") + b"\r\n" + BODY, 0, set()),
    "HTTP/2": (HEAD.replace(b"HTTP/1.1 200 OK", b"HTTP/2 200 ") + b"\r\n" + BODY, 0, set()),
    "HTTP/3": (HEAD.replace(b"HTTP/1.1 200 OK", b"HTTP/3 200") + b"\r\n" + BODY, 0, set()),
    "line ends before the head": (b"\r\n\n" + HEAD + b"\r\n" + BODY, 0, set()),
    "100, 103 and 200": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HEAD + b"\r\n" + BODY,
        0,
        set(),
    ),
    "a proxy's 407, its tunnel and 200": (
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nno!"
        b"HTTP/1.0 200 Connection established\r\nProxy-Agent: x\r\n\r\n" + HEAD + b"\r\n" + BODY,
        0,
        set(),
    ),
    "a digest challenge and 200": (
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=x\r\nContent-Length: 0\r\n\r\n"
        + HEAD
        + b"\r\n"
        + BODY,
        0,
        set(),
    ),
    "two redirects and 200": (FOUND + FOUND + HEAD + b"\r\n" + BODY, 0, set()),
    "a redirect alone": (FOUND, 1, NOT_SERVED),
    "three responses": ((HEAD + length(BODY) + b"\r\n" + BODY) * 3, 0, set()),
    "three responses without a length": ((HEAD + b"\r\n" + BODY) * 3, 0, set()),
    "one of three is broken": (
        HEAD + b"\r\n" + BODY + HEAD + b"\r\n" + bad_id(BODY) + HEAD + b"\r\n" + BODY,
        1,
        NO_UUID,
    ),
    "HTTPie prints requests and redirects": (
        REQUEST + b"\n\n" + FOUND + b"\n\n" + REQUEST + b"\n\n" + HEAD + b"\r\n" + BODY + b"\n\n",
        0,
        set(),
    ),
    "HTTPie prints a request of something else": (
        REQUEST.replace(b"queue", b"jobs") + b"\n\n" + HEAD + b"\r\n" + BODY,
        10,
        set(),
    ),
    "304 to a request that is not known": (b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n', 10, set()),
    "404 to a request that is not known": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 1, NOT_SERVED),
    "500 without its body": (
        b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 70\r\n\r\n",
        1,
        NOT_SERVED,
    ),
    "500 with its body": (
        b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\n\r\n[]",
        1,
        {*NOT_SERVED, "FAILED error.object"},
    ),
}


@pytest.mark.parametrize("name", PRINTED)
def test_a_printed_response_is_judged_by_what_it_holds(name: str, tmp_path: Path) -> None:
    data, status, broken = PRINTED[name]
    (tmp_path / "x.http").write_bytes(data)
    found = judged(tmp_path / "x.http")
    assert found[:2] == (status, broken), found[2]


def har_with(**changes: Any) -> bytes:
    """Return the good HAR file with members of its response replaced; those of ``content`` by their names."""
    value = json.loads(json.dumps(GOOD))
    response = value["log"]["entries"][0]["response"]
    for name, new in changes.items():
        if name in {"text", "size", "encoding", "mimeType", "compression"}:
            response["content"][name] = new
        elif name == "headers":
            response["headers"] += [{"name": field, "value": text} for field, text in new.items()]
        else:
            response[name] = new
    return json.dumps(value).encode()


HARS: Final[dict[str, tuple[bytes, int, set[str]]]] = {
    "cut, and the size says so": (har_with(text=CUT.decode()), 10, set()),
    "cut, and no size": (har_with(text=CUT.decode(), size=-1), 10, set()),
    "cut, and Content-Length says so": (
        har_with(text=CUT.decode(), size=500, headers={"Content-Length": "662"}),
        10,
        set(),
    ),
    "cut by the server": (har_with(text=CUT.decode(), size=500, headers={"Content-Length": "500"}), 1, MALFORMED),
    "cut after a bad job": (har_with(text=bad_id(CUT).decode()), 1, NO_UUID),
    "cut after a NaN": (
        har_with(text=CUT.decode().replace('"seed": 5', '"seed": NaN', 1)),
        1,
        {"FAILED json.finite-numbers"},
    ),
    "broken, of the size that it has": (har_with(text=BROKEN.decode(), size=len(BROKEN)), 1, MALFORMED),
    "broken, without a size": (har_with(text=BROKEN.decode(), size=-1), 1, MALFORMED),
    "broken, and longer than its size": (har_with(text=BROKEN.decode(), size=600), 10, set()),
    "of another size, and whole": (har_with(size=600), 0, set()),
    "indented by the recorder": (har_with(text=INDENTED.decode()), 0, set()),
    "size in characters": (har_with(text=BROKEN.decode() + "\u00e9", size=len(BROKEN) + 1), 1, MALFORMED),
    "empty, and all say so": (har_with(text="", size=0, bodySize=0, headers={"Content-Length": "0"}), 1, MALFORMED),
    "no text, and no size": (har_with(text=None, size=0), 10, set()),
    "mitmproxy's sizes are of the coded body": (
        har_with(
            size=207,
            compression=455,
            bodySize=207,
            headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Content-Length": "207"},
        ),
        0,
        set(),
    ),
    "mitmproxy's sizes of a broken body": (
        har_with(
            text=BROKEN.decode(),
            size=207,
            compression=len(BROKEN) - 207,
            headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding", "Content-Length": "207"},
        ),
        1,
        MALFORMED,
    ),
    "base64 of br": (
        har_with(
            text=b64encode(b"\x8b\x00\x80\xff").decode(),
            encoding="base64",
            headers={"Content-Encoding": "br", "Vary": "Accept-Encoding"},
        ),
        10,
        set(),
    ),
    "base64 of broken gzip": (
        har_with(
            text=b64encode(CODED[:99]).decode(),
            encoding="base64",
            headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
        ),
        10,
        set(),
    ),
    "base64 that is not UTF-8": (
        har_with(
            text=b64encode(BODY.replace(b"KSampler", b"\xff\xff")).decode(),
            encoding="base64",
            size=len(BODY) - 12 * 3 // 2,
        ),
        1,
        {"FAILED json.utf-8"},
    ),
    "called base64 and is text": (har_with(encoding="base64"), 0, set()),
    "base64 without padding": (har_with(text=b64encode(BODY).decode().rstrip("="), encoding="base64"), 0, set()),
    "no headers, and a type that nobody knows": (
        har_with()
        .replace(json.dumps(GOOD["log"]["entries"][0]["response"]["headers"]).encode(), b"[]")
        .replace(b'"mimeType": "application/json"', b'"mimeType": "x-unknown"'),
        0,
        set(),
    ),
    "the type is in the content only": (har_with().replace(b'"Content-Type"', b'"X-Type"'), 0, set()),
    "the browser did not get it all": (har_with(_error="net::ERR_INCOMPLETE_CHUNKED_ENCODING"), 10, set()),
    "a status in quotes": (har_with(status="200"), 0, set()),
    "a status with a fraction": (har_with(status=200.5), 10, set()),
    "with a byte order mark": (b"\xef\xbb\xbf" + har_with(), 0, set()),
    "in UTF-16, big end first": (har_with().decode().encode("utf-16"), 0, set()),
    "in UTF-16 without a mark": (har_with().decode().encode("utf-16-le"), 0, set()),
    "in UTF-32": (har_with().decode().encode("utf-32"), 0, set()),
    "packed with gzip": (gzip.compress(bad_id(har_with())), 1, NO_UUID),
}


@pytest.mark.parametrize("name", HARS)
def test_an_entry_is_judged_by_what_it_holds(name: str, tmp_path: Path) -> None:
    data, status, broken = HARS[name]
    (tmp_path / "x.har").write_bytes(data)
    found = judged(tmp_path / "x.har")
    assert found[:2] == (status, broken), found[2]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"\xff\xfe", "is empty"),
        (BODY[:300], "looks like a JSON body that was cut off"),
        (b'{"log": {"version": "1.2", "entries": [', "looks like a HAR file that was cut off"),
        (gzip.compress(BODY)[:-9], "looks like a gzip archive that was cut off"),
        (b"PK\x03\x04\x14\0", "looks like a zip archive"),
        (b"7z\xbc\xaf\x27\x1c\0", "looks like a 7z archive"),
        (b"x.har" + bytes(252) + b"ustar\x0000", "looks like a tar archive"),
        (b"BZh91AY", "looks like a bzip2 archive"),
        (b"\x28\xb5\x2f\xfd$", "looks like a zstd archive"),
        (b"\xd4\xc3\xb2\xa1\x02\0", "looks like a capture of network packets"),
        (b"1851:7:version;2:21#4:mode;", "a flow file of mitmproxy: mitmdump -nr FILE --set hardump=out.har"),
        (b"* Trying 127.0.0.1:1...\n> GET /api/queue HTTP/1.1\n>\n< HTTP/1.1 200 OK\n", "the log of curl -v"),
        (b"--2026-11-20 10:00:00--  http://x/api/queue\n  HTTP/1.1 200 OK\n  Date: x\n", "the log of wget -S"),
        (b"### queue\nGET https://cloud.example/api/queue\nX-API-Key: {{key}}\n", "looks like a request"),
        (b"curl -s https://cloud.example/api/queue\n", "looks like a request"),
        (REQUEST, "looks like a request"),
        (b'[{"status": "COMPLETE", "method": "GET"}]', "looks like a session of Charles"),
        (b'{"_type":"export","__export_format":4,"resources":[]}', "looks like an export of Insomnia"),
        (b'{"info": {"_postman_id": "1", "name": "x"}, "item": []}', "looks like a collection of Postman"),
        (b'{"openapi": "3.0.0"}', "looks like an OpenAPI document"),
        (HEAD, "is cut off in its headers"),
    ],
)
def test_a_file_that_is_not_a_recording_is_refused_by_name(data: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "x.har").write_bytes(data)
    result = call("judge", tmp_path / "x.har")
    assert (result.exit_code, result.stdout) == (4, "")
    (line,) = result.stderr.splitlines()
    assert told in line


def test_a_long_head_that_does_not_end_is_refused() -> None:
    for data in (b"HTTP/1.1 200 OK\r\n" + b" a:b\r\n" * 100_000, b"GET / HTTP/1.1\r\n" * 50_000):
        with pytest.raises(UnreadableRecording):
            recorded(data, name="x")
