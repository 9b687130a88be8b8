"""The overview of many targets: its phrases, its page and its Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Final

from conformance.history.digest import is_mended
from conformance.history.overview import (
    BrokenClause,
    Outcome,
    Overview,
    TargetResult,
    Trouble,
    encode,
    night_state,
    trouble_key,
    worst_first,
)
from conformance.history.snapshot import waivers_of
from conformance.judge.fingerprint import fingerprints
from conformance.judge.reach import unreached
from conformance.judge.report import Report, Status, Verdict
from conformance.render.changes import headline as changes_headline
from conformance.render.changes import since
from conformance.render.markdown import MARK, ROWS, code, plain
from conformance.render.page import render
from conformance.render.words import VERDICT, breached, flags, sentence
from conformance.text.files import write_whole
from conformance.text.plural import count


def result(name: str, report: Report, status: int) -> TargetResult:
    """Return what a report comes to; ``status`` is the exit status of its run."""
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
        nights=_nights(report),
        changed=_changed(report),
        report=f"{name}/index.html",
        unreached=away,
        unreached_since=outage.since.start if outage else run.start if away else None,
        unreached_nights=outage.runs if outage else 1 if away else 0,
        newly=tuple(change.clause for change in diff.changes if change.kind == "failed") if diff else (),
        mended=tuple(change.clause for change in diff.changes if is_mended(change.before, change.now)) if diff else (),
        notes=diff.notes if diff else (),
        waivers=waivers_of(report),
        strip=tuple(night_state(one) for one in (past.runs if past else ())),
    )


def _nights(report: Report) -> int:
    verdicts = [report.verdict] if report.history is None else [run.verdict for run in report.history.runs]
    return sum(1 for _ in takewhile(lambda verdict: verdict is Verdict.INCONCLUSIVE, reversed(verdicts)))


def _changed(report: Report) -> str | None:
    diff = None if report.history is None else report.history.diff
    if diff is None or Verdict.INCONCLUSIVE in (diff.old.verdict, diff.new.verdict):
        return None
    return "; ".join([f"{since(diff)}: {changes_headline(diff)}", *diff.notes])


def _troubles(report: Report) -> Iterator[Trouble]:
    """Yield what is not well. A failure that shows itself in another way than before is another trouble."""
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
        if problem.problem != "other-fingerprint":  # that one is a failed clause
            entry = f"{re.sub(r'[^a-z0-9.-]', '-', problem.clause)} {problem.problem}"
            yield Trouble(key=entry, clause=problem.clause, told=problem.message, whose="register")


def headline(whole: Overview) -> str:
    """Return the outcome of the whole in a line: how many targets have which outcome, and who is not well."""
    told = []
    for outcome, number in whole.counts.items():
        names = [one.name for one in whole.targets if one.outcome == outcome]
        named = f" ({', '.join(names[:5])}{', …' if number > 5 else ''})" if outcome != "conformant" else ""
        told += [f"{number} {outcome}{named}"] if number else []
    beside = [one.name for one in whole.targets if one.exit == 1 and one.outcome != "non-conformant"]
    failed = f"; failed all the same: {', '.join(beside[:5])}{', …' if len(beside) > 5 else ''}" if beside else ""
    return f"{count(len(whole.targets), 'target')}: {', '.join(told)}{failed}"


OUTCOME: Final[dict[Outcome, str]] = {
    **{verdict.value: name for verdict, name in VERDICT.items()},
    "error": "Not judged",
}
_NAMED: Final = 3
"""Clauses that a row names; the report of the target has all."""


def write_overview(whole: Overview, directory: Path) -> None:
    """Write ``index.html``, ``overview.json`` and ``summary.md`` whole. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "index.html": render_html(whole).encode(),
        "overview.json": encode(whole),
        "summary.md": render_markdown(whole).encode(),
    }
    write_whole({directory / name: content for name, content in contents.items()})


def render_html(whole: Overview) -> str:
    """Return ``index.html``. All that a server sent is text in it."""
    icon = Verdict.INCONCLUSIVE if whole.outcome == "error" else Verdict(whole.outcome)
    return render(
        "overview.html",
        icon,
        styles=("style.css", "site/site.css"),
        whole=whole,
        targets=worst_first(whole),
        headline=headline(whole),
        named=_NAMED,
        OUTCOME=OUTCOME,
        version=whole.suite_version,
    )


def render_markdown(whole: Overview) -> str:
    """Return ``summary.md``: the targets that are not well first."""
    rows = [
        f"| {_mark(one.outcome)} {plain(one.outcome)} | **{plain(one.name)}** | {code(one.target)} | {_told(one)} |"
        for one in worst_first(whole)[:ROWS]
    ]
    more = len(whole.targets) - ROWS
    return (
        "\n".join(
            [
                f"## {_mark(whole.outcome)} {plain(headline(whole))}",
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
