"""The type of a row in the table of tolerances, and changes that several rows use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from conformance.reference.message import IncomingRequest, Reply, Twist, items
from conformance.reference.queue import Queue, QueueItem

NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Row(NamedTuple):
    """A row: the name and description of a variant, what the variant changes, and other fields of ``Variant``."""

    name: str
    summary: str
    twist: Twist = Twist()
    settings: Mapping[str, Any] = NONE


def set_fields(statuses: tuple[int, ...] = (), **fields: str | None) -> Twist:
    """Return a Twist that sets header fields (``x_served_by=…``) of all responses, or of those with ``statuses``.

    A value of None removes the field.
    """

    def change(reply: Reply, _ask: IncomingRequest) -> Reply:
        return reply.having(None, **fields) if not statuses or reply.status in statuses else reply

    return Twist(replies=change)


def on_200(**fields: str | None) -> Twist:
    """Return a Twist that sets header fields of each 200 response."""
    return set_fields((200,), **fields)


def each_job(change: Callable[[QueueItem], object]) -> Twist:
    """Return a Twist that applies ``change`` to every job, in place."""

    def lists(queue: Queue, _ask: IncomingRequest) -> Queue:
        for item in items(queue):
            change(item)
        return queue

    return Twist(lists=lists)


def add_inputs(**inputs: Any) -> Twist:
    """Return a Twist that adds ``inputs`` to a node of every workflow."""
    return each_job(lambda item: item[2]["3"]["inputs"].update(inputs))


def add_metadata(**members: Any) -> Twist:
    """Return a Twist that adds ``members`` to the metadata of every job."""
    return each_job(lambda item: item[4].update(members))
