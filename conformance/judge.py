"""From exchanges to statuses, and from statuses to a verdict. Pure: the same for a live run and a recording."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from conformance.contract import CATALOGUE, Clause, Dialect, Finding, Level
from conformance.contract.answer import Answer, Conversation, Reading
from conformance.contract.clause import printable
from conformance.contract.envelope import UNAVAILABLE
from conformance.excerpt import around
from conformance.exchange import Exchange, Fault
from conformance.jsontext import parse
from conformance.report.model import ClauseResult, Counts, Evidence, SourceOfClause, Status, Verdict

LISTED: Final = 3
"""Findings of one kind that are listed for an answer; the rest are counted."""
KINDS: Final = 20
"""Kinds of findings that are listed for a clause: a server that breaks one clause in more ways is told of these."""
SEEN_IN: Final = 20
"""Other exchanges that are named as showing the same."""

_BREACHED: Final = {Level.MUST: Status.FAIL, Level.SHOULD: Status.WARN, Level.INFO: Status.PASS}
_EXERCISED: Final = (Status.PASS, Status.FAIL, Status.WARN, Status.WAIVED)
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True)
class Judgement:
    """What a run's exchanges say. ``read_as`` is the dialect that was demanded, AUTO resolved."""

    results: tuple[ClauseResult, ...]
    verdict: Verdict
    reason: str
    counts: Counts
    read_as: Dialect


@dataclass
class _Tally:
    """What one clause has come to so far."""

    judged: set[str] = field(default_factory=set)
    breached: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    error: str | None = None


def judge(
    exchanges: Sequence[Exchange], dialect: Dialect = Dialect.CLOUD, *, only: Collection[str] | None = None
) -> Judgement:
    """Judge every answer by every clause that applies to it.

    ``only`` names the clauses that are asked for; the verdict then speaks of them alone. Never
    raises for anything that a server sent: a clause that fails itself has the status ``error``.
    """
    answers, read_as = _read(exchanges, dialect)
    conversation = Conversation(answers)
    by_exchange = {answer.exchange.id: answer for answer in answers}
    asked = [clause for clause in CATALOGUE if only is None or clause.id in only]
    results = []
    for clause in asked:
        level = clause.level_in(dialect, read_as)
        if level is None:
            results.append(_not_applicable(clause, dialect))
        else:
            results.append(_result(clause, level, _apply(clause, conversation), by_exchange))
    verdict, reason = _verdict(results, exchanges, answers)
    return Judgement(tuple(results), verdict, reason, count(results), read_as)


def count(results: Iterable[ClauseResult]) -> Counts:
    """Count clauses by status."""
    tally = Counter(result.status for result in results)
    return Counts(
        passed=tally[Status.PASS], fail=tally[Status.FAIL], warn=tally[Status.WARN],
        not_exercised=tally[Status.NOT_EXERCISED], not_applicable=tally[Status.NOT_APPLICABLE],
        waived=tally[Status.WAIVED], error=tally[Status.ERROR],
        exercised=sum(tally[status] for status in _EXERCISED), total=sum(tally.values()),
    )  # fmt: skip


def _read(exchanges: Sequence[Exchange], dialect: Dialect) -> tuple[list[Answer], Dialect]:
    """Read every body once (equal bytes share one reading) and resolve AUTO by the first job that shows an order."""
    demanded = Dialect.CLOUD if dialect is Dialect.AUTO else dialect
    readings: dict[bytes, Reading] = {}
    answers = []
    for exchange in exchanges:
        if exchange.response is not None and not exchange.superseded:
            content = exchange.response.content
            digest = hashlib.sha256(content).digest()
            if digest not in readings:
                readings[digest] = Reading(parse(content), demanded)
            answers.append(Answer(exchange, exchange.response, readings[digest]))
    if dialect is Dialect.AUTO:
        shown = next((item.order for answer in answers for item in answer.items if item.order), Dialect.CLOUD)
        if shown is not demanded:
            return _read(exchanges, shown)
    return answers, demanded


def _apply(clause: Clause, conversation: Conversation) -> _Tally:
    tally = _Tally()
    try:
        if clause.across is not None:
            for answer, subject in clause.across(conversation):
                _note(tally, answer, clause, subject)
        elif clause.over is not None:
            for answer in conversation.answers:
                for subject in clause.over(answer):
                    _note(tally, answer, clause, subject)
    except Exception as error:  # noqa: BLE001 - a mistake of ours must neither stop the run nor pass for a verdict
        tally.error = f"{type(error).__name__}: {printable(str(error))}"
    return tally


def _note(tally: _Tally, answer: Answer, clause: Clause, subject: Any) -> None:
    tally.judged.add(answer.exchange.id)
    for finding in clause.check(subject):
        tally.breached[answer.exchange.id].append(finding)


def _not_applicable(clause: Clause, dialect: Dialect) -> ClauseResult:
    reason = clause.oss_reason if dialect is not Dialect.CLOUD else None
    return _make(clause, clause.level, Status.NOT_APPLICABLE, reason or "not demanded under this dialect", _Tally(), ())


def _result(clause: Clause, level: Level, tally: _Tally, answers: dict[str, Answer]) -> ClauseResult:
    if tally.error is not None:
        reason = f"the suite itself failed: {tally.error}. Please report this"
        return _make(clause, level, Status.ERROR, reason, tally, ())
    if not tally.judged:
        return _make(clause, level, Status.NOT_EXERCISED, f"needs {clause.needs}", tally, ())
    if not tally.breached:
        return _make(clause, level, Status.PASS, f"kept in {_answers(len(tally.judged))}", tally, ())
    reason = f"broken in {len(tally.breached)} of {_answers(len(tally.judged))}"
    return _make(clause, level, _BREACHED[level], reason, tally, tuple(_evidence(tally, answers)))


def _make(
    clause: Clause, level: Level, status: Status, reason: str, tally: _Tally, evidence: tuple[Evidence, ...]
) -> ClauseResult:
    source = SourceOfClause(pointer=clause.source.pointer, quote=clause.source.quote, rfc=clause.source.rfc)
    return ClauseResult(
        id=clause.id, title=clause.title, level=level.value, status=status, reason=reason, core=clause.core,
        since=clause.since, judged=len(tally.judged), breached=len(tally.breached), source=source,
        evidence=evidence, why=clause.why,
    )  # fmt: skip


def _answers(number: int) -> str:
    return "1 answer" if number == 1 else f"{number} answers"


def _evidence(tally: _Tally, answers: dict[str, Answer]) -> Iterable[Evidence]:
    """List the first findings of each kind, from the first answer that shows it; count the others."""
    kinds: dict[tuple[object, ...], dict[str, list[Finding]]] = {}
    for exchange, findings in tally.breached.items():
        for finding in findings:
            place = None if finding.pointer is None else _INDEX.sub("/*", finding.pointer)
            kind = (place, finding.expected, finding.hint)
            kinds.setdefault(kind, {}).setdefault(exchange, []).append(finding)
    for where in list(kinds.values())[:KINDS]:
        exchange, findings = next(iter(where.items()))
        content = answers[exchange].response.content
        rest = findings[LISTED:]
        listed = findings[:LISTED]
        for number, finding in enumerate(listed):
            last = number == len(listed) - 1
            yield Evidence(
                exchange=exchange, pointer=finding.pointer, expected=finding.expected, got=finding.got,
                message=finding.message, hint=finding.hint,
                more=len(rest) if last else 0,
                last=rest[-1].pointer if last and rest else None,
                seen_in=tuple(list(where)[1 : SEEN_IN + 1]) if last else (),
                excerpt=None if finding.pointer is None else around(content, finding.pointer),
            )  # fmt: skip


# --- the verdict ------------------------------------------------------------------------------


def _verdict(
    results: Sequence[ClauseResult], exchanges: Sequence[Exchange], answers: Sequence[Answer]
) -> tuple[Verdict, str]:
    failed = [result for result in results if result.status is Status.FAIL]
    if failed:
        ids = ", ".join(result.id for result in failed[:3]) + (", …" if len(failed) > 3 else "")
        return Verdict.NON_CONFORMANT, f"{len(failed)} must {'clause' if len(failed) == 1 else 'clauses'} broken: {ids}"
    reason = _inconclusive(results, exchanges, answers)
    if reason is not None:
        return Verdict.INCONCLUSIVE, reason
    counts = count(results)
    waived = f", {counts.waived} waived" if counts.waived else ""
    warned = f", {counts.warn} should {'clause' if counts.warn == 1 else 'clauses'} broken" if counts.warn else ""
    return (
        Verdict.CONFORMANT,
        f"no must clause broken, {counts.exercised} of {counts.total} clauses exercised{warned}{waived}",
    )


def _inconclusive(
    results: Sequence[ClauseResult], exchanges: Sequence[Exchange], answers: Sequence[Answer]
) -> str | None:
    if not any(answer.shows_queue for answer in answers) and not any(
        r.status in _EXERCISED and r.core for r in results
    ):
        told = _unavailable(exchanges, answers)
        if told is not None:
            return told
    errors = [result.id for result in results if result.status is Status.ERROR]
    if errors:
        return f"the suite itself failed in {', '.join(errors[:3])}"
    unread = [e for e in exchanges if not e.superseded and e.response is None and e.request.reads]
    if unread:
        first = unread[0].problem
        detail = first.detail if first else "no answer"
        reads = sum(1 for e in exchanges if not e.superseded and e.request.reads)
        return f"{len(unread)} of {reads} reads brought no whole answer ({printable(detail)})"
    too_deep = [
        answer
        for answer in answers
        if answer.shows_queue and not answer.document.read and not answer.document.malformed
    ]
    if too_deep:
        return f"{len(too_deep)} of {len(answers)} answers nest {too_deep[0].document.depth:,} levels deep and were not read"
    unseen = [result for result in results if result.core and result.status is Status.NOT_EXERCISED]
    if unseen:
        if all(result.id.startswith("item.") for result in unseen) and not any(answer.elements for answer in answers):
            return "the queue was empty in every read: nothing is known of its jobs (see --wait-for-items)"
        ids = ", ".join(result.id for result in unseen[:3]) + (", …" if len(unseen) > 3 else "")
        return f"{len(unseen)} core {'clause' if len(unseen) == 1 else 'clauses'} not exercised: {ids}"
    if not any(result.status in _EXERCISED for result in results):
        return "nothing was exercised"
    return None


def _unavailable(exchanges: Sequence[Exchange], answers: Sequence[Answer]) -> str | None:
    """Say why no read was answered with a queue, where that is not the contract's business."""
    reads = [answer for answer in answers if answer.request.plain]
    if not reads:
        problem = next((e.problem for e in exchanges if e.problem and not e.superseded), None)
        if problem is None:
            return None
        word = {Fault.UNREACHABLE: "the target cannot be reached", Fault.TIMEOUT: "the target did not answer in time",
                Fault.BROKEN: "the target broke off its answer", Fault.TOO_LARGE: "the answer is too large"}[problem.fault]  # fmt: skip
        return f"{word}: {printable(problem.detail)}"
    statuses = Counter(answer.response.status for answer in reads)
    status, _ = statuses.most_common(1)[0]
    if status not in UNAVAILABLE:
        return None
    keyed = reads[0].request.header("x-api-key") is not None
    if status in (401, 403):
        told = (
            "the key that was given is refused: is it the right one?"
            if keyed
            else "it wants a key: set COMFY_API_KEY, or name the variable with --api-key-env"
        )
    elif status == 429:
        told = "too many requests, or no subscription: try again later"
    else:
        told = "the service is not available now: try again later"
    return f"every read is answered {status}; {told}"
