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
    """Import httpx without its command line, which loads Rich and Pygments if they are installed.

    They take longer than the rest of httpx. It takes its command line to be not installed if ``rich`` is missing, and a
    module is missing if ``sys.modules`` has None for it (Python's documentation of the import system).
    """
    if "rich" in sys.modules or "httpx" in sys.modules:
        return
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import httpx  # noqa: F401 - the import is what matters
    finally:
        del sys.modules["rich"]
