"""What is made of a task that did not come back, without any cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conformance.fleet.bounds import FleetBounds
from conformance.fleet.results import Results, endpoints
from conformance.fleet.turns import Turns
from conformance.fleet.work import Done, Order, OtherSuite
from conformance.run.targets import Target
from helpers.fleet_samples import HEADER, kept, target

A, B = target("http://127.0.0.1:1"), target("http://127.0.0.1:2", deadline=3000)


class Cluster:
    """Stands for a client of Dask: each order comes to what is foretold for it, and ``workers`` are there."""

    def __init__(self, foretold: dict[str, Any], *, workers: bool = True) -> None:
        self.foretold = foretold
        self.workers = workers

    async def submit(self, _: Any, order: Order, **__: Any) -> Done:
        found = self.foretold[order.target.name]
        if isinstance(found, Exception):
            raise found
        return Done(found)

    async def nthreads(self) -> dict[str, int]:
        return {"worker": 1} if self.workers else {}


def checked(cluster: Any, targets: list[Target], results: Results) -> None:
    from conformance.fleet import engine  # Dask takes a second to import

    turns = Turns(iter(targets), parallel=9, room=lambda _: None)
    asyncio.run(engine._take_turns(cluster, engine.Engine(FleetBounds(9)), turns, results, lambda _: None))


def test_an_endpoint_that_ends_every_worker_is_given_up_and_the_others_go_on(tmp_path: Any) -> None:
    from distributed.scheduler import KilledWorker

    dead = KilledWorker("key", None, 3)  # type: ignore[arg-type]
    with Results.begin(tmp_path, HEADER) as results:
        checked(Cluster({A.name: dead, B.name: kept(B.name)}), [A, B], results)
    found = {line.name: (line.outcome, line.exit, line.reason) for line in endpoints(tmp_path)}
    assert found[A.name] == ("error", 3, "each worker that checked it was lost: it is not tried again")
    assert found[B.name][0] == "conformant"


def cancelled() -> Exception:
    """Return what Dask raises when it loses its scheduler."""
    from distributed.client import FutureCancelledError

    return FutureCancelledError("key", "scheduler-connection-lost")


def closed() -> Exception:
    """Return what Dask raises when a connection ends."""
    from distributed.comm.core import CommClosedError

    return CommClosedError("in <TCP (closed)>: Stream is closed")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (cancelled, "the connection to the scheduler was lost"),
        (closed, "the connection to the scheduler was lost"),
        (lambda: OtherSuite("a worker has suite 0.0.1"), "a worker has suite 0.0.1"),
        (
            lambda: ModuleNotFoundError("No module named 'conformance'"),
            r"cannot check \(ModuleNotFoundError: No module named",
        ),
    ],
)
def test_a_cluster_that_cannot_check_ends_the_fleet_and_what_came_beside_is_kept(
    tmp_path: Any, error: Callable[[], Exception], told: str
) -> None:
    from conformance.fleet.engine import Lost

    with Results.begin(tmp_path, HEADER) as results, pytest.raises(Lost, match=told):
        checked(Cluster({A.name: error(), B.name: kept(B.name)}), [A, B], results)
    assert [line.name for line in endpoints(tmp_path)] == [B.name]


@pytest.mark.parametrize(
    ("silence", "workers", "told"),
    [(59, False, None), (61, False, "no worker is left"), (3600, True, None), (3602, True, "nothing was finished in")],
)
def test_silence_is_borne_as_long_as_a_check_may_take(silence: float, *, workers: bool, told: str | None) -> None:
    from conformance.fleet import engine

    look = engine._demand_progress(Cluster({}, workers=workers), silence, engine._longest(B))  # type: ignore[arg-type]
    if told is None:
        asyncio.run(look)
        return
    with pytest.raises(engine.Lost, match=told):
        asyncio.run(look)
