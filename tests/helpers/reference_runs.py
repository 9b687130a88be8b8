"""What the reference endpoint answers to a whole run, under each variant and each fault.

Several test files judge the same exchanges. A test that is parametrized with ``asked_of`` runs beside the others of
the same name (see conftest.py), so that one process sends the requests once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange
from conformance.exchange.secrets import Secret
from conformance.exchange.transcript import Transcript
from conformance.probe.limits import Bounds, Writes
from conformance.properties.model import Properties
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.server import serve
from conformance.reference.tolerances import TABLE
from conformance.reference.variants import OPEN, VARIANTS
from conformance.run.ask import ask
from conformance.run.settings import Settings
from conformance.spec.operation import declaring
from helpers.simulated_runs import POPULATE, START, Run, endpoint, played, ran

BOUNDS: Final = Bounds(exchange_timeout=60.0, max_body=8 << 20, max_requests=600)
PATIENT: Final = Bounds(exchange_timeout=0.5)
"""For targets that never answer: how long we wait is what the test takes."""
TABULATED: Final = frozenset(row.name for row in TABLE)
"""Variants that need no network to show what they do: they are asked on a clock that the test drives."""
STALLING: Final = ("never-answers", "drips")
TWO_LINES: Final = "two-lines-of-one-type"
"""A fault in the header lines themselves: without a network, they are read into one field."""


def needs_connection(fault: Fault) -> bool:
    """Whether a fault shows only in bytes on a connection, in their pace, with a key, or to generated requests."""
    return is_in_bytes(fault) or fault.needs_key or fault.hidden or fault.under_load


def is_in_bytes(fault: Fault) -> bool:
    """Whether a fault is in the bytes on a connection, or in their pace, which a run without a network lacks."""
    in_bytes = fault.twist.plays is not None or fault.clause.startswith("framing.") or fault.name == TWO_LINES
    return in_bytes or fault.inconclusive


@dataclass(frozen=True)
class Asked:
    """A run against the endpoint with this fault or variant, not judged yet."""

    name: str
    transcript: Transcript
    settings: Settings

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All requests with their responses."""
        return self.transcript.exchanges


def first_of_its_clause(fault: Fault) -> bool:
    """Whether no fault before this one breaks the same clause."""
    return fault is next(other for other in FAULTS.values() if other.clause == fault.clause)


def asked(name: str, *, whole: bool = False) -> Asked:
    """Run against the endpoint with a fault or a variant of this name.

    Without ``whole``, the run only reads. With it, the run submits jobs if the endpoint takes some, and sends
    generated requests if only these show the fault. Whatever needs no connection to show is asked without a network,
    on a clock that the test drives: this takes a fifth of the time. ``served`` asks over loopback instead.
    """
    fault = FAULTS.get(name)
    takes_jobs = VARIANTS[fault.variant if fault else name].board is not None
    return _asked(name, whole=whole and (takes_jobs or (fault is not None and fault.hidden)))


@lru_cache(maxsize=8)
def _asked(name: str, *, whole: bool) -> Asked:
    fault = FAULTS.get(name)
    broken = fault.name if fault else None
    variant = VARIANTS[fault.variant if fault else name]
    if variant.door != OPEN:
        return _simulated(name, ran(*endpoint(variant.name), None, bounds=Bounds()))
    if whole and variant.board is not None:
        writes = Writes(populate=True, clear=fault is None or fault.clause == "lifecycle.clear.empties")
        run = played(variant.name, broken, writes, dialect=_dialect(name))
        return _simulated(name, run, writes=POPULATE)
    if name in TABULATED or (fault is not None and not needs_connection(fault)):
        run = ran(*endpoint(variant.name, broken), None, bounds=BOUNDS)
        return _simulated(name, run)
    return served(name, whole=whole)


def _dialect(name: str) -> Dialect:
    return Dialect(FAULTS[name].dialect if name in FAULTS else VARIANTS[name].dialect)


def _simulated(name: str, run: Run, *, writes: Writes | None = None) -> Asked:
    transcript = Transcript(tuple(run.client.ledger), "played", START, run.client.monotonic(), run.stopped)
    return Asked(name, transcript, Settings(dialect=_dialect(name), writes=writes))


def served(name: str, *, whole: bool = False, seed: int = 4711) -> Asked:
    """Run against the endpoint over loopback, with generated requests of a seed if ``whole``."""
    fault = FAULTS.get(name)
    with serve(variant=fault.variant if fault else name, fault=fault.name if fault else None) as running:
        settings = Settings(
            target=running.url,
            key=Secret(running.key) if running.key else None,
            key_source="COMFY_API_KEY" if running.key else None,
            dialect=_dialect(name),
            bounds=PATIENT if name in STALLING else BOUNDS,
            properties=Properties(seed=seed, example_database="none") if whole else None,
            document=declaring(fault.declared) if fault is not None and fault.declared else None,
        )
        return Asked(name, ask(settings), settings)
