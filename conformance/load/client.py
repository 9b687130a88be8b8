"""The connection of one simulated user. It limits the time and size of responses, and ignores redirects and cookies."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from conformance.exchange.codings import ContentTooLarge, decode
from conformance.exchange.headers import Headers, values
from conformance.exchange.model import Exchange, NoResponse, Problem, Response
from conformance.probe.client import Client
from conformance.probe.leave import Leave
from conformance.probe.requests import Ask, guard
from conformance.probe.tls import reason, trust
from conformance.run.settings import Settings
from conformance.text.safe import printable

PIECE: Final = 1 << 16
"""Maximum number of bytes per read."""


class Connection:
    """Sends requests one after another, on one TCP connection as long as the server keeps it open.

    ``probe/client.py`` builds the requests and redacts the responses, so the key is sent only to the target. Requests
    that change the server need a ``leave`` (the user's permission), which records every exchange. Such requests are
    never repeated. Raises UsageProblem if a certificate file is unreadable.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.target is not None
        parts = urlsplit(settings.target)
        assert parts.hostname is not None
        tls = trust(settings.gateway) if parts.scheme == "https" else None
        self.leave: Leave | None = None
        self._bounds = settings.bounds
        self._probe = Client(
            settings.target + settings.queue_path, settings.key, self._bounds, gateway=settings.gateway
        )
        self._new = partial(
            HTTPClient,
            parts.hostname,
            parts.port,
            ssl=tls is not None,
            ssl_context_factory=None if tls is None else lambda: tls,
            connection_timeout=self._bounds.connect_timeout,
            network_timeout=self._bounds.exchange_timeout,
        )
        self._http = self._new()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _renew(self) -> None:
        self._http.close()
        self._http = self._new()

    def send(self, ask: Ask) -> Exchange:
        """Send one request and wait for its complete response.

        Raises no network error: the exchange describes the error.
        """
        guard(ask, self.leave)
        sent, request = self._probe.prepare(ask)
        exchange = Exchange(str(uuid.uuid4()), request, started=time.time())
        clock = time.perf_counter()
        try:
            response, problem = self._guarded(ask, sent)
        except BaseException:
            # record that the request was sent, even if the run is stopped before its response
            self._note(replace(exchange, problem=Problem(NoResponse.BROKEN, "the run was stopped")))
            raise
        elapsed = time.perf_counter() - clock
        exchange = replace(exchange, problem=problem, elapsed=elapsed)
        return self._note(self._probe.received(exchange, response))

    def _note(self, exchange: Exchange) -> Exchange:
        if self.leave is not None:
            self.leave.note(exchange)
        return exchange

    def _guarded(self, ask: Ask, sent: Headers) -> tuple[Response | None, Problem | None]:
        """Return the response, or a description of what went wrong, for example that it is too slow or too large."""
        seconds = self._bounds.exchange_timeout
        late = gevent.Timeout(seconds)
        late.start()
        try:
            return self._receive(ask, sent), None
        except gevent.Timeout as timeout:
            if timeout is not late:
                raise
            self._renew()
            return None, Problem(NoResponse.TIMEOUT, f"no complete response within {seconds:.3g} s")
        except ContentTooLarge:
            self._renew()
            return None, Problem(NoResponse.TOO_LARGE, f"the body is larger than {self._bounds.max_body:,} bytes")
        except (ConnectionRefusedError, ConnectionAbortedError) as error:
            return None, Problem(NoResponse.UNREACHABLE, printable(reason(error)))
        except HTTPConnectionClosed:
            return None, Problem(NoResponse.BROKEN, "the connection was closed without a response")
        except (HTTPParseError, OSError, ValueError) as error:
            self._renew()
            return None, Problem(NoResponse.BROKEN, printable(reason(error)), begun=True)
        finally:
            late.close()

    def _receive(self, ask: Ask, sent: Headers) -> Response:
        if ask.body:
            self._renew()  # the server may be about to close the old connection
        url = urlsplit(self._probe.url_of(ask))
        path = url.path + (f"?{url.query}" if url.query else "")
        answer = self._http.request(ask.method, path, ask.body, headers=dict(sent))
        pieces, size = [], 0
        while piece := answer.read(PIECE):
            size += len(piece)
            if size > self._bounds.max_body:
                answer.release()
                raise ContentTooLarge
            pieces.append(piece)
        headers = tuple(answer.headers)
        codings = values(headers, "content-encoding")
        content, coding_error = decode(b"".join(pieces), codings, self._bounds.max_body)
        version = answer.version if answer.version.startswith("HTTP/") else f"HTTP/{answer.version}"
        return Response(answer.status_code, headers, content, coding_error, http_version=version)
