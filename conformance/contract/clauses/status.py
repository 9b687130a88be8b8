"""Clauses about the status: GETs of the queue get a 200."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Finding, clause, doc, inferred
from conformance.contract.clauses.envelope import GET
from conformance.contract.conversation import OK, TOO_MANY, UNAVAILABLE, Answer, Conversation
from conformance.contract.expected_status import allowed, as_allowed, explained, unexpected
from conformance.contract.refusals import why_not_served
from conformance.contract.terms import Level
from conformance.text.safe import printable


def _steady(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """Yield the GETs of the queue, except "try again later" responses and requests that the server always refuses.

    ``http.accept``, ``http.query`` and ``error.optional-header`` check requests that are always refused. A request that
    is unusual in several ways is left out if the server always refuses requests that are unusual in one of these ways.
    """
    if not conversation.served:
        return
    others = explained(conversation)
    for answer in conversation.answers:
        if answer.exchange.id not in others:
            yield from ((answer, found) for found in accountable(answer))


def accountable(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it is to a GET of the queue, except a 429 or one with Retry-After."""
    not_now = answer.response.status == TOO_MANY or answer.response.header("retry-after") is not None
    if answer.request.reads and answer.response.head and not not_now:
        yield answer


def _excused(answer: Answer) -> bool:
    """Whether the recording lacks the request headers, and these may explain why the status is not 200."""
    return not (answer.request.head or answer.served) and as_allowed(answer)


def served(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """Yield the normal GETs of the queue in one list, without those that got a refusal or "try again later"."""
    plain = [answer for answer in conversation.answers if answer.request.plain]
    telling = [answer for answer in plain if answer.response.status not in UNAVAILABLE and not _excused(answer)]
    if telling:
        yield telling[0], telling


@clause(
    "status.served",
    Level.MUST,
    core=True,
    title="The server sends the queue: a GET gets a 200",
    source=doc(f"{GET}/responses/200/description", "Success"),
    why="A client that never gets a 200 has no queue to show.",
    keeps="GET /api/queue → 200",
    breaks="GET /api/queue → 404, every time",
    needs='a GET of the queue that gets neither a refusal (401, 402, 403, 407) nor "try again later" (408, 425, 429, 502 to 504, 520 to 527, 530)',
    across=served,
    kinds=("not-found", "not-allowed", "redirect", "login", "tls-port", "other-version"),
)
def the_queue_is_served(answers: list[Answer]) -> Iterator[Finding]:
    """At least one GET of the queue gets a 200."""
    if any(answer.response.status == OK for answer in answers):
        return
    first = answers[0]
    location = first.response.header("location")
    got = str(first.response.status) + (f" with Location: {printable(location)}" if location is not None else "")
    yield Finding(None, "200", got, "No GET of the queue got a 200.", why_not_served(first))


@clause(
    "status.steady",
    Level.SHOULD,
    title="Every GET of the queue gets a 200",
    source=inferred(
        doc(f"{GET}/description", "Returns information about running and pending items in the queue"),
        "The OpenAPI document does not say that every request succeeds. The request has no parameters that could be wrong.",
    ),
    why="The request has no parameters, so it cannot be wrong once and right the next time.",
    keeps="GET /api/queue → 200, 200, 200",
    breaks="GET /api/queue → 200, 500, 200",
    needs="a GET of the queue that gets a 200",
    across=_steady,
)
def every_read_is_answered_200(answer: Answer) -> Iterator[Finding]:
    """Each GET of the queue gets a 200, or another status that its request allows."""
    if answer.response.status != OK and not _excused(answer) if answer.request.plain else unexpected(answer):
        request = answer.request
        named = printable(" and ".join(request.declared))
        declared = f" It has {named}, which your OpenAPI document declares." if named else ""
        yield Finding(
            None,
            "200" if request.plain else " or ".join(map(str, sorted(allowed(request)))),
            str(answer.response.status),
            f"A GET of the queue ({request.purpose}) did not get a 200, although others did.{declared}",
        )
