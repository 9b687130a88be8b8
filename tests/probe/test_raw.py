"""What an HTTP library mends in silence is seen on the wire, within bounds, and judged by the clauses on framing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from conformance.contract.clause import Clause
from conformance.contract.clauses import framing
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.exchange.model import Exchange, NoResponse, Wire
from conformance.exchange.secrets import Secret
from conformance.probe.client import Client
from conformance.probe.limits import Bounds
from conformance.probe.raw import HEAD_LIMIT, NotHTTP, RawResponse, send_raw
from conformance.probe.requests import Ask
from conformance.reference.faults import FAULTS
from conformance.reference.hostile import HOSTILE, serve_hostile
from conformance.reference.server import serve
from helpers.servers import accepting

CLAUSES = [member for member in vars(framing).values() if isinstance(member, Clause)]
KEY = "sesame-street"


async def _seen(pieces: Sequence[bytes], method: str, seconds: float) -> tuple[RawResponse, bytes]:
    heard: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in pieces:
            writer.write(piece)

    async with accepting(connected) as port:
        url = f"http://127.0.0.1:{port}/a%20b?c=d"
        return await send_raw(url, method, (("X-Mine", "1"),), tls=None, seconds=seconds), heard[0]


def seen(*pieces: bytes, method: str = "GET", seconds: float = 10) -> RawResponse:
    return asyncio.run(_seen(pieces, method, seconds))[0]


OK = b"HTTP/1.1 200 OK\r\n"


def test_one_plain_request_is_sent() -> None:
    _, heard = asyncio.run(_seen([OK + b"\r\n"], "GET", 10))
    line, host, *rest = heard.decode().split("\r\n")
    assert line == "GET /a%20b?c=d HTTP/1.1"
    assert host.startswith("Host: 127.0.0.1:")
    assert rest == ["Connection: close", "X-Mine: 1", "", ""]


@pytest.mark.parametrize(
    ("answer", "method", "wire"),
    [
        (OK + b"\r\n{}", "GET", Wire()),
        (OK + b"Content-Length: 2\r\n\r\n{}", "GET", Wire(("2",))),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "GET", Wire(("2",))),
        (OK + b"Content-Length: 2\r\ncontent-length: 3\r\n\r\n{}", "GET", Wire(("2", "3"))),
        (OK + b"Content-Length: 2, 3\r\n\r\n{}", "GET", Wire(("2", "3"))),
        (OK + b"X: a\r\n b\r\n\tc\r\n\r\n{}", "GET", Wire(folded=2)),
        (OK + b"\r\n", "HEAD", Wire(surplus=0)),
        (OK + b"Content-Length: 2\r\n\r\n{}", "HEAD", Wire(("2",), surplus=2)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "OPTIONS", Wire(surplus=0)),
        (b"HTTP/1.1 204\r\n\r\nOK\r\n", "OPTIONS", Wire(surplus=4)),
        (b"HTTP/1.0 304 Not Modified\n\nx", "GET", Wire(surplus=1)),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * 3 + OK + b"\r\n", "GET", Wire(interim=3)),
    ],
)
def test_what_stands_around_an_answer_is_seen(answer: bytes, method: str, wire: Wire) -> None:
    assert seen(answer, method=method).wire == wire


def test_the_head_is_read_as_it_stood() -> None:
    sight = seen(b"HTTP/1.0 404 Not \xe9\r\nX-a: \xe9 \r\nX-A:b\r\n c \r\nno colon\r\n\r\n")
    assert (sight.status, sight.http_version) == (404, "HTTP/1.0")
    assert sight.headers == (("X-a", "\xe9"), ("X-A", "b c"), ("no colon", ""))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ([b""], "no response"),
        ([b'{"queue_running": []}'], r'the connection ended within the headers: \{"queue'),
        ([b'{"queue_running":\n\n []}'], "does not begin with a status line: "),
        ([b"SSH-2.0-OpenSSH_9.6\r\n"], "ended within the headers: SSH"),
        ([OK + b"X: y\r\n"], "ended within the headers"),
        ([b"HTTP/1.1 20 OK\r\n\r\n"], "does not begin with a status line"),
        ([OK + b"X: " + b"y" * 2 * HEAD_LIMIT], "a header line is longer than 262,144 bytes"),
        ([OK] + [b"X: y\r\n" * 10_000] * 5, "the headers are larger than 262,144 bytes"),
        ([b"HTTP/1.1 102 Processing\r\n\r\n" * 20_000], "the headers are larger than 262,144 bytes"),
    ],
)
def test_what_is_no_head_is_told(answer: list[bytes], why: str) -> None:
    with pytest.raises(NotHTTP, match=why):
        seen(*answer)


# --- through the client -----------------------------------------------------------------------------------------------

ASKS = (
    Ask("on the wire"),
    Ask("on the wire", "HEAD"),
    Ask("on the wire", "OPTIONS"),
    Ask("on the wire", headers=(("If-None-Match", '"1"'),)),
)


def looks(base: str, key: str | None = None, seconds: float = 10) -> list[Exchange]:
    async def run() -> list[Exchange]:
        secret = None if key is None else Secret(key)
        async with Client(f"{base}/api/queue", secret, Bounds(exchange_timeout=seconds)) as client:
            return [await client.inspect(ask) for ask in ASKS]

    return asyncio.run(run())


def broken(exchanges: list[Exchange]) -> list[str]:
    answers = [Answer(e, e.response, Reading(b"")) for e in exchanges if e.response is not None]
    return [
        clause.id
        for clause in CLAUSES
        if clause.over and any(True for answer in answers for it in clause.over(answer) for _ in clause.check(it))
    ]


AIMED = {name: hostile.reason for name, hostile in HOSTILE.items() if hostile.reason.startswith("framing.")}


def test_every_clause_on_framing_has_an_endpoint_that_breaks_it() -> None:
    served = {fault.clause for fault in FAULTS.values()}  # tests/whole/test_faults.py
    assert {clause.id for clause in CLAUSES} <= {*AIMED.values(), *served}


@pytest.mark.parametrize("name", AIMED)
def test_an_endpoint_is_caught_by_the_clause_that_is_meant(name: str) -> None:
    with serve_hostile(name) as url:
        assert broken(looks(url)) == [AIMED[name]]


@pytest.mark.parametrize("variant", ["default", "etag", "chunked", "http-1-0", "connection-close", "options-405"])
def test_a_conforming_endpoint_is_accused_of_nothing(variant: str) -> None:
    with serve(variant) as endpoint:
        exchanges = looks(endpoint.url)
    assert [exchange.problem for exchange in exchanges] == [None] * len(ASKS)
    assert broken(exchanges) == []


def test_a_look_is_in_the_ledger_and_no_read_of_the_queue() -> None:
    with serve("etag") as endpoint:
        exchanges = looks(endpoint.url)
    assert [exchange.id for exchange in exchanges] == ["x1", "x2", "x3", "x4"]
    assert not any(exchange.request.to_queue or exchange.request.reads for exchange in exchanges)
    assert [exchange.response and exchange.response.content for exchange in exchanges] == [b""] * len(ASKS)


@pytest.mark.parametrize(
    ("name", "fault", "why"),
    [
        ("accepts-and-never-answers", NoResponse.TIMEOUT, "no complete response"),
        ("a-header-byte-a-second", NoResponse.TIMEOUT, "no complete response"),
        ("http-0-9", NoResponse.BROKEN, '{"queue_running"'),
        ("endless-1xx", NoResponse.BROKEN, "larger than 262,144"),
        ("endless-headers", NoResponse.BROKEN, "larger than 262,144"),
        ("endless-status-line", NoResponse.BROKEN, "longer than 262,144"),
        ("closed-at-once", NoResponse.BROKEN, "no response"),
        ("bytes-that-are-not-http", NoResponse.BROKEN, "within the head"),
    ],
)
def test_no_endpoint_makes_a_look_raise_or_stay(name: str, fault: NoResponse, why: str) -> None:
    with serve_hostile(name) as url:
        exchange = looks(url, seconds=0.3 if fault is NoResponse.TIMEOUT else 10)[0]
    assert exchange.problem is not None
    assert exchange.problem.fault is fault
    assert why in exchange.problem.detail


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nX-%b: %b\r\nContent-Length: %b\r\n\r\n", b"%b" * 3, b"\n%b%b%b\n"]
)
def test_a_key_that_the_server_repeats_is_kept_nowhere(answer: bytes) -> None:
    async def run() -> Exchange:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer % ((KEY.encode(),) * 3))

        async with accepting(connected) as port, Client(f"http://127.0.0.1:{port}/", Secret(KEY), Bounds()) as client:
            return await client.inspect(Ask("on the wire"))

    assert KEY not in repr(asyncio.run(run()))


def test_where_nothing_listens_nothing_is_raised() -> None:
    assert [exchange.problem is not None for exchange in looks("http://127.0.0.1:1")] == [True] * len(ASKS)
