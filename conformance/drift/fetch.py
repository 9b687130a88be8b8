"""Fetch one public page, with limits on time and size. Redirects to another origin are not followed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from conformance.exchange.codings import DECODABLE, BrokenCoding, ContentTooLarge, Decoder
from conformance.exchange.headers import values
from conformance.probe.client import USER_AGENT
from conformance.probe.limits import Gateway
from conformance.probe.tls import reason, trust
from conformance.text.safe import printable

if TYPE_CHECKING:
    import httpx

SECONDS: Final = 30.0
"""Maximum seconds for connecting, redirects and the body together."""
MAX_BYTES: Final = 2 << 20
"""Maximum size of a page after decompression: about twenty times the largest known document."""
REDIRECTS: Final = 5


class NotFetched(Exception):
    """The page could not be fetched. The message says why, in one line."""


def fetch(url: str, gateway: Gateway | None = None, *, seconds: float = SECONDS, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the body of the response to a GET of ``url``.

    ``gateway`` has the certificates and the proxy to use. ``seconds`` and ``max_bytes`` are limits. Redirects to
    another origin are not followed. Raises NotFetched, and UsageProblem if a certificate file of ``gateway`` contains
    no certificate.
    """
    import httpx

    async def bounded() -> bytes:
        async with asyncio.timeout(seconds):
            return await _get(url, gateway or Gateway(), seconds, max_bytes)

    try:
        return asyncio.run(bounded())
    except (TimeoutError, httpx.TimeoutException):
        raise NotFetched(f"no complete response within {seconds:g} s") from None
    except ContentTooLarge:
        raise NotFetched(f"the page is larger than {max_bytes:,} bytes") from None
    except (httpx.HTTPError, httpx.InvalidURL, BrokenCoding, OSError, ValueError) as error:
        raise NotFetched(printable(reason(error))) from None


async def _get(url: str, gateway: Gateway, seconds: float, max_bytes: int) -> bytes:
    import httpx

    proxy = None if gateway.proxy is None else httpx.Proxy(gateway.proxy.reveal())
    headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": ", ".join(DECODABLE)}
    async with httpx.AsyncClient(
        verify=trust(gateway), proxy=proxy, trust_env=False, headers=headers, timeout=seconds
    ) as client:
        origin = _origin(httpx.URL(url))
        request = client.build_request("GET", url)
        for _ in range(REDIRECTS + 1):
            answer = await client.send(request, stream=True)
            try:
                following = answer.next_request
                if following is None:
                    return await _content(answer, max_bytes)
            finally:
                await answer.aclose()
            if _origin(following.url) != origin:
                msg = f"the server redirects to another origin ({printable(str(following.url))}), which is not followed"
                raise NotFetched(msg)
            request = following
        raise NotFetched(f"more than {REDIRECTS} redirects")


async def _content(answer: httpx.Response, max_bytes: int) -> bytes:
    if answer.status_code != 200:
        raise NotFetched(f"the response has status {answer.status_code}")
    decoder = Decoder(values(tuple(answer.headers.multi_items()), "content-encoding"), max_bytes)
    async for chunk in answer.aiter_raw():
        decoder.feed(chunk)
    decoder.finish()
    return bytes(decoder.content)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
