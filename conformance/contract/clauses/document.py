"""What the user's own document says of its responses, where one is given."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Finding, clause, doc
from conformance.contract.conversation import Answer
from conformance.contract.terms import Level
from conformance.spec.schemas import Violation


def _described(answer: Answer) -> Iterator[tuple[Violation, ...]]:
    """Yield what the schema refuses in a response to a GET of the queue whose status the document describes."""
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
    title="A response has the schema that your document gives it",
    source=doc(
        "/paths/~1api~1queue/get/responses/200/content/application~1json/schema/$ref", "#/components/schemas/QueueInfo"
    ),
    why="Clients that are generated from the document refuse anything else.",
    keeps='{"queue_running": [], "queue_pending": []}',
    breaks='{"queue_running": [], "queue_pending": null}',
    needs="a JSON body of at most 1 MiB under a status that the document describes",
    over=_described,
    own_document=True,
)
def response_schema(violations: tuple[Violation, ...]) -> Iterator[Finding]:
    """Asked only with ``--document``: the schema is that of the user's document, as far as the errata match it corrected."""
    for violation in violations:
        yield Finding(
            violation.pointer, violation.expected, violation.got, "The schema of the document refuses this value."
        )
