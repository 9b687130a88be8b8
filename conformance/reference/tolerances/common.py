"""Conforming behaviour that is common. Tests also look at it over a network, unlike at that of the other tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance.reference.message import Twist, verbatim
from conformance.reference.queue import QueueItem
from conformance.reference.tolerances.http import compressed, strong, tagging
from conformance.reference.tolerances.jobs import shift
from conformance.reference.tolerances.requests import answer_options
from conformance.reference.tolerances.row import Row, add_inputs, add_metadata, each_job, on_200, set_fields


def _count_in_tens(item: QueueItem) -> None:
    item[0] *= 10


def _number_by_time(item: QueueItem) -> None:
    item[0] = item[4]["create_time"]


ROWS: Final = (
    Row("gzip", "Responses are compressed with gzip for clients that accept it.", compressed()),
    Row(
        "chunked",
        "Responses are chunked and have no Content-Length.",
        Twist(replies=lambda reply, _: replace(reply, chunked=reply.status == 200)),
    ),
    Row(
        "http-1-0",
        "Responses are HTTP/1.0, and the end of the connection ends the body.",
        Twist(replies=lambda reply, _: replace(reply, version="HTTP/1.0")),
    ),
    Row("connection-close", "The connection is closed after each response.", set_fields(connection="close")),
    Row("etag", "Responses have an ETag, and a matching If-None-Match gets a 304.", tagging(strong)),
    Row(
        "vary-on-key",
        "Instead of no-store, Vary: X-API-Key keeps shared caches from giving one user's queue to another.",
        on_200(cache_control="max-age=1", vary="x-api-key, Accept-Encoding"),
    ),
    Row(
        "private-cache",
        "A browser may store a response for two seconds. Responses have Age.",
        on_200(cache_control="private, max-age=2", age="1"),
    ),
    Row(
        "cors-wildcard",
        "Every origin may read the responses, without credentials.",
        set_fields(access_control_allow_origin="*", access_control_allow_headers="X-API-Key"),
    ),
    Row("options-405", "OPTIONS gets a 405 with Allow.", answer_options(405, allow="HEAD, GET")),
    Row("options-501", "OPTIONS gets a 501.", answer_options(501)),
    Row("gaps-in-numbers", "Job numbers rise in steps of ten.", each_job(_count_in_tens)),
    Row(
        "numbers-that-stay",
        "A job keeps its number, which is large, for its whole life.",
        each_job(_number_by_time),
    ),
    Row("ties", "All jobs have the same create_time, as in a batch.", shift(lambda time: -(time % 60_000))),
    Row(
        "clock-ahead",
        "The create_time comes from a clock that is half a minute ahead of the clock that sets Date.",
        shift(lambda _: 30_000),
    ),
    Row(
        "big-seeds",
        "Seeds are as large as ComfyUI allows (2^64-1), which is beyond exact doubles.",
        add_inputs(seed=2**64 - 1, noise_seed=2**53 + 1),
    ),
    Row(
        "odd-numbers",
        "Inputs of nodes are numbers in every notation of JSON.",
        add_inputs(sigmas=[verbatim(text) for text in ("-0", "-0.0", "1e-7", "1E+5", "-12.50e00")]),
    ),
    Row(
        "links-of-lists",
        "Inputs are lists that look almost like links, but are values.",
        add_inputs(size=[512, 512], range=["a", "b"], names=["no such node"], none=[]),
    ),
    Row(
        "redacted-credentials",
        "Metadata has members named after credentials, but their values are redacted.",
        add_metadata(extra_data={"api_key_comfy_org": "[REDACTED]", "auth_token_comfy_org": ""}),
    ),
)
