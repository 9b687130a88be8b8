"""What a run that writes saw of its own jobs, value by value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.clauses.lifecycle_remove import vanished as vanished_jobs
from conformance.contract.conversation import (
    Answer,
    Conversation,
    JobHistory,
    QueueRead,
    began,
    digest_of,
    ended,
)
from conformance.contract.reading.body import Reading
from conformance.exchange.model import Exchange, Operation
from helpers.answers import item, queue, read
from helpers.conversations import THEIRS, A, B, C, D, Talk, workflow


def answer(exchange: Exchange) -> Answer:
    assert exchange.response is not None
    return Answer(exchange, exchange.response, Reading(exchange.response.content))


def history(talk: Talk) -> JobHistory:
    return JobHistory(Conversation([answer(exchange) for exchange in talk.exchanges]))


# --- what was said ----------------------------------------------------------------------------------------------------


def test_an_answer_has_a_beginning_and_an_end() -> None:
    timed = replace(read(queue()), started=5.0, elapsed=2.0)
    assert (began(answer(timed)), ended(answer(timed))) == (5.0, 7.0)
    assert ended(answer(replace(timed, elapsed=None))) == 5.0
    assert (began(answer(replace(timed, started=None))), ended(answer(replace(timed, started=None)))) == (0.0, 2.0)


@pytest.mark.parametrize(("status", "taken"), [(200, [A]), (199, []), (201, []), (400, [])])
def test_a_prompt_is_taken_by_a_200(status: int, taken: list[str]) -> None:
    found = history(Talk().post(Operation.SUBMIT, {"prompt": workflow(A)}, status, {"prompt_id": A}))
    assert [one.id for one in found.submissions] == taken
    assert len(found.prompts) == 1
    assert [one.workflow for one in found.submissions] == [digest_of(workflow(A)) for _ in taken]


@pytest.mark.parametrize(
    ("status", "said", "numbers"),
    [
        (200, {"exec_info": {"queue_remaining": 3}}, [3]),
        (200, {"exec_info": {"queue_remaining": 0}}, [0]),
        (199, {"exec_info": {"queue_remaining": 3}}, []),
        (201, {"exec_info": {"queue_remaining": 3}}, []),
        (200, {"exec_info": {"queue_remaining": True}}, []),
        (200, {"exec_info": {"queue_remaining": "3"}}, []),
        (200, {"exec_info": {}}, []),
        (200, {"exec_info": [3]}, []),
        (200, {}, []),
    ],
)
def test_a_count_is_a_number(status: int, said: Any, numbers: list[int]) -> None:
    talk = Talk().submit(A).post(Operation.COUNT, {}, status, said)
    assert [number for _, number in history(talk).counts()] == numbers


@pytest.mark.parametrize(
    ("status", "more", "whole"),
    [
        (200, {}, [True]),
        (200, {"pagination": {"has_more": True}}, [False]),
        (199, {}, []),
        (201, {}, []),
        (200, {"pagination": {"has_more": False}}, [True]),
        (200, {"pagination": {"has_more": 1}}, [True]),
        (200, {"pagination": {}}, [True]),
        (200, {"pagination": [True]}, [True]),
    ],
)
def test_a_list_of_jobs_may_have_more(status: int, more: dict[str, Any], whole: list[bool]) -> None:
    listed = {"jobs": [{"id": A.upper(), "status": "pending"}, 3], **more}
    job_lists = history(Talk().submit(A).post(Operation.JOBS, {}, status, listed)).job_lists
    assert [job_list.whole for job_list in job_lists] == whole
    assert all(job_list.statuses == {A: "pending"} for job_list in job_lists)


def test_writes_are_what_deletes_clears_and_interrupts() -> None:
    talk = Talk().submit(A).look([A]).delete(A, B.upper()).interrupt(A).jobs(**{A: "cancelled"})
    writes = history(talk).writes
    assert [write.operation for write in writes] == [Operation.MANAGE, Operation.INTERRUPT]
    assert [write.deleted for write in writes] == [{A, B}, frozenset()]


# --- reads of the queue -----------------------------------------------------------------------------------------------


def test_what_is_listed_twice_is_known_as_that() -> None:
    queue_read = QueueRead(answer(read(queue(item(1, e1=A), item(2, e1=B), running=(item(3, e1=B),)))))
    assert [name in queue_read.ids and name not in queue_read.jobs for name in (A, B, C)] == [False, True, False]


def around(*looks: tuple[Any, Any]) -> tuple[str, str] | None:
    """Return the ids of the reads of the queue before and after a GET of the list of jobs, sent before the last."""
    talk = Talk().submit(A)
    for running, pending in looks[:-1]:
        talk.look(running, pending)
    talk.jobs(**{A: "pending"})
    for running, pending in looks[-1:]:
        talk.look(running, pending)
    found = history(talk)
    between = found.around(found.job_lists[0].answer)
    return None if between is None else (between[0].answer.exchange.id, between[1].answer.exchange.id)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (([A], [B]), ([A], [B, C])),
        (([A], [B]), ([C], [B])),
        (([A], [B]), ([B], [A])),
        (([A], [B, C]), ([A], [C, B])),
        (([A, D, D], [B]), ([A, D], [B])),
        (([A], [B, D, D]), ([A], [B, D])),
        (([A, D, D], [B]), ([A], [B])),
    ],
)
def test_something_moved_where_the_looks_around_differ(one: Any, other: Any) -> None:
    assert around(one, other) is None
    assert around(other, one) is None
    assert around(other, one, one) == ("x3", "x5")
    assert around(one, one) == ("x2", "x4")


def test_only_the_looks_next_to_a_response_count() -> None:
    found = history(Talk().submit(A).look([A]).look([A], [B]).jobs(**{A: "pending"}).look([A], [B]).look([B]))
    between = found.around(found.job_lists[0].answer)
    assert [look.answer.exchange.id for look in between or ()] == ["x3", "x5"]


def test_a_look_on_either_side_is_needed() -> None:
    before = history(Talk().submit(A).look([A]).jobs(**{A: "pending"}))
    after = history(Talk().submit(A).jobs(**{A: "pending"}).look([A]))
    assert [found.around(found.job_lists[0].answer) for found in (before, after)] == [None, None]


def test_the_last_status_counts() -> None:
    found = history(Talk().submit(A).jobs(**{A: "pending", B: "pending"}).jobs(**{A: "completed"}))
    assert [found.status_of(name) for name in (A, B, C)] == ["completed", "pending", None]


# --- what a write took away -------------------------------------------------------------------------------------------

Looks = tuple[tuple[Any, Any], ...]
BEFORE: Looks = (([A], [B, C]), ([A], [B, C]))
AFTER: Looks = (([A], []), ([A], []))


def vanished(
    before: Looks = BEFORE, after: Looks = AFTER, *, others: tuple[int, ...] = (), deleted: str = C, **statuses: str
) -> list[tuple[str, str]]:
    """Return what a delete took away: looks before and after it, and other writes after so many looks."""
    talk = Talk().submit(A).submit(B).submit(C)
    for number, (running, pending) in enumerate((*before, *after), 1):
        if number == len(before) + 1:
            talk.delete(deleted)
        talk.look(running, pending)
        if number in others:
            talk.post(Operation.MANAGE, {"clear": False}, answer={})
    if statuses:
        talk.jobs(**{{"a": A, "b": B, "c": C}[name]: status for name, status in statuses.items()})
    found = history(talk)
    write = next(write for write in found.writes if write.deleted)
    first = found.after(write.answer)[:1]
    return [("first" if look in first else look.answer.exchange.id, name) for look, name in vanished_jobs(found, write)]


def test_a_job_that_is_gone_while_the_same_ones_run_was_taken_away() -> None:
    assert vanished() == [("first", B)]
    assert vanished(after=(*AFTER, *AFTER)) == [("first", B)]
    assert vanished(deleted=B) == [("first", C)]


def test_a_job_that_is_seen_again_is_not_gone() -> None:
    assert vanished(after=(AFTER[0], ([A], [B]))) == []
    assert vanished(after=(AFTER[0], ([B], []))) == []


def test_where_others_ran_it_may_have_run() -> None:
    other: Any = ([THEIRS], [B, C])
    assert vanished((BEFORE[0], other)) == []
    assert vanished((other, BEFORE[0])) == []
    assert vanished((other, *BEFORE)) == [("first", B)]
    assert vanished((BEFORE[0], other, BEFORE[0])) == []
    assert vanished(BEFORE[:1]) == []
    assert vanished(after=(AFTER[0], ([THEIRS], []))) == []
    assert vanished(after=(([THEIRS], []), AFTER[0])) == []
    assert vanished(after=(*AFTER, ([THEIRS], []))) == [("first", B)]
    assert vanished(after=(*AFTER, ([], []))) == [("first", B)]
    assert vanished((([], [B, C]),) * 2, (([], []),) * 2) == []
    assert vanished((([A, THEIRS], [B, C]),) * 2) == []
    assert vanished(after=(([A, THEIRS], []),) * 2) == []


@pytest.mark.parametrize(("status", "taken"), [("completed", False), ("failed", False), ("pending", True)])
def test_the_list_of_jobs_may_say_that_it_ended(status: str, *, taken: bool) -> None:
    assert vanished(b=status) == ([("first", B)] if taken else [])


def test_a_job_that_was_cancelled_was_taken_away_whatever_ran() -> None:
    other: Any = ([THEIRS], [B, C])
    assert vanished((other, BEFORE[0]), b="cancelled") == [("first", B)]
    assert vanished((*BEFORE, ([A, B], [C])), b="cancelled") == []
    assert vanished((*BEFORE, *BEFORE, ([A, B], [C])), b="cancelled") == []


def test_a_job_that_waited_behind_one_that_still_waits_has_not_run() -> None:
    ran: Any = (([THEIRS], [B]), ([THEIRS], [B]))
    assert vanished(after=ran, deleted=D) == [("first", C)]
    assert vanished((([A], [C]), ([A], [C]), ([A], [B, C])), ran, deleted=D) == [("first", C)]
    assert vanished(after=(ran[0], ([THEIRS], [])), deleted=D) == [("first", C)]
    assert vanished((([A], [C]), ([A], [C])), ran, deleted=D) == []
    assert vanished(after=(([THEIRS], [C]),) * 2, deleted=D) == []


@pytest.mark.parametrize(("others", "taken"), [((1,), True), ((2,), True), ((3,), True), ((4,), False), ((5,), True)])
def test_another_write_in_between_may_have_done_it(others: tuple[int, ...], *, taken: bool) -> None:
    assert vanished((*BEFORE, *BEFORE), others=others) == ([("first", B)] if taken else [])
