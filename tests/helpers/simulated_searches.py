"""Runs with generated requests, played against the reference endpoint without a network, to try many seeds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.judge import Bench, judge
from conformance.judge.report import Report
from conformance.probe.limits import Bounds
from conformance.probe.plan import begin, generating
from conformance.probe.requests import Ask
from conformance.properties.drawing import temporary_storage
from conformance.properties.model import Properties
from conformance.properties.requests import Prepared, Source
from conformance.properties.required import required_by
from conformance.properties.search import Wire, search
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.variants import VARIANTS
from conformance.run.settings import Settings
from conformance.spec.operation import Described, declaring, shipped
from helpers.simulated_runs import START, Clock, Played, endpoint

DEFAULT = Properties().number


@cache
def prepared(seed: int, number: int = DEFAULT, described: Described | None = None) -> Prepared:
    """Return the generated requests of a seed, which many endpoints are sent."""
    with temporary_storage():
        return Source(described or shipped(), seed).requests(number)


def searched(name: str, seed: int, number: int = DEFAULT) -> Report:
    """Return the report on a run against the endpoint with a fault or a variant of this name."""
    fault = FAULTS.get(name)
    reference, clock = endpoint(name, name if fault else None)
    dialect = fault.dialect if fault else VARIANTS[name].dialect
    document = declaring(fault.declared) if fault is not None and fault.declared else None
    return ran(reference, clock, seed, Settings(dialect=Dialect(dialect), document=document), number)


def ran(reference: Reference, clock: Clock, seed: int, settings: Settings, number: int = DEFAULT) -> Report:
    """Return the report on a run against an endpoint, from the first read of the plan to the last generated request."""
    described = settings.document
    required = None if described is None else required_by(described)
    client = Played(reference, clock, None, Bounds(max_requests=900), required=required)
    with asyncio.Runner() as runner:
        stopped = runner.run(begin(client, keyed=reference.key is not None, max_requests=900))
        asker = generating(client)
        client.counting = False

        def send(asks: Sequence[Ask]) -> list[Exchange]:
            return runner.run(asker.all(asks))

        def scatter(asks: Sequence[Ask]) -> list[list[Exchange]]:
            return runner.run(asker.side_by_side(asks))

        bench = Bench(judge(client.ledger, settings.dialect, only=(), schemas=settings.schemas).demand)
        known = bench.broken_by(exchange for exchange in client.ledger if exchange.request.usual)
        wire = Wire(send, scatter, bench.broken_by)
        found = search(prepared(seed, number, described), wire, known, Properties(number, seed))
    transcript = Transcript(tuple(client.ledger), "played", START, client.monotonic(), stopped, found)
    return report_on(transcript, settings.judging)
