"""Faults that show under load alone: at many requests a second, or while several write at once.

A run of ``check`` asks too little, and too much in turn, to come across them. ``load`` finds them.
"""

from __future__ import annotations

from typing import ClassVar

from conformance.reference.board import Board
from conformance.reference.faults.registry import items, lists, replies
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.queue import Queue, QueueItem

MANY = 50
"""Requests in a second, with which a server of these copes."""


def _strained(ask: IncomingRequest) -> bool:
    return ask.rate > MANY


@items("item.five-elements", when=_strained, under_load=True)
def saves_metadata_under_load(item: QueueItem) -> QueueItem:
    """At more than fifty requests a second the last element of each job is left out."""
    return item[:4]


@replies("error.object", when=_strained, under_load=True)
def fails_silently_under_load(reply: Reply, _ask: IncomingRequest) -> Reply:
    """At more than fifty requests a second the answer is 500, and has no body."""
    return reply.error(500, "").having(b"")


class TakesItsTime(Board):
    """A request that writes is under way for some time."""

    takes: ClassVar[float] = 0.1


def _written_to(ask: IncomingRequest) -> bool:
    return ask.writing > 1


@lists("item.five-elements", when=_written_to, variant="takes-jobs", board=TakesItsTime, under_load=True)
def torn_by_two_who_write(queue: Queue, _ask: IncomingRequest) -> object:
    """While two requests that write are under way, a read finds the last job written by half."""
    for jobs in queue.values():
        jobs[-1:] = [job[:2] for job in jobs[-1:]]
    return queue
