"""Methods that only read: HEAD and OPTIONS, and what a 405 must carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, rfc
from conformance.contract.clauses.http import NO_CONTENT, content_type_of, heads
from conformance.contract.conversation import NOT_NOW, OK, UNAVAILABLE, Answer, Conversation
from conformance.contract.expected_status import SERVER_ERROR
from conformance.contract.terms import Level
from conformance.exchange.model import Credential
from conformance.text.safe import printable

METHOD_NOT_ALLOWED: Final = 405
NOT_IMPLEMENTED: Final = 501


def _head_beside_get(conversation: Conversation) -> Iterator[tuple[Answer, tuple[Answer, list[Answer]]]]:
    """Each HEAD with the given key, and the plain reads around it (before, after)."""
    gets = [a for a in conversation.answers if a.request.plain and a.response.head and a.response.status == OK]
    for answer in conversation.answers:
        asked = answer.request
        proper = asked.method == "HEAD" and asked.to_queue and asked.credential is Credential.GIVEN
        if proper and gets and answer.response.status not in NOT_NOW:
            before = [get for get in gets if get.precedes(answer)][-1:]
            after = [get for get in gets if answer.precedes(get)][:1]
            yield answer, (answer, before + after or gets[:1])


@clause(
    "method.head",
    Level.SHOULD,
    title="HEAD is answered like GET",
    source=rfc(
        "RFC 9110 §9.3.2",
        "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if the request method had been GET.",
    ),
    why="Monitors and gateways ask with HEAD whether the queue is there.",
    keeps="HEAD → 200, Content-Type: application/json",
    breaks="HEAD → 405",
    needs="a HEAD request, and a GET that is answered 200",
    across=_head_beside_get,
    kinds=("status", "content-type", "content-length"),
)
def head_is_like_get(subject: tuple[Answer, list[Answer]]) -> Iterator[Finding]:
    """Same status and Content-Type; same Content-Length where the queue stood still around it."""
    head, gets = subject
    if head.response.status != OK:
        yield Finding(
            None, "200, as to GET", str(head.response.status), "HEAD is not answered like GET.", Cause("status")
        )
        return
    theirs, ours = gets[0].response.lines("content-type"), head.response.lines("content-type")
    if theirs != ours:
        yield Finding(
            None,
            content_type_of(gets[0]),
            content_type_of(head),
            "HEAD names another Content-Type than GET.",
            Cause("content-type"),
        )
    length = head.response.header("content-length")
    known = all(get.response.whole for get in gets)
    stood_still = known and len(gets) > 1 and gets[0].response.body == gets[1].response.body
    same_coding = head.response.header("content-encoding") == gets[0].response.header("content-encoding")
    expected = gets[0].response.header("content-length")
    if expected is None and gets[0].response.header("content-encoding") is None and gets[0].response.verbatim:
        expected = str(gets[0].response.size)
    if stood_still and same_coding and None not in (length, expected) and length != expected:
        yield Finding(
            None,
            printable(expected or ""),
            printable(length or ""),
            "HEAD names another Content-Length than GET.",
            Cause("content-length"),
        )


def _not_allowed(answer: Answer) -> Iterator[Answer]:
    return (found for found in heads(answer) if found.response.status == METHOD_NOT_ALLOWED)


@clause(
    "method.allow-on-405",
    Level.MUST,
    title="A 405 carries Allow",
    source=rfc("RFC 9110 §15.5.6", "The origin server MUST generate an Allow header field in a 405 response"),
    why="The client learns what it may do instead.",
    keeps="405, Allow: GET, HEAD",
    breaks="405 without Allow",
    needs="an answer of 405",
    over=_not_allowed,
)
def a_405_carries_allow(answer: Answer) -> Iterator[Finding]:
    """Allow is there (it may be empty)."""
    if answer.response.header("allow") is None:
        yield Finding(
            None,
            "an Allow header",
            "none",
            f"The 405 to {printable(answer.request.method)} does not say what is allowed.",
        )


def _allowing(answer: Answer) -> Iterator[list[str]]:
    for found in heads(answer):
        allow = found.response.header("allow")
        if allow is not None and found.request.to_queue:
            yield found.response.values("allow")


@clause(
    "method.allow-get",
    Level.SHOULD,
    title="Allow lists GET",
    source=rfc("RFC 9110 §10.2.1", "lists the set of methods advertised as supported by the target resource"),
    why="GET is what the resource is for.",
    keeps="Allow: GET, HEAD, POST",
    breaks="Allow: POST",
    needs="an answer with Allow",
    over=_allowing,
)
def allow_lists_get(allowed: list[str]) -> Iterator[Finding]:
    """GET is among the methods of Allow."""
    if "get" not in allowed:
        yield Finding(
            None,
            "GET among them",
            printable(", ".join(allowed).upper()) or "an empty Allow",
            "Allow does not list GET.",
        )


def _no_content(answer: Answer) -> Iterator[Answer]:
    return (found for found in heads(answer) if found.response.status == NO_CONTENT and found.request.to_queue)


@clause(
    "method.no-content-length",
    Level.SHOULD,
    title="A 204 has no Content-Length",
    source=rfc(
        "RFC 9110 §8.6",
        "A server MUST NOT send a Content-Length header field in any response with a status code of 1xx (Informational) or 204 (No Content)",
    ),
    why="A client that believes it waits for content that never comes. (`should`: the document has no OPTIONS.)",
    keeps="OPTIONS → 204",
    breaks="OPTIONS → 204, Content-Length: 0",
    needs="an answer of 204",
    over=_no_content,
)
def a_204_has_no_length(answer: Answer) -> Iterator[Finding]:
    """Content-Length is absent, also if it would be 0."""
    length = answer.response.header("content-length")
    if length is not None:
        yield Finding(None, "no Content-Length", printable(length), "A 204 states a Content-Length.")


def _options(answer: Answer) -> Iterator[Answer]:
    return (found for found in heads(answer) if found.request.method == "OPTIONS" and found.request.to_queue)


@clause(
    "method.options",
    Level.SHOULD,
    title="OPTIONS is no server error",
    source=rfc(
        "RFC 9110 §15.6", "the server is aware that it has erred or is incapable of performing the requested method"
    ),
    why="Browsers ask with OPTIONS before they read across origins.",
    keeps="OPTIONS → 204 or 405",
    breaks="OPTIONS → 500",
    needs="an OPTIONS request",
    over=_options,
)
def options_is_no_server_error(answer: Answer) -> Iterator[Finding]:
    """No 5xx but 501 (and not the ones that say the server is away)."""
    status = answer.response.status
    if status >= SERVER_ERROR and status != NOT_IMPLEMENTED and status not in UNAVAILABLE:
        yield Finding(None, "2xx, 4xx or 501", str(status), "OPTIONS is answered with a server error.")


@clause(
    "method.options-allow",
    Level.SHOULD,
    title="A successful OPTIONS carries Allow",
    source=rfc(
        "RFC 9110 §9.3.7",
        "SHOULD send any header that might indicate optional features implemented by the server and applicable to the target resource (e.g., Allow)",
    ),
    why="Without it the answer says nothing.",
    keeps="OPTIONS → 204, Allow: GET, HEAD, OPTIONS",
    breaks="OPTIONS → 200 without Allow",
    needs="an answer of 2xx to OPTIONS",
    over=lambda answer: (a for a in _options(answer) if a.response.status // 100 == 2),
)
def options_carries_allow(answer: Answer) -> Iterator[Finding]:
    """Allow, or for a CORS preflight Access-Control-Allow-Methods, is there."""
    if answer.response.header("allow") is None and answer.response.header("access-control-allow-methods") is None:
        yield Finding(None, "an Allow header", "none", "OPTIONS succeeds and does not say what is allowed.")
