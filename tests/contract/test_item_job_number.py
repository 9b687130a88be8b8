"""job_number, value by value."""

from __future__ import annotations

import pytest

from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange
from helpers.answers import Told, got, item, queue, read, said

PLACE = "/queue_pending/0/0"
SAFE = 2**53 - 1


def listing(text: str) -> Exchange:
    """Return a read of a job whose job_number is this JSON text."""
    return read(queue(item(12345)).replace(b"[12345,", f"[{text},".encode()))


@pytest.mark.parametrize("text", ['"1"', "null", "true", "false", "[]", "{}"])
def test_a_job_number_that_is_no_number_is_named(text: str) -> None:
    assert said("item.job-number.number", listing(text)) == [
        Told(PLACE, "an integer", text, "job_number is not a number.")
    ]
    for other in ("integer", "plain", "one-based", "safe"):
        assert said(f"item.job-number.{other}", listing(text)) is None


def test_nan_has_a_clause_of_its_own() -> None:
    assert said("item.job-number.number", listing("NaN")) is None


@pytest.mark.parametrize(
    ("text", "number", "integer", "plain"),
    [
        ("1", [], [], []),
        ("1.5", [], ["1.5"], None),
        ("1.2", [], ["1.2"], None),
        ("3.0", [], [], ["3.0"]),
        ("1e3", [], [], ["1E+3"]),
        ("-0.0", [], [], ["-0.0"]),
        ("1." + "0" * 60, [], [], ["1." + "0" * 38]),
    ],
)
def test_a_number_has_one_fault_at_most(
    text: str, number: list[str], integer: list[str], plain: list[str] | None
) -> None:
    assert got(said("item.job-number.number", listing(text))) == number
    assert got(said("item.job-number.integer", listing(text))) == integer
    assert got(said("item.job-number.plain", listing(text))) == plain


def test_a_whole_number_of_many_digits_is_plain() -> None:
    assert said("item.job-number.plain", listing("1" + "0" * 5000)) == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("0", "a zero-based position: ComfyUI counts from 0"),
        ("0.0", "a zero-based position: ComfyUI counts from 0"),
        ("0.5", None),
        ("-0.5", "a client chose this number: ComfyUI takes `number` from the request, as a float"),
        ("-1", "ComfyUI's `front: true` makes the number negative"),
    ],
)
def test_below_one_is_told_with_its_cause(text: str, hint: str | None) -> None:
    found = said("item.job-number.one-based", listing(text)) or []
    assert [(finding.pointer, finding.expected, finding.hint) for finding in found] == [(PLACE, "1 or more", hint)]


@pytest.mark.parametrize("text", ["1", "2", "1.0"])
def test_from_one_on_it_is_a_place(text: str) -> None:
    assert said("item.job-number.one-based", listing(text)) == []


@pytest.mark.parametrize("number", [0, 1, SAFE, -SAFE])
def test_a_double_holds_it(number: int) -> None:
    assert said("item.job-number.safe", listing(str(number))) == []


@pytest.mark.parametrize("number", [SAFE + 1, SAFE + 2, -SAFE - 1, 10**30])
def test_a_double_does_not_hold_it(number: int) -> None:
    assert said("item.job-number.safe", listing(str(number))) == [
        Told(
            PLACE,
            "at most 9007199254740991",
            str(number),
            "job_number is too large for JavaScript and other clients that read numbers as doubles.",
        )
    ]


def test_any_finite_number_will_do_under_oss() -> None:
    assert said("item.job-number.number", listing("-1.5"), demand=Demand.of(Dialect.OSS)) == []
