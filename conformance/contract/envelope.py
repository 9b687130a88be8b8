"""QueueInfo: that the queue is served, and the object that holds its two lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from conformance.contract.allowed import STEADY, allowed, cause, unexpected
from conformance.contract.answer import OK, TOO_MANY, UNAVAILABLE, Answer, Conversation
from conformance.contract.clause import Cause, Finding, Level, clause, doc, printable, show
from conformance.contract.reading import LISTS, Located, Reading, constant_free, infos
from conformance.contract.refusals import why_not_served

GET: Final = "/paths/~1api~1queue/get"
INFO: Final = "/components/schemas/QueueInfo"


def _as_allowed(answer: Answer) -> bool:
    return answer.response.status in allowed(answer.request)


def _steady(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """The reads of a queue that is served, but for "not now" and for requests that are refused every time.

    Those have clauses of their own: ``http.accept``, ``http.query``, ``error.optional-header``.
    """
    if not conversation.served:
        return
    refused = {
        answer.exchange.id
        for group in (*conversation.by_manner, *conversation.by_request)
        if len(group) > 1 and cause(group[0].request) != STEADY and not any(_as_allowed(answer) for answer in group)
        for answer in group
    }
    for answer in conversation.answers:
        if answer.exchange.id not in refused:
            yield from ((answer, found) for found in accountable(answer))


def accountable(answer: Answer) -> Iterator[Answer]:
    """A read whose status is to be accounted for: that does not say "not now, but then"."""
    not_now = answer.response.status == TOO_MANY or answer.response.header("retry-after") is not None
    if answer.request.reads and answer.response.head and not not_now:
        yield answer


def served(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """The run as a whole, where it asked in a way that leaves the server no excuse."""
    plain = [answer for answer in conversation.answers if answer.request.plain]
    telling = [answer for answer in plain if answer.response.status not in UNAVAILABLE]
    if telling:
        yield telling[0], telling


@clause(
    "status.served", Level.MUST, core=True,
    title="The queue is served",
    source=doc(f"{GET}/responses/200/description", "Success"),
    why="A client that never gets a 200 has no queue to show.",
    keeps="GET /api/queue → 200", breaks="GET /api/queue → 404, every time",
    needs='a read that is answered neither with a refusal (401, 402, 403, 407) nor with "not now" (408, 425, 429, 502 to 504, 520 to 527, 530)',
    across=served, kinds=("not-found", "not-allowed", "redirect", "login", "tls-port", "other-version"),
)  # fmt: skip
def the_queue_is_served(answers: list[Answer]) -> Iterator[Finding]:
    """At least one read is answered 200."""
    if any(answer.response.status == OK for answer in answers):
        return
    first = answers[0]
    location = first.response.header("location")
    got = str(first.response.status) + (f" with Location: {printable(location)}" if location is not None else "")
    yield Finding(None, "200", got, "No read of the queue is answered 200.", why_not_served(first))


@clause(
    "status.steady", Level.SHOULD,
    title="Every read is answered 200",
    source=doc(f"{GET}/description", "Returns information about running and pending items in the queue"),
    why="The request has no parameters, so nothing in it can be wrong one time and right the next.",
    keeps="GET /api/queue → 200, 200, 200", breaks="GET /api/queue → 200, 500, 200",
    needs="a read that is answered 200",
    across=_steady,
)  # fmt: skip
def every_read_is_answered_200(answer: Answer) -> Iterator[Finding]:
    """Each read is answered 200, or with a status that its own request leaves open."""
    if answer.response.status != OK if answer.request.plain else unexpected(answer):
        yield Finding(
            None, "200", str(answer.response.status), f"A read ({answer.request.purpose}) is not answered 200."
        )


def _values(reading: Reading) -> Iterator[Located]:
    if reading.document.read and constant_free(reading.document.value):
        yield Located("", reading.document.value)


@clause(
    "envelope.object", Level.MUST, core=True,
    title="The body is one JSON object",
    source=doc(f"{INFO}/type", "object"),
    why="Clients read the two lists by name.",
    keeps='{"queue_running": [], "queue_pending": []}', breaks='[{"queue_running": [], "queue_pending": []}]',
    of_body=_values, kinds=("bare-list", "encoded-twice"),
)  # fmt: skip
def the_body_is_an_object(found: Located) -> Iterator[Finding]:
    """The 200 body is an object."""
    value = found.value
    if not isinstance(value, dict):
        cause = None
        if isinstance(value, list):
            cause = Cause("bare-list", "the list of jobs itself, without the object around it")
        elif isinstance(value, str):
            cause = Cause("encoded-twice", "the queue as a string of JSON: encoded twice")
        yield Finding("", "an object", show(value), "The body is not a JSON object.", cause)


def is_error(info: dict[str, Any]) -> bool:
    """Whether an object has neither list and looks like an error."""
    return not any(name in info for name in LISTS) and (
        bool(info.get("error") or info.get("errors")) or {"code", "message"} <= info.keys()
    )


@clause(
    "envelope.not-an-error", Level.MUST,
    title="An error does not come under 200",
    source=doc(f"{GET}/responses/200/description", "Success"),
    why="A client takes the status for success and shows an empty queue.",
    keeps='{"queue_running": [], "queue_pending": []}', breaks='{"code": "UNAUTHORIZED", "message": "Invalid API key"}',
    of_body=infos,
)  # fmt: skip
def no_error_under_200(info: dict[str, Any]) -> Iterator[Finding]:
    """A 200 body with neither list does not look like an ErrorResponse."""
    if is_error(info):
        yield Finding("", "a QueueInfo", show(info), "The body is an error, the status says success.")


def _listed(name: str) -> Any:
    def of_body(reading: Reading) -> Iterator[Located]:
        found = (Located(f"/{name}", info[name]) for info in infos(reading) if name in info)
        return (listed for listed in found if constant_free(listed.value))

    return of_body


def _is_array(found: Located) -> Iterator[Finding]:
    if isinstance(found.value, list):
        return
    cause = Cause("empty", "an empty list is []") if found.value in (None, {}, "") else None
    yield Finding(found.pointer, "an array", show(found.value), "The list is not an array.", cause)


queue_running_is_an_array = clause(
    "envelope.queue-running.array", Level.MUST, core=True,
    title="queue_running is an array",
    source=doc(f"{INFO}/properties/queue_running/type", "array"),
    why="Clients map over it; null and objects throw.",
    keeps='{"queue_running": []}', breaks='{"queue_running": null}',
    needs="an answer with queue_running",
    of_body=_listed("queue_running"), kinds=("empty",),
)(_is_array)  # fmt: skip

queue_pending_is_an_array = clause(
    "envelope.queue-pending.array", Level.MUST, core=True,
    title="queue_pending is an array",
    source=doc(f"{INFO}/properties/queue_pending/type", "array"),
    why="Clients map over it; null and objects throw.",
    keeps='{"queue_pending": []}', breaks='{"queue_pending": {}}',
    needs="an answer with queue_pending",
    of_body=_listed("queue_pending"), kinds=("empty",),
)(_is_array)  # fmt: skip


@clause(
    "envelope.both-lists", Level.SHOULD,
    title="Both lists are present, also when empty",
    source=doc(f"{GET}/description", "running and pending items"),
    why="No list is required by the schema, but the official frontend and the typed clients fail where one is missing.",
    keeps='{"queue_running": [], "queue_pending": []}', breaks='{"queue_running": []}',
    of_body=lambda reading: (info for info in infos(reading) if not is_error(info)),
)  # fmt: skip
def both_lists_are_present(info: dict[str, Any]) -> Iterator[Finding]:
    """queue_running and queue_pending are there."""
    for name in LISTS:
        if name not in info:
            yield Finding(f"/{name}", "an array", "absent", f"{name} is missing.")
