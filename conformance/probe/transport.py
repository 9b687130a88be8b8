"""Connections to a server: the transport of httpx, without what an httpx client adds to each request."""

from __future__ import annotations

from ssl import SSLContext
from typing import TYPE_CHECKING, Final

from conformance.probe.limits import Gateway

if TYPE_CHECKING:
    import httpx

CONNECTIONS: Final = 8
"""Maximum number of connections at once."""


def make_transport(gateway: Gateway, tls: SSLContext) -> httpx.AsyncHTTPTransport:
    """Return a transport that sends exactly the given requests.

    An httpx client adds cookies, redirects, proxies and .netrc from the environment, and would send other requests than
    the ledger shows.
    """
    import httpx

    return httpx.AsyncHTTPTransport(
        verify=tls,
        trust_env=False,
        proxy=None if gateway.proxy is None else httpx.Proxy(gateway.proxy.reveal()),
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=None),
    )
