"""Clauses about create_time in the metadata of a job: present, a number, in milliseconds, in the past."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred
from conformance.contract.clauses.http import answered_at
from conformance.contract.clauses.item import PROSE
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import (
    EPOCH_MS_FIRST,
    EPOCH_MS_LAST,
    Reading,
    constant_free,
    create_time_numbers,
    create_times,
    is_number,
    metadata_objects,
    plausible_create_times,
)
from conformance.contract.reading.memory import Located
from conformance.contract.terms import FastPath, Level
from conformance.text.safe import show

UNITS: Final = ((10**8, 10**11, "seconds"), (EPOCH_MS_LAST, 10**17, "microseconds"), (10**17, 10**20, "nanoseconds"))
TICKS: Final = (
    (630_000_000_000_000_000, 663_000_000_000_000_000, "ticks of .NET (since the year 1)"),
    (125_000_000_000_000_000, 158_000_000_000_000_000, "Windows file time"),
)
"""By clock that counts 100 ns from another epoch: the range of numbers that mean the years 1998 to 2101. As nanoseconds
since 1970 they are before 1992.
"""
_DATE: Final = re.compile(
    r"\s*(?:[+-]?\d{4,6}-\d\d-\d\d|\d{8}(?:[T\s]|$)|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\w*,?\s)",
    re.ASCII,
)
"""Matches the beginning of a date such as 2025-11-23, 23.11.2025, 11/23/25 or Sun, 23 Nov 2025."""
CLOCK_SKEW_MS: Final = 60_000
"""Milliseconds by which two correct clocks may differ."""
_HOUR_MS: Final = 3_600_000
_NEAR_HOUR_MS: Final = 180_000
"""A create_time that is ahead by nearly whole hours is probably local time."""


@clause(
    "item.create-time.present",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="The metadata of a job has create_time",
    source=doc(PROSE, "Contains {create_time: <milliseconds>}"),
    why="Clients show create_time, and sort jobs by it.",
    keeps='{"create_time": 1763913600000}',
    breaks='{"client_id": "a1"}',
    needs="a job with metadata",
    of_body=metadata_objects,
    kinds=("old-comfyui",),
)
def create_time_is_present(found: Located) -> Iterator[Finding]:
    """The metadata of a job contains create_time."""
    if "create_time" not in found.value:
        old = not found.value or "client_id" in found.value  # a job submitted through the API has no extra data at all
        yield Finding(
            f"{found.pointer}/create_time",
            "milliseconds since the Unix epoch",
            "absent",
            "The metadata of the job has no create_time.",
            Cause("old-comfyui", "ComfyUI before 0.3.69 does not send create_time") if old else None,
        )


@clause(
    "item.create-time.number",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="create_time is a number",
    source=doc(PROSE, "{create_time: <milliseconds>}"),
    why="Clients that expect milliseconds cannot compare or format a date as text.",
    keeps="1763913600000",
    breaks='"2025-11-23T16:00:00Z"',
    needs="a job with create_time",
    kinds=("number-as-text", "date-as-text"),
    of_body=lambda reading: (found for found in create_times(reading) if constant_free(found.value)),
)
def create_time_is_a_number(found: Located) -> Iterator[Finding]:
    """create_time is a JSON number."""
    if not is_number(found.value):
        cause = None
        if isinstance(found.value, str):
            if found.value.isdecimal():
                cause = Cause("number-as-text", "the number as a string")
            elif _DATE.match(found.value):
                cause = Cause("date-as-text", "a date as a string")
        yield Finding(
            found.pointer, "a number of milliseconds", show(found.value), "create_time is not a number.", cause
        )


@clause(
    "item.create-time.milliseconds",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="create_time is in milliseconds since the Unix epoch",
    source=doc(PROSE, "{create_time: <milliseconds>}"),
    why="A wrong unit puts the job in 1970 or in the far future.",
    keeps="1763913600000",
    breaks="1763913600",
    needs="a job whose create_time is a number",
    of_body=create_time_numbers,
    kinds=tuple(unit for *_, unit in UNITS),
)
def create_time_is_in_milliseconds(found: Located) -> Iterator[Finding]:
    """create_time is at least 10^12 and below 10^14, that is between 2001 and 5138."""
    if EPOCH_MS_FIRST <= found.value < EPOCH_MS_LAST:
        return
    ticks = next((name for low, high, name in TICKS if low <= found.value < high), None)
    unit = next((unit for low, high, unit in UNITS if low <= found.value < high), None)
    cause = Cause("", f"{ticks} instead of milliseconds since the Unix epoch") if ticks else None
    if ticks is None and unit is not None:
        cause = Cause(unit, f"{unit} instead of milliseconds")
    yield Finding(
        found.pointer,
        "milliseconds since 1970-01-01T00:00:00Z",
        show(found.value),
        "create_time is not in milliseconds since the Unix epoch.",
        cause,
    )


@clause(
    "item.create-time.whole",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="create_time is a whole number",
    source=inferred(
        doc(PROSE, "{create_time: <milliseconds>}"),
        "The OpenAPI document gives the unit, but does not rule out a fraction.",
    ),
    why="The official frontend and typed clients read create_time as an integer.",
    keeps="1763913600000",
    breaks="1763913600000.5",
    needs="a job whose create_time is a number",
    of_body=create_time_numbers,
)
def create_time_is_whole(found: Located) -> Iterator[Finding]:
    """create_time is written without a fraction or an exponent."""
    if isinstance(found.value, Decimal):
        yield Finding(
            found.pointer, "an integer", str(found.value)[:40], "create_time is written with a fraction or an exponent."
        )


def _dated_create_times(answer: Answer) -> Iterator[tuple[Reading, int | Decimal, float]]:
    now, latest = answered_at(answer), answer.reading.latest
    if now is not None and latest is not None:
        yield answer.reading, latest, now * 1000


@clause(
    "item.create-time.past",
    Level.SHOULD,
    title="create_time is in the past",
    source=inferred(
        doc("/components/schemas/QueueInfo/properties/queue_pending/description", "creation time"),
        "The OpenAPI document does not say so, but a job exists only after its creation.",
    ),
    why="A listed job already exists. A time in the future means a wrong time zone or clock.",
    keeps="a create_time before the response's Date",
    breaks="a create_time an hour after the response's Date",
    needs="a job with create_time, and a Date header or a clock",
    over=_dated_create_times,
    kinds=("local-time",),
)
def create_time_is_past(subject: tuple[Reading, int | Decimal, float]) -> Iterator[Finding]:
    """create_time is at most 60 s after the response, by its Date header or else by the clock of this machine."""
    reading, latest, now_ms = subject
    if float(latest) - now_ms <= CLOCK_SKEW_MS:  # then no time is too late
        return
    for found in plausible_create_times(reading):
        ahead = float(found.value) - now_ms
        if ahead > CLOCK_SKEW_MS:
            hours = round(ahead / _HOUR_MS)
            local = hours >= 1 and abs(ahead - hours * _HOUR_MS) < _NEAR_HOUR_MS
            cause = Cause("local-time", "whole hours ahead: local time was used as UTC") if local else None
            yield Finding(
                found.pointer,
                "a time before the response",
                show(found.value),
                f"create_time is {ahead / 1000:,.0f} s later than the time of the response.",
                cause,
            )
