"""Clauses about caching (RFC 9111): the queue changes within seconds, and it belongs to one user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, inferred, rfc
from conformance.contract.clauses.http import answered_at, heads, queue_heads
from conformance.contract.conversation import Answer
from conformance.contract.terms import ONE_QUEUE, Level
from conformance.exchange.headers import http_date
from conformance.text.safe import printable

FRESH: Final = 10
"""The number of seconds for which a cached queue does no harm, because clients poll about that often."""
_LIFETIME: Final = re.compile(r"(?:s-maxage|max-age)=\"?0*(\d*)\"?", re.ASCII)


@clause(
    "caching.shared",
    Level.SHOULD,
    oss=ONE_QUEUE,
    title="The response forbids shared caches to store the queue",
    source=inferred(
        rfc(
            "RFC 9111 §3.5",
            "A shared cache MUST NOT use a cached response to a request with an Authorization header field",
        ),
        "The RFC says so only for requests with Authorization. For a key in X-API-Key, the response must say so itself.",
    ),
    why="A shared cache could serve one user's queue to another user.",
    keeps="Cache-Control: no-store",
    breaks="no Cache-Control, no Vary",
    needs="a 200 response with its headers",
    over=queue_heads,
)
def shared_caches_are_told(answer: Answer) -> Iterator[Finding]:
    """Cache-Control forbids shared caching, or Vary has X-API-Key or *.

    Cache-Control forbids it with no-store, private or no-cache, or with a lifetime of 0 and must-revalidate.
    """
    control = answer.response.values("cache-control")
    vary = answer.response.values("vary")
    revalidated = {"max-age=0", "s-maxage=0"} & set(control) and {"must-revalidate", "proxy-revalidate"} & set(control)
    if revalidated:
        return
    if not {"no-store", "private", "no-cache"} & set(control) and not {"x-api-key", "*"} & set(vary):
        got = printable(", ".join(control)) or "no Cache-Control"
        yield Finding(
            None,
            "Cache-Control: no-store (or private, no-cache; or Vary: X-API-Key)",
            got,
            "A shared cache may store this response and serve it to another user.",
        )


@clause(
    "caching.lifetime",
    Level.SHOULD,
    title="No response may be served from a cache for more than 10 s",
    source=inferred(
        rfc("RFC 9111 §4.2", "A fresh response is one whose age has not yet exceeded its freshness lifetime."),
        "The RFC sets no limit. A queue changes within seconds.",
    ),
    why="A queue or a refusal that is minutes old is wrong.",
    keeps="Cache-Control: no-store",
    breaks="Cache-Control: max-age=3600",
    needs="a response with its headers",
    over=lambda answer: (found for found in heads(answer) if found.request.method == "GET" and found.request.to_queue),
    kinds=("expires",),
)
def no_long_lifetime(answer: Answer) -> Iterator[Finding]:
    """max-age, s-maxage and Expires allow at most 10 s. They are ignored if the response has no-store or no-cache."""
    control = answer.response.values("cache-control")
    if {"no-store", "no-cache"} & set(control):
        return
    for directive in control:
        match = _LIFETIME.fullmatch(directive)
        if match and int(match[1][:9] or 0) > FRESH:
            yield Finding(
                None,
                f"at most {FRESH} s",
                printable(directive),
                f"Caches may serve this response for more than {FRESH} s.",
            )
    if any(map(_LIFETIME.fullmatch, control)):
        return  # RFC 9111 §5.3: a cache ignores Expires if there is a max-age
    expires, now = http_date(answer.response.header("expires") or ""), answered_at(answer)
    if expires is not None and now is not None and expires > now + FRESH:
        yield Finding(
            None,
            "no Expires in the future",
            f"{expires - now:,.0f} s ahead",
            f"Caches may serve this response for more than {FRESH} s.",
            Cause("expires"),
        )


@clause(
    "caching.age",
    Level.SHOULD,
    title="No response is more than 10 s old (Age)",
    source=inferred(
        rfc(
            "RFC 9111 §5.1",
            "the sender's estimate of the time since the response was generated or successfully validated at the origin server",
        ),
        "The RFC sets no limit. A queue changes within seconds.",
    ),
    why="An old response from a cache does not show the current queue.",
    keeps="no Age",
    breaks="Age: 600",
    needs="a 200 response with its headers",
    over=queue_heads,
)
def no_old_answer(answer: Answer) -> Iterator[Finding]:
    """The Age header is absent, or at most 10 seconds."""
    age = answer.response.header("age")
    if age is not None and not (re.fullmatch(r"[0-9]{1,12}", age) and int(age) <= FRESH):
        yield Finding(
            None,
            f"no Age, or at most {FRESH}",
            printable(age),
            "By its Age header, a cache stored the response too long ago.",
        )
