"""GitHub-flavoured Markdown for the summary of a CI step, in the order of the report page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from conformance.judge.report import Report, Verdict
from conformance.render.advice import next_steps
from conformance.render.changes import headline, since
from conformance.render.findings import Card, cards
from conformance.render.qualifiers import flags, register_problems
from conformance.render.words import (
    STATUS,
    VERDICT,
    broken_in,
    checked,
    dialect_line,
    judged_again,
    not_checked,
    profile_lines,
    rule,
    sentence,
    servers,
    times,
    waived,
)
from conformance.text.plural import count
from conformance.text.safe import line

MARK: Final = {Verdict.CONFORMANT: "✅", Verdict.NON_CONFORMANT: "❌", Verdict.INCONCLUSIVE: "❔"}
ROWS: Final = 50
"""The maximum number of rows: GitHub refuses long step summaries. The HTML report has all rows."""
CELL: Final = 300
COMMAND: Final = 2000
"""The maximum number of characters of a shown command. Most commands would not fit into the limit for table cells."""


def render_markdown(report: Report) -> str:
    """Return ``summary.md``. Text from the server never acts as markup, a mention, a link or a command."""
    run, found = report.run, cards(report)
    parts = [
        f"## {MARK[report.verdict]} {VERDICT[report.verdict]}" + "".join(f" ({plain(flag)})" for flag in flags(report)),
        f"**{plain(sentence(report.verdict_reason))}**",
        _first(found[0]) if found else "",
        _others(found[1:]),
        "\n".join(f"- {plain(step)}" for step in next_steps(report)),
        _known(report),
        _since(report),
        _counts(report),
        "\n".join(f"- {plain(server)}" for server in servers(report)),
        "\n".join(f"- Not read: {plain(part)}" for part in run.unread),
        plain(sentence(judged_again(report))) if run.made_from else "",
        (
            f"`GET /api/queue` of {code(run.target)}, dialect {code(dialect_line(run))}, "
            f"{code(run.start)}, suite {code(run.suite_version)}"
        ),
        (
            "Evidence, `curl` lines for all findings and every clause: `index.html`. "
            "For programs: `compliance.json`, `junit.xml`."
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _first(card: Card) -> str:
    """Return the most urgent finding in full."""
    rows = [
        ("Where", code(card.where)),
        ("Expected", plain(card.evidence.expected) if card.evidence else ""),
        ("Got", code(card.evidence.got) if card.evidence else ""),
        ("Likely cause", plain(card.cause)),
        ("What to do", plain(card.remedy)),
        ("Also broken", ", ".join(code(other.result.id) for other in card.also)),
        ("Smallest request that shows it", plain(times(card.result.smallest)) if card.result.smallest else ""),
        ("Show it again", "<br>".join(code(command, bound=COMMAND) for command in card.curl)),
    ]
    told = ", ".join(filter(None, (broken_in(card.result), card.places)))
    head = f"### {STATUS[card.result.status]}: {code(card.result.id)}"
    table = "\n".join(f"| {name} | {text} |" for name, text in rows if text)
    return f"{head}\n\n{code(card.message)} {plain(told)}\n\n| | |\n|---|---|\n{table}"


def _others(found: Sequence[Card]) -> str:
    """Return all cards but the first as a table, one row for each."""
    if not found:
        return ""
    rows = [
        f"### {count(len(found), 'more finding')}",
        "",
        "| Status | Clause | Finding | Where |",
        "|---|---|---|---|",
    ]
    for card in found[:ROWS]:
        told = [code(card.message)]
        if card.evidence is not None:
            told += [f"expected {plain(card.evidence.expected)}", f"got {code(card.evidence.got)}"]
        if card.result.smallest is not None:
            told.append(f"smallest request that shows it ({plain(times(card.result.smallest))}):")
            told += [code(command) for command in card.curl]
        where = [code(card.where), plain(card.places), plain(broken_in(card.result))]
        status = f"{STATUS[card.result.status]} ({card.result.level})"
        clause = code(card.result.id)
        rows.append(f"| {status} | {clause} | {'<br>'.join(told)} | {'<br>'.join(filter(None, where))} |")
    if len(found) > ROWS:
        rows.append(f"\n… {len(found) - ROWS} more in `index.html`.")
    return "\n".join(rows)


def _counts(report: Report) -> str:
    lines = [f"{checked(report)}."]
    if report.counts.exercised:
        rows = [f"| {profile.value} | {plain(text)} |" for profile, text in profile_lines(report)]
        lines += ["", "| Profile | Checked |", "|---|---|", *rows]
    return "\n".join([*lines, "", not_checked(report)])


def _since(report: Report) -> str:
    diff = None if report.history is None else report.history.diff
    return "" if diff is None else f"{plain(since(diff))}: **{plain(headline(diff))}**"


def _known(report: Report) -> str:
    rows = [f"| Register | {code(clause)} | {plain(what)} |" for clause, what in register_problems(report)]
    rows += [
        f"| {STATUS[result.status]} | {code(result.id)}<br>{plain(rule(result.level, result.title))} "
        f"| {plain(result.waiver or result.reason)}<br>{plain(broken_in(result))} |"
        for result in waived(report)
    ]
    if not rows:
        return ""
    more = f"\n\n… {len(rows) - ROWS} more in `index.html`." if len(rows) > ROWS else ""
    head = [
        "### Known deviations",
        "",
        "| Status | Clause | Waiver or reason, and where it is broken |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows[:ROWS]]) + more


def code(text: str, bound: int = CELL) -> str:
    """Return text as a Markdown code span for a table cell. Nothing in ``text`` acts as markup."""
    # The table removes a backslash before a pipe before the span is parsed, so double ones would end the cell.
    shown = _bounded(text, bound).replace("|", "\\|").replace("\\\\|", "\\u005c\\|") or " "
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def plain(text: str) -> str:
    """Escape text for Markdown: no HTML, links, mentions or issue references."""
    escaped = re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", _bounded(text))
    escaped = re.sub(r"^(\s*)(#(?!\d)|[-+](?=\s)|=|\d+[.)])", r"\1\\\2", escaped)
    escaped = escaped.replace("://", ":\\//")
    escaped = re.sub(r"\bwww\.", r"www\.", escaped, flags=re.IGNORECASE)
    return re.sub(r"(?:[@$]|#(?=\d)|(?<=\bGH)-(?=\d))+", r"`\g<0>`", escaped, flags=re.IGNORECASE)


def _bounded(text: str, bound: int = CELL) -> str:
    safe = line(text)
    return safe if len(safe) <= bound else safe[:bound] + "…"
