"""Status: that the queue is served, and that every read of it is answered 200."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Cause, Finding, clause, doc
from conformance.contract.clauses.envelope import GET
from conformance.contract.conversation import OK, UNAVAILABLE, Answer, Conversation
from conformance.contract.expected_status import STEADY, TOO_MANY, allowed, cause, unexpected
from conformance.contract.terms import Level


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
    needs="a read that is answered with something else than 401, 403, 429, 502, 503 or 504",
    across=served, kinds=("not-found", "not-allowed", "redirect"),
)  # fmt: skip
def the_queue_is_served(answers: list[Answer]) -> Iterator[Finding]:
    """At least one read is answered 200."""
    if any(answer.response.status == OK for answer in answers):
        return
    status = answers[0].response.status
    causes = {
        404: Cause("not-found", "is the path right? see --queue-path"),
        405: Cause("not-allowed", "is this the queue's own path? see --queue-path"),
    }
    redirect = Cause("redirect", "a redirect is not followed: give its destination as the target")
    cause = causes.get(status, redirect if 300 <= status < 400 else None)
    yield Finding(None, "200", str(status), "No read of the queue is answered 200.", cause)


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
