"""Connections to a server: the transport of httpx, without what an httpx client adds to each request."""

from __future__ import annotations

import sys
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
    _import_httpx()
    import httpx

    return httpx.AsyncHTTPTransport(
        verify=tls,
        trust_env=False,
        proxy=None if gateway.proxy is None else httpx.Proxy(gateway.proxy.reveal()),
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=None),
    )


def _import_httpx() -> None:
    """Import httpx without its command line, which takes longer than the rest because it loads Rich and Pygments.

    httpx leaves its command line out if Pygments is not installed. Python treats a module as not installed if its entry
    in ``sys.modules`` is None.
    """
    if "pygments" in sys.modules or "httpx" in sys.modules:
        return
    sys.modules["pygments"] = None  # type: ignore[assignment]
    try:
        import httpx  # noqa: F401 - the import is what matters
    finally:
        del sys.modules["pygments"]
