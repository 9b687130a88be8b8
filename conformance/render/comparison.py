"""Two endpoints side by side: as lines for a terminal, as Markdown, and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from conformance.history.comparison import Comparison, Kind, Outcome, Row, Side
from conformance.judge.report import Status, Verdict
from conformance.render.changes import failure
from conformance.render.markdown import ROWS, code, plain
from conformance.render.terminal import Line, Style
from conformance.render.words import STATUS, VERDICT, by_subject, dialect, instant, is_embedded, sentence
from conformance.text.safe import line

KIND: Final[dict[Kind, str]] = {
    "opposed": "Kept by one and broken by the other",
    "otherwise": "Broken by both, in other ways",
    "alone": "Broken by one, not exercised on the other",
    "error": "The suite itself failed",
    "weighed": "Broken by both alike, and weighed differently",
    "unseen": "Kept by one, not exercised on the other",
    "unasked": "Not asked under one of the dialects",
    "unknown": "In one report alone",
    "same": "Alike",
}
OUTCOME: Final[dict[Outcome, str]] = {"different": "Different", "same": "Alike", "unclear": "Unclear"}
_STYLE: Final[dict[Kind, Style]] = {"opposed": "fail", "otherwise": "fail", "alone": "warn", "error": "error"}
_OUTCOME_STYLE: Final[dict[Outcome, Style]] = {
    "different": "non-conformant",
    "same": "conformant",
    "unclear": "inconclusive",
}


def headline(comparison: Comparison) -> str:
    """Return the outcome and what it rests on, in a line."""
    return f"{OUTCOME[comparison.outcome]}: {comparison.reason}"


def side_line(side: Side) -> str:
    """Return one side in a line: target, dialect, time, verdict."""
    told = f"{VERDICT[side.verdict].lower()}, {side.verdict_reason}"
    return f"{target(side)}, {dialect(side.run)}, {instant(side.run.start)}: {told}"


def target(side: Side) -> str:
    """Return what was asked."""
    return "the embedded reference endpoint" if is_embedded(side.run) else side.run.target


def status(found: Status | None) -> str:
    """Return the status of a clause on one side."""
    return "not judged" if found is None else STATUS[found].lower()


def ways(row: Row) -> Iterator[str]:
    """Yield the breaches that one side alone shows."""
    yield from (f"A {failure(one)}" for one in row.only_a)
    yield from (f"B {failure(one)}" for one in row.only_b)


def groups(rows: Sequence[Row]) -> list[tuple[Kind, list[Row]]]:
    """Return rows by kind, what matters first."""
    return [(kind, list(group)) for kind, group in groupby(rows, key=lambda row: row.kind)]


def comparison_lines(comparison: Comparison) -> list[Line]:
    """Return what differs as lines for a terminal; the outcome is the last one."""
    lines = [Line("detail", line(f"{name}  {side_line(side)}")) for name, side in _sides(comparison)]
    lines += [Line("warn", line(f"NOTE {note}")) for note in comparison.notes]
    for kind, rows in groups(comparison.differing):
        lines.append(Line(_STYLE.get(kind, "detail"), f"{KIND[kind]} ({len(rows)})"))
        for row in rows:
            core = ", core" if row.core else ""
            told = f"{row.clause}: {row.title} ({row.level}{core}; A {status(row.a)}, B {status(row.b)})"
            lines += [Line("detail", f"    {line(text)}") for text in (told, *(f"  {way}" for way in ways(row)))]
    return [*lines, Line(_OUTCOME_STYLE[comparison.outcome], line(headline(comparison)))]


def comparison_markdown(comparison: Comparison) -> str:
    """Return ``summary.md``: nothing that a server sent is markup in it."""
    rows = comparison.differing
    table = ["| Clause | A | B | Difference |", "|---|---|---|---|"]
    for row in rows[:ROWS]:
        told = "<br>".join([KIND[row.kind], *(plain(way) for way in ways(row))])
        name = f"{code(row.clause)}<br>{plain(row.title)} ({row.level})"
        table.append(f"| {name} | {status(row.a)} | {status(row.b)} | {told} |")
    if len(rows) > ROWS:
        table.append(f"\n… {len(rows) - ROWS} more in `index.html`.")
    parts = [
        f"## {plain(headline(comparison))}",
        "\n".join(f"- {name}: {plain(side_line(side))}" for name, side in _sides(comparison)),
        "\n".join(f"> - {plain(sentence(note))}" for note in comparison.notes),
        "\n".join(table) if rows else "",
        "Side by side: `index.html`. Evidence: `a/index.html`, `b/index.html`. For programs: `comparison.json`.",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def render_comparison(comparison: Comparison) -> str:
    """Return ``index.html``, which links to the report of each side in ``a/`` and ``b/``."""
    from conformance.render.page import render
    from conformance.version import __version__

    icon = {"same": Verdict.CONFORMANT, "different": Verdict.NON_CONFORMANT, "unclear": Verdict.INCONCLUSIVE}
    alike = [row for row in comparison.clauses if row.kind == "same"]
    return render(
        "comparison.html",
        icon[comparison.outcome],
        styles=("style.css", "comparison.css"),
        version=__version__,
        comparison=comparison,
        compared=_Words,
        sides=_sides(comparison),
        groups=groups(comparison.differing),
        alike=by_subject([_Named(row) for row in alike]),
    )


class _Named:
    """A row with the id that it is grouped by."""

    def __init__(self, row: Row) -> None:
        self.id, self.row = row.clause, row


class _Words:
    """What the template says in the words of the other renderings."""

    KIND, OUTCOME = KIND, OUTCOME
    status, target, headline = staticmethod(status), staticmethod(target), staticmethod(headline)


def _sides(comparison: Comparison) -> tuple[tuple[str, Side], tuple[str, Side]]:
    return ("A", comparison.a), ("B", comparison.b)
