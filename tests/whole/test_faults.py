"""Every clause catches the fault that is meant for it, and accuses no conforming variant.

``docs/faults.md`` is the table, and these tests measure each row again. ``tox -e docs`` rewrites it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.judge.build import report_on
from conformance.judge.report import Report, Status, Verdict
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.hostile import HOSTILE
from conformance.reference.server import serve
from conformance.reference.variants import VARIANTS
from helpers.locust_runs import loaded
from helpers.profiles import one_in, quick_if
from helpers.reference_runs import accused, asked, first_of_its_clause, needs_connection, served

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
NOT_BROKEN_BY_A_SERVER = {"document.response-schema": "checked only with --document: tests/spec/test_own_document.py"}
"""Clauses without a fault, and why no server can break them."""


def run(name: str) -> Report:
    """Return the report on the reference endpoint with this variant or fault, under load if only load shows it."""
    fault = FAULTS.get(name)
    if fault is not None and fault.under_load:
        with serve(fault=name) as endpoint:
            return loaded(endpoint)
    return checked(name)


def checked(name: str) -> Report:
    """Return the report of ``check``."""
    found = asked(name, whole=True)
    return report_on(found.transcript, found.settings.judging)


def row(fault: Fault, report: Report) -> str:
    """Return the line of the table."""
    found = accused(report)
    unlike = f"the fault {fault.name} does not break {fault.clause}, but {found or 'nothing'}: change one of them"
    assert not fault.clause or fault.clause in found, unlike
    also = ", ".join(f"`{clause}`" for clause in found if clause != fault.clause) or "–"
    if fault.hidden:
        declared = ", ".join(f"`{each['name']}`" for each in fault.declared)
        also = "as the generated requests meet it" + (f", if `--document` declares {declared}" if declared else "")
    aim = f"`{fault.clause}`" if fault.clause else "–"
    return f"| `{fault.name}` | {fault.summary} | {aim} | {also} | {report.verdict.value} |"


def rows() -> dict[str, str]:
    """Return the rows of the page by the name that they begin with."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Hostile endpoints")[0].splitlines()
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


QUICK: Final = {
    *(fault.name for fault in FAULTS.values() if first_of_its_clause(fault) or (fault.hidden and not fault.declared))
}
"""The quick run has the first fault of each clause, and those that only generated requests show."""


@pytest.mark.parametrize("asked_of", quick_if(FAULTS, QUICK.__contains__))
def test_a_fault_is_caught_by_the_clause_that_is_meant_to_catch_it(asked_of: str) -> None:
    fault, report = FAULTS[asked_of], run(asked_of)
    line = row(fault, report)
    if fault.clause:
        result = report.clause(fault.clause)
        kinds = {found.kind for found in result.evidence if found.kind}
        assert kinds <= set(BY_ID[fault.clause].kinds), "name each Cause of the check in kinds=(...) of the clause"
        broken = {"must": Status.FAIL, "should": Status.WARN}[result.level]
        assert result.status is broken
        assert 0 < result.breached <= result.judged
    if fault.inconclusive:
        assert report.verdict is Verdict.INCONCLUSIVE
    assert rows().get(fault.name) == line, "docs/faults.md is stale: run `tox -e docs`"


@pytest.mark.deep
@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if not needs_connection(fault)])
def test_a_fault_shows_the_same_over_a_connection(name: str) -> None:
    """The other tests ask for most faults without a network."""
    simulated, over_loopback = (report_on(run.transcript, run.settings.judging) for run in (asked(name), served(name)))
    assert accused(simulated) == accused(over_loopback)
    assert simulated.verdict is over_loopback.verdict


UNDER_LOAD = [fault for fault in FAULTS.values() if fault.under_load]


@pytest.mark.parametrize("fault", UNDER_LOAD, ids=lambda fault: fault.name)
def test_what_shows_under_load_alone_is_claimed_by_no_check(fault: Fault) -> None:
    assert accused(checked(fault.name)) == []


@pytest.mark.deep
@pytest.mark.parametrize("fault", UNDER_LOAD, ids=lambda fault: fault.name)
def test_what_shows_under_load_alone_is_not_claimed_of_a_little_load(fault: Fault) -> None:
    with serve(fault=fault.name) as endpoint:
        report = loaded(
            endpoint, "--users=2", "--rate-limit=20", "--jobs=3" if fault.needs_jobs else "--quiet", requests=60
        )
    assert accused(report) == []


@pytest.mark.deep
@pytest.mark.parametrize("variant", sorted({fault.variant for fault in UNDER_LOAD}))
def test_under_the_same_load_an_endpoint_without_the_fault_is_not_accused(variant: str) -> None:
    with serve(variant=variant) as endpoint:
        report = loaded(endpoint)
    assert accused(report) == []
    assert report.verdict is not Verdict.NON_CONFORMANT


@pytest.mark.parametrize("asked_of", one_in(2, VARIANTS))
def test_a_conforming_variant_is_accused_by_no_clause(asked_of: str) -> None:
    report = run(asked_of)
    assert accused(report) == []
    assert report.verdict is not Verdict.NON_CONFORMANT
    assert report.run.partial is False


def test_every_clause_has_a_fault_that_breaks_it() -> None:
    aimed_at = {fault.clause for fault in FAULTS.values()} - {""}
    aimed_at |= {hostile.reason for hostile in HOSTILE.values()} & set(BY_ID)  # measured in test_hostile.py
    assert aimed_at <= set(BY_ID), f"no clause has the id {aimed_at - set(BY_ID)}: correct it in the fault"
    without = [clause.id for clause in CATALOGUE if clause.id not in {*aimed_at, *NOT_BROKEN_BY_A_SERVER}]
    assert without == [], "add a fault that breaks each of these clauses to a file of conformance/reference/faults/"


def test_the_page_names_every_fault_and_every_variant_once() -> None:
    text = PAGE.read_text(encoding="utf-8")
    names = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(names) == sorted([*FAULTS, *VARIANTS, *HOSTILE]), "docs/faults.md is stale: run `tox -e docs`"


def page() -> str:
    """Measure everything and return the page."""
    lines = [
        "# Faults and variants of the reference endpoint",
        "",
        "<!-- Generated by `tox -e docs`. Tests measure one fault of each clause again, and all with `--deep`. -->",
        "",
        "`comfy-conformance serve --fault NAME` starts a test server that breaks the contract in one way. For each",
        "fault a test checks that the intended clause catches it. *Also* lists other clauses that the fault breaks.",
        "Faults of submitted jobs are caught with `--populate`. With the default number of generated requests, each",
        "fault that only these show is caught with 20 of 20 seeds (`tests/properties/test_seeds.py`).",
        "",
        "| fault | what the server does | caught by | also | verdict |",
        "|---|---|---|---|---|",
        *(row(fault, run(fault.name)) for fault in FAULTS.values() if not fault.under_load),
        "",
        "## Under load",
        "",
        "These faults show only if many clients read at once, or if several write. `check` does not see them; `load`",
        "does, for the last one with `--populate`.",
        "",
        "| fault | what the server does | caught by | also | verdict |",
        "|---|---|---|---|---|",
        *(row(fault, run(fault.name)) for fault in UNDER_LOAD),
        "",
        "## Variants",
        "",
        "`comfy-conformance serve --variant NAME` starts a server that conforms in an unusual way. No clause accuses",
        "one of them.",
        "",
        "| variant | how it keeps the contract |",
        "|---|---|",
        *(f"| `{variant.name}` | {variant.summary} |" for variant in VARIANTS.values()),
        "",
        "## Hostile endpoints",
        "",
        "`comfy-conformance serve --hostile NAME` starts a server that attacks its client. A run still ends within its",
        "time and memory, without a traceback, and says what happened.",
        "",
        "| server | what it does | outcome |",
        "|---|---|---|",
        *(f"| `{hostile.name}` | {hostile.summary} | {hostile.expected} |" for hostile in HOSTILE.values()),
    ]
    return "\n".join(lines) + "\n"
