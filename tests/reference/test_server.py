"""The reference endpoint is a real server that answers as its tables say. No contract code here: plain assertions."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import json
import re
import socket
import subprocess
import sys
import threading
import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.queue import MovingQueue
from conformance.reference.server import KEY, Endpoint, serve
from conformance.reference.variants import OPEN, VARIANTS
from helpers.servers import listening

NOW = 1_795_000_000.25
GARBLED = {"Origin": "http://conformance.invalid:99999"}
BROWSER = {"User-Agent": "Mozilla/5.0", "Accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def client() -> Any:
    with httpx.Client(trust_env=False, timeout=60) as client:
        yield client


class Clock:
    """A clock that is driven by hand, in seconds since the epoch."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def ids(queue: dict[str, Any]) -> list[str]:
    return [item[1] for item in [*queue["queue_running"], *queue["queue_pending"]]]


def url(endpoint: Endpoint) -> str:
    return f"{endpoint.url}/api/queue"


def ask(variant: str = "default", fault: str | None = None, method: str = "GET", **headers: str) -> Reply:
    """Ask an endpoint without its network; headers as ``if_none_match=...``."""
    reference = serve(variant, fault, clock=Clock()).reference
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    key = {} if reference.key is None or "x-api-key" in named else {"X-API-Key": reference.key}
    return reference.answer(IncomingRequest(method, reference.path, headers=tuple({**key, **named}.items())))


# --- the queue --------------------------------------------------------------------------------------------------------


def test_a_job_waits_runs_and_leaves_with_the_same_data() -> None:
    queue = MovingQueue.full(NOW, period=2, waiting=2, running=1)
    seen = [queue.snapshot(NOW + 2 * step) for step in range(4)]
    job = seen[0]["queue_pending"][-1]
    assert [[item[0] for item in read["queue_pending"] if item[1] == job[1]] for read in seen] == [[3], [2], [], []]
    assert seen[2]["queue_running"] == [[1, *job[1:]]]
    assert job[1] not in ids(seen[3])


def test_the_queue_is_full_from_the_first_read_on_and_oldest_first() -> None:
    queue = MovingQueue.full(NOW, period=0.1, waiting=300, running=3, seed=7)
    read = queue.snapshot(NOW)
    items = [*read["queue_running"], *read["queue_pending"]]
    times = [item[4]["create_time"] for item in items]
    assert len(read["queue_running"]) == 3
    assert [item[0] for item in items] == list(range(1, 304))
    assert times == sorted(times)
    assert max(times) <= NOW * 1000
    assert len({item[1] for item in items}) == 303
    assert all(str(uuid.UUID(item[1])) == item[1] and uuid.UUID(item[1]).version == 4 for item in items)


def test_a_queue_at_its_origin_has_one_job() -> None:
    assert len(ids(MovingQueue(origin=NOW, period=1, waiting=3).snapshot(NOW))) == 1


# --- the server -------------------------------------------------------------------------------------------------------


def test_a_read_is_answered_as_the_document_has_it(client: httpx.Client) -> None:
    clock = Clock()
    with serve(clock=clock, period=1) as endpoint:
        first, second = client.get(url(endpoint)), client.get(url(endpoint))
        clock.now += 1
        third = client.get(url(endpoint))
    assert first.status_code == 200
    assert dict(first.headers) == {
        "date": "Wed, 18 Nov 2026 11:06:40 GMT",
        "server": "comfy-reference",
        "cache-control": "no-store",
        "content-type": "application/json",
        "content-length": str(len(first.content)),
    }
    assert first.content == second.content
    assert ids(third.json())[:-1] == ids(first.json())[1:]
    assert third.json()["queue_running"][0][1:] == first.json()["queue_pending"][0][1:]


def test_other_methods_and_paths(client: httpx.Client) -> None:
    with serve("standing-still") as endpoint:
        head, options = client.head(url(endpoint)), client.options(url(endpoint))
        posted, nowhere = client.post(url(endpoint), json={"clear": True}), client.get(f"{endpoint.url}/api/queues")
        garbled = client.get(url(endpoint), headers=GARBLED)
        got = client.get(url(endpoint))
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/json")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (nowhere.status_code, garbled.status_code) == (404, 400)
    for error in (posted, nowhere, garbled):
        assert error.headers["content-type"] == "application/json"
        assert set(error.json()) == {"code", "message"}


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "wrong"}])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_without_the_key_there_is_no_queue(client: httpx.Client, method: str, headers: dict[str, str]) -> None:
    with serve(key="right") as endpoint:
        refused = client.request(method, url(endpoint), headers=headers)
        served = client.request(method, url(endpoint), headers={"x-api-key": "right"})
    assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")
    assert refused.headers["www-authenticate"] == 'ApiKey realm="comfy"'
    assert served.status_code == 200


def test_it_serves_at_any_path(client: httpx.Client) -> None:
    with serve("prefix-path", queue_path="/v2/queue") as endpoint:
        assert endpoint.url.endswith("/some/prefix")
        assert client.get(f"{endpoint.url}/v2/queue?limit=0").status_code == 200
        assert client.get(f"http://127.0.0.1:{endpoint.port}/v2/queue").status_code == 404


def test_a_port_that_is_taken_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        serve(port=other.getsockname()[1]).__enter__()


def test_it_stops_and_leaves_no_thread_though_an_answer_is_owed() -> None:
    before = threading.active_count()
    with serve(fault="never-answers") as endpoint, socket.create_connection(("127.0.0.1", endpoint.port)) as waiting:
        waiting.sendall(b"GET /api/queue HTTP/1.1\r\nHost: here\r\n\r\n")
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", endpoint.port))


@pytest.mark.parametrize(
    "started",
    [
        lambda stack: stack.enter_context(serve()).port,
        lambda stack: stack.enter_context(listening(silent)),
    ],
    ids=["endpoint", "helper"],
)
def test_a_connection_that_is_made_while_a_server_stops_is_closed(started: Callable[[ExitStack], int]) -> None:
    """A connection that nobody closed leads to a warning when the garbage collector finds it."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for _ in range(3):
            many = threading.Barrier(3, timeout=60)
            with ThreadPoolExecutor(2) as threads, ExitStack() as stack:
                port = started(stack)
                for _ in range(2):
                    threads.submit(connect_until_refused, port, many)
                many.wait()
        gc.collect()
    assert [str(warning.message) for warning in found if "unclosed" in str(warning.message)] == []


def connect_until_refused(port: int, many: threading.Barrier) -> None:
    for number in itertools.count():
        if number == 20:
            many.wait()
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            return


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


# --- the tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [VARIANTS, FAULTS], ids=["variants", "faults"])
def test_names_are_kebab_case_and_every_entry_is_a_sentence(table: dict[str, Any]) -> None:
    for name, entry in table.items():
        assert name == entry.name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name
        sentence = entry.summary
        assert re.fullmatch(r"[A-Z].{8,}[a-z0-9A-Z]\.", sentence), sentence


def test_every_fault_breaks_a_clause_or_leaves_the_run_inconclusive() -> None:
    for fault in FAULTS.values():
        assert fault.clause or fault.inconclusive, fault.name
        assert fault.variant in VARIANTS
        assert fault.needs_key or not fault.clause.startswith("auth."), fault.name


def test_the_tables_are_listed_without_a_server() -> None:
    listing = "import sys, conformance.reference.faults; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# --- every variant and every fault, without their network -------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, variant in VARIANTS.items() if variant.door == OPEN])
def test_a_variant_answers_with_the_queue(client: httpx.Client, name: str) -> None:
    with serve(name) as endpoint:
        assert endpoint.key == ((VARIANTS[name].key or KEY) if VARIANTS[name].needs_key else None)
        headers = {"X-API-Key": endpoint.key or "any"}
        reads = [client.get(url(endpoint), headers=headers) for _ in range(6)]
        assert client.get(url(endpoint), headers=headers | GARBLED).status_code in (
            {200} if name == "garbled-origin-ignored" else {400, 403}
        )
        assert client.head(url(endpoint), headers=headers).status_code == 200
    assert [read.status_code for read in reads[1:]] == [200] * 5
    assert {"queue_running", "queue_pending"} <= set(reads[-1].json())
    assert reads[-1].headers["content-type"].lower().startswith("application/json")


class OpenConnection(asyncio.Transport):
    """The connection of another client."""

    def is_closing(self) -> bool:
        return False


def _tag(reference: Reference, given: tuple[tuple[str, str], ...]) -> str:
    """Return the ETag of a read, if there is one."""
    return reference.answer(IncomingRequest("GET", reference.path, headers=given)).headers.get("ETag", '"none"')


def _near(key: str) -> tuple[str, ...]:
    """Return wrong keys that are nearly the right one."""
    return (key[:-1] + "~", key.swapcase(), key[:8] + "~")


PLAIN = 14
"""How many plain reads come first."""


@pytest.mark.parametrize(
    "name", [name for name, fault in FAULTS.items() if not (fault.twist.plays or fault.needs_jobs or fault.declared)]
)
def test_a_fault_changes_an_answer(name: str) -> None:
    fault = FAULTS[name]
    honest = serve(fault.variant, clock=Clock()).reference
    lying = serve(fault=name, clock=Clock()).reference
    given = (("X-API-Key", lying.key or "any"),)
    asked = [
        *[IncomingRequest("GET", honest.path, headers=given)] * PLAIN,
        IncomingRequest("GET", honest.path, headers=(*given, ("If-None-Match", '"none"'))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Range", "bytes=0-0"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Accept-Encoding", "gzip"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Accept", "text/csv"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Origin", "https://conformance.invalid"))),
        IncomingRequest("GET", honest.path, headers=(*given, *BROWSER.items())),
        IncomingRequest("GET", honest.path, headers=(*given, *GARBLED.items())),
        *(
            IncomingRequest("GET", honest.path, query=query, headers=given)
            for query in ("limit=0", "sort=a", "state=a", "a=%27")
        ),
        IncomingRequest("GET", honest.path, headers=(*given, ("Range", "bytes=-1"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Accept", "*/*;q=0.5"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Accept", "text/xml"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Cache-Control", "no-cache"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Cookie", "a" * 600))),
        IncomingRequest("GET", honest.path, headers=(*given, ("Accept-Encoding", "br"))),
        IncomingRequest("GET", honest.path, headers=(*given, ("If-None-Match", _tag(honest, given)))),
        *[IncomingRequest("GET", honest.path, headers=(("X-API-Key", key),)) for key in _near(lying.key or "any")],
        IncomingRequest("HEAD", honest.path, headers=given),
        IncomingRequest("OPTIONS", honest.path),
        IncomingRequest("GET", honest.path),
        IncomingRequest("HEAD", honest.path),
        IncomingRequest("GET", honest.path, headers=(("X-API-Key", "wrong"),)),
        IncomingRequest("GET", honest.path, headers=(("X-API-Key", ""),)),
        IncomingRequest("GET", honest.path, headers=(("x-api-key", lying.key or "any"),)),
        *[IncomingRequest("GET", honest.path, headers=given)] * 60,  # some faults show in every 61st read
    ]
    crowd = [OpenConnection() for _ in range(9)]
    differ: list[bool] = []
    for number, one in enumerate(asked):
        if number == PLAIN:  # from here on many clients are connected
            if any(differ):
                break
            honest.transports.update(crowd)
            lying.transports.update(crowd)
        differ.append(honest.answer(one).wire(one.method) != lying.answer(one).wire(one.method))
        if number > PLAIN and differ[-1]:
            break
    assert any(differ)
    if fault.clause.startswith(("error.", "method.", "auth.")) and fault.clause != "auth.key-not-echoed":
        assert not any(differ[:PLAIN]), "plain reads get the responses of a server without the fault"


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.twist.plays and not fault.clause])
def test_a_fault_of_the_transport_gives_no_whole_answer(name: str) -> None:
    with serve(fault=name) as endpoint, socket.create_connection(("127.0.0.1", endpoint.port)) as connection:
        connection.settimeout(0.2)
        connection.sendall(b"GET /api/queue HTTP/1.1\r\nHost: here\r\n\r\n")
        got = b""
        with contextlib.suppress(OSError):
            for _ in range(3):  # some never come to an end
                got += connection.recv(65536)
    assert not got.endswith(b"}]]}")


# --- some of them, to the letter --------------------------------------------------------------------------------------


def test_some_variants_to_the_letter() -> None:
    tag = ask("etag").headers["ETag"]
    assert ask("etag", if_none_match=tag).status == 304
    assert ask("etag", if_none_match='"other"').status == 200
    part = ask("range-206", range="bytes=0-0")
    assert (part.status, part.body) == (206, b"{")
    assert part.headers["Content-Range"] == f"bytes 0-0/{len(ask().body)}"
    assert ask("not-acceptable", accept="text/csv").status == 406
    assert ask("not-acceptable", accept="text/html,*/*;q=0.8").status == 200
    assert ask("gzip", accept_encoding="gzip;q=0").headers.get("Content-Encoding") is None
    assert ask("cors", origin="https://a.example").headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert ask("http-1-0").wire("GET").startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"\r\nTransfer-Encoding: chunked\r\n" in ask("chunked").wire("GET")
    assert b"Content-Length" not in ask("chunked").wire("GET")
    number, name, workflow, extra, outputs = json.loads(ask("oss").body)["queue_running"][0]
    assert (number, outputs, set(extra)) == (0, ["7", "9"], {"client_id", "create_time"})
    assert uuid.UUID(name).version == 4
    assert workflow["4"]["inputs"]["image"] == ["3", 0]
    versions = {uuid.UUID(name).version for name in ids(json.loads(ask("every-uuid-version").body))}
    assert versions == set(range(1, 9))


def test_some_faults_to_the_letter() -> None:
    assert b'[1e0,"' in ask(fault="number-with-exponent").body
    assert b'"caf\xe9"' in ask(fault="latin-1").body
    assert b'"a\tb"' in ask(fault="raw-tab").body
    assert ask(fault="utf-16").body[:2] in {b"\xff\xfe", b"\xfe\xff"}
    assert json.loads(ask(fault="null-body").body) is None
    head = ask(fault="length-beside-chunks").wire("GET").partition(b"\r\n\r\n")[0]
    assert b"Transfer-Encoding: chunked" in head
    assert b"Content-Length: " in head
    assert ask(fault="echoes-the-key").body.endswith(b'"asked_by":"reference-key-a1b2c3"}')
    assert ask(fault="no-key-needed").status == 200
    assert json.loads(ask(fault="sixth-element").body)["queue_running"][0][5:] == [{"auth_token_comfy_org": ""}]


def test_reading_takes_one_job_at_a_time(client: httpx.Client) -> None:
    with serve(fault="reading-takes-a-job") as endpoint:
        counts = [len(client.get(url(endpoint)).json()["queue_pending"]) for _ in range(3)]
        client.head(url(endpoint))
        counts.append(len(client.get(url(endpoint)).json()["queue_pending"]))
    assert counts == [199, 198, 197, 196]
