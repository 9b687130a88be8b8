"""A key is read from where it was put, and stands in nothing that a run prints or writes, whatever happens."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import REDACTED, Secret
from helpers.commands import Done, command_line, report, suite, thrifty
from helpers.servers import Reader, Writer, listening, saying

KEY = "k3y/Canary+Qz81Vm40Lr77Wd"
GATE = "t0k/Canary+Hx52Bn93Ps66Jf"
LOGIN = "p4ssCanaryGt17Ck28Ym59Rb"
SECRETS = {"COMFY_API_KEY": KEY, "MY_TOKEN": f"Bearer {GATE}"}
PIECE = 12


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check(*arguments: str | Path, **environ: str) -> Done:
    """Run ``comfy-conformance check`` within this process, which is quicker."""
    unset = dict.fromkeys(("COMFY_API_KEY", "CONFORMANCE_TARGET", "CONFORMANCE_TRACEBACK", "CI"))
    result = CliRunner().invoke(main, thrifty(["check", *arguments]), env={**unset, **environ})
    return Done((), result.exit_code, result.stdout, result.stderr)


def forms(secret: str) -> set[bytes]:
    """Return what gives a secret away: any piece of it, and it in the ways in which it may be written."""
    pieces = {secret[start : start + PIECE] for start in range(len(secret) - PIECE + 1)}
    coded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {form.encode() for form in (*pieces, secret[::-1], coded, quote(secret, safe=""), in_lower_case(secret))}


def in_lower_case(secret: str) -> str:
    """Return a secret as URLs have it, its escapes in lower case."""
    return re.sub("%..", lambda escape: escape[0].lower(), quote(secret, safe=""))


GIVEAWAYS = frozenset().union(*map(forms, (KEY, GATE, LOGIN)))


def is_silent(done: Done, folder: Path) -> None:
    """Assert that no byte that was printed or written in the folder, hidden files included, gives a secret away."""
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    seen = {"output": done.stdout.encode() + done.stderr.encode(), **{str(path): data for path, data in files.items()}}
    assert not {(where, form) for where, data in seen.items() for form in GIVEAWAYS if form in data + where.encode()}


def answer(body: str, status: str = "200 OK", *fields: str) -> bytes:
    """Return an answer with this body."""
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body.encode())}", *fields)
    return "\r\n".join((*lines, "", body)).encode()


QUEUE = '{"queue_running": [], "queue_pending": []}'


@contextmanager
def server(always: bytes, *, closing: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """Send the same response to every request; yield the URL and the list of request heads.

    ``closing`` closes the connection after each response, so that no client waits for the rest of a broken one.
    """
    heard: list[bytes] = []

    async def once(reader: Reader, writer: Writer) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(always)
        await writer.drain()

    with listening(once if closing else saying(lambda _: always, heard)) as port:
        yield f"http://127.0.0.1:{port}", heard


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_comes_from_a_file_without_the_end_of_its_line(end: str, tmp_path: Path) -> None:
    file = tmp_path.with_suffix(".key")
    file.write_bytes(f"{KEY}{end}".encode())
    with server(answer(QUEUE)) as (url, heard):
        done = check(url, "--api-key-file", file)
    keyed = [head for head in heard if f"\r\nX-API-Key: {KEY}\r\n".encode() in head]
    assert len(keyed) >= 28
    assert f"the key in {file} is sent to {url} and to nobody else" in done.stderr
    is_silent(done, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        f"{KEY}\n{KEY}",
        f"{KEY}\n\n",
        f"{KEY} ",
        f" {KEY}",
        f"{KEY[:9]} {KEY[9:]}",
        f"{KEY}é",
        f"\ufeff{KEY}",
        f"{KEY}\0",
    ],
    ids=["lines", "empty line", "after", "before", "within", "not ASCII", "mark", "zero"],
)
def test_what_no_header_may_carry_is_refused_before_anything_is_sent(content: str, tmp_path: Path) -> None:
    file = tmp_path.with_suffix(".key")
    file.write_text(content, encoding="utf-8", newline="")
    with server(answer(QUEUE)) as (url, heard):
        done = check(url, "--api-key-file", file)
        assert heard == []
    assert done.returncode == 4
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: the key in {file} holds spaces, line breaks or characters that no header may carry")
    is_silent(done, tmp_path)


@pytest.mark.parametrize("content", [None, "", "\n", "abc"], ids=["missing", "empty", "an empty line", "short"])
def test_a_file_without_a_key_is_one_line_and_4(content: str | None, tmp_path: Path) -> None:
    file = tmp_path.with_suffix(".key")
    if content is not None:
        file.write_text(content, encoding="utf-8")
    done = check("http://127.0.0.1:1", "--api-key-file", file)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert str(file) in line


# --- what servers do with a key ---------------------------------------------------------------------------------------


def _json(text: str) -> str:
    return json.dumps({"queue_running": [], "queue_pending": [], "echo": text})


PIECES = " ".join(KEY[start : start + PIECE] for start in range(0, len(KEY) - PIECE, 5))
FOUND = {
    "body": answer(_json(f"key {KEY} token {GATE}")),
    "escaped": answer(_json("x").replace("x", "".join(f"\\u{ord(c):04x}" for c in KEY))),
    "reversed": answer(_json(f"{KEY[::-1]} {GATE[::-1]}")),
    "pieces": answer(_json(PIECES)),
    "URL": answer(_json(quote(KEY, safe="") + in_lower_case(GATE))),
    "base64": answer(_json(base64.b64encode(KEY.encode()).decode() + base64.b64encode(GATE.encode()).decode())),
    "header": answer(QUEUE, "200 OK", f"X-Echo: {KEY} {GATE}", f"X-{KEY[:4]}: {KEY[::-1]}"),
    "error": answer(json.dumps({"code": "X", "message": f"{KEY} {GATE}"}), "500 Internal Server Error"),
    "Location": answer("{}", "302 Found", f"Location: /{quote(KEY, safe='')}?{KEY}"),
}
UNSEEN = {
    "reason": answer(QUEUE, f"200 {KEY} {GATE}"),
    "no HTTP": f"{KEY} {GATE}\r\n\r\n".encode(),
    "cut short": answer(_json(KEY))[:-30],
    "broken header": f"HTTP/1.1 200 OK\r\n{KEY}\x00{GATE}\r\n\r\n".encode(),
    "broken length": f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
}
HEADER = ("--header", "Authorization=MY_TOKEN")
ODD = "q'7\"x&4<Z>p+9/k%2B\\wQ{}"
"""A key none of whose pieces of 12 characters stands in what is escaped."""


def _numbered(pattern: str) -> str:
    return "".join(c if c.isalnum() else pattern.format(ord(c)) for c in ODD)


@pytest.mark.parametrize(
    "echo",
    {
        "HTML": _numbered("&#{:d};"),
        "HTML, hexadecimal": _numbered("&#x{:04X};"),
        "HTML, by name": escape(ODD),
        "HTML twice": escape(_numbered("&#{:d};")),
        "URL twice": quote(quote(ODD, safe=""), safe=""),
        "JSON": json.dumps(ODD)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(json.dumps(ODD))),
        "JSON of JSON's numbers": _numbered("\\\\u{:04X}"),
        "Basic": base64.b64encode(f"user:{ODD}".encode()).decode(),
        "base64 of more": base64.b64encode(f"ab{ODD} and more".encode()).decode(),
        "base64 of more, for URLs": base64.urlsafe_b64encode(f"a{ODD}ab".encode()).decode(),
        "digits": ODD.encode().hex(),
        "DIGITS": ODD.encode().hex().upper(),
        "lower case": ODD.lower(),
        "upper case": ODD.upper(),
        "the other case": ODD.swapcase(),
    }.items(),
    ids=lambda echo: echo[0],
)
def test_a_key_is_taken_out_as_servers_write_it(echo: tuple[str, str]) -> None:
    redactor = Redactor(Secret(ODD))
    text = redactor.text(f"the key {echo[1]} is wrong")
    assert redactor.content(f"the key {echo[1]} is wrong".encode()) == text.encode()
    left = re.fullmatch(r"the key (.*) is wrong", text)
    assert left is not None
    assert REDACTED in left[1]
    assert len(left[1].replace(REDACTED, "")) < 20, "what stood around it, and no piece of it"


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_a_key_is_taken_out_of_wide_characters(coding: str) -> None:
    assert ODD.encode(coding) not in Redactor(Secret(ODD)).content(f"the key {ODD}".encode(coding))


@pytest.mark.parametrize("flood", [b"\\", b"&amp;", b"%25", b"&#0"])
def test_what_a_server_repeats_takes_no_longer_than_its_length(flood: bytes) -> None:
    """It would go on for hours: each of a million backslashes begins a run of them all."""
    assert Redactor(Secret(ODD)).content(flood * 1_000_000) == flood * 1_000_000


@pytest.mark.parametrize("echo", FOUND)
def test_an_echo_is_a_finding_and_shown_to_nobody(echo: str, tmp_path: Path) -> None:
    with server(FOUND[echo]) as (url, _):
        done = check(url, *HEADER, **SECRETS)
    (found,) = [clause for clause in report(tmp_path)["clauses"] if clause["id"] == "auth.key-not-echoed"]
    assert found["status"] == "warn", found
    assert REDACTED in json.dumps(report(tmp_path)["exchanges"])
    is_silent(done, tmp_path)


@pytest.mark.parametrize("echo", UNSEEN)
def test_an_echo_in_what_is_no_whole_answer_is_shown_to_nobody(echo: str, tmp_path: Path) -> None:
    with server(UNSEEN[echo], closing=True) as (url, heard):
        done = check(url, *HEADER, **SECRETS)
        assert KEY.encode() in heard[0]
    assert done.returncode in (1, 10), done.stderr
    is_silent(done, tmp_path)


@pytest.mark.parametrize(
    ("status", "place"),
    [
        ("301 Moved", "http://127.0.0.1:{}/"),
        ("302 Found", "https://127.0.0.1:{}/"),
        ("303 See Other", "//127.0.0.1:{}/api/queue"),
        ("307 Temporary", "http://localhost:{}/"),
        ("308 Permanent", "http://127.0.0.1:{}/api/queue"),
    ],
)
def test_nobody_else_is_asked_where_a_redirect_points_elsewhere(status: str, place: str, tmp_path: Path) -> None:
    connections: list[int] = []

    async def note(*_: object) -> None:
        connections.append(1)

    with listening(note) as other, server(answer("", status, f"Location: {place.format(other)}")) as (url, heard):
        done = check(url, *HEADER, **SECRETS)
    assert done.returncode == 1, done.stdout
    assert heard
    assert connections == []
    is_silent(done, tmp_path)


# --- pytest, generated requests, caches -------------------------------------------------------------------------------

LOUD = ("-vv", "--tb=long", "-l", "-rA", "--showlocals")
SEARCH = ("--properties", "20", "--seed", "1", "--example-database", "examples")


@pytest.mark.parametrize("echo", ["body", "no HTTP"])
def test_pytest_at_its_loudest_shows_and_caches_no_key(echo: str, tmp_path: Path) -> None:
    with server({**FOUND, **UNSEEN}[echo], closing=echo in UNSEEN) as (url, heard):
        done = suite(tmp_path, "--target", url, *LOUD, *HEADER, **SECRETS)
        assert KEY.encode() in heard[0]
    assert done.returncode in (1, 10), done.stdout
    assert (tmp_path / ".pytest_cache").is_dir()
    is_silent(done, tmp_path)


def test_a_search_keeps_no_key_among_its_examples(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def other(head: bytes) -> bytes:
        """Break a clause for whatever the plan does not ask, and echo."""
        return FOUND["error"] if b"?" in head.split(b"\r\n")[0] else FOUND["body"]

    with listening(saying(other, heard)) as port:
        done = suite(tmp_path, "--target", f"http://127.0.0.1:{port}", *LOUD, *SEARCH, *HEADER, **SECRETS)
    assert len(heard) > 60
    assert done.returncode in (1, 10), done.stdout
    assert [path for path in (tmp_path / "examples").rglob("*") if path.is_file()]
    is_silent(done, tmp_path)


# --- mistakes of ours -------------------------------------------------------------------------------------------------

JUDGE = """
import conformance.judge.build

def stumble(exchanges, *rest, **more):
    raise LookupError(f"{exchanges!r}")

conformance.judge.build.judge_each = stumble
"""
SEND = """
from conformance.probe.client import Client

async def stumble(self, method, url, headers, body=b""):
    raise LookupError(f"{headers!r} {self._gateway.proxy.reveal() if self._gateway.proxy else ''}")

Client._send = stumble
"""


@pytest.mark.parametrize("front", [command_line, suite], ids=["command", "pytest"])
@pytest.mark.parametrize("mistake", [JUDGE, SEND], ids=["judging", "sending"])
@pytest.mark.parametrize("wished", ["", "1"], ids=["a line", "a traceback"])
def test_a_mistake_of_the_suite_shows_no_key(
    front: Callable[..., Done], mistake: str, wished: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(mistake, encoding="utf-8")
    words = ("check",) if front is command_line else LOUD
    proxy = ("--proxy-env", "MY_PROXY") if mistake == SEND else ()
    more = {**SECRETS, "CONFORMANCE_TRACEBACK": wished, "MY_PROXY": f"http://user:{LOGIN}@127.0.0.1:1"}
    with server(FOUND["body"]) as (url, _):
        done = front(tmp_path, *words, "--target", url, *HEADER, *proxy, PYTHONPATH=str(tmp_path), **more)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "LookupError" in done.stdout + done.stderr
    assert ("Traceback" in done.stdout + done.stderr) is bool(wished)
    is_silent(done, tmp_path)


def test_the_search_for_a_key_finds_one(tmp_path: Path) -> None:
    done = Done((), 0, "", "")
    for number, text in enumerate((KEY, GATE[3:15], LOGIN[::-1], base64.b64encode(KEY.encode()).decode())):
        (tmp_path / f".{number}").write_text(f"a{text}b", encoding="utf-8")
        with pytest.raises(AssertionError):
            is_silent(done, tmp_path)
        (tmp_path / f".{number}").unlink()
    is_silent(done, tmp_path)
    with pytest.raises(AssertionError):
        is_silent(Done((), 0, KEY[-PIECE:], ""), tmp_path)
