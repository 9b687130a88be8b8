"""Turn the counts of a run under load into a report. Pure: times are arguments."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from msgspec import structs

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.conversation import OK, UNAVAILABLE
from conformance.contract.reading.body import LISTS
from conformance.contract.reading.known_jobs import BOUNDS
from conformance.contract.refusals import advice
from conformance.contract.terms import Demand
from conformance.exchange.model import NoResponse
from conformance.exchange.transcript import Transcript
from conformance.judge.build import build
from conformance.judge.deviations.apply import RunFacts, account, waiving
from conformance.judge.deviations.register import Register
from conformance.judge.fingerprint import fingerprint
from conformance.judge.judge import Judgement
from conformance.judge.judging import Judging
from conformance.judge.ledger import instant
from conformance.judge.outcome import Counted, outcome
from conformance.judge.report import (
    ClauseResult,
    LatencyBySize,
    LoadRun,
    LoadSecond,
    Moment,
    OwnJobs,
    Report,
    SeenUnderLoad,
    Status,
    Verdict,
)
from conformance.judge.verdict import REMEDIES, count, in_words
from conformance.load.stream import BETWEEN
from conformance.load.tally import ClauseCounts, LoadTally, Own
from conformance.run.settings import Settings
from conformance.text.safe import printable

T = TypeVar("T")
SERVED: Final = "status.served"
STEADY: Final = "status.steady"
NOTHING: Final = ClauseCounts()


def report_on_load(  # noqa: PLR0913 - one parameter for each fact about the run
    tally: LoadTally, settings: Settings, demand: Demand, *, start: float, end: float, stopped: str | None = None
) -> Report:
    """Return the report on a run under load.

    ``start`` and ``end`` are seconds since the Unix epoch. ``stopped`` says why the run ended early; None if it did
    not.
    """
    assert settings.target is not None
    register = settings.deviations or Register("")
    facts = RunFacts(settings.target, datetime.fromtimestamp(end, UTC).date(), partial=stopped is not None)
    waive = waiving(register, facts)
    clauses = _with_statuses(tally)
    results = tuple(
        waive(outcome(clause, demand, _counted(clause.id, clauses.get(clause.id, NOTHING), tally)), demand.read_as)
        for clause in CATALOGUE
    )
    sent = settings.gateway.names | ({"x-api-key"} if settings.key is not None else set())
    verdict, reason = _verdict(results, tally, stopped, sent)
    judgement = Judgement(
        results, verdict, reason, count(results), demand, frozenset(LISTS), uncompared=_uncompared(tally)
    )
    deviations = None if settings.deviations is None else account(register, facts, judgement)
    judging = Judging(dialect=settings.dialect, options=settings.options())
    report = build(judgement, Transcript((), settings.target, start, end, stopped), judging, deviations=deviations)
    return structs.replace(
        report,
        clauses=tuple(_when(result, clauses.get(result.id, NOTHING), tally) for result in report.clauses),
        exchanges=tuple(tally.exchanges.values()),
        load=_load(tally),
        jobs=None if settings.server_changes is None else _own(tally.own),
    )


def _own(own: Own) -> OwnJobs:
    return OwnJobs(submitted=own.submitted, taken=own.taken, left=tuple(printable(name) for name in own.left))


def _counted(name: str, broken: ClauseCounts, tally: LoadTally) -> Counted:
    return Counted(
        broken.judged,
        broken.breached,
        broken.evidence,
        tuple(map(fingerprint, broken.evidence)),
        broken.error,
        _uncompared(tally) if name in BETWEEN else None,
    )


def _uncompared(tally: LoadTally) -> str | None:
    """Return a note on responses that list too many jobs to be compared with earlier ones; None without any."""
    number = tally.unjudged.uncompared
    return f"{number:,} responses were not compared with others: they list {BOUNDS}" if number else None


def _with_statuses(tally: LoadTally) -> dict[str, ClauseCounts]:
    """Return the counts of clauses, with ``status.served`` added, which is about all statuses together.

    If no response is a 200, ``status.steady`` is removed, because ``status.served`` already reports this.
    """
    clauses = dict(tally.clauses)
    telling = sum(number for status, number in tally.statuses.items() if status not in UNAVAILABLE)
    served = bool(tally.statuses.get(OK))
    if telling:
        clauses[SERVED] = ClauseCounts(judged=telling, breached=0 if served else telling)
    if not served:
        clauses.pop(STEADY, None)
    return clauses


def _verdict(
    results: tuple[ClauseResult, ...], tally: LoadTally, stopped: str | None, sent: Collection[str]
) -> tuple[Verdict, str]:
    """Return the verdict and its reason.

    A failed must clause decides; otherwise any doubt makes the run inconclusive.
    """
    failed = [result.id for result in results if result.status is Status.FAIL]
    if failed:
        return Verdict.NON_CONFORMANT, in_words(failed, "must", "broken")
    for doubt in _doubts(results, tally, stopped, sent):
        return Verdict.INCONCLUSIVE, doubt
    counts = count(results)
    return Verdict.CONFORMANT, (
        f"no must clause broken in {sum(tally.statuses.values()):,} responses, {counts.exercised} clauses checked"
    )


def _doubts(
    results: tuple[ClauseResult, ...], tally: LoadTally, stopped: str | None, sent: Collection[str]
) -> Iterator[str]:
    """Yield reasons why the run is inconclusive, most important first.

    ``sent`` are the names of the header fields that were sent.
    """
    lost = sum(tally.problems.values())
    if stopped is not None:
        yield f"the run was stopped before its end: {stopped}"
    if not tally.requests:
        yield "no request was sent"
    if lost:
        fault = NoResponse(_most(tally.problems))
        whole = f"{lost:,} of {tally.requests:,} requests got no complete response"
        yield f"{whole} ({fault.value}); {REMEDIES[fault]}"
    if tally.own.why_not is not None:
        yield tally.own.why_not
    if tally.statuses and not tally.statuses.get(OK):
        status = _most(tally.statuses)
        hint = f"; {advice(status, (), sent)}" if status in UNAVAILABLE else ""
        yield f"no GET got a 200 response; the most frequent status was {status}{hint}"
    errors = [result.id for result in results if result.status is Status.ERROR]
    if errors:
        yield in_words(errors, "", "could not be judged because the suite itself failed")
    if tally.unjudged.what is not None:
        yield f"{tally.unjudged.responses:,} responses were judged only in part: no clause judged {tally.unjudged.what}"
    unseen = [result.id for result in results if result.core and result.status is Status.NOT_EXERCISED]
    if unseen:
        yield in_words(unseen, "core", "not checked")


def _most(numbers: Mapping[T, int]) -> T:
    return max(numbers, key=lambda key: numbers[key])


def _when(result: ClauseResult, broken: ClauseCounts, tally: LoadTally) -> ClauseResult:
    """Add to a clause's result when it was first and last broken, and how many requests and users there were then."""
    if not result.breached or broken.first is None or broken.last is None:
        return result
    return structs.replace(
        result, under_load=SeenUnderLoad(first=_moment(broken.first, tally), last=_moment(broken.last, tally))
    )


def _moment(at: float, tally: LoadTally) -> Moment:
    second = tally.seconds.get(int(at))
    return Moment(
        at=instant(at), requests=0 if second is None else second.requests, users=0 if second is None else second.users
    )


def _load(tally: LoadTally) -> LoadRun:
    return LoadRun(
        requests=tally.requests,
        statuses={str(status): number for status, number in sorted(tally.statuses.items())},
        problems=dict(tally.problems),
        beside={str(status): number for status, number in sorted(tally.beside.items())},
        seconds=tuple(
            LoadSecond(at=second, requests=seen.requests, broken=seen.breached, users=seen.users)
            for second, seen in sorted(tally.seconds.items())
        ),
        latency=tuple(
            LatencyBySize(
                up_to=size or None,
                answers=latency.number,
                p50=latency.percentile(0.5),
                p95=latency.percentile(0.95),
                longest=latency.longest,
            )
            for size, latency in sorted(tally.latency.items(), key=lambda pair: pair[0] or float("inf"))
        ),
    )
