"""The requests that are generated: what the document declares, through Schemathesis, and what it leaves open.

The operation declares no parameter, so Schemathesis alone would send one request. What is added here is legal
HTTP that a server has to bear without changing its answer: parameters that nobody declared, content negotiation,
conditions, ranges, origins, caching and headers of no meaning. Nothing here asks for a side effect, no header
overrides the method, and no value is written to exploit anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, zip_longest
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from conformance.document import load_corrected
from conformance.probe.client import Ask

if TYPE_CHECKING:
    from schemathesis import Case

_PATH: Final = "/api/queue"
_METHOD: Final = "GET"
LONGEST: Final = 6
"""Requests in one sequence."""
_PARAMETERS: Final = (
    "a", "limit", "offset", "page", "page_size", "max_items", "status", "state", "sort", "order", "filter", "fields",
    "format", "user", "client_id", "prompt_id", "id", "queue", "running", "verbose", "pretty", "v", "_", "a[]", "a[b]",
    "a.b", "__proto__", "constructor", "",
)  # fmt: skip
_VALUES: Final = (
    "", "0", "1", "-1", "1.5", "true", "null", "NaN", "9223372036854775808", "1e400", "asc", "running", "'", '"', "\\",
    "%", "%zz", "%00", "<a>", "&amp;", "a b", "a+b", "é", "日本", "😀", "\u202e", "*", "../..", "{}", "[]", ",", ";",
    "=", "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", "a" * 500,
)  # fmt: skip
_RANGES: Final = (
    "application/json", "*/*", "application/*", "text/html", "text/*", "image/png", "application/problem+json",
    "application/x-ndjson", "text/event-stream", "application/json;charset=utf-8",
)  # fmt: skip
_WEIGHTS: Final = ("", ";q=0.5", ";q=1.000", ";q=0", "; q=0.001")
_CODINGS: Final = (
    "gzip", "deflate", "gzip, deflate", "gzip;q=0", "identity", "identity;q=0.5, gzip;q=1.0", "*", "", "x-gzip", "br",
    "zstd, br, gzip",
)  # fmt: skip
_TAGS: Final = ('"no-such-validator"', 'W/"no-such-validator"', '"no-such-validator", "nor-this"', "*")
_DATES: Final = ("Thu, 01 Jan 1970 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", "not a date")
_BYTES: Final = (
    "bytes=0-0", "bytes=0-", "bytes=-1", "bytes=1-1", "bytes=0-0,2-2", "bytes=99999999999-", "bytes=2-1", "items=0-1",
)  # fmt: skip
_ORIGINS: Final = (
    "https://conformance.invalid", "null", "http://localhost", "http://127.0.0.1:8188", "https://[::1]:1",
    "https://xn--bcher-kva.invalid",
)  # fmt: skip
_ODD_VALUES: Final = ("", "a", "a, b", 'a="b;c"', "a\tb", "(comment)", "a" * 600, "true", "-1", "=?utf-8?q?a?=")

_REPEATABLE: Final = ("Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "X-Conformance")
"""Fields that may stand on several lines: their values are lists (RFC 9110 §5.3)."""

_FIELDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Accept-Encoding", _CODINGS),
    ("Accept-Language", ("en", "de-CH, de;q=0.9, *;q=0.5", "*", "i-klingon, *;q=0.1")),
    ("Cache-Control", ("no-cache", "max-age=0", "no-store", "max-stale=60", "unknown=1")),
    ("Pragma", ("no-cache",)),
    ("If-None-Match", _TAGS),
    ("If-Match", _TAGS),
    ("If-Modified-Since", _DATES),
    ("If-Unmodified-Since", _DATES),
    ("Range", _BYTES),
    ("Origin", _ORIGINS),
    ("Referer", ("https://conformance.invalid/", "https://conformance.invalid/?a=%00")),
    ("Cookie", ("a=b", "a=b; c=d", 'a="b"', "a", "a=" + "b" * 600)),
    ("Content-Type", ("application/json", "text/plain")),
    ("DNT", ("1",)),
    ("Priority", ("u=1, i",)),
    ("Traceparent", ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)),
    ("X-Conformance", _ODD_VALUES),
)


def sweep(seed: int) -> list[Ask]:
    """Return each parameter, value and header of the tables once, by itself, in an order of the seed.

    What depends on one of them is found without luck; Hypothesis is for what depends on several.
    """
    pairs = zip_longest(_VALUES, _PARAMETERS, fillvalue="")
    queries = [Ask(_told([], query), query=query) for value, name in pairs if (query := urlencode({name: value}))]
    accepts = [("Accept", media_range + mark) for media_range, mark in zip(_RANGES, cycle(_WEIGHTS), strict=False)]
    lines = [*accepts, *((name, value) for name, values in _FIELDS for value in values)]
    asks = [*queries, *(Ask(_told([line], ""), headers=(line,)) for line in lines)]
    Random(seed).shuffle(asks)  # noqa: S311 - no secret
    return asks


def sequences() -> st.SearchStrategy[list[Ask]]:
    """Return a strategy for short sequences of reads, each to be asked after the one before was answered."""
    again = _field_lines().filter(lambda line: line[0] in _REPEATABLE)
    return st.lists(st.builds(_ask, _cases(), st.lists(again, max_size=1)), min_size=1, max_size=LONGEST)


def _cases() -> st.SearchStrategy[Case[Any]]:
    """Return a strategy for cases of the operation: what it declares, merged with what nobody declared."""
    document = load_corrected()
    # Credentials are the plan's business: a wrong key is not to be tried again and again.
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    operation = schemathesis.openapi.from_dict(document, config=config)[_PATH][_METHOD]
    parameters = document["paths"][_PATH][_METHOD.lower()].get("parameters")
    declared = operation.as_strategy() if parameters else st.builds(operation.Case)

    def merged(case: Case[Any], query: list[tuple[str, str]], headers: list[tuple[str, str]]) -> Case[Any]:
        for name, value in query:
            case.query.setdefault(name, []).append(value)
        case.headers.update(headers)
        return case

    queries = st.lists(st.tuples(st.sampled_from(_PARAMETERS), st.sampled_from(_VALUES)), max_size=3)
    return st.builds(merged, declared, queries, st.lists(_field_lines(), max_size=3))


def _field_lines() -> st.SearchStrategy[tuple[str, str]]:
    """Return a strategy for header fields: name and value."""
    ranges = st.builds(str.__add__, st.sampled_from(_RANGES), st.sampled_from(_WEIGHTS))
    accept = st.tuples(st.just("Accept"), st.lists(ranges, min_size=1, max_size=3).map(", ".join))
    return st.one_of(st.sampled_from([(name, value) for name, values in _FIELDS for value in values]), accept)


def _ask(case: Case[Any], more: list[tuple[str, str]]) -> Ask:
    """Turn a case into a request of ours; the fields of ``more`` may stand a second time."""
    headers = (*case.headers.items(), *more)
    query = urlencode(case.query, doseq=True)
    return Ask(_told(headers, query), headers=headers, query=query)


def _told(headers: Iterable[tuple[str, str]], query: str) -> str:
    told = [*(["query"] if query else []), *dict.fromkeys(name for name, _ in headers)]
    return f"generated: {', '.join(told) or 'nothing added'}"
