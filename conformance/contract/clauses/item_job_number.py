"""Clauses about job_number, element 0 of a job."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred, rfc
from conformance.contract.clauses.item import AN_ARRAY, ITEM, PROSE
from conformance.contract.reading.body import constant_free, element, is_number, job_numbers
from conformance.contract.reading.memory import Located
from conformance.contract.terms import CHOSEN_NUMBER, COUNTER, FastPath, Level
from conformance.contract.values import SAFE_INTEGER
from conformance.text.safe import show
from conformance.text.strict_json import Whole

A_NUMBER: Final = "a job whose job_number is a number"
CHOSEN: Final = "a client chose this number: ComfyUI takes `number` from the request, as a float"


@clause(
    "item.job-number.number",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="job_number (element 0 of a job) is a number",
    source=doc(f"{ITEM}/items/oneOf/0/type", "integer"),
    why="Typed clients fail on the whole response. Others sort the numbers as text.",
    keeps="1",
    breaks='"1"',
    needs=f"{AN_ARRAY} of one element or more",
    of_body=lambda reading: (found for found in element(0, reading.items) if constant_free(found.value)),
)
def job_number_is_a_number(found: Located) -> Iterator[Finding]:
    """job_number is a JSON number, not a string, boolean or null."""
    if not is_number(found.value):
        yield Finding(found.pointer, "an integer", show(found.value), "job_number is not a number.")


@clause(
    "item.job-number.integer",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="job_number (element 0 of a job) is a whole number",
    source=doc(PROSE, "[0] job_number (integer)"),
    why="A position has no fraction. Clients with integer types refuse the response.",
    keeps="1",
    breaks="1.5",
    needs=A_NUMBER,
    of_body=job_numbers,
    oss=CHOSEN_NUMBER,
)
def job_number_is_whole(found: Located) -> Iterator[Finding]:
    """job_number has no fractional part."""
    if found.value != _whole(found.value):
        yield Finding(found.pointer, "a whole number", show(found.value), "job_number has a fraction.")


@clause(
    "item.job-number.plain",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="job_number (element 0 of a job) is written without fraction or exponent",
    source=doc(f"{ITEM}/items/oneOf/0/type", "integer"),
    why="An integer in OpenAPI 3.0.3 has no fraction and no exponent. Clients in Rust, Go and Swift reject 3.0 if they expect 3.",
    keeps="3",
    breaks="3.0",
    needs=A_NUMBER,
    oss=CHOSEN_NUMBER,
    kinds=("float",),
    of_body=lambda reading: (found for found in job_numbers(reading) if found.value == _whole(found.value)),
)
def job_number_is_plain(found: Located) -> Iterator[Finding]:
    """job_number is written in digits only, with an optional minus sign."""
    if is_float(found.value):
        cause = Cause("float", "the server holds the number as a float; ComfyUI does so if a client chose the number")
        yield Finding(
            found.pointer,
            "an integer without fraction or exponent",
            str(found.value)[:40],
            "job_number is written with a fraction or an exponent.",
            cause,
        )


@clause(
    "item.job-number.one-based",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="job_number (element 0 of a job) is 1 or more",
    source=doc(PROSE, "Position in queue (1-based)"),
    why="Clients show job_number as the position in the queue.",
    keeps="1",
    breaks="0",
    needs=A_NUMBER,
    of_body=job_numbers,
    oss=COUNTER,
    kinds=("zero", "negative"),
)
def job_number_is_one_based(found: Located) -> Iterator[Finding]:
    """job_number is 1 or more."""
    if found.value < 1:
        cause = None
        if found.value < 0:
            cause = Cause(
                "negative", CHOSEN if is_float(found.value) else "ComfyUI's `front: true` makes the number negative"
            )
        elif not found.value:
            cause = Cause("zero", "a zero-based position: ComfyUI counts from 0")
        yield Finding(found.pointer, "1 or more", show(found.value), "job_number is below 1.", cause)


@clause(
    "item.job-number.safe",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="job_number (element 0 of a job) is at most 2^53-1",
    source=inferred(
        rfc("RFC 8259 §6", "numbers that are integers and are in the range [-(2**53)+1, (2**53)-1] are interoperable"),
        "The RFC says which range is interoperable, but does not forbid other numbers.",
    ),
    why="JavaScript cannot represent larger numbers exactly, so it reads another number.",
    keeps="9007199254740991",
    breaks="9007199254740993",
    needs=A_NUMBER,
    of_body=job_numbers,
)
def job_number_is_safe(found: Located) -> Iterator[Finding]:
    """job_number is between -(2^53-1) and 2^53-1."""
    if not -SAFE_INTEGER <= found.value <= SAFE_INTEGER:
        yield Finding(
            found.pointer,
            "at most 9007199254740991",
            show(found.value),
            "job_number is too large for JavaScript and other clients that read numbers as doubles.",
        )


def is_float(number: object) -> bool:
    """Whether a JSON number is written with a fraction or an exponent."""
    return isinstance(number, Decimal) and not isinstance(number, Whole)


def _whole(number: int | Decimal) -> int | Decimal:
    return number if isinstance(number, int) or not number.is_finite() else number.to_integral_value()
