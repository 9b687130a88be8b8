"""Jobs that a run submitted are removed, however it ends."""

from __future__ import annotations

import asyncio
import copy
import uuid
from typing import Any

import pytest

from conformance.exchange.headers import Headers
from conformance.exchange.model import Operation, Response
from conformance.probe.jobs import CLEAN_UP
from conformance.probe.limits import Bounds
from conformance.reference.board import Board, InBetween, Job
from conformance.reference.queue import Queue
from helpers.boards import Keeping, Stuck, UnstartedRun, exchanges_of, on, stop


def test_jobs_that_do_not_end_in_their_time_are_removed() -> None:
    run = UnstartedRun(Stuck)
    done = run.run_to_end()
    assert run.alive == []
    assert done.said == []
    assert done.populating.outcome.left == ()


def test_jobs_are_removed_after_a_mistake_of_our_own() -> None:
    run = UnstartedRun(Stuck)

    async def broken() -> str | None:
        raise ZeroDivisionError

    run.populating.plan = broken
    with pytest.raises(ZeroDivisionError):
        run.run_to_end()
    assert run.alive == []


def test_jobs_are_removed_after_the_deadline() -> None:
    run = UnstartedRun(Stuck, bounds=Bounds(deadline=0.3, max_requests=900))
    done = run.run_to_end()
    assert done.stopped == "the time for the run (--deadline)"
    assert run.alive == []
    assert len(exchanges_of(done, Operation.SUBMIT)) >= 3


def test_jobs_are_removed_where_the_limit_of_requests_is_reached() -> None:
    run = UnstartedRun(Stuck, bounds=Bounds(max_requests=25))
    done = run.run_to_end()
    assert done.stopped == "the limit of 25 requests (--max-requests)"
    assert run.alive == []


@pytest.mark.parametrize("at", [5, 12, 20, 40, 90])
def test_jobs_are_removed_wherever_the_run_is_stopped(at: int) -> None:
    run = UnstartedRun(Stuck)
    run.client.on_answer = lambda _method, _url: stop() if run.client.sent == at else None
    with pytest.raises(asyncio.CancelledError):
        run.run_to_end()
    assert run.alive == []
    assert run.said == []


def test_what_could_not_be_removed_is_named() -> None:
    run = UnstartedRun(Keeping)
    began = run.client.monotonic()
    done = run.run_to_end()
    alive = [job.prompt_id for job in run.alive]
    assert len(alive) >= 8
    (said,) = done.said
    assert all(name in said for name in alive)
    assert set(done.populating.outcome.left) == set(alive)
    assert run.client.monotonic() - began < 120 + CLEAN_UP


def test_ids_are_sent_back_as_the_server_writes_them() -> None:
    class Shouting(Stuck):
        def id_for(self, body: dict[str, Any]) -> str:
            return super().id_for(body).upper()

    run = UnstartedRun(Shouting)
    assert run.run_to_end().said == []
    assert run.alive == []


def test_a_job_among_those_of_others_is_left_running_and_named() -> None:
    class Crowded(Stuck):
        workers = 2
        foreign = 1e9

        def __init__(self, now: float, seed: int = 0) -> None:
            super().__init__(now, seed)
            self._arrivals = now

    run = UnstartedRun(Crowded)
    done = run.run_to_end()
    ours = [job.prompt_id for job in run.alive if not job.foreign]
    assert len(ours) >= 1
    assert all(job.status == "in_progress" for job in run.alive if not job.foreign)
    assert set(done.populating.outcome.left) == set(ours)
    assert exchanges_of(done, Operation.INTERRUPT) == []


def test_where_the_server_is_gone_every_job_is_named() -> None:
    run = UnstartedRun(Stuck)

    async def gone() -> str | None:
        run.reference.path = "/elsewhere"
        return None

    run.populating.plan = gone
    done = run.run_to_end()
    (said,) = done.said
    assert all(job.prompt_id in said for job in run.alive)


class Cached(Stuck):
    """A board that is read from a cache of two seconds."""

    shown: tuple[float, Queue] | None = None

    def snapshot(self) -> Queue:
        if self.shown is None or self.now - self.shown[0] > 2.0:
            self.shown = self.now, super().snapshot()
        return copy.deepcopy(self.shown[1])


class Late(Stuck):
    """A board that lists nobody in the first two seconds."""

    def snapshot(self) -> Queue:
        fresh = {job.prompt_id for job in self.jobs if self.now - job.created < 2.0}
        listed = super().snapshot()
        return {name: [item for item in items if item[1] not in fresh] for name, items in listed.items()}


class LastInBetween(InBetween):
    """A board whose last job never ends, and is a second on its way into the list of what runs."""

    moment = 1.0

    def start(self, job: Job) -> None:
        super().start(job)
        if not self.pending:
            job.ends = 1e12


@pytest.mark.parametrize("board", [Cached, Late, LastInBetween])
def test_jobs_that_a_read_does_not_show_yet_are_removed_all_the_same(board: type[Board]) -> None:
    run = UnstartedRun(board)
    done = run.run_to_end()
    assert run.alive == []
    assert (done.said, done.populating.outcome.left) == ([], ())
    assert done.populating.leave.seen, "the jobs were waited for"


def test_a_server_that_says_not_now_is_asked_to_remove_them_again() -> None:
    class Busy(Stuck):
        def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
            return [] if broken.is_set() else super().jobs_to_remove(names, clear=clear)

    broken = asyncio.Event()
    run = UnstartedRun(Busy)
    send = run.client._send

    async def refusing(method: str, url: str, headers: Headers, body: bytes = b"") -> tuple[Response | None, Any]:
        answer, problem = await send(method, url, headers, body)
        return (Response(503, ()) if broken.is_set() else answer), problem

    async def busy() -> str | None:
        broken.set()
        run.client.on_answer = lambda _method, _url: broken.clear() if run.client.monotonic() > later else None
        later = run.client.monotonic() + 5.0
        return "busy"

    run.client._send = refusing  # type: ignore[method-assign]
    run.populating.plan = busy
    assert run.run_to_end().said == []
    assert run.alive == []


def test_where_the_queue_cannot_be_read_any_more_what_waits_is_deleted_all_the_same() -> None:
    run = UnstartedRun(Stuck)
    send = run.client._send

    async def blind(method: str, url: str, headers: Headers, body: bytes = b"") -> tuple[Response | None, Any]:
        answer, problem = await send(method, url, headers, body)
        return (Response(500, ()) if method == "GET" else answer), problem

    async def gone() -> str | None:
        run.client._send = blind  # type: ignore[method-assign]
        return "the queue cannot be read"

    run.populating.plan = gone
    (said,) = run.run_to_end().said
    assert [job.status for job in run.alive] in (["in_progress"], [])
    assert all(job.prompt_id in said for job in run.alive)


def test_other_peoples_jobs_do_not_make_us_look_more_often() -> None:
    class Restless(Stuck):
        workers = 2
        foreign = 0.05

        def start(self, job: Job) -> None:
            super().start(job)
            job.ends = self.now + 0.01 if job.foreign else job.ends

    done = on(Restless)
    assert len([one for one in done.client.ledger if "until the jobs have ended" in one.request.purpose]) < 40


def test_an_id_in_the_answer_and_another_in_the_queue_are_one_prompt() -> None:
    class Renaming(Board):
        def response_id(self, job: Job) -> str:
            return str(uuid.UUID(int=uuid.UUID(job.prompt_id).int ^ 1))

    found = on(Renaming).populating.outcome
    assert found.taken < found.submitted


def test_an_answer_to_a_prompt_that_nests_too_deep_is_no_mistake_of_ours() -> None:
    run = UnstartedRun(Stuck)
    send = run.client._send

    async def deep(method: str, url: str, headers: Headers, body: bytes = b"") -> tuple[Response | None, Any]:
        answer, problem = await send(method, url, headers, body)
        return (Response(200, (), b"[" * 100_000) if url.endswith("/prompt") else answer), problem

    run.client._send = deep  # type: ignore[method-assign]
    assert run.run_to_end().said == []
    assert run.alive == []


def test_names_that_a_server_gives_are_said_harmlessly_and_briefly() -> None:
    class Hostile(Keeping):
        def id_for(self, _asked: dict[str, Any]) -> str:
            return f"\x1b[2J{len(self.jobs)}\u202e" + "x" * 5000

    (said,) = on(Hostile).said
    assert said.isprintable()
    assert len(said) < 2200


def test_a_submission_that_was_not_answered_is_found_by_its_mark() -> None:
    run = UnstartedRun(Stuck)
    prompts: list[str] = []

    def lose(method: str, url: str) -> None:
        if method == "POST" and url.endswith("/prompt"):
            prompts.append(url)
            stop()

    run.client.on_answer = lose
    with pytest.raises(asyncio.CancelledError):
        run.run_to_end()
    assert len(prompts) == 1
    assert run.reference.board is not None
    assert [job.status for job in run.reference.board.jobs] == ["cancelled"]
