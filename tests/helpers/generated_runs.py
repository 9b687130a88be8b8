"""Runs with generated requests against the reference endpoint, without a network, on a simulated clock."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Final

from conformance.contract.terms import Dialect
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.report import Report
from conformance.probe.limits import Bounds
from conformance.probe.plan import begin, end, generating
from conformance.properties.generation import Properties
from conformance.properties.request_source import Prepared, RequestSource
from conformance.properties.required import declared_values, required_by
from conformance.properties.search import Senders, search_after
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.variants import VARIANTS
from conformance.run.settings import Settings
from conformance.spec.operation import Described, declaring, vendored
from helpers.simulated_runs import START, Clock, Played, endpoint

MOST: Final = 600
"""Maximum number of requests in addition to the generated requests."""


@cache
def prepared(seed: int, number: int, described: Described | None = None) -> Prepared:
    """Return the requests that are generated from a seed."""
    return RequestSource(described or vendored(), seed).requests(number)


def run_with_seed(name: str, seed: int) -> Report:
    """Return the report on the endpoint with a fault or a variant of this name. The run only reads."""
    fault = FAULTS.get(name)
    if fault is None:
        return generated_run(*endpoint(name), seed, dialect=VARIANTS[name].dialect)
    document = declaring(fault.declared) if fault.declared else None
    return generated_run(*endpoint(fault=name), seed, dialect=fault.dialect, document=document)


def generated_run(
    reference: Reference, clock: Clock, seed: int, *, dialect: str = "cloud", document: Described | None = None
) -> Report:
    """Return the report on a run with the fixed requests and those generated from a seed."""
    required = None if document is None else required_by(document)
    declared = 0 if document is None else declared_values(document)
    client = Played(reference, clock, None, Bounds(max_requests=MOST), required=required)
    keyed, properties, read_as = reference.key is not None, Properties(seed=seed, declared=declared), Dialect(dialect)
    search = None
    with asyncio.Runner() as runner:
        stopped = runner.run(begin(client, keyed=keyed, max_requests=MOST))
        if stopped is None:
            asker = generating(client)
            wire = Senders(
                lambda asks: runner.run(asker.in_turn(asks)), lambda asks: runner.run(asker.side_by_side(asks))
            )
            client.counting = False
            drawn = prepared(seed, properties.wanted, document)
            search = search_after(client.ledger, drawn, wire, properties, dialect=read_as)
            client.counting = True
            stopped = runner.run(end(client, keyed=keyed, max_requests=MOST))
    transcript = Transcript(tuple(client.ledger), "played", START, client.monotonic(), stopped, search)
    return report_on(transcript, Settings(dialect=read_as, document=document).judging)
