"""Clauses about all jobs of one response: their ids, their numbers and their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred
from conformance.contract.clauses.item import PROSE
from conformance.contract.clauses.item_job_number import is_float
from conformance.contract.reading.body import Item, Reading, constant_free, element, full_items, is_number
from conformance.contract.reading.memory import Located
from conformance.contract.terms import CHOSEN_NUMBER, HEAP, Dialect, FastPath, Level
from conformance.text.safe import show

PENDING: Final = "/components/schemas/QueueInfo/properties/queue_pending/description"
OLDEST_FIRST: Final = "ordered by creation time, oldest first"


def _pending(reading: Reading) -> Sequence[Item]:
    return [item for item in reading.items if item.pending]


@clause(
    "queue.one-order",
    Level.MUST,
    only=frozenset({Dialect.AUTO}),
    elsewhere="every job must have the order of the dialect, which item.element-order checks",
    title="All jobs have their elements in the same order",
    source=doc(PROSE, "[job_number, prompt_id, workflow_json, output_node_ids, metadata]"),
    why="A client that detects the order of the elements from one job misreads the other jobs.",
    keeps="every job with output ids at [3]",
    breaks="one job with output ids at [3], the next with them at [4]",
    needs="a job of five elements",
    fast=FastPath.EACH_JOB,
    of_body=lambda reading: (item for item in full_items(reading) if constant_free(item.elements[3])),
)
def one_order(item: Item) -> Iterator[Finding]:
    """Element 3 has the same type in all jobs of a run: an array (order of cloud) or an object (order of oss)."""
    place = item.at(3)
    if item.order is None:
        yield Finding(
            place.pointer,
            "an array or an object",
            show(place.value),
            "Element 3 is neither an array nor an object, so it does not show the order of this job.",
        )
    elif not item.demand.open and item.order is not item.demand.read_as:
        yield Finding(
            place.pointer,
            "the order of the first job in the run",
            show(place.value),
            "Element 3 of this job is not of the type that it has in the first job of the run.",
        )


def _two_ids(reading: Reading) -> Iterator[list[tuple[Item, str]]]:
    named = [(item, item.prompt_id) for item in reading.items if item.prompt_id is not None]
    if len(named) > 1:
        yield named


@clause(
    "queue.prompt-ids.distinct",
    Level.SHOULD,
    fast=FastPath.DISTINCT_IDS,
    title="No job is listed twice",
    source=inferred(
        doc(PROSE, "Job UUID"),
        "A UUID identifies one job, but the OpenAPI document does not forbid listing a job twice.",
    ),
    why="A client that looks up a job by its id finds the wrong job, or counts one job twice.",
    keeps="every prompt_id once in both lists together",
    breaks="the same prompt_id as running and as pending",
    needs="two jobs",
    of_body=_two_ids,
    kinds=("running-and-pending",),
)
def prompt_ids_are_distinct(named: list[tuple[Item, str]]) -> Iterator[Finding]:
    """No prompt_id appears twice in queue_running and queue_pending together, unless the run submitted it twice."""
    seen: dict[str, Item] = {}
    for item, prompt_id in named:
        first = seen.setdefault(prompt_id.lower(), item)
        if first is not item and prompt_id.lower() not in item.demand.twice:
            both = first.pending is not item.pending
            yield Finding(
                f"{item.pointer}/1",
                "a unique id",
                show(prompt_id),
                f"This job is also listed at {first.pointer}." if both else "This prompt_id is already listed above.",
                Cause("running-and-pending", "listed as running and as pending at once") if both else None,
            )


def _pending_times(reading: Reading) -> Iterator[list[tuple[Located, object]]]:
    """Yield a list with create_time and job_number of each pending job, if at least two have a create_time."""
    timed = [(item.create_time, item.elements[0]) for item in _pending(reading) if item.create_time is not None]
    found = [(time, number) for time, number in timed if is_number(time.value)]
    if len(found) > 1:
        yield found


ORDERS: Final = ("newest-first", "heap")
NEWEST_FIRST: Final = Cause("newest-first", "newest first")
A_HEAP: Final = "the jobs are in the order of a binary heap, in which ComfyUI keeps its queue"
MAY_BE_A_HEAP: Final = (
    "two jobs are swapped, or the jobs are in the order of a binary heap, in which ComfyUI keeps its queue"
)
BY_NUMBER: Final = "the jobs are in the order of job_number: a client put its job first with `number` or `front` (--populate sends both)"


@clause(
    "queue.pending.oldest-first",
    Level.MUST,
    oss=HEAP,
    fast=FastPath.RISING_TIMES,
    title="Pending jobs are listed oldest first",
    source=doc(PENDING, OLDEST_FIRST),
    why="Clients show the position in the list as the position in the queue.",
    keeps="create_time 1000, 1000, 1002",
    breaks="create_time 1002, 1000",
    needs="two pending jobs with create_time",
    of_body=_pending_times,
    kinds=ORDERS,
)
def pending_is_oldest_first(timed: list[tuple[Located, object]]) -> Iterator[Finding]:
    """create_time never decreases along queue_pending. Equal times are allowed."""
    times = [time for time, _ in timed]
    falls = _falls(times)
    if not falls:
        return
    cause = _order(times)
    if cause in {None, NEWEST_FIRST} and _by_number(timed):
        cause = Cause(cause.kind if cause else "", BY_NUMBER)
    for before, after in falls:
        yield Finding(
            after.pointer,
            "a time not before that of the job listed ahead of this one",
            show(after.value),
            f"This job is older than the one listed before it, whose create_time is {show(before.value)}.",
            cause,
        )


def _falls(places: Sequence[Located]) -> list[tuple[Located, Located]]:
    """Return the neighbours of which the second is lower than the first."""
    return [(before, after) for before, after in pairwise(places) if after.value < before.value]


def _order(places: Sequence[Located]) -> Cause | None:
    """Return the order of an unsorted list as a cause: newest first, or a binary heap. None if neither fits."""
    if all(a.value >= b.value for a, b in pairwise(places)):
        return NEWEST_FIRST
    hint = _heap(places)
    return None if hint is None else Cause("heap", hint)


def _heap(places: Sequence[Located]) -> str | None:
    """Return a hint if a list is not sorted, but in the order of a binary heap. Else None.

    A list in which only two late neighbours are swapped is also a heap, so a single wrong pair does not prove a heap.
    """
    falls = _falls(places)
    if falls and all(places[(i - 1) // 2].value <= places[i].value for i in range(1, len(places))):
        return A_HEAP if falls[1:] else MAY_BE_A_HEAP
    return None


def _by_number(timed: Sequence[tuple[Located, object]]) -> bool:
    """Whether jobs are in the order of job_number, and those that are too early have a number that a client chose."""
    numbers = [number for _, number in timed]
    rising = all(is_number(number) for number in numbers) and all(a <= b for a, b in pairwise(numbers))  # type: ignore[operator]
    ahead = [number for (before, number), (after, _) in pairwise(timed) if after.value < before.value]
    return rising and all(is_float(number) or number < 0 for number in ahead)  # type: ignore[operator]


def heap_in(reading: Reading) -> Cause | None:
    """Return a cause without a kind if the pending jobs are not in order, but form a binary heap. Else None.

    The heap may be by job_number or by create_time.
    """
    times = ([time for time, _ in timed] for timed in _pending_times(reading))
    hints = map(_heap, chain(_pending_numbers(reading), times))
    return next((Cause("", hint) for hint in hints if hint is not None), None)


def _pending_numbers(reading: Reading) -> Iterator[list[Located]]:
    found = [n for n in element(0, _pending(reading)) if is_number(n.value)]
    if len(found) > 1:
        yield found


@clause(
    "queue.job-numbers.distinct",
    Level.SHOULD,
    oss=CHOSEN_NUMBER,
    fast=FastPath.DISTINCT_NUMBERS,
    title="No two pending jobs have the same job_number",
    source=inferred(
        doc(PROSE, "Position in queue (1-based)"),
        "The OpenAPI document calls the number a position, but does not say that positions are unique.",
    ),
    why="job_number is the position in the queue, and two jobs cannot have the same position.",
    keeps="1, 2, 4",
    breaks="1, 2, 2",
    needs="two pending jobs",
    of_body=_pending_numbers,
)
def job_numbers_are_distinct(numbers: list[Located]) -> Iterator[Finding]:
    """No job_number appears twice in queue_pending."""
    seen: set[object] = set()
    for number in numbers:
        if number.value in seen:
            yield Finding(
                number.pointer, "a unique position", show(number.value), "Another pending job has the same job_number."
            )
        seen.add(number.value)


@clause(
    "queue.job-numbers.rising",
    Level.SHOULD,
    fast=FastPath.RISING_NUMBERS,
    title="job_number increases along queue_pending",
    source=inferred(
        doc(PENDING, OLDEST_FIRST),
        "The OpenAPI document gives the order of the list and calls the number a position. It does not say that both agree.",
    ),
    why="Otherwise job_number and the order of the list show different positions in the queue.",
    keeps="1, 2, 4",
    breaks="1, 3, 2",
    needs="two pending jobs",
    of_body=_pending_numbers,
    kinds=ORDERS,
)
def job_numbers_rise(numbers: list[Located]) -> Iterator[Finding]:
    """job_number never decreases along queue_pending. Gaps are allowed."""
    falls = _falls(numbers)
    if not falls:
        return
    cause = _order(numbers)
    for before, after in falls:
        yield Finding(
            after.pointer,
            "a number above that of the job listed before this one",
            show(after.value),
            f"job_number is lower than that of the job listed before it, which has {show(before.value)}.",
            cause,
        )
