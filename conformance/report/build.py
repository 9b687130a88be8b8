"""From a judgement and its exchanges to a report. Pure, but for nothing: times come in as values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import structs

from conformance import __version__
from conformance.contract.clause import printable
from conformance.document import DOCUMENT_SHA256
from conformance.excerpt import start_of
from conformance.exchange import Exchange
from conformance.judge import Judgement
from conformance.masking import may_hold_workflows
from conformance.properties.outcome import NO_ANSWER, Search, Smallest
from conformance.report.curl import curl_line
from conformance.report.model import (
    Body,
    Deviations,
    GeneratedRequests,
    OwnJobs,
    RecordedExchange,
    RecordedRequest,
    RecordedResponse,
    Report,
    Run,
    SmallestRequest,
)
from conformance.report.whole import bodies, kept
from conformance.writes import Populated

BODY: Final = 2000
"""Characters of a request's body that are kept: most of what is sent, and the start of somebody's workflow."""


def build(  # noqa: PLR0913 - one parameter for each thing that a report says of its run
    judgement: Judgement,
    exchanges: Sequence[Exchange],
    *,
    target: str,
    dialect: str,
    options: dict[str, str | int | float | bool | None],
    start: float,
    end: float,
    partial: bool = False,
    selected: str | None = None,
    search: Search | None = None,
    populated: Populated | None = None,
    hide_workflows: bool = False,
    deviations: Deviations | None = None,
    stopped: str | None = None,
    full_bodies: bool = False,
    recorded: bool = False,
) -> Report:
    """Put a report together. ``start`` and ``end`` are in seconds since the Unix epoch."""
    ledger = {exchange.id: record(exchange, hide_workflows=hide_workflows, whole=full_bodies) for exchange in exchanges}
    results, generated = judgement.results, None
    if search is not None:
        found = {name: _smallest(smallest, ledger) for name, smallest in search.found.items()}
        results = tuple(
            structs.replace(result, smallest=found[result.id]) if result.evidence and result.id in found else result
            for result in results
        )
        generated = GeneratedRequests(
            examples=search.examples, wanted=search.wanted, stopped=search.stopped, no_answer=found.get(NO_ANSWER)
        )
    seed = None if search is None else search.seed
    run = Run(
        suite_version=__version__, document_sha256=DOCUMENT_SHA256, target=target, dialect=dialect, options=options,
        seed=seed, start=instant(start), end=instant(end), partial=partial, read_as=judgement.demand.read_as.value,
        read_because=judgement.demand.because, selected=selected,
        edition=judgement.edition, stopped=stopped, recorded=recorded,
    )  # fmt: skip
    return Report(
        run=run, verdict=judgement.verdict, verdict_reason=judgement.reason, counts=judgement.counts,
        clauses=results, exchanges=tuple(ledger.values()), properties=generated, jobs=_jobs(populated),
        deviations=deviations, newer=judgement.newer,
        bodies=_bodies(exchanges, ledger) if full_bodies else None,
    )  # fmt: skip


def _bodies(exchanges: Sequence[Exchange], ledger: Mapping[str, RecordedExchange]) -> dict[str, Body]:
    answers = ((ledger[exchange.id].response, exchange.response) for exchange in exchanges)
    return bodies((shown.sha256, answer.content) for shown, answer in answers if shown and answer)


def _jobs(populated: Populated | None) -> OwnJobs | None:
    if populated is None:
        return None
    left = tuple(printable(name) for name in populated.left)
    return OwnJobs(submitted=populated.submitted, taken=populated.taken, left=left)


def _smallest(smallest: Smallest, ledger: Mapping[str, RecordedExchange]) -> SmallestRequest:
    return SmallestRequest(
        exchanges=smallest.exchanges, curl=tuple(curl_line(_anonymous(ledger[name])) for name in smallest.exchanges),
        asked=smallest.asked, broken=smallest.broken,
        plain_asked=smallest.plain_asked, plain_broken=smallest.plain_broken,
    )  # fmt: skip


def _anonymous(exchange: RecordedExchange) -> RecordedExchange:
    """Leave out the id of the request: it was of that one, and makes the line longer."""
    kept = tuple(field for field in exchange.request.headers if field[0].lower() != "x-request-id")
    return structs.replace(exchange, request=structs.replace(exchange.request, headers=kept))


def record(exchange: Exchange, *, hide_workflows: bool = False, whole: bool = False) -> RecordedExchange:
    """Return the line of the ledger for an exchange: its body bounded and made printable. ``whole`` keeps the rest."""
    asked, answered, problem = exchange.request, exchange.response, exchange.problem
    return RecordedExchange(
        id=exchange.id,
        request=RecordedRequest(
            method=asked.method, url=asked.url, headers=asked.headers, purpose=asked.purpose,
            credential=asked.credential.value, size=len(asked.body),
            body=start_of(asked.body, BODY, hide=hide_workflows) if asked.body else "",
        ),
        response=None if answered is None else RecordedResponse(
            status=answered.status,
            headers=tuple((printable(name), printable(value, 1000)) for name, value in answered.headers[:100]),
            size=len(answered.content), sha256=hashlib.sha256(answered.content).hexdigest(),
            excerpt=start_of(
                answered.content, hide=hide_workflows and may_hold_workflows(answered.status, answered.content)
            ),
        ),
        error=None if problem is None else f"{problem.fault.value}: {printable(problem.detail)}",
        elapsed=exchange.elapsed, attempt=exchange.attempt, superseded=exchange.superseded,
        kept=kept(exchange) if whole else None,
    )  # fmt: skip


def instant(seconds: float) -> str:
    """Return seconds since the Unix epoch as RFC 3339 has them."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
