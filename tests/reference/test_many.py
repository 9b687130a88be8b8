"""Many reference endpoints in one process: each is one by itself."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from conformance.judge.report import Status
from conformance.reference.many import serve_many
from conformance.reference.server import Unservable
from conformance.run.one_run import check
from conformance.run.settings import Settings


def listed(url: str) -> Any:
    with urlopen(f"{url}/api/queue", timeout=10) as answer:  # noqa: S310 - loopback
        return json.loads(answer.read())


def test_each_endpoint_has_a_queue_of_its_own() -> None:
    with serve_many([None, None]) as server:
        first, second, again = (listed(f"{server.url}/{number}") for number in (0, 1, 0))
    ids = [{item[1] for item in queue["queue_pending"]} for queue in (first, second, again)]
    assert ids[0] & ids[2]
    assert not ids[0] & ids[1]


def test_a_fault_that_comes_now_and_then_counts_the_reads_of_its_own_endpoint_alone() -> None:
    """Each seventh answer is wrong: at the other endpoint it would be the fourth if they shared a count."""
    with serve_many(["seconds-every-7th-answer", "seconds-every-7th-answer"]) as server:
        queues = [listed(f"{server.url}/{number}") for _ in range(7) for number in (0, 1)]
    times = [queue["queue_pending"][0][4]["create_time"] for queue in queues]
    assert [time < 1e11 for time in times] == [False] * 12 + [True] * 2


def test_the_fault_is_told_by_its_endpoint_and_by_no_other() -> None:
    with serve_many([None, "seconds"]) as server:
        kept, broken = (check(Settings(target=f"{server.url}/{number}")) for number in (0, 1))
    assert not [result.id for result in kept.clauses if result.status is Status.FAIL]
    assert [result.id for result in broken.clauses if result.status is Status.FAIL] == ["item.create-time.milliseconds"]


@pytest.mark.parametrize("path", ["/2", "", "/0x"])
def test_beside_them_there_is_nothing(path: str) -> None:
    with serve_many([None, None]) as server, pytest.raises(HTTPError, match="404"):
        listed(server.url + path)


def test_a_fault_that_there_is_not_is_said_before_anything_is_served() -> None:
    with pytest.raises(Unservable, match="no fault 'second': did you mean seconds"):
        serve_many([None, "second"])
