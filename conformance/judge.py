"""From exchanges to the status of each clause. Pure: the same for a live run and a recording."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import structs

from conformance.contract import CATALOGUE, Clause, Dialect, Finding, Level
from conformance.contract.answer import Answer, Conversation, Reading
from conformance.contract.clause import printable
from conformance.excerpt import around
from conformance.exchange import Exchange
from conformance.jsontext import parse
from conformance.report.model import ClauseResult, Counts, Evidence, SourceOfClause, Status, Verdict
from conformance.verdict import count, decide

LISTED: Final = 2
"""Findings of one kind that are listed for an answer; the rest are counted."""
KINDS: Final = 20
"""Kinds of findings that are listed for a clause: a server that breaks one clause in more ways is told of these."""
SEEN_IN: Final = 20
"""Other exchanges that are named as showing the same."""

_BREACHED: Final = {Level.MUST: Status.FAIL, Level.SHOULD: Status.WARN, Level.INFO: Status.PASS}
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
    verdict, reason = decide(results, exchanges, answers)
    return Judgement(tuple(results), verdict, reason, count(results), read_as)


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
    return _make(clause, clause.level, _Tally(), Status.NOT_APPLICABLE, reason or "not demanded under this dialect")


def _result(clause: Clause, level: Level, tally: _Tally, answers: dict[str, Answer]) -> ClauseResult:
    if tally.error is not None:
        return _make(clause, level, tally, Status.ERROR, f"the suite itself failed: {tally.error}. Please report this")
    if not tally.judged:
        return _make(clause, level, tally, Status.NOT_EXERCISED, f"needs {clause.needs}")
    if not tally.breached:
        return _make(clause, level, tally, Status.PASS, f"kept in {_answers(len(tally.judged))}")
    result = _make(
        clause, level, tally, _BREACHED[level], f"broken in {len(tally.breached)} of {_answers(len(tally.judged))}"
    )
    return structs.replace(result, evidence=tuple(_evidence(tally, answers)))


def _make(clause: Clause, level: Level, tally: _Tally, status: Status, reason: str) -> ClauseResult:
    return ClauseResult(
        id=clause.id,
        title=clause.title,
        level=level.value,
        status=status,
        reason=reason,
        core=clause.core,
        since=clause.since,
        judged=len(tally.judged),
        breached=len(tally.breached),
        source=SourceOfClause(pointer=clause.source.pointer, quote=clause.source.quote, rfc=clause.source.rfc),
        why=clause.why,
    )


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
