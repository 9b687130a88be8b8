"""A recording is in memory once; its responses are read one by one."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any, Final

import pytest

from conformance.exchange.recordings import recorded
from helpers.answers import item, queue

MANY: Final = 12
BODY: Final = queue(
    *(item(number, e2={"9": {"class_type": "A", "inputs": {"t": "x" * 20_000}}}) for number in range(75))
)


def entry(body: bytes) -> dict[str, Any]:
    """Return an entry of a HAR file."""
    content = {"size": len(body), "mimeType": "application/json", "text": body.decode()}
    response = {"status": 200, "headers": [{"name": "Content-Type", "value": "application/json"}], "content": content}
    return {"request": {"method": "GET", "url": "http://h/api/queue", "headers": []}, "response": response}


def printed(body: bytes) -> bytes:
    """Return a response as curl -i prints it."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(body), body)


def bodies() -> list[bytes]:
    """Return large bodies that differ."""
    return [BODY.replace(b"xx", b"%02d" % number, 1) for number in range(MANY)]


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"log": {"entries": [entry(body) for body in bodies()]}}).encode(),
        b"".join(map(printed, bodies())),
    ],
    ids=["HAR", "HTTP"],
)
def test_the_responses_of_a_recording_are_not_in_memory_together(data: bytes) -> None:
    tracemalloc.start()
    try:
        found = recorded(data, name="x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.exchanges) == MANY
    assert peak < len(data) / 2
