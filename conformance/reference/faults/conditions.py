"""Faults of conditional requests and range requests: 304, 206 and entity tags."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from conformance.reference.faults.registry import add, replies
from conformance.reference.message import IncomingRequest, Replies, Reply, Twist


@replies("http.not-modified", to=200, when=lambda ask: ask.header("if-none-match") is not None)
def not_modified_for_anyone(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request with an If-None-Match that the server never sent as an ETag gets a 304."""
    return replace(reply, status=304).having(b"", content_type=None)


@replies("http.range", to=200, method="GET", when=lambda ask: ask.header("range") is not None)
def part_without_content_range(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 206 has no Content-Range."""
    return replace(reply, status=206).having(reply.body[:1])


@replies("http.range", to=200, method="GET", when=lambda ask: ask.header("range") is not None)
def whole_as_a_part(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request for one byte gets a 206 with the whole body."""
    return replace(reply, status=206).having(content_range=f"bytes 0-0/{len(reply.body)}")


@replies("http.not-modified-etag", to=304, variant="etag-of-a-still-queue")
def not_modified_without_etag(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 304 has no ETag, although each 200 has one."""
    return reply.having(etag=None)


def _tagged(tag: Callable[[Reply], str]) -> Replies:
    return lambda reply, _ask: reply.having(etag=tag(reply)) if reply.status == 200 else reply


def _count(reply: Reply) -> str:
    return str(sum(map(len, json.loads(reply.body).values())))


for _name, _summary, _clause, _tag in (
    ("etag-without-quotes", "The ETag has no quotes.", "http.etag", lambda _: "33a64df5"),
    ("etag-with-one-quote", "The ETag has no closing quote.", "http.etag", lambda _: '"33a64df5'),
    ("etag-in-single-quotes", "The ETag is in single quotes.", "http.etag", lambda _: "'33a64df5'"),
    ("weak-etag-in-lower-case", "A weak ETag begins with w/ in lower case.", "http.etag", lambda _: 'w/"33a64df5"'),
    ("etag-that-stays", "The strong ETag is the same for every queue.", "http.etag-changes", lambda _: '"queue"'),
    (
        "etag-of-the-count",
        "The strong ETag is the number of jobs, so different queues can have the same one.",
        "http.etag-changes",
        lambda reply: f'"{_count(reply)}"',
    ),
):
    # A short run sees the queue change only if the queue changes fast.
    add(_name, _summary, _clause, Twist(replies=_tagged(_tag)), variant="fast-moving")
