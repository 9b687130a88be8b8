"""From read to read: what of a job may change, and when jobs go for the reason that we look."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.clauses.reads import one_for_one
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.exchange.model import Exchange, Request, Response
from conformance.judge.judge import judge
from helpers.answers import NOW, Told, asked, got, item, queue, read, said

A, B, C, D = (item(n) for n in (1, 2, 3, 4))
IDS = [job[1] for job in (A, B, C, D)]


def seen(*listings: Sequence[Any]) -> list[Exchange]:
    """Return reads of these pending jobs, a second apart."""
    return [read(queue(*jobs), number=number) for number, jobs in enumerate(listings, 1)]


def changed(job: list[Any], **changes: Any) -> list[Any]:
    return [changes.get(f"e{index}", value) for index, value in enumerate(job)]


# --- a job keeps its data ---------------------------------------------------------------------------------------------


def test_a_job_that_stays_the_same_is_fine() -> None:
    assert said("reads.job-data", *seen([A, B], [B, A])) == []
    assert said("reads.job-data", *seen([A], [A])) == []


def test_jobs_that_are_listed_once_are_compared_with_none() -> None:
    assert said("reads.job-data", *seen([A], [B])) is None
    assert said("reads.job-data", *seen([A, A], [A, A])) is None
    assert said("reads.job-data", *seen([A])) is None


@pytest.mark.parametrize(
    ("change", "place", "name"), [({"e2": {"1": {}}}, 2, "workflow_json"), ({"e3": ["1"]}, 3, "output_node_ids")]
)
def test_another_value_is_pointed_at_where_it_came(change: dict[str, Any], place: int, name: str) -> None:
    found = said("reads.job-data", *seen([B, A], [B, changed(A, **change)]))
    expected = f"{name} as in the previous response"
    assert found == [Told(f"/queue_pending/1/{place}", expected, "a different value", f"{name} of this job changed.")]


def test_another_time_is_told_with_the_one_before() -> None:
    (finding,) = said("reads.job-data", *seen([A], [changed(A, e4={"create_time": 1})])) or []
    before = A[4]["create_time"]
    assert finding.pointer == "/queue_pending/0/4/create_time"
    assert (finding.expected, finding.got) == ("create_time as in the previous response", "1")
    assert finding.message == f"create_time of this job changed. It was {before} in the previous response."
    assert got(said("reads.job-data", *seen([changed(A, e4={"create_time": 1})], [A]))) == [str(before)]


def test_a_change_on_starting_is_told_as_one() -> None:
    other = changed(A, e2={"1": {}}, e4={"create_time": 1})
    started = said("reads.job-data", read(queue(A), number=1), read(queue(running=(other,)), number=2)) or []
    assert [" when it started" in finding.message for finding in started] == [True, True]
    for first, second in (
        (queue(A), queue(other)),
        (queue(running=(A,)), queue(running=(other,))),
        (queue(running=(A,)), queue(other)),
    ):
        found = said("reads.job-data", read(first, number=1), read(second, number=2)) or []
        assert [" when it started" in finding.message for finding in found] == [False, False]


def test_what_is_not_there_is_not_compared() -> None:
    for one, other in ((A, A[:2]), (A[:2], A), (A, changed(A, e3=None, e4=None)), (A, changed(A, e4={}))):
        assert said("reads.job-data", *seen([one], [other])) == []
        assert said("reads.job-data", *seen([other], [one])) == []


def test_a_job_that_came_in_between_has_nothing_to_keep() -> None:
    assert said("reads.job-data", *seen([A], [B, A])) == []
    (finding,) = said("reads.job-data", *seen([A], [B, changed(A, e2={})])) or []
    assert finding.pointer == "/queue_pending/1/2"


def test_each_read_is_compared_with_the_one_before_it() -> None:
    exchanges = seen([A], [changed(A, e2={})], [changed(A, e2={})], [A])
    found = judge(exchanges, only={"reads.job-data"}).results[0]
    assert (found.judged, found.breached) == (3, 2)


def test_reads_that_overlap_are_not_compared() -> None:
    first, second = seen([A], [changed(A, e2={})])
    assert said("reads.job-data", replace(first, elapsed=1.5), second) is None
    assert got(said("reads.job-data", replace(first, elapsed=1.0), second)) == ["a different value"]
    for unknown in (replace(first, started=None), replace(first, elapsed=None)):
        assert said("reads.job-data", unknown, second) is None
    assert said("reads.job-data", first, replace(second, started=None)) is None


# --- places -----------------------------------------------------------------------------------------------------------


def test_jobs_may_go_come_and_start() -> None:
    assert said("reads.order", *seen([A, B, C], [B, C])) == []
    assert said("reads.order", *seen([A, B, C], [A, C])) == []
    assert said("reads.order", *seen([B, C], [A, B, D, C])) == []
    assert said("reads.order", read(queue(B, C), number=1), read(queue(B, C, running=(A,)), number=2)) == []


def test_two_that_change_places_are_pointed_at_once() -> None:
    message = f'The order of pending jobs changed: in the previous response "{IDS[1]}" was in the place of this job.'
    expected = [Told("/queue_pending/2", "the order of the previous response", f'"{IDS[2]}"', message)]
    assert said("reads.order", *seen([A, B, C], [A, D, C, B])) == expected
    assert len(said("reads.order", *seen([A, B, C], [C, B, A])) or ()) == 1
    (first,) = said("reads.order", *seen([B, A], [A, B])) or []
    assert (first.pointer, first.got) == ("/queue_pending/0", f'"{IDS[0]}"')


def test_running_jobs_and_single_ones_have_no_places() -> None:
    assert said("reads.order", *seen([A], [A])) is None
    assert said("reads.order", *seen([A, B], [A, C])) is None
    assert said("reads.order", *seen([A, B], [C, D])) is None
    running = (read(queue(C, running=(A, B)), number=1), read(queue(C, running=(B, A)), number=2))
    assert said("reads.order", *running) is None


def test_the_read_that_shows_the_change_is_charged() -> None:
    found = judge(seen([A, B], [B, A]), only={"reads.order"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x2"]


# --- in between -------------------------------------------------------------------------------------------------------


def steady(*exchanges: Exchange) -> list[Told] | None:
    return said("reads.steady", *exchanges)


def test_a_job_that_goes_or_comes_is_no_gap() -> None:
    assert steady(*seen([A, B], [A, B], [B])) == []
    assert steady(*seen([A], [A, B], [A, B])) == []
    assert steady(*seen([A, B], [B], [B])) == []


def test_a_job_that_is_missing_in_between_is_named() -> None:
    assert steady(*seen([B, A, C], [C], [A, B, C, D])) == [
        Told(
            "",
            "all jobs that are in the GETs before and after this one (3)",
            "2 of them missing",
            f'This response (read) lacks jobs that are in the GETs before and after it, for example "{IDS[0]}".',
        )
    ]
    assert got(steady(*seen([A], [], [A]))) == ["1 of them missing"]


def test_the_jobs_of_a_list_that_a_read_lacks_are_not_missing_as_well() -> None:
    first, _, last = (read(queue(B, running=(A,)), number=number) for number in (1, 2, 3))
    assert steady(first, read(b'{"queue_pending": []}', number=2), last) == [
        Told(
            "",
            "all jobs that are in the GETs before and after this one (1)",
            "1 of them missing",
            f'This response (read) lacks jobs that are in the GETs before and after it, for example "{IDS[1]}".',
        )
    ]
    assert steady(first, read(b"{}", number=2), last) is None


def test_a_job_that_started_in_between_is_listed() -> None:
    first, _, last = seen([A, B], [], [A, B])
    assert steady(first, read(queue(B, running=(A,)), number=2), last) == []
    assert steady(first, read(queue(A, A, B), number=2), last) == []


def test_a_job_on_its_way_from_one_list_to_the_other_may_be_in_neither() -> None:
    waiting, on_its_way, ran = read(queue(A, B)), read(queue(B), number=2), read(queue(B, running=(A,)), number=3)
    assert steady(waiting, on_its_way, ran) == []
    assert steady(read(queue(running=(A,))), read(queue(), number=2), read(queue(A), number=3)) is None
    assert got(steady(read(queue(running=(A,))), read(queue(), number=2), read(queue(running=(A,)), number=3))) == [
        "1 of them missing"
    ]
    assert got(steady(waiting, read(queue(), number=2), ran)) == ["1 of them missing"]


def test_the_read_in_between_is_charged() -> None:
    found = judge(seen([A], [A], [A], [], [A], [], [A]), only={"reads.steady"}).results[0]
    assert (found.judged, found.breached) == (3, 2)
    assert found.evidence[0].exchange == "x4"
    assert found.evidence[0].seen_in == ("x6",)


def test_before_and_after_are_the_reads_beside_it() -> None:
    assert steady(*seen([A], [], [], [A])) is None
    assert got(steady(*seen([], [A], [], [A]))) == ["1 of them missing"]
    assert steady(*seen([], [A], [], [], [A])) is None


def test_two_reads_or_other_jobs_have_no_between() -> None:
    assert steady(*seen([A], [])) is None
    assert steady(*seen([A], [], [B])) is None
    assert steady(*seen([], [A], [A])) is None
    assert steady(*seen([A], [A], [])) is None


def test_reads_that_overlap_have_no_between() -> None:
    first, between, last = seen([A], [], [A])
    assert steady(replace(first, elapsed=1.5), between, last) is None
    assert steady(first, replace(between, elapsed=1.5), last) is None


# --- safe -------------------------------------------------------------------------------------------------------------


def run(*lost: int, sent: dict[int, int] | None = None, gaps: dict[int, float] | None = None) -> list[Exchange]:
    """Return reads of a queue that loses so many jobs before each but the first.

    ``sent`` adds GETs between two reads that list nothing, ``gaps`` seconds, each by the place of the later read.
    """
    left = 50
    moment, exchanges = NOW, []
    for place, gone in enumerate((0, *lost)):
        left -= gone
        moment += (gaps or {}).get(place, 1.0)
        for extra in range((sent or {}).get(place, 0)):
            other = asked(404, number=1000 * place + extra)
            exchanges.append(replace(other, started=moment, elapsed=0.0))
        one = read(queue(*(item(n)[:2] for n in range(1, left + 1))), number=place)
        exchanges.append(replace(one, started=moment, elapsed=0.01))
    return exchanges


def conversation(exchanges: Sequence[Exchange]) -> Conversation:
    return Conversation(
        [
            Answer(exchange, exchange.response, Reading(exchange.response.content))
            for exchange in exchanges
            if exchange.response is not None
        ]
    )


def taken(*lost: int, **more: Any) -> bool:
    return one_for_one(conversation(run(*lost, **more)))


def test_a_job_for_each_read_is_one_for_one() -> None:
    assert taken(*[1] * 7)
    assert taken(*[1] * 20)
    assert taken(0, *[1] * 6)
    assert taken(*[1] * 20, 0, 0, 0)
    assert taken(*[1] * 9, 0, 2)


def test_a_few_reads_are_chance() -> None:
    assert not taken(*[1] * 6)
    assert not taken(*[1] * 5)


def test_too_many_reads_that_took_none_or_more_are_an_alibi() -> None:
    assert not taken(*[1] * 20, 0, 0, 0, 0)
    assert not taken(*[2] * 20)
    assert not taken(*[0] * 20)
    assert not taken(*[1] * 9, 0, 2, 0)


def test_a_queue_that_is_filled_loses_none() -> None:
    assert not taken(*[-1] * 20)


def test_other_gets_take_jobs_as_well() -> None:
    assert taken(*[3] * 8, sent=dict.fromkeys(range(1, 9), 2))
    assert not taken(*[1] * 8, sent=dict.fromkeys(range(1, 9), 2))


def safe(*lost: int, **more: Any) -> list[str] | None:
    return got(said("reads.safe", *run(*lost, **more)))


def test_jobs_that_stop_vanishing_when_we_pause_vanish_by_our_reads() -> None:
    exchanges = run(*[1] * 9, gaps={9: 60.0})
    message = "One job disappears with each GET of the queue, and none while no GET is sent."
    assert said("reads.safe", *exchanges) == [
        Told(None, "the same jobs after a GET", "one job fewer after each of 8 GETs", message)
    ]
    found = judge(exchanges, only={"reads.safe"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x9"]
    assert safe(*[1] * 8, 0, gaps={9: 60.0}) == ["one job fewer after each of 8 GETs"]


def test_jobs_that_go_on_vanishing_vanish_by_themselves() -> None:
    assert safe(*[1] * 8, 2, gaps={9: 60.0}) == []
    assert safe(*[1] * 8, 40, gaps={9: 60.0}) == []


def test_the_pause_may_have_been_in_the_midst() -> None:
    assert safe(*[1] * 9, gaps={4: 60.0}) == ["one job fewer after each of 8 GETs"]
    assert safe(*[1] * 3, 5, *[1] * 12, gaps={4: 60.0}) == []


def test_without_a_pause_nothing_is_known() -> None:
    assert safe(*[1] * 9) == []
    assert safe(*[1] * 9, gaps={9: 6.0}) == []
    assert safe(*[1] * 9, gaps={9: 6.5}) == ["one job fewer after each of 8 GETs"]


def test_a_pause_is_long_beside_the_usual_one() -> None:
    slowly = dict.fromkeys(range(1, 9), 2.5)
    assert safe(*[1] * 9, gaps={**slowly, 9: 14.5}) == []
    assert safe(*[1] * 9, gaps={**slowly, 9: 15.5}) == ["one job fewer after each of 8 GETs"]


def test_a_pause_is_a_pause_on_any_clock() -> None:
    exchanges = run(*[1] * 9, gaps={9: 9.0})
    early = [replace(one, started=(one.started or 0) - NOW) for one in exchanges]
    assert got(said("reads.safe", *early)) == ["one job fewer after each of 8 GETs"]


def test_a_queue_that_stands_still_is_safe() -> None:
    assert safe(*[0] * 6) == []
    assert safe(*[0] * 9, gaps={9: 60.0}) == []


def test_it_takes_six_reads_one_after_the_other() -> None:
    assert safe(*[0] * 5) is None
    assert safe(*[0] * 6) is not None


def test_an_empty_queue_loses_nothing() -> None:
    empty = [read(queue(), number=number) for number in range(20)]
    assert said("reads.safe", *empty) is None


@pytest.mark.parametrize("method", ["HEAD", "CONNECT"])
def test_a_read_of_another_method_is_no_get(method: str) -> None:
    exchanges = run(*[1] * 9, gaps={9: 60.0})
    for number in range(1, 9):
        sent = Request(method, "http://t/api/queue")
        exchanges.insert(2 * number, Exchange(f"h{number}", sent, Response(200), started=0.0, elapsed=0.0))
    assert got(said("reads.safe", *exchanges)) == ["one job fewer after each of 8 GETs"]


# --- ids --------------------------------------------------------------------------------------------------------------


def renamed(turn: int, *numbers: int, time: int | None = None) -> list[list[Any]]:
    """Return jobs that are the same in each turn except for their ids."""
    moment = {} if time is None else {"e4": {"create_time": time}}
    return [item(number, e1=str(uuid.UUID(int=number + 99 * turn, version=4)), **moment) for number in numbers]


def test_jobs_whose_ids_are_new_in_each_read_are_found() -> None:
    found = said("reads.prompt-ids", *seen(*[renamed(turn, 1, 2) for turn in range(4)])) or []
    assert [(told.pointer, told.expected) for told in found] == [
        ("/queue_pending/0/1", "the id in the previous response")
    ]
    assert "3 pairs of responses" in found[0].message


def test_ids_that_are_new_once_may_be_of_other_jobs() -> None:
    assert said("reads.prompt-ids", *seen(*[renamed(turn, 1) for turn in (0, 1, 2)])) is None
    assert said("reads.prompt-ids", *seen(*[renamed(turn, 1) for turn in (0, 1, 2, 2)])) == []


def test_one_job_of_several_whose_id_is_new_in_each_read_is_found() -> None:
    reads = [[item(7), *renamed(turn, 1)] for turn in range(4)]
    found = said("reads.prompt-ids", *seen(*reads)) or []
    assert [told.pointer for told in found] == ["/queue_pending/1/1"]
    assert "3 pairs of responses" in found[0].message
    assert said("reads.prompt-ids", *seen(*reads[:3], *reads[2:3])) == []


@pytest.mark.parametrize(
    ("last", "exchange", "pairs"),
    [
        ([item(7), *renamed(4, 1)], "x5", 4),
        ([item(7), *renamed(4, 1), *renamed(5, 1)], "x4", 3),  # either of two may be the job
    ],
)
def test_the_last_read_in_which_the_id_is_new_is_the_evidence(last: list[Any], exchange: str, pairs: int) -> None:
    reads = seen(*[[*renamed(turn, 1), item(7)] for turn in range(3)], [item(7), *renamed(3, 1)], last)
    (evidence,) = judge(reads, only={"reads.prompt-ids"}).results[0].evidence
    assert (evidence.exchange, evidence.pointer) == (exchange, "/queue_pending/1/1")
    assert f"{pairs} pairs of responses" in evidence.message


def test_jobs_of_one_moment_are_recognised_if_all_ids_are_new_in_each_read() -> None:
    reads = [[*renamed(turn, 1), *renamed(turn + 50, 1)] for turn in range(4)]
    assert len(said("reads.prompt-ids", *seen(*reads)) or []) == 1


def test_a_job_is_recognised_beside_one_without_a_time() -> None:
    reads = [[item(7, e4={}), *renamed(turn, 1)] for turn in range(4)]
    found = said("reads.prompt-ids", *seen(*reads)) or []
    assert [told.pointer for told in found] == ["/queue_pending/1/1"]


def test_a_new_job_with_an_earlier_time_of_a_listed_job_is_another_job() -> None:
    reads = [[item(7, e4={"create_time": at + 1}), item(10 + at, e4={"create_time": at})] for at in range(1, 6)]
    assert said("reads.prompt-ids", *seen(*reads)) == []


@pytest.mark.parametrize(("time", "compared"), [(2**63 - 1, True), (2**63, False), (2**63 + 1, False)])
def test_a_time_that_is_too_large_to_be_precise_recognises_no_job(time: int, *, compared: bool) -> None:
    reads = [renamed(turn, 1, time=time) for turn in range(4)]
    assert (said("reads.prompt-ids", *seen(*reads)) is not None) is compared


def test_jobs_that_come_and_go_beside_one_that_stays_are_not_renamed() -> None:
    reads = [[item(7), *renamed(turn, 20 + turn)] for turn in range(5)]
    assert said("reads.prompt-ids", *seen(*reads)) == []


def test_a_job_that_follows_another_of_the_same_moment_is_not_the_same_job() -> None:
    batch = [item(number, e4={"create_time": 1_763_913_600_001}) for number in range(1, 8)]
    reads = [[*batch[at : at + 2], item(9)] for at in range(6)]
    assert said("reads.prompt-ids", *seen(*reads)) == []


def test_a_new_job_of_the_same_moment_as_one_that_ended_has_another_workflow() -> None:
    moment = {"create_time": 1_763_913_600_001}
    reads = [
        [item(number, e2={"1": {"class_type": str(number), "inputs": {}}}, e3=["1"], e4=moment), item(9)]
        for number in range(1, 6)
    ]
    assert said("reads.prompt-ids", *seen(*reads)) == []


@pytest.mark.parametrize("time", [1_763_913_600_000, 1_763_913_601_000, 1_763_913_602_000])
def test_equal_jobs_of_one_second_may_be_a_batch(time: int) -> None:
    reads = [renamed(turn, 1, time=time) for turn in range(6)]
    assert said("reads.prompt-ids", *seen(*reads)) is None


def test_ids_in_the_other_letter_case_are_the_same() -> None:
    name = "abcdef00-0000-4000-8000-00000000000a"
    upper, lower = item(10, e1=name.upper()), item(10, e1=name)
    assert said("reads.prompt-ids", *seen([upper], [lower], [upper], [lower])) == []
