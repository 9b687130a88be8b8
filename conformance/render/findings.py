"""The findings of a run as cards: one for each cause, the ones to fix first at the top. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from conformance.judge.curl import curl_line
from conformance.judge.report import ClauseResult, Evidence, RecordedExchange, Report, Status
from conformance.judge.verdict import GRAVEST
from conformance.render.advice import remedy
from conformance.render.words import breached, sentence

COMFYUI: Final = "comfyui-order"
"""The kind of finding that shows that a server sends what ComfyUI itself sends."""
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
"""Clauses and kinds with the same cause as ``COMFYUI``, if a run shows that."""


class Card(NamedTuple):
    """A cause: the clause that it breaks, the first evidence, and what else it explains.

    ``others`` are further places of the same cause in this clause, ``also`` cards of other clauses.
    """

    result: ClauseResult
    evidence: Evidence | None
    others: tuple[Evidence, ...]
    also: tuple[Card, ...]
    curl: tuple[str, ...]
    remedy: str

    @property
    def message(self) -> str:
        """What is wrong. Without evidence, that is the clause itself, or how the suite failed on it."""
        if self.evidence is not None:
            return self.evidence.message
        return sentence(self.result.reason) if self.result.status is Status.ERROR else self.result.title

    @property
    def where(self) -> str:
        """The place in the response, and the response."""
        if self.evidence is None:
            return "no place is known"
        pointer, response = self.evidence.pointer, f"response {self.evidence.exchange}"
        if pointer is None:
            return f"{response}, not in its body"
        return f"{pointer or 'the whole body'} in {response}"

    @property
    def cause(self) -> str:
        """The likely cause as a sentence, "" if none is known. What to do about it is in ``remedy``."""
        hint = self.evidence.hint if self.evidence else None
        return sentence(hint.partition("; --dialect ")[0]) if hint else ""

    @property
    def more(self) -> str:
        """Return ``6 more like it``, "" if this finding is the only one of its cause."""
        evidence = (self.evidence, *self.others) if self.evidence else ()
        alike = sum(1 + one.more for one in evidence) - 1
        return f"{alike:,} more like it" if alike > 0 else ""

    @property
    def seen_in(self) -> tuple[str, ...]:
        """The other responses that showed the same, without repetition."""
        evidence = (self.evidence, *self.others) if self.evidence else ()
        return tuple(dict.fromkeys(name for one in evidence for name in one.seen_in))


def cards(report: Report) -> list[Card]:
    """Return the findings of a run: failed before errors before warnings, one card for each cause."""
    exchanges = {exchange.id: exchange for exchange in report.exchanges}
    worst_first = sorted(breached(report), key=lambda result: result.id != GRAVEST)
    found = [card for result in worst_first for card in _of_clause(result, exchanges)]
    return _with_comfyui_in_one(found)


def _of_clause(result: ClauseResult, exchanges: dict[str, RecordedExchange]) -> list[Card]:
    """Return a card for each cause in the evidence of a clause."""
    by_cause: dict[tuple[str | None, ...], list[Evidence]] = {}
    for one in result.evidence:  # by words of the suite: what a server sends must not change the cards
        by_cause.setdefault((one.kind, one.hint, one.expected), []).append(one)
    if not by_cause:
        return [Card(result, None, (), (), (), remedy(result, None))]
    return [
        Card(result, first, tuple(others), (), _curl(result, first, exchanges), remedy(result, first))
        for first, *others in by_cause.values()
    ]


def _curl(result: ClauseResult, evidence: Evidence, exchanges: dict[str, RecordedExchange]) -> tuple[str, ...]:
    """Return the lines that show a finding again: of the smallest generated request, if there is one."""
    if result.smallest is not None:
        return result.smallest.curl
    exchange = exchanges.get(evidence.exchange)
    return () if exchange is None else (curl_line(exchange),)


def _with_comfyui_in_one(found: Sequence[Card]) -> list[Card]:
    """Join what ComfyUI itself does to the card that recognises ComfyUI."""
    first = next((card for card in found if card.evidence and card.evidence.kind == COMFYUI), None)
    if first is None:
        return list(found)
    also = tuple(
        card for card in found if card.evidence is not None and (card.result.id, card.evidence.kind) in OF_COMFYUI
    )
    return [card._replace(also=also) if card is first else card for card in found if card not in also]
