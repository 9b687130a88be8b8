"""Markdown (GitHub-flavoured) for the summary of a CI step: verdict, counts, what was broken, what was not seen."""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final

from conformance.judge.report import ClauseResult, Report, Verdict
from conformance.render.changes import headline, since
from conformance.render.words import (
    STATUS,
    VERDICT,
    breached,
    broken_in,
    core_not_exercised,
    exercised,
    flags,
    judged_again,
    more_like_this,
    next_steps,
    place,
    problems,
    reading,
    sentence,
    status_counts,
    times,
    waived,
)
from conformance.text.safe import line

MARK: Final = {Verdict.CONFORMANT: "✅", Verdict.NON_CONFORMANT: "❌", Verdict.INCONCLUSIVE: "❔"}
ROWS: Final = 50
"""A step summary is cut, or refused whole, where it is too long. The report has the rest."""
CELL: Final = 300


def render_markdown(report: Report) -> str:
    """Return ``summary.md``. Nothing in it that a server sent is markup, a mention, a link or a command."""
    run = report.run
    parts = [
        f"## {MARK[report.verdict]} {VERDICT[report.verdict]}" + "".join(f" ({plain(flag)})" for flag in flags(report)),
        f"**{plain(sentence(report.verdict_reason))}**",
        (
            f"`GET /api/queue` of {code(run.target)}, dialect {code(reading(run))}, "
            f"{code(run.start)}, suite {code(run.suite_version)}"
        ),
        plain(sentence(judged_again(report))) if run.made_from else "",
        "\n".join(f"- {plain(step)}" for step in next_steps(report)),
        _counts(report),
        _since(report),
        _broken(breached(report)),
        _unseen(core_not_exercised(report)),
        _known(report),
        (
            "Evidence, the requests as `curl` lines and every clause: `index.html`. "
            "For programs: `compliance.json`, `junit.xml`."
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _counts(report: Report) -> str:
    shown = {STATUS[status]: number for status, number in status_counts(report).items() if number}
    if not shown:
        return f"{exercised(report).capitalize()}."
    rows = [list(shown), ["---:"] * len(shown), [f"{number:,}" for number in shown.values()]]
    return f"{exercised(report).capitalize()}:\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _since(report: Report) -> str:
    diff = None if report.history is None else report.history.diff
    return "" if diff is None else f"{plain(since(diff))}: **{plain(headline(diff))}**"


def _broken(results: list[ClauseResult]) -> str:
    if not results:
        return ""
    rows = ["| Status | Clause | First finding | Where |", "|---|---|---|---|"]
    for result in results[:ROWS]:
        first = result.evidence[0] if result.evidence else None
        told = (
            [code(first.message), f"expected {plain(first.expected)}", f"got {code(first.got)}"]
            if first
            else [code(result.reason)]
        )
        if first and first.hint:
            told.append(plain(first.hint))
        where = [code(place(first.pointer)), f"in {code(first.exchange)}"] if first else []
        if first and first.more:
            where.append(code(more_like_this(first)))
        where.append(plain(broken_in(result)))
        if result.smallest:
            told.append(f"smallest request that shows it ({plain(times(result.smallest))}):")
            told += [code(command) for command in result.smallest.curl]
        status = f"{STATUS[result.status]} ({result.level})"
        clause = f"{code(result.id)}<br>{plain(result.title)}"
        rows.append(f"| {status} | {clause} | {'<br>'.join(told)} | {'<br>'.join(filter(None, where))} |")
    if len(results) > ROWS:
        rows.append(f"\n… {len(results) - ROWS} more in `index.html`.")
    return "### What needs attention\n\n" + "\n".join(rows)


def _known(report: Report) -> str:
    rows = [f"| does not hold | {code(clause)} | {plain(what)} |" for clause, what in problems(report)]
    rows += [
        f"| {STATUS[result.status]} ({result.level}) | {code(result.id)}<br>{plain(result.title)} "
        f"| {plain(result.waiver or result.reason)}<br>{plain(broken_in(result))} |"
        for result in waived(report)
    ]
    if not rows:
        return ""
    more = f"\n\n… {len(rows) - ROWS} more in `index.html`." if len(rows) > ROWS else ""
    head = ["### Known deviations", "", "| Status | Clause | What is known |", "|---|---|---|"]
    return "\n".join([*head, *rows[:ROWS]]) + more


def _unseen(results: list[ClauseResult]) -> str:
    if not results:
        return ""
    groups = groupby(sorted(results, key=lambda result: result.reason), key=lambda result: result.reason)
    listed = [f"- {', '.join(code(result.id) for result in group)}: {plain(reason)}" for reason, group in groups]
    return "### Core clauses not exercised\n\n" + "\n".join(listed)


def code(text: str) -> str:
    """Return a code span, fit for a table cell, that shows ``text`` and lets none of it act."""
    # A backslash before a pipe is taken away by the table before the span is read: double ones would end the cell.
    shown = _bounded(text).replace("|", "\\|").replace("\\\\|", "\\u005c\\|") or " "
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def plain(text: str) -> str:
    """Return words that are not markup: no HTML, no links, no mentions, no references to issues."""
    escaped = re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", _bounded(text))
    escaped = re.sub(r"^(\s*)(#(?!\d)|[-+](?=\s)|=|\d+[.)])", r"\1\\\2", escaped)
    escaped = escaped.replace("://", ":\\//")
    escaped = re.sub(r"\bwww\.", r"www\.", escaped, flags=re.IGNORECASE)
    return re.sub(r"(?:[@$]|#(?=\d)|(?<=\bGH)-(?=\d))+", r"`\g<0>`", escaped, flags=re.IGNORECASE)


def _bounded(text: str) -> str:
    safe = line(text)
    return safe if len(safe) <= CELL else safe[:CELL] + "…"
