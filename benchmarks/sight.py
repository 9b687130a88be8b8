"""How many faults each of them sees: bodies of the reference endpoint, which lies in one thing at a time.

Bodies are taken where a fault makes some that differ from what the same endpoint says without it, at the same time, and
where one body is enough to see it: what shows only between two answers, or in a header, is nobody's to find here. A
fault is seen by who refuses any of them.
Conforming bodies are those of the variants that keep the contract.
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
"""Some lie in every so many answers alone."""


@dataclass(frozen=True)
class Bodies:
    """Bodies by the name of the fault that is told in them, by the level that it breaks; and conforming ones."""

    must: dict[str, list[bytes]]
    should: dict[str, list[bytes]]
    conforming: dict[str, list[bytes]]


@dataclass(frozen=True)
class Sight:
    """The names of what one refuses."""

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
    """Make them, of so many faults at most; the same every time."""
    demand = Demand.of(Dialect.CLOUD)
    found: dict[Level | None, dict[str, list[bytes]]] = {Level.MUST: {}, Level.SHOULD: {}}
    for fault in list(FAULTS.values())[-most:]:
        variant = VARIANTS[fault.variant]
        if fault.dialect != "cloud" or fault.needs_jobs or not _of_one_body(fault):
            continue
        pairs = zip(_bodies(variant, None), _bodies(variant, fault), strict=True)
        lies = list(dict.fromkeys(told for plain, told in pairs if told and told != plain))
        if lies:
            found[BY_ID[fault.clause].level_in(demand)][fault.name] = lies
    conforming = {
        name: answers[:1]
        for name, variant in VARIANTS.items()
        if variant.dialect == "cloud" and variant.board is None and (answers := _bodies(variant, None))[0]
    }
    return Bodies(found[Level.MUST], found[Level.SHOULD], conforming)


def sight(passes: Passes, known: Bodies) -> Sight:
    """Give one every body, and return what it refuses of each kind."""
    seen = [
        frozenset(name for name, told in kind.items() if any(refuses(passes, body) for body in told))
        for kind in (known.must, known.should, known.conforming)
    ]
    return Sight(*seen)
