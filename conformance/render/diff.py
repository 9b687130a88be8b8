"""A diff as lines for a terminal, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.judge.report import Change, ChangeKind, Diff
from conformance.render.changes import KIND, failure, groups, headline, run_line, was
from conformance.render.markdown import code, plain
from conformance.render.terminal import OUTCOME_STYLE, Line, Style
from conformance.render.words import sentence
from conformance.text.safe import line

_STYLE: Final[dict[ChangeKind, Style]] = {
    "failed": "fail",
    "warned": "warn",
    "changed": "warn",
    "error": "error",
    "vanished": "not-exercised",
    "fixed": "conformant",
    "exercised": "conformant",
}


def diff_lines(diff: Diff) -> list[Line]:
    """Return a diff as lines for a terminal: first what else differs, at the end whether something got worse."""
    lines = [Line("warn", line(f"NOTE {note}")) for note in diff.notes]
    lines += [
        Line("detail", line(f"{which}  {run_line(run)}")) for which, run in (("old", diff.old), ("new", diff.new))
    ]
    for kind, group in groups(diff):
        lines.append(Line(_STYLE.get(kind, "detail"), f"{KIND[kind]} ({len(group)})"))
        lines += [Line("detail", f"    {line(text)}") for change in group for text in _told(change)]
    return [*lines, Line(OUTCOME_STYLE[diff.outcome], line(headline(diff)))]


def _told(change: Change) -> Iterator[str]:
    core = ", core" if change.core else ""
    yield f"{change.clause}: {change.title} ({change.level}{core}; {was(change)})"
    yield from (f"  {text}" for text in _failures(change))


def _failures(change: Change) -> Iterator[str]:
    """Say how a clause is broken now, or was broken before."""
    yield from (f"now {failure(one)}" for one in change.appeared)
    yield from (f"before {failure(one)}" for one in change.gone)


def diff_markdown(diff: Diff) -> str:
    """Return a diff as Markdown: nothing that a server sent is markup in it."""
    parts = [
        f"## {plain(headline(diff))}",
        "\n".join(f"> - {plain(sentence(note))}" for note in diff.notes),
        "\n".join(f"- {which}: {plain(run_line(run))}" for which, run in (("Old", diff.old), ("New", diff.new))),
        *(_group(kind, changes) for kind, changes in groups(diff)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _group(kind: ChangeKind, changes: list[Change]) -> str:
    items = []
    for change in changes:
        items.append(f"- {code(change.clause)}: {plain(change.title)} ({change.level}; {was(change)})")
        items += [f"  - {plain(text)}" for text in _failures(change)]
    return f"### {KIND[kind]} ({len(changes)})\n\n" + "\n".join(items)
