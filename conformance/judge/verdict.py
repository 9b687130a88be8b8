"""Decide the verdict of a run by the statuses of the clauses, and give the reason in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from conformance.contract.clauses.status import accountable
from conformance.contract.conversation import OK, TOO_MANY, UNAVAILABLE, Answer
from conformance.contract.refusals import advice
from conformance.exchange.model import OTHER_PROTOCOL, UNRESOLVED, Exchange, NoResponse, Problem
from conformance.judge.report import EXERCISED, ClauseResult, Counts, Status, Verdict
from conformance.text.safe import printable

NAMED: Final = 3
"""Maximum number of clauses that the reason for a verdict names."""
GRAVEST: Final = "lifecycle.survives-malformed"
"""If this clause is violated, the verdict names it first."""
AT_THE_END: Final = 2
"""If normal GETs of the queue got a 200, at least one of this many at the end of the run must get a 200, too."""
_FAULTS: Final = {
    NoResponse.UNREACHABLE: "the target cannot be reached",
    NoResponse.TIMEOUT: "the target did not respond in time",
    NoResponse.BROKEN: "the target broke off its response",
    NoResponse.TOO_LARGE: "the response is too large",
    NoResponse.NOT_RECORDED: "the recording is incomplete",
}
REMEDIES: Final = {
    NoResponse.UNREACHABLE: "check that the server is running, and that address and port are right",
    NoResponse.TIMEOUT: "try again, or give the server more time with --exchange-timeout",
    NoResponse.BROKEN: "check that the server speaks HTTP on this port, and not only HTTPS",
    NoResponse.TOO_LARGE: "allow more with --max-body",
    NoResponse.NOT_RECORDED: "docs/recordings.md says how to record whole responses",
}
_NOT_IN_FILES: Final = "the recording has no complete response"
_RECORD_AGAIN: Final = "docs/recordings.md says how to record whole responses"


def count(results: Iterable[ClauseResult]) -> Counts:
    """Count clauses by status."""
    tally = Counter(result.status for result in results)
    return Counts(
        passed=tally[Status.PASS],
        fail=tally[Status.FAIL],
        warn=tally[Status.WARN],
        not_exercised=tally[Status.NOT_EXERCISED],
        not_applicable=tally[Status.NOT_APPLICABLE],
        waived=tally[Status.WAIVED],
        error=tally[Status.ERROR],
        exercised=sum(tally[status] for status in EXERCISED),
        total=sum(tally.values()),
    )


def decide(
    results: Sequence[ClauseResult], exchanges: Sequence[Exchange], answers: Sequence[Answer], *, recorded: bool = False
) -> tuple[Verdict, str]:
    """Return the verdict of a run and its reason in words.

    The verdict is non-conformant if a must clause failed, else inconclusive if ``_doubts`` has a reason, else
    conformant. ``recorded`` says that the exchanges come from files.
    """
    failed = [result.id for result in results if result.status is Status.FAIL]
    if failed:
        first = "a malformed request crashed the server; " if GRAVEST in failed else ""
        return Verdict.NON_CONFORMANT, first + in_words(_gravest_first(failed), "must", "broken")
    for doubt in _doubts(results, exchanges, answers, recorded=recorded):
        return Verdict.INCONCLUSIVE, doubt
    counts = count(results)
    warned = f", {_clauses(counts.warn, 'should')} broken" if counts.warn else ""
    known = any(result.status is Status.WAIVED and result.level == "must" for result in results)
    beside = " apart from known deviations" if known else ""
    seen = f"no must clause broken{beside}, {_clauses(counts.exercised)} checked"
    return Verdict.CONFORMANT, seen + warned  # every verdict is shown with the number of waived clauses


def _gravest_first(ids: Sequence[str]) -> list[str]:
    return sorted(ids, key=lambda name: name != GRAVEST)


def _doubts(
    results: Sequence[ClauseResult], exchanges: Sequence[Exchange], answers: Sequence[Answer], *, recorded: bool
) -> Iterator[str]:
    """Yield the reasons why a run is inconclusive, the most useful first."""
    yield from _no_queue(exchanges, answers, recorded=recorded)
    errors = [result.id for result in results if result.status is Status.ERROR]
    if errors:
        yield f"the suite itself failed in {_names(errors)}"
    reads = [exchange for exchange in exchanges if exchange.request.reads and not exchange.superseded]
    lost = [exchange.problem for exchange in reads if exchange.problem is not None]
    if lost:
        was = "was" if len(lost) == 1 else "were"
        what = (
            f"{was} not recorded completely" if lost[0].fault is NoResponse.NOT_RECORDED else "got no complete response"
        )
        yield f"{len(lost)} of {len(reads)} GETs of the queue {what} ({printable(lost[0].detail)})"
    shown = [answer for answer in answers if answer.shows_queue]
    coded = [answer for answer in shown if answer.response.coding_error is not None]
    if coded:
        yield f"{len(coded)} of {len(shown)} responses could not be decoded as their Content-Encoding says"
    deep = [answer.summary.depth for answer in shown if not (answer.summary.read or answer.summary.malformed)]
    if deep:
        yield f"{len(deep)} of {len(shown)} responses are nested {deep[0]:,} levels deep and were not parsed"
    unread = [answer.summary.unread for answer in shown if answer.summary.unread is not None]
    if unread:
        yield f"{len(unread)} of {len(shown)} responses were not checked completely: no clause checked {unread[0]}"
    yield from _no_more(answers)
    unseen = [result.id for result in results if result.core and result.status is Status.NOT_EXERCISED]
    if unseen and not any(answer.summary.jobs for answer in shown) and all(name.startswith("item.") for name in unseen):
        more = "" if recorded else " (see --wait-for-items and --populate)"
        yield f"the queue was always empty, so no job could be checked{more}"
    if unseen:
        yield in_words(unseen, "core", "not checked")
    if not any(result.status in EXERCISED for result in results):
        yield "no clause was checked"


def _no_queue(exchanges: Sequence[Exchange], answers: Sequence[Answer], *, recorded: bool) -> Iterator[str]:
    """Yield the reason why no response contains the queue, if that does not violate the contract."""
    if any(answer.shows_queue for answer in answers):
        return
    reads = [answer for answer in answers if answer.request.plain]
    problems = [exchange.problem for exchange in exchanges if exchange.problem and not exchange.superseded]
    if not reads and problems:
        problem = next((found for found in problems if _recognised(found)), problems[0])
        lost = "" if problem.fault is NoResponse.NOT_RECORDED else f"{_NOT_IN_FILES}: "
        yield f"{lost}{printable(problem.detail)}; {_RECORD_AGAIN}" if recorded else _in_words(problem)
    if reads:
        ((status, _),) = Counter(answer.response.status for answer in reads).most_common(1)
        if status in UNAVAILABLE:
            read = next(answer for answer in reads if answer.response.status == status)
            sent = {name.lower() for name, _ in read.request.headers}
            yield f"every GET of the queue gets a {status}; {advice(status, read.response.headers, sent)}"


def _recognised(problem: Problem) -> bool:
    return problem.detail.startswith(OTHER_PROTOCOL)


def _in_words(problem: Problem) -> str:
    """Return why a response is missing, and what the user can do about it unless the detail already says it."""
    detail = printable(problem.detail, 300)
    if _recognised(problem):
        return detail
    explained = detail.startswith("TLS:")
    return f"{_FAULTS[problem.fault]}: {detail}" + ("" if explained else f"; {_remedy(problem)}")


def _remedy(problem: Problem) -> str:
    """Return what the user can do about a missing or broken response.

    If its status line is valid, the server speaks HTTP, and the advice does not doubt that.
    """
    if problem.fault is NoResponse.UNREACHABLE and problem.detail.startswith(UNRESOLVED):
        return "is the host name spelled right, and does this machine know it?"
    if problem.fault is NoResponse.BROKEN and problem.begun and "status line" not in problem.detail:
        head = "header line" in problem.detail or "header name" in problem.detail
        return (
            "one of its header lines is not valid"
            if head
            else "check whether a proxy or a time limit cuts the response off"
        )
    return REMEDIES[problem.fault]


def _no_more(answers: Sequence[Answer]) -> Iterator[str]:
    """Yield a reason if too few normal GETs of the queue got a 200, or none at the end of the run.

    The server may then have stopped serving the queue. A GET that was rate limited does not count if a later one got a
    200.
    """
    usual = [answer for answer in answers if answer.request.usual]
    last = max((place for place, answer in enumerate(usual) if answer.response.status == OK), default=-1)
    counted = [answer for place, answer in enumerate(usual) if place > last or any(accountable(answer))]
    good = [answer.response.status == OK for answer in counted]
    many = sum(answer.response.status == TOO_MANY for answer in counted)
    if any(good) and (2 * sum(good) < len(good) or not any(good[-AT_THE_END:])):
        end = "" if any(good[-AT_THE_END:]) else ", and none at the end"
        yield f"only {sum(good)} of {len(good)} normal GETs of the queue got a 200{end}" + (
            f"; {many} got a {TOO_MANY} (send requests more slowly with --rate-limit)" if many else ""
        )


def in_words(ids: Sequence[str], kind: str, what: str) -> str:
    """Return how many clauses of a kind (must, core) are broken or not checked, with the ids of some of them."""
    return f"{_clauses(len(ids), kind)} {what}: {_names(ids)}"


def _clauses(number: int, kind: str = "") -> str:
    noun = "clause" if number == 1 else "clauses"
    return " ".join(filter(None, (str(number), kind, noun)))


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
