"""Authentication: every request needs a key. These clauses are checked only if the run has a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, Over, clause, doc, inferred, rfc
from conformance.contract.clauses.error import errors, is_error_response, known_errors
from conformance.contract.conversation import NOT_NOW, OK, REFUSALS, UNAVAILABLE, Answer, Conversation
from conformance.contract.expected_status import JSON
from conformance.contract.terms import FOREIGN_ORIGIN, NO_AUTHENTICATION, Level
from conformance.exchange.model import Credential
from conformance.exchange.secrets import REDACTED
from conformance.text.safe import printable, show

SCHEME: Final = "/components/securitySchemes/ApiKeyAuth"
A_KEY: Final = "a key (see --api-key-env)"
LET_IN: Final = range(200, 300)


def _conclusive(answer: Answer) -> bool:
    """Whether the status says if the server let the request in, rather than that it is unavailable."""
    return answer.response.status in REFUSALS or answer.response.status not in UNAVAILABLE


def _with_credential(credential: Credential) -> Over:
    def over(answer: Answer) -> Iterator[Answer]:
        request = answer.request
        if request.credential is credential and request.method == "GET" and request.to_queue and _conclusive(answer):
            yield answer

    return over


def _is_refused(answer: Answer) -> Iterator[Finding]:
    """Yield a finding if the server did not refuse the request with a 3xx or 4xx.

    The clause ``auth.status`` requires that the status of a refusal is 401 or 403.
    """
    status = answer.response.status
    if status // 100 not in (3, 4):
        credential = answer.request.credential
        cause = Cause("let-in", _LETS_IN.get(credential)) if status in LET_IN else None
        got = f"The server did not refuse a request with {_WITH[credential]}."
        yield Finding(None, "401 or 403", str(status), got, cause)


_WITH: Final = {
    Credential.NONE: "no key",
    Credential.WRONG: "a wrong key",
    Credential.OTHER_CASE: "the key with its letter case swapped",
    Credential.EMPTY: "an empty key",
    Credential.GIVEN: "the key",
    Credential.LOWER_CASE_NAME: "the key",
}
_LETS_IN: Final = {
    Credential.NONE: "the server accepts this request without a key",
    Credential.WRONG: "the server accepts a key that is not the right one",
    Credential.EMPTY: "the server accepts an empty value as a key",
}
"""By the key that a request had: the likely cause if the server accepts the request."""
UNAUTHENTICATED: Final = frozenset({Credential.NONE, Credential.WRONG, Credential.OTHER_CASE, Credential.EMPTY})

no_key_is_refused = clause(
    "auth.key-required",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="A request without a key is refused",
    source=doc("/security/0", '{"ApiKeyAuth": []}'),
    why="The queue contains the workflows of users.",
    keeps="no X-API-Key → 401",
    breaks="no X-API-Key → 200",
    needs=A_KEY,
    over=_with_credential(Credential.NONE),
    kinds=("let-in",),
)(_is_refused)

wrong_key_is_refused = clause(
    "auth.wrong-key",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="A wrong key is refused",
    source=doc("/security/0", '{"ApiKeyAuth": []}'),
    why="If a wrong key is accepted, the key protects nothing.",
    keeps="X-API-Key: the key with its last character changed → 401",
    breaks="X-API-Key: the key with its last character changed → 200",
    needs=A_KEY,
    over=_with_credential(Credential.WRONG),
    kinds=("let-in",),
)(_is_refused)

other_case_is_refused = clause(
    "auth.key-case",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="The key with its letter case swapped is refused",
    source=inferred(
        doc("/security/0", '{"ApiKeyAuth": []}'),
        "The OpenAPI document requires a key, but does not say how keys are compared.",
    ),
    why="If letter case is ignored, many values count as the key, so the key is easier to guess.",
    keeps="X-API-Key: kEY, if the key is Key → 401",
    breaks="X-API-Key: kEY, if the key is Key → 200",
    needs="a key with a letter (see --api-key-env)",
    over=_with_credential(Credential.OTHER_CASE),
    kinds=("let-in",),
)(_is_refused)

empty_key_is_refused = clause(
    "auth.empty-key",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="An empty key is refused",
    source=doc(f"{SCHEME}/description", "Pass the key in the X-API-Key header."),
    why="A client whose environment variable is not set sends an empty key. Such a client must not see the queue.",
    keeps="X-API-Key: (empty) → 401",
    breaks="X-API-Key: (empty) → 200",
    needs=A_KEY,
    over=_with_credential(Credential.EMPTY),
    kinds=("let-in",),
)(_is_refused)


def _keyless_heads(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """Yield the responses to HEAD requests without a key, if a HEAD with the key gets a 200."""
    heads = [a for a in conversation.answers if a.request.method == "HEAD" and a.request.to_queue]
    if any(a.request.credential is Credential.GIVEN and a.response.status == OK for a in heads):
        for answer in heads:
            if answer.request.credential is Credential.NONE and _conclusive(answer):
                yield answer, answer


@clause(
    "auth.head",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="HEAD without a key is refused",
    source=inferred(
        doc("/security/0", '{"ApiKeyAuth": []}'),
        "The OpenAPI document describes only GET. A HEAD reveals the headers of a GET.",
    ),
    why="The headers of a response show how long the queue is.",
    keeps="HEAD, no X-API-Key → 401",
    breaks="HEAD, no X-API-Key → 200",
    needs=f"{A_KEY}, and a HEAD with this key that gets a 200",
    across=_keyless_heads,
    kinds=("let-in",),
)
def head_is_refused(answer: Answer) -> Iterator[Finding]:
    """A HEAD without a key does not get a 2xx. Any other status reveals nothing about the queue."""
    if answer.response.status in LET_IN:
        yield from _is_refused(answer)


def _refusals(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it refuses, with any 3xx or 4xx status, a GET without the right key.

    A refused HEAD may only mean that the server does not implement HEAD.
    """
    unauthenticated = answer.request.credential in UNAUTHENTICATED and answer.request.method == "GET"
    refused = answer.response.status // 100 in (3, 4) and _conclusive(answer)
    if unauthenticated and refused and answer.request.to_queue:
        yield answer


@clause(
    "auth.status",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="A request without the right key gets a 401 or 403",
    source=inferred(
        rfc(
            "RFC 9110 §15.5.2",
            "the request has not been applied because it lacks valid authentication credentials for the target resource",
        ),
        "The OpenAPI document does not list the status of a refusal. The RFC defines 401 for it.",
    ),
    why="Clients ask the user for a key on 401 and 403. Another status suggests another problem.",
    keeps="no X-API-Key → 401",
    breaks="no X-API-Key → 404",
    needs=f"{A_KEY}, and a request that is refused",
    over=_refusals,
)
def the_refusal_is_401_or_403(answer: Answer) -> Iterator[Finding]:
    """A request with a missing, wrong or empty key gets a 401 or a 403. Both are equally good."""
    if answer.response.status not in REFUSALS:
        yield Finding(
            None,
            "401 or 403",
            str(answer.response.status),
            f"The server refused a request with {_WITH[answer.request.credential]}, but not with 401 or 403.",
        )


@clause(
    "auth.challenge",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="A 401 response has a WWW-Authenticate header",
    source=rfc("RFC 9110 §15.5.2", "The server generating a 401 response MUST send a WWW-Authenticate header field"),
    why="The header says which credentials the client must send. (Only a `should` here: no authentication scheme is registered for a key in the header X-API-Key.)",
    keeps="401, WWW-Authenticate: ApiKey",
    breaks="401 without WWW-Authenticate",
    needs="a 401 response",
    over=lambda answer: (
        error for error in errors(answer) if error.response.status == REFUSALS[0] and error.response.head
    ),
)
def a_401_carries_a_challenge(answer: Answer) -> Iterator[Finding]:
    """The response has a WWW-Authenticate header."""
    if not answer.response.header("www-authenticate"):
        yield Finding(
            None,
            "a WWW-Authenticate header",
            "none",
            "The 401 response has no WWW-Authenticate header, so it does not say which credentials the server needs.",
        )


@clause(
    "auth.error-response",
    Level.SHOULD,
    oss=FOREIGN_ORIGIN,
    title="The body of a 401 or 403 is an ErrorResponse",
    source=inferred(
        doc("/components/schemas/ErrorResponse/required", '["code", "message"]'),
        "The OpenAPI document does not describe the bodies of 401 and 403.",
    ),
    why="Clients read errors by one schema. The OpenAPI document does not list 401 and 403.",
    keeps='401, {"code": "UNAUTHORIZED", "message": "…"}',
    breaks='401, {"message": "Invalid API key"}',
    needs="a 401 or 403 response with a body",
    over=lambda answer: (
        e for e in known_errors(answer) if e.response.status in REFUSALS and e.request.method == "GET"
    ),
)
def a_refusal_is_an_error_response(answer: Answer) -> Iterator[Finding]:
    """A 401 or 403 response is application/json, and its body has the strings code and message."""
    if not (answer.response.media_type == JSON and is_error_response(answer.document.value)):
        got = show(answer.document.value) if answer.document.read else "not JSON"
        yield Finding(
            "",
            "an object with code and message",
            got,
            f"The body of the {answer.response.status} response is not a JSON object with code and message (schema ErrorResponse).",
        )


def _lower_case(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """Yield the responses to GETs with the key in ``x-api-key``, if GETs with ``X-API-Key`` before or after got a 200."""
    sent = [a for a in conversation.answers if a.request.credential is Credential.LOWER_CASE_NAME]
    conclusive = [answer for answer in sent if answer.response.status not in NOT_NOW]
    plain = [a for a in conversation.answers if a.request.plain and a.response.status not in NOT_NOW]
    before = [a for a in plain if conclusive and a.precedes(conclusive[0])][-1:]
    after = [a for a in plain if conclusive and conclusive[-1].precedes(a)][:1]
    # If the next GET with the key is refused too, the server no longer accepts the key under any header name.
    if (before or after) and all(answer.response.status == OK for answer in before + after):
        yield conclusive[-1], conclusive


@clause(
    "auth.header-name",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="The name of the header X-API-Key is case-insensitive",
    source=rfc("RFC 9110 §5.1", "Field names are case-insensitive"),
    why="HTTP/2 and many proxies send header names in lower case.",
    keeps="x-api-key: the key → 200",
    breaks="x-api-key: the key → 401",
    needs=A_KEY,
    across=_lower_case,
)
def header_names_have_no_case(group: list[Answer]) -> Iterator[Finding]:
    """At least one request with the key in x-api-key gets a 200, as requests with X-API-Key do."""
    if not any(answer.response.status == OK for answer in group):
        yield Finding(
            None,
            "200",
            str(group[-1].response.status),
            "The server accepts the key in X-API-Key, but refuses it if the header name is in lower case.",
        )


def _keyed(answer: Answer) -> Iterator[Answer]:
    wrong = answer.request.credential in {Credential.WRONG, Credential.OTHER_CASE}
    if not wrong and any(value == REDACTED for _, value in answer.request.headers):
        yield answer


@clause(
    "auth.key-not-echoed",
    Level.SHOULD,
    title="The key does not appear in a response",
    source=inferred(
        rfc(
            "RFC 9110 §17.16.1",
            "HTTP authentication schemes do not define a single mechanism for maintaining the confidentiality of credentials",
        ),
        "The RFC leaves the protection of keys to the server.",
    ),
    why="Responses are logged, cached and shared. Keys must not be.",
    keeps='{"queue_running": []}',
    breaks='{"queue_running": [], "key": "<the key>"}',
    needs=A_KEY,
    over=_keyed,
)
def the_key_is_not_echoed(answer: Answer) -> Iterator[Finding]:
    """Neither the body nor the headers of the response contain the key of the request.

    A key that could be an ordinary word counts only if the response also names the header in which it was sent.
    """
    for name in answer.response.echoes:
        pointer, where = (None, f"in the header {printable(name)}") if name else ("", "in the body")
        yield Finding(pointer, "no key", where, "The response contains the key of the request.")
