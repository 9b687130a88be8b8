"""Hostile bodies: a hundred thousand items, deep nesting, and numbers and text on which parsers fail."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from conformance.reference.hostile.registry import bodies, items_of, replies
from conformance.reference.message import Reply, encode, verbatim
from conformance.reference.queue import QueueItem


def _hundred_thousand(make: Callable[[int], object]) -> bytes:
    return encode({"queue_running": [], "queue_pending": [make(index) for index in range(100_000)]})


def _job(index: int) -> QueueItem:
    graph = {"9": {"class_type": "PreviewImage", "inputs": {}}}
    return [index + 1, str(uuid.UUID(int=index, version=4)), graph, ["9"], {"create_time": 1_700_000_000_000 + index}]


@bodies("conformant")
def a_hundred_thousand_items(_body: bytes) -> bytes:
    """A hundred thousand jobs are pending, all correct."""
    return _hundred_thousand(_job)


@bodies("non-conformant", "item.prompt-id.uuid")
def a_hundred_thousand_broken_items(_body: bytes) -> bytes:
    """A hundred thousand jobs are pending, all wrong in every element."""
    return _hundred_thousand(lambda index: [f"{index}", f"job-{index}", None, "9", {"create_time": "now"}])


@bodies("non-conformant", "item.array")
def half_a_million_empty_objects(_body: bytes) -> bytes:
    """The list of pending jobs has half a million empty objects instead of jobs."""
    return b'{"queue_running": [], "queue_pending": [' + b",".join([b"{}"] * 500_000) + b"]}"


# --- depth and numbers ------------------------------------------------------------------------------------------------


@bodies("inconclusive", "levels deep")
def a_million_brackets(_body: bytes) -> bytes:
    """The body is a million opening brackets, then a million closing ones."""
    return b"[" * 500_000 + b"]" * 500_000


@bodies("inconclusive", "levels deep")
def a_million_open_brackets(_body: bytes) -> bytes:
    """The body is a million opening brackets and no closing one."""
    return b"[" * 1_000_000


@items_of("inconclusive", "levels deep")
def a_workflow_200000_deep(item: QueueItem) -> None:
    """A workflow is nested two hundred thousand levels deep."""
    item[2]["3"]["inputs"]["width"] = verbatim('{"a":' * 200_000 + "1" + "}" * 200_000)


@items_of("conformant")
def an_integer_of_200000_digits(item: QueueItem) -> None:
    """An input of a node is an integer of two hundred thousand digits, which JSON allows."""
    item[2]["3"]["inputs"]["color"] = verbatim("9" * 200_000)


@items_of("conformant")
def a_job_number_of_200000_digits(item: QueueItem) -> None:
    """Job numbers are integers with two hundred thousand digits, beyond any double."""
    item[0] = verbatim(f"{item[0]}" + "0" * 200_000)


@items_of("non-conformant", "item.job-number.plain")
def a_job_number_of_1e999(item: QueueItem) -> None:
    """Job numbers are 1e999."""
    item[0] = verbatim("1e999")


@items_of("non-conformant", "item.job-number.one-based")
def a_job_number_of_minus_zero(item: QueueItem) -> None:
    """Job numbers are -0."""
    item[0] = verbatim("-0")


@items_of("non-conformant", "item.create-time.milliseconds")
def a_create_time_of_1e999999999999(item: QueueItem) -> None:
    """The create_time has an exponent that decimal arithmetic cannot handle."""
    item[4]["create_time"] = verbatim("1e999999999999")


@items_of("conformant")
def subnormal_numbers(item: QueueItem) -> None:
    """Inputs of a node are the smallest double, a smaller number, and minus zero."""
    item[2]["3"]["inputs"]["color"] = [verbatim(text) for text in ("5e-324", "2.2e-308", "1e-999", "-0", "-0.0")]


# --- text -------------------------------------------------------------------------------------------------------------


@items_of("non-conformant", "json.utf-8")
def invalid_utf_8(item: QueueItem) -> None:
    """Titles contain bytes that are not UTF-8."""
    item[2]["3"]["_meta"]["title"] = verbatim('"\udcff\udcfe\udcc0\udc80"')


@bodies("non-conformant", "json.utf-8")
def utf_16(body: bytes) -> bytes:
    """The body is in UTF-16."""
    return body.decode().encode("utf-16")


@bodies("non-conformant", "json.utf-8")
def utf_32_without_mark(body: bytes) -> bytes:
    """The body is in UTF-32 without a byte order mark."""
    return body.decode().encode("utf-32-le")


@bodies("non-conformant", "json.no-bom")
def byte_order_mark(body: bytes) -> bytes:
    """The body begins with a byte order mark."""
    return b"\xef\xbb\xbf" + body


@items_of("non-conformant", "item.prompt-id.uuid")
def lone_surrogates_in_ids(item: QueueItem) -> None:
    """Prompt ids end with half of a surrogate pair."""
    item[1] = verbatim(f'"{item[1]}\\ud83d"')


@items_of("non-conformant", "item.prompt-id.uuid")
def nul_in_ids(item: QueueItem) -> None:
    """Prompt ids end with an escaped NUL character."""
    item[1] += "\0"


@items_of("non-conformant", "json.control-characters")
def nul_bytes(item: QueueItem) -> None:
    """Titles contain an unescaped NUL character."""
    item[2]["3"]["_meta"]["title"] = verbatim('"\0"')


@items_of("non-conformant", "item.prompt-id.uuid")
def bidirectional_overrides(item: QueueItem) -> None:
    """Prompt ids contain direction overrides, which would reverse the line that shows them."""
    item[1] = f"\u202e{item[1]}\u2066\x1b[2J"


@replies("non-conformant", "http.content-type")
def a_content_type_of_garbage(reply: Reply) -> Reply:
    """Content-Type contains bytes that are not text."""
    return reply.having(content_type='\xff;\x80="\xfe,;;=/')
