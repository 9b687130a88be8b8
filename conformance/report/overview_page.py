"""The overview of a run of many targets as a page, as Markdown and for programs; and writing them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from conformance.report.markdown import MARK, ROWS, code, plain
from conformance.report.model import Verdict
from conformance.report.overview import Overview, TargetResult, encode, headline, worst_first
from conformance.report.words import count, sentence
from conformance.report.write import write_whole

_NAMED: Final = 3
"""Clauses that a row names; the report of the target has all."""


def write_overview(whole: Overview, directory: Path) -> None:
    """Write ``overview.json`` and ``summary.md`` whole. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    contents = {"overview.json": encode(whole), "summary.md": render_markdown(whole).encode()}
    write_whole({directory / name: content for name, content in contents.items()})


def render_markdown(whole: Overview) -> str:
    """Return ``summary.md``: the targets that are not well first."""
    rows = [
        f"| {_mark(one.outcome)} {plain(one.outcome)} | {_linked(one)} | {code(one.target)} | {_told(one)} |"
        for one in worst_first(whole)[:ROWS]
    ]
    more = len(whole.targets) - ROWS
    return "\n".join([
        f"## {_mark(whole.outcome)} {plain(headline(whole))}", "",
        "| Outcome | Target | URL | Why |", "|---|---|---|---|", *rows,
        *([f"\n… {count(more, 'more target')} in `index.html`."] if more > 0 else []),
    ]) + "\n"  # fmt: skip


def _mark(outcome: str) -> str:
    return "💥" if outcome == "error" else MARK[Verdict(outcome)]


def _linked(one: TargetResult) -> str:
    return f"**{plain(one.name)}**"


def _told(one: TargetResult) -> str:
    flags = "".join(f" ({plain(flag)})" for flag in one.flags)
    broken = ", ".join(code(clause.id) for clause in one.broken[:_NAMED])
    rest = f" and {len(one.broken) - _NAMED} more" if len(one.broken) > _NAMED else ""
    return f"{plain(sentence(one.reason))}{flags}{f'<br>{broken}{rest}' if broken else ''}"
