"""The jobs of all reads are compared up to a bound, and the report says which reads are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.clauses.reads import one_for_one
from conformance.contract.conversation import LOOKED_AT, Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.known_jobs import BOUNDS, NOTHING, ComparableJobs, KnownJobs, Listing, Roll, Shared
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


def listed(*names: str, known: KnownJobs, time: object = 1) -> ComparableJobs | None:
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


@pytest.mark.parametrize(("size", "jobs"), [(1, 1), (255, 1), (256, 2), (511, 2), (512, 3)], ids=str)
def test_each_256_characters_of_an_id_or_a_time_count_as_a_job(size: int, jobs: int) -> None:
    for name, time in (("x" * size, 1), ("x", "y" * (size - 2))):  # the quotation marks count
        assert listed(name, known=KnownJobs(distinct=jobs), time=time)
        assert listed(name, known=KnownJobs(distinct=jobs - 1), time=time) is None


def test_short_ids_and_times_count_as_one_job_each() -> None:
    assert listed("x" * 200, "y" * 200, known=KnownJobs(distinct=2), time="z" * 200)


def test_inspections_of_proven_jobs_are_kept_up_to_a_bound() -> None:
    known = KnownJobs()
    for number in range(100_001):
        known.keep_proven(b"%d" % number, number)
    assert [known.proven(key) for key in (b"0", b"99999", b"100000")] == [0, 99_999, None]


def test_the_jobs_of_all_reads_count_up_to_a_bound() -> None:
    known = KnownJobs(listed=3)
    assert [known.may_list(jobs) for jobs in (2, 2, 2, 1, 1, 0)] == [True, False, False, True, False, True]
    assert [KnownJobs().may_list(jobs) for jobs in (5_000_000, 5_000_001)] == [True, False]


def test_a_job_without_a_time_counts_as_one() -> None:
    known, facts = KnownJobs(distinct=1), Facts(None, None, None)
    assert [known.number(name.encode(), name, lambda: facts) for name in "ab"] == [0, None]


def listing(names: str, known: KnownJobs, *, running: int = 0) -> Listing:
    roll = Roll(known)
    for place, name in enumerate(names):
        pending = place >= running
        pointer = f"/{'queue_pending' if pending else 'queue_running'}/{place - running * pending}"
        roll.note(name, Observation(pointer, pending, Facts(None, None, None)))
    found = roll.listed()
    assert found is not None
    return found.once


def test_a_listing_has_the_jobs_of_both_lists_in_order() -> None:
    found = listing("cab", KnownJobs(), running=1)
    assert (list(found), len(found), found.running, found.pending) == (["c", "a", "b"], 3, ["c"], ["a", "b"])
    assert dict(found.index) == {"c": 0, "a": 1, "b": 2}
    assert ("a" in found, "x" in found) == (True, False)
    assert [(found[name].pointer, found[name].pending) for name in "cb"] == [
        ("/queue_running/0", False),
        ("/queue_pending/1", True),
    ]
    assert [name for name, _ in found.facts] == ["c", "a", "b"]
    assert (NOTHING.once.running, NOTHING.once.pending, NOTHING.repeated) == ([], [], frozenset())


def test_listings_are_compared_by_their_jobs() -> None:
    known = KnownJobs()
    before, after, other = listing("ab", known), listing("bc", known), listing("d", known)
    assert (before.shares_jobs(after), before.shares_jobs(other)) == (True, False)
    assert after.changed_since(before) == []
    changed = KnownJobs()
    changed.number(b"x", "b", lambda: Facts(None, None, Located("/4/create_time", 2)))
    assert listing("bc", changed).changed_since(before) == ["b"]


def test_the_indexes_of_the_last_three_listings_are_kept() -> None:
    known = KnownJobs()
    listings = [listing(names, known) for names in ("a", "b", "c", "d")]
    first, *_ = [known.index(each) for each in listings[:3]]
    assert known.index(listings[0]) is first
    second, third = known.index(listings[1]), known.index(listings[2])
    known.index(listings[3])
    assert known.index(listings[1]) is second
    assert known.index(listings[2]) is third
    assert known.index(listings[0]) is not first


def test_a_summary_drops_the_texts_of_its_jobs() -> None:
    asked: list[bytes] = []

    def digest(key: bytes, make: Callable[[], bytes]) -> bytes:
        asked.append(key)
        return make()

    FastReading(queue(A, B)).summary.settle(digest)
    assert len(asked) == 4


def test_repeated_jobs_are_left_out_of_their_lists() -> None:
    roll, facts = Roll(KnownJobs()), Facts(None, None, None)
    for place, name in enumerate("aabef"):
        roll.note(name, Observation(f"/queue_running/{place}", pending=False, facts=facts))
    for place, name in enumerate("cb"):
        roll.note(name, Observation(f"/queue_pending/{place}", pending=True, facts=facts))
    found = roll.listed()
    assert found is not None
    assert (found.once.running, found.once.pending) == (["e", "f"], ["c"])
    assert found.repeated == {"a", "b"}
    assert [found.once[name].pointer for name in "ec"] == ["/queue_running/3", "/queue_pending/0"]


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
