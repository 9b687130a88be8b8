"""The clauses that a run blames do not depend on the seed, and the smallest request is the smallest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest

from conformance.judge.build import report_on
from conformance.judge.report import Report, Status
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.variants import VARIANTS, Variant
from conformance.spec.operation import declaring
from helpers.generated_runs import generated_run
from helpers.reference_runs import is_in_bytes, served
from helpers.simulated_runs import Clock, endpoint

RANDOM: Final[dict[str, str]] = {}
"""Faults whose findings depend on chance, and why."""
SEEDS: Final = range(10)
SAMPLE: Final = ("query-fails", "any-type-refused", "knows-no-weights", "filters-by-a-parameter")
"""Faults for which the blamed clauses once depended on the seed."""
Refuses = Callable[[IncomingRequest], bool]


def blamed(report: Report) -> list[str]:
    """Return the clauses that a run blames."""
    return [result.id for result in report.clauses if result.evidence or result.status is Status.ERROR]


def with_fault(name: str, seed: int) -> list[str]:
    """Return the clauses that a run against a fault blames. It only reads."""
    fault = FAULTS[name]
    if is_in_bytes(fault):
        run = served(name, whole=True, seed=seed)
        return blamed(report_on(run.transcript, run.settings.judging))
    document = declaring(fault.declared) if fault.declared else None
    return blamed(generated_run(*endpoint(fault=name), seed, dialect=fault.dialect, document=document))


@pytest.mark.parametrize("name", SAMPLE)
def test_two_seeds_blame_the_same_clauses(name: str) -> None:
    assert with_fault(name, 1) == with_fault(name, 3)


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name in FAULTS if name not in RANDOM])
def test_every_seed_blames_the_same_clauses(name: str) -> None:
    seeds = SEEDS[:3] if is_in_bytes(FAULTS[name]) else SEEDS
    found = {seed: with_fault(name, seed) for seed in seeds}
    assert all(clauses == found[0] for clauses in found.values()), found


def accused(name: str, seed: int) -> list[str]:
    """Return the clauses that a run against a conforming variant blames."""
    return blamed(generated_run(*endpoint(name), seed, dialect=VARIANTS[name].dialect))


def test_a_server_that_heeds_accept_on_two_lines_is_not_blamed() -> None:
    assert accused("not-acceptable", 1) == []


@pytest.mark.deep
@pytest.mark.parametrize("name", VARIANTS)
def test_no_seed_blames_a_conforming_variant(name: str) -> None:
    assert {seed: found for seed in SEEDS[:3] if (found := accused(name, seed))} == {}


def refusing(refuses: Refuses, seed: int) -> Report:
    """Return the report on a server that answers some reads with 500."""

    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        return reply.error(500, "Something went wrong.") if ask.method == "GET" and refuses(ask) else reply

    clock = Clock()
    variant = Variant("refuses", "", Twist(replies=replies))
    return generated_run(Reference(variant, None, path="/api/queue", clock=clock, key=None), clock, seed)


def parts(curl: str) -> list[str]:
    """Return the headers and query parameters of a command, without those of every request."""
    headers = re.findall(r"-H '([\w-]+):", curl)
    usual = {"User-Agent", "Accept", "Accept-Encoding"}
    query = re.findall(r"[?&]([^=&']*)=", curl)
    return [*(name for name in headers if name not in usual), *query]


@pytest.mark.parametrize("seed", [1, 3])
def test_the_smallest_request_has_nothing_that_is_not_needed(seed: int) -> None:
    report = refusing(lambda ask: bool(ask.query) or ask.header("range") is not None, seed)
    assert blamed(report) == ["http.query", "error.optional-header"]
    for clause, needed in (("error.optional-header", ["Range"]), ("http.query", None)):
        smallest = report.clause(clause).smallest
        assert smallest is not None
        (curl,) = smallest.curl
        assert len(parts(curl)) == 1
        assert needed in (None, parts(curl))


@pytest.mark.parametrize("seed", [1, 3])
def test_a_coding_that_is_refused_is_not_blamed_on_what_was_sent_with_it(seed: int) -> None:
    report = refusing(lambda ask: (ask.header("accept-encoding") or "").startswith("x-gzip"), seed)
    assert blamed(report) == ["status.steady"]
    assert report.properties is not None
    family = report.properties.family("content negotiation")
    assert [broken.clause for broken in family.broken] == ["status.steady"]


@pytest.mark.parametrize("name", ["thirty-a-minute", "thirty-a-minute-without-retry-after"])
def test_a_run_that_ends_early_counts_the_requests_that_it_sent(name: str) -> None:
    report = generated_run(*endpoint(name), 1)
    found = report.properties
    assert found is not None
    assert found.stopped is not None
    sent = [each for each in report.exchanges if each.request.purpose.startswith("generated")]
    served = [each for each in sent if each.response is not None and each.response.status == 200]
    assert found.examples == sum(family.sent for family in found.families) == len(served) > 0
