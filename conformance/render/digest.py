"""Render the digest of many targets: terminal lines, Markdown, and a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from conformance.history.digest import Alike, AwayTarget, ChangedTarget, Digest, GroupKind
from conformance.history.overview import Outcome, TargetResult
from conformance.judge.report import Verdict
from conformance.render.markdown import ROWS, code, plain
from conformance.render.nights import strip
from conformance.render.words import sentence
from conformance.text.plural import count
from conformance.text.safe import line

NAMES: Final = 5
"""The number of targets that a terminal line names."""
GROUPS: Final = 8
TROUBLES: Final = 2
"""Groups, and problems per group, on a terminal. With the rest they fit in 40 lines. The report has all."""
NOTES: Final = 2
KIND: Final[dict[GroupKind, str]] = {
    "broken": "broken",
    "error": "not checked, because the run failed",
    "inconclusive": "inconclusive",
    "not-reached": "not reached",
}
OUTCOME: Final[dict[GroupKind, Outcome]] = {
    "broken": "non-conformant",
    "error": "error",
    "inconclusive": "inconclusive",
    "not-reached": "inconclusive",
}


def five(digest: Digest) -> tuple[tuple[str, list[str]], ...]:
    """Return the five lists that start every digest. Each has its items in words."""
    return (
        ("Broken now", list(digest.broken)),
        ("Newly broken", [changed(one) for one in digest.newly]),
        ("Fixed", [changed(one) for one in digest.mended]),
        ("Not reached", [away(one) for one in digest.unreached]),
        (
            "Waivers that expire within 14 days",
            [f"{one.clause} until {one.expires} ({some(one.names)})" for one in digest.waivers],
        ),
    )


def changed(one: ChangedTarget) -> str:
    """Return a target with what broke or was fixed in it."""
    told = one.clauses[0] if len(one.clauses) == 1 else count(len(one.clauses), "clause")
    return f"{one.name} ({told})"


def away(one: AwayTarget) -> str:
    """Return a target that is not reached, and since when."""
    since = f" since {one.since[:10]}" if one.since else ""
    return f"{one.name}{since} ({count(one.nights, 'night')})"


def some(names: Sequence[str], most: int = NAMES) -> str:
    """Return the first names and the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def heading(digest: Digest) -> str:
    """Return the period of the digest and the number of targets."""
    days = f"Night of {digest.end[:10]}"
    if digest.start[:10] != digest.end[:10]:
        days = f"{digest.start[:10]} to {digest.end[:10]}"
    return f"{days}: {count(digest.targets, 'target')}, {len(digest.rest):,} without a problem"


def group_heading(group: Alike) -> str:
    """Return how many targets fail in the same way, and since when."""
    since = f", since {group.since[:10]}" if group.since else ""
    alike = " alike" if len(group.names) > 1 else ""
    return f"{count(len(group.names), 'target')} {KIND[group.kind]}{alike}{since}"


def explanations(group: Alike) -> list[tuple[str, str]]:
    """Return the clause and the explanation of each problem, or one reason without a clause."""
    return [(trouble.clause, trouble.told) for trouble in group.troubles] or [("", group.reason)]


# --- terminal -------------------------------------------------------------------------------------


def digest_lines(digest: Digest) -> Iterator[str]:
    """Yield the digest for a terminal: at most 36 lines for any number of targets."""
    yield line(heading(digest))
    for title, items in five(digest):
        yield line(f"  {title}: {len(items)}{': ' if items else ''}{some(items)}")
    for group in digest.groups[:GROUPS]:
        yield line(f"{group_heading(group)}: {some(group.names)}")
        told = explanations(group)
        for place, (clause, text) in enumerate(told[:TROUBLES], 1):
            more = f" (and {len(told) - TROUBLES} more)" if place == TROUBLES and len(told) > TROUBLES else ""
            yield line(f"    {clause}{': ' if clause else ''}{text}{more}")
    if len(digest.groups) > GROUPS:
        yield f"… {count(len(digest.groups) - GROUPS, 'more group')} in the report"
    if digest.rest:
        yield line(f"{count(len(digest.rest), 'target')} without a problem: {some(digest.rest)}")
    yield from map(line, _notes(digest, NOTES))
    if digest.left_out:
        yield line(f"no run in this period: {some(digest.left_out)}")


def _notes(digest: Digest, most: int) -> Iterator[str]:
    for note in digest.notes[:most]:
        yield f"note: {note.text}{f' ({some(note.names)})' if note.names else ''}"
    if len(digest.notes) > most:
        yield f"… {count(len(digest.notes) - most, 'more note')} in the report"


# --- Markdown -------------------------------------------------------------------------------------


def digest_markdown(digest: Digest) -> str:
    """Return the digest as Markdown. Targets without problems are folded."""
    rows = [f"| {title} | {len(items)} | {plain(some(items, ROWS))} |" for title, items in five(digest)]
    parts = [
        f"## {plain(heading(digest))}",
        "\n".join(["| | | |", "|---|---:|---|", *rows]),
        *(_group(group) for group in digest.groups[:ROWS]),
        f"… {count(len(digest.groups) - ROWS, 'more group')} in `index.html`." if len(digest.groups) > ROWS else "",
        "\n".join(f"- {plain(sentence(text))}" for text in _notes(digest, ROWS)),
        f"No run in this period: {plain(some(digest.left_out, ROWS))}" if digest.left_out else "",
        f"<details><summary>{count(len(digest.rest), 'target')} without a problem</summary>\n\n"
        f"{plain(some(digest.rest, 1000))}\n\n</details>"
        if digest.rest
        else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _group(group: Alike) -> str:
    items = [
        f"- {code(clause)}: {plain(text)}" if clause else f"- {plain(sentence(text))}"
        for clause, text in explanations(group)[:ROWS]
    ]
    return f"### {plain(group_heading(group))}\n\n{plain(some(group.names, ROWS))}\n\n" + "\n".join(items)


# --- page -----------------------------------------------------------------------------------------


def render_digest(
    digest: Digest, targets: Iterable[TargetResult], *, title: str, links: Mapping[str, str] | None = None
) -> str:
    """Return the digest as a page. ``links`` are the addresses of targets by name."""
    from conformance.render.page import render
    from conformance.version import __version__

    return render(
        "digest.html",
        icon(digest),
        styles=("style.css", "site/site.css", "nights.css"),
        version=__version__,
        title=title,
        **block(digest, targets, links or {}),
    )


def icon(digest: Digest) -> Verdict:
    """Return the verdict for the icon of the page."""
    if digest.broken:
        return Verdict.NON_CONFORMANT
    return Verdict.CONFORMANT if not digest.groups else Verdict.INCONCLUSIVE


def block(digest: Digest, targets: Iterable[TargetResult], links: Mapping[str, str]) -> dict[str, Any]:
    """Return the values for ``digest_block.html``, so that other pages can include it."""
    return {
        "digest": digest,
        "told": {
            "heading": heading(digest),
            "five": five(digest),
            "group": group_heading,
            "explanations": explanations,
            "outcome": OUTCOME,
            "notes": list(_notes(digest, ROWS)),
        },
        "by_name": {one.name: one for one in targets},
        "strips": {one.name: strip(one.strip) for one in targets if one.strip},
        "links": links,
    }
