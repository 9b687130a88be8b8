"""Faults of error responses: those with the schema ErrorResponse, and others."""

from __future__ import annotations

from typing import Final

from conformance.reference.faults.registry import add, replies
from conformance.reference.faults.replies import csv_only
from conformance.reference.message import IncomingRequest, Reply, Twist


def _error(clause: str, name: str, summary: str, value: object) -> None:
    """Add a fault: the JSON body of each 400 is ``value``."""

    def change(reply: Reply, _ask: IncomingRequest) -> Reply:
        return reply.json(400, value) if reply.status == 400 else reply

    add(name, summary, clause, Twist(replies=change))


_SORRY: Final = "Origin is malformed."
A_JOB: Final = [1, "5f0c2f6e-9d0b-4f0e-8a43-0c1d2e3f4a5b", {}, ["9"], {"create_time": 1_763_913_600_123}]
_error("error.object", "error-as-text", "Errors are JSON strings.", _SORRY)
_error("error.object", "error-as-list", "Errors are arrays of errors.", [{"code": "BAD_REQUEST", "message": _SORRY}])
_error("error.code", "error-without-code", "Errors have no code.", {"message": _SORRY})
_error("error.code", "numeric-code", "The code of errors is a number.", {"code": 400, "message": _SORRY})
_error("error.code", "null-code", "The code of errors is null.", {"code": None, "message": _SORRY})
_error("error.message", "error-without-message", "Errors have no message.", {"code": "BAD_REQUEST"})
_error(
    "error.message",
    "message-as-list",
    "The message of errors is an array.",
    {"code": "BAD_REQUEST", "message": [_SORRY]},
)
_error("error.not-empty", "empty-code", "The code of errors is empty.", {"code": "", "message": _SORRY})
_error("error.not-empty", "empty-message", "The message of errors is empty.", {"code": "BAD_REQUEST", "message": ""})
_error(
    "error.no-queue",
    "queue-in-errors",
    "Errors contain a queue.",
    {"code": "BAD_REQUEST", "message": _SORRY, "queue_running": [A_JOB], "queue_pending": []},
)
_error(
    "error.no-internals",
    "stack-trace-in-errors",
    "Errors contain a stack trace.",
    {
        "code": "BAD_REQUEST",
        "message": 'Traceback (most recent call last):\n  File "/srv/comfy/queue.py", line 7\nValueError: port',
    },
)
_error(
    "error.no-internals",
    "path-in-errors",
    "Errors contain the path of a file on the server.",
    {"code": "BAD_REQUEST", "message": "/usr/local/lib/python3.11/site-packages/yarl/_url.py: port out of range"},
)


@replies("error.content-type", to=400)
def errors_as_text_plain(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Errors are JSON but have Content-Type text/plain."""
    return reply.having(content_type="text/plain; charset=utf-8")


@replies("error.content-type", to=400)
def errors_without_content_type(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Errors are JSON but have no Content-Type."""
    return reply.having(content_type=None)


@replies("error.retry-after", to=400)
def retry_soon(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Retry-After is the word soon."""
    return reply.having(retry_after="soon")


@replies("error.retry-after", to=400)
def retry_in_fractions(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Retry-After is a number with a fraction."""
    return reply.having(retry_after="1.5")


@replies("error.bad-header", to=400)
def garbled_header_fails(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A malformed Origin causes a 500."""
    return reply.error(500, "Something went wrong.")


@replies("error.other-status", to=200, when=csv_only)
def detail_on_406(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The body of a 406 is JSON with only a detail, as FastAPI sends it."""
    return reply.json(406, {"detail": "Not acceptable"})


@replies("error.other-status", to=204, method="OPTIONS")
def bare_text_on_405(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The body of a 405 is a JSON string."""
    return reply.json(405, "Method not allowed")


@replies("error.other-json", to=200, when=csv_only)
def word_as_json_on_406(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 406 has Content-Type application/json, but its body is a sentence."""
    return reply.json(406, None).having(b"Not acceptable")
