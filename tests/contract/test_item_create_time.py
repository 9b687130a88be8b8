"""create_time, value by value: its type, its unit, and its place in time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.exchange.model import Exchange, Request, Response
from helpers.answers import NOW, Told, got, item, queue, read, said

NOW_MS = int(NOW * 1000)
"""Also the time that the Date of ``read`` says."""


def listing(text: str, **more: Any) -> Exchange:
    """Return a read of a job whose create_time is this JSON text."""
    return read(queue(item(e4={"create_time": 12345678})).replace(b"12345678", text.encode()), **more)


PLACE = "/queue_pending/0/4/create_time"


@pytest.mark.parametrize(
    ("metadata", "hint"),
    [
        ({}, "ComfyUI before 0.3.69 does not send create_time"),
        ({"client_id": "a1"}, "ComfyUI before 0.3.69 does not send create_time"),
        ({"x": 1}, None),
    ],
)
def test_metadata_have_a_create_time(metadata: dict[str, Any], hint: str | None) -> None:
    assert said("item.create-time.present", read(queue(item(e4=metadata)))) == [
        Told(PLACE, "milliseconds since the Unix epoch", "absent", "The metadata of the job has no create_time.", hint)
    ]


def test_a_create_time_of_any_value_is_present() -> None:
    assert said("item.create-time.present", listing("null")) == []


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("null", None),
        ("true", None),
        ("[]", None),
        ('"1763913600000"', "the number as a string"),
        ('"2025-11-23T16:00:00Z"', "a date as a string"),
        ('"20251123T160000Z"', "a date as a string"),
        ('"23.11.2025 16:00"', "a date as a string"),
        ('"11/23/25"', "a date as a string"),
        ('"Sun, 23 Nov 2025 16:00:00 GMT"', "a date as a string"),
        ('""', None),
        ('"yesterday"', None),
        ('"None"', None),
        ('"1763913600.5"', None),
    ],
)
def test_a_create_time_that_is_no_number_is_named(text: str, hint: str | None) -> None:
    assert said("item.create-time.number", listing(text)) == [
        Told(PLACE, "a number of milliseconds", text, "create_time is not a number.", hint)
    ]


def test_nan_has_a_clause_of_its_own() -> None:
    assert said("item.create-time.number", listing("NaN")) is None


@pytest.mark.parametrize("text", ["0", "-1", "1.5"])
def test_any_number_is_a_number(text: str) -> None:
    assert said("item.create-time.number", listing(text)) == []


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (-(10**8), None),
        (0, None),
        (10**8 - 1, None),
        (10**8, "seconds"),
        (1_763_913_600, "seconds"),
        (10**11 - 1, "seconds"),
        (10**11, None),
        (10**12 - 1, None),
        (10**14, "microseconds"),
        (1_763_913_600_000_000, "microseconds"),
        (10**17 - 1, "microseconds"),
        (10**17, "nanoseconds"),
        (1_763_913_600_000_000_000, "nanoseconds"),
        (10**20 - 1, "nanoseconds"),
        (10**20, None),
    ],
)
def test_another_unit_than_milliseconds_is_named(value: int, unit: str | None) -> None:
    hint = f"{unit} instead of milliseconds" if unit else None
    message = "create_time is not in milliseconds since the Unix epoch."
    assert said("item.create-time.milliseconds", listing(str(value))) == [
        Told(PLACE, "milliseconds since 1970-01-01T00:00:00Z", str(value), message, hint)
    ]


DOTNET, WINDOWS, NANOSECONDS = "ticks of .NET (since the year 1)", "Windows file time", "nanoseconds"


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (124_999_999_999_999_999, NANOSECONDS),
        (125_000_000_000_000_000, WINDOWS),
        (134_083_872_000_000_000, WINDOWS),  # 2025-11-23
        (157_999_999_999_999_999, WINDOWS),
        (158_000_000_000_000_000, NANOSECONDS),
        (629_999_999_999_999_999, NANOSECONDS),
        (630_000_000_000_000_000, DOTNET),
        (638_995_104_000_000_000, DOTNET),  # 2025-11-23
        (662_999_999_999_999_999, DOTNET),
        (663_000_000_000_000_000, NANOSECONDS),
    ],
)
def test_ticks_of_a_clock_with_another_epoch_are_not_nanoseconds(value: int, unit: str) -> None:
    (finding,) = said("item.create-time.milliseconds", listing(str(value))) or []
    assert (finding.hint or "").startswith(f"{unit} instead of milliseconds")


@pytest.mark.parametrize("value", [10**12, 1_763_913_600_000, 10**14 - 1])
def test_from_2001_to_5138_it_is_milliseconds(value: int) -> None:
    assert said("item.create-time.milliseconds", listing(str(value))) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1763913600000", []),
        ("1763913600000.0", ["1763913600000.0"]),
        ("1763913600000.5", ["1763913600000.5"]),
        ("1." + "3" * 50, ["1." + "3" * 38]),
    ],
)
def test_a_create_time_is_whole(text: str, found: list[str]) -> None:
    assert got(said("item.create-time.whole", listing(text))) == found


# --- in the past ------------------------------------------------------------------------------------------------------

MINUTE = 60_000
HOUR = 60 * MINUTE
TO_COME = "whole hours ahead: local time was used as UTC"


@pytest.mark.parametrize("ahead", [-HOUR, 0, MINUTE - 1, MINUTE])
def test_a_minute_of_skew_is_forgiven(ahead: int) -> None:
    assert said("item.create-time.past", listing(str(NOW_MS + ahead))) == []


@pytest.mark.parametrize(
    ("ahead", "seconds", "hint"),
    [
        (MINUTE + 1, "60", None),
        (MINUTE + 1600, "62", None),
        (HOUR // 2, "1,800", None),
        (9 * HOUR // 10, "3,240", None),
        (57 * MINUTE, "3,420", None),
        (57 * MINUTE + 1, "3,420", TO_COME),
        (HOUR, "3,600", TO_COME),
        (HOUR + 3 * MINUTE - 1, "3,780", TO_COME),
        (HOUR + 3 * MINUTE, "3,780", None),
        (HOUR + HOUR // 2, "5,400", None),
        (2 * HOUR, "7,200", TO_COME),
        (8 * HOUR, "28,800", TO_COME),
        (100_000 * HOUR + HOUR // 2, "360,001,800", None),
    ],
)
def test_a_time_to_come_is_told_with_its_cause(ahead: int, seconds: str, hint: str | None) -> None:
    message = f"create_time is {seconds} s later than the time of the response."
    assert said("item.create-time.past", listing(str(NOW_MS + ahead))) == [
        Told(PLACE, "a time before the response", str(NOW_MS + ahead), message, hint)
    ]


def test_a_body_without_a_late_time_is_not_parsed_again() -> None:
    no_body, now = None, 1_000_000.5
    check = BY_ID["item.create-time.past"].check
    assert [*check((no_body, Decimal("1060000.5"), now)), *check((no_body, 900_000, now))] == []


def test_of_many_jobs_those_are_told_that_are_to_come() -> None:
    ahead = (-HOUR, MINUTE, HOUR, 0, 2 * HOUR)
    jobs = (item(number, e4={"create_time": NOW_MS + each}) for number, each in enumerate(ahead, 1))
    told = said("item.create-time.past", read(queue(*jobs))) or []
    assert [found.pointer for found in told] == [f"/queue_pending/{index}/4/create_time" for index in (2, 4)]


@pytest.mark.parametrize("value", [10**12 - 1, 10**14, 10**14 + 1])
def test_what_is_in_no_milliseconds_is_not_placed_in_time(value: int) -> None:
    assert said("item.create-time.past", listing(str(value))) is None


@pytest.mark.parametrize("value", [10**12, 10**14 - 1])
def test_what_is_in_milliseconds_is_placed_in_time(value: int) -> None:
    assert said("item.create-time.past", listing(str(value))) is not None


def test_without_a_clock_nothing_is_to_come() -> None:
    response = Response(200, (), queue(item(e4={"create_time": NOW_MS + HOUR})))
    assert said("item.create-time.past", Exchange("x1", Request("GET", "http://t/api/queue"), response)) is None
