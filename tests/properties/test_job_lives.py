"""Random lives of jobs: the reference endpoint keeps to a model of a queue, and each lie is made short and told."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import hypothesis
import pytest

from conformance.contract.terms import Dialect
from conformance.probe.workflows import built_in
from conformance.reference.board import Board
from conformance.reference.faults import FAULTS
from conformance.reference.variants import VARIANTS
from helpers.lifecycle_model import Life, shortest_breach
from helpers.profiles import one_in, quick_if
from helpers.simulated_runs import POPULATE, Played, endpoint

WORKFLOW = built_in("PreviewImage", slow=False)
SEED = 1
EXAMPLES = 60
FEW = 60 if hypothesis.settings().max_examples > 50 else 15
"""Sequences that find nothing: more in the deep profile."""

UNCONCERNED = "lifecycle.prompt-id"
"""A clause that has nothing to say of it."""

SHORTEST = {
    "forgets-a-job": ["submit job 1", "submit job 2", "submit job 3"],
    "torn-under-load": ["submit job 1"],
    "loses-other-planes": ["submit job 1, with text from every Unicode plane"],
    "heap-of-jobs": ["submit job 1", "submit job 2", "submit job 3", "submit job 4", "submit job 5"],
    "newest-first-and-dated-so": ["submit job 1", "submit job 2", "submit job 3"],
    "heeds-front": ["submit job 1", "submit job 2", "submit job 3, front true"],
    "interrupt-does-nothing": ["submit job 1", "interrupt what runs"],
    "interrupt-takes-the-next-too": ["submit job 1", "submit job 2", "interrupt what runs"],
    "list-of-jobs-says-all-run": ["submit job 1", "submit job 2", "wait 0.5 s"],
}
"""The shortest sequence that shows a lie; a heap of four that wait is sorted, whichever was taken from it."""


def beginning(variant: str, fault: str | None = None) -> Callable[[], Played]:
    return lambda: Played(*endpoint(variant, fault), POPULATE)


LONG = (
    "forgets-a-job",
    "heap-of-jobs",
    "heeds-front",
    "interrupt-does-nothing",
    "interrupt-takes-the-next-too",
    "list-of-jobs-says-all-run",
    "newest-first-and-dated-so",
)
"""Faults whose sequences take seconds to shorten."""


@pytest.mark.parametrize("name", quick_if(SHORTEST, lambda name: name not in LONG))
def test_a_lie_is_told_by_the_shortest_sequence_that_shows_it(name: str) -> None:
    fault = FAULTS[name]
    found = shortest_breach(beginning(fault.variant, name), WORKFLOW, wanted=fault.clause, seed=SEED, examples=EXAMPLES)
    assert found is not None
    assert found.clause == fault.clause
    assert list(found.steps) == SHORTEST[name]
    words, *lines = str(found).split("\n")
    assert words == f"{fault.clause} is broken: {', then '.join(found.steps)}"
    assert lines == list(found.lines) != []


@pytest.mark.deep
def test_a_sequence_is_told_in_lines_that_do_it_again() -> None:
    found = shortest_breach(
        beginning("takes-jobs", "deletes-nothing"),
        WORKFLOW,
        wanted="lifecycle.delete.removes",
        seed=SEED,
        examples=EXAMPLES,
    )
    assert found is not None
    submits = [line for line in found.lines if line.startswith("id")]
    assert [line.partition("=")[0] for line in submits] == ["id1", "id2"]
    assert all('--data-binary \'{"prompt": {' in line and "http://127.0.0.1/api/prompt" in line for line in submits)
    (delete,) = (line for line in found.lines if "delete" in line)
    assert '--data-binary "{\\"delete\\": [\\"$id2\\"]}" http://127.0.0.1/api/queue' in delete
    assert found.lines.count("curl -sS http://127.0.0.1/api/queue") == 3


@pytest.mark.parametrize("variant", one_in(3, [name for name, variant in VARIANTS.items() if variant.board]))
def test_no_sequence_accuses_a_conforming_endpoint(variant: str) -> None:
    dialect = Dialect(VARIANTS[variant].dialect)
    found = shortest_breach(beginning(variant), WORKFLOW, dialect=dialect, seed=SEED, examples=FEW)
    assert found is None, str(found)


# --- a model of the queue -------------------------------------------------------------------------------------------


class NotTheModel(BaseException):
    """GET /api/queue lists other jobs than one worker would leave. Hypothesis does not shorten what is no Exception."""


def watched_by_a_model(life: Life, step: float = Board.step) -> None:
    """Work out from what was asked, and when, what one worker has come to, and compare it with what is listed.

    Jobs run one after the other, ``step`` seconds a node, unless they are deleted while they wait or interrupted.
    """
    done: dict[str, float] = {}
    jobs: list[tuple[str, float]] = []
    gone: dict[str, float] = {}
    stops: list[float] = []
    if not life.client.ledger:
        return
    for exchange in life.client.ledger:
        assert exchange.started is not None
        moment, body = exchange.started + 0.002, exchange.request.body
        answer = exchange.response.content if exchange.response else b""
        if exchange.request.url.endswith("/prompt") and body and b"prompt_id" in answer:
            jobs.append((answer.decode().split('"')[3], moment))
        elif exchange.request.url.endswith("/interrupt"):
            stops.append(moment)
        elif b"delete" in body:
            gone |= {name: moment for name, _ in jobs if name.encode() in body and name not in gone}
        elif b"true" in body:
            gone |= {name: moment for name, _ in jobs if name not in gone}
    free = 0.0
    for name, since in jobs:
        begins = max(free, since)
        if name in gone and gone[name] < begins:
            done[name] = gone[name]
            continue
        ends = begins + step * len(WORKFLOW)
        done[name] = free = min([ends, *(stop for stop in stops if begins < stop < ends)])
    assert exchange.started is not None
    now = exchange.started + 0.002
    expected = [name for name, _ in jobs if done[name] > now]
    listed = [job.id for job in life.leave.listed or ()]
    if life.leave.listed is not None and listed != expected:
        raise NotTheModel(f"{listed} are listed, and {expected} would be")


def test_the_reference_endpoint_keeps_to_a_model_of_a_queue() -> None:
    found = shortest_breach(beginning("takes-jobs"), WORKFLOW, seed=SEED, examples=FEW, watch=watched_by_a_model)
    assert found is None, str(found)


@pytest.mark.parametrize(
    ("name", "step"), [("forgets-a-job", 0.05), ("deletes-everything", 0.05), ("heeds-front", 0.4)]
)
def test_the_model_sees_what_departs_from_it(name: str, step: float) -> None:
    watch = partial(watched_by_a_model, step=step)
    with pytest.raises(NotTheModel):
        shortest_breach(beginning("takes-jobs", name), WORKFLOW, wanted=UNCONCERNED, seed=SEED, watch=watch)
