"""Redact keys in the report. Clauses see responses as received, but everything that is shown has no keys."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from conformance.exchange.model import Exchange
from conformance.exchange.redactor import Redactor
from conformance.judge.report import Evidence, Excerpt, Kept, KeptAnswer, RecordedExchange, RecordedResponse


def evidence_without_keys(evidence: Evidence, redactor: Redactor) -> Evidence:
    """Return the evidence of a violation with keys redacted."""
    if not redactor:
        return evidence
    cut, excerpt = redactor.cut, evidence.excerpt
    return structs.replace(
        evidence,
        pointer=None if evidence.pointer is None else cut(evidence.pointer),
        got=cut(evidence.got),
        message=cut(evidence.message),
        excerpt=None
        if excerpt is None
        else Excerpt(before=cut(excerpt.before), marked=cut(excerpt.marked), after=cut(excerpt.after)),
    )


def exchange_without_keys(recorded: RecordedExchange, redactor: Redactor) -> RecordedExchange:
    """Return an entry of the report's list of exchanges with keys redacted.

    The URL and the headers of the request are redacted where the exchange is made.
    """
    if not redactor:
        return recorded
    request, response, kept = recorded.request, recorded.response, recorded.kept
    return structs.replace(
        recorded,
        request=structs.replace(request, body=redactor.cut(request.body)),
        response=None if response is None else _response(response, redactor),
        error=None if recorded.error is None else redactor.cut(recorded.error),
        kept=kept if kept is None or kept.answer is None else _kept(kept, kept.answer, redactor),
    )


def text_without_keys(text: str, exchanges: Iterable[Exchange]) -> str:
    """Return text with the keys redacted that were sent in ``exchanges``."""
    for redactor in {id(exchange.redactor): exchange.redactor for exchange in exchanges}.values():
        text = redactor.cut(text)
    return text


def _response(response: RecordedResponse, redactor: Redactor) -> RecordedResponse:
    headers = tuple((redactor.cut(name), redactor.cut(value)) for name, value in response.headers)
    return structs.replace(response, headers=headers, excerpt=redactor.cut(response.excerpt))


def _kept(kept: Kept, answer: KeptAnswer, redactor: Redactor) -> Kept:
    """Redact keys in the parts of a response that a report with whole bodies stores: header fields, framing, errors."""
    headers, wire = redactor.headers(answer.headers), answer.wire
    if wire is not None:
        lengths, misnamed = (tuple(map(redactor.cut, texts)) for texts in (wire.lengths, wire.misnamed))
        wire = structs.replace(wire, lengths=lengths, misnamed=misnamed)
    coding_error = None if answer.coding_error is None else redactor.text(answer.coding_error)
    return structs.replace(kept, answer=structs.replace(answer, headers=headers, wire=wire, coding_error=coding_error))
