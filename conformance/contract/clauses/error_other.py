"""The bodies of errors that the document does not name: all that they hold is ``should``."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Finding, clause, doc, rfc
from conformance.contract.clauses.error import ERROR, is_error_response, known_errors
from conformance.contract.conversation import DOCUMENTED, REFUSALS, Answer, other_json_texts
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
    title="JSON of any other error is an ErrorResponse",
    source=doc(f"{ERROR}/type", "object"),
    why="One form for all errors is one piece of code in each client.",
    keeps='503, {"code": "UNAVAILABLE", "message": "…"}',
    breaks='503, {"detail": "…"}',
    needs="an error other than 400, 401, 403 and 500, in JSON",
    over=_other,
)
def other_errors_have_the_form(answer: Answer) -> Iterator[Finding]:
    """{code, message} on 404, 405, 406, 429, 503 …, where their body is JSON."""
    if not is_error_response(answer.document.value):
        yield Finding(
            "",
            "an object with code and message",
            show(answer.document.value),
            f"The body of the {answer.response.status} is no ErrorResponse.",
        )


@clause(
    "error.other-json",
    Level.SHOULD,
    title="Any other error that says it is JSON is JSON",
    source=rfc("RFC 8259 §2", "A JSON text is a serialized value."),
    why="The document does not name these statuses. A client that trusts Content-Type fails on their bodies.",
    keeps='404, Content-Type: application/json, {"code": "NOT_FOUND", "message": "…"}',
    breaks="404, Content-Type: application/json, Not Found",
    needs="an error other than 400 and 500 whose Content-Type is application/json",
    over=other_json_texts,
)
def other_errors_are_json(answer: Answer) -> Iterator[Finding]:
    """The body is one JSON text by RFC 8259."""
    document = answer.document
    flaws = (
        document.malformed,
        document.not_utf8,
        "a byte order mark" if document.bom else None,
        document.control_character,
        next((flaw.got for flaw in document.non_finite), None),
        document.trailing,
    )
    got = next((flaw for flaw in flaws if flaw is not None), None)
    if got is not None:
        what = f"The body of the {answer.response.status} is labelled as JSON and is not JSON."
        yield Finding("", "a JSON text", printable(got), what)
