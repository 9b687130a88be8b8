"""Render how the published OpenAPI document differs from the vendored one: terminal lines, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Iterator
from os.path import commonprefix
from typing import Any, Final

from conformance.drift.differences import ABSENT, DocumentChange, Drift, ErratumState
from conformance.render.markdown import code
from conformance.render.terminal import Line
from conformance.spec.document import folded
from conformance.text.plural import count
from conformance.text.safe import line, show

SHOWN: Final = 50
"""Maximum number of changes, and of quotes that the published document lost, that are shown. The JSON has all."""
_BEFORE: Final = 40
"""How many of the characters before the first difference between two texts are shown."""
_STATE: Final = {
    ErratumState.STANDS: "still applies",
    ErratumState.MENDED: "is fixed in the published document: remove its action from the overlay, and its test",
    ErratumState.REWORDED: "needs review: the text is neither the original nor the erratum's",
}


def verdict(drift: Drift) -> str:
    """Return one line: whether the published and the vendored document differ, and in how many places."""
    if not drift.found:
        return "No drift: the published document and the vendored one say the same about GET /api/queue"
    quoting = sum(len(lost.clauses) for lost in drift.lost)
    told = [count(len(drift.changes), "change")]
    if quoting:
        told.append(f"{count(quoting, 'clause')} {'quotes' if quoting == 1 else 'quote'} removed text")
    for state in (ErratumState.MENDED, ErratumState.REWORDED):
        number = sum(found is state for _, found in drift.errata)
        if number:
            told.append(f"{number} of {count(len(drift.errata), 'erratum').replace('erratums', 'errata')} {state}")
    return f"Drift: {', '.join(told)}"


def as_lines(drift: Drift) -> Iterator[Line]:
    """Yield the differences as terminal lines. The outcome is the last line."""
    yield Line("counts", line(f"published: {drift.url}, SHA-256 {drift.sha256}"))
    yield Line("counts", f"vendored:  SHA-256 {drift.vendored_sha256}")
    for change in drift.changes[:SHOWN]:
        yield Line("fail", line(f"{change.kind} {change.pointer}"))
        for name, value in _both(change):
            yield Line("detail", f"    {name} {line(value)}")
    yield from _rest(len(drift.changes))
    for lost in drift.lost[:SHOWN]:
        yield Line("warn", line(f"gone {lost.pointer}: {show(lost.quote)}"))
        yield Line("detail", f"    quoted by {', '.join(lost.clauses)}")
    yield from _rest(len(drift.lost))
    if drift.found:
        for erratum, state in drift.errata:
            yield Line("counts", f"erratum {erratum.id} {_STATE[state]}")
    yield Line("non-conformant" if drift.found else "conformant", verdict(drift))


def _rest(number: int) -> Iterator[Line]:
    if number > SHOWN:
        yield Line("detail", f"    … {number - SHOWN} more (--format json has all)")


def as_markdown(drift: Drift) -> str:
    """Return the differences as Markdown."""
    lost = ((code(show(one.quote)), code(one.pointer), ", ".join(map(code, one.clauses))) for one in drift.lost[:SHOWN])
    parts = [
        f"## {'❗' if drift.found else '✅'} {verdict(drift)}",
        f"Published: {code(drift.url)}, SHA-256 {code(drift.sha256)}",
        f"Vendored: SHA-256 {code(drift.vendored_sha256)}",
        _table(("What", "Where", "Vendored", "Published"), map(_row, drift.changes[:SHOWN]), len(drift.changes)),
        _table(("Quote that is gone", "Where", "Clauses"), lost, len(drift.lost)),
    ]
    if drift.found:
        states = ((code(erratum.id), _STATE[state]) for erratum, state in drift.errata)
        parts.append(_table(("Erratum", "In the published document"), states, len(drift.errata)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(change: DocumentChange) -> tuple[str, ...]:
    shown = dict(_both(change))
    return change.kind, code(change.pointer), *(code(shown[name]) if name in shown else "" for name in ("was", "now"))


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]], number: int) -> str:
    if not number:
        return ""
    written = [head, ("---",) * len(head), *rows]
    more = f"\n\n… {number - SHOWN} more." if number > SHOWN else ""
    return "\n".join(f"| {' | '.join(row)} |" for row in written) + more


def as_dict(drift: Drift) -> dict[str, Any]:
    """Return the differences as JSON data.

    A change has no ``was`` if the vendored document lacks the value, and no ``now`` if the published one does.
    """
    return {
        "drift": drift.found,
        "published": {"url": drift.url, "sha256": drift.sha256},
        "vendored": {"sha256": drift.vendored_sha256},
        "changes": [
            {
                "kind": change.kind,
                "pointer": change.pointer,
                **{name: value for name, value in (("was", change.was), ("now", change.now)) if value is not ABSENT},
            }
            for change in drift.changes
        ],
        "lost_quotes": [
            {"pointer": lost.pointer, "quote": lost.quote, "clauses": list(lost.clauses)} for lost in drift.lost
        ],
        "errata": [
            {"id": erratum.id, "pointer": erratum.pointer, "state": state.value} for erratum, state in drift.errata
        ],
    }


def _both(change: DocumentChange) -> Iterator[tuple[str, str]]:
    """Yield both values, each with its name: vendored and published.

    Long texts start shortly before their first difference.
    """
    was, now = change.was, change.now
    if isinstance(was, str) and isinstance(now, str):
        was, now = folded(was), folded(now)
        start = max(0, len(commonprefix([was, now])) - _BEFORE)  # noqa: RUF071 - compares characters
        was, now = (("…" if start else "") + text[start:] for text in (was, now))
    for name, value in (("was", was), ("now", now)):
        if value is not ABSENT:
            yield name, show(value)
