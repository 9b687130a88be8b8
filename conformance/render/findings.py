"""Group the findings of a run into cards: one card per cause, most urgent first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from conformance.judge.curl import curl_line
from conformance.judge.report import ClauseResult, Evidence, RecordedExchange, Report, Status
from conformance.judge.verdict import GRAVEST
from conformance.render.advice import cause_and_advice, remedy
from conformance.render.words import breached, rule, sentence

COMFYUI: Final = "comfyui-order"
"""The kind of the finding that elements 3 and 4 of a job are swapped, as ComfyUI sends them."""
OF_COMFYUI: Final = frozenset(
    {
        ("item.job-number.one-based", "zero"),
        ("item.job-number.one-based", "negative"),
        ("item.job-number.plain", "float"),
        ("error.code", "comfyui-form"),
        ("error.message", "comfyui-form"),
        ("queue.pending.oldest-first", "heap"),
        ("queue.job-numbers.rising", "heap"),
    }
)
"""Further findings, as pairs of clause and kind, that have the same cause as ``COMFYUI`` and go into the same card."""


class Card(NamedTuple):
    """Findings that have one cause: the broken clause, its first evidence, and the other findings.

    ``others`` is further evidence for this clause. ``also`` are the cards of other clauses that are broken by the same
    cause.
    """

    result: ClauseResult
    evidence: Evidence | None
    others: tuple[Evidence, ...]
    also: tuple[Card, ...]
    curl: tuple[str, ...]
    remedy: str

    @property
    def message(self) -> str:
        """What is wrong: the message of the evidence. Without evidence, the broken rule, or how the suite failed."""
        if self.evidence is not None:
            return self.evidence.message
        if self.result.status is Status.ERROR:
            return sentence(self.result.reason)
        return f"Broken: {rule(self.result.level, self.result.title)}"

    @property
    def where(self) -> str:
        """The place in a response, followed by the id of the response."""
        if self.evidence is None:
            return "unknown place"
        pointer, response = self.evidence.pointer, f"response {self.evidence.exchange}"
        if pointer is None:
            return f"{response}, not in its body"
        return f"{pointer or 'the whole body'} in {response}"

    @property
    def cause(self) -> str:
        """The likely cause as a sentence; ``""`` if it is not known. What to do about it is in ``remedy``."""
        hint = self.evidence.hint if self.evidence else None
        return sentence(cause_and_advice(self.result, hint)[0]) if hint else ""

    @property
    def places(self) -> str:
        """Text such as ``7 places in response x1``, or ``""`` if the card has only one finding."""
        evidence = (self.evidence, *self.others) if self.evidence else ()
        number, responses = sum(1 + one.more for one in evidence), {one.exchange for one in evidence}
        if number < 2:
            return ""
        what = "places" if all(one.pointer for one in evidence) else "findings"
        return f"{number:,} {what}" + (f" in response {responses.pop()}" if len(responses) == 1 else "")

    @property
    def seen_in(self) -> tuple[str, ...]:
        """The ids of the other responses with the same finding, without duplicates."""
        evidence = (self.evidence, *self.others) if self.evidence else ()
        return tuple(dict.fromkeys(name for one in evidence for name in one.seen_in))


def cards(report: Report) -> list[Card]:
    """Return the cards of a run, one per cause: failed first, then errors, then warnings."""
    exchanges = {exchange.id: exchange for exchange in report.exchanges}
    worst_first = sorted(breached(report), key=lambda result: result.id != GRAVEST)
    found = [card for result in worst_first for card in _of_clause(result, exchanges, report)]
    return _with_comfyui_in_one(found)


def _of_clause(result: ClauseResult, exchanges: dict[str, RecordedExchange], report: Report) -> list[Card]:
    """Return a card for each cause in the evidence of a clause."""
    by_cause: dict[tuple[str | None, ...], list[Evidence]] = {}
    for one in result.evidence:  # group by texts of the suite: the server must not influence the grouping
        by_cause.setdefault((one.kind, one.hint, one.expected), []).append(one)
    if not by_cause:
        return [Card(result, None, (), (), (), remedy(result, None, report))]
    return [
        Card(result, first, tuple(others), (), _curl(result, first, exchanges), remedy(result, first, report))
        for first, *others in by_cause.values()
    ]


def _curl(result: ClauseResult, evidence: Evidence, exchanges: dict[str, RecordedExchange]) -> tuple[str, ...]:
    """Return the curl lines that reproduce a finding, for the smallest generated request if there is one."""
    if result.smallest is not None:
        return result.smallest.curl
    exchange = exchanges.get(evidence.exchange)
    return () if exchange is None else (curl_line(exchange),)


def _with_comfyui_in_one(found: Sequence[Card]) -> list[Card]:
    """Merge the findings that come from ComfyUI's own format into the card for ``COMFYUI``, if there is one."""
    first = next((card for card in found if card.evidence and card.evidence.kind == COMFYUI), None)
    if first is None:
        return list(found)
    also = tuple(
        card for card in found if card.evidence is not None and (card.result.id, card.evidence.kind) in OF_COMFYUI
    )
    return [card._replace(also=also) if card is first else card for card in found if card not in also]
