"""The exchanges of a whole run against the reference endpoint, with each variant and each fault.

Several test files judge the same exchanges. Tests parametrized with the same name by ``asked_of`` (see conftest.py) run
in one process, so that the requests are sent only once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange
from conformance.exchange.secrets import Secret
from conformance.exchange.transcript import Transcript
from conformance.judge.report import Report, Status
from conformance.probe.limits import Bounds, ServerChanges
from conformance.properties.generation import Properties
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.server import serve
from conformance.reference.tolerances import TABLE
from conformance.reference.variants import OPEN, VARIANTS
from conformance.run.one_run import ask
from conformance.run.settings import Settings
from conformance.spec.operation import declaring
from helpers.simulated_runs import POPULATE, START, Run, endpoint, played, ran

BOUNDS: Final = Bounds(exchange_timeout=60.0, max_body=8 << 20, max_requests=600)
PATIENT: Final = Bounds(exchange_timeout=0.5)
"""Limits for targets that never respond. The timeout is short, because it decides how long the test takes."""
TABULATED: Final = frozenset(row.name for row in TABLE)
"""Variants that can be tested without a network. Runs against them use a simulated clock."""
STALLING: Final = ("never-answers", "drips")
TWO_LINES: Final = "two-lines-of-one-type"
"""A fault that sends a header line twice. Without a network, the two lines become one field."""


def needs_connection(fault: Fault) -> bool:
    """Whether a fault shows only on a connection: in its bytes or timing, with a key, or to generated requests."""
    return is_in_bytes(fault) or fault.needs_key or fault.hidden or fault.under_load


def is_in_bytes(fault: Fault) -> bool:
    """Whether a fault is in the bytes on a connection or in their timing, so that a run needs a network to see it."""
    in_bytes = fault.twist.plays is not None or fault.clause.startswith("framing.") or fault.name == TWO_LINES
    return in_bytes or fault.inconclusive


@dataclass(frozen=True)
class Asked:
    """A run against the endpoint with a fault or variant, which is not judged yet."""

    name: str
    transcript: Transcript
    settings: Settings

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All requests with their responses."""
        return self.transcript.exchanges


def accused(report: Report) -> list[str]:
    """Return the ids of clauses that a run reports as broken, or whose check failed, in the catalogue's order."""
    return [result.id for result in report.clauses if result.evidence or result.status is Status.ERROR]


def first_of_its_clause(fault: Fault) -> bool:
    """Whether no fault before this one breaks the same clause."""
    return fault is next(other for other in FAULTS.values() if other.clause == fault.clause)


def asked(name: str, *, whole: bool = False) -> Asked:
    """Return a run against the endpoint with this fault or variant. Runs are cached.

    Without ``whole``, the run only reads. With ``whole``, it submits jobs if the endpoint accepts jobs, and sends
    generated requests if only these show the fault. If the fault shows without a connection, the run uses no network
    and a simulated clock, which takes a fifth of the time. ``served`` always uses loopback.
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
        server_changes = ServerChanges(populate=True, clear=fault is None or fault.clause == "lifecycle.clear.empties")
        run = played(variant.name, broken, server_changes, dialect=_dialect(name))
        return _simulated(name, run, server_changes=POPULATE)
    if name in TABULATED or (fault is not None and not needs_connection(fault)):
        run = ran(*endpoint(variant.name, broken), None, bounds=BOUNDS)
        return _simulated(name, run)
    return served(name, whole=whole)


def _dialect(name: str) -> Dialect:
    return Dialect(FAULTS[name].dialect if name in FAULTS else VARIANTS[name].dialect)


def _simulated(name: str, run: Run, *, server_changes: ServerChanges | None = None) -> Asked:
    transcript = Transcript(tuple(run.client.ledger), "played", START, run.client.monotonic(), run.stopped)
    return Asked(name, transcript, Settings(dialect=_dialect(name), server_changes=server_changes))


def served(name: str, *, whole: bool = False, seed: int = 4711) -> Asked:
    """Return a run over loopback against the endpoint with this fault or variant.

    With ``whole``, it sends generated requests from this seed.
    """
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
