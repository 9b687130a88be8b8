"""Parse the body of a response: on the fast path, or in parts if it is large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.known_jobs import ALONE, Shared
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand
from conformance.exchange.stored import StoredBody
from conformance.text.json_bytes import LARGE

if TYPE_CHECKING:
    from conformance.contract.reading.large import LargeReading


def reading_of(
    content: bytes | StoredBody,
    demand: Demand = AS_THE_DOCUMENT_SAYS,
    *,
    must_only: bool = False,
    shared: Shared = ALONE,
) -> FastReading | LargeReading:
    """Return the parsed form of a body."""
    if isinstance(content, bytes) and len(content) <= LARGE:
        return FastReading(content, demand, must_only=must_only, shared=shared)
    from conformance.contract.reading.large import LargeReading  # few bodies are large, and importing takes long

    return LargeReading(content, demand, must_only=must_only, shared=shared)
