"""The clauses and a JSON Schema validator, which share no code, have to agree about every response."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, Level
from conformance.exchange.model import Exchange, Request, Response
from conformance.exchange.recordings import read
from conformance.exchange.transcript import Search, Transcript
from conformance.judge.build import report_on
from conformance.judge.judge import Bench
from conformance.judge.judging import Judging
from conformance.judge.opinion import BEYOND_THE_SCHEMA, RESPONSE_SCHEMA, second_opinion
from conformance.judge.report import Report, Status, Verdict
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.variants import VARIANTS
from conformance.run.corpus import exchanges
from conformance.spec.document import load_corrected
from conformance.spec.operation import Described, vendored
from conformance.spec.schemas import LARGEST, Schemas
from helpers.profiles import quick_if
from helpers.reference_runs import first_of_its_clause

ITEM = [1, "a6a1f0a4-4f5e-4b5e-9d1c-2f6a1d0c9b7e", {"9": {"class_type": "A"}}, ["9"], {"create_time": 1763913600000}]
QUEUE = {"queue_running": [ITEM], "queue_pending": []}


def exchange(content: object, status: int = 200, name: str = "x1") -> Exchange:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    response = Response(status, (("Content-Type", "application/json"),), body)
    return Exchange(name, Request("GET", "http://t/api/queue", (("Accept", "application/json"),)), response)


def reported(*exchanges: Exchange) -> Report:
    search = Search(1, 1, 1, {}, None)
    return report_on(Transcript(exchanges, "http://t", 0.0, 1.0, None, search), Judging())


def changed(**schemas: Any) -> Schemas:
    """Return the schemas of a document that says something else."""
    document = load_corrected()
    document["components"]["schemas"] |= schemas
    found = vendored()
    return Schemas(Described(found.name, found.sha256, document, found.path))


@pytest.mark.parametrize(
    "content",
    [
        QUEUE,
        {"queue_running": None},
        [],
        {"queue_running": [ITEM[:4]]},
        {"queue_running": [[*ITEM[:4], None]]},
        b"{",
        b"NaN",
    ],
)
def test_both_accept_or_both_refuse(content: object) -> None:
    assert second_opinion([exchange(content)], AS_THE_DOCUMENT_SAYS).disagreements == ()


@pytest.mark.parametrize("content", [QUEUE, {"queue_running": None}, [], {"queue_running": [ITEM[:4], [1.0, True]]}])
def test_the_vendored_document_means_the_same_to_jsonschema_and_to_openapi_schema_validator(content: object) -> None:
    """The first validates the vendored document, because it starts faster; the second knows OpenAPI's own keywords."""
    body = json.dumps(content).encode()
    as_json_schema, as_openapi = Schemas(vendored()), Schemas(replace(vendored(), own=True))
    assert set(as_json_schema.violations(200, body) or ()) == set(as_openapi.violations(200, body) or ())


def test_what_the_schema_alone_refuses_is_a_disagreement() -> None:
    stricter = changed(QueueInfo={"type": "object", "required": ["version"]})
    found = second_opinion([exchange(QUEUE)], AS_THE_DOCUMENT_SAYS, stricter)
    assert found.checked == 1
    (line,) = found.disagreements
    assert line.startswith('x1: the schema rejects the body (required: ["version"]; got object with 2 members')
    assert line.endswith("but no must clause fails")


def test_what_a_clause_alone_refuses_is_a_disagreement() -> None:
    (line,) = second_opinion([exchange([])], AS_THE_DOCUMENT_SAYS, changed(QueueInfo={})).disagreements
    assert line == "x1: envelope.object fails, but the schema accepts the body"


def test_what_the_schema_cannot_say_is_an_accepted_disagreement() -> None:
    swapped = {"queue_running": [[*ITEM[:3], ITEM[4], ITEM[3]]], "queue_pending": []}
    assert Bench(AS_THE_DOCUMENT_SAYS).broken_by([exchange(swapped)])
    assert second_opinion([exchange(swapped)], AS_THE_DOCUMENT_SAYS).disagreements == ()


def test_a_disagreement_is_an_error_of_the_run_and_certifies_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(exchange(QUEUE), exchange(QUEUE, name="x2")).clause(RESPONSE_SCHEMA).status is Status.NOT_APPLICABLE
    stricter = changed(QueueInfo={"type": "object", "required": ["version"]})
    monkeypatch.setattr("conformance.judge.opinion.of_the_vendored_document", lambda: stricter)
    report = reported(exchange(QUEUE), exchange(QUEUE, name="x2"))
    assert report.clause(RESPONSE_SCHEMA).status is Status.ERROR
    assert report.counts.error == 1
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "disagree about 1 response: x1" in report.verdict_reason


def test_large_responses_are_counted_and_equal_ones_once() -> None:
    large = {**QUEUE, "more": "a" * LARGEST}
    found = second_opinion([exchange(QUEUE), exchange(QUEUE), exchange(large)], AS_THE_DOCUMENT_SAYS)
    assert (found.checked, found.too_large) == (1, 1)


def test_under_the_dialect_of_comfyui_there_is_no_such_schema() -> None:
    assert second_opinion([exchange([])], Demand.of(Dialect.OSS)).checked == 0


def test_each_accepted_disagreement_is_of_a_clause_and_the_others_are_what_the_schema_says() -> None:
    assert all(any(name.startswith(each) for name in BY_ID) for each in BEYOND_THE_SCHEMA)
    said = {
        clause.id
        for clause in CATALOGUE
        if clause.over and clause.level is Level.MUST and not clause.id.startswith((*BEYOND_THE_SCHEMA, "lifecycle."))
    }
    assert said == {
        "envelope.object",
        "envelope.queue-running.array",
        "envelope.queue-pending.array",
        "item.array",
        "item.five-elements",
        "error.object",
        "error.code",
        "error.message",
    }


def _is_first_about_a_body(fault: Fault) -> bool:
    return fault.clause.startswith(("item.", "queue.", "envelope.", "error.", "json.")) and first_of_its_clause(fault)


@pytest.mark.parametrize(
    "fault",
    quick_if((fault for fault in FAULTS.values() if fault.dialect == Dialect.CLOUD), _is_first_about_a_body),
    ids=lambda fault: fault.name,
)
def test_the_opinions_agree_about_every_fault(fault: Fault) -> None:
    wires = dict.fromkeys(exchanges(VARIANTS[fault.variant], fault))
    found = [each for number, (sent, wire) in enumerate(wires) for each in read(wire, name=f"x{number}", request=sent)]
    assert second_opinion(found, AS_THE_DOCUMENT_SAYS).disagreements == ()
