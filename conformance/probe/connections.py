"""Connections to a target: a pool of httpcore, and the URL and Host of a request as they are sent.

Not httpx: importing it loads a command line with rich and Pygments, which takes longer than the requests of a run.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from conformance.exchange.headers import Headers
from conformance.exchange.secrets import Secret

if TYPE_CHECKING:
    from httpcore import AsyncConnectionPool

CONNECTIONS: Final = 8
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_IN_PATHS: Final = "/%:@!$&'()*+,;="
"""What RFC 3986 allows in a path besides letters and digits. ``%`` begins what is encoded already."""


class Destination(NamedTuple):
    """The URL of a request in ASCII, and its Host field."""

    url: str
    host: str


@lru_cache(maxsize=256)
def destination(url: str) -> Destination:
    """Return a URL as it is sent: its host in IDNA, other characters percent-encoded.

    Raises ValueError if the host cannot be encoded.
    """
    parts = urlsplit(url)
    name = _ascii(parts.hostname or "")
    host = name if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{name}:{parts.port}"
    query = f"?{quote(parts.query, safe=_IN_PATHS + '?')}" if parts.query else ""
    return Destination(f"{parts.scheme}://{host}{quote(parts.path, safe=_IN_PATHS) or '/'}{query}", host)


def _ascii(name: str) -> str:
    """Return the name of a host as a URL has it."""
    if not name.isascii():
        import idna

        return idna.encode(name).decode("ascii")
    return f"[{name}]" if ":" in name else name


def connections(tls: ssl.SSLContext, proxy: Secret | None) -> AsyncConnectionPool:
    """Return a pool of connections, which go through the proxy if there is one.

    It sends nothing of its own: no cookies, redirects, and credentials or proxies of the environment.
    """
    import httpcore

    if proxy is None:
        return httpcore.AsyncConnectionPool(
            tls, max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=None
        )
    parts = urlsplit(proxy.reveal())
    return httpcore.AsyncHTTPProxy(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None,
        ssl_context=tls,
        max_connections=CONNECTIONS,
        max_keepalive_connections=CONNECTIONS,
        keepalive_expiry=None,
    )


def fields_of(headers: Headers, host: str) -> list[tuple[bytes, bytes]]:
    """Return the header fields of a request as bytes, with its Host first."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (("Host", host), *headers)]


def failures() -> tuple[type[Exception], ...]:
    """Return the errors of the pool. They have no common class."""
    import httpcore

    return (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    )
