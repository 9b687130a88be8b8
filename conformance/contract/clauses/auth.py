"""Authentication: the key that the document demands of every request. Exercised only with a key given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, Over, clause, doc, rfc
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


def _asked_with(credential: Credential, method: str = "GET") -> Over:
    def over(answer: Answer) -> Iterator[Answer]:
        asked = answer.request
        told = answer.response.status in REFUSALS or answer.response.status not in UNAVAILABLE
        if asked.credential is credential and asked.method == method and asked.to_queue and told:
            yield answer

    return over


def _is_refused(answer: Answer) -> Iterator[Finding]:
    """Any 3xx or 4xx refuses; that it is 401 or 403 is ``auth.status``."""
    status = answer.response.status
    if status // 100 not in (3, 4):
        asked_with = answer.request.credential
        cause = Cause("let-in", _LETS_IN.get(asked_with)) if status in LET_IN else None
        got = f"A request with {_WITH[asked_with]} is not refused."
        yield Finding(None, "401 or 403", str(status), got, cause)


_WITH: Final = {
    Credential.NONE: "no key",
    Credential.WRONG: "a wrong key",
    Credential.OTHER_CASE: "the key in the other letter case",
    Credential.EMPTY: "an empty key",
    Credential.GIVEN: "the key",
    Credential.LOWER_CASE_NAME: "the key",
}
_LETS_IN: Final = {
    Credential.NONE: "this request is served without a key",
    Credential.WRONG: "another key than the right one opens the queue",
    Credential.EMPTY: "an empty value is taken for a key",
}
"""What is known if a request is let in. That the server checks no key at all is not known from one request."""
UNAUTHENTICATED: Final = frozenset({Credential.NONE, Credential.WRONG, Credential.OTHER_CASE, Credential.EMPTY})

no_key_is_refused = clause(
    "auth.key-required",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="A request without a key is refused",
    source=doc("/security/0", '{"ApiKeyAuth": []}'),
    why="The queue holds workflows of users.",
    keeps="no X-API-Key → 401",
    breaks="no X-API-Key → 200",
    needs=A_KEY,
    over=_asked_with(Credential.NONE),
    kinds=("let-in",),
)(_is_refused)

wrong_key_is_refused = clause(
    "auth.wrong-key",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="A wrong key is refused",
    source=doc("/security/0", '{"ApiKeyAuth": []}'),
    why="A check that another key passes is no check.",
    keeps="X-API-Key: the key with another last character → 401",
    breaks="X-API-Key: the key with another last character → 200",
    needs=A_KEY,
    over=_asked_with(Credential.WRONG),
    kinds=("let-in",),
)(_is_refused)

other_case_is_refused = clause(
    "auth.key-case",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="The key in the other letter case is refused",
    source=doc("/security/0", '{"ApiKeyAuth": []}'),
    why="A check that ignores letter case takes many keys for one, and makes the right one easier to guess.",
    keeps="X-API-Key: kEY, where the key is Key → 401",
    breaks="X-API-Key: kEY, where the key is Key → 200",
    needs="a key with a letter (see --api-key-env)",
    over=_asked_with(Credential.OTHER_CASE),
    kinds=("let-in",),
)(_is_refused)

empty_key_is_refused = clause(
    "auth.empty-key",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="An empty key is refused",
    source=doc(f"{SCHEME}/description", "Pass the key in the X-API-Key header."),
    why="An unset variable on the client must not open the queue.",
    keeps="X-API-Key: (empty) → 401",
    breaks="X-API-Key: (empty) → 200",
    needs=A_KEY,
    over=_asked_with(Credential.EMPTY),
    kinds=("let-in",),
)(_is_refused)


def _keyless_heads(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """HEAD requests without the key, if HEAD is answered 200 with it."""
    heads = [a for a in conversation.answers if a.request.method == "HEAD" and a.request.to_queue]
    if any(a.request.credential is Credential.GIVEN and a.response.status == OK for a in heads):
        for answer in heads:
            told = answer.response.status in REFUSALS or answer.response.status not in UNAVAILABLE
            if answer.request.credential is Credential.NONE and told:
                yield answer, answer


@clause(
    "auth.head",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="HEAD without a key is refused",
    source=doc("/security/0", '{"ApiKeyAuth": []}'),
    why="Size and headers of somebody's queue are nobody's business.",
    keeps="HEAD, no X-API-Key → 401",
    breaks="HEAD, no X-API-Key → 200",
    needs="a HEAD that is answered 200 with the key, and so " + A_KEY,
    across=_keyless_heads,
    kinds=("let-in",),
)
def head_is_refused(answer: Answer) -> Iterator[Finding]:
    """A HEAD without the key is not answered 2xx. Another status shows nothing of the queue."""
    if answer.response.status in LET_IN:
        yield from _is_refused(answer)


def _refusals(answer: Answer) -> Iterator[Answer]:
    """Refusals, with whatever status, of requests without the right key."""
    unauthenticated = answer.request.credential in UNAUTHENTICATED
    told = answer.response.status in REFUSALS or answer.response.status not in UNAVAILABLE
    if unauthenticated and told and answer.request.to_queue and answer.response.status // 100 in (3, 4):
        yield answer


@clause(
    "auth.status",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="The refusal is 401 or 403",
    source=rfc(
        "RFC 9110 §15.5.2",
        "the request has not been applied because it lacks valid authentication credentials for the target resource",
    ),
    why="A client asks for a key on 401 and 403. Any other status sends it looking elsewhere.",
    keeps="no X-API-Key → 401",
    breaks="no X-API-Key → 404",
    needs="a refusal, and so " + A_KEY,
    over=_refusals,
)
def the_refusal_is_401_or_403(answer: Answer) -> Iterator[Finding]:
    """A missing, wrong or empty key gets 401 or 403, which are equally good."""
    if answer.response.status not in REFUSALS:
        yield Finding(
            None,
            "401 or 403",
            str(answer.response.status),
            f"{_WITH[answer.request.credential].capitalize()} is refused with another status.",
        )


def _unauthorized(answer: Answer) -> Iterator[Answer]:
    return (error for error in errors(answer) if error.response.status == REFUSALS[0] and error.response.head)


@clause(
    "auth.challenge",
    Level.SHOULD,
    oss=NO_AUTHENTICATION,
    title="A 401 carries WWW-Authenticate",
    source=rfc("RFC 9110 §15.5.2", "The server generating a 401 response MUST send a WWW-Authenticate header field"),
    why="It tells the client what is wanted. (`should` here: no scheme is registered for keys in a header of their own.)",
    keeps="401, WWW-Authenticate: ApiKey",
    breaks="401 without WWW-Authenticate",
    needs="an answer of 401",
    over=_unauthorized,
)
def a_401_carries_a_challenge(answer: Answer) -> Iterator[Finding]:
    """WWW-Authenticate is there."""
    if not answer.response.header("www-authenticate"):
        yield Finding(None, "a WWW-Authenticate header", "none", "The 401 does not say what is wanted.")


@clause(
    "auth.error-response",
    Level.SHOULD,
    oss=FOREIGN_ORIGIN,
    title="The body of a refusal is an ErrorResponse",
    source=doc("/components/schemas/ErrorResponse/required", '["code", "message"]'),
    why="The document leaves 401 and 403 out, but has one form for all errors.",
    keeps='401, {"code": "UNAUTHORIZED", "message": "…"}',
    breaks='401, {"message": "Invalid API key"}',
    needs="an answer of 401 or 403 with a body",
    over=lambda answer: (
        e for e in known_errors(answer) if e.response.status in REFUSALS and e.request.method == "GET"
    ),
)
def a_refusal_is_an_error_response(answer: Answer) -> Iterator[Finding]:
    """{code, message} in application/json on 401 and 403."""
    if not (answer.response.media_type == JSON and is_error_response(answer.document.value)):
        got = show(answer.document.value) if answer.document.read else "no JSON"
        yield Finding(
            "", "an object with code and message", got, f"The body of the {answer.response.status} is no ErrorResponse."
        )


def _lower_case(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """The reads with x-api-key, where the key is known to be let in."""
    asked = [a for a in conversation.answers if a.request.credential is Credential.LOWER_CASE_NAME]
    told = [answer for answer in asked if answer.response.status not in NOT_NOW]
    plain = [a for a in conversation.answers if a.request.plain and a.response.status not in NOT_NOW]
    before = [a for a in plain if told and a.precedes(told[0])][-1:]
    after = [a for a in plain if told and told[-1].precedes(a)][:1]
    # If the next read with the key is refused too, the server no longer takes the key, in whatever header.
    if (before or after) and all(answer.response.status == OK for answer in before + after):
        yield told[-1], told


@clause(
    "auth.header-name",
    Level.MUST,
    oss=NO_AUTHENTICATION,
    title="The name of the key's header is case-insensitive",
    source=rfc("RFC 9110 §5.1", "Field names are case-insensitive"),
    why="HTTP/2 and many proxies send names in lower case.",
    keeps="x-api-key: the key → 200",
    breaks="x-api-key: the key → 401",
    needs=A_KEY,
    across=_lower_case,
)
def header_names_have_no_case(group: list[Answer]) -> Iterator[Finding]:
    """The key in x-api-key is let in like the key in X-API-Key, at least once: chance is no cause."""
    if not any(answer.response.status == OK for answer in group):
        yield Finding(
            None, "200", str(group[-1].response.status), "The key is refused where its header is spelt in lower case."
        )


def _keyed(answer: Answer) -> Iterator[Answer]:
    wrong = answer.request.credential in {Credential.WRONG, Credential.OTHER_CASE}
    if not wrong and any(value == REDACTED for _, value in answer.request.headers):
        yield answer


@clause(
    "auth.key-not-echoed",
    Level.SHOULD,
    title="The key stands nowhere in an answer",
    source=rfc(
        "RFC 9110 §17.16.1",
        "HTTP authentication schemes do not define a single mechanism for maintaining the confidentiality of credentials",
    ),
    why="Answers are logged, cached and shared; keys must not be.",
    keeps='{"queue_running": []}',
    breaks='{"queue_running": [], "key": "<the key>"}',
    needs=A_KEY,
    over=_keyed,
)
def the_key_is_not_echoed(answer: Answer) -> Iterator[Finding]:
    """Neither body nor headers hold the key of the request.

    A key that may be an ordinary word counts only where the response names the header that it was sent in.
    """
    for name in answer.response.echoes:
        pointer, where = (None, f"in the header {printable(name)}") if name else ("", "in the body")
        yield Finding(pointer, "no key", where, "The answer echoes the key.")
