"""How the number of checked and violating responses becomes the result of a clause."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, NO_ERROR_RESPONSE, Demand, Dialect, Level
from conformance.judge.outcome import Counted, broken_in, outcome
from conformance.judge.report import Evidence, Fingerprint, Status

EVIDENCE = (Evidence(exchange="x1", pointer="/a", expected="e", got="g", message="m"),)
FINGERPRINTS = (Fingerprint(place="/a", kind=""),)
MUST, SHOULD = "item.array", "item.output-node-ids.distinct"


class Case(NamedTuple):
    """What was counted for a clause, and the status and the reason that follow from it."""

    clause: str
    counted: Counted
    status: Status
    reason: str


def counted(judged: int, breached: int, **more: str) -> Counted:
    return Counted(judged, breached, EVIDENCE, FINGERPRINTS, **more)


CASES = [
    Case(MUST, Counted(), Status.NOT_EXERCISED, f"needs {BY_ID[MUST].needs}"),
    Case(MUST, counted(0, 0, left_out="x"), Status.NOT_EXERCISED, f"needs {BY_ID[MUST].needs}; x"),
    Case(MUST, counted(1, 0), Status.PASS, "kept in 1 response"),
    Case(MUST, counted(1200, 0), Status.PASS, "kept in 1,200 responses"),
    Case(MUST, counted(1, 1), Status.FAIL, "broken in 1 of 1 response"),
    Case(MUST, counted(2000, 1500), Status.FAIL, "broken in 1,500 of 2,000 responses"),
    Case(MUST, counted(2, 1, left_out="x"), Status.FAIL, "broken in 1 of 2 responses; x"),
    Case(SHOULD, counted(3, 1), Status.WARN, "broken in 1 of 3 responses"),
    Case(SHOULD, counted(3, 0), Status.PASS, "kept in 3 responses"),
    Case(MUST, counted(3, 1, error="E: boom"), Status.ERROR, "the suite itself failed: E: boom. Please report this"),
    Case(MUST, Counted(error="boom"), Status.ERROR, "the suite itself failed: boom. Please report this"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_count_becomes_a_status_with_a_reason(case: Case) -> None:
    found = outcome(BY_ID[case.clause], AS_THE_DOCUMENT_SAYS, case.counted)
    assert (found.status, found.reason) == (case.status, case.reason)
    assert (found.judged, found.breached) == (case.counted.judged, case.counted.breached)
    broken = case.status in {Status.FAIL, Status.WARN}
    assert found.evidence == (EVIDENCE if broken else ())
    assert found.fingerprints == (FINGERPRINTS if broken else ())


def test_a_violated_info_clause_passes_and_shows_the_evidence() -> None:
    clause = dataclasses.replace(BY_ID[MUST], level=Level.INFO)
    found = outcome(clause, AS_THE_DOCUMENT_SAYS, counted(1, 1))
    assert (found.status, found.level, found.evidence) == (Status.PASS, "info", EVIDENCE)
    kept = outcome(clause, AS_THE_DOCUMENT_SAYS, counted(1, 0))
    assert (kept.evidence, kept.fingerprints) == ((), ())


def test_the_result_says_what_the_clause_says() -> None:
    clause = BY_ID[MUST]
    found = outcome(clause, AS_THE_DOCUMENT_SAYS, counted(1, 0))
    assert (found.id, found.title, found.level, found.core) == (clause.id, clause.title, "must", clause.core)
    assert (found.since, found.source, found.why) == (clause.since, clause.source, clause.why)


@pytest.mark.parametrize(
    ("clause", "judged", "breached", "words"),
    [
        ("reads.order", 1, 1, "broken in this run"),
        ("lifecycle.listed", 1, 1, "broken in this run"),
        ("reads.order", 2, 1, "broken in 1 of 2 responses"),
        ("lifecycle.listed", 2, 2, "broken in 2 of 2 responses"),
        ("item.array", 1, 1, "broken in 1 of 1 response"),
        ("status.reads", 1, 1, "broken in 1 of 1 response"),
        ("reads.order", 0, 0, "broken in 0 of 0 responses"),
    ],
)
def test_only_a_clause_about_the_whole_run_is_broken_in_the_run(
    clause: str, judged: int, breached: int, words: str
) -> None:
    assert broken_in(clause, breached, judged) == words


# --- clauses that the dialect does not check --------------------------------------------------------------------------

NO_ORDER_YET = "needs a job that shows the dialect: "


@pytest.mark.parametrize(
    ("demand", "clause", "status", "reason"),
    [
        (Dialect.CLOUD, "document.response-schema", Status.NOT_APPLICABLE, "checked only with --document"),
        (Dialect.AUTO, "document.response-schema", Status.NOT_APPLICABLE, "checked only with --document"),
        (Dialect.AUTO, "item.element-order", Status.NOT_APPLICABLE, BY_ID["item.element-order"].elsewhere),
        (Dialect.OSS, "error.code", Status.NOT_APPLICABLE, NO_ERROR_RESPONSE.says),
        (Dialect.AUTO, "error.code", Status.NOT_EXERCISED, NO_ORDER_YET + NO_ERROR_RESPONSE.says),
    ],
)
def test_a_clause_that_the_dialect_does_not_check_is_not_applicable(
    demand: Dialect, clause: str, status: Status, reason: str
) -> None:
    found = outcome(BY_ID[clause], Demand.of(demand), counted(5, 5))
    assert (found.status, found.reason) == (status, reason)
    assert found.level == BY_ID[clause].level.value
    assert (found.judged, found.breached, found.evidence, found.fingerprints) == (0, 0, (), ())


def test_a_clause_of_the_other_dialect_is_not_applicable_when_the_order_is_known() -> None:
    demand = Demand.detected(Dialect.OSS, "/queue_running/0")
    found = outcome(BY_ID["error.code"], demand, counted(5, 5))
    assert (found.status, found.reason) == (Status.NOT_APPLICABLE, NO_ERROR_RESPONSE.says)
