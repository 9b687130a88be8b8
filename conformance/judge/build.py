"""Build a report from exchanges: requests and their responses."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import structs

from conformance.contract.terms import EDITION
from conformance.exchange.hosts import is_remote
from conformance.exchange.model import Exchange, Request
from conformance.exchange.transcript import NO_ANSWER, Populated, Search, Smallest, Transcript
from conformance.exchange.trouble import InternalError, traceback_of
from conformance.judge.curl import curl_line
from conformance.judge.judge import Judgement
from conformance.judge.judging import WHOLE_AND_HIDDEN, Judging
from conformance.judge.ledger import bodies, instant, record
from conformance.judge.redaction import text_without_keys
from conformance.judge.report import (
    Body,
    BrokenByGenerated,
    ClauseResult,
    Deviations,
    GeneratedFamily,
    GeneratedRequests,
    OwnJobs,
    RecordedExchange,
    Report,
    Run,
    SmallestRequest,
    Status,
    Verdict,
)
from conformance.judge.servers import judge_each
from conformance.problems import UsageProblem
from conformance.spec.document import DOCUMENT_SHA256
from conformance.text.safe import printable
from conformance.version import __version__

if TYPE_CHECKING:
    from conformance.judge.opinion import Opinion

GRACE: Final = 10.0
"""The number of seconds that checking the responses may always take, even if no time is left for the run."""


def build(  # noqa: PLR0913 - the sources of a report
    judgement: Judgement,
    transcript: Transcript,
    judging: Judging,
    *,
    partial: bool = False,
    selected: str | None = None,
    hidden: bool = False,
    deviations: Deviations | None = None,
    opinion: Opinion | None = None,
) -> Report:
    """Build the report of a run from the results of its clauses and its exchanges.

    ``partial`` says that clauses were selected, ``selected`` how, and ``hidden`` that workflows are redacted.
    """
    exchanges, search = transcript.exchanges, transcript.search
    ledger = {one.id: record(one, hide_workflows=hidden, whole=judging.full_bodies) for one in exchanges}
    results, generated = judgement.results, None
    if search is not None:
        found = {name: _smallest(smallest, ledger) for name, smallest in search.found.items()}
        results = tuple(
            structs.replace(result, smallest=found[result.id]) if result.evidence and result.id in found else result
            for result in results
        )
        generated = _generated(search, found, ledger, opinion)
    stopped = transcript.stopped or judgement.cut
    run = Run(
        suite_version=__version__,
        document_sha256=DOCUMENT_SHA256,
        target=transcript.target,
        dialect=judging.dialect.value,
        options=dict(judging.options) | ({"redact_workflows": True} if hidden else {}),
        seed=None if search is None else search.seed,
        start=instant(transcript.start),
        end=instant(transcript.end),
        partial=partial or stopped is not None,
        read_as=judgement.demand.read_as.value,
        read_because=judgement.demand.because,
        selected=selected,
        edition=EDITION,
        stopped=stopped,
        unread=transcript.unread,
        recorded=transcript.recorded,
        uncompared=judgement.uncompared,
    )
    return Report(
        run=run,
        verdict=judgement.verdict,
        verdict_reason=judgement.reason,
        counts=judgement.counts,
        clauses=results,
        exchanges=tuple(ledger.values()),
        properties=generated,
        jobs=_jobs(transcript.populated, exchanges),
        deviations=deviations,
        servers=judgement.servers,
        bodies=_bodies(exchanges, ledger) if judging.full_bodies else None,
    )


def _bodies(exchanges: Sequence[Exchange], ledger: Mapping[str, RecordedExchange]) -> dict[str, Body]:
    answers = ((ledger[exchange.id].response, exchange.response, exchange.redactor) for exchange in exchanges)
    return bodies((shown.sha256, answer.content, redactor) for shown, answer, redactor in answers if shown and answer)


def _jobs(populated: Populated | None, exchanges: Sequence[Exchange]) -> OwnJobs | None:
    if populated is None:
        return None
    left = tuple(text_without_keys(printable(name), exchanges) for name in populated.left)
    return OwnJobs(submitted=populated.submitted, taken=populated.taken, left=left)


def _smallest(smallest: Smallest, ledger: Mapping[str, RecordedExchange]) -> SmallestRequest:
    curl = tuple(curl_line(_anonymous(ledger[name])) for name in smallest.exchanges)
    return SmallestRequest(curl=curl, **smallest._asdict())


def _generated(
    search: Search,
    found: Mapping[str, SmallestRequest],
    ledger: Mapping[str, RecordedExchange],
    opinion: Opinion | None,
) -> GeneratedRequests:
    families = tuple(
        GeneratedFamily(
            name=family.name,
            sent=family.sent,
            broken=tuple(
                BrokenByGenerated(clause=name, times=family.times.get(name, 0), smallest=_smallest(smallest, ledger))
                for name, smallest in family.found.items()
            ),
        )
        for family in search.families
    )
    return GeneratedRequests(
        examples=search.examples,
        wanted=search.wanted,
        stopped=search.stopped,
        no_answer=found.get(NO_ANSWER),
        operation=search.label,
        document=search.document,
        schemathesis=search.schemathesis,
        families=families,
        cross_checked=opinion.checked if opinion else 0,
        not_cross_checked=opinion.too_large if opinion else 0,
        unsent=search.unsent,
    )


def _anonymous(exchange: RecordedExchange) -> RecordedExchange:
    """Return the exchange without its X-Request-Id header, which would only make the curl line longer."""
    kept = tuple(field for field in exchange.request.headers if field[0].lower() != "x-request-id")
    return structs.replace(exchange, request=structs.replace(exchange.request, headers=kept))


def report_on(
    transcript: Transcript, judging: Judging, *, only: Collection[str] | None = None, selected: str | None = None
) -> Report:
    """Check the exchanges of a run and build its report.

    ``only`` has the ids of the clauses to check; without it, ``judging`` says which, by default all. Raises
    UsageProblem if whole bodies were requested for a recording whose workflows are redacted. Raises InternalError, with
    keys redacted, if the suite itself fails.
    """
    try:
        return _report_on(transcript, judging, only, selected)
    except UsageProblem:
        raise
    except Exception as error:
        if not any(exchange.redactor for exchange in transcript.exchanges):
            raise
        raise InternalError(text_without_keys(traceback_of(error), transcript.exchanges)) from None


def _report_on(transcript: Transcript, judging: Judging, only: Collection[str] | None, selected: str | None) -> Report:
    if only is None:
        only, selected = judging.only, judging.selected
    hidden = judging.hide_workflows or _is_of_others(transcript, shown=judging.show_workflows)
    if hidden and judging.full_bodies:
        raise UsageProblem(WHOLE_AND_HIDDEN)
    incomplete, late = transcript.stopped is not None or only is not None, _late(transcript.seconds)
    judged = partial(
        judge_each,
        transcript.exchanges,
        judging.dialect,
        only=only,
        hide_workflows=hidden,
        recorded=transcript.recorded,
        schemas=judging.schemas,
        late=late,
    )
    if judging.register is None:
        judgement, deviations = judged(), None
    else:
        from conformance.judge.deviations.apply import RunFacts, account, waiving

        facts = RunFacts(transcript.target, datetime.now(UTC).date(), incomplete)
        judgement = judged(waive=waiving(judging.register, facts))
        deviations = account(judging.register, facts, judgement)
    opinion = None
    if transcript.search is not None:
        from conformance.judge.opinion import apply_opinion, second_opinion

        opinion = second_opinion(transcript.exchanges, judgement.demand, late=late)
        judgement = apply_opinion(judgement, opinion)
    judgement = judgement._replace(results=_without_keys(judgement.results, transcript.exchanges))
    report = build(
        judgement,
        transcript,
        judging,
        partial=only is not None,
        selected=selected,
        hidden=hidden,
        deviations=deviations,
        opinion=opinion,
    )
    if transcript.stopped is not None and report.verdict is Verdict.CONFORMANT:
        reason = f"the run was stopped before its end: {transcript.stopped}"
        return structs.replace(report, verdict=Verdict.INCONCLUSIVE, verdict_reason=reason)
    return report


def _late(seconds: float | None) -> Callable[[], bool]:
    """Return a function that returns True when the time for judging is over.

    Judging gets at least ``GRACE`` seconds.
    """
    if seconds is None:
        return lambda: False
    ends = time.monotonic() + max(seconds, GRACE)
    return lambda: time.monotonic() > ends


def _without_keys(results: Sequence[ClauseResult], exchanges: Sequence[Exchange]) -> tuple[ClauseResult, ...]:
    """Redact keys in the reasons of results with the status ``error``, which may quote a response."""
    return tuple(
        structs.replace(result, reason=text_without_keys(result.reason or "", exchanges))
        if result.status is Status.ERROR
        else result
        for result in results
    )


def report_on_exchanges(
    exchanges: Sequence[Exchange], judging: Judging, *, target: str, start: float, unread: Sequence[str] = ()
) -> Report:
    """Check recorded exchanges and build a report.

    ``unread`` has a line for each part of the recording that is unreadable.
    """
    return report_on(
        Transcript(tuple(exchanges), target, start, time.time(), None, unread=tuple(unread), recorded=True), judging
    )


def _is_of_others(transcript: Transcript, *, shown: bool) -> bool:
    """Whether a transcript was recorded from another machine and the user did not ask to show its workflows."""
    if shown or not transcript.recorded:
        return False
    return is_remote(transcript.target) or any(is_remote(_url_of(one.request)) for one in transcript.exchanges)


def _url_of(request: Request) -> str:
    """Return the URL of a recorded request, with the host from its ``Host`` header if there is one."""
    host = request.header("host")
    return request.url if host is None else f"http://{host}"
