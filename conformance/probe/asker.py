"""Send the requests of a run in turn, as fast as the server accepts them, and stop when more would be useless."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Final, NamedTuple, TypeVar

from conformance.contract.conversation import NOT_NOW, TOO_MANY, UNAVAILABLE
from conformance.contract.expected_status import is_allowed
from conformance.exchange.model import Credential, Exchange, NoResponse
from conformance.probe.client import Client, OutOfTime
from conformance.probe.pace import GIVEN_UP, TOO_FAST, retry_after
from conformance.probe.requests import SAFE_METHODS, Ask

T = TypeVar("T")
PARALLEL: Final = 4
FUTILE: Final = 3
"""Stop once this many normal GETs were sent, if every one of them was refused or told to try again later."""
START: Final = 5.0
"""Seconds to wait for a server that may still be starting."""
BROKEN_OFF: Final = 3
"""Stop after this many requests without a response."""
BUSY: Final = 8
"""Stop after this many consecutive responses that say to try again later."""
ODD: Final = 3
"""After this many refusals of a request with unusual headers, assume that its headers are the reason, not the request
rate.
"""
HELD: Final = 128 << 20
"""Maximum bytes of response bodies in memory if they cannot be stored in a file."""
OUT_OF_TIME: Final = "the time for the run (--deadline)"
NEVER_SERVED: Final = "no GET of the queue got a 200"
AGAIN: Final = ", again"
"""Added to the purpose of a request that is repeated because its first response was unexpected."""
READ: Final = Ask("read")


class Stopped(Exception):
    """Raised if further requests are useless or not allowed.

    The message says why; ``last`` is the exchange that shows it.
    """

    def __init__(self, why: str, last: Exchange | None = None) -> None:
        super().__init__(why)
        self.last = last


class Sent(NamedTuple):
    """The exchanges of each request: none if it was not sent, two if it was repeated.

    ``stopped`` says why not all were sent.
    """

    exchanges: list[list[Exchange]]
    stopped: str | None = None


class Asker:
    """Sends requests in turn until further requests would be useless or not allowed.

    ``spare`` returns the seconds that are reserved for later requests. Up to ``patience`` requests with unusual headers
    may end in a closed connection. ``longest`` is the longest wait, in seconds, after a response that says that
    requests come too fast.
    """

    def __init__(
        self,
        client: Client,
        max_requests: int,
        *,
        spare: Callable[[], float] = lambda: 0.0,
        patience: int = 0,
        longest: float = inf,
    ) -> None:
        self.client = client
        self._max_requests = max_requests
        self._spare = spare
        self._patience = patience
        self._longest = longest

    def reserve(self, seconds: Callable[[], float]) -> None:
        """Reserve further seconds for later requests."""
        spare = self._spare
        self._spare = lambda: spare() + seconds()

    @property
    def seconds(self) -> float:
        """The seconds that remain for the requests of this sender."""
        return max(0.0, self.client.left - self._spare())

    async def all(self, asks: Iterable[Ask]) -> list[Exchange]:
        """Send requests in turn. A request whose response has an unexpected status is repeated once. Raises Stopped."""
        sent = await self.in_turn(asks)
        if sent.stopped is not None:
            raise Stopped(sent.stopped)
        return [exchange for exchanges in sent.exchanges for exchange in exchanges]

    async def in_turn(self, asks: Iterable[Ask]) -> Sent:
        """Send requests in turn until further ones are useless.

        A request whose response has an unexpected status is repeated once.
        """
        found: list[list[Exchange]] = []
        for one in asks:
            exchanges, stopped = await self._twice(one)
            found.append(exchanges)
            if stopped is not None:
                return Sent(found, stopped)
        return Sent(found)

    async def side_by_side(self, asks: Sequence[Ask]) -> Sent:
        """Send requests on up to ``PARALLEL`` connections at once, until further requests are useless."""
        lanes = asyncio.Semaphore(PARALLEL)
        reasons: list[str] = []

        async def one(ask: Ask) -> list[Exchange]:
            async with lanes:
                exchanges, stopped = ([], None) if reasons else await self._twice(ask)
            reasons.extend([stopped] if stopped is not None else [])
            return exchanges

        return Sent(await gather_all([one(ask) for ask in asks]), next(iter(reasons), None))

    async def _twice(self, one: Ask) -> tuple[list[Exchange], str | None]:
        """Send a request, and repeat it once if the status of the response is unexpected.

        Returns the exchanges, and why further requests are useless (None if they are not).
        """
        exchanges: list[Exchange] = []
        try:
            exchanges.append(await self(one))
            if _is_surprising(exchanges[0]):
                exchanges.append(await self(replace(one, purpose=one.purpose + AGAIN)))
        except Stopped as stopped:
            return [*exchanges, *([] if stopped.last is None else [stopped.last])], str(stopped)
        return exchanges, None

    async def __call__(self, one: Ask) -> Exchange:
        """Send a request. Repeat it while requests come too fast or the server is starting. Raises Stopped."""
        return await self._answered(one, self.client.ask)

    async def inspect(self, one: Ask) -> Exchange:
        """Send a request and inspect the raw bytes of its response. Repeat it as ``__call__`` does. Raises Stopped."""
        return await self._answered(one, self.client.inspect)

    async def _answered(self, one: Ask, send: Callable[[Ask], Awaitable[Exchange]]) -> Exchange:
        client, began, interval = self.client, self.client.monotonic(), self.client.pace.interval
        tries = 0
        while True:
            self._may_ask()
            try:
                exchange = await send(one)
            except OutOfTime:
                raise Stopped(self._out_of_time()) from None
            tries += 1
            if not client.refuses(exchange) or not _may_be_repeated(exchange):
                break
            self._give_up(exchange, tries, began)
            if exchange.request.plain:
                continue
            if tries == ODD:
                client.pace.forgive(interval)
                return exchange
            if tries == ODD - 1:
                await self(READ)  # if this is accepted, the pace does not explain the other refusal
        if exchange.problem is not None or exchange.status in UNAVAILABLE:
            _go_on(client.ledger, exchange, self._patience)
        return exchange

    def _may_ask(self) -> None:
        """Raise Stopped if a limit of the run is reached: requests, time or memory."""
        client = self.client
        if client.counted >= self._max_requests:
            raise Stopped(f"the limit of {self._max_requests} requests (--max-requests)")
        if client.left <= self._spare():
            raise Stopped(self._out_of_time())
        if client.held > HELD:
            raise Stopped(f"{HELD >> 20} MiB of responses are in memory, and no temporary file can be written (TMPDIR)")

    def _out_of_time(self) -> str:
        pace = self.client.pace
        if not pace.refused:
            return OUT_OF_TIME
        return f"{OUT_OF_TIME}: requests got a {pace.status}, which slowed the run down (see --rate-limit)"

    def _give_up(self, exchange: Exchange, tries: int, began: float) -> None:
        """Raise Stopped if it is useless to wait and send the request again."""
        client, pace = self.client, self.client.pace
        now, status, delay = client.monotonic(), exchange.status, retry_after(exchange)
        if not client.served and (status != TOO_MANY or delay is not None):
            if tries >= FUTILE and now - began >= START:
                if status not in TOO_FAST:
                    pace.forgive(0.0)
                raise Stopped(NEVER_SERVED if status not in UNAVAILABLE else _every_read(status))
            if delay is None:
                pace.no_later(began + START)
        if pace.streak >= GIVEN_UP and not client.served:
            raise Stopped(_every_read(status))
        if pace.streak >= GIVEN_UP:
            raise Stopped(f"the target is busy: the last {pace.streak} requests got a {status} (see --rate-limit)")
        wait = pace.wait(now)
        if wait > min(self._longest, self.seconds):
            raise Stopped(
                f"requests get a {status}, and the next one would have to wait {wait:,.3g} s "
                "(see --rate-limit and --deadline)"
            )
        if pace.refused > self._max_requests:
            raise Stopped(f"{pace.refused} requests got a {status} (see --rate-limit)")


async def gather_all(awaitables: Sequence[Awaitable[T]]) -> list[T]:
    """Wait for all awaitables, even if one fails, so that no request is abandoned. Raises the first error."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]


def _may_be_repeated(exchange: Exchange) -> bool:
    """Whether a refused request may be repeated: not with a wrong key, and a POST only if Retry-After is set."""
    request = exchange.request
    if request.credential in {Credential.WRONG, Credential.OTHER_CASE}:
        return False
    return request.method in SAFE_METHODS or retry_after(exchange) is not None


def _is_surprising(exchange: Exchange) -> bool:
    """Whether a GET of the queue got an unexpected status. Repeating the request shows whether that was chance."""
    request, status = exchange.request, exchange.status
    if not request.reads or request.purpose == READ.purpose or status is None:
        return False
    return not is_allowed(status, request) and status not in NOT_NOW  # a later request cannot be expected to succeed


def _is_busy(exchange: Exchange) -> bool:
    return exchange.status in NOT_NOW


def _go_on(ledger: Sequence[Exchange], last: Exchange, patience: int = 0) -> None:
    """Raise Stopped if the target sends no complete response, or keeps refusing or postponing requests."""
    final = [exchange for exchange in ledger if not exchange.superseded and exchange.elapsed is not None]
    silent = [exchange for exchange in final if exchange.problem is not None]
    closed = sum(
        exchange.problem is not None and exchange.problem.fault is NoResponse.BROKEN and not exchange.request.plain
        for exchange in silent
    )
    if silent and (len(silent) == len(final) or len(silent) - min(closed, patience) >= BROKEN_OFF):
        msg = "requests get no complete response"
        raise Stopped(msg, last)
    if len(final) >= BUSY and all(map(_is_busy, final[-BUSY:])):
        msg = f"the target is busy: the last {BUSY} requests got a {final[-1].status} (see --rate-limit)"
        raise Stopped(msg, last)
    plain = [exchange for exchange in final if exchange.request.plain]
    if len(plain) >= FUTILE and all(exchange.status in UNAVAILABLE for exchange in plain):
        raise Stopped(_every_read(plain[-1].status), last)


def _every_read(status: int | None) -> str:
    return f"every GET of the queue gets a {status}"
