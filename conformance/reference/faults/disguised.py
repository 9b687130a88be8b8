"""Faults in disguise: endpoints that are right to whoever seems to test them, and wrong to others or later."""

from __future__ import annotations

from typing import Final

from conformance.reference.faults.registry import items, lists
from conformance.reference.message import IncomingRequest
from conformance.reference.queue import Queue, QueueItem

TESTERS: Final = ("comfy-queue-conformance", "schemathesis", "python-")
"""How programs that test begin their User-Agent."""


def _no_tester(ask: IncomingRequest) -> bool:
    return not (ask.header("user-agent") or "").lower().startswith(TESTERS)


@items("item.job-number.one-based", when=_no_tester)
def right_to_testers_alone(item: QueueItem) -> None:
    """A client whose User-Agent does not name a test program gets 0 as every job number."""
    item[0] = 0


@items("item.create-time.present", when=lambda ask: ask.read > 1)
def right_the_first_time(item: QueueItem) -> None:
    """From the second read on, jobs have no create_time."""
    item[4].pop("create_time")


@items("item.create-time.milliseconds", when=lambda ask: ask.accepts("gzip"))
def wrong_where_gzip_is_taken(item: QueueItem) -> None:
    """Clients that accept gzip are answered by another server, whose times are in seconds."""
    item[4]["create_time"] //= 1000


@lists("envelope.object", when=lambda ask: ask.method == "GET", variant="standing-still")
def right_to_head_alone(queue: Queue, _ask: IncomingRequest) -> object:
    """HEAD is answered for the queue, but GET gets only a list of the pending jobs."""
    return queue["queue_pending"]


@lists("item.five-elements")
def an_empty_queue_before_it(queue: Queue, ask: IncomingRequest) -> object:
    """The queue is shown as empty, except in every twelfth read, whose jobs have four elements."""
    if not ask.every(12):
        return {name: [] for name in queue}
    return {name: [item[:4] for item in listed] for name, listed in queue.items()}
