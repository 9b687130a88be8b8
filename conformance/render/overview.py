"""The overview of many targets: the result of each, a headline, and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from conformance.history.digest import is_mended
from conformance.history.night_results import (
    NAMED,
    BrokenClause,
    Outcomes,
    TargetResult,
    Trouble,
    inconclusive_in_a_row,
    night_state,
    trouble_key,
)
from conformance.history.snapshot import waivers_of
from conformance.judge.exit import unreached
from conformance.judge.fingerprint import fingerprints
from conformance.judge.report import Report, Status, Verdict
from conformance.render.changes import headline as changes_headline
from conformance.render.changes import since
from conformance.render.markdown import MARK, ROWS, code, plain
from conformance.render.qualifiers import flags
from conformance.render.words import breached, sentence
from conformance.text.plural import count


def result(name: str, report: Report, status: int) -> TargetResult:
    """Return the overview's entry for a target, made from the report on the target.

    ``status`` is the exit status of its run.
    """
    run, past = report.run, report.history
    diff = None if past is None else past.diff
    away = unreached(report)
    outage = None if past is None else past.outage
    broken = (BrokenClause(id=one.id, title=one.title, status=one.status) for one in breached(report))
    return TargetResult(
        name=name,
        target=run.target,
        dialect=run.dialect,
        outcome=report.verdict.value,
        reason=report.verdict_reason,
        exit=status,
        start=run.start,
        end=run.end,
        counts=report.counts,
        broken=tuple(broken),
        flags=tuple(flags(report)),
        troubles=tuple(_troubles(report)),
        nights=inconclusive_in_a_row([one.verdict for one in past.runs] if past else [report.verdict]),
        changed=_changed(report),
        unreached=away,
        unreached_since=outage.since.start if outage else None,
        unreached_nights=outage.runs if outage else 0,
        compared=diff is not None,
        newly=tuple(change.clause for change in diff.changes if change.kind == "failed") if diff else (),
        mended=tuple(change.clause for change in diff.changes if is_mended(change.before, change.now)) if diff else (),
        notes=diff.notes if diff else (),
        waivers=waivers_of(report),
        strip=tuple(night_state(one) for one in (past.runs if past else ())),
    )


def _changed(report: Report) -> str | None:
    diff = None if report.history is None else report.history.diff
    if diff is None or Verdict.INCONCLUSIVE in (diff.old.verdict, diff.new.verdict):
        return None
    return "; ".join([f"{since(diff)}: {changes_headline(diff)}", *diff.notes])


def _troubles(report: Report) -> Iterator[Trouble]:
    """Yield the problems in a report. A known problem and a new failure of the same clause have different keys."""
    failing = {Status.FAIL} | ({Status.WARN} if report.run.options.get("fail_on_should") is True else set())
    past = {} if report.history is None else report.history.clauses
    for one in breached(report):
        if one.status in failing:
            told = one.evidence[0].message if one.evidence else one.reason
            key, at = trouble_key(one.id, fingerprints(one)), past[one.id].broken_since if one.id in past else None
            yield Trouble(key=key, clause=one.id, told=told, whose="server", since=at.start if at else None)
        elif one.status is Status.ERROR:
            yield Trouble(key=f"{one.id} error", clause=one.id, told=one.reason, whose="suite")
    for problem in () if report.deviations is None else report.deviations.problems:
        if problem.problem != "other-fingerprint":  # which already counts as a failed clause
            entry = f"{re.sub(r'[^a-z0-9.-]', '-', problem.clause)} {problem.problem}"
            yield Trouble(key=entry, clause=problem.clause, told=problem.message, whose="register")


def headline(outcomes: Outcomes) -> str:
    """Return one line: how many targets have which outcome, and the first names that are not conformant."""
    parts = []
    for outcome, first in outcomes.first.items():
        number = outcomes.outcomes[outcome]
        named = f" ({', '.join(first)}{', …' if number > NAMED else ''})" if outcome != "conformant" else ""
        parts += [f"{number:,} {outcome}{named}"] if number else []
    failed = outcomes.failed_otherwise
    more = f"; also failed: {', '.join(failed[:NAMED])}{', …' if len(failed) > NAMED else ''}" if failed else ""
    return f"{count(outcomes.total, 'target')}: {', '.join(parts) or 'none judged'}{more}"


def render_markdown(outcomes: Outcomes, worst_first: Iterable[TargetResult]) -> str:
    """Return ``summary.md`` of many targets: a table with the worst results first."""
    rows = [
        f"| {_mark(one.outcome)} {plain(one.outcome)} | **{plain(one.name)}** | {code(one.target)} | {_told(one)} |"
        for one in islice(worst_first, ROWS)
    ]
    more = outcomes.total - ROWS
    return (
        "\n".join(
            [
                f"## {_mark(outcomes.outcome)} {plain(headline(outcomes))}",
                "",
                "| Outcome | Target | URL | Why |",
                "|---|---|---|---|",
                *rows,
                *([f"\n… {count(more, 'more target')} in `index.html`."] if more > 0 else []),
            ]
        )
        + "\n"
    )


def _mark(outcome: str) -> str:
    return "💥" if outcome == "error" else MARK[Verdict(outcome)]


def _told(one: TargetResult) -> str:
    return plain(sentence(one.reason)) + "".join(f" ({plain(flag)})" for flag in one.flags)
