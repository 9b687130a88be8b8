"""The curl lines are run by bash against a server on loopback, and what arrives is compared with what was recorded."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conformance.exchange.secrets import REDACTED
from conformance.judge.curl import curl_line
from conformance.judge.report import RecordedExchange, RecordedRequest
from helpers.programs import program
from helpers.report_samples import HOSTILE, SENT, hostile

Arrived = tuple[str, str, list[tuple[str, str]]]
KEY = "sec ret$(touch pwned)'\"`x`"


class Server(ThreadingHTTPServer):
    """Remembers what arrived."""

    arrived: list[Arrived]


class Handler(BaseHTTPRequestHandler):
    """Answers everything with an empty 200."""

    def do_GET(self) -> None:
        """Remember the request and answer."""
        assert isinstance(self.server, Server)
        self.server.arrived.append((self.command, self.path, list(self.headers.items())))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - the names of the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as above
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Listen on loopback for as long as a test takes."""
    with Server(("127.0.0.1", 0), Handler) as listening:
        listening.arrived = []
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def recorded(
    url: str, headers: tuple[tuple[str, str], ...] = SENT, method: str = "GET", credential: str = "given"
) -> RecordedExchange:
    """Return an exchange of which only the request matters."""
    request = RecordedRequest(method=method, url=url, headers=headers, credential=credential)
    return RecordedExchange(id="x1", request=request, response=None, error=None, elapsed=None, attempt=1)


def run(line: str, home: Path) -> None:
    """Run a line as a reader would who pastes it, without the reader's own settings of curl and of proxies."""
    program("curl", "apt-get install curl")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "COMFY_API_KEY": KEY}
    subprocess.run(["bash", "-c", line], check=True, env=environment, cwd=home, capture_output=True, timeout=60)  # noqa: S607


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/api/queue", SENT[1:]),
        ("HEAD", "/api/queue", SENT[1:]),
        ("OPTIONS", "/api/queue", SENT[1:]),
        ("GET", "/a/../b/./c?x=[1-3]&y={a,b}&z=$HOME'%20!!", ()),
        ("GET", "/q", (("X-API-Key", ""), ("Accept", "*/*"))),
        ("GET", "/q", (("x-api-key", REDACTED), ("Authorization", f"Bearer {REDACTED}"))),
        ("GET", "/q", (("Cookie", f'a={REDACTED}; b=`id`"$x'),)),
        ("GET", "/q", (("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"), ("Accept", "text/html,*/*;q=0.8"))),
        (
            "GET",
            "/q",
            (("Connection", "keep-alive"), ("If-None-Match", '"none"'), ("Origin", "http://x.invalid:99999")),
        ),
        ("GET", "/q", (("X-Latin", "caf\xe9 \\ ' \" \x1b"), ("X-Twice", "1"), ("X-Twice", "2"), ("Host", "h.example"))),
    ],
)
def test_the_line_sends_the_same(
    server: Server, tmp_path: Path, method: str, path: str, headers: tuple[tuple[str, str], ...]
) -> None:
    """Method, target and headers arrive as they were recorded, and none beside them; the key comes from the shell."""
    authority = f"127.0.0.1:{server.server_port}"
    run(curl_line(recorded(f"http://{authority}{path}", headers, method)), tmp_path)
    ((sent_method, sent_path, sent_headers),) = server.arrived
    wanted = [(name, value.replace(REDACTED, KEY)) for name, value in headers]
    if not any(name == "Host" for name, _ in headers):
        wanted.append(("Host", authority))
    assert (sent_method, sent_path) == (method, path)
    assert sorted(sent_headers) == sorted(wanted)
    assert not list(tmp_path.iterdir())


def test_a_hostile_recording_runs_nothing(server: Server, tmp_path: Path) -> None:
    """Whatever a recording contains, the shell runs one command, and no other file is read or written."""
    url = f"http://127.0.0.1:{server.server_port}/"
    for nasty in (*HOSTILE, "$(touch pwned)", "`touch pwned`", "'; touch pwned #", "@/etc/passwd", "-o pwned"):
        line = curl_line(recorded(url, (("X-Nasty", nasty), (nasty, "x"), ("@/etc/passwd", "x"))))
        assert line.isprintable()
        run(line, tmp_path)
    assert not list(tmp_path.iterdir())
    assert not any("root:" in value for _, _, headers in server.arrived for _, value in headers)
    hostile_line = curl_line(hostile().exchanges[0])
    assert hostile_line.isprintable()
    subprocess.run(["bash", "-n", "-c", hostile_line], check=True, timeout=60)  # noqa: S607


def test_the_form() -> None:
    """The line reads as people write it."""
    assert curl_line(recorded("http://h:8188/api/queue", SENT, "HEAD")) == (
        "curl -sS -i --globoff --head --compressed -H 'Host: queue.example:8188' "
        "-H 'User-Agent: comfy-queue-conformance/1.0.0' "
        "-H 'Accept: application/json' -H 'Accept-Encoding: gzip' -H \"X-API-Key: $COMFY_API_KEY\" "
        "-H 'X-Request-Id: 7d1f6a5e-0001' http://h:8188/api/queue"
    )
    bare = curl_line(recorded("http://h/q", (("Host", "h"),), "OPTIONS"))
    assert bare == "curl -sS -i --globoff -X OPTIONS -H 'Accept:' -H 'User-Agent:' http://h/q"


def test_a_wrong_key_stays_wrong() -> None:
    """Where the wrong key was sent, and redacted, the line does not send the right one."""
    line = curl_line(recorded("http://h/q", (("X-API-Key", REDACTED),), credential="wrong"))
    assert "$COMFY_API_KEY" not in line
    assert "not-a-key" in line


def test_no_url_is_an_option() -> None:
    """A recording whose URL looks like an option of curl does not set one."""
    assert curl_line(recorded("-opwned")).endswith(" --url -opwned")
