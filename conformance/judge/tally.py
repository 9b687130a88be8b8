"""The findings of one clause in a run: counted exactly, listed up to a bound."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import structs

from conformance.contract.clause import Clause, Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.exchange.model import Exchange, Extent, Response
from conformance.exchange.stored import StoredBody, bytes_of
from conformance.judge.excerpt import around
from conformance.judge.fingerprint import fingerprint_at
from conformance.judge.masking import masked, may_hold_workflows, shows_workflow, wants_class_types
from conformance.judge.outcome import Counted
from conformance.judge.redaction import evidence_without_keys
from conformance.judge.report import FINGERPRINTS, Evidence, Fingerprint
from conformance.text.cutoff import closed
from conformance.text.safe import failure

LISTED: Final = 2
"""Findings of one kind that are listed for a response; the rest are counted."""
KINDS: Final = 20
"""Kinds of findings that are listed for a clause; the report leaves out further kinds."""
SEEN_IN: Final = 20
"""Other exchanges with the same finding that are named."""
POINTER_LIMIT: Final = 1000
"""Characters of a JSON Pointer that are shown."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


def _shown(pointer: str | None) -> str | None:
    """Return a JSON Pointer that can be encoded: lone surrogates as escapes, and cut to ``POINTER_LIMIT``."""
    if pointer is None:
        return None
    whole = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", pointer[:POINTER_LIMIT])
    return whole if len(pointer) <= POINTER_LIMIT else whole + "…"


def readable(response: Response) -> bytes | StoredBody:
    """Return the body to read: if a recorder cut it off, only its whole jobs."""
    return closed(response.content) if response.extent is Extent.CUT else response.body


def as_evidence(
    exchange: Exchange, clause: str, finding: Finding, *, hide: bool = False, reading: Reading | None = None
) -> Evidence:
    """Return a finding for the report. ``hide`` masks the contents of workflows.

    ``reading`` is the reading of the body.
    """
    response, pointer = exchange.response, finding.pointer
    content = bytes_of(readable(response)) if response else b""
    hide = hide and (response is None or may_hold_workflows(response.status, content))
    shown = None if pointer is None else (content, pointer) if reading is None else reading.text_at(pointer)
    told, nodes = hide and shows_workflow(clause, pointer), wants_class_types(clause)
    evidence = Evidence(
        exchange=exchange.id,
        pointer=_shown(pointer),
        expected=finding.expected,
        hint=finding.hint,
        kind=finding.kind,
        got=masked(finding.got, class_types=nodes) if told else finding.got,
        message=masked(finding.message, class_types=nodes) if told else finding.message,
        excerpt=None if shown is None else around(*shown, hide=hide, class_types=nodes),
    )
    return evidence_without_keys(evidence, exchange.redactor)


@dataclass
class _Kind:
    """The findings of one kind: listed for the first response that shows them; later exchanges are only named."""

    exchange: str
    clause: str
    hide: bool = False
    listed: list[Evidence] = field(default_factory=list)
    more: int = 0
    last: str | None = None
    seen_in: list[str] = field(default_factory=list)

    def name(self, answer: Answer) -> None:
        if len(self.seen_in) < SEEN_IN and answer.exchange.id not in self.seen_in:
            self.seen_in.append(answer.exchange.id)

    def add(self, answer: Answer, finding: Finding, weight: int) -> None:
        name = answer.exchange.id
        if name != self.exchange:
            self.name(answer)
        elif len(self.listed) < LISTED:
            self.listed.append(self._evidence(answer, finding))
            self.more += weight - 1
        else:
            self.more += weight
            last = _shown(finding.pointer)
            self.last = None if last is None else answer.exchange.redactor.cut(last)

    def _evidence(self, answer: Answer, finding: Finding) -> Evidence:
        return as_evidence(answer.exchange, self.clause, finding, hide=self.hide, reading=answer.reading)

    def evidence(self) -> list[Evidence]:
        rest = {"more": self.more, "last": self.last, "seen_in": tuple(self.seen_in)}
        return [*self.listed[:-1], *(structs.replace(last, **rest) for last in self.listed[-1:])]


@dataclass
class ClauseTally:
    """The findings of one clause so far. Its memory is bounded for any number of findings; the counts are exact."""

    hide: bool = False
    judged: set[str] = field(default_factory=set)
    breached: set[str] = field(default_factory=set)
    kinds: dict[tuple[object, ...], _Kind] = field(default_factory=dict)
    fingerprints: dict[Fingerprint, None] = field(default_factory=dict)
    error: str | None = None

    def note(self, answer: Answer, clause: Clause, subject: Any, reading: Reading | None = None) -> None:
        """Check one subject and note the findings. ``reading`` is the part of the body with the subject, if any."""
        self.judged.add(answer.exchange.id)
        for finding in clause.check(subject):
            self.breached.add(answer.exchange.id)
            place = None if finding.pointer is None else _INDEX.sub("/*", finding.pointer)
            kind = (place, finding.expected, finding.cause)
            if kind not in self.kinds:
                if len(self.fingerprints) < FINGERPRINTS:
                    shown = _shown(finding.pointer)
                    shown = None if shown is None else answer.exchange.redactor.cut(shown)
                    self.fingerprints[fingerprint_at(shown, finding.kind)] = None
                if len(self.kinds) == KINDS:
                    continue
                self.kinds[kind] = _Kind(answer.exchange.id, clause.id, self.hide)
            self.kinds[kind].add(answer, finding, 1 if reading is None else reading.weight(finding.pointer))

    def note_again(self, answer: Answer, like: str) -> None:
        """Note for a response the findings of an exchange with the same body; ``like`` is its id."""
        for names in (self.judged, self.breached):
            if like in names:
                names.add(answer.exchange.id)
        for kind in self.kinds.values():
            if like == kind.exchange or like in kind.seen_in:
                kind.name(answer)

    def forget_unless_broken(self, name: str) -> None:
        """Do not count a response that was judged in part, unless it breaks the clause."""
        if name not in self.breached:
            self.judged.discard(name)

    def counted(self) -> Counted:
        """Return the counts and the evidence."""
        evidence = tuple(listed for kind in self.kinds.values() for listed in kind.evidence())
        return Counted(len(self.judged), len(self.breached), evidence, tuple(self.fingerprints), self.error)

    def attempt(self, noting: Callable[[], None]) -> None:
        """Call ``noting``. If the clause itself fails, keep the error: it must not stop the run or count as a pass."""
        try:
            noting()
        except Exception as error:  # noqa: BLE001 - any exception here is our own fault
            self.error = failure(error)
