"""The bounded client: only what reads unless there is leave to write, no redirect followed, every exchange limited."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import ssl
import time
import uuid
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import unquote_plus, urlencode

from conformance.exchange.codings import BrokenCoding, ContentTooLarge, Decoder
from conformance.exchange.headers import Headers, values
from conformance.exchange.model import Credential, Exchange, NoResponse, Operation, Problem, Request, Response
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import REDACTED, Secret, near_misses
from conformance.probe.leave import Leave
from conformance.probe.limits import METHOD_OVERRIDES, Bounds, Gateway
from conformance.probe.raw import look
from conformance.problems import UsageProblem
from conformance.text.safe import printable
from conformance.version import __version__

USER_AGENT: Final = f"comfy-queue-conformance/{__version__}"
KEY_HEADER: Final = "X-API-Key"
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")
_RETRIED: Final = (NoResponse.BROKEN, NoResponse.UNREACHABLE)
"""Faults after which a fresh connection may help. A time-out has had its time."""
_UNKNOWN_ISSUER: Final = range(18, 22)
"""X509_V_ERR_* of OpenSSL: a self-signed certificate, or one from an authority that is not trusted."""
NO_STATUS_LINE: Final = "the response does not begin with a status line"
_NO_STATUS_LINE: Final = "illegal request line"
"""What h11 says about bytes that cannot begin a line of HTTP, such as a frame of HTTP/2. It does not show them."""
_PLAIN: Final = "this port speaks plain http: give the target with http://"
_ALERTS: Final = {
    "WRONG_VERSION_NUMBER": _PLAIN,
    "RECORD_LAYER_FAILURE": _PLAIN,
    "PACKET_LENGTH_TOO_LONG": _PLAIN,
    "HTTP_REQUEST": _PLAIN,
    "NO_APPLICATION_PROTOCOL": "it does not speak HTTP/1.1, and the suite speaks nothing else",
    "CERTIFICATE_REQUIRED": "it wants a certificate of its clients: --client-cert",
    "HANDSHAKE_FAILURE": "no cipher in common, or a certificate of ours is missing: --client-cert",
    "UNKNOWN_CA": "it does not know who issued the certificate of --client-cert",
    "PROTOCOL_VERSION": "it speaks neither TLS 1.2 nor 1.3",
}
"""What the other side means, by a piece of OpenSSL's name for its alert or for the bytes that are not TLS."""


@dataclass(frozen=True)
class Ask:
    """A request of the plan: what differs from the plain read. A header of None is not sent.

    ``operation`` is what is asked for instead of the queue, with ``body`` as it goes out, JSON or meant to be.
    """

    purpose: str
    method: str = "GET"
    headers: tuple[tuple[str, str | None], ...] = ()
    query: str = ""
    credential: Credential = Credential.GIVEN
    operation: Operation | None = None
    body: bytes = b""
    job: str = ""
    """The id in the URL of an operation that names a job there."""


def other(purpose: str, operation: Operation, body: bytes = b"", query: str = "", job: str = "") -> Ask:
    """Return a request of another operation than reading the queue."""
    headers = (("Content-Type", "application/json"),) if operation.writes else ()
    return Ask(purpose, operation.method, headers, query, operation=operation, body=body, job=job)


def guard(ask: Ask, leave: Leave | None) -> None:
    """Stand before the wire: raises ValueError for what may write, unless there is leave for just this."""
    if ask.method not in SAFE_METHODS:
        refusal = f"{ask.method} is no method that only reads"
        if leave is not None:
            refusal = leave.refusal(ask.method, ask.operation, ask.body, ask.job) or ""
        if refusal:
            raise ValueError(refusal)
    if any(name.lower() in METHOD_OVERRIDES for name, _ in ask.headers):
        msg = "a header that overrides the method may make a read write"
        raise ValueError(msg)


class Required(NamedTuple):
    """What the user's document requires of every read: header fields, and a query as pairs of names and values."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the header fields, in lower case."""
        return tuple(name.lower() for name, _ in self.headers)

    @property
    def text(self) -> str:
        """The query as it is sent."""
        return urlencode(self.query)

    def with_query(self, query: str) -> str:
        """Return a query with the required pairs that are not in it."""
        there = {unquote_plus(pair.partition("=")[0]) for pair in query.split("&")}
        missing = urlencode([(name, value) for name, value in self.query if name not in there])
        return "&".join(filter(None, (missing, query)))


class Client:
    """Asks one URL, keeps the ledger. Use as an async context manager.

    ``on_exchange`` is told of every exchange as it ends (for progress). ``uncounted`` are requests
    that the bound on requests does not count: polls that the user asked for, and those sent while ``counting`` is
    False. ``kept`` are the bytes of all bodies that are kept for judging. ``required`` is added to every read.
    Without ``leave``, the user's own, nothing is sent that writes.
    """

    def __init__(  # noqa: PLR0913 - each is a part of what was asked for
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
        self.kept = 0
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
        self._kept: dict[bytes, bytes] = {}
        self._next = 0.0

    async def __aenter__(self) -> Self:
        import httpx

        # The transport alone: what an httpx client adds to it (cookies, redirects, proxies and .netrc of the
        # environment) would make requests other than the ones that the ledger shows.
        self._tls = trust(self._gateway) if self.url.startswith("https") else None
        proxy = self._gateway.proxy
        self._transport = httpx.AsyncHTTPTransport(
            verify=self._tls or _no_tls(),
            trust_env=False,
            proxy=None if proxy is None else httpx.Proxy(proxy.reveal()),
            limits=httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=None),
        )
        timeout = httpx.Timeout(self._bounds.exchange_timeout, connect=self._bounds.connect_timeout)
        self._extensions = {"timeout": timeout.as_dict()}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    def extend(self, seconds: float) -> None:
        """Move the deadline: waiting that the user asked for is not the run's own time."""
        self._ends += seconds

    def monotonic(self) -> float:
        """Return the time in seconds, from wherever: what a test may drive by hand."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let time go by."""
        await asyncio.sleep(seconds)

    @property
    def left(self) -> float:
        """Seconds until the deadline of the run."""
        return self._ends - self.monotonic()

    async def ask(self, ask: Ask) -> Exchange:
        """Send one request; once more on a fresh connection if the transport failed. Never raises for a server.

        If the bytes were not HTTP the second request looks at them: their protocol may be recognised. A request that
        writes is sent once: it may have done its work before the connection broke.
        """
        exchange = await self._attempt(ask, 1)
        if not self._may_ask_again(ask, exchange):
            return exchange
        assert exchange.problem is not None
        if self.can_look and exchange.problem.detail == NO_STATUS_LINE:
            seen = await self._attempt(ask, 2, on_the_wire=True)
            settled = seen.problem is not None or not self._may_ask_again(ask, exchange)
            return seen if settled else await self._attempt(ask, 3)
        if not exchange.problem.begun:
            self.ledger[self.ledger.index(exchange)] = replace(exchange, superseded=True)
        return await self._attempt(ask, 2)

    def _may_ask_again(self, ask: Ask, exchange: Exchange) -> bool:
        broken = exchange.problem is not None and exchange.problem.fault in _RETRIED and ask.method in SAFE_METHODS
        return broken and len(self.ledger) - self.uncounted < self._bounds.max_requests and self.left > 0

    @property
    def can_look(self) -> bool:
        """Whether the target is reached without a proxy, which would show bytes of its own."""
        return self._gateway.proxy is None

    async def look(self, ask: Ask) -> Exchange:
        """Send one request on a connection of its own and look at the bytes around its answer; nothing is raised.

        The body is not read, and the request not marked as one of the queue: nothing else is to be judged by it.
        """
        return await self._attempt(ask, 1, on_the_wire=True)

    async def _attempt(self, ask: Ask, attempt: int, *, on_the_wire: bool = False) -> Exchange:
        guard(ask, self.leave)
        await self._turn()
        if self.left <= 0 and self.ledger:
            raise OutOfTime
        number = f"x{len(self.ledger) + 1}"
        sent, request = self.prepare(ask, on_the_wire=on_the_wire)
        url = self.url_of(ask)
        started = self.monotonic()
        began = self._wall + started - self._clock
        exchange = Exchange(number, request, started=began, attempt=attempt, redactor=self._redactor)
        place = len(self.ledger)
        self.ledger.append(exchange)
        self.uncounted += not self.counting
        sending = self._look(ask.method, url, sent) if on_the_wire else self._send(ask.method, url, sent, ask.body)
        try:
            response, problem = await sending
        except asyncio.CancelledError:
            # whoever stops the run has to know that this was sent, and that nobody knows what came of it
            self.ledger[place] = replace(exchange, problem=Problem(NoResponse.BROKEN, "the run was stopped"))
            self._note(self.ledger[place])
            raise
        exchange = replace(exchange, problem=problem, elapsed=self.monotonic() - started)
        exchange = self.received(exchange, response)
        self.ledger[place] = exchange
        self._note(exchange)
        self._on_exchange(exchange)
        return exchange

    def prepare(self, ask: Ask, *, on_the_wire: bool = False) -> tuple[Headers, Request]:
        """Return the headers that are sent, and the request as it is shown: without the key."""
        sent = self._headers(ask)
        request = Request(
            ask.method,
            self._redactor.text(self.url_of(ask)),
            self._shown(sent),
            ask.purpose,
            ask.credential,
            to_queue=not (on_the_wire or ask.operation),
            operation=ask.operation,
            body=ask.body,
            own_query="" if ask.operation else self._required.text,
            own_headers=() if ask.operation else self._required.names,
        )
        return sent, request

    def received(self, exchange: Exchange, response: Response | None) -> Exchange:
        """Return an exchange with its response, in which the places are named that repeat the key."""
        if response is not None:
            response = replace(response, echoes=self._redactor.echoes(response.headers, response.content))
        return replace(exchange, response=response, redactor=self._redactor)

    def without_keys(self, text: str) -> str:
        """Return text that may quote a response, without keys."""
        return self._redactor.text(text)

    def may_send(self, credential: Credential) -> bool:
        """Whether there is such a key: one without letters has no other case."""
        return credential is not Credential.OTHER_CASE or self._wrong_keys[credential] is not None

    def url_of(self, ask: Ask) -> str:
        """Return the URL that is asked for."""
        query = ask.query if ask.operation else self._required.with_query(ask.query)
        return self._url(ask.operation, ask.job) + (f"?{query}" if query else "")

    def _note(self, exchange: Exchange) -> None:
        if self.leave is not None:
            self.leave.note(exchange)

    async def _turn(self) -> None:
        """Wait until the bound on requests per second allows one more."""
        if self._bounds.rate_limit is None:
            return
        now = self.monotonic()
        mine = max(now, self._next)
        self._next = mine + 1 / self._bounds.rate_limit
        if mine > now:
            await self.sleep(min(mine - now, max(0.0, self.left)))

    def _url(self, operation: Operation | None, job: str) -> str:
        """Return where an operation is: the queue itself, or beside it."""
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

    def _shown(self, headers: Headers) -> Headers:
        """Return the headers for the ledger: never with a key, right or wrong, or what a gateway wants."""
        own = {name.lower() for name in self._gateway.names}
        own |= {KEY_HEADER.lower()} if self._key is not None else set()
        return tuple((name, value and REDACTED if name.lower() in own else value) for name, value in headers)

    async def _send(
        self, method: str, url: str, headers: Headers, body: bytes = b""
    ) -> tuple[Response | None, Problem | None]:
        return await self._guarded(self._exchange(method, url, headers, body))

    async def _look(self, method: str, url: str, headers: Headers) -> tuple[Response | None, Problem | None]:
        return await self._guarded(self._sight(method, url, headers))

    async def _guarded(self, answer: Awaitable[Response]) -> tuple[Response | None, Problem | None]:
        """Wait for an answer as long as the bounds allow, and put in words what keeps it from coming."""
        import httpx

        seconds = max(0.001, min(self._bounds.exchange_timeout, self.left))
        try:
            async with asyncio.timeout(seconds):
                return await answer, None
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout):
            return None, Problem(NoResponse.TIMEOUT, f"no whole answer within {seconds:.3g} s")
        except ContentTooLarge:
            return None, Problem(NoResponse.TOO_LARGE, f"the body is larger than {self._bounds.max_body:,} bytes")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return None, Problem(NoResponse.UNREACHABLE, self._why(error))
        except CutOff as error:
            return None, Problem(NoResponse.BROKEN, self._why(error), begun=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as error:
            silent = isinstance(error, httpx.NetworkError | OSError) or "without sending a response" in str(error)
            detail = NO_STATUS_LINE if str(error).startswith(_NO_STATUS_LINE) else self._why(error)
            return None, Problem(NoResponse.BROKEN, detail, begun=not silent)

    def _why(self, error: BaseException) -> str:
        return printable(self._redactor.text(reason(error)))  # in this order: a cut could spare half a key

    async def _sight(self, method: str, url: str, headers: Headers) -> Response:
        sight = await look(url, method, headers, tls=self._tls, seconds=self._bounds.exchange_timeout)
        return Response(sight.status, sight.headers, http_version=sight.http_version, wire=sight.wire)

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
            self._intern(content),
            coding_error,
            http_version=answer.http_version,
        )

    def _intern(self, content: bytes) -> bytes:
        """Keep equal bodies once."""
        digest = hashlib.sha256(content).digest()
        if digest not in self._kept:
            self._kept[digest] = content
            self.kept += len(content)
        return self._kept[digest]

    async def _content(self, stream: AsyncIterable[bytes], codings: list[str]) -> tuple[bytes, str | None]:
        """Read and undo the codings piece by piece, so that a bomb is seen before it is whole."""
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
    """The time of the run is over: nothing was sent."""


class CutOff(Exception):
    """An answer began and did not come whole."""


def trust(gateway: Gateway) -> ssl.SSLContext:
    """Trust what the system trusts, what certifi brings (a container often has nothing of its own), and what is given.

    Raises UsageProblem where a file that was given holds no certificate.
    """
    files = tuple(map(_stamp, (gateway.ca_bundle, gateway.client_cert)))
    return _trust(gateway.ca_bundle, gateway.client_cert, files, insecure=gateway.insecure)


def _stamp(path: Path | None) -> tuple[Path, int, int] | None:
    """Tell a file from another one that stands, or stood, where a path leads."""
    if path is None:
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return path.resolve(), found.st_mtime_ns, found.st_size


@cache
def _no_tls() -> ssl.SSLContext:
    """Return what a transport for plain http is given, and never uses: it would make one of its own each time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@lru_cache(maxsize=8)
def _trust(
    ca_bundle: Path | None, client_cert: Path | None, _files: tuple[object, ...], *, insecure: bool
) -> ssl.SSLContext:
    """Once for all runs that trust the same files: to read the certificates takes longer than some requests."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    try:
        if ca_bundle is not None:
            context.load_verify_locations(ca_bundle)
    except ssl.SSLError:
        msg = f"--ca-bundle {ca_bundle} holds no certificate that can be read"
        raise UsageProblem(msg) from None
    try:
        if client_cert is not None:
            context.load_cert_chain(client_cert)
    except (ssl.SSLError, OSError):
        msg = f"--client-cert {client_cert} holds no certificate with its key that can be read"
        raise UsageProblem(msg) from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def reason(error: BaseException) -> str:
    """Say in words why a connection failed: the innermost cause that the operating system or TLS names."""
    causes: list[BaseException] = []
    step: Any = error
    while step is not None and step not in causes:
        causes.append(step)
        step = step.__cause__ or step.__context__
        if isinstance(step, BaseExceptionGroup):
            step = step.exceptions[0]
    for cause in reversed(causes):
        if isinstance(cause, ssl.SSLError):
            return _tls(cause)
        if isinstance(cause, socket.gaierror):
            return f"the name cannot be resolved ({cause.strerror})"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
    return next((str(cause) for cause in causes if str(cause)), type(error).__name__)


def _tls(error: ssl.SSLError) -> str:
    """Say what TLS did not like, and what to do where something can be done."""
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = (
            "trust who issued it with --ca-bundle"
            if error.verify_code in _UNKNOWN_ISSUER
            else "it is to be replaced; --insecure looks away"
        )
        return f"TLS: {error.verify_message.rstrip('.')} ({remedy})"
    why = error.reason or str(error)  # an alert that Python does not know has no reason
    name = why.upper().replace(" ", "_")
    remedy = next((f" ({told})" for alert, told in _ALERTS.items() if alert in name), "")
    return f"TLS: {why}{remedy}"
