"""The jobs of all reads are compared up to a bound, and the report says which reads are not."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.clauses.reads import one_for_one
from conformance.contract.conversation import LOOKED_AT, Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import BOUNDS, NOTHING, KnownJobs, Listed, Roll, Shared
from conformance.contract.reading.large import LargeReading
from conformance.contract.reading.memory import Facts, Located, Observation
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.judge import judge
from conformance.judge.judging import Judging
from conformance.judge.report import Status, Verdict
from conformance.render.html import render_html
from conformance.render.qualifiers import flags
from helpers.answers import item, queue, read, reads, result

A, B, C = (item(number) for number in (1, 2, 3))
UNPROVEN = [*B[:4], {"create_time": "soon"}]
LARGE = 1 << 20


def large(*jobs: Any) -> bytes:
    """Return the body of a queue that is read in windows."""
    return queue(*jobs).rjust(LARGE + 1)


def answer(body: bytes) -> Answer:
    exchange = read(body)
    assert exchange.response is not None
    return Answer(exchange, exchange.response, Reading(body))


def listed(*names: str, known: KnownJobs, time: object = 1) -> Listed | None:
    roll = Roll(known)
    for place, name in enumerate(names):
        facts = Facts(None, None, Located("/4/create_time", time))
        roll.note(name, Observation(f"/queue_pending/{place}", pending=True, facts=facts))
    return roll.listed()


# --- what is kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [[A, B], [A, UNPROVEN, C], [A, A, B], [UNPROVEN, UNPROVEN], [A, "x", [1], B], []])
def test_large_and_small_readings_list_the_same_jobs(jobs: list[Any]) -> None:
    known = KnownJobs()
    one, other = (
        LargeReading(large(*jobs), shared=Shared(known)).summary,
        Reading(queue(*jobs), shared=Shared(known)).summary,
    )
    assert list(one.observations) == list(other.observations)
    assert one.observations == other.observations
    assert (one.ids, one.repeated) == (other.ids, other.repeated)


def test_a_job_that_is_listed_again_is_kept_once() -> None:
    known = KnownJobs(distinct=3)
    for body in (large(A, B), large(B, A, C), queue(C, B)):
        reading = LargeReading(body, shared=Shared(known))
        assert reading.summary.compared
    assert len(known.names) == 3


def test_jobs_count_up_to_the_bounds() -> None:
    known = KnownJobs(distinct=3)
    assert listed("a", "b", known=known)
    assert listed("b", "c", known=known)
    assert listed("d", known=known) is None
    assert listed("a", known=known)
    assert listed("a", "b", known=KnownJobs(listed=1)) is None


@pytest.mark.parametrize(("name", "time"), [("x" * 1000, 1), ("x", "y" * 1000), ("x", 10**1000)])
def test_a_long_id_or_time_counts_as_several_jobs(name: str, time: object) -> None:
    assert listed(name, known=KnownJobs(distinct=3), time=time) is None
    assert listed(name, known=KnownJobs(distinct=5), time=time)


def test_jobs_with_the_same_id_are_not_compared_with_other_reads() -> None:
    found = listed("a", "b", "a", known=KnownJobs())
    assert found is not None
    assert (list(found.once), found.repeated) == (["b"], frozenset({"a"}))
    assert found.once["b"].pointer == "/queue_pending/1"


def test_places_are_in_the_order_of_the_list() -> None:
    roll, known = Roll(KnownJobs()), Facts(None, None, None)
    for place in (2, 0, 1):
        roll.note(str(place), Observation(f"/queue_running/{place}", pending=False, facts=known))
    found = roll.listed()
    assert found is not None
    assert (found.once.running, found.once.pending) == (["0", "1", "2"], [])


def test_a_list_that_is_dropped_leaves_no_jobs() -> None:
    roll = Roll(KnownJobs())
    roll.note("a", Observation("/queue_running/0", pending=False, facts=Facts(None, None, None)))
    roll.drop("queue_running")
    assert roll.listed() == NOTHING


# --- what is compared -------------------------------------------------------------------------------------------------


CHANGES = {
    "same": ([A, B], [A, B]),
    "order": ([A, B, C], [A, C, B]),
    "workflow": ([A, B], [A, [*B[:2], {"2": {"class_type": "B", "inputs": {}}}, *B[3:]]]),
    "create_time": ([A, B], [A, [*B[:4], {"create_time": B[4]["create_time"] + 1}]]),
    "unproven": ([A, UNPROVEN, C], [UNPROVEN, A, C]),
    "no longer proven": ([A, B], [A, UNPROVEN]),
    "missing": ([A, B], [A], [A, B]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_large_reads_are_compared_like_small_ones(name: str) -> None:
    told = [
        {
            (each.id, each.status, tuple((piece.pointer, piece.got) for piece in each.evidence))
            for each in judge(reads(*map(body, range(len(CHANGES[name]))))).results
            if each.id.startswith("reads.")
        }
        for body in (
            lambda at: queue(*CHANGES[name][at]),
            lambda at: large(*CHANGES[name][at]).rjust(LARGE + 2 + at),
        )
    ]
    assert told[0] == told[1]


def test_more_than_twenty_thousand_jobs_are_compared() -> None:
    jobs = [
        f'[1,"{number:08}-1111-4111-8111-111111111111",{{"1":{{}}}},["1"],{{"create_time":1700000000001}}]'
        for number in range(20_001)
    ]
    shared = Shared(KnownJobs())
    first, second = (
        Answer(exchange, exchange.response, LargeReading(exchange.response.content, shared=shared))
        for exchange in reads(
            *(
                f'{{"queue_running":[],"queue_pending":[{",".join(each)}]}}'.encode()
                for each in (jobs, [*jobs[:-2], jobs[-1], jobs[-2]])
            )
        )
        if exchange.response is not None
    )
    clause = BY_ID["reads.order"]
    assert clause.across is not None
    ((_, subject),) = clause.across(Conversation([first, second]))
    (finding,) = clause.check(subject)
    assert finding.pointer == "/queue_pending/19999"


# --- what is not compared ---------------------------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run compare two different jobs only."""
    monkeypatch.setattr("conformance.judge.judge.KnownJobs", partial(KnownJobs, distinct=2))


@pytest.mark.usefixtures("few")
def test_a_clause_that_compared_no_reads_is_not_kept() -> None:
    judgement = judge(reads(queue(A, B, C), queue(A, B, C), queue(A, B, C)))
    assert judgement.verdict is Verdict.CONFORMANT
    assert judgement.uncompared == f"3 of 3 GETs of the queue list {BOUNDS}: not compared"
    found = result(judgement, "reads.order")
    assert (found.status, found.judged) == (Status.NOT_EXERCISED, 0)
    assert found.reason == f"needs two pending jobs in two consecutive GETs of the queue; {judgement.uncompared}"


@pytest.mark.usefixtures("few")
def test_a_clause_that_compared_some_reads_says_which_it_left_out() -> None:
    judgement = judge(
        reads(
            queue(A, B),
            queue(
                A,
                B,
            ),
            queue(A, B, C),
        )
    )
    found = result(judgement, "reads.order")
    assert (found.status, found.reason) == (
        Status.PASS,
        f"kept in 1 response; 1 of 3 GETs of the queue list {BOUNDS}: not compared",
    )
    assert result(judgement, "item.array").reason == "kept in 3 responses"


@pytest.mark.usefixtures("few")
def test_a_report_says_which_reads_were_not_compared() -> None:
    transcript = Transcript(tuple(reads(queue(A, B, C), queue(A, B))), "http://t", 0.0, 1.0, None)
    report = report_on(transcript, Judging())
    told = f"1 of 2 GETs of the queue list {BOUNDS}: not compared"
    assert report.run.uncompared == told
    assert told in flags(report)
    assert told in render_html(report)


def test_a_run_that_compared_everything_says_nothing() -> None:
    judgement = judge(reads(queue(A, B, C), queue(A, B, C)))
    assert judgement.uncompared is None
    assert result(judgement, "reads.order").reason == "kept in 1 response"


def test_own_jobs_are_not_looked_for_in_a_very_large_queue() -> None:
    rows = ",".join(f'[1,"{number}"]' for number in range(LOOKED_AT + 1))
    large_one = answer(f'{{"queue_running":[],"queue_pending":[{rows}]}}'.encode())
    conversation = Conversation([large_one, answer(queue(A))])
    assert conversation.unlooked == f"1 of 2 GETs of the queue list more than {LOOKED_AT:,} jobs: not compared"
    assert conversation.history.queue_reads == []
    assert one_for_one(conversation) is False


def test_what_is_no_queue_is_not_counted() -> None:
    conversation = Conversation([answer(b"[]")])
    assert (conversation.uncompared, conversation.unlooked) == (None, None)
