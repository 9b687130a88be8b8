"""Clauses about HEAD, OPTIONS, and the Allow header of a 405 response."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, inferred, rfc
from conformance.contract.clauses.http import NO_CONTENT, content_type_of, heads
from conformance.contract.conversation import NOT_NOW, OK, UNAVAILABLE, Answer, Conversation
from conformance.contract.expected_status import SERVER_ERROR
from conformance.contract.terms import Level
from conformance.exchange.model import Credential
from conformance.text.safe import printable

METHOD_NOT_ALLOWED: Final = 405
NOT_IMPLEMENTED: Final = 501


def _head_beside_get(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Answer, list[Answer]]]]:
    """Yield each response to HEAD with the user's key, and the responses to normal GETs before and after it."""
    gets = [a for a in conversation.answers if a.request.plain and a.response.head and a.response.status == OK]
    for answer in conversation.answers:
        request = answer.request
        proper = request.method == "HEAD" and request.to_queue and request.credential is Credential.GIVEN
        if proper and gets and answer.response.status not in NOT_NOW:
            before = [get for get in gets if get.precedes(answer)][-1:]
            after = [get for get in gets if answer.precedes(get)][:1]
            yield answer, (answer, before + after or gets[:1])


@clause(
    "method.head",
    Level.SHOULD,
    title="HEAD gets the same status and headers as GET",
    source=rfc(
        "RFC 9110 §9.3.2",
        "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if the request method had been GET.",
    ),
    why="Monitors and gateways use HEAD to check that the queue is available.",
    keeps="HEAD → 200, Content-Type: application/json",
    breaks="HEAD → 405",
    needs="a HEAD request, and a GET that gets a 200",
    across=_head_beside_get,
    kinds=("status", "content-type", "content-length"),
)
def head_is_like_get(subject: tuple[Answer, list[Answer]]) -> Iterator[Finding]:
    """HEAD gets the same status, Content-Type and, if the body did not change in between, Content-Length as GET."""
    head, (get, *later) = subject
    if head.response.status != OK:
        yield Finding(
            None, "200, as to GET", str(head.response.status), "HEAD does not get a 200, but GET does.", Cause("status")
        )
        return
    if get.response.lines("content-type") != head.response.lines("content-type"):
        yield Finding(
            None,
            content_type_of(get),
            content_type_of(head),
            "HEAD has a different Content-Type from GET.",
            Cause("content-type"),
        )
    length = head.response.header("content-length")
    stood_still = any(_same_body(get, other) for other in later)
    same_coding = head.response.header("content-encoding") == get.response.header("content-encoding")
    expected = get.response.header("content-length")
    if expected is None and get.response.header("content-encoding") is None and get.response.verbatim:
        expected = str(get.response.size)
    if stood_still and same_coding and None not in (length, expected) and length != expected:
        yield Finding(
            None,
            printable(expected or ""),
            printable(length or ""),
            "HEAD has a different Content-Length from GET.",
            Cause("content-length"),
        )


def _same_body(one: Answer, other: Answer) -> bool:
    return one.response.whole and other.response.whole and one.response.body == other.response.body


@clause(
    "method.allow-on-405",
    Level.MUST,
    title="A 405 response has an Allow header",
    source=rfc("RFC 9110 §15.5.6", "The origin server MUST generate an Allow header field in a 405 response"),
    why="Allow shows the client which methods it can use instead.",
    keeps="405, Allow: GET, HEAD",
    breaks="405 without Allow",
    needs="a 405 response",
    over=lambda answer: (found for found in heads(answer) if found.response.status == METHOD_NOT_ALLOWED),
)
def a_405_carries_allow(answer: Answer) -> Iterator[Finding]:
    """The response has an Allow header, which may be empty."""
    if answer.response.header("allow") is None:
        yield Finding(
            None,
            "an Allow header",
            "none",
            f"The 405 response to {printable(answer.request.method)} has no Allow header.",
        )


def _allowing(answer: Answer) -> Iterator[list[str]]:
    for found in heads(answer):
        allow = found.response.header("allow")
        if allow is not None and found.request.to_queue:
            yield found.response.values("allow")


@clause(
    "method.allow-get",
    Level.SHOULD,
    title="An Allow header lists GET",
    source=inferred(
        rfc("RFC 9110 §10.2.1", "lists the set of methods advertised as supported by the target resource"),
        "The RFC does not require a complete list, but the OpenAPI document describes GET.",
    ),
    why="GET is the main method of the queue.",
    keeps="Allow: GET, HEAD, POST",
    breaks="Allow: POST",
    needs="a response with an Allow header",
    over=_allowing,
)
def allow_lists_get(allowed: list[str]) -> Iterator[Finding]:
    """The Allow header contains GET."""
    if "get" not in allowed:
        yield Finding(
            None,
            "GET in the list",
            printable(", ".join(allowed).upper()) or "an empty Allow",
            "The Allow header does not list GET.",
        )


@clause(
    "method.no-content-length",
    Level.SHOULD,
    title="A 204 response has no Content-Length",
    source=rfc(
        "RFC 9110 §8.6",
        "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx (Informational) or 204 (No Content)",
    ),
    why="A client that trusts Content-Length waits for a body that never arrives. (Only a `should` here: the OpenAPI document does not describe OPTIONS.)",
    keeps="OPTIONS → 204",
    breaks="OPTIONS → 204, Content-Length: 0",
    needs="a 204 response",
    over=lambda answer: (
        found for found in heads(answer) if found.response.status == NO_CONTENT and found.request.to_queue
    ),
)
def a_204_has_no_length(answer: Answer) -> Iterator[Finding]:
    """A 204 response has no Content-Length header, not even with the value 0."""
    length = answer.response.header("content-length")
    if length is not None:
        yield Finding(None, "no Content-Length", printable(length), "The 204 response has a Content-Length header.")


def _options(answer: Answer) -> Iterator[Answer]:
    return (found for found in heads(answer) if found.request.method == "OPTIONS" and found.request.to_queue)


@clause(
    "method.options",
    Level.SHOULD,
    title="OPTIONS does not cause a server error",
    source=inferred(
        rfc(
            "RFC 9110 §15.6", "the server is aware that it has erred or is incapable of performing the requested method"
        ),
        "The RFC defines a server error, but does not say that OPTIONS must work.",
    ),
    why="Browsers send OPTIONS before they read from another origin.",
    keeps="OPTIONS → 204 or 405",
    breaks="OPTIONS → 500",
    needs="an OPTIONS request",
    over=_options,
)
def options_is_no_server_error(answer: Answer) -> Iterator[Finding]:
    """The status is not a 5xx, except 501 and statuses such as 503 that say that the server is unavailable."""
    status = answer.response.status
    if status >= SERVER_ERROR and status != NOT_IMPLEMENTED and status not in UNAVAILABLE:
        yield Finding(None, "2xx, 4xx or 501", str(status), "OPTIONS causes a server error.")


@clause(
    "method.options-allow",
    Level.SHOULD,
    title="A 2xx response to OPTIONS has an Allow header",
    source=rfc(
        "RFC 9110 §9.3.7",
        "SHOULD send any header that might indicate optional features implemented by the server and applicable to the target resource (e.g., Allow)",
    ),
    why="Without Allow, the response does not say which methods the server supports.",
    keeps="OPTIONS → 204, Allow: GET, HEAD, OPTIONS",
    breaks="OPTIONS → 200 without Allow",
    needs="a 2xx response to OPTIONS",
    over=lambda answer: (a for a in _options(answer) if a.response.status // 100 == 2),
)
def options_carries_allow(answer: Answer) -> Iterator[Finding]:
    """The response has an Allow header, or Access-Control-Allow-Methods for a CORS preflight."""
    if answer.response.header("allow") is None and answer.response.header("access-control-allow-methods") is None:
        yield Finding(
            None,
            "an Allow header",
            "none",
            "OPTIONS succeeds, but its response does not say which methods are allowed.",
        )
