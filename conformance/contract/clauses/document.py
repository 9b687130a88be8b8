"""The clause that checks responses against the OpenAPI document given with ``--document``."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Finding, clause, doc
from conformance.contract.conversation import Answer
from conformance.contract.terms import Level
from conformance.spec.schemas import Violation


def _described(answer: Answer) -> Iterator[tuple[Violation, ...]]:
    """Yield the violations of the schema that the user's OpenAPI document gives for the status of a GET of the queue."""
    schemas = answer.reading.demand.schemas
    request = answer.request
    if schemas is None or request.method != "GET" or not request.to_queue or answer.response.coding_error is not None:
        return
    found = schemas.violations(answer.response.status, answer.response.content)
    if found is not None:
        yield found


@clause(
    "document.response-schema",
    Level.MUST,
    title="A response matches the schema in your OpenAPI document (--document)",
    source=doc(
        "/paths/~1api~1queue/get/responses/200/content/application~1json/schema/$ref", "#/components/schemas/QueueInfo"
    ),
    why="Clients generated from the OpenAPI document refuse any other response.",
    keeps='{"queue_running": [], "queue_pending": []}',
    breaks='{"queue_running": [], "queue_pending": null}',
    needs="a JSON body of at most 1 MiB, with a status that your OpenAPI document describes",
    over=_described,
    own_document=True,
)
def response_schema(violations: tuple[Violation, ...]) -> Iterator[Finding]:
    """The body conforms to the schema in the user's OpenAPI document, in which known mistakes were corrected."""
    for violation in violations:
        yield Finding(
            violation.pointer,
            violation.expected,
            violation.got,
            "The schema in your OpenAPI document does not allow this value.",
        )
