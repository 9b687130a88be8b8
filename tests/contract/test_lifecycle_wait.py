"""How a job waits and ends, value by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.exchange.model import Operation
from helpers.answers import NOW, Told, item
from helpers.conversations import THEIRS, A, B, C, Talk, charged, told, workflow

FIRST = f"{A[:-1]}0"
"""An id that sorts before all others."""


# --- order ------------------------------------------------------------------------------------------------------------


HEAP = "two jobs are swapped, or the jobs are in the order of a binary heap, in which ComfyUI keeps its queue"


def waits(place: int, behind: str, ahead: str, why: str = "", hint: str | None = None) -> Told:
    return Told(
        f"/queue_pending/{place}",
        "before the job that was submitted after it",
        f'"{behind}"',
        f'The job "{ahead}" was submitted later than this one, but is listed before it{why}.',
        hint,
    )


def slowly(*names: str, **more: Any) -> Talk:
    """Return a run that submits these jobs, many seconds from one to the next."""
    talk = Talk()
    for name in names:
        talk.submit(name, **more).wait(9)
    return talk


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ((A, B, C), []),
        ((B, A, C), [waits(1, A, B)]),
        ((A, C, B), [waits(2, B, C, hint=HEAP)]),
        ((C, B, A), [waits(1, B, C), waits(2, A, B)]),
        ((C, A, B), [waits(1, A, C)]),
        ((B, C, A), [waits(2, A, B), waits(2, A, C)]),
        ((B, A), [waits(1, A, B)]),
        ((C, A), [waits(1, A, C)]),
        ((A, C), []),
        ((THEIRS, C, A), [waits(2, A, C, hint=HEAP)]),
    ],
)
def test_jobs_wait_in_the_order_in_which_they_were_submitted(order: tuple[str, ...], found: list[Told]) -> None:
    assert told("order", slowly(A, B, C).look((), order)) == found


def test_one_job_has_no_order() -> None:
    assert told("order", slowly(A, B).look([A], [B, THEIRS])) is None
    assert told("order", slowly(A, B).look([B, A])) is None
    assert told("priority", slowly(A, B).look((), [B, A])) is None


def test_each_look_is_judged() -> None:
    talk = slowly(A, B).look((), [B, A]).look((), [A, B]).look((), [B, A])
    assert charged("order", talk) == ["x3", "x5"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ({"front": True}, "front: True"),
        ({"number": 0}, "number: 0"),
        ({"number": 1, "front": 2}, "number: 1, front: 2"),
    ],
)
def test_number_and_front_change_nothing(sent: dict[str, Any], why: str) -> None:
    told_why = f" (submitted with {why})"
    ahead = slowly(A).submit(B, **sent)
    assert told("priority", ahead.look((), [B, A])) == [waits(1, A, B, told_why)]
    assert told("order", ahead) is None
    behind = Talk().submit(A, **sent).wait(9).submit(B)
    assert told("priority", behind.look((), [B, A])) == [waits(1, A, B, told_why)]
    assert told("priority", slowly(A).submit(B, **sent).look((), [A, B])) == []
    assert told("priority", slowly(A).submit(B, **sent).look((), [B])) is None


def test_where_both_were_sent_it_is_told_once() -> None:
    talk = Talk().submit(A, front=True).wait(9).submit(B, number=2).look((), [B, A])
    assert told("priority", talk) == [waits(1, A, B, " (submitted with number: 2)")]


def test_where_neither_was_sent_it_is_no_priority() -> None:
    talk = slowly(A, B).submit(C, front=True).look((), [B, A, C])
    assert told("priority", talk) == []
    assert told("order", talk) == [waits(1, A, B)]


def close(
    apart: float, behind: float, *, early: bool = False, times: tuple[Any, Any] | None = None
) -> list[Told] | None:
    """Judge two prompts, so many seconds apart, that stand in the other order and whose times say so by ``behind``."""
    talk = Talk().submit(A).submit(B)
    base = int(NOW * 1000)
    first, second = times or (base, base + round(behind * 1000))
    jobs = [item(n, e1=name, e4={"create_time": time}) for n, (name, time) in enumerate(((B, first), (A, second)), 1)]
    talk.look((), jobs)
    one, two, look = talk.exchanges
    start = 0.25 if early else NOW
    moments = (start, start + apart, start + 50)
    return told("order", [replace(e, started=at, elapsed=0.0) for e, at in zip((one, two, look), moments, strict=True)])


@pytest.mark.parametrize(
    ("apart", "behind", "by_clocks"),
    [
        (0.5, 0.0, True),
        (0.5, 0.5, True),
        (0.5, 0.501, False),
        (0.5, -0.001, False),
        (0.25, 0.75, True),
        (0.25, 0.751, False),
        (0.0, 1.0, True),
        (0.0, 1.001, False),
        (1.0, 0.0, True),
        (1.0, 0.001, False),
        (1.5, 0.0, False),
        (0.5, 0.9, False),
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_clocks_may_differ_by_a_second(apart: float, behind: float, *, by_clocks: bool, early: bool) -> None:
    assert close(apart, behind, early=early) == ([] if by_clocks else [waits(1, A, B)])


@pytest.mark.parametrize("times", [("x", 5), (5, "x"), (None, None), (True, True), (1, 2000)])
def test_where_no_time_is_told_or_times_are_far_apart_no_clock_explains_it(times: tuple[Any, Any]) -> None:
    assert close(0.5, 0.0, times=times) == [waits(1, A, B)]


def test_where_create_time_is_not_there_no_clock_explains_it() -> None:
    for one, other in (({}, {"create_time": 5}), ({"create_time": 5}, {})):
        talk = Talk().submit(A).submit(B).look((), [item(1, e1=B, e4=one), item(2, e1=A, e4=other)])
        assert told("order", talk) == [waits(1, A, B)]


# --- the end ----------------------------------------------------------------------------------------------------------


def back(looks: str) -> list[Told] | None:
    """Judge a run whose job runs, and is then listed (|) or not (.) in looks, and gone in the end."""
    talk = Talk().submit(A).look([A])
    for look in looks:
        talk.look([A] if look == "|" else [])
    return told("ended", talk.look())


@pytest.mark.parametrize(("looks", "absent"), [("..|", 2), ("...|", 3), ("....|", 4), (".|..|", 2), ("|..|", 2)])
def test_a_job_that_ran_and_was_gone_twice_does_not_come_back(looks: str, absent: int) -> None:
    message = f"The job ran, was missing from {absent} GETs of the queue, and is listed again."
    assert back(looks) == [Told("", "no ended job in either list", f'"{A}"', message)]


@pytest.mark.parametrize("looks", ["", "|", ".|", "|.|", ".|.|", "..", ".|.."])
def test_a_job_may_be_missing_once(looks: str) -> None:
    assert back(looks) == []


def test_a_job_that_is_listed_again_at_the_end_did_not_end() -> None:
    message = "The job ran, was missing from 2 GETs of the queue, and is listed again."
    talk = Talk().submit(A).look([A]).look().look().look([A]).jobs(**{A: "completed"})
    assert told("ended", talk) == [Told("", "no ended job in either list", f'"{A}"', message)]


def test_a_job_that_has_not_run_may_be_gone_and_come() -> None:
    talk = Talk().submit(A).look((), [A]).look().look().look((), [A]).look([A]).look()
    assert told("ended", talk) == []
    assert told("ended", Talk().submit(A).look((), [A]).look()) is None
    assert told("ended", Talk().submit(A).look([A])) is None


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
@pytest.mark.parametrize("early", [False, True])
def test_what_the_list_of_jobs_calls_ended_is_gone_half_a_second_later(status: str, *, early: bool) -> None:
    def late(seconds: float) -> list[Told] | None:
        talk = Talk().submit(A).look([A]).jobs(**{A: status}).look([A])
        submitted, first, roll, look = talk.exchanges
        start = 0.0 if early else NOW
        moments = (start, start + 0.125, start + 0.25, start + 0.25 + seconds)
        exchanges = (submitted, first, roll, look)
        return told("ended", [replace(e, started=at, elapsed=0.0) for e, at in zip(exchanges, moments, strict=True)])

    message = f'GET /api/jobs says that this job is "{status}", but the queue still lists it.'
    assert late(0.25) == late(0.5) == []
    assert late(0.75) == [Told("", "no ended job in either list", f'"{A}"', message)]


def test_what_the_list_of_jobs_calls_alive_may_be_listed() -> None:
    assert told("ended", Talk().submit(A).look([A]).jobs(**{A: "in_progress"}).wait(2).look([A]).look()) == []
    assert told("ended", Talk().submit(A).look().jobs(**{A: "completed"}).wait(2).look()) == []


# --- what never was a job ---------------------------------------------------------------------------------------------


def refused(status: int, listed: Any) -> list[Told] | None:
    talk = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": workflow(B)}, status, {"error": "no"})
    return told("rejected", talk.look([A], listed))


@pytest.mark.parametrize("status", [400, 401, 422, 499])
def test_a_prompt_that_was_refused_is_listed_nowhere(status: int) -> None:
    message = f"The queue lists a prompt that was refused with {status} (request x3)."
    assert refused(status, [B]) == [Told("/queue_pending/0/1", "no such job", f'"{B}"', message)]
    assert refused(status, [C]) == []
    assert refused(status, [item(1, e1=B)[:2]]) == []


@pytest.mark.parametrize("status", [199, 200, 399, 500, 501, 503])
def test_another_answer_refuses_nothing(status: int) -> None:
    assert refused(status, [B]) is None


def twice(status: int = 200, graphs: tuple[Any, ...] = (), again: str = A, **sent: Any) -> list[Told] | None:
    """Judge a prompt with the id of one that is there: how it was answered, and which workflows have the id then."""
    body = {"prompt": workflow(B), **(sent or {"prompt_id": again})}
    talk = Talk().submit(A).look([A]).post(Operation.SUBMIT, body, status, {})
    return told("prompt-id-twice", talk.look([item(n, e1=A, e2=graph) for n, graph in enumerate(graphs, 1)]))


@pytest.mark.parametrize("status", [500, 503, 599])
def test_an_id_that_is_there_fails_no_server(status: int) -> None:
    message = "Submitting a prompt_id that already exists causes a server error."
    assert twice(status) == [Told(None, "200 or 4xx", str(status), message)]
    assert twice(499) == twice(200) == twice(400) == []


def test_an_id_that_is_there_is_given_to_no_second_job() -> None:
    found = [
        Told(
            None,
            "a new id, or a refusal",
            f'"{A}"',
            "The queue lists two jobs with this prompt_id, which was submitted twice.",
        )
    ]
    assert twice(graphs=(workflow(A), workflow(B))) == found
    assert twice(graphs=(workflow(B), workflow(A))) == found
    assert twice(graphs=(workflow(A), workflow(A), workflow(B)), again=A.upper()) == found
    assert twice(graphs=(workflow(A), workflow(A))) == twice(graphs=(workflow(A),)) == twice() == []


@pytest.mark.parametrize("other", [FIRST, THEIRS])
def test_jobs_of_other_ids_are_not_the_second(other: str) -> None:
    jobs = [*(item(n, e1=A, e2=workflow(A)) for n in (1, 2)), item(3, e1=other, e2=workflow(B))]
    talk = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": {}, "prompt_id": A}, answer={}).look(jobs)
    assert told("prompt-id-twice", talk) == []
    short = [item(1, e1=A)[:2], item(2, e1=A)[:2]]
    talk = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": {}, "prompt_id": A}, answer={}).look(short)
    assert told("prompt-id-twice", talk) == []
    three = [item(n, e1=A, e2=workflow(name))[:3] for n, name in enumerate((A, B), 1)]
    talk = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": {}, "prompt_id": A}, answer={}).look(three)
    assert len(told("prompt-id-twice", talk) or ()) == 1
    mixed = [item(1, e1=A)[:2], item(2, e1=A, e2=workflow(A)), item(3, e1=A, e2=workflow(B))]
    talk = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": {}, "prompt_id": A}, answer={}).look(mixed)
    assert len(told("prompt-id-twice", talk) or ()) == 1


@pytest.mark.parametrize("again", [FIRST, THEIRS, "none"])
def test_an_id_of_its_own_is_not_there_already(again: str) -> None:
    assert twice(again=again) is None
    assert twice(number=1) is None


# --- beside the queue -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "enough"), [(0, False), (1, False), (2, True), (3, True), (300, True)])
def test_no_fewer_remain_than_wait(number: int, *, enough: bool) -> None:
    talk = Talk().submit(A).look([A], [B, C])
    talk.post(Operation.COUNT, {}, 200, {"exec_info": {"queue_remaining": number}})
    message = "queue_remaining in GET /api/prompt is below the number of pending jobs in the queue."
    expected = Told("/exec_info/queue_remaining", "2 or more", str(number), message)
    assert told("remaining", talk) is None
    assert told("remaining", talk.look([A], [B, C])) == ([] if enough else [expected])


def beside(*looks: Any, moments: tuple[float, ...] = (), early: bool = False, **listed: Any) -> tuple[Any, Any]:
    """Return what is found of a list of jobs that is asked for after looks, of which the last comes after it."""
    talk = Talk().submit(A)
    for running, pending in looks[:-1]:
        talk.look(running, pending)
    talk.post(Operation.JOBS, {}, 200, listed)
    for running, pending in looks[-1:]:
        talk.look(running, pending)
    start = 0.0 if early else NOW
    times = moments or tuple(float(n) for n in range(len(talk.exchanges)))
    exchanges = [replace(e, started=start + at, elapsed=0.0) for e, at in zip(talk.exchanges, times, strict=True)]
    return told("jobs", exchanges), told("job-status", exchanges)


def rows(**statuses: str) -> list[dict[str, str]]:
    return [{"id": {"a": A, "b": B}[name], "status": status} for name, status in statuses.items()]


PENDS, RUNS, GONE = ((), (A,)), ((A,), ()), ((), ())


@pytest.mark.parametrize(
    ("where", "status", "expected"),
    [(PENDS, "in_progress", "pending"), (RUNS, "pending", "in_progress"), (RUNS, "x", "in_progress")],
)
def test_the_list_of_jobs_says_the_same_of_a_job(where: Any, status: str, expected: str) -> None:
    listed = "pending" if expected == "pending" else "running"
    message = f'GET /api/queue lists "{A}" as {listed}, but GET /api/jobs says "{status}".'
    found = Told("/jobs", expected, f'"{status}"', message)
    assert beside(where, where, jobs=rows(a=status)) == ([], [found])
    assert beside(where, where, jobs=rows(a=expected)) == ([], [])


def test_the_list_of_jobs_has_the_jobs_of_the_queue() -> None:
    absent = Told(
        "/jobs",
        f'"{A}"',
        "absent",
        "GET /api/queue listed this job before and after GET /api/jobs, which did not list the job.",
    )
    assert beside(PENDS, PENDS, jobs=[]) == ([absent], [])
    assert beside(PENDS, PENDS, jobs=rows(b="pending")) == ([absent], [])
    assert beside(PENDS, PENDS, jobs=[], pagination={"has_more": True}) == ([], [])
    assert beside(GONE, GONE, jobs=[]) == (None, None)
    assert beside(PENDS, RUNS, jobs=[]) == (None, None)


@pytest.mark.parametrize(
    ("looks", "moments", "compared"),
    [
        ((PENDS, PENDS), (0, 1, 1.25, 2), False),
        ((PENDS, PENDS), (0, 1, 1.5, 2), True),
        ((PENDS, PENDS), (0, 1, 1.75, 2), True),
        ((PENDS, PENDS, PENDS), (0, 1, 2, 2.25, 3), True),
        ((RUNS, PENDS, PENDS), (0, 1, 2, 2.25, 3), False),
        ((RUNS, PENDS, PENDS, PENDS), (0, 1, 2, 3, 3.25, 4), True),
        ((GONE, PENDS, PENDS), (0, 1, 2, 2.25, 3), False),
        ((RUNS, PENDS, PENDS), (0, 1, 2, 2.75, 3), True),
        ((PENDS, RUNS, PENDS, PENDS), (0, 1, 2, 3, 3.25, 4), False),
        ((PENDS, GONE, PENDS, PENDS, PENDS, PENDS), (0, 1, 2, 2.5, 3.1, 3.2, 3.25, 4), True),
        ((PENDS, RUNS, PENDS, PENDS, PENDS, PENDS), (0, 1, 2.9, 3, 3.1, 3.2, 3.25, 4), False),
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_a_job_that_has_just_come_may_not_be_known_yet(
    looks: Any, moments: tuple[float, ...], *, compared: bool, early: bool
) -> None:
    assert (beside(*looks, moments=moments, early=early, jobs=[])[0] is not None) is compared
