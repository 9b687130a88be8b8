"""Large bodies of a run are in a file, and say the same as in memory."""

from __future__ import annotations

import json
import pickle
import tempfile
from typing import Any

import pytest

from conformance.exchange.model import Exchange, Request, Response
from conformance.exchange.recordings import recorded
from conformance.exchange.stored import ALWAYS_STORED, IN_MEMORY, BodyStore, StoredBody
from conformance.judge.judge import judge
from helpers.answers import HEADERS, NOW, item, queue

BIG = b"[" + b"7," * ALWAYS_STORED + b"7]"


def test_a_small_body_is_held_in_memory() -> None:
    store = BodyStore()
    assert store.keep(b"{}") == b"{}"
    assert store.held == 2


def test_a_large_body_is_in_the_file_once() -> None:
    store = BodyStore()
    body = store.keep(BIG)
    assert isinstance(body, StoredBody)
    assert store.keep(bytes(bytearray(BIG))) is body
    assert store.keep(BIG + b" ") is not body
    assert (store.held, body.size, body.read(), body.read(1, 4)) == (0, len(BIG), BIG, b"7,7")
    assert body.read(len(BIG) - 2, len(BIG) + 9) == b"7]"


def test_small_bodies_are_in_the_file_if_there_are_many() -> None:
    store = BodyStore()
    bodies = [store.keep(b"%40d" % number + bytes(ALWAYS_STORED // 2)) for number in range(100)]
    assert store.held <= IN_MEMORY
    assert isinstance(bodies[-1], StoredBody)
    assert bodies[-1].read() == b"%40d" % 99 + bytes(ALWAYS_STORED // 2)


def test_a_body_is_held_in_memory_if_no_file_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    store = BodyStore()
    assert store.keep(BIG) == BIG
    assert store.held == len(BIG)


def test_a_stored_response_is_a_response_with_the_same_body() -> None:
    plain = Response(200, HEADERS, BIG, echoes=("",))
    stored = plain.kept_in(BodyStore())
    assert (stored.content, stored.size, stored.echoes, stored.media_type) == (BIG, len(BIG), ("",), plain.media_type)
    assert isinstance(stored.body, StoredBody)
    assert pickle.loads(pickle.dumps(stored)) == plain  # noqa: S301 - our own
    assert pickle.loads(pickle.dumps(stored.body)) == BIG  # noqa: S301 - our own


def padded(*jobs: list[Any]) -> bytes:
    return queue(*jobs).rjust(ALWAYS_STORED + 100)


@pytest.mark.parametrize(
    "bodies",
    [
        [padded(item(1), item(2)), padded(item(2), item(3))],
        [padded(item(1), item(2)), padded(item(2), item(1))],
        [padded(item(1)), padded(item(1)), padded(item(1)[:4])],
        [padded(item(1)), padded([item(1)[0], item(1)[1], {}, *item(1)[3:]])],
        [padded(item(1)), b"{}", padded(item(1))[:-3]],
    ],
)
def test_stored_bodies_are_judged_like_those_in_memory(bodies: list[bytes]) -> None:
    def exchanges(store: BodyStore | None) -> list[Exchange]:
        answers = [Response(200, HEADERS, body) for body in bodies]
        kept = [answer if store is None else answer.kept_in(store) for answer in answers]
        request = Request("GET", "http://t/api/queue", purpose="read")
        return [
            Exchange(f"x{number}", request, answer, started=NOW + number, elapsed=0.01)
            for number, answer in enumerate(kept)
        ]

    assert judge(exchanges(BodyStore())) == judge(exchanges(None))


def test_a_stored_response_keeps_its_body_with_other_headers() -> None:
    stored = Response(200, HEADERS, BIG, coding_error="broken").kept_in(BodyStore())
    assert stored.media_type == "application/json"
    other = stored.with_echoes((("Content-Type", "text/plain"),), ("",))
    assert (other.media_type, other.echoes, other.coding_error) == ("text/plain", ("",), "broken")
    assert other.body is stored.body
    assert other.kept_in(BodyStore()) is other


def test_large_bodies_of_a_recording_are_in_a_file() -> None:
    store, large = BodyStore(), queue(item(1)).rjust(ALWAYS_STORED + 1)
    entries = [
        {"request": {"method": "GET", "url": "http://h/api/queue"}, "response": {"status": 200, "content": content}}
        for content in ({"text": large.decode()}, {"text": "{}"}, {"text": large.decode()})
    ]
    har = json.dumps({"log": {"entries": entries}}).encode()
    bodies = [each.response.body for each in recorded(har, name="a.har", store=store).exchanges if each.response]
    assert [isinstance(body, StoredBody) for body in bodies] == [True, False, True]
    assert bodies[0] is bodies[2]
    assert store.held == 2
