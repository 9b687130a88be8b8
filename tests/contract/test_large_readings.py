"""Large bodies are read in windows, and the same is said of them as of small ones."""

from __future__ import annotations

import pytest

from conformance import validate


@pytest.mark.parametrize(
    "body",
    [
        b"0\x80",
        b"0\x01",
        b'{"',
        b'"\x80',
        b"\x80",
        b"[" * 600,
        b'{"queue_pending": ' + b"[" * 600,
        b'{"queue_running": [], "queue_pending": []} {',
    ],
)
def test_a_large_reading_of_broken_json_breaks_the_same_clauses(body: bytes) -> None:
    large = body.rjust(2 << 20)
    assert {found.clause for found in validate(large)} == {found.clause for found in validate(body)}


@pytest.mark.parametrize(("numbers", "clause"), [("13.5", "rising"), ("1.5 0.25", "rising"), ("0.1 0.1", "distinct")])
def test_numbers_that_are_no_integers_are_compared(numbers: str, clause: str) -> None:
    jobs = ",".join(
        f'[{number},"{at:08}-1111-4111-8111-111111111111",{{"1":{{"class_type":"A","inputs":{{}}}}}},["1"],'
        f'{{"create_time":{1700000000000 + at}}}]'
        for at, number in enumerate(numbers.split() + ["9.0"] * numbers.startswith("13"))
    )
    body = f'{{"queue_running":[],"queue_pending":[{jobs}]}}'.encode()
    found = validate(body)
    assert f"queue.job-numbers.{clause}" in {each.clause for each in found}
    assert validate(body.rjust(2 << 20)) == found


def test_findings_are_limited_and_the_last_one_says_how_many_more_there_are() -> None:
    body = b'{"queue_running": [], "queue_pending": [%b]}' % b",".join([b"null"] * 1500)
    found = validate(body)
    assert len(found) == 1000
    assert found[-1].message.endswith("There are 500 more findings.")
    assert len(validate(body, limit=None)) == 1500


def test_a_limit_leaves_each_clause_its_first_findings() -> None:
    body = b'{"queue_running": [], "queue_pending": [%b]}' % b",".join([b"null", b"[]"] * 50)
    assert {finding.clause for finding in validate(body, limit=2)} == {"item.array", "item.five-elements"}


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        validate(b"{}", limit=0)


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b"[" + b"1," * (1 << 20) + b"1]", '["…"]'),
        (b'{"queue_running": [], "queue_pending": {%b"b": 1}}' % (b'"a": 1,' * (1 << 18)), '{"…": "…"}'),
    ],
)
def test_a_value_that_is_too_large_to_show_is_shown_as_left_out(body: bytes, got: str) -> None:
    assert validate(body)[0].got == got
