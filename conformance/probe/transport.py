"""Connections to a server: a connection pool of httpcore, which sends exactly the given requests.

An httpx client adds cookies, redirects, proxies and .netrc from the environment, and would send other requests than the
ledger shows. Importing httpx also takes longer than sending all requests of the fixed plan to a local server.
"""

from __future__ import annotations

from ssl import SSLContext
from typing import Final
from urllib.parse import unquote, urlsplit

import httpcore

from conformance.probe.limits import Gateway

CONNECTIONS: Final = 8
"""Maximum number of connections at once."""
FAILURES: Final = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError, httpcore.TimeoutException)
"""The exceptions of httpcore, which have no common base class."""
_DEFAULT_PORTS: Final = {b"http": 80, b"https": 443}


def make_pool(gateway: Gateway, tls: SSLContext) -> httpcore.AsyncConnectionPool:
    """Return a pool of connections, which go through the proxy of the gateway if there is one."""
    return httpcore.AsyncConnectionPool(
        ssl_context=tls,
        proxy=None if gateway.proxy is None else _proxy(gateway.proxy.reveal()),
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
    )


def address(url: str) -> httpcore.URL:
    """Return a URL as it is sent: only ASCII, the rest encoded. Raises ValueError if it is invalid."""
    parts = urlsplit(url if url.isascii() else _in_ascii(url))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target)


def host_of(url: httpcore.URL) -> bytes:
    """Return the value of the header Host. It has no port if that is the default port of the scheme."""
    host = b"[%b]" % url.host if b":" in url.host else url.host
    return host if url.port in {None, _DEFAULT_PORTS.get(url.scheme)} else b"%b:%d" % (host, url.port)


def _in_ascii(url: str) -> str:
    import httpx  # encodes the names of hosts too (IDNA)

    try:
        return str(httpx.URL(url))
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


def _proxy(url: str) -> httpcore.Proxy:
    parts = urlsplit(url)
    auth = None
    if parts.username or parts.password:
        auth = (unquote(parts.username or "").encode(), unquote(parts.password or "").encode())
    return httpcore.Proxy(address(url), auth=auth)
