"""Whatever a server does to it, the client gives an exchange in the time and the bytes it is allowed, and no key."""

from __future__ import annotations

import asyncio
import gzip
import re
from itertools import count

import pytest

from conformance.exchange.model import Exchange, NoResponse, Problem
from conformance.probe.client import Client
from conformance.probe.limits import Bounds
from conformance.probe.requests import SAFE_METHODS, Ask
from helpers.servers import accepting
from helpers.talks import (
    EMPTY,
    KEY,
    QUICK,
    READ,
    USUAL,
    Play,
    Wire,
    always,
    closed_port,
    fault,
    once,
    reply,
    talk,
    talking,
)

MB = 1 << 20


def drip(head: bytes, piece: bytes, pause: float = 0.01) -> Play:
    """Answer with a head and then with the same piece without end."""

    async def play(wire: Wire) -> None:
        await wire.hear()
        await wire.say(head)
        while True:
            await wire.say(piece)
            await asyncio.sleep(pause)

    return play


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
    found = re.fullmatch(r"no complete response within (0\.\d+) s", got.ledger[0].problem.detail)
    assert found is not None
    assert float(found[1]) <= 0.2, "connecting may have taken some of it"


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
            got = await talking(always(data), (READ, Ask("HEAD", "HEAD")), KEY, USUAL, "/api/queue", at_once=False)
        return got.ledger, elsewhere

    ledger, elsewhere = asyncio.run(run())
    assert [e.response and e.response.status for e in ledger] == [307, 307]
    assert elsewhere == []
