"""Whatever a server does to it, the client gives an exchange in the time and the bytes it is allowed, and no key."""

from __future__ import annotations

import asyncio
import base64
import gzip
import html
import json
import socket
import struct
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import quote, quote_plus

import pytest

from conformance.exchange.model import Credential, Exchange, NoResponse, Problem
from conformance.exchange.secrets import REDACTED, Secret
from conformance.judge.ledger import record
from conformance.probe.client import Client
from conformance.probe.limits import Bounds
from conformance.probe.requests import SAFE_METHODS, Ask
from conformance.version import __version__
from helpers.servers import accepting

MB = 1 << 20
READ = Ask("read")
KEY = 'sesame"<&>/+%\\~-42'
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
QUICK = Bounds(exchange_timeout=0.3, connect_timeout=0.3)
"""For servers that never finish: how long we wait is what the test takes."""
USUAL = Bounds(exchange_timeout=60, connect_timeout=60)

Play = Callable[["Wire"], Awaitable[None]]


@dataclass
class Wire:
    """One connection as the server sees it; ``number`` counts connections from 1."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    heard: list[bytes]

    async def hear(self) -> bytes:
        """Wait for the next request."""
        request = await self.reader.readuntil(b"\r\n\r\n")
        self.heard.append(request)
        return request

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@dataclass
class Talk:
    """What came of asking a server."""

    ledger: list[Exchange]
    answers: list[Exchange]
    heard: list[bytes] = field(default_factory=list)

    @property
    def faults(self) -> list[NoResponse | None]:
        return [fault(exchange) for exchange in self.ledger]


def fault(exchange: Exchange) -> NoResponse | None:
    return None if exchange.problem is None else exchange.problem.fault


async def _talk(  # noqa: PLR0913 - each is something that some test turns
    play: Play, asks: Sequence[Ask], key: str | None, bounds: Bounds, path: str, *, at_once: bool
) -> Talk:
    heard: list[bytes] = []
    numbers = count(1)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await play(Wire(reader, writer, next(numbers), heard))

    async with asyncio.timeout(60), accepting(connected) as port:
        async with Client(f"http://127.0.0.1:{port}{path}", None if key is None else Secret(key), bounds) as client:
            if at_once:
                answers = await asyncio.gather(*(client.ask(ask) for ask in asks))
            else:
                answers = [await client.ask(ask) for ask in asks]
        return Talk(client.ledger, answers, heard)


def talk(
    play: Play,
    *asks: Ask,
    key: str | None = None,
    bounds: Bounds = USUAL,
    path: str = "/api/queue",
    at_once: bool = False,
) -> Talk:
    return asyncio.run(_talk(play, asks or (READ,), key, bounds, path, at_once=at_once))


def always(answer: bytes) -> Play:
    """Answer every request of every connection so."""

    async def play(wire: Wire) -> None:
        while True:
            await wire.hear()
            await wire.say(answer)

    return play


def once(answer: bytes) -> Play:
    """Answer the first request of each connection so, and close it."""

    async def play(wire: Wire) -> None:
        await wire.hear()
        await wire.say(answer)

    return play


def drip(head: bytes, piece: bytes, pause: float = 0.01) -> Play:
    """Answer with a head and then with the same piece without end."""

    async def play(wire: Wire) -> None:
        await wire.hear()
        await wire.say(head)
        while True:
            await wire.say(piece)
            await asyncio.sleep(pause)

    return play


def reply(body: bytes, *headers: str) -> bytes:
    head = "\r\n".join(("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers))
    return head.encode() + b"\r\n\r\n" + body


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "play",
    [
        drip(b"HTTP/1.1 200 OK\r\n", b"X"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Name: value\r\n"),
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"{"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n{\r\n"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"{"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"", b""),
    ],
    ids=["status line", "headers", "one letter", "body", "chunks", "until close", "continue", "silence"],
)
def test_an_answer_that_drips_is_given_up_in_the_time_for_an_exchange_as_a_whole(play: Play) -> None:
    got = talk(play, bounds=QUICK)
    assert got.faults in (
        [NoResponse.TIMEOUT],
        [NoResponse.BROKEN, NoResponse.BROKEN],
        [NoResponse.BROKEN, NoResponse.TIMEOUT],
    )


def test_a_time_out_is_not_tried_again_and_says_how_long_it_was() -> None:
    got = talk(drip(b"HTTP/1.1 200 OK\r\n\r\n", b"{"), bounds=QUICK)
    assert len(got.ledger) == 1
    assert got.ledger[0].problem is not None
    assert got.ledger[0].problem.detail == "no complete response within 0.3 s"


def test_the_deadline_of_the_run_bounds_an_exchange_too() -> None:
    got = talk(drip(b"HTTP/1.1 200 OK\r\n", b"X-Name: value\r\n"), bounds=Bounds(deadline=0.2))
    assert got.faults == [NoResponse.TIMEOUT]
    assert got.ledger[0].problem is not None
    assert got.ledger[0].problem.detail == "no complete response within 0.2 s"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"x" * 65536),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"", mtime=0) * 1000),
    ],
    ids=["until close", "chunks", "unknown coding", "no gzip", "gzip of nothing"],
)
def test_an_endless_body_is_cut_at_the_bound_on_bytes(head: bytes, piece: bytes) -> None:
    got = talk(drip(head, piece, 0), bounds=Bounds(max_body=MB, exchange_timeout=60))
    assert got.faults == [NoResponse.TOO_LARGE]
    assert got.ledger[0].problem is not None
    assert got.ledger[0].problem.detail == "the body is larger than 1,048,576 bytes"


def test_the_bound_on_bytes_counts_what_comes_out_of_the_coding() -> None:
    bomb = gzip.compress(b"\0" * 9 * MB)
    assert len(bomb) < MB // 10
    got = talk(always(reply(bomb, "Content-Encoding: gzip")), bounds=Bounds(max_body=MB))
    assert got.faults == [NoResponse.TOO_LARGE]


def test_endless_headers_are_no_answer() -> None:
    got = talk(drip(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 9999 + b"\r\n", 0), bounds=Bounds(exchange_timeout=60))
    assert got.faults == [NoResponse.BROKEN, NoResponse.BROKEN]


# --- transport --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"garbage\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 99,
        b"HTTP/2 200\r\n\r\n{}",
        b"{}",
        b"HTTP/1.1 200 OK\r\n: x\r\n\r\n{}",
    ],
    ids=count(),
)
def test_what_is_no_whole_answer_is_asked_for_once_more_and_then_told_as_broken(data: bytes) -> None:
    got = talk(once(data))
    assert got.faults == [NoResponse.BROKEN, NoResponse.BROKEN]
    first, second = got.ledger
    assert (first.attempt, second.attempt, second.superseded) == (1, 2, False)
    assert first.problem is not None
    assert first.superseded is not first.problem.begun, "what began and broke off is not made good by a second try"
    assert got.answers[0] == got.ledger[1]
    assert got.answers[0].problem is not None
    assert got.answers[0].problem.detail.isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
        b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 000 What\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: \xff, ,\r\nContent-Type: \xe9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: " + b"gzip," * 9999 + b"\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + EMPTY,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=b; Domain=.\xff; Expires=never\r\n\r\n{}",
        EMPTY + EMPTY,
    ],
    ids=count(),
)
@pytest.mark.parametrize("method", SAFE_METHODS)
def test_no_answer_makes_the_client_raise(data: bytes, method: str) -> None:
    got = talk(once(data), Ask("read", method), READ)
    assert all((answer.response is None) != (answer.problem is None) for answer in got.answers)


def test_a_reset_is_told_in_the_words_of_the_system() -> None:
    async def play(wire: Wire) -> None:
        await wire.hear()
        wire.reset()

    got = talk(play)
    assert got.faults == [NoResponse.BROKEN, NoResponse.BROKEN]


def test_a_connection_that_the_server_drops_with_the_next_request_is_replaced() -> None:
    async def play(wire: Wire) -> None:
        await wire.hear()
        await wire.say(EMPTY)
        if wire.number == 1:
            await wire.hear()
        else:
            await wire.hear()
            await wire.say(EMPTY)

    got = talk(play, READ, READ, READ)
    assert got.faults == [None, NoResponse.BROKEN, None, None]
    assert [(e.id, e.attempt, e.superseded) for e in got.ledger] == [
        ("x1", 1, False),
        ("x2", 1, True),
        ("x3", 2, False),
        ("x4", 1, False),
    ]
    assert [answer.id for answer in got.answers] == ["x1", "x3", "x4"]


def test_a_connection_that_is_closed_after_an_answer_costs_no_attempt() -> None:
    got = talk(once(EMPTY), READ, READ)
    assert got.faults == [None, None]


def test_connections_are_kept_where_the_server_keeps_them() -> None:
    numbers: list[int] = []

    async def play(wire: Wire) -> None:
        while True:
            await wire.hear()
            numbers.append(wire.number)
            await wire.say(EMPTY)

    talk(play, READ, READ, READ)
    assert numbers == [1, 1, 1]


def test_the_last_request_that_is_allowed_is_not_tried_again() -> None:
    assert len(talk(once(b""), bounds=Bounds(max_requests=1)).ledger) == 1


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def asked(url: str) -> list[Exchange]:
    async def ask() -> list[Exchange]:
        async with Client(url, None, USUAL) as client:
            await client.ask(READ)
        return client.ledger

    return asyncio.run(ask())


def test_where_nothing_listens_is_unreachable() -> None:
    ledger = asked(f"http://127.0.0.1:{closed_port()}/api/queue")
    assert [e.problem for e in ledger] == [Problem(NoResponse.UNREACHABLE, "Connection refused")] * 2


def test_a_server_without_tls_is_unreachable_by_https() -> None:
    async def ask() -> list[Exchange]:
        async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        async with accepting(connected) as port, Client(f"https://127.0.0.1:{port}/", None, USUAL) as client:
            await client.ask(READ)
        return client.ledger

    ledger = asyncio.run(ask())
    assert [fault(e) for e in ledger] == [NoResponse.UNREACHABLE] * 2
    assert ledger[0].problem is not None
    assert ledger[0].problem.detail.startswith("TLS: ")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/", "http://[::1/", "http://" + "a" * 70 + "/", "http://\x7f/"])
def test_a_url_that_cannot_be_asked_raises_nothing(url: str) -> None:
    assert asked(url)[-1].problem is not None


def test_a_redirect_is_not_followed_and_the_key_stays_where_it_is() -> None:
    async def run() -> tuple[list[Exchange], list[str]]:
        elsewhere: list[str] = []

        async def there(_: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            elsewhere.append("asked")

        async with accepting(there) as port:
            place = f"Location: http://127.0.0.1:{port}/api/queue"
            data = f"HTTP/1.1 307 Temporary Redirect\r\n{place}\r\nContent-Length: 0\r\n\r\n".encode()
            got = await _talk(always(data), (READ, Ask("HEAD", "HEAD")), KEY, USUAL, "/api/queue", at_once=False)
        return got.ledger, elsewhere

    ledger, elsewhere = asyncio.run(run())
    assert [e.response and e.response.status for e in ledger] == [307, 307]
    assert elsewhere == []


# --- what is sent -----------------------------------------------------------------------------------------------------


def fields(request: bytes) -> list[tuple[str, str]]:
    head = request.decode("latin-1").split("\r\n")
    lines = [line.partition(": ") for line in head[1:] if line]
    return [(name, value) for name, _, value in lines]


def sent(ask: Ask, key: str | None = None) -> dict[str, str]:
    """Return the header fields of one request as the server received them, except Host."""
    (request,) = talk(always(EMPTY), ask, key=key).heard
    found = dict(fields(request))
    assert len(found) == len(fields(request))
    found.pop("Host")
    return found


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    headers = sent(READ)
    assert sorted(headers) == ["Accept", "Accept-Encoding", "User-Agent", "X-Request-Id"]
    assert headers["Accept-Encoding"] == "identity"
    assert headers["User-Agent"] == f"comfy-queue-conformance/{__version__}"
    assert headers["Accept"] == "application/json"
    assert uuid.UUID(headers["X-Request-Id"])


def test_headers_are_sent_as_asked_and_left_out_as_asked() -> None:
    odd = Ask("odd", headers=(("Accept", None), ("x-oDD", "a, b;q=0"), ("User-Agent", "Mozilla/5.0"), ("Range", "")))
    headers = sent(odd)
    assert (headers["x-oDD"], headers["User-Agent"], headers["Range"]) == ("a, b;q=0", "Mozilla/5.0", "")
    assert "Accept" not in headers


@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (Credential.GIVEN, ("X-API-Key", KEY)),
        (Credential.NONE, None),
        (Credential.WRONG, ("X-API-Key", KEY[:-1] + "W")),
        (Credential.OTHER_CASE, ("X-API-Key", KEY.swapcase())),
        (Credential.EMPTY, ("X-API-Key", "")),
        (Credential.LOWER_CASE_NAME, ("x-api-key", KEY)),
    ],
)
def test_the_key_is_sent_as_asked(credential: Credential, expected: tuple[str, str] | None) -> None:
    found = [
        (name, value) for name, value in sent(Ask("x", credential=credential), KEY).items() if "key" in name.lower()
    ]
    assert found == ([] if expected is None else [expected])


@pytest.mark.parametrize("credential", Credential)
def test_without_a_key_no_header_of_one_is_sent(credential: Credential) -> None:
    assert not any("key" in name.lower() for name in sent(Ask("x", credential=credential)))


def test_the_request_line_has_method_path_and_query() -> None:
    got = talk(
        always(EMPTY), *(Ask("x", method, query="a=1&b=%zz") for method in ("GET", "OPTIONS")), path="/p/api/queue"
    )
    lines = [request.partition(b"\r\n")[0] for request in got.heard]
    assert lines == [b"GET /p/api/queue?a=1&b=%zz HTTP/1.1", b"OPTIONS /p/api/queue?a=1&b=%zz HTTP/1.1"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", ""])
def test_no_method_that_might_write_can_be_sent(method: str) -> None:
    with pytest.raises(ValueError, match="not a read-only method"):
        talk(always(EMPTY), Ask("x", method))


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "x-http-method", "X-METHOD-OVERRIDE"])
def test_no_header_that_overrides_the_method_can_be_sent(name: str) -> None:
    with pytest.raises(ValueError, match="overrides the method"):
        talk(always(EMPTY), Ask("x", headers=((name, "DELETE"),)))


def test_requests_at_once_have_ids_of_their_own_in_the_order_of_the_ledger() -> None:
    got = talk(always(EMPTY), *(Ask(f"read {number}") for number in range(20)), at_once=True)
    assert [e.id for e in got.ledger] == [f"x{number}" for number in range(1, 21)]
    assert [e.request.purpose for e in got.ledger] == [f"read {number}" for number in range(20)]
    assert [e.id for e in got.answers] == [e.id for e in got.ledger]
    assert len({dict(fields(request))["X-Request-Id"] for request in got.heard}) == 20


def test_every_exchange_is_told_as_it_ends_with_its_times() -> None:
    told: list[Exchange] = []

    async def run() -> float:
        async with Client(f"http://127.0.0.1:{closed_port()}/", None, USUAL, told.append) as client:
            await client.ask(READ)
        return time.time()

    now = asyncio.run(run())
    assert [e.attempt for e in told] == [1, 2]
    for exchange in told:
        assert exchange.started is not None
        assert exchange.elapsed is not None
        assert now - 60 < exchange.started <= exchange.started + exchange.elapsed <= now + 1


def test_proxies_and_credentials_of_the_environment_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert talk(always(EMPTY)).faults == [None]


# --- the key ----------------------------------------------------------------------------------------------------------

LOWER = quote(KEY, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3C", "%3c").replace("%3E", "%3e")
FORMS = {
    "as it is": KEY,
    "in a URL": quote(KEY, safe=""),
    "in a path": quote(KEY),
    "in a form": quote_plus(KEY),
    "in a URL in lower case": LOWER.replace("%5C", "%5c"),
    "in JSON": json.dumps(KEY)[1:-1],
    "in HTML": html.escape(KEY),
    "in base64": base64.b64encode(KEY.encode()).decode(),
    "in base64 without padding": base64.urlsafe_b64encode(KEY.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_key_that_the_server_repeats_is_kept_nowhere(form: str) -> None:
    data = reply(f'{{"message": "{form}"}}'.encode(), f"X-Echo: a {form} b", "X-Other: 1")
    got = talk(always(data), READ, key=KEY)
    response = got.answers[0].response
    assert response is not None
    assert form not in repr(got.ledger)
    assert response.echoes == ("X-Echo", "")
    (shown,) = [record(exchange, whole=True) for exchange in got.ledger]
    assert form not in repr(shown)
    assert REDACTED in repr(shown.response)


def test_a_key_that_comes_in_pieces_or_coded_is_kept_nowhere() -> None:
    async def play(wire: Wire) -> None:
        await wire.hear()
        await wire.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for character in KEY.encode():
            await wire.say(b"1\r\n" + bytes([character]) + b"\r\n")
        await wire.say(b"0\r\n\r\n")
        await wire.hear()
        await wire.say(reply(gzip.compress(KEY.encode()), "Content-Encoding: gzip"))

    got = talk(play, READ, READ, key=KEY)
    assert [e.response and e.response.echoes for e in got.ledger] == [("",)] * 2
    assert KEY not in repr([record(exchange, whole=True) for exchange in got.ledger])


@pytest.mark.parametrize("before", range(0, 160, 9))
def test_a_key_in_what_is_no_answer_is_not_shown_in_the_reason(before: int) -> None:
    got = talk(once(b"." * before + b"sesame-street\r\n\r\n"), key="sesame-street")
    assert got.faults == [NoResponse.BROKEN, NoResponse.BROKEN]
    assert "sesame" not in repr(got.ledger)


def test_the_key_stands_neither_in_the_ledger_nor_in_what_the_client_is_shown_as() -> None:
    got = talk(always(EMPTY), READ, Ask("x", query=f"k={quote(KEY, safe='')}"), key=KEY)
    assert got.ledger[0].request.header("x-api-key") == REDACTED
    assert KEY not in repr(got.ledger)
    assert got.ledger[1].request.url.endswith(f"?k={REDACTED}")
    client = Client("http://127.0.0.1/", Secret(KEY), QUICK)
    assert KEY not in repr(vars(client))
    assert KEY[:-1] not in repr(vars(client))
    assert KEY.swapcase() not in repr(vars(client))
    assert KEY not in f"{client._redactor} {client._key}"
