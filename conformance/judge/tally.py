"""Collect the findings of one clause in a run: all are counted, a limited number is listed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct, field, structs

from conformance.contract.clause import Clause, Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.exchange.model import Exchange, Extent, Response
from conformance.exchange.stored import StoredBody, bytes_of
from conformance.judge.excerpt import around
from conformance.judge.fingerprint import fingerprint_at
from conformance.judge.masking import mask_workflows, may_hold_workflows, shows_workflow, wants_class_types
from conformance.judge.outcome import Counted
from conformance.judge.redaction import evidence_without_keys
from conformance.judge.report import FINGERPRINTS, Evidence, Fingerprint
from conformance.text.cutoff import complete_jobs
from conformance.text.safe import failure

LISTED: Final = 2
"""Maximum number of findings of one kind that are listed for a response. Further ones are only counted."""
KINDS: Final = 20
"""Maximum number of kinds of findings that are listed for a clause."""
SEEN_IN: Final = 20
"""Maximum number of other exchanges with the same finding that are named."""
POINTER_LIMIT: Final = 1000
"""Maximum number of characters of a JSON Pointer that are shown."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


def _shown(pointer: str | None) -> str | None:
    """Return a JSON Pointer for the report: with lone surrogates escaped, and cut to ``POINTER_LIMIT`` characters."""
    if pointer is None:
        return None
    whole = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", pointer[:POINTER_LIMIT])
    return whole if len(pointer) <= POINTER_LIMIT else whole + "…"


def readable(response: Response) -> bytes | StoredBody:
    """Return the body of a response. If a recorder cut it off, return only its complete jobs."""
    return complete_jobs(response.content) if response.extent is Extent.CUT else response.body


def _content(response: Response | None, reading: Reading | None) -> bytes:
    if reading is not None:  # to find the complete jobs of a body that was cut off again takes seconds
        return reading.content
    return b"" if response is None else bytes_of(readable(response))


def as_evidence(
    exchange: Exchange, clause: str, finding: Finding, *, hide: bool = False, reading: Reading | None = None
) -> Evidence:
    """Return a finding as the report shows it, with an excerpt of the body.

    ``clause`` is the id of the clause. ``hide`` masks the contents of workflows. ``reading`` is the parsed body, if
    any.
    """
    response, pointer = exchange.response, finding.pointer
    content = _content(response, reading)
    hide = hide and (response is None or may_hold_workflows(response.status, content))
    shown = None if pointer is None else (content, pointer) if reading is None else reading.text_at(pointer)
    masks, nodes = hide and shows_workflow(clause, pointer), wants_class_types(clause)
    evidence = Evidence(
        exchange=exchange.id,
        pointer=_shown(pointer),
        expected=finding.expected,
        hint=finding.hint,
        kind=finding.kind,
        got=mask_workflows(finding.got, class_types=nodes) if masks else finding.got,
        message=mask_workflows(finding.message, class_types=nodes) if masks else finding.message,
        excerpt=None if shown is None else around(*shown, hide=hide, class_types=nodes),
    )
    return evidence_without_keys(evidence, exchange.redactor)


class _SimilarFindings(Struct):
    """The findings of one kind. Those of the first response are listed.

    Later exchanges that have them are only named.
    """

    exchange: str
    clause: str
    hide: bool
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


class ClauseTally(Struct):
    """The findings of one clause so far. It lists a limited number of them, and counts all."""

    hide: bool = False
    judged: set[str] = field(default_factory=set)
    breached: set[str] = field(default_factory=set)
    kinds: dict[tuple[object, ...], _SimilarFindings] = field(default_factory=dict)
    fingerprints: dict[Fingerprint, None] = field(default_factory=dict)
    error: str | None = None

    def note(self, answer: Answer, clause: Clause, subject: Any, reading: Reading | None = None) -> None:
        """Apply the check of the clause to one part of a response (``subject``), and record its findings.

        ``reading`` is the parsed body, or the group of jobs, that the subject is from, if any.
        """
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
                self.kinds[kind] = _SimilarFindings(answer.exchange.id, clause.id, self.hide)
            self.kinds[kind].add(answer, finding, 1 if reading is None else reading.weight(finding.pointer))

    def note_again(self, answer: Answer, like: str) -> None:
        """Record that a response has the findings of an earlier exchange with the same body, whose id is ``like``."""
        for names in (self.judged, self.breached):
            if like in names:
                names.add(answer.exchange.id)
        for kind in self.kinds.values():
            if like == kind.exchange or like in kind.seen_in:
                kind.name(answer)

    def forget_unless_broken(self, name: str) -> None:
        """Do not count a response that was only partly judged, unless it breaks the clause."""
        if name not in self.breached:
            self.judged.discard(name)

    def counted(self) -> Counted:
        """Return the numbers of checked and violating responses, and the evidence."""
        evidence = tuple(listed for kind in self.kinds.values() for listed in kind.evidence())
        return Counted(len(self.judged), len(self.breached), evidence, tuple(self.fingerprints), self.error)

    def attempt(self, noting: Callable[[], None]) -> None:
        """Call ``noting``. If the clause's code raises, keep the error: it must not stop the run or count as a pass."""
        try:
            noting()
        except Exception as error:  # noqa: BLE001 - any exception here is our own fault
            self.error = failure(error)
