"""Unusual queues and jobs that a conforming server may list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from conformance.reference.message import IncomingRequest, Twist
from conformance.reference.queue import Queue, QueueItem
from conformance.reference.tolerances.row import Row, add_inputs, add_metadata, each_job


def _large_workflow(item: QueueItem) -> None:
    node = item[2]["4"]
    item[2] |= {str(number): {**node, "inputs": {"image": ["3", 0], "n": number}} for number in range(1000, 1400)}


def _count_from_far(item: QueueItem) -> None:
    item[0] += 2**53 - 1000


def shift(by: Callable[[int], int]) -> Twist:
    """Add to the create_time of each job what ``by`` returns for it."""

    def change(item: QueueItem) -> None:
        item[4]["create_time"] += by(item[4]["create_time"])

    return each_job(change)


def _unnumbered(queue: Queue, _ask: IncomingRequest) -> Queue:
    """Number running jobs and pending jobs separately, each from 1."""
    for listed in queue.values():
        for number, item in enumerate(listed, 1):
            item[0] = number
    return queue


def _with_members(**members: Any) -> Twist:
    return Twist(lists=lambda queue, _ask: {**queue, **members})


ROWS: Final = (
    # jobs
    Row("large-workflows", "Workflows have four hundred nodes.", each_job(_large_workflow), {"waiting": 3}),
    Row(
        "five-hundred-jobs",
        "Five hundred jobs are pending while new ones arrive.",
        Twist(),
        {"waiting": 500, "period": 0.5},
    ),
    Row("four-workers-in-a-hurry", "Four jobs run, each for 0.08 seconds.", Twist(), {"running": 4, "period": 0.02}),
    Row("slow-queue", "A new job arrives every ten seconds.", Twist(), {"period": 10.0}),
    Row(
        "numbered-separately",
        "Running jobs and pending jobs are numbered separately, each from 1.",
        Twist(lists=_unnumbered),
    ),
    Row("huge-numbers", "Job numbers are near 2^53.", each_job(_count_from_far)),
    Row(
        "same-workflow-each-time",
        "All jobs run the same workflow.",
        each_job(
            lambda item: item[2].update(
                {"7": {"class_type": "SaveImage", "inputs": {}}, "3": {"class_type": "LoadImage", "inputs": {}}}
            )
        ),
    ),
    Row(
        "same-time-each-job",
        "All jobs have the same create_time.",
        each_job(lambda item: item[4].update(create_time=1_763_913_600_123)),
    ),
    Row("old-jobs", "Jobs have been pending for years.", shift(lambda _: -600_000_000_000)),
    Row(
        "odd-names-in-workflows",
        "Inputs have names such as __proto__, which cause errors in careless programs.",
        add_inputs(**{"": 1, "__proto__": {}, "constructor": None, "a/b~c": [], "$ref": "#/"}),
    ),
    Row(
        "markup-in-workflows",
        "Inputs contain markup and workflow commands of CI systems.",
        add_inputs(text="<script>alert(1)</script>\n::error::no\n\x1b[2J"),
    ),
    Row(
        "token-in-a-workflow",
        "A workflow contains text that looks like a key.",
        add_inputs(text="sk-abcdefghijklmnopqrstuvwxyz123456"),
    ),
    Row(
        "numbers-called-tokens",
        "Metadata has members with token in their names that are counts, not secrets.",
        add_metadata(max_tokens=512, count_of_tokens="77"),
    ),
    Row(
        "long-texts",
        "A prompt has a hundred thousand characters.",
        add_inputs(text="ein Haus am See, " * 6000),
        {"waiting": 2},
    ),
    Row(
        "many-metadata",
        "Metadata has a hundred members.",
        add_metadata(**{f"m{number}": [number] for number in range(100)}),
    ),
    Row(
        "status-beside-lists",
        "The body has the two lists, and also a status member as errors have.",
        _with_members(code="OK", message="success", error=None),
    ),
    Row(
        "counts-beside-lists",
        "The body has the two lists, totals and page numbers.",
        _with_members(total=7, pagination={"has_more": False}),
    ),
    Row(
        "new-line-at-the-end",
        "The body ends with a line feed.",
        Twist(writes=lambda body: json.dumps(json.loads(body), ensure_ascii=False).encode() + b"\n"),
    ),
)
