"""What the client sends, and that it keeps no key."""

from __future__ import annotations

import asyncio
import base64
import gzip
import html
import json
import time
import uuid
from urllib.parse import quote, quote_plus

import pytest

from conformance.exchange.model import Credential, Exchange, NoResponse
from conformance.exchange.secrets import REDACTED, Secret
from conformance.judge.ledger import record
from conformance.probe.client import Client
from conformance.probe.requests import Ask
from conformance.version import __version__
from helpers.talks import EMPTY, KEY, QUICK, READ, USUAL, Wire, always, closed_port, once, reply, talk

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
