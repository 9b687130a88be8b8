"""A hint fits the response: servers on loopback that are not the queue, and what the user is told to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.reference.server import serve
from helpers.certificates import refusing, shown_by
from helpers.commands import report, thrifty
from helpers.servers import Play, Reader, Writer, listening, saying

NGINX = (
    b"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n"
    b"<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"
)
GO = b"Client sent an HTTP request to an HTTPS server.\n"
SETTINGS = bytes.fromhex("000012040000000000000300000080000400010000000500ffffff")
"""The frame that an HTTP/2 server sends first."""
GOAWAY = bytes.fromhex("0000080700000000000000000000000001")
ALERT = bytes.fromhex("15030100020246")
"""What OpenSSL answers to plain HTTP: an alert of TLS."""

NO_APPLICATION_PROTOCOL = 120
"""An alert of TLS (RFC 7301 §3.2)."""

pytestmark = pytest.mark.usefixtures("folder")


def check(url: str, *more: str, **environ: str) -> Result:
    return CliRunner().invoke(main, thrifty(["check", url, *more]), env=environ)


def answer(status: str, *fields: str, body: bytes = b"") -> bytes:
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields)
    return "\r\n".join((*lines, "", "")).encode() + body


@contextmanager
def always(content: bytes) -> Iterator[str]:
    """Answer every request with the same response."""
    with listening(saying(lambda _: content, [])) as port:
        yield f"http://127.0.0.1:{port}"


def raw(content: bytes) -> Play:
    """Answer whatever comes with these bytes, and close."""

    async def play(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(content)
        await writer.drain()

    return play


def verdict(result: Result) -> str:
    """Return the line of the verdict."""
    return next(line for line in result.stdout.splitlines() if line.startswith(("Inconclusive", "Non-conformant")))


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "location",
    [
        "https://login.example/?next=/api/queue",
        "/login",
        "/users/sign_in",
        "https://team.cloudflareaccess.com/cdn-cgi/access/login/queue.example",
        "https://accounts.google.com/o/oauth2/v2/auth?client_id=1",
        "/oauth2/start?rd=%2Fapi%2Fqueue",
        "https://idp.example/saml2?SAMLRequest=abc",
        "https://sso.example/realms/x/protocol/openid-connect/auth",
        "https://door.example/?redirect_uri=https%3A%2F%2Fqueue.example",
    ],
)
def test_a_redirect_to_a_login_names_the_login_and_does_not_make_it_the_target(location: str) -> None:
    with always(answer("302 Found", f"Location: {location}")) as url:
        result = check(url)
    assert result.exit_code == 1
    assert re.search(rf"Got +302 with Location: {re.escape(location)}$", result.stdout, re.MULTILINE)
    assert "login page, not another target" in result.stdout
    assert "--header" in result.stdout
    assert "as the target" not in result.stdout


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://queue.example/api/queue", "give the scheme and host of the Location as the target"),
        ("/api/queue/", "give the path of the Location with --queue-path"),
        ("https://other.example/elsewhere", "give the Location as the target"),
        ("/author/catalog/single", "give the path of the Location with --queue-path"),
        ("http://[", "this Location is not a URL"),
        ("", "this one has no Location"),
    ],
)
def test_another_redirect_says_which_option_leads_there(location: str, told: str) -> None:
    with always(answer("301 Moved Permanently", f"Location: {location}")) as url:
        result = check(url)
    assert result.exit_code == 1
    assert told in result.stdout.lower().replace("location", "Location").replace("url", "URL")
    assert "login" not in result.stdout


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("challenge", "told", "not_told"),
    [
        ('Basic realm="gate"', ("user name and a password", "--header Authorization=VARIABLE"), "COMFY_API_KEY"),
        ("Bearer", ("a token", "--header Authorization=VARIABLE"), "COMFY_API_KEY"),
        ('Bearer realm="a, b", error="invalid_token"', ("a token",), "COMFY_API_KEY"),
        ('Negotiate, Digest qop="auth, auth-int"', ("see WWW-Authenticate",), "COMFY_API_KEY"),
        ("ApiKey", ("COMFY_API_KEY",), "--header"),
        ('Bearer, ApiKey realm="x"', ("COMFY_API_KEY",), "--header"),
    ],
)
def test_a_401_says_what_its_challenge_asks_for(challenge: str, told: tuple[str, ...], not_told: str) -> None:
    with always(answer("401 Unauthorized", f"WWW-Authenticate: {challenge}")) as url:
        result = check(url)
    assert result.exit_code == 10
    assert all(words in verdict(result) for words in told)
    assert not_told not in verdict(result)
    (summary,) = Path().glob("reports/latest/summary.md")
    assert not_told not in summary.read_text("utf-8").replace(r"\_", "_").split("## Core")[0]


def test_a_header_that_was_given_and_is_refused_is_not_asked_for_again() -> None:
    with always(answer("401 Unauthorized", "WWW-Authenticate: Bearer")) as url:
        result = check(url, "--header", "Authorization=MINE", MINE="Bearer abcdef")
    assert "the server refused the given value of Authorization" in verdict(result)


@pytest.mark.parametrize("status", ["403 Forbidden", "503 Service Unavailable", "429 Too Many Requests"])
def test_a_challenge_of_cloudflare_is_not_taken_for_a_missing_key(status: str) -> None:
    with always(answer(status, "cf-mitigated: challenge", "Server: cloudflare")) as url:
        result = check(url)
    assert result.exit_code == 10
    assert "Cloudflare sends a challenge" in verdict(result)
    assert "COMFY_API_KEY" not in result.stdout


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("402 Payment Required", "subscription"),
        ("407 Proxy Authentication Required", "--proxy-env"),
        ("502 Bad Gateway", "a gateway gets no response"),
        ("522 Origin", "a gateway gets no response"),
    ],
)
def test_other_refusals_have_words_of_their_own(status: str, told: str) -> None:
    with always(answer(status)) as url:
        result = check(url)
    assert result.exit_code == 10
    assert told in verdict(result)


# --- the wrong protocol -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [NGINX, GO], ids=["nginx", "go"])
def test_plain_http_to_a_port_for_tls_is_told_to_try_https(body: bytes) -> None:
    with always(answer("400 Bad Request", "Content-Type: text/html", body=body)) as url:
        result = check(url)
    assert re.search(
        r"Likely cause +This port speaks TLS\.\n +What to do +Give the target with https://\n", result.stdout
    )


def test_a_400_of_another_kind_is_not_told_to_try_https() -> None:
    with always(answer("400 Bad Request", "Content-Type: text/html", body=b"<h1>Bad</h1>")) as url:
        result = check(url)
    assert "https://" not in result.stdout


def test_an_alert_of_tls_in_answer_to_plain_http_is_told_to_try_https() -> None:
    with listening(raw(ALERT)) as port:
        result = check(f"http://127.0.0.1:{port}")
    assert result.exit_code == 10
    assert "this port speaks TLS (give the target with https://)" in verdict(result)


def test_https_to_a_port_for_plain_http_is_told_to_try_http() -> None:
    with serve() as endpoint:
        result = check(endpoint.url.replace("http://", "https://"))
    assert result.exit_code == 10
    assert "this port speaks plain http: give the target with http://" in verdict(result)


@pytest.mark.parametrize("preface", [SETTINGS, SETTINGS + GOAWAY], ids=["settings", "and goaway"])
def test_a_server_of_http_2_alone_is_recognised(preface: bytes, folder: Path) -> None:
    with listening(raw(preface)) as port:
        result = check(f"http://127.0.0.1:{port}")
    assert result.exit_code == 10
    assert "this port speaks only HTTP/2, and the suite speaks HTTP/1.1" in verdict(result)
    assert "does it speak HTTP" not in result.stdout
    assert [exchange["attempt"] for exchange in report(folder)["exchanges"]][:2] == [1, 2], "each request is listed"


def test_a_server_of_http_2_alone_is_recognised_behind_tls_too(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    context = shown_by(authority.issue_cert("127.0.0.1"))
    with listening(raw(SETTINGS), context) as port:
        result = check(f"https://127.0.0.1:{port}", "--ca-bundle", "authority.pem")
    assert "this port speaks only HTTP/2" in verdict(result)


def test_a_server_that_takes_no_http_1_by_alpn_is_recognised(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    context = shown_by(authority.issue_cert("127.0.0.1"))
    context.sni_callback = lambda *_: NO_APPLICATION_PROTOCOL  # what servers answer to an offer of HTTP/1.1
    with refusing(context) as url:
        result = check(url, "--ca-bundle", "authority.pem")
    assert result.exit_code == 10
    assert "it does not support HTTP/1.1" in verdict(result)


def test_another_protocol_is_asked_about() -> None:
    with listening(raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")) as port:
        result = check(f"http://127.0.0.1:{port}")
    assert "check that the server speaks HTTP on this port" in verdict(result)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"])
def test_a_file_is_not_asked_whether_it_speaks_http(content: bytes, folder: Path) -> None:
    (folder / "queue.http").write_bytes(content)
    result = CliRunner().invoke(main, ["judge", "queue.http", "--report-dir", "out"])
    everything = result.output + "".join(path.read_text("utf-8") for path in (folder / "out").iterdir())
    assert "does it speak HTTP" not in everything
    assert "Check that the server runs" not in everything


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (answer("200 OK", body=b"x" * 99)[:-9], "check whether a proxy or a time limit cuts the response off"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "check whether a proxy or a time limit cuts the response off",
        ),
    ],
)
def test_who_sends_a_good_head_speaks_http(content: bytes, hint: str) -> None:
    async def play(reader: Reader, writer: Writer) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(content if head.startswith(b"GET ") else content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        await writer.drain()

    with listening(play) as port:
        result = check(f"http://127.0.0.1:{port}")
    assert hint in verdict(result)
    assert "speak HTTP" not in verdict(result)


def test_a_space_before_a_colon_is_the_breach_that_is_named() -> None:
    content = answer("200 OK", "Content-Type : application/json", body=b'{"queue_running": [], "queue_pending": []}')
    with listening(raw(content)) as port:
        result = check(f"http://127.0.0.1:{port}")
    assert verdict(result).startswith("Non-conformant")
    assert "framing.field-name" in result.stdout
    assert "speak HTTP" not in result.stdout
