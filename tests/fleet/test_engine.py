"""What the engine makes of the results of a back end, and what it makes of Dask's errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.fleet.backend import Lost, longest
from conformance.fleet.bounds import FleetBounds
from conformance.fleet.engine import Engine, take_turns
from conformance.fleet.filing import Filing
from conformance.fleet.results import Results, endpoints
from conformance.fleet.turns import Turns
from conformance.fleet.work import Assignment, Done, OtherSuite
from conformance.run.targets import Target, make_target
from helpers.fleet_samples import HEADER, kept, target

A, B = target("http://127.0.0.1:1"), target("http://127.0.0.1:2", deadline=3000)


class FakeClient:
    """Stands for a client of Dask: each order has the result that is foretold for it, and ``workers`` are there."""

    def __init__(self, foretold: dict[str, Any], *, workers: bool = True) -> None:
        self.foretold = foretold
        self.workers = workers

    async def submit(self, _: Any, order: Assignment, **__: Any) -> Done:
        found = self.foretold[order.target.name]
        if isinstance(found, Exception):
            raise found
        return Done(found)

    async def nthreads(self) -> dict[str, int]:
        return {"worker": 1} if self.workers else {}


def checked(client: Any, targets: list[Target], results: Results, directory: Path) -> None:
    from conformance.fleet.cluster import Cluster  # Dask takes a second to import

    turns = Turns(iter(targets), parallel=9, room=lambda _: None)
    filing = Filing(results, directory, "none")
    asyncio.run(take_turns(Cluster(client), Engine(FleetBounds(9)), turns, filing, lambda _: None))


def test_a_target_that_ends_every_worker_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    from distributed.scheduler import KilledWorker

    dead = KilledWorker("key", None, 3)  # type: ignore[arg-type]
    with Results.begin(tmp_path, HEADER) as results:
        checked(FakeClient({A.name: dead, B.name: kept(B.name)}), [A, B], results, tmp_path)
    found = {line.name: (line.outcome, line.exit, line.reason) for line in endpoints(tmp_path)}
    assert found[A.name] == (
        "error",
        3,
        "every worker that checked this target was lost, so the target is not checked again",
    )
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
def test_a_cluster_that_cannot_check_ends_the_run_and_finished_results_are_kept(
    tmp_path: Path, error: Callable[[], Exception], told: str
) -> None:
    with Results.begin(tmp_path, HEADER) as results, pytest.raises(Lost, match=told):
        checked(FakeClient({A.name: error(), B.name: kept(B.name)}), [A, B], results, tmp_path)
    assert [line.name for line in endpoints(tmp_path)] == [B.name]


@pytest.mark.parametrize(
    ("silence", "workers", "told"),
    [
        (59, False, None),
        (61, False, "the cluster has no worker any more"),
        (3600, True, None),
        (3601, True, "no check has finished for"),
    ],
)
def test_a_cluster_may_be_silent_as_long_as_a_check_may_take(
    silence: float, *, workers: bool, told: str | None
) -> None:
    from conformance.fleet.cluster import Cluster

    client: Any = FakeClient({}, workers=workers)
    look = Cluster(client).demand_progress(silence, longest(Assignment(B)))
    if told is None:
        asyncio.run(look)
        return
    with pytest.raises(Lost, match=told):
        asyncio.run(look)


def test_an_order_carries_the_key_of_its_target_only_within_this_machine() -> None:
    environ = {"A_KEY": "key-of-a", "B_KEY": "key-of-b", "COMFY_API_KEY": "nobody", "PATH": "/bin"}
    keyed = make_target("a", {"target": "https://a.example", "api_key_env": "A_KEY"})
    here, there = (Engine(FleetBounds(1), scheduler=where, environ=environ) for where in (None, "tcp://10.0.0.1:1"))
    assert here.order(keyed).environ == {"A_KEY": "key-of-a"}
    assert here.order(A).environ == {}
    assert there.order(keyed).environ is None
    assert "key-of" not in repr((here, here.order(keyed)))


def test_with_isolate_every_target_is_checked_in_a_process_of_its_own() -> None:
    assert [Engine(FleetBounds(1), isolate=each).order(A).target.isolate for each in (True, False)] == [True, False]
