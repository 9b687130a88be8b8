"""ErrorResponse: {code, message}; and what any error may carry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.contract.clause import Cause, Finding, clause, doc, rfc
from conformance.contract.clauses.envelope import GET
from conformance.contract.clauses.http import content_type_of, heads
from conformance.contract.conversation import (
    DOCUMENTED,
    FIRST_ERROR,
    UNAVAILABLE,
    Answer,
    Conversation,
)
from conformance.contract.expected_status import JSON, allowed, cause, unexpected
from conformance.contract.reading.body import LISTS
from conformance.contract.reading.memory import Located
from conformance.contract.terms import NO_ERROR_RESPONSE, Level
from conformance.contract.values import UUID, is_graph
from conformance.exchange.headers import http_date
from conformance.text.safe import printable, show
from conformance.text.strict_json import walk

READABLE: Final = 1 << 16
"""Characters, or values, of an error that are looked at."""
ERROR: Final = "/components/schemas/ErrorResponse"
UNMATCHED: Final = 412
"""Refuses a condition, not the client: it may carry what it would have answered."""
A_DOCUMENTED_ERROR: Final = "a GET of the queue that is answered 400 or 500"
IN_JSON: Final = f"{A_DOCUMENTED_ERROR} with Content-Type application/json"
AN_OBJECT: Final = f"{IN_JSON} and an object in it"
GARBLED_ORIGIN: Final = "http://conformance.invalid:99999"
"""An Origin whose port does not exist: servers that parse it without care answer 500."""
INTERNALS: Final = re.compile(
    r"Traceback \(most recent call last\)|File \"[^\"]{1,200}\", line \d+|goroutine \d+ \[running\]"
    r"|\bat [\w.$<>]{1,100}\([\w.]{1,80}:\d+(?::\d+)?\)|panicked at "
    r"|\bat (?:[\w.$<> ]{1,100}\()?(?:file://)?/[\w./@-]{1,200}:\d+:\d+"
    r"|(?:/[\w.@-]{1,80}){2,20}\.(?:py|go|rs|java|rb)\b|[A-Z]:\\[\w.\\ -]{1,200}\.(?:py|dll|exe)\b"
)
"""How stack traces of Python, Go, Java, JavaScript and Rust read, and paths of program files."""


def errors(answer: Answer) -> Iterator[Answer]:
    """Answers of the queue that are 4xx or 5xx, with their Content-Type."""
    if answer.response.typed and answer.response.status >= FIRST_ERROR and answer.request.to_queue:
        yield answer


def known_errors(answer: Answer) -> Iterator[Answer]:
    """The same, with their whole bodies."""
    return (error for error in errors(answer) if error.response.whole)


def _documented(answer: Answer) -> Iterator[Answer]:
    found = (error for error in errors(answer) if error.response.status in DOCUMENTED)
    return (error for error in found if error.request.method == "GET")


@clause(
    "error.content-type",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="A 400 or 500 is application/json",
    source=doc(
        f"{GET}/responses/500/content",
        '{"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}',
    ),
    why="A client that reads the error as documented fails on it.",
    keeps="500, Content-Type: application/json",
    breaks="500, Content-Type: text/plain",
    needs=A_DOCUMENTED_ERROR,
    over=_documented,
)
def error_is_json(answer: Answer) -> Iterator[Finding]:
    """The media type of a documented error is application/json."""
    if answer.response.media_type != JSON:
        yield Finding(None, JSON, content_type_of(answer), f"The {answer.response.status} is not labelled as JSON.")


def _documented_json(answer: Answer) -> Iterator[Answer]:
    return (e for e in _documented(answer) if e.response.media_type == JSON and e.response.whole)


@clause(
    "error.object",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="The body of a 400 or 500 is an object",
    source=doc(f"{ERROR}/type", "object"),
    why="Clients read code and message by name.",
    keeps='{"code": "INTERNAL", "message": "…"}',
    breaks='"Internal Server Error"',
    needs=IN_JSON,
    over=_documented_json,
)
def error_is_an_object(answer: Answer) -> Iterator[Finding]:
    """The body of a documented error is a JSON object."""
    if not isinstance(answer.document.value, dict):
        got = show(answer.document.value) if answer.document.read else "no JSON"
        yield Finding(
            "", "an object with code and message", got, f"The body of the {answer.response.status} is no ErrorResponse."
        )


def _bodies(answer: Answer) -> Iterator[dict[str, Any]]:
    return (error.document.value for error in _documented_json(answer) if isinstance(error.document.value, dict))


FORMS: Final = ("comfyui-form", "fastapi-form", "absent")


def _string_member(name: str) -> Any:
    def check(body: dict[str, Any]) -> Iterator[Finding]:
        if name not in body:
            causes = {
                "error": Cause("comfyui-form", f'{{"error": …}}, the form of ComfyUI itself: {name} may stand inside'),
                "detail": Cause("fastapi-form", "FastAPI's own form"),
            }
            cause = next((cause for member, cause in causes.items() if member in body), Cause("absent"))
            yield Finding(f"/{name}", "a string", "absent", f"The error has no {name}.", cause)
        elif not isinstance(body[name], str):
            yield Finding(f"/{name}", "a string", show(body[name]), f"{name} is not a string.")

    return check


code_is_a_string = clause(
    "error.code",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="An error has a code",
    source=doc(f"{ERROR}/required", '["code", "message"]'),
    why="Clients branch on it.",
    keeps='{"code": "INTERNAL", "message": "…"}',
    breaks='{"message": "…"}',
    needs=AN_OBJECT,
    over=_bodies,
    kinds=FORMS,
)(_string_member("code"))

message_is_a_string = clause(
    "error.message",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="An error has a message",
    source=doc(f"{ERROR}/required", '["code", "message"]'),
    why="Clients show it.",
    keeps='{"code": "INTERNAL", "message": "…"}',
    breaks='{"code": "INTERNAL"}',
    needs=AN_OBJECT,
    over=_bodies,
    kinds=FORMS,
)(_string_member("message"))


def _texts(answer: Answer) -> Iterator[Located]:
    return (
        Located(f"/{name}", body[name])
        for body in _bodies(answer)
        for name in ("code", "message")
        if isinstance(body.get(name), str)
    )


@clause(
    "error.not-empty",
    Level.SHOULD,
    oss=NO_ERROR_RESPONSE,
    title="code and message say something",
    source=doc(f"{ERROR}/required", '["code", "message"]'),
    why="An empty message helps nobody.",
    keeps='{"code": "INTERNAL", "message": "queue store is away"}',
    breaks='{"code": "", "message": ""}',
    needs=f"{AN_OBJECT} whose code or message is a string",
    over=_texts,
)
def error_says_something(found: Located) -> Iterator[Finding]:
    """Neither is empty or blank."""
    if not found.value.strip():
        yield Finding(found.pointer, "a text", show(found.value), f"{found.pointer[1:]} is empty.")


def is_error_response(value: object) -> bool:
    """Whether a value is an object whose code and message are strings."""
    return isinstance(value, dict) and isinstance(value.get("code"), str) and isinstance(value.get("message"), str)


def _with_body(answer: Answer) -> Iterator[Answer]:
    return (error for error in known_errors(answer) if error.request.method == "GET")


@clause(
    "error.no-queue",
    Level.MUST,
    title="An error carries no queue",
    source=doc("/components/securitySchemes/ApiKeyAuth/description", "API key authentication."),
    why="A refusal that shows the queue refuses nothing; a client that sees an error throws the queue away.",
    keeps='401, {"code": "UNAUTHORIZED", "message": "…"}',
    breaks='401, {"queue_running": […], …}',
    needs="an answer of 4xx or 5xx",
    over=lambda answer: (e for e in _with_body(answer) if e.response.status != UNMATCHED),
)
def an_error_carries_no_queue(answer: Answer) -> Iterator[Finding]:
    """The body of a 4xx or 5xx shows no job in either list, at whatever depth.

    Empty lists show nothing, and a message about a field is named after it.
    """
    for place, value in walk(answer.document.value):
        for name in LISTS:
            listed = value.get(name) if isinstance(value, dict) else None
            if isinstance(listed, list) and any(map(_is_job, listed)):
                got = f"The {answer.response.status} carries the queue."
                yield Finding(f"{place}/{name}", "no queue", show(listed), got)


def _is_job(value: object) -> bool:
    """Whether a value shows a job: its id, or a workflow."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return any((isinstance(part, str) and UUID.fullmatch(part)) or is_graph(part) for part in parts)


def _readable(answer: Answer) -> Iterator[str]:
    """Yield what a reader of the error sees, 64 KiB at most: strings and names of JSON, or the text itself."""
    if answer.document.read:
        for _, value in islice(walk(answer.document.value), READABLE):
            yield from (value,) if isinstance(value, str) else value if isinstance(value, dict) else ()
        return
    text = answer.response.content[:READABLE].decode("utf-8", "replace")
    yield re.sub(r"<[^>]*>", " ", text) if answer.response.media_type == "text/html" else text


@clause(
    "error.no-internals",
    Level.SHOULD,
    title="An error shows no internals",
    source=rfc("RFC 9457 §5", "Risks include leaking information that can be exploited to compromise the system"),
    why="A stack trace tells an attacker paths and versions, and a user nothing.",
    keeps='{"code": "INTERNAL", "message": "queue store is away"}',
    breaks='{"message": "Traceback (most recent call last): …"}',
    needs="an answer of 4xx or 5xx",
    over=_with_body,
)
def an_error_shows_no_internals(answer: Answer) -> Iterator[Finding]:
    """No stack trace and no path of a program file stands in a string of the body, or in a body that is no JSON."""
    match = next((found for text in _readable(answer) if (found := INTERNALS.search(text))), None)
    if match is not None:
        yield Finding(
            "",
            "a message for users",
            printable(match[0]),
            f"The {answer.response.status} shows where the server's code lies.",
        )


def _with_retry_after(answer: Answer) -> Iterator[str]:
    for found in heads(answer):
        value = found.response.header("retry-after")
        if value is not None:
            yield value


@clause(
    "error.retry-after",
    Level.MUST,
    title="Retry-After is seconds or a date",
    source=rfc(
        "RFC 9110 §10.2.3", "can be either an HTTP-date or a number of seconds to delay after receiving the response"
    ),
    why="A client that cannot read it comes back at once, or never.",
    keeps="Retry-After: 30",
    breaks="Retry-After: soon",
    needs="an answer with Retry-After",
    over=_with_retry_after,
)
def retry_after_is_readable(value: str) -> Iterator[Finding]:
    """Digits alone, or an IMF-fixdate."""
    if not re.fullmatch(r"[0-9]+", value) and http_date(value) is None:
        yield Finding(None, "seconds or an HTTP-date", printable(value), "Retry-After is neither seconds nor a date.")


def _garbled(answer: Answer) -> Iterator[Answer]:
    origin = answer.request.header("origin")
    if answer.request.reads and answer.response.head and origin is not None and _is_garbled(origin):
        yield answer


def _is_garbled(origin: str) -> bool:
    """Whether an Origin is no URL, or has a port that does not exist."""
    try:
        return urlsplit(origin).port == 0
    except ValueError:
        return True


@clause(
    "error.bad-header",
    Level.SHOULD,
    title="A garbled header is the client's error, not the server's",
    source=rfc("RFC 9110 §15.5", "the client seems to have erred"),
    why="Anybody can fill the error log and page the people on call.",
    keeps=f"Origin: {GARBLED_ORIGIN} → 200 or 4xx",
    breaks=f"Origin: {GARBLED_ORIGIN} → 500",
    needs="a read with a garbled Origin",
    over=_garbled,
    kinds=("comfyui-origin",),
)
def a_garbled_header_is_no_server_error(answer: Answer) -> Iterator[Finding]:
    """No 5xx to an Origin with an impossible port."""
    status = answer.response.status
    if status // 100 == 5 and status not in UNAVAILABLE:
        plain = answer.response.media_type == "text/plain"
        cause = Cause("comfyui-origin", "ComfyUI parses Origin without care") if plain else None
        yield Finding(None, "200 or 4xx", str(status), "A garbled Origin makes the server fail.", cause)


def _with_odd_headers(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """The reads with further headers, but for a garbled origin, each kind by itself, where the queue is served."""
    for group in conversation.by_request if conversation.served else ():
        request = group[0].request
        if cause(request) == "error.optional-header" and not _is_garbled(request.header("origin") or ""):
            yield group[-1], list(group)


@clause(
    "error.optional-header",
    Level.SHOULD,
    title="No optional header of a read makes the server fail",
    source=rfc("RFC 9110 §15.6", "the server is aware that it has erred"),
    why="A header that asks for a shorter answer, or says where a page came from, takes the queue away.",
    keeps="Range: bytes=-1 → 200 or 206",
    breaks="Range: bytes=-1 → 500, every time",
    needs="a read with a condition, a range, an origin or another header of no meaning here",
    across=_with_odd_headers,
)
def an_optional_header_is_no_server_error(group: list[Answer]) -> Iterator[Finding]:
    """200, or what the header leaves open. Chance is no cause: one right answer to the same request is enough."""
    if all(unexpected(answer) for answer in group):
        got, named = str(group[-1].response.status), group[-1].request.purpose
        expected = " or ".join(str(status) for status in sorted(allowed(group[0].request)))
        yield Finding(None, expected, got, f"A header of the request makes the server fail ({named}).")
