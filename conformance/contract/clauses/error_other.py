"""Clauses about errors with a status that the OpenAPI document does not describe. All of them are ``should``."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Finding, clause, doc, inferred, rfc
from conformance.contract.clauses.error import ERROR, is_error_response, known_errors
from conformance.contract.clauses.json import other_json_texts
from conformance.contract.conversation import DOCUMENTED, REFUSALS, Answer
from conformance.contract.expected_status import JSON
from conformance.contract.terms import NO_ERROR_RESPONSE, Level
from conformance.text.safe import printable, show


def _other(answer: Answer) -> Iterator[Answer]:
    for error in known_errors(answer):
        documented = error.response.status in DOCUMENTED and error.request.method == "GET"
        json = error.response.media_type == JSON and error.document.read and error.request.method != "HEAD"
        if json and not documented and error.response.status not in REFUSALS:
            yield error


@clause(
    "error.other-status",
    Level.SHOULD,
    oss=NO_ERROR_RESPONSE,
    title="A JSON error with a status other than 400, 401, 403 and 500 is an ErrorResponse",
    source=inferred(
        doc(f"{ERROR}/type", "object"),
        "The OpenAPI document uses ErrorResponse for 400 and 500, and does not describe other errors.",
    ),
    why="If all errors have the same form, a client needs only one piece of code for them.",
    keeps='503, {"code": "UNAVAILABLE", "message": "…"}',
    breaks='503, {"detail": "…"}',
    needs="a JSON error with a status other than 400, 401, 403 and 500",
    over=_other,
)
def other_errors_have_the_form(answer: Answer) -> Iterator[Finding]:
    """The JSON body of an error such as 404, 405, 406, 429 or 503 has the strings code and message."""
    if not is_error_response(answer.document.value):
        yield Finding(
            "",
            "an object with code and message",
            show(answer.document.value),
            f"The body of the {answer.response.status} response is not a JSON object with code and message (schema ErrorResponse).",
        )


@clause(
    "error.other-json",
    Level.SHOULD,
    title="An error labelled application/json is JSON, also with a status other than 400 and 500",
    source=rfc("RFC 8259 §2", "A JSON text is a serialized value."),
    why="A client that trusts Content-Type fails on a body that is not JSON, also if the OpenAPI document does not describe the status.",
    keeps='404, Content-Type: application/json, {"code": "NOT_FOUND", "message": "…"}',
    breaks="404, Content-Type: application/json, Not Found",
    needs="an error with a status other than 400 and 500 and with Content-Type application/json",
    over=other_json_texts,
)
def other_errors_are_json(answer: Answer) -> Iterator[Finding]:
    """The body of an error labelled application/json is one JSON text as RFC 8259 defines it."""
    document = answer.document
    flaws = (
        document.malformed,
        document.not_utf8,
        "a byte order mark" if document.bom else None,
        document.control_character,
        next((flaw.got for flaw in document.non_finite), None),
    )
    got = next((printable(flaw) for flaw in flaws if flaw is not None), document.trailing)
    if got is not None:
        what = (
            f"The Content-Type of the {answer.response.status} response is application/json, but the body is not JSON."
        )
        yield Finding("", "a JSON text", got, what)
