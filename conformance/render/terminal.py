"""Render the summary of a run for a terminal: verdict, first finding, other findings, counts."""

from __future__ import annotations

from collections.abc import Container
from typing import Final, Literal, NamedTuple

from conformance.judge.report import ClauseResult, GeneratedFamily, OverTimeOutcome, Report, Status
from conformance.render.advice import next_steps
from conformance.render.changes import headline, since
from conformance.render.findings import Card, cards
from conformance.render.qualifiers import register_problems, verdict_line
from conformance.render.words import (
    STATUS,
    broken_in,
    checked,
    dialect_line,
    dialect_reason,
    generated,
    in_counts,
    judged_again,
    more_like_this,
    not_checked,
    place,
    profile_lines,
    rule,
    sentence,
    servers,
    status_counts,
    times,
    waived,
)
from conformance.text.plural import count
from conformance.text.safe import line

Style = Literal[
    "fail",
    "error",
    "warn",
    "waived",
    "not-exercised",
    "detail",
    "counts",
    "conformant",
    "non-conformant",
    "inconclusive",
]

COLOUR: Final[dict[Style, str]] = {
    "fail": "red",
    "error": "magenta",
    "warn": "yellow",
    "waived": "blue",
    "not-exercised": "cyan",
    "conformant": "green",
    "non-conformant": "red",
    "inconclusive": "yellow",
}
"""The colour of each style. Other styles have none."""

OUTCOME_STYLE: Final[dict[OverTimeOutcome, Style]] = {
    "worse": "non-conformant",
    "better": "conformant",
    "same": "counts",
    "unclear": "inconclusive",
}
"""The style of a change since an earlier run."""

SEEN: Final = (Status.FAIL, Status.ERROR, Status.WARN, Status.WAIVED, Status.PASS)
"""The statuses that the line of counts shows. Another line reports what was not checked."""

FINDINGS_SHOWN: Final = 3
OTHERS_SHOWN: Final = 10


class Line(NamedTuple):
    """One line for a terminal, without a line end. ``style`` decides its colour, if ``COLOUR`` has one for it."""

    style: Style
    text: str


def summary_lines(report: Report, *, already_shown: Container[str] = ()) -> list[Line]:
    """Return the summary of a run: the verdict, the first finding, the other findings, and what was checked.

    Findings of the clauses in ``already_shown`` (ids) are left out, because the reader has already seen them.
    """
    lines = [Line(report.verdict.value, line(verdict_line(report)))]
    found = [card for card in cards(report) if card.result.id not in already_shown]
    lines += _first(found[0]) if found else []
    lines += [_headline(card) for card in found[1 : OTHERS_SHOWN + 1]]
    if len(found) > OTHERS_SHOWN + 1:
        lines.append(Line("detail", f"… {len(found) - OTHERS_SHOWN - 1} more findings in the report"))
    for result in waived(report):
        lines.append(Line("waived", line(_head(result))))
        lines.append(_detail(result.waiver or result.reason))
    lines += [Line("fail", line(f"DEVIATION {clause}: {what}")) for clause, what in register_problems(report)]
    lines += [Line("detail", line(f"Next: {step}")) for step in next_steps(report)]
    return [*lines, *_about_the_run(report), *_count_lines(report)]


def _first(card: Card) -> list[Line]:
    """Return the most urgent finding in full, and the command that explains its clause."""
    pairs = [
        ("Where", card.where),
        ("Expected", card.evidence.expected if card.evidence else ""),
        ("Got", card.evidence.got if card.evidence else card.message),
        ("Likely cause", card.cause),
        ("What to do", card.remedy),
        ("Also broken", ", ".join(other.result.id for other in card.also)),
    ]
    lines = [_headline(card), *(_detail(f"{name:<13} {value}") for name, value in pairs if value)]
    if card.result.smallest is not None:
        lines.append(_detail(f"smallest request that shows it ({times(card.result.smallest)}):"))
        lines += [_detail(f"  {command}") for command in card.curl]
    return [*lines, _detail(f"Run `comfy-conformance clauses {card.result.id}` for more.")]


def _headline(card: Card) -> Line:
    counted = ", ".join(filter(None, (broken_in(card.result), card.places)))
    return Line(_style(card.result), line(f"{_name(card.result)}: {card.message}{_in_brackets(counted)}"))


def _about_the_run(report: Report) -> list[Line]:
    lines = [Line("counts", line(f"Server {server}")) for server in servers(report)]
    if report.run.made_from:
        lines.append(Line("detail", line(sentence(judged_again(report)))))
    diff = None if report.history is None else report.history.diff
    if diff is not None:
        lines.append(Line(OUTCOME_STYLE[diff.outcome], line(f"{since(diff)}: {headline(diff)}")))
    if dialect_reason(report.run):
        lines.append(Line("counts", line(f"Dialect {dialect_line(report.run)}")))
    return lines + [Line("counts", line(told)) for told in (generated(report),) if told]


def _count_lines(report: Report) -> list[Line]:
    """Return lines with the number of clauses per status, and for each profile (queue, http, auth, lifecycle)."""
    seen = [(status, number) for status, number in status_counts(report).items() if number and status in SEEN]
    by_status = ", ".join(f"{number} {in_counts(status, number)}" for status, number in seen)
    if not report.counts.exercised and not by_status:
        return [Line("not-exercised", "No clause was checked.")]
    lines = [Line("counts", line(f"{checked(report)}: {by_status}"))]
    lines += [Line("detail", f"    {profile.value:<10} {text}") for profile, text in profile_lines(report)]
    return lines + [Line("not-exercised", told) for told in (not_checked(report),) if told]


def _style(result: ClauseResult) -> Style:
    return "fail" if result.status is Status.FAIL else "warn" if result.status is Status.WARN else "error"


def clause_lines(result: ClauseResult) -> list[Line]:
    """Return lines about a broken clause: its first findings, and how many more there are."""
    lines = [Line(_style(result), line(_head(result)))]
    if not result.evidence:
        lines.append(_detail(result.reason))
    for number, evidence in enumerate(result.evidence[:FINDINGS_SHOWN], 1):
        lines.append(_detail(f"{place(evidence.pointer)} in {evidence.exchange}: {evidence.message}"))
        lines.append(_detail(f"  expected {evidence.expected}; got {evidence.got}"))
        if evidence.more:
            lines.append(_detail(f"  … {more_like_this(evidence)}"))
        following = result.evidence[number].hint if number < min(FINDINGS_SHOWN, len(result.evidence)) else None
        if evidence.hint and evidence.hint != following:
            lines.append(_detail(f"  hint: {evidence.hint}"))
    if result.smallest is not None:
        lines.append(_detail(f"smallest request that shows it ({times(result.smallest)}):"))
        lines += [_detail(f"  {command}") for command in result.smallest.curl]
    if len(result.evidence) > FINDINGS_SHOWN:
        lines.append(_detail(f"… more in the report: {len(result.evidence) - FINDINGS_SHOWN}"))
    return lines


def broken_status(report: Report, clause: str) -> Status:
    """Return the status of a clause that generated requests broke. The id ``""`` means an incomplete response."""
    by_id = {result.id: result.status for result in report.clauses}
    return by_id.get(clause, Status.NOT_EXERCISED)


def property_lines(report: Report, family: GeneratedFamily) -> list[Line]:
    """Return lines about the clauses that a family of generated requests broke, each with the smallest such request."""
    sent = f"{count(family.sent, 'request')}, seed {report.run.seed}"
    lines = []
    for broken in sorted(family.broken, key=lambda each: broken_status(report, each.clause) is not Status.FAIL):
        status = broken_status(report, broken.clause)
        style: Style = "fail" if status is Status.FAIL else "warn"
        name = f"{STATUS[status].upper()} {broken.clause}" if broken.clause else "incomplete response"
        lines.append(Line(style, line(f"{name}: {broken.times} of {sent}")))
        lines.append(_detail(f"smallest request that shows it ({times(broken.smallest)}):"))
        lines += [_detail(f"  {command}") for command in broken.smallest.curl]
    return lines or [Line("counts", line(f"{sent}, no clause broken"))]


def _name(result: ClauseResult) -> str:
    return f"{STATUS[result.status].upper()} {result.id}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _head(result: ClauseResult) -> str:
    return f"{_name(result)} ({rule(result.level, result.title)}){_in_brackets(broken_in(result))}"


def _detail(text: str) -> Line:
    """Indent a line. Some CI systems read ``::`` at the start of a line as a command, so it is escaped there."""
    safe = line(text)
    return Line("detail", "    " + (safe.replace("::", ":\\u003a", 1) if safe.lstrip().startswith("::") else safe))
