"""Render the digest (the summary of many targets) as terminal lines, Markdown, and an HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from conformance.history.digest import Alike, AwayTarget, ChangedTarget, Digest, FirstItems, GroupKind, Member
from conformance.history.night_results import TargetOutcome
from conformance.judge.report import Verdict
from conformance.render.markdown import MARK, ROWS, code, plain
from conformance.render.nights import strip
from conformance.render.words import sentence
from conformance.text.plural import count
from conformance.text.safe import line

NAMES: Final = 5
"""The maximum number of targets that a terminal line names."""
GROUPS: Final = 8
TROUBLES: Final = 2
"""The maximum number of problems per group on a terminal, so that the digest fits in 40 lines. The HTML page has all.
"""
NOTES: Final = 2
MEMBERS: Final = 1000
"""The maximum number of targets that the HTML page lists for each group."""
OPEN: Final = 30
"""The number of groups that the HTML page shows unfolded; the other groups are folded."""
NO_HISTORY: Final = "unknown, because no target has a history (--history FILE)"
NO_EARLIER: Final = "unknown, because no target was compared with an earlier run"
KIND: Final[dict[GroupKind, str]] = {
    "broken": "broken",
    "error": "not checked, because the run failed",
    "inconclusive": "inconclusive",
    "not-reached": "not reached",
}
OUTCOME: Final[dict[GroupKind, TargetOutcome]] = {
    "broken": "non-conformant",
    "error": "error",
    "inconclusive": "inconclusive",
    "not-reached": "inconclusive",
}


class Topic(NamedTuple):
    """One of the lists at the start of a digest. ``items`` are in words; ``number`` is None if it is unknown."""

    title: str
    number: int | None
    items: list[str]


def topics(digest: Digest, most: int = NAMES) -> list[Topic]:
    """Return the lists at the start of a digest: five, or four if nothing is known of earlier runs.

    ``most`` is the maximum number of target names that are shown for each waiver.
    """
    changes = [
        Topic("Newly broken", digest.newly.number, [changed(one) for one in digest.newly.first]),
        Topic("Fixed", digest.mended.number, [changed(one) for one in digest.mended.first]),
    ]
    if not digest.compared:
        changes = [Topic("Newly broken, fixed", None, [NO_EARLIER if digest.history else NO_HISTORY])]
    waivers = [f"{one.clause} until {one.expires} ({of(names, most)})" for one, names in digest.waivers.items()]
    return [
        Topic("Broken now", digest.broken.number, digest.broken.first),
        *changes,
        Topic("Not reached", digest.unreached.number, [away(one) for one in digest.unreached.first]),
        Topic("Waivers that expire within 14 days", len(waivers), waivers),
    ]


def changed(one: ChangedTarget) -> str:
    """Return the name of a target, and which clause broke or was fixed there, or how many clauses."""
    told = one.clauses[0] if len(one.clauses) == 1 else count(len(one.clauses), "clause")
    return f"{one.name} ({told})"


def away(one: AwayTarget) -> str:
    """Return the name of a target that was not reached, and since when if that is known."""
    if not one.nights:
        return one.name
    since = f" since {one.since[:10]}" if one.since else ""
    return f"{one.name}{since} ({count(one.nights, 'night')})"


def some(items: Sequence[str], number: int, most: int = NAMES) -> str:
    """Return the first ``most`` items as text, and how many more there are (``number`` is the number of all)."""
    more = f" and {number - most:,} more" if number > most else ""
    return f"{', '.join(items[:most])}{more}"


def of(names: FirstItems[str], most: int) -> str:
    """Return the first ``most`` names of a list as text, and how many more there are."""
    return some(names.first, names.number, most)


def members(listed: FirstItems[Member], most: int = NAMES) -> str:
    """Return the names of the first ``most`` targets of a list as text, and how many more there are."""
    return some([one.name for one in listed.first[:most]], listed.number, most)


def heading(digest: Digest) -> str:
    """Return a heading with the period of the digest and the number of targets."""
    days = f"Night of {digest.end[:10]}"
    if digest.start[:10] != digest.end[:10]:
        days = f"{digest.start[:10]} to {digest.end[:10]}"
    return f"{days}: {count(digest.targets, 'target')}, {digest.rest.number:,} without a problem"


def group_heading(group: Alike) -> str:
    """Return a heading for a group: how many targets fail in the same way, and since when."""
    since = f", since {group.since[:10]}" if group.since else ""
    alike = " alike" if group.kind == "broken" and group.members.number > 1 else ""
    return f"{count(group.members.number, 'target')} {KIND[group.kind]}{alike}{since}"


def explanations(group: Alike) -> list[tuple[str, str]]:
    """Return a pair of clause and explanation for each problem of a group.

    The clause is ``""`` if no clause is broken.
    """
    return [(trouble.clause, trouble.told) for trouble in group.troubles] or [("", group.reason)]


def _more_groups(digest: Digest, most: int) -> str:
    """Return a line that says how many groups are not shown; ``""`` if all are shown."""
    more = len(digest.groups) - most
    if digest.ungrouped:
        return f"… {count(max(more, 0), 'more group')}, and {count(digest.ungrouped, 'target')} that fail in other ways"
    return f"… {count(more, 'more group')}" if more > 0 else ""


def _notes(digest: Digest, most: int = NAMES) -> Iterator[str]:
    if digest.compared and digest.uncompared.number:
        targets = count(digest.uncompared.number, "target")
        yield f"what changed is unknown for {targets} without an earlier run ({of(digest.uncompared, most)})"
    for text, names in (*digest.notes.items(), *digest.flags.items()):
        yield f"{text}{f' ({of(names, most)})' if names.number else ''}"


# --- terminal -------------------------------------------------------------------------------------


def digest_lines(digest: Digest) -> Iterator[str]:
    """Yield the digest as terminal lines: at most 36 for any number of targets."""
    yield line(heading(digest))
    for topic in topics(digest):
        number = "" if topic.number is None else f" {topic.number:,}{':' if topic.items else ''}"
        told = some(topic.items, topic.number or 1)
        yield line(f"  {topic.title}:{number}{f' {told}' if told else ''}")
    for group in digest.groups[:GROUPS]:
        yield line(f"{group_heading(group)}: {members(group.members)}")
        told_ = explanations(group)
        for place, (clause, text) in enumerate(told_[:TROUBLES], 1):
            more = f" (and {len(told_) - TROUBLES} more)" if place == TROUBLES and len(told_) > TROUBLES else ""
            yield line(f"    {clause}{': ' if clause else ''}{text}{more}")
    if more := _more_groups(digest, GROUPS):
        yield f"{more} in the report"
    if digest.rest.number:
        yield line(f"{count(digest.rest.number, 'target')} without a problem: {members(digest.rest)}")
    notes = list(_notes(digest))
    yield from (line(f"note: {note}") for note in notes[:NOTES])
    if len(notes) > NOTES:
        yield f"… {count(len(notes) - NOTES, 'more note')} in the report"
    if digest.left_out:
        yield line(f"no run in this period: {some(digest.left_out, len(digest.left_out))}")


# --- Markdown -------------------------------------------------------------------------------------


def digest_markdown(digest: Digest) -> str:
    """Return the digest as Markdown. Targets without problems are folded."""
    rows = [
        f"| {title} | {'' if number is None else f'{number:,}'} | {plain(some(items, number or 1, ROWS))} |"
        for title, number, items in topics(digest, ROWS)
    ]
    notes = list(_notes(digest, ROWS))
    more_notes = [f"… {count(len(notes) - ROWS, 'more note')} in `index.html`"] if len(notes) > ROWS else []
    left_out = some(digest.left_out, len(digest.left_out), ROWS)
    more = _more_groups(digest, ROWS)
    parts = [
        f"## {MARK[icon(digest)]} {plain(heading(digest))}",
        "\n".join(["| | | |", "|---|---:|---|", *rows]),
        *(_group(group) for group in digest.groups[:ROWS]),
        f"{more} in `index.html`." if more else "",
        "\n".join(f"- {text}" for text in (*(plain(sentence(note)) for note in notes[:ROWS]), *more_notes)),
        f"No run in this period: {plain(left_out)}" if digest.left_out else "",
        f"<details><summary>{count(digest.rest.number, 'target')} without a problem</summary>\n\n"
        f"{plain(members(digest.rest, 1000))}\n\n</details>"
        if digest.rest.number
        else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _group(group: Alike) -> str:
    items = [
        f"- {code(clause)}: {plain(text)}" if clause else f"- {plain(sentence(text))}"
        for clause, text in explanations(group)[:ROWS]
    ]
    names = plain(members(group.members, ROWS))
    return f"### {plain(group_heading(group))}\n\n{names}\n\n" + "\n".join(items)


# --- page -----------------------------------------------------------------------------------------


def render_digest(digest: Digest, *, title: str) -> str:
    """Return the digest as an HTML page."""
    from conformance.render.page import render
    from conformance.version import __version__

    return render(
        "digest.html",
        icon(digest),
        styles=("style.css", "site/site.css", "nights.css"),
        version=__version__,
        title=title,
        **block(digest),
    )


def icon(digest: Digest) -> Verdict:
    """Return the verdict that selects the icon of the page."""
    if digest.broken.number:
        return Verdict.NON_CONFORMANT
    return Verdict.CONFORMANT if not digest.groups else Verdict.INCONCLUSIVE


def block(digest: Digest, links: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the values for ``digest_block.html``, so that other pages can include it.

    ``links`` maps the names of targets to the addresses of their pages.
    """
    return {
        "digest": digest,
        "links": links or {},
        "told": {
            "heading": heading(digest),
            "topics": topics(digest, MEMBERS),
            "group": group_heading,
            "explanations": explanations,
            "outcome": OUTCOME,
            "notes": list(_notes(digest, MEMBERS)),
            "strip": strip,
        },
        "open": OPEN,
        "most": MEMBERS,
    }
