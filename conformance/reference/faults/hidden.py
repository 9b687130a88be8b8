"""Faults that the fixed requests of a run do not show, because they need a request of a certain kind.

Generated requests (``--properties``) find them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs

from conformance.reference.faults.registry import items, lists, replies
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.queue import Queue, QueueItem

VIEW: Final = {
    "name": "X-Queue-View",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "enum": ["full", "brief"]},
}
DEPTH: Final = {"name": "depth", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 8}}


def _asks_for(name: str) -> Any:
    return lambda ask: name in parse_qs(ask.query, keep_blank_values=True)


def _has_quote(ask: IncomingRequest) -> bool:
    return "%27" in ask.query


@replies("http.query", to=200, when=_has_quote, hidden=True)
def fails_on_a_quote(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A single quote in the query string causes a 500."""
    return reply.error(500, "Something went wrong.")


@replies("", to=200, when=_has_quote, hidden=True, inconclusive=True)
def breaks_off_on_a_quote(reply: Reply, _ask: IncomingRequest) -> Reply:
    """If the query string contains a single quote, the last ten bytes of the response are missing."""
    return reply.having(content_length=str(len(reply.body) + 10), connection="close")


@lists("queue.pending.oldest-first", when=_asks_for("sort"), hidden=True)
def sorts_by_a_parameter(queue: Queue, _ask: IncomingRequest) -> object:
    """With the parameter ?sort, which the document does not declare, the newest job is listed first."""
    return {**queue, "queue_pending": queue["queue_pending"][::-1]}


@lists("envelope.both-lists", when=_asks_for("state"), hidden=True)
def filters_by_a_parameter(queue: Queue, _ask: IncomingRequest) -> object:
    """With the parameter ?state, which the document does not declare, the list of running jobs is missing."""
    return {"queue_pending": queue["queue_pending"]}


@items("item.job-number.one-based", when=lambda ask: ask.header("cache-control") == "no-cache", hidden=True)
def counts_from_zero_when_not_cached(item: QueueItem) -> None:
    """With Cache-Control: no-cache every job number is 0."""
    item[0] = 0


@replies("error.content-type", to=200, when=lambda ask: len(ask.header("cookie") or "") > 500, hidden=True)
def fails_on_a_long_cookie(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A cookie of 1,000 characters causes a 400 with a web page."""
    return replace(reply, status=400).having(b"<h1>Bad Request</h1>", content_type="text/html")


@replies(
    "error.optional-header", to=200, when=lambda ask: (ask.header("range") or "").startswith("bytes=-"), hidden=True
)
def fails_on_the_last_byte(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A range request that counts from the end of the body causes a 500."""
    return reply.error(500, "Something went wrong.")


@replies("http.accept", to=200, when=lambda ask: ";q=" in (ask.header("accept") or ""), hidden=True)
def knows_no_weights(reply: Reply, ask: IncomingRequest) -> Reply:
    """A request with weights (;q=) in Accept gets a 406, unless a browser sends it."""
    return reply if "xhtml" in (ask.header("accept") or "") else reply.error(406, "Not acceptable.")


@items("item.create-time.present", when=lambda ask: ask.every(61), hidden=True)
def forgets_the_time_in_every_61st_read(item: QueueItem) -> None:
    """In every 61st response jobs have no create_time."""
    item[4].pop("create_time")


@replies("http.content-type", to=200, when=lambda ask: ask.header("accept") == "text/xml", hidden=True)
def xml_as_text(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A client that accepts only text/xml gets XML."""
    return reply.having(b"<queue/>", content_type="text/xml")


@items("item.five-elements", when=lambda ask: ask.header("x-queue-view") == "brief", hidden=True, declared=(VIEW,))
def four_elements_in_a_brief_view(item: QueueItem) -> None:
    """If the header X-Queue-View, which the user's document declares as required, is brief, items lack metadata."""
    item.pop()


@items(
    "item.workflow.object", when=lambda ask: parse_qs(ask.query).get("depth") == ["0"], hidden=True, declared=(DEPTH,)
)
def no_workflow_at_no_depth(item: QueueItem) -> None:
    """If the query parameter depth, which the user's document declares, is 0, its minimum, workflows are null."""
    item[2] = None
