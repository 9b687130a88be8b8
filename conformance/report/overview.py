"""The overview of a run of many targets, as plain frozen values. ``overview.json`` is this, encoded.

Members may be added, never changed or taken away, as in ``compliance.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import takewhile
from typing import Final, Literal, get_args

import msgspec

from conformance import __version__
from conformance.document import DOCUMENT_SHA256
from conformance.report.changes import headline as changes_headline
from conformance.report.changes import since
from conformance.report.fingerprint import fingerprints
from conformance.report.model import Counts, Report, Status, Value, Verdict
from conformance.report.words import breached, count, flags

Outcome = Literal["non-conformant", "error", "inconclusive", "conformant"]
"""Of a target, the worst first. Error: the run of it failed, which says nothing about the target."""

WORST_FIRST: Final = (1, 3, 4, 10, 0)
"""Exit statuses of an overview: that of the whole is the first that any target has."""
_IN_A_LIST: Final = re.compile("^/queue_(?:running|pending)(?=/)")
"""What runs tonight may have been pending yesterday: in which list a failure shows makes no other trouble of it."""


class BrokenClause(Value, frozen=True, kw_only=True):
    """A clause that a target broke, or upon which the suite broke."""

    id: str
    title: str
    status: Status


class Trouble(Value, frozen=True, kw_only=True):
    """What keeps a target from being well. ``key`` is plain words that stay the same as long as the trouble does.

    ``whose`` says where to look: at the server, at the register of known deviations, or at the suite itself.
    """

    key: str
    clause: str
    told: str
    whose: Literal["server", "register", "suite"]


class TargetResult(Value, frozen=True, kw_only=True):
    """What the run of one target came to.

    ``exit`` is the status that the run of this target alone ends with: 3 where it failed or was stopped. ``report`` is
    the path of its page below the overview, None where it left none.

    ``troubles`` are what its exit status is 1 for, or what the suite itself failed on. Of a history come ``nights``,
    the runs in a row, up to this one, that were inconclusive, and ``changed``, what changed since the run before, where
    both have a verdict.
    """

    name: str
    target: str
    dialect: str
    outcome: Outcome
    reason: str
    exit: int
    start: str | None = None
    end: str | None = None
    counts: Counts | None = None
    broken: tuple[BrokenClause, ...] = ()
    flags: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    nights: int = 0
    changed: str | None = None
    report: str | None = None


class Overview(Value, frozen=True, kw_only=True):
    """The runs of many targets, in the order of their file. ``counts`` are of targets by outcome."""

    schema_version: Literal[1] = 1
    suite_version: str = __version__
    document_sha256: str = DOCUMENT_SHA256
    start: str
    end: str
    outcome: Outcome
    exit: int
    counts: dict[Outcome, int]
    targets: tuple[TargetResult, ...]


def result(name: str, report: Report, status: int) -> TargetResult:
    """Return what a report comes to; ``status`` is the exit status of its run."""
    run = report.run
    broken = (BrokenClause(id=one.id, title=one.title, status=one.status) for one in breached(report))
    return TargetResult(
        name=name, target=run.target, dialect=run.dialect, outcome=report.verdict.value, reason=report.verdict_reason,
        exit=status, start=run.start, end=run.end, counts=report.counts, broken=tuple(broken),
        flags=tuple(flags(report)), troubles=tuple(_troubles(report)),
        nights=_nights(report), changed=_changed(report), report=f"{name}/index.html",
    )  # fmt: skip


def _nights(report: Report) -> int:
    verdicts = [report.verdict] if report.history is None else [run.verdict for run in report.history.runs]
    return sum(1 for _ in takewhile(lambda verdict: verdict is Verdict.INCONCLUSIVE, reversed(verdicts)))


def _changed(report: Report) -> str | None:
    diff = None if report.history is None else report.history.diff
    if diff is None or Verdict.INCONCLUSIVE in (diff.old.verdict, diff.new.verdict):
        return None
    return "; ".join([f"{since(diff)}: {changes_headline(diff)}", *diff.notes])


def _troubles(report: Report) -> Iterator[Trouble]:
    """Yield what is not well. A failure that shows itself in another way than before is another trouble."""
    failing = {Status.FAIL} | ({Status.WARN} if report.run.options.get("fail_on_should") is True else set())
    for one in breached(report):
        if one.status in failing:
            marks = repr(sorted({(_IN_A_LIST.sub("/*", mark.place or ""), mark.kind) for mark in fingerprints(one)}))
            told = one.evidence[0].message if one.evidence else one.reason
            yield Trouble(
                key=f"{one.id} {sha256(marks.encode()).hexdigest()[:8]}", clause=one.id, told=told, whose="server"
            )
        elif one.status is Status.ERROR:
            yield Trouble(key=f"{one.id} error", clause=one.id, told=one.reason, whose="suite")
    for problem in () if report.deviations is None else report.deviations.problems:
        if problem.problem != "other-fingerprint":  # that one is a failed clause
            entry = f"{re.sub(r'[^a-z0-9.-]', '-', problem.clause)} {problem.problem}"
            yield Trouble(key=entry, clause=problem.clause, told=problem.message, whose="register")


def overview(targets: Sequence[TargetResult], *, start: str, end: str) -> Overview:
    """Put an overview together, of one target at least. Times are as RFC 3339 has them."""
    counts = {outcome: sum(one.outcome == outcome for one in targets) for outcome in get_args(Outcome)}
    statuses = {one.exit for one in targets}
    return Overview(
        start=start, end=end, targets=tuple(targets), counts=counts,
        outcome=next(outcome for outcome, number in counts.items() if number),
        exit=next(status for status in WORST_FIRST if status in statuses),
    )  # fmt: skip


def worst_first(whole: Overview) -> list[TargetResult]:
    """Return the targets as a reader wants them; those with the same outcome stay in their order."""
    order = get_args(Outcome)
    return sorted(whole.targets, key=lambda one: order.index(one.outcome))


def headline(whole: Overview) -> str:
    """Return the outcome of the whole in a line: how many targets have which outcome, and who is not well."""
    told = []
    for outcome, number in whole.counts.items():
        names = [one.name for one in whole.targets if one.outcome == outcome]
        named = f" ({', '.join(names[:5])}{', …' if number > 5 else ''})" if outcome != "conformant" else ""
        told += [f"{number} {outcome}{named}"] if number else []
    beside = [one.name for one in whole.targets if one.exit == 1 and one.outcome != "non-conformant"]
    failed = f"; failed all the same: {', '.join(beside[:5])}{', …' if len(beside) > 5 else ''}" if beside else ""
    return f"{count(len(whole.targets), 'target')}: {', '.join(told)}{failed}"


def decode(data: bytes) -> Overview:
    """Read ``overview.json``. Raises msgspec.DecodeError (a ValueError) where it is none."""
    return msgspec.json.decode(data, type=Overview)


def encode(whole: Overview) -> bytes:
    """Return ``overview.json``: UTF-8, indented by two."""
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"
