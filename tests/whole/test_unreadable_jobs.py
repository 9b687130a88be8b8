"""Jobs in a queue that the suite cannot read: they are removed by the ids that the server gave, or named."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest

from conformance.exchange.model import Operation
from conformance.load.jobs import JobRounds
from conformance.probe.jobs import READ_BACK
from conformance.reference.app import Reference
from conformance.reference.board import Board, Job
from conformance.reference.queue import Queue
from conformance.reference.server import Endpoint
from conformance.reference.variants import Variant
from helpers.boards import Keeping, Stuck, UnstartedRun, exchanges_of
from helpers.commands import command_line, report
from helpers.load_world import WRITES, World, crowd
from helpers.locust_runs import load, report_in

Change = Callable[[list[Any]], Any]
SHAPES: dict[str, Change] = {
    "objects": lambda item: {"priority": item[0], "prompt_id": item[1], "prompt": item[2]},
    "objects-with-id": lambda item: {"id": item[1], "workflow": item[2]},
    "strings": lambda item: item[1],
    "objects-without-id": lambda item: {"prompt": item[2]},
    "numbers": lambda _: 7,
    "no-id": lambda item: [item[0], None, *item[2:]],
}
"""Elements of the lists that are not items of the queue."""


class Removable(Stuck):
    """Jobs never end by themselves, and a delete removes one that runs as well."""

    def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
        del clear
        return [job for job in (*self.running, *self.pending) if job.prompt_id in names]


def shaped(change: Change) -> type[Board]:
    """Return a board that lists its jobs in another shape."""

    class Shaped(Removable):
        def snapshot(self) -> Queue:
            return {name: [change(item) for item in items] for name, items in super().snapshot().items()}

    return Shaped


def without(queue: Queue, hidden: Collection[str]) -> Queue:
    """Return a queue without some jobs."""
    return {name: [item for item in items if item[1] not in hidden] for name, items in queue.items()}


class Hidden(Removable):
    """Jobs are listed nowhere, neither in the queue nor in the list of jobs."""

    def snapshot(self) -> Queue:
        return {"queue_running": [], "queue_pending": []}

    def job_list(self, statuses: list[str], limit: int, offset: int) -> dict[str, Any]:
        del statuses, limit, offset
        return {"jobs": []}


class Counts(Hidden):
    """The queue says only how many jobs wait."""

    def snapshot(self) -> Queue:
        return {"queue_running": [], "queue_pending": len(self.pending) or []}


BOARDS = [*(pytest.param(shaped(change), id=name) for name, change in SHAPES.items()), Hidden, Counts]


@pytest.mark.parametrize("board", BOARDS)
def test_one_job_is_submitted_and_removed_by_its_id(board: type[Board]) -> None:
    run = UnstartedRun(board)
    done = run.run_to_end()
    assert len(exchanges_of(done, Operation.SUBMIT)) == 1
    assert run.alive == []
    assert done.stopped is not None
    assert done.stopped.startswith("no more jobs were submitted: the queue lists the first one ")


@pytest.mark.parametrize("board", BOARDS)
def test_a_job_that_cannot_be_removed_is_named(board: type[Board]) -> None:
    run = UnstartedRun(board)
    shelf = run.reference.board
    assert shelf is not None
    manage = shelf.manage
    shelf.manage = lambda body: (503, None) if body.get("delete") else manage(body)  # type: ignore[method-assign]
    done = run.run_to_end()
    (job,) = run.alive
    assert job.prompt_id in "".join(done.said)
    assert done.populating.outcome.left == (job.prompt_id,)


def test_the_first_job_is_waited_for_before_the_second_is_submitted() -> None:
    """A cache, or a list that lags behind, is not a queue that cannot be read."""

    class Late(Stuck):
        def snapshot(self) -> Queue:
            fresh = {job.prompt_id for job in self.jobs if self.now - job.created < READ_BACK - 1}
            return without(super().snapshot(), fresh)

    done = UnstartedRun(Late).run_to_end()
    assert len(exchanges_of(done, Operation.SUBMIT)) > 1


def test_a_job_that_ended_before_anybody_looked_was_read_back() -> None:
    class Instant(Board):
        step = 0.0

    run = UnstartedRun(Instant)
    done = run.run_to_end()
    assert len(exchanges_of(done, Operation.SUBMIT)) > 1
    assert run.alive == []
    assert done.said == []


def test_a_job_that_no_read_ever_listed_is_deleted_at_the_end() -> None:
    class HidesOne(Stuck):
        def snapshot(self) -> Queue:
            return without(super().snapshot(), [job.prompt_id for job in self.jobs[2:3]])

    run = UnstartedRun(HidesOne)
    assert run.run_to_end().said == []
    assert run.alive == []


def test_under_load_one_job_is_submitted_and_removed_by_its_id() -> None:
    world = World("takes-slow-jobs")
    board = shaped(SHAPES["objects"])
    world.reference.board = board(world.clock.now)
    jobs = JobRounds(WRITES, world.clock)
    list(crowd(world, jobs, 2000))
    assert len(world.writes(Operation.SUBMIT)) == 1
    assert jobs.why_not == "no more jobs were submitted: the queue lists the first one in a format that cannot be read"
    jobs.clean_up(world.send, world.wait)
    assert world.own == []
    assert jobs.part(last=True).left == ()


def serving_objects(*, keeps: bool) -> Endpoint:
    """Return a server that lists its jobs as objects. If it ``keeps`` them, requests to remove them have no effect."""
    objects = shaped(SHAPES["objects"])
    board = type("KeepsObjects", (Keeping, objects), {}) if keeps else objects
    return Endpoint(Reference(Variant("objects", "", board=board)), "127.0.0.1", 0, "")


def accepted_and_left(server: Endpoint) -> tuple[int, list[str]]:
    """Return how many jobs the server accepted, and the ids of those that have not ended."""
    board = server.reference.board
    assert board is not None
    return len(board.jobs), [job.prompt_id for job in (*board.running, *board.pending)]


@pytest.mark.parametrize("keeps", [False, True])
def test_check_leaves_nothing_in_a_queue_of_objects_or_names_it(tmp_path: Path, *, keeps: bool) -> None:
    with serving_objects(keeps=keeps) as server:
        words = ("check", server.url, "--dialect=oss", "--populate", "--yes", "--job-timeout=5")
        done = command_line(tmp_path, *words)
    assert done.returncode == 1
    accepted, left = accepted_and_left(server)
    assert (accepted, len(left)) == (1, keeps)
    assert report(tmp_path)["jobs"]["left"] == left
    assert all(f"may still be in the queue: {name}" in done.stderr for name in left)
    assert ("may still be in the queue" in done.stderr) is keeps


@pytest.mark.parametrize("keeps", [False, pytest.param(True, marks=pytest.mark.deep)])
def test_load_leaves_nothing_in_a_queue_of_objects_or_names_it(tmp_path: Path, *, keeps: bool) -> None:
    with serving_objects(keeps=keeps) as server:
        words = (server.url, "--dialect=oss", "--populate", "--users=4", "--duration=2", f"--report-dir={tmp_path}")
        done = load(*words)
    assert done.returncode == 1
    accepted, left = accepted_and_left(server)
    assert (accepted, len(left)) == (1, keeps)
    table = done.stdout + done.stderr
    assert "/api/jobs/{id}/cancel" in table
    assert "cancel: answered" not in table, "few servers can cancel one job"
    found = report_in(tmp_path)
    assert found.jobs is not None
    assert found.jobs.left == tuple(left)
    assert all(f"may still be in the queue: {name}" in done.stderr for name in left)
