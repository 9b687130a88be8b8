"""Dask does the work: on processes of this machine, or on a cluster that is there."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.resource_tracker import ensure_running
from typing import Any, Final

import dask
from distributed import Client, LocalCluster, Worker, WorkerPlugin
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from conformance.fleet.bounds import JITTER, FleetBounds
from conformance.fleet.model import EndpointResult, failed
from conformance.fleet.results import Results
from conformance.fleet.sources import TargetSource
from conformance.fleet.turns import Turns, host_of
from conformance.fleet.work import Done, Keep, Order, OtherSuite, work
from conformance.probe.limits import Bounds
from conformance.run.targets import Target
from conformance.text.safe import printable

CONNECT: Final = 20.0
"""Seconds in which a scheduler answers, and in which a first worker is there."""
LOOK: Final = 5.0
"""Seconds without a result after which we look whether there are workers."""
WORKERLESS: Final = 60.0
"""Seconds without a worker after which the fleet ends. A worker that was lost is usually replaced sooner."""
GRACE: Final = 600.0
"""Seconds without a result, beyond the bounds of the longest check that is out, after which the fleet ends."""
_PLAIN: Final = {
    "logging": {"distributed": "critical"},  # what users are to know is said by us, in one line
    "distributed.worker.memory.terminate": False,  # a worker that restarts over and over helps nobody
    "distributed.comm.timeouts.connect": f"{CONNECT:g}s",
    # Nobody looks at a dashboard, and all that is watched for one takes a twentieth of each process.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.work-stealing": False,  # nothing is to be stolen: a worker has what it can do at once
}


class Lost(Exception):
    """The engine is gone, and what was finished is kept. Its text is one line."""


@dataclass(frozen=True)
class Engine:
    """Who does the work: ``workers`` processes of this machine, or those of the cluster at ``scheduler``."""

    bounds: FleetBounds
    workers: int = 1
    scheduler: str | None = None
    keep: Keep = "all"
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options that outweigh those of the targets."""


Tell = Callable[[EndpointResult], None]


async def run(engine: Engine, source: TargetSource, results: Results, tell: Tell) -> None:
    """Check all that is not in ``results`` yet, and write it there as it comes.

    Raises Lost where there is nobody to do it, and OSError where the results cannot be written. What was written by
    then stays; so it does where this is cancelled.
    """
    with dask.config.set(_PLAIN):
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        async with _client(engine) as client:
            await _all(client, engine, source, results, tell)


class Deaf(WorkerPlugin):
    """Keeps Ctrl-C, which a terminal sends to all processes, from a worker of ours: it is told to end in order."""

    name = "deaf"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002 - as Dask calls it
        """Ignore SIGINT, also in a worker that replaces one that was lost."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _deaf() -> Iterator[None]:
    """Have processes that are started block SIGINT from their first moment. What comes meanwhile comes to us later."""
    if sys.platform == "win32":
        yield
        return
    ensure_running()  # else it is started with the first process, and unblocks SIGINT
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@asynccontextmanager
async def _client(engine: Engine) -> AsyncIterator[Client]:
    if engine.scheduler is None:
        threads = math.ceil(engine.bounds.parallel / engine.workers)
        cluster = LocalCluster(
            n_workers=engine.workers,
            threads_per_worker=threads,
            dashboard_address="127.0.0.1:0",
            asynchronous=True,
            silence_logs=logging.CRITICAL,
        )
        with _deaf():
            await cluster
        async with cluster, Client(cluster, asynchronous=True) as client:
            await client.register_plugin(Deaf())
            yield client
        return
    try:
        client = await Client(engine.scheduler, asynchronous=True, timeout=CONNECT)
    except (OSError, ValueError) as error:
        why = printable(str(error.__cause__ or error), 200)
        raise Lost(f"no scheduler at {engine.scheduler} ({why}): start one with 'dask scheduler'") from None
    try:
        await client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError:
        await client.close()
        raise Lost(f"no worker at {engine.scheduler}: start one with 'dask worker {engine.scheduler}'") from None
    try:
        yield client
    finally:
        await client.close(timeout=CONNECT)


async def _all(client: Client, engine: Engine, source: TargetSource, results: Results, tell: Tell) -> None:
    with closing(iter(source)) as targets:
        left = (target.with_options(engine.given) for target in targets if target.name not in results.done)
        turns = Turns(left, parallel=engine.bounds.parallel, room=engine.bounds.room)
        await _take_turns(client, engine, turns, results, tell)


async def _take_turns(client: Client, engine: Engine, turns: Turns, results: Results, tell: Tell) -> None:
    fleet, numbers = f"check-{secrets.token_hex(4)}", count()
    running: dict[asyncio.Task[Done], Target] = {}
    last = time.monotonic()
    try:
        while True:
            while (target := turns.next()) is not None:
                order = _order(engine, target)
                running[asyncio.create_task(_done(client, order, (fleet, next(numbers))))] = target
            if not running:
                return
            ended, _ = await asyncio.wait(running, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(ended, key=lambda each: each.exception() is not None):  # first keep what came
                target = running.pop(task)
                turns.over(target)
                done = _outcome(task, target)
                results.add(done.result, done.report)
                tell(done.result)
                last = time.monotonic()
            if not ended:
                await _demand_progress(client, time.monotonic() - last, max(map(_longest, running.values())))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _order(engine: Engine, target: Target) -> Order:
    host = host_of(target)
    delay = random.uniform(0, engine.bounds.latest(host))  # noqa: S311 - so that not all begin at once
    return Order(target, delay=delay, rate_limit=engine.bounds.share(host), keep=engine.keep)


async def _done(client: Client, order: Order, key: tuple[str, int]) -> Done:
    """Have an endpoint checked; the scheduler forgets it as soon as the result is here."""
    done: Done = await client.submit(work, order, key=key, pure=False)
    return done


def _outcome(task: asyncio.Task[Done], target: Target) -> Done:
    """Return what a check came to. Raises Lost where it is not the endpoint that keeps it from coming."""
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, KilledWorker):
        reason = "each worker that checked it was lost: it is not tried again"
        return Done(failed(target.name, target.url, str(target.options.get("dialect", "cloud")), reason, 3))
    if isinstance(error, FutureCancelledError | CommClosedError):  # whichever notices first
        raise Lost("the connection to the scheduler was lost") from None
    if isinstance(error, OtherSuite):
        raise Lost(str(error)) from None
    raise Lost(f"the cluster cannot check ({type(error).__name__}: {printable(str(error), 200)})") from None


async def _demand_progress(client: Client, silence: float, longest: float) -> None:
    if silence > WORKERLESS and not await client.nthreads():
        raise Lost("no worker is left")
    if silence > longest + GRACE:
        raise Lost(f"nothing was finished in {silence:.0f} s")


def _longest(target: Target) -> float:
    """Return the seconds that the check of a target may take."""
    options = target.options
    return float(options.get("deadline") or Bounds().deadline) + float(options.get("wait_for_items") or 0) + JITTER
