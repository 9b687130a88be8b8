"""The back end that runs checks on a running Dask cluster."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import dask
from distributed import Client
from distributed.client import FutureCancelledError
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker

from conformance.fleet.backend import GRACE, Lost
from conformance.fleet.result_lines import failed_result
from conformance.fleet.work import Assignment, Done, OtherSuite, work
from conformance.text.safe import printable

CONNECT: Final = 20.0
"""Seconds within which a scheduler must respond, and within which a first worker must be available."""
WORKERLESS: Final = 60.0
"""The run ends after this many seconds without any worker. A lost worker is usually replaced sooner."""
_CONFIGURATION: Final = {
    "logging": {"distributed": "critical"},  # we report problems ourselves, in one line
    "distributed.comm.timeouts.connect": f"{CONNECT:g}s",
}


class Cluster:
    """Submits each check to the scheduler, under a unique key.

    The scheduler drops the check once its result has arrived.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._run = f"check-{secrets.token_hex(4)}"
        self._numbers = count()

    async def check(self, order: Assignment) -> Done:
        """Let a worker check a target. Raises Lost if that fails for a reason other than the target."""
        try:
            done: Done = await self._client.submit(work, order, key=(self._run, next(self._numbers)), pure=False)
        except KilledWorker:
            reason = "every worker that checked this target was lost, so the target is not checked again"
            return Done(failed_result(order.target, reason))
        except (FutureCancelledError, CommClosedError):  # either may come first
            raise Lost("the connection to the scheduler was lost") from None
        except OtherSuite as other:
            raise Lost(str(other)) from None
        except Exception as error:  # noqa: BLE001 - a module is missing on a worker, or another Dask error
            problem = printable(str(error), 200)
            raise Lost(f"the cluster cannot check ({type(error).__name__}: {problem})") from None
        return done

    async def demand_progress(self, silence: float, longest: float) -> None:
        """Raise Lost if the cluster had no worker for a minute, or is silent for much longer than a check takes."""
        if silence > WORKERLESS and not await self._client.nthreads():
            raise Lost("the cluster has no worker any more")
        if silence > longest + GRACE:
            raise Lost(f"no check has finished for {silence:.0f} s")


@asynccontextmanager
async def cluster(scheduler: str) -> AsyncIterator[Cluster]:
    """Connect to a scheduler. Raises Lost if it does not respond or has no worker."""
    with dask.config.set(_CONFIGURATION):
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            client = await Client(scheduler, asynchronous=True, timeout=CONNECT)
        except (OSError, ValueError) as error:
            why = printable(str(error.__cause__ or error), 200)
            raise Lost(f"no scheduler at {scheduler} ({why}): start one with 'dask scheduler'") from None
        try:
            await client.wait_for_workers(1, timeout=CONNECT)
        except TimeoutError:
            await client.close()
            raise Lost(f"no worker at {scheduler}: start one with 'dask worker {scheduler}'") from None
        try:
            yield Cluster(client)
        finally:
            await client.close(timeout=CONNECT)
