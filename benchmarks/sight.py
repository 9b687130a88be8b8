"""Count which faults each library detects in response bodies of the reference endpoint.

Only faults that show in a single body count, not faults in headers or between two responses. For each fault, the
library validates the bodies that differ from what the endpoint sends without the fault. A library detects the fault if
it refuses any of these bodies. The conforming bodies come from the conforming variants.
"""

from __future__ import annotations

from dataclasses import dataclass

from rivals import Passes, refuses

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Demand, Dialect, Level
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.message import IncomingRequest
from conformance.reference.variants import VARIANTS, Variant

NOW = 1_795_000_000.25
READS = 40
"""The number of responses from which bodies are taken, because some faults show only now and then."""


@dataclass(frozen=True)
class Bodies:
    """Bodies by the name of their fault, for faults of must and of should clauses, and conforming bodies by variant."""

    must: dict[str, list[bytes]]
    should: dict[str, list[bytes]]
    conforming: dict[str, list[bytes]]


@dataclass(frozen=True)
class Sight:
    """The names of the faults, and of the conforming variants, whose bodies a library refuses."""

    must: frozenset[str]
    should: frozenset[str]
    conforming: frozenset[str]


def _bodies(variant: Variant, fault: Fault | None) -> list[bytes]:
    key = "any" if variant.needs_key else None
    reference = Reference(variant, fault, key=key, clock=lambda: NOW)
    ask = IncomingRequest("GET", "/api/queue", headers=(("X-API-Key", "any"), ("Accept", "*/*")))
    replies = [reference.answer(ask) for _ in range(READS)]
    return [b"" if reply.status != 200 or "Content-Encoding" in reply.headers else reply.body for reply in replies]


def _of_one_body(fault: Fault) -> bool:
    clause = BY_ID.get(fault.clause)
    return clause is not None and (clause.of_body is not None or clause.subject == "json")


def bodies(most: int) -> Bodies:
    """Return the bodies of at most ``most`` faults, which are the same every time."""
    demand = Demand.of(Dialect.CLOUD)
    found: dict[Level | None, dict[str, list[bytes]]] = {Level.MUST: {}, Level.SHOULD: {}}
    for fault in list(FAULTS.values())[-most:]:
        variant = VARIANTS[fault.variant]
        if fault.dialect != "cloud" or fault.needs_jobs or not _of_one_body(fault):
            continue
        pairs = zip(_bodies(variant, None), _bodies(variant, fault), strict=True)
        lies = list(dict.fromkeys(body for plain, body in pairs if body and body != plain))
        if lies:
            found[BY_ID[fault.clause].level_in(demand)][fault.name] = lies
    conforming = {
        name: answers[:1]
        for name, variant in VARIANTS.items()
        if variant.dialect == "cloud" and variant.board is None and (answers := _bodies(variant, None))[0]
    }
    return Bodies(found[Level.MUST], found[Level.SHOULD], conforming)


def sight(passes: Passes, known: Bodies) -> Sight:
    """Let a library validate all bodies, and return the names of the faults and variants whose bodies it refuses."""
    seen = [
        frozenset(
            name for name, bodies_with_fault in kind.items() if any(refuses(passes, body) for body in bodies_with_fault)
        )
        for kind in (known.must, known.should, known.conforming)
    ]
    return Sight(*seen)
