"""Check many targets: choose the next target, check it on a back end, and store the result."""

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
from conformance.fleet.result_lines import EndpointResult
from conformance.fleet.sources import TargetSource, own_environment
from conformance.fleet.turns import Turns, host_of
from conformance.fleet.work import Assignment, Done, Keep
from conformance.run.targets import Target

LOOK: Final = 5.0
"""After this many seconds without a result, ask the back end whether more results can be expected."""


@dataclass(frozen=True)
class Engine:
    """How targets are checked: by ``workers`` processes on this machine, or by the cluster at ``scheduler``."""

    bounds: FleetBounds
    workers: int = 1
    scheduler: str | None = None
    keep: Keep = "all"
    given: Mapping[str, Any] = field(default_factory=dict)
    """Options that override those of the targets."""
    isolate: bool = False
    """Whether each target is checked in its own process."""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The environment, which contains the keys of the targets."""
    variables: frozenset[str] = frozenset()
    """Names of all environment variables with secrets. A process gets only the variables of the targets that it checks.
    """

    def backend(self) -> AbstractAsyncContextManager[Backend]:
        """Return the back end as a context manager: processes on this machine, or a cluster. Raises Lost on entry."""
        if self.scheduler is not None:
            from conformance.fleet.cluster import cluster

            return cluster(self.scheduler)
        from conformance.fleet.local import processes

        shared = {name: value for name, value in self.environ.items() if name not in self.variables}
        return processes(self.workers, shared)

    def order(self, target: Target) -> Assignment:
        """Return the order to check a target.

        It contains the target's key only if a process on this machine checks it.
        """
        host = host_of(target)
        return Assignment(
            replace(target, isolate=target.isolate or self.isolate),
            delay=random.uniform(0, self.bounds.latest(host)),  # noqa: S311 - spread the starts
            rate_limit=self.bounds.share(host),
            keep="all" if target.options.get("history") else self.keep,
            environ=own_environment(target, self.environ) if self.scheduler is None else None,
        )


Tell = Callable[[EndpointResult], None]


async def run(engine: Engine, source: TargetSource, filing: Filing, tell: Tell) -> None:
    """Check every target that has no stored result. Store each result as it arrives, and pass it to ``tell``.

    Raises Lost if no check is possible any more, and OSError if results cannot be written. Results that were written
    stay, even if the run is cancelled.
    """
    async with engine.backend() as backend:
        with closing(iter(source)) as targets:
            left = (target.with_options(engine.given) for target in targets if target.name not in filing.results.done)
            turns = Turns(left, parallel=engine.bounds.parallel, room=engine.bounds.room)
            await take_turns(backend, engine, turns, filing, tell)


async def take_turns(backend: Backend, engine: Engine, turns: Turns, filing: Filing, tell: Tell) -> None:
    """Check the targets that ``turns`` returns, as many at the same time as ``turns`` allows."""
    running: dict[asyncio.Task[Done], Assignment] = {}
    last = time.monotonic()
    try:
        while True:
            while (target := turns.next()) is not None:
                order = engine.order(target)
                running[asyncio.create_task(backend.check(order))] = order
            if not running:
                return
            ended, _ = await asyncio.wait(running, timeout=LOOK, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(ended, key=lambda each: each.exception() is not None):  # results before errors
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
