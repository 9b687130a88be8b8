"""Sequences of job operations: no conforming endpoint is accused, one keeps to a model of a queue, each lie is found.

Each sequence begins with an empty queue and ends when all jobs have ended. Then the exchanges are judged.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from typing import Any

import hypothesis
import pytest
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, Operation
from conformance.judge.judge import judge
from conformance.judge.report import Status
from conformance.probe.requests import Ask, other
from conformance.probe.workflows import TEXT, built_in, refused, unique
from conformance.reference.faults import FAULTS
from conformance.reference.variants import VARIANTS
from helpers.profiles import one_in
from helpers.simulated_runs import POPULATE, TRIP, Played, endpoint

WORKFLOW = built_in("PreviewImage", slow=False)
JUDGED = frozenset(
    clause.id
    for clause in CATALOGUE
    if clause.subject in {"lifecycle", "queue", "reads"} or clause.id.startswith("item.")
)
Submission = tuple[dict[str, Any], str]
"""Members of POST /api/prompt apart from the workflow, and text for the title of a node."""
PLAIN: Submission = ({}, "")
FRONT: Submission = ({"front": True}, "")
OTHER_PLANES: Submission = ({}, TEXT)
SUBMITTED = st.sampled_from([PLAIN, OTHER_PLANES, ({"number": -1}, ""), FRONT])


class Life(RuleBasedStateMachine):
    """Operations on the jobs of a reference endpoint, on a simulated clock."""

    def __init__(self, variant: str, fault: str | None = None) -> None:
        super().__init__()
        self.variant = VARIANTS[variant]
        self.client = Played(*endpoint(variant, fault), POPULATE)
        assert self.client.leave is not None
        self.leave = self.client.leave
        self.runner = asyncio.Runner()
        self.jobs: list[str] = []

    def ask(self, operation: Operation | None = None, body: bytes = b"") -> Exchange:
        ask = Ask("look") if operation is None else other(operation.name, operation, body)
        return self.runner.run(self.client.ask(ask))

    def post(self, operation: Operation, body: dict[str, Any], *, looks: int = 2) -> Exchange:
        """Send a POST, and read the queue ``looks`` times."""
        exchange = self.ask(operation, json.dumps(body, ensure_ascii=False).encode())
        for _ in range(looks):
            self.ask()
        return exchange

    def prompt(self, graph: dict[str, Any], members: dict[str, Any]) -> Exchange:
        self.leave.prompts = 1
        return self.post(Operation.SUBMIT, {"prompt": graph, **members}, looks=1)

    @initialize(burst=st.lists(SUBMITTED, max_size=6))
    def fill(self, burst: list[Submission]) -> None:
        self.submit(burst)

    @rule(burst=st.lists(SUBMITTED, min_size=1, max_size=3))
    def submit(self, burst: list[Submission]) -> None:
        for members, text in burst:
            graph = unique(WORKFLOW, f"{self.leave.token}-{len(self.jobs) + 1}", text=text)
            exchange = self.prompt(graph, {} if self.variant.dialect == Dialect.OSS else members)
            assert exchange.response is not None
            self.jobs.append(json.loads(exchange.response.content)["prompt_id"])

    @precondition(lambda self: bool(self.jobs))
    @rule(number=st.integers(0, 4))
    def submit_again(self, number: int) -> None:
        """Submit another job with the prompt_id of an earlier one."""
        named = self.jobs[number % len(self.jobs)]
        self.prompt(unique(WORKFLOW, f"{self.leave.token}-again"), {"prompt_id": named})

    @rule()
    def submit_what_cannot_run(self) -> None:
        self.prompt(refused(f"{self.leave.token}-refused"), {})

    @precondition(lambda self: bool(self.jobs))
    @rule(number=st.integers(0, 4))
    def delete(self, number: int) -> None:
        self.ask()
        self.post(Operation.MANAGE, {"delete": [self.jobs[number % len(self.jobs)]]})

    @rule()
    def delete_nobody(self) -> None:
        self.ask()
        self.post(Operation.MANAGE, {"delete": [self.leave.make_up_id()]})

    @rule(everything=st.booleans())
    def clear(self, *, everything: bool) -> None:
        self.ask()
        if self.leave.alone or not everything:
            self.post(Operation.MANAGE, {"clear": everything})

    @rule()
    def ask_wrongly(self) -> None:
        for body in MALFORMED:
            self.ask(Operation.MANAGE, body)

    @rule()
    def interrupt(self) -> None:
        """Interrupt the running job if only jobs of this sequence are listed; or interrupt while no job runs."""
        self.ask()
        named = next((job.id for job in self.leave.listed or () if not job.pending), None)
        if self.leave.listed == () and self.jobs:
            named = self.jobs[0]
        if named in self.jobs and self.leave.alone:
            self.post(Operation.INTERRUPT, {"prompt_id": named})

    @rule(seconds=st.sampled_from([0.1, 0.5, 2.0]))
    def wait(self, seconds: float) -> None:
        """Let simulated time pass, and read the queue five times."""
        for _ in range(5):
            self.client.clock.now += seconds / 5
            self.ask()

    def compare(self) -> None:
        """Read the list of jobs and the number of remaining jobs, each between two GETs of the queue."""
        for operation in (None, Operation.JOBS, None, None, Operation.COUNT, None):
            self.ask(operation)

    def end(self) -> None:
        """Read the queue until all jobs have ended."""
        with self.runner:
            self.compare()
            pause = 0.05
            for _ in range(60):
                self.ask()
                if not self.leave.listed:
                    break
                self.client.clock.now += pause
                pause = min(1.2 * pause, 0.5)
            self.compare()


def broken(life: Life) -> set[str]:
    """Return the ids of the must and should clauses that a life broke."""
    results = judge(life.client.ledger, Dialect(life.variant.dialect), only=JUDGED).results
    return {result.id for result in results if result.status in {Status.FAIL, Status.WARN, Status.ERROR}}


def departures(life: Life) -> list[str]:
    """Return each GET of the queue that lists other jobs than a model of a queue with one worker.

    In the model, jobs run in turn. A job that is deleted while it waits does not run, and an interrupt ends the
    running job.
    """
    submitted: dict[str, float] = {}
    deleted: dict[str, float] = {}
    stops: list[float] = []
    looks: list[tuple[float, list[str]]] = []
    for exchange in life.client.ledger:
        assert exchange.started is not None
        assert exchange.response is not None
        moment, body = exchange.started + TRIP / 2, exchange.request.body
        if exchange.request.operation is None:
            queue = json.loads(exchange.response.content)
            looks.append((moment, [item[1] for item in queue["queue_running"] + queue["queue_pending"]]))
        elif exchange.request.operation is Operation.SUBMIT and exchange.response.status == 200:
            submitted[json.loads(exchange.response.content)["prompt_id"]] = moment
        elif exchange.request.operation is Operation.INTERRUPT:
            stops.append(moment)
        elif exchange.request.operation is Operation.MANAGE:
            named = [name for name in submitted if b"true" in body or name.encode() in body]
            deleted = dict.fromkeys(named, moment) | deleted
    board = life.variant.board
    assert board is not None
    done: dict[str, float] = {}
    free = 0.0
    for name, since in submitted.items():
        begins = max(free, since)
        if deleted.get(name, begins) < begins:
            done[name] = deleted[name]
        else:
            ends = begins + board.step * len(WORKFLOW)
            done[name] = free = min([ends, *(stop for stop in stops if begins < stop < ends)])
    return [
        f"{listed} are listed, and {expected} would be"
        for moment, listed in looks
        if listed != (expected := [name for name in done if submitted[name] < moment < done[name]])
    ]


def lives(check: Callable[[Life], Collection[str]], variant: str, fault: str | None = None) -> None:
    """Run random sequences, and raise AssertionError if ``check`` finds something wrong."""

    class Lives(Life):
        def __init__(self) -> None:
            super().__init__(variant, fault)

        def teardown(self) -> None:
            self.end()
            assert not check(self)

    settings = hypothesis.settings(
        max_examples=min(60, hypothesis.settings().max_examples),
        stateful_step_count=8,
        phases=[Phase.generate] if fault else [Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(Lives, settings=settings)


@pytest.mark.parametrize("variant", one_in(3, [name for name, variant in VARIANTS.items() if variant.board]))
def test_no_sequence_accuses_a_conforming_endpoint(variant: str) -> None:
    lives(broken, variant)


def test_a_random_sequence_accuses_an_endpoint_that_lies() -> None:
    with pytest.raises(AssertionError, match=r"item\.five-elements"):
        lives(broken, "takes-jobs", "torn-under-load")


def test_the_reference_endpoint_keeps_to_a_model_of_a_queue() -> None:
    lives(departures, "takes-jobs")


SHOWN_BY: dict[str, Callable[[Life], object]] = {
    "forgets-a-job": lambda life: life.submit([PLAIN] * 3),
    "torn-under-load": lambda life: life.submit([PLAIN]),
    "loses-other-planes": lambda life: life.submit([OTHER_PLANES]),
    "heap-of-jobs": lambda life: life.submit([PLAIN] * 5),
    "newest-first-and-dated-so": lambda life: life.submit([PLAIN] * 3),
    "heeds-front": lambda life: life.submit([PLAIN, PLAIN, FRONT]),
    "takes-an-id-twice": lambda life: (life.submit([PLAIN]), life.submit_again(0)),
    "shows-what-it-refused": lambda life: life.submit_what_cannot_run(),
    "deletes-nothing": lambda life: (life.submit([PLAIN] * 2), life.delete(1)),
    "deletes-everything": lambda life: (life.submit([PLAIN] * 3), life.delete(1)),
    "fails-on-an-unknown-id": lambda life: life.delete_nobody(),
    "clears-all-but-one": lambda life: (life.submit([PLAIN] * 3), life.clear(everything=True)),
    "clears-whatever-it-says": lambda life: (life.submit([PLAIN] * 3), life.clear(everything=False)),
    "malformed-is-fine": lambda life: life.ask_wrongly(),
    "interrupt-does-nothing": lambda life: (life.submit([PLAIN]), life.interrupt()),
    "interrupt-takes-the-next-too": lambda life: (life.submit([PLAIN] * 2), life.interrupt()),
    "interrupt-of-nothing-is-a-conflict": lambda life: (life.submit([PLAIN]), life.wait(0.5), life.interrupt()),
    "comes-back": lambda life: (life.submit([PLAIN]), life.wait(2.0)),
    "nothing-remains": lambda life: life.submit([PLAIN] * 2),
    "list-of-jobs-says-all-run": lambda life: (life.submit([PLAIN] * 2), life.wait(0.5)),
}
"""For each fault, a short sequence that shows it. Every kind of operation is in at least one of them."""


def short_life(name: str, *, lying: bool) -> Life:
    life = Life(FAULTS[name].variant, name if lying else None)
    SHOWN_BY[name](life)
    life.end()
    return life


@pytest.mark.parametrize("name", SHOWN_BY)
def test_a_short_sequence_shows_a_lie(name: str) -> None:
    assert FAULTS[name].clause in broken(short_life(name, lying=True))


@pytest.mark.parametrize("name", SHOWN_BY)
def test_the_same_sequence_accuses_no_conforming_endpoint(name: str) -> None:
    honest = short_life(name, lying=False)
    assert not broken(honest)
    assert not departures(honest)


@pytest.mark.parametrize("name", ["forgets-a-job", "deletes-everything", "heeds-front"])
def test_the_model_sees_what_departs_from_it(name: str) -> None:
    assert departures(short_life(name, lying=True))
