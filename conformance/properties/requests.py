"""The requests that are generated: what the document declares, through Schemathesis, and what it leaves open.

The operation declares no parameter, so Schemathesis alone would send one request. What is added here is legal
HTTP that a server has to bear without changing its answer: parameters that nobody declared, content negotiation,
conditions, ranges, origins, caching and headers of no meaning. Nothing here asks for a side effect, no header
overrides the method, no coding is asked for that is not undone here, and nothing looks like an attack to a firewall.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import zip_longest
from random import Random
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from conformance.probe.client import Ask
from conformance.spec.document import load_corrected

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

_PATH: Final = "/api/queue"
_METHOD: Final = "GET"
LONGEST: Final = 3
"""Requests in one sequence."""
MOST_PARTS: Final = 4
"""Parameters and header fields that are added to one request."""
_DOCUMENT: Final = load_corrected()
_DECLARED: Final = _DOCUMENT["paths"][_PATH][_METHOD.lower()].get("parameters")
_PARAMETERS: Final = (
    "a", "limit", "offset", "page", "page_size", "max_items", "status", "state", "sort", "order", "filter", "fields",
    "format", "user", "client_id", "prompt_id", "id", "queue", "running", "verbose", "pretty", "v", "_", "a[]", "a[b]",
    "a.b", "",
)  # fmt: skip
_VALUES: Final = (
    "", "0", "1", "-1", "1.5", "true", "null", "NaN", "9223372036854775808", "1e400", "asc", "running", "'", '"', "\\",
    "%", "%zz", "<a>", "&amp;", "a b", "a+b", "é", "日本", "😀", "\u202e", "*", "{}", "[]", ",", ";",
    "=", "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", "a" * 500,
)  # fmt: skip
_RANGES: Final = (
    "application/json", "*/*", "application/*", "text/html", "text/*", "image/png", "application/problem+json",
    "application/x-ndjson", "text/event-stream", "application/json;charset=utf-8",
)  # fmt: skip
_WEIGHTS: Final = ("", ";q=0.5", ";q=1.000", ";q=0", "; q=0.001")
_CODINGS: Final = (
    "gzip", "deflate", "gzip, deflate", "gzip;q=0", "identity", "identity;q=0.5, gzip;q=1.0", "", "x-gzip",
)  # fmt: skip
_TAGS: Final = ('"no-such-validator"', 'W/"no-such-validator"', '"no-such-validator", "nor-this"', "*")
_DATES: Final = ("Thu, 01 Jan 1970 00:00:00 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", "not a date")
_BYTES: Final = (
    "bytes=0-0", "bytes=0-", "bytes=-1", "bytes=1-1", "bytes=0-0,2-2", "bytes=99999999999-", "items=0-1",
)  # fmt: skip
_ORIGINS: Final = (
    "https://conformance.invalid", "null", "http://localhost", "http://127.0.0.1:8188", "https://[::1]:1",
    "https://xn--bcher-kva.invalid",
)  # fmt: skip
_ODD_VALUES: Final = ("", "a", "a, b", 'a="b;c"', "a b", "(comment)", "a" * 600, "true", "-1", "=?utf-8?q?a?=")

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
    ("Referer", ("https://conformance.invalid/",)),
    ("Cookie", ("a=b", "a=b; c=d", 'a="b"', "a", "a=" + "b" * 600)),
    ("Content-Type", ("application/json",)),
    ("DNT", ("1",)),
    ("Priority", ("u=1, i",)),
    ("Traceparent", ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)),
    ("X-Conformance", _ODD_VALUES),
)


Part = tuple[str, str, str]
"""Where it stands ("query" or "header"), its name and its value."""

_ACCEPTS: Final = tuple(("header", "Accept", kind + weight) for weight in _WEIGHTS for kind in _RANGES)
_LINES: Final = tuple(("header", name, value) for name, values in _FIELDS for value in values)
_HEADERS: Final = (*_ACCEPTS, *_LINES)
_PAIRS: Final = tuple(("query", name, value) for value in _VALUES for name in _PARAMETERS)


Parts = tuple[Part, ...]


def scattered(seed: int) -> Iterator[Parts]:
    """Yield the parts of single requests without end, by the seed.

    First each parameter, value and header of the tables by itself, so that what depends on one of them is found
    without luck; then some at a time. They cost nothing to draw: Hypothesis is for sequences, and for making small.
    """
    random = Random(seed)  # noqa: S311 - no secret
    pairs = (("query", name, value) for value, name in zip_longest(_VALUES, _PARAMETERS, fillvalue=""))
    each = [(part,) for part in (*pairs, *_ACCEPTS[:: len(_RANGES) - 1], *_LINES)]
    random.shuffle(each)
    yield from each
    while True:
        yield tuple(random.choice(random.choice((_PAIRS, _HEADERS))) for _ in range(random.randint(2, MOST_PARTS)))


def ask_of(parts: Parts) -> Ask:
    """Return the request that is made of these parts."""
    return _ask(_merged(_operation().Case(), parts))


def written(asks: Sequence[Ask]) -> bytes:
    """Return a sequence as it stands in the example database."""
    return msgspec.json.encode([(ask.headers, ask.query) for ask in asks])


def read_back(value: bytes) -> list[Ask]:
    """Return a sequence of the example database; an empty one where it holds what is not generated here."""
    try:
        found = msgspec.json.decode(value, type=list[tuple[list[tuple[str, str]], str]])
    except msgspec.DecodeError:
        return []
    names = {name for _, name, _ in _HEADERS}
    known = all(name in names and text.isprintable() for headers, _ in found for name, text in headers)
    if not known or len(found) > LONGEST + 1 or not all(query.isascii() and query.isprintable() for _, query in found):
        return []
    return [_named(tuple(headers), query) for headers, query in found]


def sequences() -> st.SearchStrategy[list[Ask]]:
    """Return a strategy for short sequences of reads, each to be asked after the one before was answered.

    A request is drawn as a few parts of the tables: little to draw, and little to shrink.
    """
    operation = _operation()
    declared = operation.as_strategy() if _DECLARED else st.builds(operation.Case)
    parts = st.lists(st.sampled_from(_PAIRS) | st.sampled_from(_HEADERS), max_size=MOST_PARTS)
    return st.lists(st.builds(_merged, declared, parts).map(_ask), min_size=1, max_size=LONGEST)


@cache
def _operation() -> APIOperation[Any, Any, Any, Any]:
    # Credentials are the plan's business: a wrong key is not to be tried again and again.
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_dict(_DOCUMENT, config=config)[_PATH][_METHOD]


def _merged(case: Case[Any], parts: Iterable[Part]) -> tuple[Case[Any], list[Part]]:
    """Add parts to a case; return what a case has no room for as well: fields that stand on a second line."""
    more = []
    for place, name, value in parts:
        if place == "query":
            case.query.setdefault(name, []).append(value)
        elif name not in case.headers:
            case.headers[name] = value
        elif name in _REPEATABLE:
            more.append((place, name, value))
    return case, more


def _ask(drawn: tuple[Case[Any], list[Part]]) -> Ask:
    """Turn a case into a request of ours."""
    case, more = drawn
    headers = (*case.headers.items(), *((name, value) for _, name, value in more))
    return _named(headers, urlencode(case.query, doseq=True))


def _named(headers: tuple[tuple[str, str], ...], query: str) -> Ask:
    told = [*(["query"] if query else []), *dict.fromkeys(name for name, _ in headers)]
    return Ask(f"generated: {', '.join(told) or 'nothing added'}", headers=headers, query=query)
