"""Cross-check: the clauses and a JSON Schema validator must agree about every response.

They share no code that decides what is valid. If one rejects a response that the other accepts, one of them is wrong,
and the run must not certify anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import structs

from conformance.contract.catalogue import BY_ID
from conformance.contract.clauses.document import response_schema
from conformance.contract.conversation import OK
from conformance.contract.terms import Demand, Dialect, Level
from conformance.exchange.model import Exchange
from conformance.exchange.stored import StoredBody
from conformance.judge.judge import Bench, Judgement
from conformance.judge.report import Status, Verdict
from conformance.judge.verdict import count
from conformance.spec.schemas import LARGEST, Schemas, of_the_vendored_document
from conformance.text import plural

RESPONSE_SCHEMA: Final = response_schema.id
"""The id of the clause that gets the status ``error`` if the clauses and the schema disagree."""
STATUSES: Final = (OK, 400, 500)
"""The statuses of a GET of the queue that the OpenAPI document describes."""

BEYOND_THE_SCHEMA: Final[Mapping[str, str]] = {
    "json.": "a flaw in the JSON syntax: the schema is only about parsed values",
    "http.": "a header, or a status",
    "framing.": "bytes before or after the body",
    "error.content-type": "a header",
    "error.retry-after": "a header",
    "error.no-queue": "the schema of an error allows additional members, and so queue_running and queue_pending",
    "envelope.not-an-error": "the schema of a 200 allows additional members, and so code and message",
    "item.element-order": "OpenAPI 3.0 has no tuples, so the schema accepts the elements in any order",
    "item.prompt-id.": "OpenAPI 3.0 has no tuples, and `type: string` accepts any text",
    "item.workflow.": "OpenAPI 3.0 has no tuples, so the schema accepts another kind of element there",
    "item.output-node-ids.": "OpenAPI 3.0 has no tuples, so the schema accepts another kind of element there",
    "item.metadata.": "OpenAPI 3.0 has no tuples, so the schema accepts another kind of element there",
    "item.job-number.": "OpenAPI 3.0 has no tuples, and `type: integer` has no bounds",
    "item.create-time.": "the schema says nothing about the members of the metadata",
    "queue.": "the order of jobs, or the same value in two jobs",
    "privacy.": "a value that should not be there",
    "status.": "a status",
    "auth.": "the key of the request",
    "method.": "responses to other methods than GET",
    "caching.": "a header",
    "cors.": "a header",
    "document.": "about the user's own OpenAPI document, not the one that ships with the suite",
}
"""By id of a clause, or prefix of its id: why the clause is stricter than the JSON Schema, so that both may disagree.
"""


class Opinion(NamedTuple):
    """The result of the cross-check of the clauses with a JSON Schema validator.

    ``checked`` counts the distinct responses that were cross-checked. ``too_large`` counts those that were not, because
    they are too large for the validator or because the time for judging was over. ``disagreements`` has one line for
    each response about which the clauses and the schema disagree.
    """

    checked: int
    too_large: int
    disagreements: tuple[str, ...]


def second_opinion(
    exchanges: Sequence[Exchange],
    demand: Demand,
    schemas: Schemas | None = None,
    bench: Bench | None = None,
    *,
    late: Callable[[], bool] = lambda: False,
) -> Opinion:
    """Check each distinct response against the JSON Schema of the corrected document.

    Only the dialect ``cloud`` has one. When ``late`` returns True, the remaining responses are not checked.
    """
    if demand.read_as is not Dialect.CLOUD:
        return Opinion(0, 0, ())
    schemas = schemas or of_the_vendored_document()
    bench = bench or Bench(demand._replace(schemas=None))
    seen: set[tuple[int, bytes | StoredBody]] = set()
    checked = too_large = 0
    disagreements = []
    for exchange in exchanges:
        response = exchange.response
        if response is None or exchange.superseded or response.status not in STATUSES or not exchange.request.reads:
            continue
        if response.coding_error is not None or (response.status, response.body) in seen:
            continue
        seen.add((response.status, response.body))
        if response.size > LARGEST or late():
            too_large += 1
            continue
        found = schemas.violations(response.status, response.content)
        if found is None:
            continue  # not JSON: the schema needs a value
        checked += 1
        broken = {name for name in bench.broken_by([exchange]) if BY_ID[name].level_in(demand) is Level.MUST}
        if found and not broken:
            place, expected, got = found[0]
            message = f"the schema rejects {place or 'the body'} ({expected}; got {got}), but no must clause fails"
            disagreements.append(f"{exchange.id}: {message}")
        if not found:
            stricter = [name for name in sorted(broken) if not name.startswith(tuple(BEYOND_THE_SCHEMA))]
            disagreements += [f"{exchange.id}: {name} fails, but the schema accepts the body" for name in stricter[:1]]
    return Opinion(checked, too_large, tuple(disagreements))


def apply_opinion(judgement: Judgement, opinion: Opinion) -> Judgement:
    """Return the judgement. If the clauses and the schema disagree, the suite itself is wrong.

    Then the status of one clause becomes ``error``, and a conformant run becomes inconclusive.
    """
    if not opinion.disagreements:
        return judgement
    reason = f"the suite itself failed: {opinion.disagreements[0]}. Please report this"
    results = tuple(
        structs.replace(result, status=Status.ERROR, reason=reason, evidence=(), fingerprints=())
        if result.id == RESPONSE_SCHEMA and result.status is not Status.FAIL
        else result
        for result in judgement.results
    )
    judgement = judgement._replace(results=results, counts=count(results))
    if judgement.verdict is not Verdict.CONFORMANT:
        return judgement
    number = plural.count(len(opinion.disagreements), "response")
    message = f"the clauses and the schema of the OpenAPI document disagree about {number}"
    return judgement._replace(verdict=Verdict.INCONCLUSIVE, reason=f"{message}: {opinion.disagreements[0]}")
