"""How a job is taken and listed, value by value."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from conformance.contract.clauses.lifecycle_submit import _differences
from conformance.exchange.model import Exchange, Operation
from helpers.answers import NOW, Told, got, item, said
from helpers.conversations import THEIRS, A, B, C, Talk, charged, shifted, told, workflow

MILLISECONDS = int(NOW * 1000)
LOW = str(uuid.UUID(int=1, version=4))
LETTERS = str(uuid.UUID(int=0xABCDEF, version=4))


def job(name: str, graph: Any = None, created: Any = MILLISECONDS) -> list[Any]:
    return item(1, e1=name, e2=graph or workflow(name), e3=["1"], e4={"create_time": created})


# --- the id -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"prompt_id": A}, None),
        ({"prompt_id": LETTERS.upper()}, None),
        ({"prompt_id": "x"}, '"x"'),
        ({"prompt_id": A.replace("-", "")}, f'"{A.replace("-", "")}"'),
        ({"prompt_id": f"-{A}"}, f'"-{A}"'),
        ({"prompt_id": 3}, "3"),
        ({"prompt_id": None}, "absent"),
        ({}, "absent"),
        ([A], "absent"),
    ],
)
def test_a_prompt_that_is_taken_is_answered_with_a_uuid(answer: Any, found: str | None) -> None:
    talk = Talk().post(Operation.SUBMIT, {"prompt": {}}, answer=answer)
    why = "the response has no prompt_id" if found == "absent" else "prompt_id in the response is not a UUID"
    expected = Told("/prompt_id", "a UUID", found or "", f"The prompt was accepted, but {why}.")
    assert told("prompt-id", talk) == ([] if found is None else [expected])


@pytest.mark.parametrize("status", [199, 201, 400, 500])
def test_a_prompt_that_is_not_taken_has_no_id(status: int) -> None:
    assert told("prompt-id", Talk().post(Operation.SUBMIT, {}, status, {})) is None
    assert told("prompt-id", Talk().post(Operation.MANAGE, {}, answer={})) is None


@pytest.mark.parametrize(("answered", "listed"), [(LETTERS, LETTERS.upper()), (LETTERS.upper(), LETTERS)])
def test_a_job_keeps_the_id_that_was_answered_letter_by_letter(answered: str, listed: str) -> None:
    assert told("same-id", Talk().submit(LETTERS).look([LETTERS])) == []
    talk = Talk().submit(answered, workflow(A)).look((), [job(listed, workflow(A))])
    assert told("same-id", talk) == [
        Told(
            "/queue_pending/0/1",
            f'"{answered}"',
            f'"{listed}"',
            "The job is listed under another id than the one in the response to its submission.",
        )
    ]


def test_a_job_without_a_workflow_or_with_another_is_nobody_s() -> None:
    assert told("same-id", Talk().submit(A).look([job(A)[:2]])) is None
    assert told("same-id", Talk().submit(A).look([THEIRS])) is None


# --- listed -----------------------------------------------------------------------------------------------------------


def gone(back: float | None = 2.5) -> Talk:
    """Return a run whose job is listed, then missing in three looks and a last one, then back."""
    talk = Talk().submit(A).look((), [A]).look().look().look()
    return talk if back is None else talk.wait(back).look().look([A])


def nowhere(seconds: str, name: str = A) -> list[Told]:
    message = f'The queue does not list the job "{name}", which had not ended.'
    return [Told("", "the job, pending or running", f"in neither list for {seconds} s", message)]


def test_a_job_that_is_back_was_not_done() -> None:
    assert told("listed", gone()) == nowhere("2.7")
    assert said("lifecycle.listed", *shifted(gone())) == nowhere("2.7")
    assert told("listed", gone(1.5)) == []
    assert told("listed", gone().look().wait(9).look().look([A])) == nowhere("2.7")


def test_a_job_that_is_not_back_may_have_ended() -> None:
    assert told("listed", gone(None).wait(9).look().look()) == []


def test_the_list_of_jobs_says_as_well_that_it_lives() -> None:
    missing = gone(None).wait(2.5).look()
    assert told("listed", missing) == []
    for status in ("pending", "in_progress"):
        late = gone(None).wait(2.5).look().jobs(**{A: status})
        assert told("listed", late) == nowhere("2.7")
        assert told("listed", late.look()) == [], "the job ended, and GET /api/jobs lags behind the queue"
        never = Talk().submit(A).look([THEIRS]).wait(2.5).look().jobs(**{A: status})
        assert told("listed", never.look()) == nowhere("2.5")
    assert told("listed", missing.jobs(**{A: "completed"})) == []


def timed(*moments: float, roll: float | None = None) -> list[Exchange]:
    """Return a run with looks that miss the job at these moments, each answered at once."""
    talk = Talk().submit(A).look((), [A])
    for _ in moments:
        talk.look()
    if roll is None:
        talk.look([A])
    else:
        talk.jobs(**{A: "pending"})
    times = [1.0, 1.5, *moments, moments[-1] + 1 if roll is None else roll]
    return [replace(one, started=at, elapsed=0.0) for one, at in zip(talk.exchanges, times, strict=True)]


def test_two_seconds_are_the_bound() -> None:
    assert said("lifecycle.listed", *timed(2.0, 3.0, 4.0)) == []
    assert said("lifecycle.listed", *timed(2.0, 3.0, 4.25)) == nowhere("2.2")
    assert said("lifecycle.listed", *timed(2.0, 3.0, 4.25, roll=4.5)) == nowhere("2.2")
    assert said("lifecycle.listed", *timed(2.0, 3.0, 4.25, roll=4.25)) == []


def never(looks: int, other: str | None = None) -> Talk:
    """Return a run of which C never comes, unless under another id."""
    talk = Talk().submit(A).look([A]).submit(B).look([A], [B]).submit(C)
    for _ in range(looks):
        talk.look([A], [B] if other is None else [B, job(other, workflow(C))])
    return talk


@pytest.mark.parametrize(("looks", "lost"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_job_that_never_comes_is_lost_after_three_looks(looks: int, *, lost: bool) -> None:
    message = (
        f'The server accepted the job "{C}", but the queue never listed it, although an older job was still pending.'
    )
    expected = [Told("", "the job, pending or running", f"not listed in {looks} GETs of the queue", message)]
    assert told("listed", never(looks)) == (expected if lost else [])


def test_behind_a_job_that_runs_it_may_have_ended_at_once() -> None:
    assert told("listed", Talk().submit(A).look([A]).submit(C).look([A]).look([A]).look([A])) == []


@pytest.mark.parametrize("other", [LOW, THEIRS])
def test_a_job_that_is_listed_under_another_id_is_not_lost(other: str) -> None:
    assert told("listed", never(3, other)) == []


@pytest.mark.parametrize("before", [[], [job(THEIRS, workflow(A))]])
def test_a_pending_job_that_is_listed_under_another_id_is_not_lost(before: list[Any]) -> None:
    talk = Talk().submit(A).look((), before).wait(9).look((), [job(THEIRS, workflow(A))]).jobs(**{A: "pending"})
    assert told("listed", talk) == []


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_job_that_ended_is_not_lost(status: str) -> None:
    assert told("listed", never(3).jobs(**{C: status})) == []
    assert len(told("listed", never(3).jobs(**{C: "pending"})) or ()) == 1


def test_the_next_read_lists_a_job_that_waits() -> None:
    talk = Talk().submit(A).look().look((), [A]).look((), [A])
    message = f'The queue did not list the job "{A}" 0.090 s after it was accepted, but listed it later.'
    missing = [Told("", "the job, pending or running", "not listed yet", message)]
    assert told("listed-at-once", talk) == missing
    assert said("lifecycle.listed-at-once", *shifted(talk)) == missing
    assert charged("listed-at-once", talk) == ["x2"]
    assert told("listed-at-once", Talk().submit(A).look((), [A])) == []
    assert told("listed-at-once", Talk().submit(A).look([A])) == []
    assert told("listed-at-once", Talk().submit(A).look().look([A])) is None
    assert told("listed-at-once", Talk().submit(A).look().look()) is None


# --- the workflow -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "listed", "places"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {}, ["/a"]),
        ({"a/~b": 1}, {}, ["/a~1~0b"]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["/a/b"]),
        ({"a": 1}, [1], [""]),
        ([1], {"a": 1}, [""]),
        ({}, 1, [""]),
        ([1, 2], [1, 2], []),
        ([1, 2], [1, 3], ["/1"]),
        ([1], [1, 2], [""]),
        ([1, 2], [1], [""]),
        ([], "x", [""]),
        (1, Decimal("1.0"), []),
        (1, Decimal("1.5"), [""]),
        (1, 2, [""]),
        (2, 1, [""]),
        (1, "1", [""]),
        ("1", 1, [""]),
        (1, True, [""]),
        (True, True, []),
        ("a", "a", []),
        ("a", "b", [""]),
        ("b", "a", [""]),
        (None, None, []),
        (None, "a", [""]),
    ],
)
def test_what_was_sent_stands_in_what_is_listed(sent: Any, listed: Any, places: list[str]) -> None:
    assert [place for place, *_ in _differences("", sent, listed)] == places


def graph(**node: Any) -> dict[str, Any]:
    return {"1": {"class_type": "SaveImage", **node}}


def test_a_workflow_is_compared_where_it_was_first_listed() -> None:
    talk = Talk().submit(A, graph(a=1)).look([job(A, graph(a=2))]).look([job(A, graph(a=3))])
    assert told("workflow", talk) == [
        Told(
            "/queue_running/0/2/1/a",
            "as it was submitted",
            "2",
            "The listed workflow differs from the submitted one, which has 1 here.",
        )
    ]
    assert charged("workflow", talk) == ["x2"]


def test_what_a_workflow_lacks_is_called_absent_and_null_is_called_null() -> None:
    listed = [job(A, graph(a=None))]
    assert told("workflow", Talk().submit(A, graph(a=1)).look(listed)) == [
        Told(
            "/queue_running/0/2/1/a",
            "as it was submitted",
            "null",
            "The listed workflow differs from the submitted one, which has 1 here.",
        )
    ]
    assert told("workflow", Talk().submit(A, graph(b=1)).look(listed)) == [
        Told(
            "/queue_running/0/2/1/b",
            "as it was submitted",
            "absent",
            "The listed workflow differs from the submitted one, which has 1 here.",
        )
    ]


@pytest.mark.parametrize("listed", [[], {"1": {}}, {"1": 3}, {"nodes": []}, None])
def test_what_is_no_graph_is_not_compared(listed: Any) -> None:
    broken = item(1, e1=A, e2=listed, e3=["1"], e4={"create_time": MILLISECONDS})
    assert told("workflow", Talk().submit(A).look([broken])) is None


def test_a_job_that_ends_before_its_workflow_is_not_compared() -> None:
    assert told("workflow", Talk().submit(A).look([job(A)[:2]])) is None
    assert told("workflow", Talk().submit(A).look([job(A)[:3]])) == []
    assert told("workflow", Talk().submit(A).look([job(A.upper(), workflow(A))])) == []


@pytest.mark.parametrize("sent", [{"t": "é"}, {"t": {"u": ["é"]}}])
def test_text_beyond_ascii_has_a_clause_of_its_own(sent: dict[str, Any]) -> None:
    lost = Talk().submit(A, graph(**sent, n=1)).look([job(A, graph(t="?", n=2))])
    assert got(told("workflow", lost)) == (['"?"', "2"] if isinstance(sent["t"], dict) else ["2"])
    assert got(told("text", lost)) == ([] if isinstance(sent["t"], dict) else ['"?"'])
    kept = Talk().submit(A, graph(**sent)).look([job(A, graph(**sent))])
    assert told("text", kept) == []
    assert told("text", Talk().submit(A, graph(t="e")).look([job(A, graph(t="e"))])) is None


def test_text_that_is_lost_is_told_with_what_was_sent() -> None:
    talk = Talk().submit(A, graph(t="é")).look([job(A, graph(t="?"))])
    assert told("text", talk) == [
        Told(
            "/queue_running/0/2/1/t",
            "as it was submitted",
            '"?"',
            'The listed workflow differs from the submitted one, which has "é" here.',
        )
    ]


# --- create_time ------------------------------------------------------------------------------------------------------


def created(value: Any, elapsed: float = 0.01) -> list[Told] | None:
    submitted, *looks = Talk().submit(A).wait(9).look([job(A, created=value)]).exchanges
    return said("lifecycle.create-time", replace(submitted, elapsed=elapsed), *looks)


@pytest.mark.parametrize("off", [0, 60_000, -60_000, -65_000])
def test_create_time_lies_between_the_prompt_and_its_answer(off: int) -> None:
    assert created(MILLISECONDS + off, elapsed=5.0) == []


@pytest.mark.parametrize(("off", "fine"), [(-59_500, True), (-60_000, True), (-60_500, False)])
def test_an_answer_that_came_at_once_leaves_no_more_room(off: int, *, fine: bool) -> None:
    assert (created(MILLISECONDS + off, elapsed=0.0) == []) is fine


@pytest.mark.parametrize(
    ("off", "words"),
    [(60_001, "60 s after"), (-65_001, "65 s before"), (3_600_700, "3,601 s after"), (-7_200_000, "7,200 s before")],
)
def test_another_create_time_is_told_with_how_far_it_is_off(off: int, words: str) -> None:
    message = f"create_time is {words} the job was submitted."
    expected = Told("/queue_running/0/4/create_time", "the time of the submission", str(MILLISECONDS + off), message)
    assert created(MILLISECONDS + off, elapsed=5.0) == [expected]


@pytest.mark.parametrize(("value", "dated"), [(10**12, True), (10**14 - 1, True)])
def test_what_is_in_milliseconds_is_compared(value: int, *, dated: bool) -> None:
    assert (created(value) is not None) is dated


@pytest.mark.parametrize("value", [10**12 - 1, 10**14, 10**14 + 1, "x", None, True])
def test_what_is_in_no_milliseconds_is_not_compared(value: Any) -> None:
    assert created(value) is None


# --- hidden, or behind a cache ----------------------------------------------------------------------------------------


def hidden(status: str | None = "pending", looks: int = 3, *, later: bool = True) -> Talk:
    """Return a run of which B never comes, while C, which was submitted later, does."""
    talk = Talk().submit(A).look([A]).submit(B).submit(C)
    for _ in range(looks):
        talk.look([A], [C] if later else [])
    return talk if status is None else talk.jobs(**{B: status})


def test_a_job_that_waits_and_is_not_listed_while_later_ones_are_is_hidden() -> None:
    message = (
        f'The queue never listed the job "{B}", although it listed later jobs '
        "and GET /api/jobs says that the job was pending."
    )
    expected = [Told("", "the job, pending or running", "not listed in 3 GETs of the queue", message)]
    assert told("listed", hidden()) == expected
    assert len(told("listed", hidden(looks=4)) or ()) == 1
    assert told("listed", hidden().jobs(**{B: "completed"})) == expected


@pytest.mark.parametrize("status", ["in_progress", "completed", None])
def test_a_job_that_may_have_run_meanwhile_is_not_hidden(status: str | None) -> None:
    assert told("listed", hidden(status)) == []


def test_a_read_that_lists_no_later_job_may_be_old() -> None:
    assert told("listed", hidden(later=False)) == []
    assert told("listed", hidden(looks=2)) == []


def test_reads_of_the_same_bytes_may_come_from_a_cache() -> None:
    talk = Talk().submit(A).look().wait(3).look().jobs(**{A: "pending"})
    (found,) = told("listed", talk) or [Told("", "", "", "")]
    assert found.hint is not None
    assert "a cache may respond" in found.hint
    assert [one.hint for one in told("listed", hidden()) or ()] == [None]


@pytest.mark.parametrize("members", [{"number": -1}, {"front": True}])
def test_a_job_with_a_priority_may_have_run_while_older_ones_wait(members: dict[str, Any]) -> None:
    talk = Talk().submit(A).look([A]).submit(B).look([A], [B]).submit(C, **members)
    for _ in range(4):
        talk.look([A], [B])
    assert told("listed", talk) == []
