"""The life of jobs, by hand: what a server may do between two requests accuses nobody, and what it may not, does."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, Operation, Request, Response
from conformance.judge.judge import judge
from conformance.judge.report import Status
from helpers.answers import NOW, broken, item, result
from helpers.conversations import THEIRS, A, B, C, Talk, three, workflow


def test_a_queue_that_goes_on_is_accused_of_nothing() -> None:
    assert three().look([A], [B, C]).look([B], [C]).look([C]).look().look().accused == set()


def test_jobs_of_others_may_do_what_they_like() -> None:
    odd = three().look([A, THEIRS], [B, C]).look([A], [THEIRS, B, C]).look([A], [B, THEIRS, C]).look([A], [B, C])
    assert odd.accused == set()


# --- listed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "accused"), [(1.5, False), (2.5, True)])
def test_a_job_may_be_nowhere_for_a_moment_and_no_longer(seconds: float, *, accused: bool) -> None:
    talk = Talk().submit(A).look((), [A]).look().wait(seconds).look().look([A]).look()
    assert ("lifecycle.listed" in talk.accused) is accused


def test_a_job_that_ended_at_once_may_never_be_seen() -> None:
    assert "lifecycle.listed" not in Talk().submit(A).look().look().look().look().accused


def test_a_job_that_never_comes_while_older_ones_wait_is_lost() -> None:
    talk = Talk().submit(A).look([A]).submit(B).look([A], [B]).submit(C)
    lost = talk.look([A], [B]).look([A], [B]).look([A], [B])
    assert "lifecycle.listed" in lost.accused
    assert "lifecycle.listed" not in lost.jobs(**{C: "completed"}).accused


def test_a_job_that_starts_may_be_on_its_way_in_the_first_read() -> None:
    assert "lifecycle.listed-at-once" not in Talk().submit(A).look().look([A]).accused
    assert "lifecycle.listed-at-once" in Talk().submit(A).look().look((), [A]).accused


# --- what is listed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "accused"),
    [
        ({"inputs": {"filename_prefix": A, "cfg": 1.50, "is_changed": ["x"]}}, set()),
        ({"is_changed": [1], "inputs": {"cfg": 1.5, "filename_prefix": A}}, set()),
        ({"inputs": {"filename_prefix": A}}, {"lifecycle.workflow"}),
        ({"inputs": {"filename_prefix": "other", "cfg": 1.5}}, {"lifecycle.workflow"}),
        ({"class_type": "LoadImage"}, {"lifecycle.workflow"}),
    ],
)
def test_a_workflow_may_be_added_to_and_not_changed(change: dict[str, Any], accused: set[str]) -> None:
    listed = item(1, e1=A, e2={"1": workflow(A)["1"] | change}, e3=["1"], e4={"create_time": int(NOW * 1000)})
    assert Talk().submit(A).look([listed]).accused == accused


@pytest.mark.parametrize("odd", [{"nodes": [], "links": []}, {"prompt": workflow(A), "extra_data": {}}])
def test_a_workflow_in_another_format_is_not_compared(odd: Any) -> None:
    listed = item(1, e1=A, e2=odd, e3=["1"], e4={"create_time": int(NOW * 1000)})
    assert Talk().submit(A).look([listed]).accused == set()


def test_text_that_is_lost_is_one_finding_and_not_two() -> None:
    sent, kept = workflow(A), workflow(A)
    sent["1"]["_meta"]["title"], kept["1"]["_meta"]["title"] = "日本 👩‍🚀", "日本 ??"
    listed = item(1, e1=A, e2=kept, e3=["1"], e4={"create_time": int(NOW * 1000)})
    talk = Talk().submit(A, sent).look([listed])
    assert talk.accused == {"lifecycle.text"}
    (evidence,) = result(talk.judged(), "lifecycle.text").evidence
    assert evidence.pointer == "/queue_running/0/2/1/_meta/title"


@pytest.mark.parametrize(("seconds", "accused"), [(-50, False), (50, False), (-90, True), (3600, True)])
def test_create_time_is_compared_with_the_clock_of_the_server(seconds: int, *, accused: bool) -> None:
    created = {"create_time": int((NOW + seconds) * 1000)}
    talk = Talk().submit(A).look([item(1, e1=A, e2=workflow(A), e3=["1"], e4=created)])
    assert ("lifecycle.create-time" in talk.accused) is accused


# --- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("behind", "accused"), [(0.0, False), (0.3, False), (5.0, True), (-0.1, True)])
def test_clocks_that_differ_a_little_explain_the_order_of_two_prompts(behind: float, *, accused: bool) -> None:
    """B was taken a fifth of a second after A and stands before it; ``behind`` is how far its time is before A's."""
    talk = Talk().submit(A).look((), [A]).submit(B)
    talk.created[B] = talk.created[A] - behind
    assert ("lifecycle.order" in talk.look((), [B, A]).accused) is accused


def test_prompts_that_were_under_way_at_once_have_no_order() -> None:
    talk = Talk().submit(A)
    talk.at -= 0.095
    assert talk.submit(B).look((), [B, A]).accused == set()


def test_priority_is_a_breach_of_its_own() -> None:
    talk = Talk().submit(A).look((), [A]).wait(2).submit(B, front=True).look((), [B, A])
    assert talk.accused == {"lifecycle.priority"}
    assert result(talk.judged(Dialect.OSS), "lifecycle.priority").status is Status.NOT_APPLICABLE


# --- removing ---------------------------------------------------------------------------------------------------------


def test_a_job_that_started_before_it_could_be_deleted_runs_on() -> None:
    assert three().delete(B).look([A, B], [C]).look([B], [C]).look([C]).accused == set()


def test_a_job_that_waits_after_it_was_deleted_and_then_runs_was_not_deleted() -> None:
    assert "lifecycle.delete.removes" in three().delete(B).look([A], [B, C]).look([B], [C]).accused


def test_a_job_that_comes_back_was_not_deleted() -> None:
    assert "lifecycle.delete.removes" in three().delete(C).look([A], [B]).look([A], [B, C]).accused


def test_a_delete_that_was_refused_removes_nothing() -> None:
    assert three().delete(B, status=409).look([A], [B, C]).wait(9).look([B], [C]).accused == set()


def test_another_job_that_may_have_run_was_not_deleted() -> None:
    """C is gone, and so is A: a worker was free for it."""
    assert three().delete(B).look().look().accused == set()


def test_another_job_that_cannot_have_run_was_deleted() -> None:
    still = three().look([A], [B, C]).delete(C).look([A]).look([A])
    assert still.accused == {"lifecycle.delete.spares"}
    assert three().look([A], [B, C]).delete(C).look([A]).look([A]).jobs(**{B: "completed"}).accused == set()


def test_where_two_writes_may_have_done_it_neither_is_accused() -> None:
    talk = three().look([A], [B, C]).delete(C).post(Operation.MANAGE, {"clear": False}, answer={}).look([A]).look([A])
    assert talk.accused == set()


@pytest.mark.parametrize(
    ("answer", "accused"),
    [
        ({"deleted": [B]}, set()),
        ({"deleted": [B.upper()], "cleared": False, "more": 1}, set()),
        ({}, set()),
        ({"deleted": []}, {"lifecycle.delete.names"}),
        ({"deleted": [B, THEIRS]}, {"lifecycle.delete.names"}),
        ({"deleted": B}, {"lifecycle.delete.answer"}),
        ([B], {"lifecycle.delete.answer"}),
    ],
)
def test_the_answer_to_a_delete(answer: Any, accused: set[str]) -> None:
    assert three().delete(B, answer=answer).look([A], [C]).look([A], [C]).accused == accused


@pytest.mark.parametrize(("seconds", "accused"), [(4.0, False), (6.0, True)])
def test_an_interrupted_job_has_some_seconds_to_stop(seconds: float, *, accused: bool) -> None:
    talk = three().interrupt(A).look([A], [B, C]).wait(seconds).look([A], [B, C]).look([B], [C])
    assert ("lifecycle.interrupt.stops" in talk.accused) is accused


def test_a_job_that_runs_on_and_completes_was_not_interrupted() -> None:
    talk = three().interrupt(A).wait(2).look([A], [B, C]).look([B], [C])
    assert "lifecycle.interrupt.stops" not in talk.accused
    assert "lifecycle.interrupt.stops" in talk.jobs(**{A: "completed"}).accused


@pytest.mark.parametrize(("status", "accused"), [(200, False), (404, True), (500, True), (429, False), (401, False)])
def test_an_interrupt_of_nothing(status: int, *, accused: bool) -> None:
    talk = Talk().submit(A).look([A]).look().post(Operation.INTERRUPT, {"prompt_id": A}, status)
    assert ("lifecycle.interrupt.idle" in talk.accused) is accused


# --- the end ----------------------------------------------------------------------------------------------------------


def test_a_prompt_that_was_refused_and_shows_is_a_breach() -> None:
    refused = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": workflow(B)}, 400, {"error": "no"})
    assert refused.look([A]).accused == set()
    assert refused.look([A], [B]).accused == {"lifecycle.rejected"}


def test_a_prompt_that_was_refused_for_the_moment_and_taken_later_may_show() -> None:
    """A server with a limit says 429 and when to come again; the same workflow is sent then."""
    later = Talk().submit(A).look([A]).post(Operation.SUBMIT, {"prompt": workflow(B)}, 429, {"error": "not now"})
    assert later.submit(B).look([A], [B]).accused == set()


@pytest.mark.parametrize(("other", "accused"), [(workflow(B), True), (workflow(A), False)])
def test_two_jobs_of_one_id_are_two_where_their_workflows_differ(other: Any, *, accused: bool) -> None:
    """One job that is listed twice is another breach."""
    twice = [
        item(n, e1=A, e2=graph, e4={"create_time": int(NOW * 1000)}) for n, graph in enumerate((workflow(A), other))
    ]
    talk = Talk().submit(A).look([A]).submit(A, workflow(B), prompt_id=A).look(twice)
    assert ("lifecycle.prompt-id-twice" in talk.accused) is accused
    assert "queue.prompt-ids.distinct" not in broken(talk.judged()), "the run itself submitted this id twice"
    assert [one.id for one in talk.judged().results if one.status is Status.ERROR] == []


def test_a_job_that_the_list_of_jobs_calls_ended_may_not_be_listed_later() -> None:
    assert three().jobs(**{A: "completed"}).look([B], [C]).accused == set()
    assert "lifecycle.ended" not in three().jobs(**{A: "completed"}).look([A], [B, C]).accused
    assert "lifecycle.ended" in three().jobs(**{A: "completed"}).wait(1).look([A], [B, C]).accused


def test_a_list_of_jobs_is_compared_only_where_nothing_moved() -> None:
    assert three().jobs(**{A: "completed"}).look([B], [C]).accused == set()
    early = three().jobs(**{A: "in_progress", B: "in_progress"}).look([A], [B, C])
    assert early.accused == set(), "C has just come, and B too"
    settled = three().wait(1).look([A], [B, C]).jobs(**{A: "in_progress", B: "in_progress"}).look([A], [B, C])
    assert settled.accused == {"lifecycle.jobs", "lifecycle.job-status"}


def test_answers_of_other_operations_are_judged_by_no_clause_on_the_queue() -> None:
    text = Response(500, (("Content-Type", "text/html"),), b"<h1>Traceback</h1>")
    other = Request("GET", "http://t/api/jobs", to_queue=False, operation=Operation.JOBS)
    exchanges = [*three().exchanges, Exchange("x99", other, text, started=NOW + 50, elapsed=0.1)]
    assert broken(judge(exchanges)) == set()


def test_without_jobs_of_its_own_no_clause_on_their_lives_was_exercised() -> None:
    judgement = Talk().look([A], [B, C]).look([A], [B, C]).judged()
    found = {one.status for one in judgement.results if one.id.startswith("lifecycle.")}
    assert found == {Status.NOT_EXERCISED}


def doubled(answer: str, dialect: Dialect) -> list[str]:
    """Return what a read breaks that lists two jobs of one id, after the run submitted that id twice."""
    talk = Talk().submit(A).look([A])
    talk.post(Operation.SUBMIT, {"prompt": workflow(B), "prompt_id": A.upper()}, answer={"prompt_id": answer})
    created = {"create_time": int(NOW * 1000)}
    talk.look([A], [item(2, e1=A, e2=workflow(B), e3=["1"], e4=created)])
    return [name for name in broken(talk.judged(dialect)) if name.startswith("queue.prompt-ids")]


@pytest.mark.parametrize("dialect", Dialect)
def test_an_id_that_the_run_submitted_twice_may_be_listed_twice(dialect: Dialect) -> None:
    assert doubled(A, dialect) == []
    assert doubled(B, dialect) == ["queue.prompt-ids.distinct"]


def test_of_an_id_that_the_run_submitted_twice_nothing_else_is_said() -> None:
    """What ended under this id may be the one job, and what is listed the other."""
    talk = Talk().submit(A).look([A]).submit(B).look([A], [B])
    talk.post(Operation.SUBMIT, {"prompt": workflow(C), "prompt_id": B}, answer={"prompt_id": B})
    talk.look([B]).jobs(**{B: "completed"}).wait(2).look([B]).look([B]).look().look([B])
    assert {name for name in talk.accused if name != "lifecycle.prompt-id-twice"} == set()
