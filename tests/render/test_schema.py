"""The shipped JSON Schema is the model's, accepts what is written and rejects what is not such a report."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report_schema import ID, PATH, schema_text

from conformance.judge.report import Report, decode, encode
from helpers import history_samples
from helpers import report_samples as sample

REPORTS = {**sample.REPORTS, **history_samples.REPORTS}


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """Return a validator of the shipped file."""
    schema = json.loads(PATH.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_it_says_what_it_is() -> None:
    """Identifier, title, and the docstrings of the model."""
    schema = json.loads(schema_text())
    assert schema["$id"] == ID
    assert schema["title"]
    assert all(one["description"] for one in schema["$defs"].values())


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_reports_are_valid_and_read_back(validator: Draft202012Validator, make: Callable[[], Report]) -> None:
    """What is written is accepted, is UTF-8, and gives the same value back."""
    report = make()
    data = encode(report)
    validator.validate(json.loads(data))
    assert decode(data) == report


def test_members_may_be_added(validator: Draft202012Validator) -> None:
    """Readers of today accept the documents of tomorrow."""
    document = json.loads(encode(history_samples.aged()))
    past = document["history"]
    for grown in (
        document,
        document["run"],
        document["counts"],
        document["clauses"][0],
        document["exchanges"][0],
        past,
        past["runs"][0],
        past["diff"],
        past["clauses"]["item.array"],
    ):
        grown["of_tomorrow"] = {"x": 1}
    validator.validate(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", 2),
        ("verdict", "fine"),
        ("verdict_reason", None),
        ("counts.fail", "2"),
        ("run.partial", "no"),
        ("run.options", []),
        ("clauses", {}),
        ("clauses.0.status", "passed"),
        ("clauses.0.level", "may"),
        ("clauses.0.evidence", None),
        ("clauses.0.judged", 1.5),
        ("exchanges.0.response.status", "200"),
        ("exchanges.0.request.headers", [["only a name"]]),
        ("exchanges.0.elapsed", "fast"),
    ],
)
def test_wrong_values_are_rejected(validator: Draft202012Validator, path: str, value: object) -> None:
    """Types and enumerations are held."""
    document: Any = json.loads(encode(sample.failing()))
    *parents, last = path.split(".")
    at = document
    for step in parents:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[last] = value
    assert not validator.is_valid(document)


@pytest.mark.parametrize("name", ["run", "verdict", "verdict_reason", "counts", "clauses", "exchanges"])
def test_missing_members_are_rejected(validator: Draft202012Validator, name: str) -> None:
    """Nothing essential may be left out."""
    document = json.loads(encode(sample.passing()))
    del document[name]
    assert not validator.is_valid(document)
