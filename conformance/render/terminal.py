"""The end of a run as lines for a terminal: what was broken, what was not seen, the counts, the verdict."""

from __future__ import annotations

from collections.abc import Container
from typing import Final, Literal, NamedTuple

from conformance.judge.report import ClauseResult, GeneratedFamily, Outcome, Report, Status
from conformance.render.changes import headline, since
from conformance.render.words import (
    STATUS,
    because,
    breached,
    broken_in,
    core_not_exercised,
    exercised,
    generated,
    in_counts,
    judged_again,
    more_like_this,
    place,
    problems,
    reading,
    sentence,
    servers,
    status_counts,
    times,
    verdict_line,
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

COLOUR: Final[dict[str, str]] = {
    "fail": "red",
    "error": "magenta",
    "warn": "yellow",
    "waived": "blue",
    "not-exercised": "cyan",
    "conformant": "green",
    "non-conformant": "red",
    "inconclusive": "yellow",
}
"""By style, for whoever can show colour; styles that are not named here have none."""

OUTCOME_STYLE: Final[dict[Outcome, Style]] = {
    "worse": "non-conformant",
    "better": "conformant",
    "same": "counts",
    "unclear": "inconclusive",
}
"""What became of an endpoint since an earlier run."""

FINDINGS_SHOWN: Final = 3
CORE_SHOWN: Final = 12


class Line(NamedTuple):
    """One line, printable, without a line end; ``style`` is a key of ``COLOUR`` or plain."""

    style: Style
    text: str


def summary_lines(report: Report, *, told: Container[Status] = ()) -> list[Line]:
    """Return the summary of a run; the verdict is its last line.

    Broken clauses with a status in ``told`` are left out: the reader has seen them elsewhere.
    """
    lines: list[Line] = []
    for result in breached(report):
        if result.status not in told:
            lines += clause_lines(result)
    unseen = core_not_exercised(report)
    if unseen and report.counts.exercised:  # where nothing was seen the verdict says why
        lines.append(Line("not-exercised", "Core clauses not exercised: nothing came up that they speak of"))
        lines += [_detail(f"{result.id}  {result.reason}") for result in unseen[:CORE_SHOWN]]
        if len(unseen) > CORE_SHOWN:
            lines.append(_detail(f"… {len(unseen) - CORE_SHOWN} more"))
    for result in waived(report):
        lines.append(Line("waived", line(_head(result))))
        lines.append(_detail(result.waiver or result.reason))
    lines += [Line("fail", line(f"DEVIATION {clause}: {what}")) for clause, what in problems(report)]
    if report.run.made_from:
        lines.append(Line("detail", line(sentence(judged_again(report)))))
    diff = None if report.history is None else report.history.diff
    if diff is not None:
        lines.append(Line(OUTCOME_STYLE[diff.outcome], line(f"{since(diff)}: {headline(diff)}")))
    by_status = ", ".join(
        f"{number} {in_counts(status, number)}" for status, number in status_counts(report).items() if number
    )
    lines += [Line("counts", line(f"Server {server}")) for server in servers(report)]
    if because(report.run):
        lines.append(Line("counts", line(f"Dialect {reading(report.run)}")))
    lines += [Line("counts", line(told)) for told in (generated(report),) if told]
    lines.append(Line("counts", line(f"{exercised(report).capitalize()}: {by_status or 'none'}")))
    lines.append(Line(report.verdict.value, line(verdict_line(report))))
    return lines


def clause_lines(result: ClauseResult) -> list[Line]:
    """Return what is to be said of one broken clause: its first findings, and how many there are."""
    style: Style = "fail" if result.status == "fail" else "warn" if result.status == "warn" else "error"
    lines = [Line(style, line(_head(result)))]
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
    """Return what it means for a run that generated requests break a clause, or bring no whole response ("")."""
    by_id = {result.id: result.status for result in report.clauses}
    return by_id.get(clause, Status.NOT_EXERCISED)


def property_lines(report: Report, family: GeneratedFamily) -> list[Line]:
    """Return what a family of generated requests came to: each clause that it broke, with the smallest request."""
    sent = f"{count(family.sent, 'request')}, seed {report.run.seed}"
    lines = []
    for broken in family.broken:
        status = broken_status(report, broken.clause)
        style: Style = "fail" if status is Status.FAIL else "warn"
        name = f"{STATUS[status].upper()} {broken.clause}" if broken.clause else "no whole response"
        lines.append(Line(style, line(f"{name}: {broken.times} of {sent}")))
        lines.append(_detail(f"smallest request that shows it ({times(broken.smallest)}):"))
        lines += [_detail(f"  {command}") for command in broken.smallest.curl]
    return lines or [Line("counts", line(f"{sent}, kept every clause"))]


def _head(result: ClauseResult) -> str:
    told = broken_in(result)
    return f"{STATUS[result.status].upper()} {result.id}: {result.title}" + (f" ({told})" if told else "")


def _detail(text: str) -> Line:
    """Indent a detail. A colon pair at the start of a line is a command to some CI systems, even after spaces."""
    safe = line(text)
    return Line("detail", "    " + (safe.replace("::", ":\\u003a", 1) if safe.lstrip().startswith("::") else safe))
