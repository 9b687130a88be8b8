"""Why a server does not send its queue, and what the user can do about it."""

from __future__ import annotations

import pytest

from conformance.contract.conversation import ORIGIN_AWAY, Answer
from conformance.contract.reading.body import Reading
from conformance.contract.refusals import advice, challenges, why_not_served
from conformance.exchange.model import Exchange, Request, Response

URL = "http://queue.example/api/queue"
TLS = b"Client sent an HTTP request to an HTTPS server"


def cause(status: int, location: str | None = None, body: bytes = b"", url: str = URL) -> tuple[str, str]:
    """Return the kind and the hint of the cause of a response, or two empty strings."""
    response = Response(status, () if location is None else (("Location", location),), body)
    exchange = Exchange("x1", Request("GET", url), response)
    found = why_not_served(Answer(exchange, response, Reading(body)))
    return ("", "") if found is None else (found.kind, found.hint or "")


@pytest.mark.parametrize(
    ("status", "location", "kind", "hint"),
    [
        *((status, None, "redirect", "no Location") for status in (301, 302, 303, 307, 308)),
        *((status, "/other", "redirect", "--queue-path") for status in (300, 301, 304, 305, 308, 399)),
        (304, None, "", "a cache sent it"),
        *((status, None, "", "") for status in (201, 300, 305, 306, 309, 399, 400, 403, 406, 425, 500, 504, 506)),
        *((status, "/other", "", "") for status in (201, 299, 400, 500)),
        *((status, None, "other-version", "HTTP/1.1") for status in (426, 505)),
        (404, None, "not-found", "--queue-path"),
        (405, None, "not-allowed", "--queue-path"),
    ],
)
def test_a_status_has_a_likely_cause(status: int, location: str | None, kind: str, hint: str) -> None:
    found = cause(status, location)
    assert found[0] == kind
    assert hint in found[1]
    assert bool(hint) is bool(found[1])


@pytest.mark.parametrize(
    ("status", "body", "url", "kind"),
    [
        (400, TLS, URL, "tls-port"),
        (400, b"<center>The plain HTTP request was sent to HTTPS port</center>", URL, "tls-port"),
        (400, b"Your browser sent a request: speaking plain HTTP to an SSL-enabled server port", URL, "tls-port"),
        (400, b"This combination of host and port requires TLS.", URL, "tls-port"),
        (400, b"Bad request", URL, ""),
        (400, TLS, "https://queue.example/api/queue", ""),
        (400, TLS, "/api/queue", ""),
        (404, TLS, URL, "not-found"),
        (399, TLS, URL, ""),
        (500, TLS, URL, ""),
        (400, b" " * (4096 - len(TLS)) + TLS, URL, "tls-port"),
        (400, b" " * (4097 - len(TLS)) + TLS, URL, ""),
    ],
)
def test_a_port_for_tls_is_recognised_by_a_400_to_plain_http(status: int, body: bytes, url: str, kind: str) -> None:
    assert cause(status, body=body, url=url)[0] == kind


@pytest.mark.parametrize(
    "location",
    [
        "/login",
        "/users/sign_in",
        "/LogIn",
        "https://SSO.example/api/queue",
        "https://team.cloudflareaccess.com/cdn-cgi/access/queue.example",
        "https://door.example/?redirect_uri=https%3A%2F%2Fqueue.example",
        "https://door.example/?a=1&Redirect_URI=",
    ],
)
def test_a_redirect_to_a_login_page_is_recognised(location: str) -> None:
    kind, hint = cause(302, location)
    assert kind == "login"
    assert "--header" in hint


@pytest.mark.parametrize(
    ("location", "hint"),
    [
        ("https://queue.example/api/queue", "scheme and host of the Location as the target"),
        ("http://a.example/api/queue?page=1", "scheme and host of the Location as the target"),
        ("/api/queue/", "path of the Location with --queue-path"),
        ("/api/a", "path of the Location with --queue-path"),
        ("queue2?next=1", "path of the Location with --queue-path"),
        ("http://z.example/elsewhere", "give the Location as the target"),
        ("http://a.example/elsewhere", "give the Location as the target"),
        ("/author/catalog/single", "path of the Location with --queue-path"),
        ("http://[", "not a URL"),
        ("", "no Location"),
    ],
)
def test_another_redirect_says_which_option_leads_there(location: str, hint: str) -> None:
    found = cause(301, location)
    assert found[0] == "redirect"
    assert hint in found[1]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (402, "the account of the key"),
        (403, "the server needs a key"),
        (407, "--proxy-env"),
        (408, "did not wait for the whole request"),
        (425, "early data"),
        (429, "--rate-limit"),
        *((status, "gateway") for status in ORIGIN_AWAY),
        *((status, "not available") for status in (400, 404, 500, 503)),
    ],
)
def test_a_refusal_says_what_to_do(status: int, words: str) -> None:
    assert words in advice(status, (), ())


@pytest.mark.parametrize(
    ("challenge", "sent", "words"),
    [
        (None, (), "COMFY_API_KEY"),
        (None, ("x-api-key",), "refused the given key"),
        (None, ("authorization",), "COMFY_API_KEY"),
        ('Basic realm="gate"', (), "user name and a password"),
        ("bearer", (), "a token"),
        ('Bearer realm="a, b", error="invalid_token"', ("x-api-key",), "a token"),
        ("Bearer", ("authorization",), "refused the given value of Authorization"),
        ("Basic, Bearer", (), "a token"),
        ('Negotiate, Digest qop="auth, auth-int"', (), "see WWW-Authenticate"),
        ("ApiKey", ("authorization",), "COMFY_API_KEY"),
        ('Bearer, ApiKey realm="x"', (), "COMFY_API_KEY"),
        ('Bearer, ApiKey realm="x"', ("x-api-key",), "refused the given key"),
    ],
)
def test_a_401_says_what_its_challenge_asks_for(challenge: str | None, sent: tuple[str, ...], words: str) -> None:
    assert words in advice(401, () if challenge is None else (("WWW-Authenticate", challenge),), sent)


def test_a_key_that_was_sent_is_not_asked_for() -> None:
    assert "refused the given key" in advice(403, (("WWW-Authenticate", "Bearer"),), ("x-api-key",))


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_challenge_of_cloudflare_needs_a_browser(status: int) -> None:
    headers = (("cf-mitigated", "Challenge"),)
    assert challenges(headers)
    assert "User-Agent" in advice(status, headers, ())
    assert not challenges((("cf-mitigated", "block"),))
    assert not challenges(())
