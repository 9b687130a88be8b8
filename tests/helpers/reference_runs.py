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
from conformance.reference.faults import FAULTS
from conformance.reference.server import serve
from conformance.reference.tolerances import TABLE
from conformance.reference.variants import OPEN, VARIANTS
from conformance.run.ask import ask
from conformance.run.settings import Settings
from conformance.spec.operation import declaring
from helpers.simulated_runs import POPULATE, START, endpoint, played, ran

BOUNDS: Final = Bounds(exchange_timeout=60.0, max_body=8 << 20, max_requests=600)
PATIENT: Final = Bounds(exchange_timeout=0.5)
"""For targets that never answer: how long we wait is what the test takes."""
TABULATED: Final = frozenset(row.name for row in TABLE)
"""Variants that need no network to show what they do: they are asked on a clock that the test drives."""
STALLING: Final = ("never-answers", "drips")


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


def asked(name: str, *, whole: bool = False) -> Asked:
    """Run against the endpoint with a fault or a variant of this name.

    One that limits the rate is asked without a network, on a clock that the test drives, and nothing is submitted.
    Without ``whole``, the run only reads. With it, the run submits jobs if the endpoint takes some (without a network,
    on a clock that the test drives), and sends generated requests if only these show the fault.
    """
    fault = FAULTS.get(name)
    takes_jobs = VARIANTS[fault.variant if fault else name].board is not None
    return _asked(name, whole=whole and (takes_jobs or (fault is not None and fault.hidden)))


@lru_cache(maxsize=8)
def _asked(name: str, *, whole: bool) -> Asked:
    fault = FAULTS.get(name)
    variant = VARIANTS[fault.variant if fault else name]
    dialect = Dialect(fault.dialect if fault else variant.dialect)
    if variant.door != OPEN:
        run = ran(*endpoint(variant.name), None, bounds=Bounds())
        transcript = Transcript(tuple(run.client.ledger), "played", START, run.client.monotonic(), run.stopped)
        return Asked(name, transcript, Settings(dialect=dialect))
    if whole and variant.board is not None:
        writes = Writes(populate=True, clear=fault is None or fault.clause == "lifecycle.clear.empties")
        run = played(variant.name, fault.name if fault else None, writes, dialect=dialect)
        end = run.client.monotonic()
        transcript = Transcript(tuple(run.client.ledger), "played", START, end, run.stopped)
        return Asked(name, transcript, Settings(dialect=dialect, writes=POPULATE))
    if fault is None and name in TABULATED:
        run = ran(*endpoint(name), None, bounds=BOUNDS)
        transcript = Transcript(tuple(run.client.ledger), "played", START, run.client.monotonic(), run.stopped)
        return Asked(name, transcript, Settings(dialect=dialect))
    with serve(variant=variant.name, fault=fault.name if fault else None) as served:
        settings = Settings(
            target=served.url,
            key=Secret(served.key) if served.key else None,
            key_source="COMFY_API_KEY" if served.key else None,
            dialect=dialect,
            bounds=PATIENT if name in STALLING else BOUNDS,
            properties=Properties(seed=4711, example_database="none") if whole else None,
            document=declaring(fault.declared) if fault is not None and fault.declared else None,
        )
        return Asked(name, ask(settings), settings)
