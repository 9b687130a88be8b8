"""Render the comparison of two runs as terminal lines, Markdown, and an HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Final

from conformance.history.comparison import ComparedClause, Comparison, ComparisonOutcome, Kind, diff_of
from conformance.judge.report import PastRun, Status, Verdict
from conformance.render import changes
from conformance.render.changes import failure
from conformance.render.markdown import ROWS, code, plain
from conformance.render.terminal import Line, Style
from conformance.render.words import STATUS, VERDICT, by_subject, dialect, instant, rule, sentence
from conformance.text.safe import line

_SIDE_KIND: Final[Mapping[str, str]] = {
    "opposed": "Passed on one side, failed on the other",
    "otherwise": "Failed on both, in different ways",
    "alone": "Failed on one, not checked on the other",
    "error": "The suite itself failed",
    "weighed": "Broken on both in the same way, with a different status",
    "unseen": "Passed on one, not checked on the other",
    "unasked": "Not applicable under one of the dialects",
    "unknown": "In one report only",
    "same": "Alike",
}
_TIME_KIND: Final[Mapping[str, str]] = {**changes.KIND, "same": "Unchanged"}
OUTCOME: Final[dict[ComparisonOutcome, str]] = {
    "different": "Different",
    "same": "Alike",
    "unclear": "Unclear",
    "worse": "Worse",
    "better": "Better",
}
_STYLE: Final[dict[Kind, Style]] = {
    "opposed": "fail",
    "otherwise": "fail",
    "alone": "warn",
    "error": "error",
    "failed": "fail",
    "warned": "warn",
    "changed": "warn",
    "vanished": "not-exercised",
    "fixed": "conformant",
    "exercised": "conformant",
}
_VERDICT: Final[dict[ComparisonOutcome, Verdict]] = {
    "same": Verdict.CONFORMANT,
    "better": Verdict.CONFORMANT,
    "different": Verdict.NON_CONFORMANT,
    "worse": Verdict.NON_CONFORMANT,
    "unclear": Verdict.INCONCLUSIVE,
}
"""The verdict whose icon and colour an outcome has."""


def headline(comparison: Comparison) -> str:
    """Return the outcome of a comparison and its reason in one line."""
    if comparison.over_time:
        return changes.headline(diff_of(comparison))
    return f"{OUTCOME[comparison.outcome]}: {comparison.reason}"


def names(comparison: Comparison) -> tuple[str, str]:
    """Return the names of the two runs: Old and New for two runs of one server, otherwise A and B."""
    return ("Old", "New") if comparison.over_time else ("A", "B")


def kind(comparison: Comparison, row: ComparedClause | Kind) -> str:
    """Return in words how a clause differs between the two runs."""
    found = row.kind if isinstance(row, ComparedClause) else row
    return (_TIME_KIND if comparison.over_time else _SIDE_KIND)[found]


def run_line(run: PastRun) -> str:
    """Describe a run in one line: number, target, dialect, time, verdict."""
    number = f"run {run.number}, " if run.number else ""
    told = f"{VERDICT[run.verdict].lower()}, {run.reason}"
    return f"{number}{target(run)}, {dialect(run)}, {instant(run.start)}: {told}"


def target(run: PastRun) -> str:
    """Return the target of a run: its name, then its URL."""
    url = "the embedded reference endpoint" if run.target.startswith("embedded") else run.target
    return f"{run.name} ({url})" if run.name else url


def status(found: Status | None) -> str:
    """Return the status of a clause in one run, in words; None means that the run did not judge it."""
    return "not judged" if found is None else STATUS[found].lower()


def ways(comparison: Comparison, row: ComparedClause) -> Iterator[str]:
    """Yield, in words, each failure of a clause that is in only one of the two runs."""
    found = [(row.only_b, "now"), (row.only_a, "before")]
    if not comparison.over_time:
        found = [(row.only_a, "A"), (row.only_b, "B")]
    yield from (f"{which} {failure(one)}" for failures, which in found for one in failures)


def groups(rows: Sequence[ComparedClause]) -> list[tuple[Kind, list[ComparedClause]]]:
    """Return rows grouped by kind, the most important kind first."""
    return [(kind, list(group)) for kind, group in groupby(rows, key=lambda row: row.kind)]


def comparison_lines(comparison: Comparison) -> list[Line]:
    """Return a comparison as terminal lines. The outcome is the last line."""
    lines = [Line("warn", line(f"NOTE {note}")) for note in comparison.notes]
    lines += [Line("detail", line(f"{name}  {run_line(run)}")) for name, run in _sides(comparison)]
    for found, rows in groups(comparison.differing):
        lines.append(Line(_STYLE.get(found, "detail"), f"{kind(comparison, found)} ({len(rows)})"))
        for row in rows:
            level = f"{row.level}, core" if row.core else row.level
            told = f"{row.clause} ({rule(level, row.title)}): {_statuses(comparison, row)}"
            way = [f"  {way}" for way in ways(comparison, row)]
            lines += [Line("detail", f"    {line(text)}") for text in (told, *way)]
    return [*lines, Line(_VERDICT[comparison.outcome].value, line(headline(comparison)))]


def comparison_markdown(comparison: Comparison, *, linked: bool = True) -> str:
    """Return ``summary.md`` of a comparison, with all text from servers escaped.

    If ``linked``, the page refers to the reports of both runs in ``a/`` and ``b/``.
    """
    rows = comparison.differing
    a, b = names(comparison)
    table = [f"| Clause | {a} | {b} | Difference |", "|---|---|---|---|"]
    for row in rows[:ROWS]:
        told = "<br>".join([kind(comparison, row), *(plain(way) for way in ways(comparison, row))])
        name = f"{code(row.clause)}<br>{plain(rule(row.level, row.title))}"
        table.append(f"| {name} | {status(row.a)} | {status(row.b)} | {told} |")
    if len(rows) > ROWS:
        table.append(f"\n… {len(rows) - ROWS} more in `index.html`.")
    parts = [
        f"## {plain(headline(comparison))}",
        "\n".join(f"- {name}: {plain(run_line(run))}" for name, run in _sides(comparison)),
        "\n".join(f"> - {plain(sentence(note))}" for note in comparison.notes),
        "\n".join(table) if rows else "",
        "Both runs: `index.html`. Evidence: `a/index.html`, `b/index.html`. For programs: `comparison.json`."
        if linked
        else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def render_comparison(comparison: Comparison, *, linked: bool = True) -> str:
    """Return ``index.html`` of a comparison. ``linked`` adds links to the reports of both runs in ``a/`` and ``b/``."""
    from conformance.render.page import render
    from conformance.version import __version__

    alike = [row for row in comparison.clauses if row.kind == "same"]
    return render(
        "comparison.html",
        _VERDICT[comparison.outcome],
        styles=("style.css", "comparison.css"),
        version=__version__,
        comparison=comparison,
        compared=SimpleNamespace(OUTCOME=OUTCOME, status=status, target=target, headline=headline, kind=kind),
        linked=linked,
        sides=tuple(zip("ab", *zip(*_sides(comparison), strict=True), strict=True)),
        groups=groups(comparison.differing),
        alike=by_subject(alike, lambda row: row.clause),
    )


def _statuses(comparison: Comparison, row: ComparedClause) -> str:
    if not comparison.over_time:
        return f"A {status(row.a)}, B {status(row.b)}"
    return "not in the older run" if row.a is None else f"before: {status(row.a)}"


def _sides(comparison: Comparison) -> tuple[tuple[str, PastRun], tuple[str, PastRun]]:
    a, b = names(comparison)
    return (a, comparison.a), (b, comparison.b)
