"""The checks of many targets: who is next, what a back end makes of it, and where the result is kept."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conformance.fleet.backend import Backend, longest
from conformance.fleet.bounds import FleetBounds
from conformance.fleet.filing import Filing
from conformance.fleet.model import EndpointResult
from conformance.fleet.sources import TargetSource, own_environment
from conformance.fleet.turns import Turns, host_of
from conformance.fleet.work import Done, Keep, Order
from conformance.run.targets import Target

LOOK: Final = 5.0
"""Seconds without a result after which the back end is asked whether any can come."""


@dataclass(frozen=True)
class Engine:
    """How targets are checked: by ``workers`` processes of this machine, or by the cluster at ``scheduler``."""

    bounds: FleetBounds
    workers: int = 1
    scheduler: str | None = None
    keep: Keep = "all"
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options that outweigh those of the targets."""
    isolate: bool = False
    """Whether each target is checked in a process of its own."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Holds the keys of the targets."""
    variables: frozenset[str] = frozenset()
    """The variables that no process sees unless its order carries them."""

    def backend(self) -> AbstractAsyncContextManager[Backend]:
        """Start processes, or connect to the cluster. Entering raises Lost."""
        if self.scheduler is not None:
            from conformance.fleet.cluster import cluster

            return cluster(self.scheduler)
        from conformance.fleet.local import processes

        shared = {name: value for name, value in self.environ.items() if name not in self.variables}
        return processes(self.workers, shared)

    def order(self, target: Target) -> Order:
        """Return the order to check a target. A key is in it only for a process of this machine."""
        host = host_of(target)
        return Order(
            replace(target, isolate=target.isolate or self.isolate),
            delay=random.uniform(0, self.bounds.latest(host)),  # noqa: S311 - so that not all begin at once
            rate_limit=self.bounds.share(host),
            keep="all" if target.options.get("history") else self.keep,
            environ=own_environment(target, self.environ) if self.scheduler is None else None,
        )


Tell = Callable[[EndpointResult], None]


async def run(engine: Engine, source: TargetSource, filing: Filing, tell: Tell) -> None:
    """Check every target whose result is not kept yet, and keep each result as it comes.

    Raises Lost if nothing can be checked any more, and OSError if the results cannot be written. What was written by
    then stays, also if this is cancelled.
    """
    async with engine.backend() as backend:
        with closing(iter(source)) as targets:
            left = (target.with_options(engine.given) for target in targets if target.name not in filing.results.done)
            turns = Turns(left, parallel=engine.bounds.parallel, room=engine.bounds.room)
            await take_turns(backend, engine, turns, filing, tell)


async def take_turns(backend: Backend, engine: Engine, turns: Turns, filing: Filing, tell: Tell) -> None:
    """Check the targets as their turn comes."""
    running: dict[asyncio.Task[Done], Order] = {}
    last = time.monotonic()
    try:
        while True:
            while (target := turns.next()) is not None:
                order = engine.order(target)
                running[asyncio.create_task(backend.check(order))] = order
            if not running:
                return
            ended, _ = await asyncio.wait(running, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(ended, key=lambda each: each.exception() is not None):  # first keep what came
                target = running.pop(task).target
                turns.over(target)
                tell(filing.add(target, task.result()))
                last = time.monotonic()
            if not ended:
                await backend.demand_progress(time.monotonic() - last, max(map(longest, running.values())))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
