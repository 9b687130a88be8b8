"""The overview of a run of many targets as a page, as Markdown and for programs; and writing them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from conformance.report.markdown import MARK, ROWS, code, plain
from conformance.report.model import Verdict
from conformance.report.overview import Outcome, Overview, TargetResult, encode, headline, worst_first
from conformance.report.page import render
from conformance.report.words import VERDICT, count, sentence
from conformance.report.write import write_whole

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
        "overview.html", icon, styles=("style.css", "site/site.css"), whole=whole, targets=worst_first(whole),
        headline=headline(whole), named=_NAMED, OUTCOME=OUTCOME, version=whole.suite_version,
    )  # fmt: skip


def render_markdown(whole: Overview) -> str:
    """Return ``summary.md``: the targets that are not well first."""
    rows = [
        f"| {_mark(one.outcome)} {plain(one.outcome)} | **{plain(one.name)}** | {code(one.target)} | {_told(one)} |"
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


def _told(one: TargetResult) -> str:
    return plain(sentence(one.reason)) + "".join(f" ({plain(flag)})" for flag in one.flags)
