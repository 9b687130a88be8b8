"""The plan: which requests a run sends, in which order, and when it stops asking."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import Final, TypeVar

from conformance.contract.clauses.error import GARBLED_ORIGIN
from conformance.contract.clauses.http import FIRST_BYTE, MADE_UP_VALIDATOR, answered_at
from conformance.contract.clauses.reads import one_for_one
from conformance.contract.conversation import NOT_NOW, OK, TOO_MANY, UNAVAILABLE, Answer, Conversation
from conformance.contract.expected_status import allowed
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.exchange.headers import http_date
from conformance.exchange.model import Credential, Exchange, NoResponse
from conformance.probe.client import Client, OutOfTime
from conformance.probe.requests import Ask

T = TypeVar("T")
FIRST_READS: Final = 8
PARALLEL: Final = 4
FUTILE: Final = 3
"""Answers that say "not let in" or "not now" after which nothing else is asked."""
BROKEN_OFF: Final = 3
"""Exchanges without an answer after which nothing else is asked."""
PATIENCE: Final = 60
"""Generated requests whose connection may be closed: what makes one small, and confirms it, closes it many times."""
BUSY: Final = 8
"""Answers of "not now" in a row after which nothing else is asked."""
WAITS: Final = 3
"""Times that a Retry-After is obeyed before the run goes on without."""
PAUSE: Final = 1.0
"""Seconds without a read, to see whether jobs vanish by themselves: hundreds of times the usual gap."""
KEPT: Final = 128 << 20
"""Bytes of answers that are kept for judging; equal ones count once."""
POLL: Final = 1.0
"""Seconds between two looks at an idle queue."""
_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]{0,1000}"')
"""An entity tag (RFC 9110 §8.8.3) that is not too long for a header of ours."""
BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

AGAIN: Final = ", again"
"""Ends the purpose of a request that was sent a second time, since its answer was a surprise."""
READ: Final = Ask("read")


def _with(purpose: str, **headers: str | None) -> Ask:
    return Ask(purpose, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))


VARIATIONS: Final = (
    _with("Accept: */*", Accept="*/*"),
    _with("no Accept", Accept=None),
    Ask("as a browser", headers=(("User-Agent", BROWSER), ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"))),
    _with("Accept: text/csv", Accept="text/csv"),
    Ask("undeclared query parameters", query="conformance=1&limit=0"),
    _with("Accept-Encoding: gzip", Accept_Encoding="gzip"),
    _with("Accept-Encoding: gzip, deflate", Accept_Encoding="gzip, deflate"),
    _with("made-up validator", If_None_Match=MADE_UP_VALIDATOR),
    _with("Range", Range=FIRST_BYTE),
    _with("foreign Origin", Origin="https://conformance.invalid"),
)
"""Reads that a server may tell apart, each between two plain ones."""

OTHER_METHODS: Final = (Ask("HEAD", "HEAD"), READ, Ask("OPTIONS", "OPTIONS"))

ON_THE_WIRE: Final = (Ask("on the wire"), Ask("on the wire: HEAD", "HEAD"), Ask("on the wire: OPTIONS", "OPTIONS"))
"""Looked at byte by byte, after everything else: also where the answers were too broken to be read."""

CREDENTIALS: Final = (
    Ask("without the key", credential=Credential.NONE),
    Ask("an empty key", credential=Credential.EMPTY),
    Ask("the key's header in lower case", credential=Credential.LOWER_CASE_NAME),
    Ask("HEAD without the key", "HEAD", credential=Credential.NONE),
)
"""Sent only if a key was given."""
WRONG_KEYS: Final = (READ, Ask("a wrong key", credential=Credential.WRONG))
"""Sent only if a key was given, near the end: a server may lock out who sends one. Twice is the most that it sees."""
AT_THE_END: Final = (READ, _with("garbled Origin", Origin=GARBLED_ORIGIN))
"""Sent last: a garbled Origin makes ComfyUI write a traceback into its log."""
OUT_OF_TIME: Final = "the time for the run (--deadline)"


class Stopped(Exception):
    """There is no point, or no leave, to ask on. Its text says why."""


async def follow(client: Client, *, keyed: bool, max_requests: int, wait_for_items: float = 0.0) -> str | None:
    """Ask everything. Returns None, or why the plan was not followed to its end."""
    why = await begin(client, keyed=keyed, max_requests=max_requests, wait_for_items=wait_for_items)
    return await end(client, keyed=keyed, max_requests=max_requests) if why is None else why


async def begin(client: Client, *, keyed: bool, max_requests: int, wait_for_items: float = 0.0) -> str | None:
    """Ask all that a server takes well. Returns None, or why this part was not followed to its end."""

    async def ask() -> str | None:
        if wait_for_items:
            await _await_items(client, wait_for_items)
        return await _ask_everything(client, keyed=keyed, max_requests=max_requests)

    why = await _until_stopped(ask())
    await _look(client, max_requests)
    return why


async def end(client: Client, *, keyed: bool, max_requests: int) -> str | None:
    """Send what a server may take amiss. Returns None, or why not all of it was sent."""

    async def ask() -> None:
        await Asker(client, max_requests).all((*(WRONG_KEYS if keyed else ()), *AT_THE_END))

    return await _until_stopped(ask())


async def _until_stopped(asking: Awaitable[str | None]) -> str | None:
    try:
        return await asking
    except Stopped as stopped:
        return str(stopped)
    except OutOfTime:
        return OUT_OF_TIME


async def _look(client: Client, max_requests: int) -> None:
    """Look at the wire where something came in time: HTTP, or what is so broken that it is worth a look."""
    problems = [exchange.problem for exchange in client.ledger if not exchange.superseded]
    came = [problem is None or (problem.begun and problem.fault is NoResponse.BROKEN) for problem in problems]
    etag = _etag(client.ledger)
    unchanged = () if etag is None else (_with("on the wire: not modified", If_None_Match=etag),)
    for one in (*ON_THE_WIRE, *unchanged) if any(came) and client.can_look else ():
        if len(client.ledger) - client.uncounted < max_requests and client.left > 0:
            with suppress(OutOfTime):
                await client.look(one)


async def _ask_everything(client: Client, *, keyed: bool, max_requests: int) -> str | None:
    ask = Asker(client, max_requests)
    for _ in range(FIRST_READS):
        await ask(READ)
    if not any(_status(exchange) == OK for exchange in client.ledger):
        return "no read was answered 200"
    await gathered([ask(READ) for _ in range(PARALLEL)])
    variations = _between_reads(_variations(client.ledger))
    await ask.all(chain(variations, OTHER_METHODS, CREDENTIALS if keyed else (), [READ]))
    if _shrinks(client.ledger) and one_for_one(_conversation(client.ledger)) and client.left > PAUSE:
        await client.sleep(PAUSE)
        await ask(READ)
    return None


class Asker:
    """Sends one request after the other, as long as there is a point, and leave, to go on.

    ``spare`` are seconds and ``kept`` bytes of responses that are left to what comes after it. ``patience`` is how many
    odd requests may be answered by a closed connection.
    """

    def __init__(
        self,
        client: Client,
        max_requests: int,
        *,
        spare: Callable[[], float] = lambda: 0.0,
        kept: int = KEPT,
        patience: int = 0,
    ) -> None:
        self.client = client
        self._max_requests = max_requests
        self._waits = WAITS
        self._spare = spare
        self._kept = kept
        self._patience = patience

    @property
    def seconds(self) -> float:
        """The time that it may still spend."""
        return max(0.0, self.client.left - self._spare())

    async def all(self, asks: Iterable[Ask]) -> list[Exchange]:
        """Ask one after the other, and again what was answered by a surprising status. Raises Stopped."""
        exchanges = []
        for one in asks:
            exchanges.append(await self(one))
            if _is_surprising(exchanges[-1]):
                exchanges.append(await self(replace(one, purpose=one.purpose + AGAIN)))
        return exchanges

    async def side_by_side(self, asks: Sequence[Ask]) -> list[list[Exchange]]:
        """Ask on PARALLEL connections at once; return what each request brought. Raises Stopped."""
        lanes = asyncio.Semaphore(PARALLEL)

        async def one(ask: Ask) -> list[Exchange]:
            async with lanes:
                return await self.all([ask])

        return await gathered([one(ask) for ask in asks])

    async def __call__(self, one: Ask) -> Exchange:
        """Ask, and again where the server says when. Raises Stopped."""
        client = self.client
        if len(client.ledger) - client.uncounted >= self._max_requests:
            msg = f"the limit of {self._max_requests} requests (--max-requests)"
            raise Stopped(msg)
        if client.left <= self._spare():
            raise Stopped(OUT_OF_TIME)
        if client.kept > self._kept:
            msg = f"the answers together are larger than {self._kept >> 20} MiB"
            raise Stopped(msg)
        try:
            exchange = await client.ask(one)
        except OutOfTime:
            raise Stopped(OUT_OF_TIME) from None
        if self._waits and await _told_to_wait(client, exchange):
            self._waits -= 1
            return await self(one)
        if exchange.problem is not None or _status(exchange) in UNAVAILABLE:
            _go_on(client.ledger, self._patience)
        return exchange


def generating(client: Client, rate_limit: float | None) -> Asker:
    """Return what sends generated requests: uncounted, and the first to be dropped if time or memory is short."""

    def spare() -> float:
        taken = [exchange.elapsed for exchange in client.ledger if exchange.elapsed is not None]
        pace = max(1 / rate_limit if rate_limit else 0.0, sum(taken) / len(taken) if taken else 0.0)
        return 2 * (len(WRONG_KEYS) + len(AT_THE_END)) * pace  # what ``end`` sends, and as much again

    return Asker(client, sys.maxsize, spare=spare, kept=KEPT // 2, patience=PATIENCE)


async def gathered(awaitables: Sequence[Awaitable[T]]) -> list[T]:
    """Wait for all of them, also where one fails: no request is left alone. Raises what the first one raised."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]


def _between_reads(variations: Iterable[Ask]) -> Iterable[Ask]:
    return chain.from_iterable((READ, one) for one in variations)


def _variations(ledger: Sequence[Exchange]) -> Iterable[Ask]:
    """The fixed ones, and a conditional request where a validator was seen."""
    etag = _etag(ledger)
    conditional = () if etag is None else (_with("the server's own validator", If_None_Match=etag),)
    return (*VARIATIONS, *conditional)


def _etag(ledger: Sequence[Exchange]) -> str | None:
    """Return the first entity tag that was seen and that a request can carry back."""
    answered = (exchange.response for exchange in ledger if exchange.response is not None)
    return next((tag for response in answered if _TAG.fullmatch(tag := response.header("etag") or "")), None)


def _status(exchange: Exchange) -> int | None:
    return None if exchange.response is None else exchange.response.status


def _is_surprising(exchange: Exchange) -> bool:
    """Whether a read failed that need not: asked once more, chance and cause can be told apart."""
    request, status = exchange.request, _status(exchange)
    if not request.reads or request.purpose == READ.purpose or status is None:
        return False
    return status not in allowed(request) and status not in NOT_NOW  # whoever says "not now" is not asked again


def _is_busy(exchange: Exchange) -> bool:
    return _status(exchange) in NOT_NOW


def _go_on(ledger: Sequence[Exchange], patience: int = 0) -> None:
    """Raise Stopped where the target does not answer, or answers that it will not."""
    final = [exchange for exchange in ledger if not exchange.superseded and exchange.elapsed is not None]
    silent = [exchange for exchange in final if exchange.problem is not None]
    closed = sum(
        exchange.problem is not None and exchange.problem.fault is NoResponse.BROKEN and not exchange.request.plain
        for exchange in silent
    )
    if silent and (len(silent) == len(final) or len(silent) - min(closed, patience) >= BROKEN_OFF):
        msg = "the target does not answer"
        raise Stopped(msg)
    if len(final) >= BUSY and all(map(_is_busy, final[-BUSY:])):
        msg = f"the target is busy: the last {BUSY} requests were answered {_status(final[-1])} (see --rate-limit)"
        raise Stopped(msg)
    plain = [exchange for exchange in final if exchange.request.plain]
    if len(plain) >= FUTILE and all(_status(exchange) in UNAVAILABLE for exchange in plain):
        msg = f"every read is answered {_status(plain[-1])}"
        raise Stopped(msg)


async def _told_to_wait(client: Client, exchange: Exchange) -> bool:
    """Obey the Retry-After of a 429 or 503 where the time that is left allows it."""
    if exchange.response is None or exchange.response.status not in (TOO_MANY, 503):
        return False
    if exchange.request.credential is Credential.WRONG:  # nobody's guess is to be tried again and again
        return False
    seconds = _retry_after(exchange)
    if seconds is None or seconds >= client.left:
        return False
    await client.sleep(seconds)
    return True


def _retry_after(exchange: Exchange) -> float | None:
    assert exchange.response is not None
    value = exchange.response.header("retry-after") or ""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    moment = http_date(value)
    now = answered_at(Answer(exchange, exchange.response, Reading(b"")))
    return None if moment is None or now is None else max(0.0, moment - now)


def _shrinks(ledger: Sequence[Exchange]) -> bool:
    """Whether the last read is shorter than the first: a queue that loses jobs is, and to look closer costs."""
    sizes = [len(exchange.response.content) for exchange in ledger if exchange.response and exchange.request.plain]
    return bool(sizes) and sizes[-1] < sizes[0]


def _conversation(ledger: Sequence[Exchange]) -> Conversation:
    answers = []
    for exchange in ledger:
        if exchange.response is not None:
            answers.append(Answer(exchange, exchange.response, FastReading(exchange.response.content)))
            answers[-1].reading.forget()
    return Conversation(answers)


async def _await_items(client: Client, seconds: float) -> None:
    """Look once a second until a list has something in it. Neither time nor requests of this count for the run."""
    client.extend(seconds)
    ends = client.left - seconds
    while True:
        exchange = await client.ask(Ask("waiting for a job"))
        client.uncounted = len(client.ledger)
        _go_on(client.ledger)
        remaining = client.left - ends
        if any(answer.summary.jobs for answer in _conversation([exchange]).answers) or remaining <= 0:
            client.extend(-max(0.0, remaining))
            return
        await client.sleep(min(POLL, remaining))
