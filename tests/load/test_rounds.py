"""Jobs under load, without a network and on a clock that goes by hand: bounded, judged fairly, and removed again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import pytest
from msgspec import structs

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange, Operation, Response
from conformance.load.jobs import FUTILE, JobRounds
from conformance.load.response_result import ResponseResult
from conformance.load.rounds import ALIKE, JOBS, Deed, Round, script
from conformance.load.stream import Stream
from conformance.probe.jobs import submit
from conformance.probe.leave import Leave
from conformance.probe.requests import Ask
from conformance.probe.workflows import built_in, unique
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.variants import VARIANTS
from helpers.load_world import READ, WRITES, World, crowd
from helpers.profiles import one_in, quick_if

BOARDS = [name for name, variant in VARIANTS.items() if variant.board is not None]


def single(world: World, deed: Deed, *, ends: float = 20.0) -> Round:
    """Follow one round to its end, and return it."""
    leave = Leave(prompts=JOBS, bare=True)
    workflows = [built_in("PreviewImage", slow=True), built_in("PreviewImage", slow=False)]
    steps = script(leave, workflows, deed, clock=world.clock, ends=world.clock.now + ends)
    under_way = Round(leave, steps)
    while under_way.next is not None:
        world.wait(under_way.pause)
        under_way.note(world.send(under_way.next, leave))
        world.wait(0.02)
    return under_way


class Tribunal:
    """Counts in how many answers clauses are judged, and broken: in single ones, and in the life of jobs."""

    def __init__(self, world: World, demand: Demand) -> None:
        self.judged, self.broken = Counter[str](), Counter[str]()
        self._world, self._stream, self._heard = world, Stream(demand), 0

    def hear(self, over: Round) -> None:
        """Judge a round, and what was sent until it was over."""
        for _, noted in self._stream.of_jobs(over.kept):
            self._count(noted)
        self.hear_the_rest()

    def hear_the_rest(self) -> None:
        """Judge what was sent since."""
        for exchange in self._world.sent[self._heard :]:
            self._count(self._stream.judge("everybody", exchange))
        self._heard = len(self._world.sent)

    def _count(self, noted: ResponseResult) -> None:
        assert not noted.errors
        self.judged.update(noted.judged)
        self.broken.update(clause for clause, _ in noted.broken)


def told(world: World, rounds: Iterator[Round], demand: Demand) -> tuple[Counter[str], Counter[str]]:
    """Return in how many answers clauses were judged, and broken."""
    tribunal = Tribunal(world, demand)
    for over in rounds:
        tribunal.hear(over)
    tribunal.hear_the_rest()
    return tribunal.judged, tribunal.broken


def demand_of(dialect: str) -> Demand:
    return Demand.of(Dialect(dialect))


# --- one round --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", Deed)
@pytest.mark.parametrize("variant", one_in(4, BOARDS))
def test_a_round_leaves_nothing_behind(variant: str, deed: Deed) -> None:
    world = World(variant)
    over = single(world, deed)
    assert over.settled
    assert world.own == []
    assert len(world.writes(Operation.SUBMIT)) == JOBS


@pytest.mark.parametrize(
    ("deed", "deletes", "interrupts"), [(Deed.NOTHING, 0, 0), (Deed.DELETE, 1, 0), (Deed.INTERRUPT, 0, 1)]
)
def test_a_round_does_its_deed_and_nothing_else(deed: Deed, deletes: int, interrupts: int) -> None:
    world = World()
    single(world, deed)
    assert len(world.writes(Operation.MANAGE)) == deletes
    assert len(world.writes(Operation.INTERRUPT)) == interrupts


def test_no_interrupt_is_sent_where_it_could_hit_somebody_elses_job() -> None:
    world = World("takes-jobs-of-others-too")
    single(world, Deed.INTERRUPT)
    assert world.writes(Operation.INTERRUPT) == []
    assert world.writes(Operation.SUBMIT) != []


def test_jobs_that_do_not_end_in_time_are_removed() -> None:
    world = World("takes-slow-jobs")
    over = single(world, Deed.NOTHING, ends=1.0)
    assert over.settled
    assert world.own == []
    assert world.clock.now - world.sent[0].started < 10.0  # type: ignore[operator]
    assert [json.loads(exchange.request.body).keys() for exchange in world.writes(Operation.MANAGE)] == [{"delete"}]


def test_where_the_queue_is_not_shown_nothing_is_submitted() -> None:
    world = World()
    world.answer = lambda _, response: replace(response, status=503)
    assert single(world, Deed.DELETE).settled
    assert len(world.sent) == 1


def test_after_a_refusal_no_more_is_submitted_and_what_was_taken_is_followed() -> None:
    world, taken = World(), Counter[str]()

    def full(ask: Ask, response: Response) -> Response:
        taken["prompts"] += ask.operation is Operation.SUBMIT
        return replace(response, status=429) if taken["prompts"] == 2 and ask.operation else response

    world.answer = full
    over = single(world, Deed.DELETE)
    assert len(world.writes(Operation.SUBMIT)) == 2
    assert over.settled
    assert world.own == []


def test_looks_in_a_row_that_say_the_same_are_kept_four_times_at_most() -> None:
    world = World("takes-slow-jobs")
    over = single(world, Deed.NOTHING)
    assert len(world.sent) > 10 * len(over.kept)
    said = [shown(exchange) if exchange.request.operation is None else exchange.id for exchange in over.kept]
    assert max(len(list(alike)) for _, alike in groupby(said)) == ALIKE
    assert over.kept[-1] is world.sent[-1]
    others = [exchange for exchange in over.kept if exchange.request.operation is not None]
    assert others == [exchange for exchange in world.sent if exchange.request.operation is not None]


def shown(exchange: Exchange) -> str:
    """Return which jobs a look lists, and where."""
    assert exchange.response is not None
    return json.dumps([[entry[1] for entry in jobs] for jobs in json.loads(exchange.response.content).values()])


def test_no_more_bytes_are_kept_than_there_is_room_for() -> None:
    world = World()
    leave = Leave(prompts=JOBS, bare=True)
    steps = script(leave, [built_in("PreviewImage", slow=False)], Deed.NOTHING, clock=world.clock, ends=1e12)
    tight = Round(leave, steps, room=1500)
    while tight.next is not None:
        tight.note(world.send(tight.next, leave))
    weights = [len(exchange.response.content) for exchange in tight.kept if exchange.response]
    assert sum(weights) <= 1500 < sum(len(each.response.content) for each in world.sent if each.response)


# --- many users -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", one_in(3, BOARDS))
def test_a_conforming_queue_is_accused_of_nothing_by_a_crowd(variant: str) -> None:
    world = World(variant)
    jobs = JobRounds(WRITES, world.clock, bare=True)
    tribunal = Tribunal(world, demand_of(VARIANTS[variant].dialect))
    for over in crowd(world, jobs, 2500):
        tribunal.hear(over)
        if tribunal.judged["lifecycle.listed"] >= 3 * JOBS:
            break
    assert tribunal.broken == {}
    assert tribunal.judged["lifecycle.listed"] >= JOBS


EXERCISED = {
    "lifecycle.prompt-id",
    "lifecycle.listed",
    "lifecycle.listed-at-once",
    "lifecycle.same-id",
    "lifecycle.workflow",
    "lifecycle.create-time",
    "lifecycle.order",
    "lifecycle.ended",
    "lifecycle.delete.removes",
    "lifecycle.delete.spares",
    "lifecycle.delete.answer",
    "lifecycle.delete.names",
    "lifecycle.interrupt.stops",
    "lifecycle.interrupt.spares",
    "lifecycle.jobs",
    "lifecycle.job-status",
}
"""What rounds see of the life of jobs; the rest needs other prompts, requests that are to be refused, or a priority."""


def test_rounds_exercise_what_the_page_says() -> None:
    world = World()
    jobs = JobRounds(WRITES, world.clock, bare=True)
    judged, _ = told(world, crowd(world, jobs, 2500), demand_of("cloud"))
    assert {clause for clause in judged if clause.startswith("lifecycle.")} == EXERCISED


ELSEWHERE = {"heap-of-jobs": "queue.pending.oldest-first"}
"""Lies that another clause tells of, since rounds have too few jobs to show them to the one that they are aimed at."""


RARE = (
    "interrupt-does-nothing",
    "interrupt-takes-the-next-too",
    "heap-of-jobs",
    "newest-first-and-dated-so",
    "list-of-jobs-says-all-run",
)
"""Faults that take thousands of requests to show."""


@pytest.mark.parametrize(
    "fault",
    quick_if(
        (fault for fault in FAULTS.values() if fault.needs_jobs and fault.clause in EXERCISED),
        lambda fault: fault.name not in RARE,
    ),
    ids=lambda fault: fault.name,
)
def test_a_lie_about_jobs_is_found_by_a_crowd(fault: Fault) -> None:
    world = World(fault=fault.name)
    jobs = JobRounds(WRITES, world.clock, bare=True)
    clause, tribunal = ELSEWHERE.get(fault.name, fault.clause), Tribunal(world, demand_of(fault.dialect))
    for over in crowd(world, jobs, 6000):
        tribunal.hear(over)
        if tribunal.broken[clause]:
            return
    tribunal.hear_the_rest()
    assert tribunal.broken[clause] > 0


def test_the_queue_holds_no_more_of_our_jobs_than_was_said() -> None:
    world = World("takes-slow-jobs")
    jobs = JobRounds(WRITES, world.clock, bare=True)
    most = 0
    original = world.send

    def watching(ask: Ask, leave: Leave | None) -> Exchange:
        nonlocal most
        exchange = original(ask, leave)
        most = max(most, len(world.own))
        return exchange

    world.send = watching  # type: ignore[method-assign]
    list(crowd(world, jobs, 1200, users=8))
    assert JOBS < most <= WRITES.jobs


def test_while_one_interrupts_no_other_has_jobs() -> None:
    world, job = World(), built_in("PreviewImage", slow=False)
    jobs = JobRounds(structs.replace(WRITES, workflows=(job,)), lambda: 0.0, bare=True)
    first = jobs.begin()
    assert first is not None
    assert jobs.begin() is None, "until a job is read back there is one round"
    jobs.note(world.send(submit("a job", unique(job, first.leave.token)), first.leave))
    assert jobs.begin() is None, "the job is taken, and not read back yet"
    world.send(READ, first.leave)
    second = jobs.begin()
    assert second is not None
    assert jobs.begin() is None, "the third is to interrupt, and waits until it is alone"
    jobs.end(first)
    assert jobs.begin() is None
    jobs.end(second)
    third = jobs.begin()
    assert third is not None
    assert jobs.begin() is None, "nobody begins beside one that interrupts"
    jobs.end(third)
    assert [jobs.begin() is not None for _ in range(3)] == [True, True, False], "then some at a time again"


# --- not at all -------------------------------------------------------------------------------------------------------


def test_a_server_that_takes_no_prompt_is_left_alone_after_three() -> None:
    world = World()
    jobs = JobRounds(WRITES, world.clock, bare=True)
    world.answer = lambda ask, response: replace(response, status=403) if ask.method == "POST" else response
    list(crowd(world, jobs, 500))
    assert len(world.writes(Operation.SUBMIT)) == FUTILE
    assert jobs.why_not == "no job was accepted: POST /api/prompt got a 403"


def test_a_server_without_the_nodes_is_not_written_to() -> None:
    world = World()
    jobs = JobRounds(WRITES, world.clock, bare=True)
    nodes = b'{"EmptyImage": {}}'
    world.answer = lambda ask, response: replace(response, content=nodes) if "node" in ask.purpose else response
    list(crowd(world, jobs, 100))
    assert world.writes(Operation.SUBMIT, Operation.MANAGE, Operation.INTERRUPT) == []
    assert jobs.why_not is not None
    assert "the server has no ImageScale" in jobs.why_not
    assert "--workflow" in jobs.why_not


# --- removing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", one_in(4, BOARDS))
@pytest.mark.parametrize("requests", [3, 9, 20, 45, 101, 260])
def test_wherever_it_is_stopped_nothing_is_left(variant: str, requests: int) -> None:
    world = World(variant)
    jobs = JobRounds(WRITES, world.clock, bare=True)
    list(crowd(world, jobs, requests))
    jobs.clean_up(world.send, world.wait)
    assert world.own == []
    assert jobs.part(last=True).left == ()
    assert jobs.begin() is None


def test_a_prompt_whose_answer_was_lost_is_found_by_its_mark_and_removed() -> None:
    world = World("takes-slow-jobs")
    jobs = JobRounds(WRITES, world.clock, bare=True)
    world.answer = lambda ask, response: None if ask.operation is Operation.SUBMIT else response
    list(crowd(world, jobs, 40))
    assert world.own != []
    jobs.clean_up(world.send, world.wait)
    assert world.own == []
    part = jobs.part(last=True)
    assert (part.left, part.unknown, part.taken) == ((), 0, 0)


def test_what_cannot_be_removed_is_named() -> None:
    world = World("takes-slow-jobs")
    jobs = JobRounds(WRITES, world.clock, bare=True)
    list(crowd(world, jobs, 40))
    left = {job.prompt_id for job in world.own}
    world.answer = lambda _, response: replace(response, status=502)
    jobs.clean_up(world.send, world.wait)
    assert set(jobs.part(last=True).left) == left != set()


def test_a_prompt_of_which_nothing_is_known_is_counted() -> None:
    world = World("takes-slow-jobs")
    jobs = JobRounds(WRITES, world.clock, bare=True)
    world.answer = lambda ask, response: None if ask.operation is Operation.SUBMIT else response
    list(crowd(world, jobs, 8))
    world.answer = lambda _ask, _response: None
    jobs.clean_up(world.send, world.wait)
    assert jobs.part(last=True).unknown == len(world.writes(Operation.SUBMIT)) == 1


def test_stopped_in_the_middle_of_removing_what_may_be_left_is_known() -> None:
    world = World("takes-slow-jobs")
    jobs = JobRounds(WRITES, world.clock, bare=True)
    list(crowd(world, jobs, 40))

    def again(_ask: Ask, _leave: Leave) -> Exchange:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.clean_up(again, world.wait)
    assert set(jobs.part(last=True).left) == {job.prompt_id for job in world.own} != set()


def test_only_the_last_part_names_what_is_left() -> None:
    world = World("takes-slow-jobs")
    jobs = JobRounds(WRITES, world.clock, bare=True)
    list(crowd(world, jobs, 40))
    jobs.close()
    first, last, after = jobs.part(last=False), jobs.part(last=True), jobs.part(last=True)
    assert (first.left, after.left) == ((), ())
    assert last.left != ()
    assert first.submitted > 0
    assert last.submitted == after.submitted == 0


def test_clauses_on_the_life_of_jobs_are_all_in_the_catalogue() -> None:
    assert set(BY_ID) >= EXERCISED
