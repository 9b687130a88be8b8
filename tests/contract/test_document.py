"""Responses checked against the schemas of the OpenAPI document that the user gives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.terms import AS_THE_DOCUMENT_SAYS
from conformance.exchange.model import Exchange
from conformance.judge.judge import judge
from conformance.judge.report import Status
from conformance.spec.schemas import of_the_vendored_document
from helpers.answers import Told, asked, item, queue, read, result, said

CLAUSE = "document.response-schema"


def violations(exchange: Exchange) -> list[Told] | None:
    return said(CLAUSE, exchange, demand=AS_THE_DOCUMENT_SAYS._replace(schemas=of_the_vendored_document()))


@pytest.mark.parametrize(
    ("status", "content", "found"),
    [
        (200, {"queue_running": [item()], "queue_pending": []}, []),
        (200, {"queue_running": None}, [("/queue_running", "null")]),
        (200, {"queue_running": 1, "queue_pending": 2}, [("/queue_running", "1"), ("/queue_pending", "2")]),
        (200, {"queue_running": [item()[:4]]}, [("/queue_running/0", "array of 4 elements")]),
        (400, {"code": "a", "message": "b"}, []),
        (400, {"code": "a", "message": None}, [("/message", "null")]),
        (418, {"code": "a"}, None),
    ],
)
def test_a_body_must_match_the_schema_for_its_status(
    status: int, content: Any, found: list[tuple[str, str]] | None
) -> None:
    told = violations(read(json.dumps(content).encode(), status=status))
    assert (None if told is None else [(finding.pointer, finding.got) for finding in told]) == found
    for finding in told or ():
        assert finding.expected.partition(":")[0] in {"type", "minItems"}


@pytest.mark.parametrize(
    "exchange", [asked(200, b"1", method="HEAD"), asked(200, b"1", method="CONNECT"), asked(200, b"1", to_queue=False)]
)
def test_only_a_get_of_the_queue_is_compared_with_the_document(exchange: Exchange) -> None:
    assert violations(exchange) is None
    assert violations(asked(200, b"1")) == [
        Told("", 'type: "object"', "1", "The schema in your OpenAPI document does not allow this value.")
    ]


def test_a_body_that_could_not_be_decoded_is_not_compared() -> None:
    exchange = read(b"1")
    assert exchange.response is not None
    broken = replace(exchange, response=replace(exchange.response, coding_error="gzip: cut off"))
    assert violations(broken) is None


def test_without_a_document_the_clause_does_not_apply() -> None:
    assert said(CLAUSE, read(b"1")) is None
    found = (
        result(judge([read(queue())]), CLAUSE),
        result(judge([read(queue())], schemas=of_the_vendored_document()), CLAUSE),
    )
    assert [each.status for each in found] == [Status.NOT_APPLICABLE, Status.PASS]
