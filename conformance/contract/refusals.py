"""Explain why a server does not send its queue, and what the user can do about it. Pure: no network, no clock."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from conformance.contract.clause import Cause
from conformance.contract.conversation import ORIGIN_AWAY, TOO_MANY, Answer
from conformance.exchange.headers import Headers, first, lines

_SEARCHED: Final = 4096
"""The number of bytes at the start of a body that are searched for the error message of a TLS port."""
_TLS_PORT: Final = re.compile(
    rb"plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server"
    rb"|plain HTTP to an SSL-enabled server port|combination of host and port requires TLS",
    re.IGNORECASE,
)
"""What nginx, Go (and Caddy), Apache httpd and Tomcat say if a client speaks plain HTTP to a TLS port."""
_LOGIN: Final = re.compile(
    r"(?<![a-z])(?:log-?_?[io]n|sign-?_?[io]n|sso|saml2?|oauth2?|oidc|openid(?:-connect)?|auth(?:orize|n|enticate)?|cas|idp"
    r"|accounts?|realms|cloudflareaccess|microsoftonline|okta|auth0|keycloak|authelia|goauthentik)(?![a-z])"
)
"""Words that occur in the host or the path of login pages."""
_COMES_BACK: Final = frozenset(
    {
        "samlrequest",
        "relaystate",
        "redirect_uri",
        "redirect_url",
        "redirect_to",
        "return_to",
        "returnurl",
        "return_url",
        "client_id",
    }
)
"""Names of query parameters, in lower case, that tell a login page where to send the user afterwards."""
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_CHALLENGE: Final = re.compile(r"(?:^|,)\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?=[ ,]|$)(?!\s*=)")
_SEND: Final = "put {} into an environment variable and send it with --header Authorization=VARIABLE"


def why_not_served(answer: Answer) -> Cause | None:
    """Return the likely cause of a status other than 200 to a normal GET of the queue.

    Its hint says, after a colon, what to do.
    """
    status, location = answer.response.status, answer.response.header("location")
    if status in _REDIRECTS or (location and 300 <= status < 400):
        return _redirect(answer.request.url, location or "")
    if status == 304:
        return Cause(
            "", "a 304 is a response to a conditional request, and this one was not: check whether a cache sent it"
        )
    if status == 400 and _is_tls_port(answer):
        return Cause("tls-port", "this port speaks TLS: give the target with https://")
    if status in {426, 505}:
        return Cause("other-version", "the server needs another version of HTTP, but the suite uses HTTP/1.1")
    return {
        404: Cause("not-found", "the queue has another path: look it up, and give it with --queue-path"),
        405: Cause("not-allowed", "this is not the path of the queue: look it up, and give it with --queue-path"),
    }.get(status)


def _is_tls_port(answer: Answer) -> bool:
    plain = urlsplit(answer.request.url).scheme == "http"
    return plain and _TLS_PORT.search(answer.response.content[:_SEARCHED]) is not None


def _redirect(url: str, location: str) -> Cause:
    """Return the likely cause of a redirect: a login page, or a queue at another URL.

    The redirect is not followed, so that the key is sent only to the target.
    """
    try:
        request, there = urlsplit(url), urlsplit(urljoin(url, location))
    except ValueError:
        return Cause("redirect", "redirects are not followed, and this Location is not a URL")
    if not location:
        return Cause(
            "redirect",
            "redirects are not followed, and this one has no Location: ask the operator of the server where it leads",
        )
    parameters = {name.lower() for name, _ in parse_qsl(there.query, keep_blank_values=True)}
    if _LOGIN.search(f"{there.hostname or ''}{there.path}".lower()) or parameters & _COMES_BACK:
        hint = (
            "the Location is a login page, not another target, because a gateway requires users to sign in: sign in, "
            "then send its cookie or token with --header, such as Cookie=VARIABLE or Authorization=VARIABLE"
        )
        return Cause("login", hint)
    if there.path == request.path:
        return Cause("redirect", "redirects are not followed: give the scheme and host of the Location as the target")
    if there.netloc == request.netloc:
        return Cause("redirect", "redirects are not followed: give the path of the Location with --queue-path")
    return Cause("redirect", "redirects are not followed: give the Location as the target")


def challenges(headers: Headers) -> bool:
    """Whether Cloudflare responded with a challenge page, which only a browser can pass."""
    return "challenge" in (first(headers, "cf-mitigated") or "").lower()


def advice(status: int, headers: Headers, sent: Collection[str]) -> str:
    """Return what the user can do about a status that refuses access or means "try again later".

    ``headers`` are those of the response. ``sent`` has the names of the request headers in lower case.
    """
    if challenges(headers):
        return (
            "Cloudflare sends a challenge that only a browser can pass: add a rule that lets the "
            "suite's User-Agent through, or give the address of the server behind Cloudflare"
        )
    if status == 401:
        return _challenged(headers, sent)
    if status == 403:
        return _key(sent)
    return {
        402: "a subscription or credit is missing: check the account of the key",
        407: "the proxy needs a user name and a password: put them into the URL in the variable of --proxy-env",
        408: "the server did not wait for the whole request: try again",
        425: "the server refuses early data: try again",
        TOO_MANY: "too many requests, or no subscription: try again later, or more slowly with --rate-limit",
        **dict.fromkeys(
            ORIGIN_AWAY, "a gateway gets no response from the server behind it: check that the server is running"
        ),
    }.get(status, "the service is not available: try again later")


def _challenged(headers: Headers, sent: Collection[str]) -> str:
    """Return what to send, according to the WWW-Authenticate header of a 401. API keys take precedence over other schemes."""
    challenges = ", ".join(lines(headers, "www-authenticate"))
    schemes = {scheme.lower() for scheme in _CHALLENGE.findall(challenges)}
    if any("key" in scheme for scheme in schemes) or not schemes:
        return _key(sent)
    if "authorization" in sent:
        return "the server refused the given value of Authorization: check it"
    if "bearer" in schemes:
        return f"the server needs a token (WWW-Authenticate: Bearer): {_SEND.format('Bearer and the token')}"
    if "basic" in schemes:
        value = "Basic and user:password in base64"
        return f"the server needs a user name and a password (WWW-Authenticate: Basic): {_SEND.format(value)}"
    return f"the server needs a login that the suite does not know (see WWW-Authenticate): {_SEND.format('its value')}"


def _key(sent: Collection[str]) -> str:
    if "x-api-key" in sent:
        return "the server refused the given key: check it"
    return "the server needs a key: set COMFY_API_KEY, or name its variable with --api-key-env"
