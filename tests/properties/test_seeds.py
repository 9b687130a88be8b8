"""What a default number of generated requests finds, whatever the seed, and that it accuses no conforming server."""

from __future__ import annotations

from random import Random

import pytest

from conformance.judge.report import Report, Status, Verdict
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.faults.registry import each_item
from conformance.reference.variants import VARIANTS, Variant
from conformance.spec.operation import declaring
from helpers.generated_runs import generated_run
from helpers.simulated_runs import Clock, endpoint

HIDDEN = sorted({fault.name for fault in FAULTS.values() if fault.hidden} | {"xml-to-browsers"})
"""Faults that show only for some requests. ``test_faults.py`` finds each with one seed."""

PLAN = 40
"""At least as many as the reads of the fixed plan."""


def searched(name: str, seed: int) -> Report:
    """Return the report on the endpoint with a fault or a variant of this name."""
    fault = FAULTS.get(name)
    if fault is None:
        return generated_run(*endpoint(name), seed, dialect=VARIANTS[name].dialect)
    document = declaring(fault.declared) if fault.declared else None
    return generated_run(*endpoint(fault=name), seed, dialect=fault.dialect, document=document)


def is_found(name: str, report: Report) -> bool:
    """Return whether a run broke the clause of a fault, or was inconclusive if the fault breaks none."""
    clause = FAULTS[name].clause
    return bool(report.clause(clause).evidence) if clause else report.verdict is Verdict.INCONCLUSIVE


def accused(report: Report) -> list[str]:
    return [result.id for result in report.clauses if result.evidence or result.status is Status.ERROR]


@pytest.mark.deep
@pytest.mark.parametrize("name", HIDDEN)
def test_a_fault_of_some_requests_is_found_with_20_of_20_seeds(name: str) -> None:
    assert [seed for seed in range(20) if not is_found(name, searched(name, seed))] == []


def with_a_fault_of_one_answer_in_thirteen(seed: int) -> Report:
    """Return the report on an endpoint whose items have four elements in a random thirteenth of its responses.

    The fault begins after the reads of the fixed plan, so that only generated requests can find it.
    """
    random, clock = Random(seed), Clock()  # noqa: S311 - not a secret
    fault = each_item(lambda item: item[:4], when=lambda ask: ask.read > PLAN and random.randrange(13) == 0)
    variant = Variant("broken", "", twist=fault)
    return generated_run(Reference(variant, None, path="/api/queue", clock=clock, key=None), clock, seed)


@pytest.mark.deep
def test_a_fault_of_one_answer_in_thirteen_is_found_with_19_of_20_seeds() -> None:
    reports = [with_a_fault_of_one_answer_in_thirteen(seed) for seed in range(20)]
    assert sum(report.clause("item.five-elements").status is Status.FAIL for report in reports) >= 19


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 201))])
def test_no_seed_accuses_a_conforming_variant(seed: int) -> None:
    """Each seed is sent to some of the variants; 200 of them reach every variant several times."""
    names = list(VARIANTS)[seed % 40 :: 40]
    assert {name: accused(searched(name, seed)) for name in names} == {name: [] for name in names}
