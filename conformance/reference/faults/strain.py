"""Faults that show only under load: while many clients are connected, or while several submit jobs at once.

``check`` opens four connections at a time and does not find them. ``load`` finds them. They depend on open connections,
not on time, so they show on a busy machine too.
"""

from __future__ import annotations

from typing import ClassVar

from conformance.reference.board import Board
from conformance.reference.faults.registry import items, lists, replies
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.queue import Queue, QueueItem

MANY = 6
"""The number of open connections that a server with one of these faults can handle."""


def _strained(ask: IncomingRequest) -> bool:
    return ask.connections > MANY


@items("item.five-elements", when=_strained, under_load=True)
def saves_metadata_under_load(item: QueueItem) -> QueueItem:
    """While more than six connections are open, each job lacks its last element."""
    return item[:4]


@replies("error.object", when=_strained, under_load=True)
def fails_silently_under_load(reply: Reply, _ask: IncomingRequest) -> Reply:
    """While more than six connections are open, the response is a 500 without a body."""
    return reply.error(500, "").having(b"")


class TakesItsTime(Board):
    """A queue in which a POST request takes 0.1 seconds."""

    takes: ClassVar[float] = 0.1


@lists(
    "item.five-elements", when=lambda ask: ask.writing > 1, variant="takes-jobs", board=TakesItsTime, under_load=True
)
def torn_by_two_who_write(queue: Queue, _ask: IncomingRequest) -> object:
    """While two POST requests are in progress, a GET shows only the first two elements of the last job."""
    for jobs in queue.values():
        jobs[-1:] = [job[:2] for job in jobs[-1:]]
    return queue
