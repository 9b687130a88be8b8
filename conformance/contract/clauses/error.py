"""Clauses about errors: the schema ErrorResponse ({code, message}), and what an error must not contain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from conformance.contract.clause import Cause, Finding, clause, doc, inferred, rfc
from conformance.contract.clauses.envelope import GET
from conformance.contract.clauses.http import content_type_of, heads
from conformance.contract.conversation import (
    DOCUMENTED,
    FIRST_ERROR,
    UNAVAILABLE,
    Answer,
    Conversation,
)
from conformance.contract.expected_status import HEADER, JSON, allowed, cause, unexpected
from conformance.contract.reading.body import LISTS
from conformance.contract.reading.memory import Located
from conformance.contract.terms import NO_ERROR_RESPONSE, Level
from conformance.contract.values import UUID, is_graph
from conformance.exchange.headers import http_date
from conformance.text.safe import printable, show
from conformance.text.strict_json import walk

READABLE: Final = 1 << 16
"""The maximum number of characters in the body of an error that are searched, and the maximum number of JSON values."""
ERROR: Final = "/components/schemas/ErrorResponse"
UNMATCHED: Final = 412
"""Precondition Failed: the server refuses a condition, not the client, so the body may contain the queue."""
A_DOCUMENTED_ERROR: Final = "a GET of the queue that gets a 400 or 500"
IN_JSON: Final = f"{A_DOCUMENTED_ERROR} with Content-Type application/json"
AN_OBJECT: Final = f"{IN_JSON} whose body is an object"
GARBLED_ORIGIN: Final = "http://conformance.invalid:99999"
"""An Origin with an impossible port. Some servers fail with 500 when they parse it."""
INTERNALS: Final = re.compile(
    r"Traceback \(most recent call last\)|File \"[^\"]{1,200}\", line \d+|goroutine \d+ \[running\]"
    r"|\bat [\w.$<>]{1,100}\([\w.]{1,80}:\d+(?::\d+)?\)|panicked at "
    r"|\bat (?:[\w.$<> ]{1,100}\()?(?:file://)?/[\w./@-]{1,200}:\d+:\d+"
    r"|(?:/[\w.@-]{1,80}){2,20}\.(?:py|go|rs|java|rb)\b|[A-Z]:\\[\w.\\ -]{1,200}\.(?:py|dll|exe)\b"
)
"""Stack traces of Python, Go, Java, JavaScript and Rust, and paths of program files."""


def errors(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it is a 4xx or 5xx to a request to the queue and its Content-Type is known."""
    if answer.response.typed and answer.response.status >= FIRST_ERROR and answer.request.to_queue:
        yield answer


def known_errors(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it is a 4xx or 5xx to a request to the queue and its whole body is known."""
    return (error for error in errors(answer) if error.response.whole)


def _documented(answer: Answer) -> Iterator[Answer]:
    found = (error for error in errors(answer) if error.response.status in DOCUMENTED)
    return (error for error in found if error.request.method == "GET")


@clause(
    "error.content-type",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="A 400 or 500 response is application/json",
    source=doc(
        f"{GET}/responses/500/content",
        '{"application/json": {"schema": {"$ref": "#/components/schemas/ErrorResponse"}}}',
    ),
    why="Clients that expect the documented JSON error cannot read another type.",
    keeps="500, Content-Type: application/json",
    breaks="500, Content-Type: text/plain",
    needs=A_DOCUMENTED_ERROR,
    over=_documented,
)
def error_is_json(answer: Answer) -> Iterator[Finding]:
    """The media type of a 400 or 500 response is application/json."""
    if answer.response.media_type != JSON:
        yield Finding(
            None,
            JSON,
            content_type_of(answer),
            f"The Content-Type of the {answer.response.status} response is not application/json.",
        )


def _documented_json(answer: Answer) -> Iterator[Answer]:
    return (e for e in _documented(answer) if e.response.media_type == JSON and e.response.whole)


@clause(
    "error.object",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="The body of a 400 or 500 response is an object",
    source=doc(f"{ERROR}/type", "object"),
    why="Clients read code and message by name.",
    keeps='{"code": "INTERNAL", "message": "…"}',
    breaks='"Internal Server Error"',
    needs=IN_JSON,
    over=_documented_json,
)
def error_is_an_object(answer: Answer) -> Iterator[Finding]:
    """The body of a 400 or 500 response is a JSON object."""
    if not isinstance(answer.document.value, dict):
        got = show(answer.document.value) if answer.document.read else "not JSON"
        yield Finding(
            "",
            "an object with code and message",
            got,
            f"The body of the {answer.response.status} response is not a JSON object (schema ErrorResponse).",
        )


def _bodies(answer: Answer) -> Iterator[dict[str, Any]]:
    return (error.document.value for error in _documented_json(answer) if isinstance(error.document.value, dict))


FORMS: Final = ("comfyui-form", "fastapi-form", "absent")


def _string_member(name: str) -> Any:
    def check(body: dict[str, Any]) -> Iterator[Finding]:
        if name not in body:
            causes = {
                "error": Cause("comfyui-form", f'{{"error": …}} is ComfyUI\'s own form; {name} may be inside error'),
                "detail": Cause("fastapi-form", "FastAPI's default form"),
            }
            cause = next((cause for member, cause in causes.items() if member in body), Cause("absent"))
            yield Finding(f"/{name}", "a string", "absent", f"The error response has no {name}.", cause)
        elif not isinstance(body[name], str):
            yield Finding(f"/{name}", "a string", show(body[name]), f"{name} is not a string.")

    return check


code_is_a_string = clause(
    "error.code",
    Level.MUST,
    oss=NO_ERROR_RESPONSE,
    title="A 400 or 500 response has a string code",
    source=doc(f"{ERROR}/required", '["code", "message"]'),
    why="Clients branch on the code.",
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
    title="A 400 or 500 response has a string message",
    source=doc(f"{ERROR}/required", '["code", "message"]'),
    why="Clients show the message to users.",
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
    title="code and message of a 400 or 500 response are not empty",
    source=inferred(
        doc(f"{ERROR}/required", '["code", "message"]'),
        "The OpenAPI document requires both members, but sets no minimum length.",
    ),
    why="An empty code or message helps nobody.",
    keeps='{"code": "INTERNAL", "message": "the queue store is not available"}',
    breaks='{"code": "", "message": ""}',
    needs=f"{AN_OBJECT} whose code or message is a string",
    over=_texts,
)
def error_says_something(found: Located) -> Iterator[Finding]:
    """Neither code nor message is empty or blank."""
    if not found.value.strip():
        yield Finding(found.pointer, "a text", show(found.value), f"{found.pointer[1:]} is empty or blank.")


def is_error_response(value: object) -> bool:
    """Whether a value is an object whose code and message are strings."""
    return isinstance(value, dict) and isinstance(value.get("code"), str) and isinstance(value.get("message"), str)


def _with_body(answer: Answer) -> Iterator[Answer]:
    return (error for error in known_errors(answer) if error.request.method == "GET")


@clause(
    "error.no-queue",
    Level.MUST,
    title="The body of a 4xx or 5xx response does not contain the queue",
    source=inferred(
        doc("/security/0", '{"ApiKeyAuth": []}'),
        "The OpenAPI document requires a key and describes errors as ErrorResponse. It does not say what else an error may contain.",
    ),
    why="A refusal that contains the queue protects nothing. Clients that see an error ignore its body.",
    keeps='401, {"code": "UNAUTHORIZED", "message": "…"}',
    breaks='401, {"queue_running": […], …}',
    needs="a 4xx or 5xx response",
    over=lambda answer: (e for e in _with_body(answer) if e.response.status != UNMATCHED),
)
def an_error_carries_no_queue(answer: Answer) -> Iterator[Finding]:
    """The body of a 4xx or 5xx response has no list queue_running or queue_pending with a job, at any depth.

    Empty lists are allowed, because they show no job.
    """
    for place, value in walk(answer.document.value):
        for name in LISTS:
            listed = value.get(name) if isinstance(value, dict) else None
            if isinstance(listed, list) and any(map(_is_job, listed)):
                got = f"The body of the {answer.response.status} response contains jobs of the queue."
                yield Finding(f"{place}/{name}", "no queue", show(listed), got)


def _is_job(value: object) -> bool:
    """Whether a list element contains the id or the workflow of a job."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return any((isinstance(part, str) and UUID.fullmatch(part)) or is_graph(part) for part in parts)


def _readable(answer: Answer) -> Iterator[str]:
    """Yield text from the body of an error, at most 64 KiB: the strings and member names in JSON, or the body itself."""
    if answer.document.read:
        for _, value in islice(walk(answer.document.value), READABLE):
            yield from (value,) if isinstance(value, str) else value if isinstance(value, dict) else ()
        return
    text = answer.response.content[:READABLE].decode("utf-8", "replace")
    yield re.sub(r"<[^>]*>", " ", text) if answer.response.media_type == "text/html" else text


@clause(
    "error.no-internals",
    Level.SHOULD,
    title="An error does not show stack traces or the paths of source files",
    source=inferred(
        rfc("RFC 9457 §5", "Risks include leaking information that can be exploited to compromise the system"),
        "The RFC names the risk for its own error format. The OpenAPI document does not use that format.",
    ),
    why="A stack trace shows paths and versions to an attacker, and does not help a user.",
    keeps='{"code": "INTERNAL", "message": "the queue store is not available"}',
    breaks='{"message": "Traceback (most recent call last): …"}',
    needs="a 4xx or 5xx response",
    over=_with_body,
)
def an_error_shows_no_internals(answer: Answer) -> Iterator[Finding]:
    """The body of an error contains no stack trace and no path of a program file."""
    match = next((found for text in _readable(answer) if (found := INTERNALS.search(text))), None)
    if match is not None:
        yield Finding(
            "",
            "a message for users",
            printable(match[0]),
            f"The body of the {answer.response.status} response shows a path or a stack trace of the server's code.",
        )


def _with_retry_after(answer: Answer) -> Iterator[str]:
    for found in heads(answer):
        value = found.response.header("retry-after")
        if value is not None:
            yield value


@clause(
    "error.retry-after",
    Level.MUST,
    title="Retry-After is a number of seconds or a date",
    source=rfc(
        "RFC 9110 §10.2.3", "can be either an HTTP-date or a number of seconds to delay after receiving the response"
    ),
    why="A client that cannot read the value retries at once, or never.",
    keeps="Retry-After: 30",
    breaks="Retry-After: soon",
    needs="a response with Retry-After",
    over=_with_retry_after,
)
def retry_after_is_readable(value: str) -> Iterator[Finding]:
    """The value of Retry-After consists of digits only, or is a date in the format of HTTP."""
    if not re.fullmatch(r"[0-9]+", value) and http_date(value) is None:
        yield Finding(
            None, "seconds or an HTTP-date", printable(value), "Retry-After is neither a number of seconds nor a date."
        )


def _garbled(answer: Answer) -> Iterator[Answer]:
    origin = answer.request.header("origin")
    if answer.request.reads and answer.response.head and origin is not None and _is_garbled(origin):
        yield answer


def _is_garbled(origin: str) -> bool:
    """Whether an Origin is not a URL, or has an impossible port."""
    try:
        return urlsplit(origin).port == 0
    except ValueError:
        return True


@clause(
    "error.bad-header",
    Level.SHOULD,
    title="A malformed Origin does not cause a server error",
    source=inferred(
        rfc("RFC 9110 §15.5", "the client seems to have erred"),
        "The RFC defines client errors, but does not list the requests that cause one.",
    ),
    why="Anybody could fill the error log and alert the people on call.",
    keeps=f"Origin: {GARBLED_ORIGIN} → 200 or 4xx",
    breaks=f"Origin: {GARBLED_ORIGIN} → 500",
    needs="a GET of the queue with a malformed Origin header",
    over=_garbled,
    kinds=("comfyui-origin",),
)
def a_garbled_header_is_no_server_error(answer: Answer) -> Iterator[Finding]:
    """A request whose Origin has an impossible port does not get a 5xx."""
    status = answer.response.status
    if status // 100 == 5 and status not in UNAVAILABLE:
        plain = answer.response.media_type == "text/plain"
        cause = Cause("comfyui-origin", "ComfyUI does not check Origin before it parses the header") if plain else None
        yield Finding(None, "200 or 4xx", str(status), "A malformed Origin causes a server error.", cause)


def _with_odd_headers(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """Yield the responses to each GET of the queue with an optional header, if a normal GET gets a 200.

    Malformed Origin headers are left out: ``error.bad-header`` checks them.
    """
    for group in conversation.by_request if conversation.served else ():
        request = group[0].request
        if cause(request, conversation) == HEADER and not _is_garbled(request.header("origin") or ""):
            yield group[-1], list(group)


@clause(
    "error.optional-header",
    Level.SHOULD,
    title="An optional header does not make a GET of the queue fail",
    source=inferred(
        rfc("RFC 9110 §15.6", "the server is aware that it has erred"),
        "The RFC defines server errors, but does not say which requests a server must handle.",
    ),
    why="A header that only asks for a shorter response, or names the origin of a page, must not make the queue unavailable.",
    keeps="Range: bytes=-1 → 200 or 206",
    breaks="Range: bytes=-1 → 500, every time",
    needs="a GET of the queue with a condition, a range, an origin or another optional header",
    across=_with_odd_headers,
)
def an_optional_header_is_no_server_error(group: list[Answer]) -> Iterator[Finding]:
    """At least one request with this header gets a 200, or another status that the header allows."""
    if all(unexpected(answer) for answer in group):
        got, named = str(group[-1].response.status), group[-1].request.purpose
        expected = " or ".join(str(status) for status in sorted(allowed(group[0].request)))
        yield Finding(None, expected, got, f"Every GET of the queue with this optional header fails ({named}).")
