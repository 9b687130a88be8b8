"""Render a nightly run: title, body and comments of its GitHub issue, the CI summary, and GitHub annotations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from conformance.history.digest import Digest
from conformance.history.night import RUN, SILENT, UNTOLD, Action, Decision, kept_keys
from conformance.history.night_results import Outcomes, Overview, TargetResult, worst_first
from conformance.render.digest import digest_lines, digest_markdown, some
from conformance.render.markdown import ROWS, code, plain
from conformance.render.overview import render_markdown
from conformance.render.words import sentence
from conformance.text.plural import count
from conformance.text.safe import line

NAMED: Final = 3
ANNOTATIONS: Final = 10
"""The maximum number of annotations of one kind that GitHub shows for a step."""
_DONE: Final[dict[Action, str]] = {
    "open": "open an issue",
    "update": "update the open issue",
    "close": "close the open issue, because no target has a problem any more",
    "nothing": "nothing, because no issue is open and none is needed",
}
_WHOSE: Final = {
    "server": "",
    "register": " (of the register of known deviations)",
    "suite": " (of the suite itself, not of the server)",
}
_FOOTER: Final = (
    "This issue is rewritten each night, gets a comment when something changes, and is closed when no target has a "
    "problem. Closing it by hand does not waive anything: add accepted breaches to the register of known deviations."
)


def title(decision: Decision) -> str:
    """Return the title of the issue. It names the first targets with problems."""
    names = _names(decision.troubles)
    if len(names) == 1:
        return f"GET /api/queue: {names[0]} needs attention"
    more = ", …" if len(names) > NAMED else ""
    return f"GET /api/queue: {count(len(names), 'target')} need attention ({', '.join(names[:NAMED])}{more})"


def body(decision: Decision, night: Overview, url: str | None) -> str:
    """Return the body of the issue. An HTML comment in it lists the ids of all problems."""
    told = {one.name: one for one in night.targets}
    parts = [_when(night, url)]
    for name in _names(decision.troubles)[:ROWS]:
        keys = [key for key in decision.troubles if key.partition(" ")[0] == name]
        parts.append(_section(told[name], keys))
    parts += [f"<sub>{_FOOTER}</sub>", kept_keys(decision.troubles)]
    return "\n\n".join(parts) + "\n"


def comment(decision: Decision, night: Overview, url: str | None) -> str:
    """Return the comment to add when the issue stays open or is closed; ``""`` if nothing changed."""
    if decision.action == "close":
        return f"No target has a problem any more. {_when(night, url)}\n\n{_list('Gone', decision.gone)}\n"
    if decision.action != "update" or not (decision.appeared or decision.gone):
        return ""
    lists = [_list("New", decision.appeared), _list("Gone", decision.gone)]
    return "\n\n".join(filter(None, (_when(night, url), *lists))) + "\n"


def summary(decision: Decision, night: Overview, digest: Digest) -> str:
    """Return the CI summary of a nightly run: first what changed and what is broken, then every target."""
    worst = worst_first(night.targets)
    changed = [f"- {plain(one.name)}: {plain(one.changed)}" for one in worst[:ROWS] if one.changed]
    table = render_markdown(Outcomes(night.targets), worst).rstrip("\n")
    every = "\n\n".join(filter(None, (table, "\n".join(changed))))
    folded = f"<details><summary>{count(len(night.targets), 'target')} one by one</summary>\n\n{every}\n\n</details>"
    return "\n\n".join((digest_markdown(digest).rstrip("\n"), folded, action(decision))) + "\n"


def lines(decision: Decision, digest: Digest, *, tracked: bool) -> Iterator[str]:
    """Yield the summary of a nightly run as text: at most 40 lines for any number of targets.

    If ``tracked``, the summary includes what to do with the rolling issue.
    """
    yield from digest_lines(digest)
    if not tracked:
        return
    for word, keys in (("New in the issue", decision.appeared), ("Gone from the issue", decision.gone)):
        if keys:
            yield line(f"{word}: {some([_words(key) for key in keys], len(keys))}")
    yield f"{action(decision)} Nothing was sent."


def action(decision: Decision) -> str:
    """Return what to do with the rolling issue, the one GitHub issue about all nights."""
    return f"Action for the rolling issue: {_DONE[decision.action]}."


def commands(decision: Decision, night: Overview) -> Iterator[str]:
    """Yield GitHub workflow commands: an error for each target with problems, a notice for each inconclusive target."""
    ill = {key.partition(" ")[0] for key in decision.troubles}
    shown = [one for one in worst_first(night.targets) if one.name in ill or one.outcome != "conformant"]
    for one in shown[:ANNOTATIONS]:
        neutral = one.outcome == "inconclusive" and f"{one.name} {SILENT}" not in decision.troubles
        first = one.troubles[0] if one.troubles else None
        told = f"{first.clause}: {first.told}" if first else one.reason
        rest = f" (and {len(one.troubles) - 1} more)" if len(one.troubles) > 1 else ""
        kind = "notice" if neutral else "error"
        shown_line = line(f"{one.outcome}: {told}{rest}").replace("%", "%25")  # ``line`` removes line breaks
        name = one.name.replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
        yield f"::{kind} title={name}::{shown_line}"


def _when(night: Overview, url: str | None) -> str:
    report = f" [The report]({url})." if url else ""
    return f"Night of {night.start[:10]}, suite {code(night.suite_version)}.{report}"


def _section(one: TargetResult, keys: Sequence[str]) -> str:
    """Return the section of one target: the problems of this night, and known problems that could not be checked."""
    told = {f"{one.name} {trouble.key}": trouble for trouble in one.troubles}
    rows = [f"### {plain(one.name)}: {plain(one.outcome)}", f"{code(one.target)}, {plain(sentence(one.reason))}"]
    items = []
    for key in keys[:ROWS]:
        trouble = told.get(key)
        if trouble is not None:
            items.append(f"- {code(trouble.clause)}{_WHOSE[trouble.whose]}: {plain(trouble.told)}")
        else:
            still = " (known from before; not checked this night)" if one.outcome == "inconclusive" else ""
            items.append(f"- {_words(key, named=False)}{'' if key.endswith(f' {SILENT}') else still}")
    if one.changed:
        rows.append(plain(one.changed))
    return "\n\n".join([*rows, "\n".join(items)])


def _list(word: str, keys: Sequence[str]) -> str:
    more = f"\n- … {len(keys) - ROWS} more" if len(keys) > ROWS else ""
    return f"{word}:\n\n" + "\n".join(f"- {plain(_words(key))}" for key in keys[:ROWS]) + more if keys else ""


def _words(key: str, *, named: bool = True) -> str:
    """Return the id of a problem as readable text."""
    name, what, *_ = [*key.split(" "), ""]
    said = {
        SILENT: "no verdict for several nights in a row: not reached, or too little was checked",
        RUN: "its run failed, so the server was not checked",
        UNTOLD: "its run ended with exit status 1: see its report",
        "several": "several problems",
    }.get(what, what)
    return f"{name}: {said}" if named else said


def _names(keys: Iterable[str]) -> list[str]:
    return [name for name, _ in groupby(key.partition(" ")[0] for key in sorted(keys))]
