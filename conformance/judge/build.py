"""From exchanges to a report. Pure but for the clock: times of the run come in as values."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from msgspec import structs

from conformance.contract.terms import EDITION
from conformance.exchange.model import Exchange
from conformance.exchange.transcript import NO_ANSWER, Populated, Search, Smallest, Transcript
from conformance.judge.curl import curl_line
from conformance.judge.judge import Judgement, judge
from conformance.judge.judging import Judging
from conformance.judge.ledger import bodies, instant, record
from conformance.judge.report import (
    Body,
    Deviations,
    GeneratedRequests,
    OwnJobs,
    RecordedExchange,
    Report,
    Run,
    SmallestRequest,
    Verdict,
)
from conformance.spec.document import DOCUMENT_SHA256
from conformance.text.safe import printable
from conformance.version import __version__


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
        edition=EDITION, stopped=stopped,
    )  # fmt: skip
    return Report(
        run=run, verdict=judgement.verdict, verdict_reason=judgement.reason, counts=judgement.counts,
        clauses=results, exchanges=tuple(ledger.values()), properties=generated, jobs=_jobs(populated),
        deviations=deviations,
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


def report_on(
    transcript: Transcript, judging: Judging, *, only: Collection[str] | None = None, selected: str | None = None
) -> Report:
    """Judge a transcript, by the clauses named in ``only`` or by all."""
    incomplete = transcript.stopped is not None or only is not None
    judged = partial(
        judge, transcript.exchanges, judging.dialect, only=only, hide_workflows=judging.hide_workflows,
    )  # fmt: skip
    if judging.register is None:
        judgement, deviations = judged(), None
    else:
        from conformance.judge.deviations.apply import Night, account, waiving

        night = Night(transcript.target, datetime.now(UTC).date(), incomplete)
        judgement = judged(waive=waiving(judging.register, night))
        deviations = account(judging.register, night, judgement)
    report = build(
        judgement, transcript.exchanges, target=transcript.target, dialect=judging.dialect.value,
        options=dict(judging.options), start=transcript.start, end=transcript.end,
        partial=incomplete, selected=selected, search=transcript.search, populated=transcript.populated,
        hide_workflows=judging.hide_workflows, stopped=transcript.stopped, full_bodies=judging.full_bodies,
        deviations=deviations,
    )  # fmt: skip
    if transcript.stopped is not None and report.verdict is Verdict.CONFORMANT:
        reason = f"the run was stopped before its end: {transcript.stopped}"
        return _with_verdict(report, Verdict.INCONCLUSIVE, reason)
    return report


def report_on_exchanges(exchanges: Sequence[Exchange], judging: Judging, *, target: str, start: float) -> Report:
    """Judge exchanges that were recorded some other time."""
    return report_on(Transcript(tuple(exchanges), target, start, time.time(), None), judging)


def _with_verdict(report: Report, verdict: Verdict, reason: str) -> Report:
    return structs.replace(report, verdict=verdict, verdict_reason=reason)
