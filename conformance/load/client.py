"""One user's connection under gevent: whole exchanges, bounded in time and bytes. No redirect, no cookie."""

from __future__ import annotations

import time
import uuid
from typing import Final
from urllib.parse import urlsplit

import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from conformance.content import ContentTooLarge, decode
from conformance.contract.clause import printable
from conformance.exchange import Exchange, Fault, Headers, Problem, Response, values
from conformance.probe.client import Ask, Client, reason, trust
from conformance.settings import Settings

PIECE: Final = 1 << 16
"""Bytes that are read at a time."""


class Connection:
    """Sends one request after the other, on one connection as long as the server keeps it.

    What is sent, and what is taken out of an answer before anybody sees it, is the probe's doing: the key reaches the
    target alone. Raises UsageProblem where a certificate that was given cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.target is not None
        parts = urlsplit(settings.target)
        assert parts.hostname is not None
        tls = trust(settings.gateway) if parts.scheme == "https" else None
        self._bounds = settings.bounds
        self._path = parts.path + settings.queue_path
        self._probe = Client(
            settings.target + settings.queue_path, settings.key, self._bounds, gateway=settings.gateway
        )
        self._http = HTTPClient(
            parts.hostname, parts.port, ssl=tls is not None, ssl_context_factory=None if tls is None else lambda: tls,
            connection_timeout=self._bounds.connect_timeout, network_timeout=self._bounds.exchange_timeout,
        )  # fmt: skip

    def close(self) -> None:
        """End it."""
        self._http.close()

    def send(self, ask: Ask) -> Exchange:
        """Send one request and wait for its whole answer. Never raises for a server."""
        sent, request = self._probe.prepare(ask)
        started, clock = time.time(), time.perf_counter()
        response, problem = self._guarded(ask, sent)
        elapsed = time.perf_counter() - clock
        if response is not None:
            response = self._probe.redacted(response)
        return Exchange(str(uuid.uuid4()), request, response, problem, started, elapsed)

    def _guarded(self, ask: Ask, sent: Headers) -> tuple[Response | None, Problem | None]:
        """Wait for an answer as long as the bounds allow, and put in words what keeps it from coming."""
        seconds = self._bounds.exchange_timeout
        late = gevent.Timeout(seconds)
        late.start()
        try:
            return self._answer(ask, sent), None
        except gevent.Timeout as timeout:
            if timeout is not late:
                raise
            self._http.close()
            return None, Problem(Fault.TIMEOUT, f"no whole answer within {seconds:.3g} s")
        except ContentTooLarge:
            self._http.close()
            return None, Problem(Fault.TOO_LARGE, f"the body is larger than {self._bounds.max_body:,} bytes")
        except (ConnectionRefusedError, ConnectionAbortedError) as error:
            return None, Problem(Fault.UNREACHABLE, printable(reason(error)))
        except HTTPConnectionClosed:
            return None, Problem(Fault.BROKEN, "the connection was closed without an answer")
        except (HTTPParseError, OSError, ValueError) as error:
            self._http.close()
            return None, Problem(Fault.BROKEN, printable(reason(error)), begun=True)
        finally:
            late.close()

    def _answer(self, ask: Ask, sent: Headers) -> Response:
        path = self._path + (f"?{ask.query}" if ask.query else "")
        answer = self._http.request(ask.method, path, headers=dict(sent))
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
