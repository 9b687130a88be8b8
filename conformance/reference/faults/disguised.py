"""Faults that a simple test does not see: the first response, or every response to a test program, is correct."""

from __future__ import annotations

from typing import Final

from conformance.reference.faults.registry import items, lists
from conformance.reference.message import IncomingRequest
from conformance.reference.queue import Queue, QueueItem

TESTERS: Final = ("comfy-queue-conformance", "schemathesis", "python-")
"""Prefixes, in lower case, of the User-Agent of test programs."""


def _no_tester(ask: IncomingRequest) -> bool:
    return not (ask.header("user-agent") or "").lower().startswith(TESTERS)


@items("item.job-number.one-based", when=_no_tester)
def right_to_testers_alone(item: QueueItem) -> None:
    """Every job number is 0 for a client whose User-Agent does not name a test program."""
    item[0] = 0


@items("item.create-time.present", when=lambda ask: ask.read > 1)
def right_the_first_time(item: QueueItem) -> None:
    """From the second GET on, jobs have no create_time."""
    item[4].pop("create_time")


@items("item.create-time.milliseconds", when=lambda ask: ask.accepts("gzip"))
def wrong_where_gzip_is_taken(item: QueueItem) -> None:
    """Clients that accept gzip get a create_time in seconds, as if another server had sent it."""
    item[4]["create_time"] //= 1000


@lists("envelope.object", when=lambda ask: ask.method == "GET", variant="standing-still")
def right_to_head_alone(queue: Queue, _ask: IncomingRequest) -> object:
    """A GET of the queue returns only an array of the pending jobs. HEAD is correct."""
    return queue["queue_pending"]


@lists("item.five-elements")
def an_empty_queue_before_it(queue: Queue, ask: IncomingRequest) -> object:
    """The queue is empty, except in every twelfth response, whose jobs have four elements."""
    if not ask.every(12):
        return {name: [] for name in queue}
    return {name: [item[:4] for item in listed] for name, listed in queue.items()}
