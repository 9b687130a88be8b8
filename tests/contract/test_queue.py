"""Between the jobs of one answer: one order, one id each, and a list that is sorted."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.clause import Cause
from conformance.contract.clauses.queue import BY_NUMBER, heap_in
from conformance.contract.reading.body import Reading
from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange
from conformance.judge.judge import judge
from helpers.answers import Told, got, item, queue, read, said


def swapped(number: int) -> list[Any]:
    job = item(number)
    return [*job[:3], job[4], job[3]]


MIXED = read(queue(item(2), swapped(3), running=(item(1),)))


def mixing(demand: Demand, exchange: Exchange = MIXED) -> list[tuple[str | None, str]] | None:
    found = said("queue.one-order", exchange, demand=demand)
    return None if found is None else [(finding.pointer, finding.expected) for finding in found]


@pytest.mark.parametrize(
    ("first", "places"),
    [(Dialect.CLOUD, ["/queue_pending/1/3"]), (Dialect.OSS, ["/queue_running/0/3", "/queue_pending/0/3"])],
)
def test_a_job_in_another_order_than_the_first_is_named(first: Dialect, places: list[str]) -> None:
    expected = "the order of the first job in the run"
    assert mixing(Demand.detected(first, "/x")) == [(place, expected) for place in places]


def test_where_no_order_was_told_none_is_another() -> None:
    assert mixing(Demand.of(Dialect.AUTO)) == []


@pytest.mark.parametrize("third", [None, 1, "[]", True])
def test_a_job_that_does_not_tell_its_order_is_named(third: Any) -> None:
    expected = [("/queue_pending/0/3", "an array or an object")]
    for demand in (Demand.of(Dialect.AUTO), Demand.detected(Dialect.CLOUD, "/x")):
        assert mixing(demand, read(queue(item(e3=third)))) == expected


def test_a_short_job_and_nan_tell_nothing_of_an_order() -> None:
    auto = Demand.of(Dialect.AUTO)
    assert mixing(auto, read(queue(item()[:4]))) is None
    assert mixing(auto, read(queue(item(e3=float("nan"))))) is None


# --- ids --------------------------------------------------------------------------------------------------------------


def named(prompt_id: Any) -> list[Any]:
    return item(e1=prompt_id)


BEFORE = "This prompt_id is already listed above."
AT_ONCE = "listed as running and as pending at once"


def test_an_id_of_its_own_is_fine() -> None:
    assert said("queue.prompt-ids.distinct", read(queue(named("a"), named("b"), running=(named("c"),)))) == []


def test_a_job_that_is_listed_twice_is_pointed_at_the_second_time() -> None:
    found = said("queue.prompt-ids.distinct", read(queue(named("a"), named("b"), named("A"), named("a"))))
    assert found == [
        Told("/queue_pending/2/1", "a unique id", '"A"', BEFORE),
        Told("/queue_pending/3/1", "a unique id", '"a"', BEFORE),
    ]


def test_a_job_that_runs_and_waits_is_told_as_that() -> None:
    found = said("queue.prompt-ids.distinct", read(queue(named("b"), named("a"), running=(named("a"),))))
    message = "This job is also listed at /queue_running/0."
    assert found == [Told("/queue_pending/1/1", "a unique id", '"a"', message, AT_ONCE)]


def test_ids_are_compared_where_there_are_two() -> None:
    for jobs in ([], [named("a")], [named("a"), named(None)], [named(1), named(1)], [[1], named("a")]):
        assert said("queue.prompt-ids.distinct", read(queue(*jobs))) is None
    assert said("queue.prompt-ids.distinct", read(queue(named("a"), named("b")))) == []


# --- times and numbers ------------------------------------------------------------------------------------------------

HEAP = "the jobs are in the order of a binary heap, in which ComfyUI keeps its queue"
PERHAPS = "two jobs are swapped, or the jobs are in the order of a binary heap, in which ComfyUI keeps its queue"
NEWEST = "newest first"


def timed(*times: Any, running: tuple[Any, ...] = ()) -> Exchange:
    def job(time: Any) -> list[Any]:
        return item(e4={"create_time": time})

    return read(queue(*map(job, times), running=tuple(map(job, running))))


def numbered(*numbers: Any, running: tuple[Any, ...] = ()) -> Exchange:
    return read(queue(*(item(e0=number) for number in numbers), running=tuple(item(e0=number) for number in running)))


SORTED = [(1, 2), (1, 1), (1, 1, 2), (5, 9, 9, 9)]
FALLING = [
    ((2, 1), [1], NEWEST),
    ((3, 2, 1), [1, 2], NEWEST),
    ((3, 2, 2, 1), [1, 3], NEWEST),
    ((1, 3, 2), [2], PERHAPS),
    ((1, 5, 2, 6, 9, 3), [2, 5], HEAP),
    ((1, 1, 3, 2), [3], PERHAPS),
    ((1, 2, 5, 3, 4, 6, 7), [3], PERHAPS),
    ((1, 2, 3, 4, 6, 5), [5], PERHAPS),
    ((1, 2, 7, 3, 4, 6), [3], None),
    ((1, 2, 2, 1), [3], None),
    ((2, 1, 3), [1], None),
    ((2, 3, 1), [2], None),
    ((1, 1, 1, 0), [3], NEWEST),
]


@pytest.mark.parametrize("values", SORTED)
def test_a_list_that_never_falls_is_sorted(values: tuple[int, ...]) -> None:
    assert said("queue.pending.oldest-first", timed(*values)) == []
    assert said("queue.job-numbers.rising", numbered(*values)) == []


@pytest.mark.parametrize(("values", "places", "hint"), FALLING)
def test_each_fall_is_pointed_at_and_told_with_its_cause(
    values: tuple[int, ...], places: list[int], hint: str | None
) -> None:
    assert said("queue.pending.oldest-first", timed(*values)) == [
        Told(
            f"/queue_pending/{place}/4/create_time",
            "a time not before that of the job listed ahead of this one",
            str(values[place]),
            f"This job is older than the one listed before it, whose create_time is {values[place - 1]}.",
            hint,
        )
        for place in places
    ]
    assert said("queue.job-numbers.rising", numbered(*values)) == [
        Told(
            f"/queue_pending/{place}/0",
            "a number above that of the job listed before this one",
            str(values[place]),
            f"job_number is lower than that of the job listed before it, which has {values[place - 1]}.",
            hint,
        )
        for place in places
    ]


def placed(*jobs: tuple[int, Any]) -> Exchange:
    """Return a read of pending jobs with these pairs of create_time and job_number."""
    return read(queue(*(item(e0=number, e4={"create_time": time}) for time, number in jobs)))


@pytest.mark.parametrize(
    ("jobs", "kind", "hint"),
    [
        (((2, -1), (1, 1)), "newest-first", BY_NUMBER),
        (((2, 1.5), (1, 2)), "newest-first", BY_NUMBER),
        (((2, -1), (1, -1)), "newest-first", BY_NUMBER),
        (((5, 1), (5, 1.5), (4, 2)), "newest-first", BY_NUMBER),
        (((4, 1), (5, 2.5), (3, 3)), "", BY_NUMBER),
        (((2, 0), (1, 1)), "newest-first", NEWEST),
        (((2, -1), (1, -2)), "newest-first", NEWEST),
        (((2, -1), (1, "x")), "newest-first", NEWEST),
        (((4, 1), (5, 2), (3, 3)), "", None),
        (((1, -3), (3, -2), (2, -1)), "heap", PERHAPS),
    ],
)
def test_a_number_that_a_client_chose_explains_an_early_job(
    jobs: tuple[tuple[int, Any], ...], kind: str, hint: str | None
) -> None:
    found = judge([placed(*jobs)], only={"queue.pending.oldest-first"}).results[0].evidence
    assert [(evidence.kind, evidence.hint) for evidence in found] == [(kind, hint)]


@pytest.mark.parametrize(
    ("jobs", "hint"),
    [
        (((1, 1), (2, 3), (3, 2)), PERHAPS),
        (((1, 1), (3, 2), (2, 3)), PERHAPS),
        (((1, 1), (3, 5), (2, 2), (4, 6), (5, 9), (6, 3)), HEAP),
        (((1, 3), (3, 2), (2, 1)), PERHAPS),
        (((1, 1), (1, 1), (2, 2)), None),
        (((3, 3), (2, 2), (1, 1)), None),
        (((1, "x"), (2, 1)), None),
        ((), None),
    ],
)
def test_a_heap_may_be_by_number_or_by_time(jobs: tuple[tuple[int, Any], ...], hint: str | None) -> None:
    response = placed(*jobs).response
    assert response is not None
    found = heap_in(Reading(response.content))
    assert found == (None if hint is None else Cause("", hint))


def test_what_is_no_number_is_not_compared() -> None:
    assert said("queue.pending.oldest-first", timed(3, "x", 2)) != []
    assert said("queue.job-numbers.rising", numbered(3, None, True, 2)) != []  # noqa: FBT003 - a value on the wire


def test_running_jobs_stand_in_any_order() -> None:
    assert said("queue.pending.oldest-first", timed(5, 6, running=(9, 1))) == []
    assert said("queue.job-numbers.rising", numbered(5, 6, running=(9, 1))) == []
    assert said("queue.job-numbers.distinct", numbered(5, 6, running=(5, 5))) == []


@pytest.mark.parametrize("values", [(), (1,), (1, "x"), (None, None)])
def test_one_value_has_no_order(values: tuple[Any, ...]) -> None:
    assert said("queue.pending.oldest-first", timed(*values, running=(1, 2))) is None
    assert said("queue.job-numbers.rising", numbered(*values, running=(1, 2))) is None
    assert said("queue.job-numbers.distinct", numbered(*values, running=(1, 2))) is None


def test_a_position_that_stands_twice_is_pointed_at_the_second_time() -> None:
    found = said("queue.job-numbers.distinct", numbered(1, 2, 1, 2, 1.0))
    assert [finding.pointer for finding in found or ()] == [f"/queue_pending/{n}/0" for n in (2, 3, 4)]
    assert got(said("queue.job-numbers.distinct", numbered(1, 2, 2))) == ["2"]
    assert said("queue.job-numbers.distinct", numbered(1, 2, 4)) == []
