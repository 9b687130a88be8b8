"""The HTTP client. It limits time and bytes, follows no redirect, and sends only safe methods by default."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import replace
from math import inf
from typing import Final, Self

from conformance.contract.conversation import OK
from conformance.contract.refusals import challenges
from conformance.exchange.codings import BrokenCoding, ContentTooLarge, Decoder
from conformance.exchange.headers import Headers, values
from conformance.exchange.model import Credential, Exchange, NoResponse, Operation, Problem, Request, Response
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import KEY_HEADER, REDACTED, Secret, near_misses
from conformance.exchange.stored import BodyStore
from conformance.probe.leave import Leave
from conformance.probe.limits import Bounds, Gateway
from conformance.probe.pace import FIXED_PLAN, SHARE, STARTING, TOO_FAST, Pace, retry_after
from conformance.probe.raw import send_raw
from conformance.probe.requests import SAFE_METHODS, Ask, Required, guard
from conformance.probe.tls import no_tls, reason, trust
from conformance.probe.transport import make_transport
from conformance.text.safe import printable
from conformance.version import __version__

USER_AGENT: Final = f"comfy-queue-conformance/{__version__}"
_RETRIED: Final = (NoResponse.BROKEN, NoResponse.UNREACHABLE)
"""Failures that a new connection may fix. Timeouts are not among them, because no time is left for another attempt."""
NO_CONNECTION: Final = "no connection within the time limit (--connect-timeout)"
NO_STATUS_LINE: Final = "the response does not begin with a status line"
_NO_STATUS_LINE: Final = "illegal request line"
"""The start of h11's error message for bytes that are not HTTP/1, such as an HTTP/2 frame."""


class Client:
    """Sends requests to one URL and records all exchanges in ``ledger``. Use it as an async context manager.

    ``on_exchange`` is called for every exchange, to show progress. ``uncounted`` is the number of requests that do not
    count towards the limit: polls that the user asked for, requests sent while ``counting`` is False, and requests that
    were refused as too fast or because the server was starting, and are repeated. ``served`` says whether a normal GET
    got a 200. ``required`` has the header fields and query parameters that the user's OpenAPI document requires of a
    GET. ``leave`` is the user's permission to change the server; without it only read-only requests are sent.
    """

    def __init__(  # noqa: PLR0913 - each is a separate setting
        self,
        url: str,
        key: Secret | None,
        bounds: Bounds,
        on_exchange: Callable[[Exchange], None] = lambda _: None,
        gateway: Gateway | None = None,
        *,
        leave: Leave | None = None,
        required: Required | None = None,
    ) -> None:
        self.url = url
        self.ledger: list[Exchange] = []
        self.uncounted = 0
        self.counting = True
        self.leave = leave
        self._required = required or Required()
        self._key = key
        self._gateway = gateway or Gateway()
        wrong, other_case = (None, None) if key is None else near_misses(key)
        self._wrong_keys = {Credential.WRONG: wrong, Credential.OTHER_CASE: other_case}
        others = [secret for secret in self._wrong_keys.values() if secret is not None]
        self._redactor = Redactor(key, *self._gateway.secrets, others=others)
        self._bounds = bounds
        self._on_exchange = on_exchange
        self._wall, self._clock = time.time(), self.monotonic()
        self._ends = self._clock + bounds.deadline
        self._bodies = BodyStore()
        self.pace = Pace(bounds.rate_limit)
        self.served = False
        self._gate = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._tls = trust(self._gateway) if self.url.startswith("https") else None
        self._transport = make_transport(self._gateway, self._tls or no_tls())
        import httpx

        timeout = httpx.Timeout(None, connect=self._bounds.connect_timeout)  # ``_within_bounds`` limits the rest
        self._extensions = {"timeout": timeout.as_dict()}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    def extend(self, seconds: float) -> None:
        """Move the deadline by ``seconds``: time spent in waits that the user asked for does not count."""
        self._ends += seconds

    def monotonic(self) -> float:
        """Return the time in seconds of a clock that never goes back. Tests may replace this method."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep. Tests may replace this together with the clock."""
        await asyncio.sleep(seconds)

    @property
    def held(self) -> int:
        """The number of bytes of response bodies that are in memory, not in a file."""
        return self._bodies.held

    @property
    def left(self) -> float:
        """The seconds until the deadline of the run."""
        return self._ends - self.monotonic()

    async def ask(self, ask: Ask) -> Exchange:
        """Send one request. If its connection fails, send the request once more on a new connection.

        Raises no network error. If the received bytes were not HTTP, the second request inspects them, to recognise the
        protocol. A POST is sent only once, because it may have taken effect before the connection broke.
        """
        exchange, number = await self._attempt(ask, 1), 1
        while self._connects_slowly(exchange, number) and self._may_ask_again(ask, exchange):
            self._supersede(exchange)
            number += 1
            exchange = await self._attempt(ask, number)
        if number > 1 or not self._may_ask_again(ask, exchange):
            return exchange
        assert exchange.problem is not None
        if self.can_inspect and exchange.problem.detail == NO_STATUS_LINE:
            seen = await self._attempt(ask, 2, on_the_wire=True)
            settled = seen.problem is not None or not self._may_ask_again(ask, exchange)
            return seen if settled else await self._attempt(ask, 3)
        if not exchange.problem.begun:
            self._supersede(exchange)
        return await self._attempt(ask, 2)

    def _supersede(self, exchange: Exchange) -> None:
        self.ledger[self.ledger.index(exchange)] = replace(exchange, superseded=True)

    def _connects_slowly(self, exchange: Exchange, number: int) -> bool:
        """Whether the first connection of the run timed out, and the time limit allows another attempt."""
        slow = exchange.problem is not None and exchange.problem.detail == NO_CONNECTION
        first = all(one.response is None for one in self.ledger)
        return slow and first and (number + 1) * self._bounds.connect_timeout <= self._bounds.exchange_timeout

    def _may_ask_again(self, ask: Ask, exchange: Exchange) -> bool:
        broken = exchange.problem is not None and exchange.problem.fault in _RETRIED and ask.method in SAFE_METHODS
        return broken and self.counted < self._bounds.max_requests and self.left > 0

    @property
    def counted(self) -> int:
        """The number of requests that count towards the limit."""
        return len(self.ledger) - self.uncounted

    def refuses(self, exchange: Exchange) -> bool:
        """Whether a response says that requests come too fast, or that the server is still starting."""
        if exchange.response is not None and challenges(exchange.response.headers):
            return False  # repeating the request does not help at any pace
        status = exchange.status
        return status in TOO_FAST or (not self.served and status in STARTING)

    @property
    def can_inspect(self) -> bool:
        """Whether the raw bytes of the server can be inspected: not through a proxy, which sends its own."""
        return self._gateway.proxy is None

    async def inspect(self, ask: Ask) -> Exchange:
        """Send one request on its own connection and inspect the raw bytes of the response. Raises no network error.

        The body is not read. The request is not marked as a request of the queue, so that only clauses about framing
        judge the response.
        """
        return await self._attempt(ask, 1, on_the_wire=True)

    async def _attempt(self, ask: Ask, attempt: int, *, on_the_wire: bool = False) -> Exchange:
        guard(ask, self.leave)
        async with self._gate:
            await self._turn()
            if self.pace.streak:  # in sequence, until the server accepts requests again
                return await self._send_attempt(ask, attempt, on_the_wire=on_the_wire)
        return await self._send_attempt(ask, attempt, on_the_wire=on_the_wire)

    async def _send_attempt(self, ask: Ask, attempt: int, *, on_the_wire: bool) -> Exchange:
        number = f"x{len(self.ledger) + 1}"
        sent, request = self.prepare(ask, on_the_wire=on_the_wire)
        url = self.url_of(ask)
        started = self.monotonic()
        began = self._wall + started - self._clock
        exchange = Exchange(number, request, started=began, attempt=attempt, redactor=self._redactor)
        place = len(self.ledger)
        self.ledger.append(exchange)
        self.uncounted += not self.counting
        sending = self._inspect(ask.method, url, sent) if on_the_wire else self._send(ask.method, url, sent, ask.body)
        try:
            response, problem = await sending
        except asyncio.CancelledError:
            # record that the request was sent, even if the run is stopped before its response
            self.ledger[place] = replace(exchange, problem=Problem(NoResponse.BROKEN, "the run was stopped"))
            self._note(self.ledger[place])
            raise
        elapsed = self.monotonic() - started
        if response is not None:
            response = self._with_echoes(response).kept_in(self._bodies)
        exchange = replace(exchange, response=response, problem=problem, elapsed=elapsed)
        self.ledger[place] = exchange
        self._keep_pace(exchange, started)
        self._note(exchange)
        self._on_exchange(exchange)
        return exchange

    def prepare(self, ask: Ask, *, on_the_wire: bool = False) -> tuple[Headers, Request]:
        """Return the headers to send, and the request as shown in reports, without the key."""
        sent = self._headers(ask)
        request = Request(
            ask.method,
            self._redactor.text(self.url_of(ask)),
            self._redact(sent),
            ask.purpose,
            ask.credential,
            to_queue=not (on_the_wire or ask.operation),
            operation=ask.operation,
            body=ask.body,
            own_query="" if ask.operation else self._required.text,
            own_headers=() if ask.operation else self._required.names,
            own_parameters=() if ask.operation else self._required.declared,
        )
        return sent, request

    def received(self, exchange: Exchange, response: Response | None) -> Exchange:
        """Return the exchange with the response added, and with the places where the response contains the key."""
        if response is not None:
            response = self._with_echoes(response)
        return replace(exchange, response=response, redactor=self._redactor)

    def _with_echoes(self, response: Response) -> Response:
        echoes = self._redactor.echoes(response.headers, response.content)
        return replace(response, echoes=echoes) if echoes else response

    def without_keys(self, text: str) -> str:
        """Return text with keys redacted, for messages that may quote a response."""
        return self._redactor.text(text)

    def may_send(self, credential: Credential) -> bool:
        """Whether a request with this credential is possible: a key without letters has no other letter case."""
        return credential is not Credential.OTHER_CASE or self._wrong_keys[credential] is not None

    def url_of(self, ask: Ask) -> str:
        """Return the URL of a request."""
        query = ask.query if ask.operation else self._required.with_query(ask.query)
        return self._url(ask.operation, ask.job) + (f"?{query}" if query else "")

    def _note(self, exchange: Exchange) -> None:
        if self.leave is not None:
            self.leave.note(exchange)

    async def _turn(self) -> None:
        """Wait until the pace allows another request. Raises OutOfTime if the time of the run would then be over."""
        while (wait := self.pace.wait(self.monotonic())) > 0 and self.left > 0:
            await self.sleep(min(wait, self.left))
        if self.left <= 0 and self.ledger:
            raise OutOfTime
        most = inf
        if self.counting:
            remaining = max(1, min(self._bounds.max_requests, FIXED_PLAN) - self.counted)
            most = SHARE * self.left / remaining
        self.pace.sent(self.monotonic(), most)

    def _keep_pace(self, exchange: Exchange, sent: float) -> None:
        if self.refuses(exchange):
            assert exchange.response is not None
            self.pace.held_back(exchange.response.status, sent, self.monotonic(), retry_after(exchange))
            self.uncounted += self.counting
        elif exchange.response is not None:
            self.served = self.served or (exchange.response.status == OK and exchange.request.plain)
            self.pace.answered(sent)

    def _url(self, operation: Operation | None, job: str) -> str:
        """Return the URL of an operation. Its path differs from the queue's path only in the last segments."""
        if operation in {None, Operation.MANAGE}:
            return self.url
        assert operation is not None
        return f"{self.url.rpartition('/')[0]}/{operation.value[1].replace('{job}', job)}"

    def _headers(self, ask: Ask) -> Headers:
        fields: dict[str, str | None] = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "X-Request-Id": str(uuid.uuid4()),
        }
        if self._key is not None:
            name = KEY_HEADER.lower() if ask.credential is Credential.LOWER_CASE_NAME else KEY_HEADER
            given = self._key.reveal()
            wrong = {name: None if key is None else key.reveal() for name, key in self._wrong_keys.items()}
            fields[name] = {Credential.NONE: None, Credential.EMPTY: "", **wrong}.get(ask.credential, given)
        if ask.operation is None:
            fields |= dict(self._required.headers)
        own = {name.lower() for name, _ in ask.headers}
        usual = [(name, value) for name, value in fields.items() if name.lower() not in own]
        gateway = ((name, value.reveal()) for name, value in self._gateway.headers)
        return tuple((name, value) for name, value in (*usual, *gateway, *ask.headers) if value is not None)

    def _redact(self, headers: Headers) -> Headers:
        """Return the headers as the report shows them: right and wrong keys and all other secrets are redacted."""
        own = self._gateway.secret_names | ({KEY_HEADER.lower()} if self._key is not None else set())
        return tuple((name, value and REDACTED if name.lower() in own else value) for name, value in headers)

    async def _send(
        self, method: str, url: str, headers: Headers, body: bytes = b""
    ) -> tuple[Response | None, Problem | None]:
        return await self._within_bounds(self._exchange(method, url, headers, body))

    async def _inspect(self, method: str, url: str, headers: Headers) -> tuple[Response | None, Problem | None]:
        return await self._within_bounds(self._send_raw(method, url, headers))

    async def _within_bounds(self, answer: Awaitable[Response]) -> tuple[Response | None, Problem | None]:
        """Wait for a response within the time limits. Returns the response, or a description of what went wrong."""
        import httpx

        seconds = max(0.001, min(self._bounds.exchange_timeout, self.left))
        try:
            async with asyncio.timeout(seconds):
                return await answer, None
        except TimeoutError:
            return None, Problem(NoResponse.TIMEOUT, f"no complete response within {seconds:.3g} s")
        except ContentTooLarge:
            return None, Problem(NoResponse.TOO_LARGE, f"the body is larger than {self._bounds.max_body:,} bytes")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            slow = isinstance(error, httpx.ConnectTimeout)
            return None, Problem(NoResponse.UNREACHABLE, NO_CONNECTION if slow else self._why(error))
        except CutOff as error:
            return None, Problem(NoResponse.BROKEN, self._why(error), begun=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as error:
            silent = isinstance(error, httpx.NetworkError | OSError) or "without sending a response" in str(error)
            detail = NO_STATUS_LINE if str(error).startswith(_NO_STATUS_LINE) else self._why(error)
            return None, Problem(NoResponse.BROKEN, detail, begun=not silent)

    def _why(self, error: BaseException) -> str:
        return printable(self._redactor.text(reason(error)))  # redact first, since shortening could cut a key in half

    async def _send_raw(self, method: str, url: str, headers: Headers) -> Response:
        raw = await send_raw(url, method, headers, tls=self._tls, seconds=self._bounds.exchange_timeout)
        return Response(raw.status, raw.headers, http_version=raw.http_version, wire=raw.wire)

    async def _exchange(self, method: str, url: str, headers: Headers, body: bytes) -> Response:
        import httpx

        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        request = httpx.Request(method, url, headers=fields, content=body or None, extensions=self._extensions)
        answer = await self._transport.handle_async_request(request)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in answer.headers.raw)
        codings = [] if request.method == "HEAD" else values(headers, "content-encoding")
        try:
            content, coding_error = await self._content(answer.stream, codings)
        except httpx.HTTPError as error:
            raise CutOff(reason(error)) from error
        finally:
            await answer.aclose()
        return Response(
            answer.status_code,
            headers,
            content,
            coding_error,
            http_version=answer.http_version,
        )

    async def _content(self, stream: AsyncIterable[bytes], codings: list[str]) -> tuple[bytes, str | None]:
        """Read and decode the body in pieces, so that a decompression bomb is noticed early."""
        coding_error = None
        try:
            decoder = Decoder(codings, self._bounds.max_body)
        except BrokenCoding as error:
            decoder, coding_error = Decoder((), self._bounds.max_body), str(error)
        received = 0
        async for chunk in stream:
            received += len(chunk)
            if received > self._bounds.max_body:
                raise ContentTooLarge
            if coding_error is None:
                try:
                    decoder.feed(chunk)
                except BrokenCoding as error:
                    coding_error = str(error)
        if coding_error is None:
            try:
                decoder.finish()
            except BrokenCoding as error:
                coding_error = str(error)
        return bytes(decoder.content), coding_error


class OutOfTime(Exception):
    """The time of the run is over, so the request was not sent."""


class CutOff(Exception):
    """A response started but was not completed."""
