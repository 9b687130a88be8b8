"""The overview of many targets: its phrases, its page and its Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Final

from conformance.history.overview import BrokenClause, Outcome, Overview, TargetResult, Trouble, encode, worst_first
from conformance.judge.fingerprint import fingerprints
from conformance.judge.report import Report, Status, Verdict
from conformance.render.changes import headline as changes_headline
from conformance.render.changes import since
from conformance.render.markdown import MARK, ROWS, code, plain
from conformance.render.page import render
from conformance.render.words import VERDICT, breached, flags, sentence
from conformance.text.files import write_whole
from conformance.text.plural import count

_IN_A_LIST: Final = re.compile("^/queue_(?:running|pending)(?=/)")
"""What runs tonight may have been pending yesterday: in which list a failure shows makes no other trouble of it."""


def result(name: str, report: Report, status: int) -> TargetResult:
    """Return what a report comes to; ``status`` is the exit status of its run."""
    run = report.run
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
    for one in breached(report):
        if one.status in failing:
            marks = repr(sorted({(_IN_A_LIST.sub("/*", mark.place or ""), mark.kind) for mark in fingerprints(one)}))
            told = one.evidence[0].message if one.evidence else one.reason
            yield Trouble(
                key=f"{one.id} {sha256(marks.encode()).hexdigest()[:8]}", clause=one.id, told=told, whose="server"
            )
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
