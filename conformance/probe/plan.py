"""The fixed plan: which requests a run sends to the queue, in which order, and when it stops."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from math import inf
from typing import Final

from conformance.contract.clauses.error import GARBLED_ORIGIN
from conformance.contract.clauses.http_conditional import FIRST_BYTE, MADE_UP_VALIDATOR
from conformance.contract.clauses.reads import one_for_one
from conformance.contract.conversation import OK, UNAVAILABLE, Answer, Conversation
from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.exchange.codings import DECODABLE
from conformance.exchange.model import Credential, Exchange, NoResponse
from conformance.probe.asker import NEVER_SERVED, OUT_OF_TIME, PARALLEL, READ, Asker, Stopped, gather_all
from conformance.probe.client import Client, OutOfTime
from conformance.probe.pace import BRIEFLY
from conformance.probe.requests import Ask

FIRST_READS: Final = 8
PAUSE: Final = 1.0
"""Seconds without a GET of the queue, to see whether jobs also disappear without GETs."""
PATIENCE: Final = 60
"""The number of generated requests on which the server may close the connection before the run stops."""
RECENT: Final = 100
"""Number of recent requests whose duration shows how long a request takes."""
POLL: Final = 1.0
"""Seconds between two polls of an idle queue."""
_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]{0,1000}"')
"""An entity tag (RFC 9110 §8.8.3) that is short enough for a request header."""
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BROWSER_ACCEPT: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
"""The Accept header that browsers send for a page."""


def _with(purpose: str, **headers: str | None) -> Ask:
    return Ask(purpose, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))


VARIATIONS: Final = (
    _with("Accept: */*", Accept="*/*"),
    _with("no Accept", Accept=None),
    Ask("as a browser", headers=(("User-Agent", BROWSER), ("Accept", BROWSER_ACCEPT))),
    _with("Accept: text/csv", Accept="text/csv"),
    Ask("undeclared query parameters", query="conformance=1&limit=0"),
    _with("Accept-Encoding: gzip", Accept_Encoding="gzip"),
    _with("Accept-Encoding: gzip, deflate", Accept_Encoding="gzip, deflate"),
    _with("made-up validator", If_None_Match=MADE_UP_VALIDATOR),
    _with("Range", Range=FIRST_BYTE),
    _with("foreign Origin", Origin="https://conformance.invalid"),
    *([_with("Accept-Encoding: br", Accept_Encoding="br")] if "br" in DECODABLE else []),
)
"""GETs of the queue with headers or queries that a server may treat differently. A normal GET is sent before each."""

WAITING: Final = Ask("waiting for a job")
"""The GET that is repeated until the queue has a job (``--wait-for-items``). It does not count towards --max-requests.
"""

OTHER_METHODS: Final = (Ask("HEAD", "HEAD"), READ, Ask("OPTIONS", "OPTIONS"))

ON_THE_WIRE: Final = (Ask("on the wire"), Ask("on the wire: HEAD", "HEAD"), Ask("on the wire: OPTIONS", "OPTIONS"))
"""Requests for which the raw bytes of the response are inspected."""

CREDENTIALS: Final = (
    Ask("without the key", credential=Credential.NONE),
    Ask("an empty key", credential=Credential.EMPTY),
    Ask("the key's header in lower case", credential=Credential.LOWER_CASE_NAME),
    Ask("HEAD without the key", "HEAD", credential=Credential.NONE),
)
"""Requests without the key, or with an empty key. They are sent only if the user gave a key."""
WRONG_KEYS: Final = (
    READ,
    Ask("a wrong key: another last character", credential=Credential.WRONG),
    Ask("a wrong key: the other letter case", credential=Credential.OTHER_CASE),
)
"""Requests with wrong keys. They are sent near the end, because a server may lock out a client after wrong keys."""
OTHER_REFUSALS: Final = frozenset(range(400, 500)) - frozenset(UNAVAILABLE)
"""Statuses by which a server may refuse an address that it banned, besides those that say so or "try again later"."""
AT_THE_END: Final = (READ, _with("garbled Origin", Origin=GARBLED_ORIGIN))
"""The last requests of a run. A malformed Origin makes ComfyUI write a traceback into its log."""


async def follow(client: Client, *, keyed: bool, max_requests: int, wait_for_items: float = 0.0) -> str | None:
    """Send all requests of the plan. Returns why the plan was not completed, or None if it was.

    ``keyed`` says that the user gave a key. ``wait_for_items`` is the number of seconds to wait for a job in the queue.
    """
    why = await begin(client, keyed=keyed, max_requests=max_requests, wait_for_items=wait_for_items)
    return await end(client, keyed=keyed, max_requests=max_requests) if why is None else why


async def begin(client: Client, *, keyed: bool, max_requests: int, wait_for_items: float = 0.0) -> str | None:
    """Send the requests that a server should accept. Returns why they were not all sent, or None if they were."""

    async def ask() -> str | None:
        if wait_for_items:
            await _await_items(client, wait_for_items)
        return await _ask_everything(client, keyed=keyed, max_requests=max_requests)

    why = await _until_stopped(ask())
    await _inspect_raw(client, max_requests)
    return why


async def end(client: Client, *, keyed: bool, max_requests: int) -> str | None:
    """Send wrong keys and a malformed Origin. Returns why they were not all sent, or None if they were."""

    async def ask() -> None:
        asker = Asker(client, max_requests)
        last: Sequence[Ask] = AT_THE_END
        if keyed:
            limited = client.pace.refused > 0
            await asker.all(one for one in WRONG_KEYS if client.may_send(one.credential))
            if await _is_banned(client, max_requests, limited=limited):
                return
            last = AT_THE_END[1:]
        await asker.all(last)

    return await _until_stopped(ask())


async def _is_banned(client: Client, max_requests: int, *, limited: bool) -> bool:
    """Send a GET with the right key, after the requests with wrong keys.

    Returns whether the server now refuses this client. Such refusals do not violate the contract: the report lists
    them, but they are not checked. If the server already had a rate limit before (``limited``), a 429 does not count as
    a ban.
    """
    before = len(client.ledger)
    reads = [exchange for exchange in client.ledger if exchange.request.plain]
    stopped = None
    ask = Asker(client, max_requests, longest=inf if limited else BRIEFLY)
    try:
        await ask(READ)
        if client.ledger[-1].status in OTHER_REFUSALS:
            await ask(READ)
    except Stopped as reason:
        stopped = reason
    since = client.ledger[before:]
    refusals = {*UNAVAILABLE, *(OTHER_REFUSALS if len(since) > 1 else ())}  # once, another status may be chance
    refused = [exchange.problem is not None or exchange.status in refusals for exchange in since]
    if not limited and refused and all(refused) and reads[-1].status == OK:
        second = [one.request.credential is Credential.OTHER_CASE for one in client.ledger]
        banned = (
            second.index(True) if any(second) else before
        )  # the second wrong key was refused because of the ban, not because of its letter case
        client.ledger[banned:] = [replace(exchange, superseded=True) for exchange in client.ledger[banned:]]
        return True
    if stopped is not None:
        raise stopped
    return False


def generating(client: Client) -> Asker:
    """Return the sender of generated requests.

    They do not count towards --max-requests, and end early if time is short.
    """

    def spare() -> float:
        taken = [exchange.elapsed for exchange in client.ledger[-RECENT:] if exchange.elapsed is not None]
        pace = max(client.pace.usual, sum(taken) / len(taken) if taken else 0.0)
        return 2 * (len(WRONG_KEYS) + len(AT_THE_END)) * pace  # what ``end`` sends, and as much again

    return Asker(client, sys.maxsize, spare=spare, patience=PATIENCE, longest=BRIEFLY)


async def _until_stopped(asking: Awaitable[str | None]) -> str | None:
    try:
        return await asking
    except Stopped as stopped:
        return str(stopped)
    except OutOfTime:
        return OUT_OF_TIME


async def _inspect_raw(client: Client, max_requests: int) -> None:
    """Send the requests of ``ON_THE_WIRE`` if the server responds at all, even with bytes that are not HTTP."""
    if client.pace.streak:
        return
    inspect = Asker(client, max_requests).inspect if client.served else client.inspect
    problems = [exchange.problem for exchange in client.ledger if not exchange.superseded]
    came = [problem is None or (problem.begun and problem.fault is NoResponse.BROKEN) for problem in problems]
    etag = _etag(client.ledger)
    unchanged = () if etag is None else (_with("on the wire: not modified", If_None_Match=etag),)
    for one in (*ON_THE_WIRE, *unchanged) if any(came) and client.can_inspect else ():
        if client.counted < max_requests and client.left > 0:
            with suppress(OutOfTime, Stopped):
                await inspect(one)


async def _ask_everything(client: Client, *, keyed: bool, max_requests: int) -> str | None:
    ask = Asker(client, max_requests)
    for _ in range(FIRST_READS):
        await ask(READ)
    if not any(exchange.status == OK for exchange in client.ledger):
        return NEVER_SERVED
    await gather_all([ask(READ) for _ in range(PARALLEL)])
    variations = _between_reads(_variations(client.ledger))
    await ask.all(chain(variations, OTHER_METHODS, CREDENTIALS if keyed else (), [READ]))
    if _shrinks(client.ledger) and one_for_one(_conversation(client.ledger)) and client.left > PAUSE:
        await client.sleep(PAUSE)
        await ask(READ)
    return None


def _between_reads(variations: Iterable[Ask]) -> Iterable[Ask]:
    return chain.from_iterable((READ, one) for one in variations)


def _variations(ledger: Sequence[Exchange]) -> Iterable[Ask]:
    """Return ``VARIATIONS``, and, if a response had an ETag, a conditional request with this ETag."""
    etag = _etag(ledger)
    conditional = () if etag is None else (_with("the server's own ETag", If_None_Match=etag),)
    return (*VARIATIONS, *conditional)


def _etag(ledger: Sequence[Exchange]) -> str | None:
    """Return the first valid ETag in a response, or None."""
    answered = (exchange.response for exchange in ledger if exchange.response is not None)
    return next((tag for response in answered if _TAG.fullmatch(tag := response.header("etag") or "")), None)


def _shrinks(ledger: Sequence[Exchange]) -> bool:
    """Whether the last body is shorter than the first one, so that the queue may have lost jobs."""
    plain = [exchange.response for exchange in ledger if exchange.response and exchange.request.plain]
    sizes = [response.size for response in plain if response.status == OK]
    return bool(sizes) and sizes[-1] < sizes[0]


def _conversation(ledger: Sequence[Exchange]) -> Conversation:
    answers, shared = [], Shared(KnownJobs())
    for exchange in ledger:
        if exchange.response is not None:
            answers.append(Answer(exchange, exchange.response, reading_of(exchange.response.body, shared=shared)))
            answers[-1].reading.forget()
    return Conversation(answers)


async def _await_items(client: Client, seconds: float) -> None:
    """Send a GET once a second until the queue has a job or ``seconds`` are over.

    They do not count towards --max-requests.
    """
    client.extend(seconds)
    ends = client.left - seconds
    ask = Asker(client, sys.maxsize)
    while True:
        exchange = await ask(WAITING)
        client.uncounted = len(client.ledger)
        remaining = client.left - ends
        if any(answer.summary.jobs for answer in _conversation([exchange]).answers) or remaining <= 0:
            client.extend(-max(0.0, remaining))
            return
        await client.sleep(min(POLL, remaining))
