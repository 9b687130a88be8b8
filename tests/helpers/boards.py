"""Runs that submit jobs to a simulated queue (a ``Board``) that the test defines, and queues that misbehave."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from conformance.exchange.model import Exchange, Operation
from conformance.probe.limits import Bounds, ServerChanges
from conformance.probe.plan import follow
from conformance.probe.populate import Populating
from conformance.reference.app import Reference
from conformance.reference.board import Board, BoardResponse, Job
from conformance.reference.server import Endpoint
from conformance.reference.variants import Variant
from helpers.simulated_runs import Played, Run, endpoint

PATIENT = ServerChanges(populate=True, job_timeout=20.0)


class Stuck(Board):
    """A simulated queue whose jobs never end."""

    step = 1e9


def when_full(endpoint: Endpoint, number: int) -> threading.Event:
    """Return an event that is set as soon as the endpoint has accepted this number of jobs."""
    board, full = endpoint.reference.board, threading.Event()
    assert board is not None
    add = board.add

    def adding(graph: dict[str, Any], body: dict[str, Any]) -> Job:
        job = add(graph, body)
        if len(board.jobs) == number:
            full.set()
        return job

    board.add = adding  # type: ignore[method-assign]
    return full


class UnstartedRun:
    """A run against a ``Board``, a simulated queue. ``run_to_end`` starts the run.

    ``plan`` sends the fixed requests of a run, after the jobs were submitted and before they are followed to their end.
    """

    def __init__(
        self, board: type[Board], server_changes: ServerChanges = PATIENT, bounds: Bounds | None = None
    ) -> None:
        _, self.clock = endpoint()
        self.reference = Reference(Variant("made", "", board=board), path="/api/queue", clock=self.clock)
        self.client = Played(self.reference, self.clock, server_changes, bounds)
        self.said: list[str] = []
        self.populating = Populating(
            self.client,
            server_changes,
            self.plan,
            self.said.append,
            max_requests=self.client._bounds.max_requests,
            priorities=True,
        )

    async def plan(self) -> str | None:
        return await follow(self.client, keyed=False, max_requests=self.client._bounds.max_requests)

    def run_to_end(self) -> Run:
        stopped = asyncio.run(self.populating.run())
        return Run(self.client, self.populating, stopped, self.said)

    @property
    def alive(self) -> list[Job]:
        assert self.reference.board is not None
        return [*self.reference.board.running, *self.reference.board.pending]


def exchanges_of(run: Run, operation: Operation) -> list[Exchange]:
    return [one for one in run.client.ledger if one.request.operation is operation]


class Keeping(Stuck):
    """A simulated queue that does not remove any job."""

    def jobs_to_remove(self, _names: list[str], *, clear: bool) -> list[Job]:  # noqa: ARG002
        return []

    def interrupt(self, _body: Any) -> BoardResponse:
        return 200, None


def on(board: type[Board], server_changes: ServerChanges = PATIENT, bounds: Bounds | None = None) -> Run:
    """Run on a board of one's own."""
    return UnstartedRun(board, server_changes, bounds).run_to_end()


def stop() -> None:
    """Do what Ctrl-C does to a run."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
