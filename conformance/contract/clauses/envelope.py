"""QueueInfo: the object that holds the two lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred
from conformance.contract.reading.body import LISTS, Reading, constant_free, infos
from conformance.contract.reading.memory import Located
from conformance.contract.terms import FastPath, Level
from conformance.text.safe import show

GET: Final = "/paths/~1api~1queue/get"
INFO: Final = "/components/schemas/QueueInfo"


def _values(reading: Reading) -> Iterator[Located]:
    if reading.document.read and constant_free(reading.document.value):
        yield Located("", reading.document.value)


@clause(
    "envelope.object",
    Level.MUST,
    core=True,
    fast=FastPath.BODY,
    title="The body is one JSON object",
    source=doc(f"{INFO}/type", "object"),
    why="Clients read the two lists by name.",
    keeps='{"queue_running": [], "queue_pending": []}',
    breaks='[{"queue_running": [], "queue_pending": []}]',
    of_body=_values,
    kinds=("bare-list", "encoded-twice"),
)
def the_body_is_an_object(found: Located) -> Iterator[Finding]:
    """The body of a 200 is an object."""
    value = found.value
    if not isinstance(value, dict):
        cause = None
        if isinstance(value, list):
            cause = Cause("bare-list", "the list of jobs without the object around it")
        elif isinstance(value, str):
            cause = Cause("encoded-twice", "a string that contains the queue as JSON: encoded twice")
        yield Finding("", "an object", show(value), "The body is not a JSON object.", cause)


_SUCCESS: Final = frozenset({"0", "200", "ok", "success", "succeeded", "none", "null", "false"})
"""Values, in lower case, by which an envelope reports success."""


def is_error(info: dict[str, Any]) -> bool:
    """Whether an object has neither list and looks like an error.

    That is an ErrorResponse, whose code is a string, or an object with ``error``. An object such as
    ``{"code": 0, "message": "success", "data": …}`` is another envelope, not an error.
    """
    if any(name in info for name in LISTS):
        return False
    code, message = info.get("code"), info.get("message")
    response = isinstance(code, str) and isinstance(message, str) and code.lower() not in _SUCCESS
    errors = (info.get("error"), info.get("errors"))
    return response or any(bool(error) and str(error).lower() not in _SUCCESS for error in errors)


@clause(
    "envelope.not-an-error",
    Level.MUST,
    fast=FastPath.BODY,
    title="A 200 does not carry an error",
    source=doc(f"{GET}/responses/200/description", "Success"),
    why="The status says success, so a client shows an empty queue.",
    keeps='{"queue_running": [], "queue_pending": []}',
    breaks='{"code": "UNAUTHORIZED", "message": "Invalid API key"}',
    of_body=infos,
)
def no_error_under_200(info: dict[str, Any]) -> Iterator[Finding]:
    """The body of a 200 has at least one list, or does not look like an ErrorResponse."""
    if is_error(info):
        yield Finding("", "a QueueInfo", show(info), "The status is 200, but the body is an error.")


def _listed(name: str) -> Any:
    def of_body(reading: Reading) -> Iterator[Located]:
        found = (Located(f"/{name}", info[name]) for info in infos(reading) if name in info)
        return (listed for listed in found if constant_free(listed.value))

    return of_body


def _is_array(found: Located) -> Iterator[Finding]:
    if isinstance(found.value, list):
        return
    cause = (
        Cause("empty", "null, {} or an empty string instead of an empty list")
        if found.value in (None, {}, "")
        else None
    )
    yield Finding(found.pointer, "an array", show(found.value), "The list is not an array.", cause)


queue_running_is_an_array = clause(
    "envelope.queue-running.array",
    Level.MUST,
    core=True,
    title="queue_running is an array",
    source=doc(f"{INFO}/properties/queue_running/type", "array"),
    why="Clients iterate over the list. null or an object makes them fail.",
    keeps='{"queue_running": []}',
    breaks='{"queue_running": null}',
    needs="a response with queue_running",
    fast=FastPath.BODY,
    of_body=_listed("queue_running"),
    kinds=("empty",),
)(_is_array)

queue_pending_is_an_array = clause(
    "envelope.queue-pending.array",
    Level.MUST,
    core=True,
    title="queue_pending is an array",
    source=doc(f"{INFO}/properties/queue_pending/type", "array"),
    why="Clients iterate over the list. null or an object makes them fail.",
    keeps='{"queue_pending": []}',
    breaks='{"queue_pending": {}}',
    needs="a response with queue_pending",
    fast=FastPath.BODY,
    of_body=_listed("queue_pending"),
    kinds=("empty",),
)(_is_array)


@clause(
    "envelope.both-lists",
    Level.SHOULD,
    fast=FastPath.BODY,
    title="Both lists are present, even if empty",
    source=inferred(
        doc(f"{GET}/description", "running and pending items"), "The schema lists neither member as required."
    ),
    why="The schema requires neither list, but the official frontend and typed clients fail if one is missing.",
    keeps='{"queue_running": [], "queue_pending": []}',
    breaks='{"queue_running": []}',
    of_body=lambda reading: (info for info in infos(reading) if not is_error(info)),
)
def both_lists_are_present(info: dict[str, Any]) -> Iterator[Finding]:
    """queue_running and queue_pending are present."""
    for name in LISTS:
        if name not in info:
            yield Finding(f"/{name}", "an array", "absent", f"{name} is missing.")
