"""When an interrupted job must have stopped, and what an interrupt gets if no job runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.exchange.model import Operation
from helpers.answers import NOW, Told, item
from helpers.conversations import A, B, C, Talk, charged, manage, three, told, workflow


def stopped(*moments: float, status: str | None = None, start: float = NOW, graph: object = None) -> list[Told] | None:
    """Judge a run whose job runs in looks, so many seconds after an interrupt was answered."""
    talk = Talk().submit(A, graph).look([A]).interrupt(A)
    for _ in moments:
        talk.look([A])
    talk.look()
    if status is not None:
        talk.jobs(**{A: status})
    times = [0.0, 1.0, 2.0, *(2.5 + moment for moment in moments), 30.0, 31.0]
    return told(
        "interrupt.stops",
        [
            replace(one, started=start + at, elapsed=0.5 if number == 2 else 0.0)
            for number, (one, at) in enumerate(zip(talk.exchanges, times, strict=False))
        ],
    )


def runs_on(seconds: str) -> list[Told]:
    return [
        Told(
            None,
            "the job not running",
            f"running {seconds} s later",
            f'The job "{A}" was interrupted, but kept running.',
        )
    ]


def test_a_job_that_is_interrupted_stops() -> None:
    assert stopped() == stopped(1.0) == stopped(5.0) == stopped(0.25, 5.0) == []
    assert stopped(5.25) == stopped(5.25, start=0.0) == runs_on("5.2")
    assert stopped(1.0, 7.5, 6.0) == runs_on("7.5")
    assert charged("interrupt.stops", three().interrupt(A).wait(9).look([A])) == ["x7"]


def test_a_job_that_runs_on_for_a_second_and_completes_was_not_interrupted() -> None:
    assert stopped(1.25, status="completed") == runs_on("1.2")
    assert stopped(1.0, status="completed") == stopped(status="completed") == []
    for status in ("cancelled", "failed", "in_progress", "pending"):
        assert stopped(1.25, status=status) == []


def test_what_another_job_is_made_of_does_not_matter() -> None:
    slow = {"1": {"class_type": "VAEDecode"}}

    def runs_on_and_completes(interrupted: str, graph: Any, others: tuple[str, str], their_graph: Any) -> Talk:
        talk = Talk().submit(others[0], their_graph).submit(interrupted, graph).submit(others[1], their_graph)
        talk.look([interrupted]).interrupt(interrupted).wait(2).look([interrupted]).look()
        return talk.jobs(**{interrupted: "completed"})

    for interrupted, others in ((A, (B, C)), (C, (A, B)), (B, (A, C))):
        assert told("interrupt.stops", runs_on_and_completes(interrupted, slow, others, None)) == []
        assert told("interrupt.stops", runs_on_and_completes(interrupted, None, others, slow)) == [
            Told(
                None,
                "the job not running",
                "running 2.0 s later",
                f'The job "{interrupted}" was interrupted, but kept running.',
            )
        ]


@pytest.mark.parametrize("node", [{"class_type": "VAEDecode"}, {"class_type": 7}, {}, "a node"])
def test_a_job_whose_last_step_may_be_a_long_one_may_complete_for_some_seconds(node: object) -> None:
    graph = {**workflow(A), "2": node}
    assert stopped(1.25, status="completed", graph=graph) == stopped(5.0, status="completed", graph=graph) == []
    assert stopped(5.25, status="completed", graph=graph) == runs_on("5.2")
    assert stopped(1.25, status="completed", graph=workflow(A) | {"2": {"class_type": "ImageScale"}}) == runs_on("1.2")


@pytest.mark.parametrize("status", [199, 201, 404, 500])
def test_an_interrupt_that_is_not_taken_stops_nothing(status: int) -> None:
    talk = three().post(Operation.INTERRUPT, {"prompt_id": A}, status)
    assert told("interrupt.stops", talk.wait(9).look([A], [B, C])) is None


def test_what_did_not_run_is_not_stopped() -> None:
    assert told("interrupt.stops", three().interrupt(B).look([B])) is None
    assert told("interrupt.stops", three().interrupt(A)) is None
    assert told("interrupt.stops", Talk().submit(A).interrupt(A).look([A])) is None
    assert told("interrupt.stops", three().look([B]).interrupt(A).look([A])) is None
    assert told("interrupt.stops", Talk().submit(A).look().look([A]).interrupt(A).look()) == []
    assert told("interrupt.stops", manage(three(), {"prompt_id": A}).look([A])) is None
    assert told("interrupt.stops", three().interrupt(A.upper()).look([B])) == []


@pytest.mark.parametrize(
    ("status", "fine"),
    [
        (200, True),
        (401, True),
        (403, True),
        (429, True),
        (502, True),
        (503, True),
        (504, True),
        (199, False),
        (201, False),
        (400, False),
        (402, False),
        (404, False),
        (409, False),
        (428, False),
        (430, False),
        (500, False),
        (501, False),
        (505, False),
    ],
)
def test_an_interrupt_where_nothing_runs_is_fine(status: int, *, fine: bool) -> None:
    expected = Told(None, "200", str(status), "An interrupt that was sent while no job was running did not get a 200.")
    talk = Talk().submit(A).look([A]).look().post(Operation.INTERRUPT, {"prompt_id": A}, status)
    assert told("interrupt.idle", talk) == ([] if fine else [expected])
    alone = Talk().submit(A).look().post(Operation.INTERRUPT, {"prompt_id": A}, status)
    assert told("interrupt.idle", alone) == ([] if fine else [expected])


def test_where_something_is_listed_or_nobody_looked_it_is_not_idle() -> None:
    assert told("interrupt.idle", Talk().submit(A).look().look([A]).interrupt(A)) is None
    assert told("interrupt.idle", Talk().submit(A).look().look((), [A]).interrupt(A)) is None
    assert told("interrupt.idle", Talk().submit(A).look([A]).look().look([A]).interrupt(A)) is None
    assert told("interrupt.idle", Talk().submit(A).interrupt(A)) is None
    assert told("interrupt.idle", manage(Talk().submit(A).look(), {})) is None
    twice = [item(n, e1=A, e2=workflow(A)) for n in (1, 2)]
    assert told("interrupt.idle", Talk().submit(A).look(twice).interrupt(A)) is None
