"""What generated requests find does not depend on the seed: each fault, the same clauses, no conforming server."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Final

import pytest

from conformance.judge.build import report_on
from conformance.judge.report import Report, Status, Verdict
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.faults.registry import each_item
from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.variants import VARIANTS, Variant
from conformance.spec.operation import Described, declaring
from helpers.generated_runs import generated_run, run_with_seed
from helpers.reference_runs import accused, is_in_bytes, served
from helpers.simulated_runs import Clock, endpoint

HIDDEN = sorted({fault.name for fault in FAULTS.values() if fault.hidden} | {"xml-to-browsers"})
"""Faults that show only for some requests. ``test_faults.py`` finds each with one seed."""

PLAN = 40
"""At least as many as the reads of the fixed plan."""


def is_found(name: str, report: Report) -> bool:
    """Return whether a run broke the clause of a fault, or was inconclusive if the fault breaks none."""
    clause = FAULTS[name].clause
    return bool(report.clause(clause).evidence) if clause else report.verdict is Verdict.INCONCLUSIVE


@pytest.mark.deep
@pytest.mark.parametrize("name", HIDDEN)
def test_a_fault_of_some_requests_is_found_with_20_of_20_seeds(name: str) -> None:
    assert [seed for seed in range(20) if not is_found(name, run_with_seed(name, seed))] == []


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
    assert {name: accused(run_with_seed(name, seed)) for name in names} == {name: [] for name in names}


# --- the same clauses whatever the seed, and the smallest request ----------------------------------------------------


RANDOM: Final[dict[str, str]] = {}
"""Faults whose findings depend on chance, and why."""
SEEDS: Final = range(10)
SAMPLE: Final = ("query-fails", "any-type-refused", "knows-no-weights", "filters-by-a-parameter")
"""Faults for which the blamed clauses once depended on the seed."""
Refuses = Callable[[IncomingRequest], bool]


def with_fault(name: str, seed: int) -> list[str]:
    """Return the clauses that a run against a fault blames. It only reads."""
    if is_in_bytes(FAULTS[name]):
        run = served(name, whole=True, seed=seed)
        return accused(report_on(run.transcript, run.settings.judging))
    return accused(run_with_seed(name, seed))


@pytest.mark.parametrize("name", SAMPLE)
def test_two_seeds_blame_the_same_clauses(name: str) -> None:
    assert with_fault(name, 1) == with_fault(name, 3)


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name in FAULTS if name not in RANDOM])
def test_every_seed_blames_the_same_clauses(name: str) -> None:
    seeds = SEEDS[:3] if is_in_bytes(FAULTS[name]) else SEEDS
    found = {seed: with_fault(name, seed) for seed in seeds}
    assert all(clauses == found[0] for clauses in found.values()), found


def test_a_server_that_heeds_accept_on_two_lines_is_not_blamed() -> None:
    assert accused(run_with_seed("not-acceptable", 1)) == []


@pytest.mark.deep
@pytest.mark.parametrize("name", VARIANTS)
def test_no_seed_blames_a_conforming_variant(name: str) -> None:
    assert {seed: found for seed in SEEDS[:3] if (found := accused(run_with_seed(name, seed)))} == {}


def refusing(refuses: Refuses, seed: int, document: Described | None = None, status: int = 500) -> Report:
    """Return the report on a server that answers some reads with an error."""

    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        return reply.error(status, "Something went wrong.") if ask.method == "GET" and refuses(ask) else reply

    clock = Clock()
    variant = Variant("refuses", "", Twist(replies=replies))
    reference = Reference(variant, None, path="/api/queue", clock=clock, key=None)
    return generated_run(reference, clock, seed, document=document)


def parts(curl: str) -> list[str]:
    """Return the headers and query parameters of a command, without those of every request."""
    headers = re.findall(r"-H '([\w-]+):", curl)
    usual = {"User-Agent", "Accept", "Accept-Encoding"}
    query = re.findall(r"[?&]([^=&']*)=", curl)
    return [*(name for name in headers if name not in usual), *query]


@pytest.mark.parametrize("seed", [1, 3])
def test_the_smallest_request_has_nothing_that_is_not_needed(seed: int) -> None:
    report = refusing(lambda ask: bool(ask.query) or ask.header("range") is not None, seed)
    assert accused(report) == ["http.query", "error.optional-header"]
    for clause, needed in (("error.optional-header", ["Range"]), ("http.query", None)):
        smallest = report.clause(clause).smallest
        assert smallest is not None
        (curl,) = smallest.curl
        assert len(parts(curl)) == 1
        assert needed in (None, parts(curl))


@pytest.mark.parametrize("seed", [1, 3])
def test_a_coding_that_is_refused_is_not_blamed_on_what_was_sent_with_it(seed: int) -> None:
    report = refusing(lambda ask: (ask.header("accept-encoding") or "").startswith("x-gzip"), seed)
    assert accused(report) == ["status.steady"]
    assert report.properties is not None
    family = report.properties.family("content negotiation")
    assert [broken.clause for broken in family.broken] == ["status.steady"]


DECLARED_BY_USER: Final = declaring(
    [
        {"name": "space", "in": "query", "required": True, "schema": {"enum": ["red", "blue"]}},
        {"name": "X-Tier", "in": "header", "schema": {"enum": ["free", "paid"]}},
        {"name": "depth", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 8}},
    ]
)


@pytest.mark.parametrize(
    ("refuses", "named"),
    [
        (lambda ask: "depth=0" in ask.query, "?depth"),
        (lambda ask: ask.header("x-tier") == "paid", "X-Tier"),
        (lambda ask: "space=blue" in ask.query, "?space"),
    ],
)
def test_a_declared_parameter_that_fails_is_named_and_no_other_clause_is_blamed(refuses: Refuses, named: str) -> None:
    report = refusing(refuses, 1, DECLARED_BY_USER)
    assert accused(report) == ["status.steady"]
    evidence = report.clause("status.steady").evidence[0]
    assert f"It has {named}, which your OpenAPI document declares." in evidence.message
    assert (evidence.expected, evidence.got) == ("200 or 400", "500")


def test_other_causes_are_blamed_as_without_a_required_parameter() -> None:
    for refuses, clause in (
        (lambda ask: ask.header("range") is not None, "error.optional-header"),
        (lambda ask: "limit=" in ask.query, "http.query"),
        (lambda ask: ask.header("accept") == "*/*", "http.accept"),
    ):
        assert accused(refusing(refuses, 1, DECLARED_BY_USER)) == [clause]


def test_a_400_to_a_declared_parameter_is_allowed() -> None:
    def refuses(ask: IncomingRequest) -> bool:
        return "depth=" in ask.query or ask.header("x-tier") is not None

    assert accused(refusing(refuses, 1, DECLARED_BY_USER, 400)) == []


@pytest.mark.parametrize("name", ["thirty-a-minute", "thirty-a-minute-without-retry-after"])
def test_a_run_that_ends_early_counts_the_requests_that_it_sent(name: str) -> None:
    report = generated_run(*endpoint(name), 1)
    found = report.properties
    assert found is not None
    assert found.stopped is not None
    sent = [each for each in report.exchanges if each.request.purpose.startswith("generated")]
    served = [each for each in sent if each.response is not None and each.response.status == 200]
    assert found.examples == sum(family.sent for family in found.families) == len(served) > 0
