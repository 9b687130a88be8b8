"""Clauses about CORS: which other origins may read the queue, and whether with credentials."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract.clause import Finding, clause, rfc
from conformance.contract.clauses.http import heads
from conformance.contract.conversation import Answer
from conformance.contract.terms import Level


def _cross_origin(answer: Answer) -> Iterator[tuple[Answer, str]]:
    for found in heads(answer):
        allowed = found.response.header("access-control-allow-origin")
        if allowed is not None and found.request.to_queue:
            yield found, allowed


@clause(
    "cors.credentials",
    Level.SHOULD,
    title="Credentials are not allowed together with Access-Control-Allow-Origin: *",
    source=rfc(
        "Fetch, CORS protocol and credentials",
        'If credentials mode is "include", then `Access-Control-Allow-Origin` cannot be `*`.',
    ),
    why="Browsers refuse such a response. The combination suggests that the CORS headers were not chosen on purpose.",
    keeps="Access-Control-Allow-Origin: *",
    breaks="Access-Control-Allow-Origin: *, Access-Control-Allow-Credentials: true",
    needs="a response with Access-Control-Allow-Origin",
    over=_cross_origin,
)
def no_credentials_for_any_origin(subject: tuple[Answer, str]) -> Iterator[Finding]:
    """Access-Control-Allow-Origin is not ``*`` if Access-Control-Allow-Credentials is true."""
    answer, allowed = subject
    if allowed.strip() == "*" and (answer.response.header("access-control-allow-credentials") or "").strip() == "true":
        yield Finding(
            None,
            "one named origin, or no credentials",
            "* with credentials",
            "The response allows credentials for every origin. Browsers refuse that, so no page can read the queue with credentials.",
        )


@clause(
    "cors.vary-origin",
    Level.SHOULD,
    title="A response that echoes the request's Origin has Vary: Origin",
    source=rfc("Fetch, CORS protocol and HTTP caches", "`Vary` is to be used"),
    why="Without Vary, a cache serves a response for one origin to another.",
    keeps="Access-Control-Allow-Origin: https://a.example, Vary: Origin",
    breaks="Access-Control-Allow-Origin: https://a.example, no Vary",
    needs="a response that echoes the request's Origin",
    over=lambda answer: (
        found for found, allowed in _cross_origin(answer) if allowed == found.request.header("origin") != "null"
    ),
)
def an_echoed_origin_varies(answer: Answer) -> Iterator[Finding]:
    """The Vary header contains Origin or *."""
    if not {"origin", "*"} & set(answer.response.values("vary")):
        yield Finding(
            None,
            "Vary: Origin",
            "no Vary: Origin",
            "The response depends on the request's Origin, but Vary does not say so.",
        )
