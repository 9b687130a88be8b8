"""What a stream remembers changes nothing: of each answer it says what one says that remembers nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange
from conformance.exchange.secrets import REDACTED
from conformance.load.response_result import ResponseResult
from conformance.load.stream import WINDOW, Stream
from conformance.text.strict_json import parse
from helpers.answers import HEADERS, item, queue, read

JOBS: Final = (
    *(item(number) for number in range(1, 5)),
    item(2, e2={"9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0]}}}),
    item(3, e3=["9", "9"]),
    item(3, e4={"create_time": 1_763_913_600}),
    item(4, e4={"create_time": 1_800_000_000_000}),
    item(1, e1="job-1"),
    item(4, e0=4.0),
    item(1)[:4],
    {"not": "a job"},
)
TEXTS: Final = (b"", b"null", b"{", b'{"queue_running":[],"queue_running":[],"queue_pending":[]}', b'{"code":"A"}')
FIELDS: Final = (
    HEADERS,
    HEADERS[:2],
    HEADERS[::2],
    (("Content-Type", "text/plain"), *HEADERS[1:]),
    (*HEADERS, ("Content-Encoding", "gzip")),
    (*HEADERS[:2], ("ETag", '"a"'), ("Content-Encoding", "gzip")),
)


@st.composite
def answers(draw: st.DrawFn) -> list[tuple[str, Exchange]]:
    """Draw answers to two readers, of few kinds, so that each comes again; some answers have an id of their own."""
    some = st.lists(st.sampled_from(JOBS[:4]) | st.sampled_from(JOBS), max_size=2)
    bodies = draw(st.lists(st.builds(lambda p, r: queue(*p, running=tuple(r)), some, some), min_size=1, max_size=4))
    fields = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3))
    keyed = draw(st.booleans())
    drawn = []
    for number in range(1, draw(st.integers(1, 14)) + 1):
        body = draw(st.sampled_from([*bodies, *bodies, draw(st.sampled_from(TEXTS))]))
        own = draw(st.sampled_from([(), (("X-Id", str(number)),)] if keyed else [()]))
        echoes = draw(st.sampled_from([(), (), ("X-Id",), ("",)] if keyed else [()]))
        exchange = read(
            body,
            number=number,
            headers=(*draw(st.sampled_from(fields)), *own),
            status=draw(st.sampled_from([200, 200, 200, 200, 429, 500])),
        )
        assert exchange.response is not None
        exchange = replace(exchange, response=replace(exchange.response, echoes=echoes))
        if keyed:
            exchange = replace(exchange, request=replace(exchange.request, headers=(("X-API-Key", REDACTED),)))
        drawn.append((draw(st.sampled_from("ab")), exchange))
    return drawn


def is_object(body: bytes) -> bool:
    """Whether a body is compared with the next ones."""
    return isinstance(parse(body).value, dict)


def told(noted: ResponseResult) -> Any:
    """Return what was said, whatever the order."""
    return sorted(noted.judged), sorted(noted.broken), noted.errors


@given(given_answers=answers(), demand=st.sampled_from([Demand.of(Dialect.CLOUD), Demand.of(Dialect.OSS)]))
def test_what_is_remembered_changes_nothing(given_answers: list[tuple[str, Exchange]], demand: Demand) -> None:
    stream, before = Stream(demand), defaultdict[str, list[Exchange]](list)
    for reader, exchange in given_answers:
        fresh = Stream(demand)
        for earlier in before[reader][1 - WINDOW :]:
            fresh.judge(reader, earlier)
        assert told(stream.judge(reader, exchange)) == told(fresh.judge(reader, exchange))
        if exchange.response is not None and exchange.response.status == 200 and is_object(exchange.response.content):
            before[reader].append(exchange)
