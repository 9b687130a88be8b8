"""What stands before a target: headers that a gateway wants, and proxies. Nobody else is told, and nothing is shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.problems import UsageProblem
from conformance.reference.server import serve
from helpers.certificates import shown_by
from helpers.commands import left_behind, report, thrifty
from helpers.run_options import make_settings
from helpers.servers import before, listening, proxy, saying

CANARY = "canary-Zx81Qm40Lr77"
QUEUE = b'{"queue_running": [], "queue_pending": []}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(QUEUE), QUEUE)
ENVIRONMENT = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
)


@pytest.fixture(autouse=True)
def folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    return folder


def check(url: str, *more: str | Path, **environ: str) -> Result:
    return CliRunner().invoke(main, thrifty(["check", url, *more]), env=environ)


def is_refused(result: Result, *told: str) -> None:
    """Assert that it is one line that says what is wrong without the value, and that there is no report."""
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    for words in ("error: ", *told):
        assert words in line
    assert "canary" not in line
    assert not list(Path().glob("reports/*/*"))


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("Authorization", f"Bearer {CANARY}"), ("Cookie", f"a={CANARY}; b=two"), ("X-Gate", CANARY)]
)
def test_a_header_goes_with_every_request_and_is_shown_nowhere(name: str, value: str, folder: Path) -> None:
    heard: list[bytes] = []
    with listening(saying(lambda _: ANSWER, heard)) as port:
        result = check(f"http://127.0.0.1:{port}", "--header", f"{name}=MY_TOKEN", MY_TOKEN=value)
    assert result.exit_code in (1, 10), result.output
    assert len(heard) >= 28
    assert {head.count(f"\r\n{name}: {value}\r\n".encode()) for head in heard} == {1}
    assert f"the headers {name}=MY_TOKEN are sent to http://127.0.0.1:{port} and nowhere else" in result.stderr
    assert CANARY not in result.output + left_behind(folder)
    assert report(folder)["run"]["options"]["header"] == f"{name}=MY_TOKEN"


def test_several_headers_can_be_given() -> None:
    heard: list[bytes] = []
    given = ("--header", "X-One=ONE", "--header", "X-Two=TWO")
    with listening(saying(lambda _: ANSWER, heard)) as port:
        check(f"http://127.0.0.1:{port}", *given, ONE="first-value", TWO="second-value")
    assert all(b"X-One: first-value" in head and b"X-Two: second-value" in head for head in heard)
    assert heard


@pytest.mark.parametrize(
    "value", [f"{CANARY}\nX-Evil: 1", f"{CANARY}\r\nX: 1", f"{CANARY}\x00", f"{CANARY}-ü", f"{CANARY}\t", f" {CANARY}"]
)
def test_a_value_that_no_header_may_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(UsageProblem, match=r"^the value of Authorization in MY_TOKEN [^\n]+$") as problem:
        make_settings({"MY_TOKEN": value}, target="http://127.0.0.1:1", header=["Authorization=MY_TOKEN"])
    assert "canary" not in str(problem.value)
    assert "X-Evil" not in str(problem.value)


@pytest.mark.parametrize("value", ["1", "abc"])
def test_a_short_value_is_sent_and_it_is_said_that_it_is_not_redacted(value: str, folder: Path) -> None:
    heard: list[bytes] = []
    with listening(saying(lambda _: ANSWER, heard)) as port:
        result = check(f"http://127.0.0.1:{port}", "--header", "X-Beta=MY_FLAG", MY_FLAG=value)
    assert {head.count(f"\r\nX-Beta: {value}\r\n".encode()) for head in heard} == {1}
    assert "the value of X-Beta=MY_FLAG has fewer than 4 characters: it is not redacted" in result.stderr
    told = report(folder)
    assert {tuple(field) for exchange in told["exchanges"] for field in exchange["request"]["headers"]} >= {
        ("X-Beta", value)
    }
    assert "[redacted" not in str(told["exchanges"]), "a digit is not taken for a secret wherever it stands"
    (echoed,) = (clause for clause in told["clauses"] if clause["id"] == "auth.key-not-echoed")
    assert echoed["status"] == "not-exercised"


def test_a_longer_value_comes_without_that_note() -> None:
    with listening(saying(lambda _: ANSWER, [])) as port:
        result = check(f"http://127.0.0.1:{port}", "--header", "X-Beta=MY_FLAG", MY_FLAG="abcd")
    assert "not redacted" not in result.stderr


@pytest.mark.parametrize("typed", [f"X-Gate: {CANARY}", f"X-Gate:{CANARY}", f"X-Gate: a={CANARY}"])
def test_a_header_as_it_is_sent_is_told_the_form_of_the_option(typed: str) -> None:
    told = "put the value into an environment variable and give X-Gate=VARIABLE"
    is_refused(check("http://127.0.0.1:1", "--header", typed), "--header must be NAME=VARIABLE", told)


@pytest.mark.parametrize("environ", [{}, {"MY_TOKEN": ""}])
def test_a_variable_that_is_not_set_is_refused(environ: dict[str, str]) -> None:
    is_refused(check("http://127.0.0.1:1", "--header", "Authorization=MY_TOKEN", **environ), "MY_TOKEN", "export it")


@pytest.mark.parametrize(
    "name", ["Host", "user-agent", "X-API-Key", "X-HTTP-Method-Override", "Content-Length", "Range", "If-None-Match"]
)
def test_a_header_that_is_ours_or_changes_what_a_read_is_is_refused(name: str) -> None:
    is_refused(
        check("http://127.0.0.1:1", "--header", f"{name}=MY_TOKEN", MY_TOKEN=CANARY), name, "sets this header itself"
    )


@pytest.mark.parametrize("typed", ["Authorization", CANARY, "=MY_TOKEN", "X-Gate=", "X Gate=MY_TOKEN", "X:Y=MY_TOKEN"])
def test_what_is_no_name_and_variable_is_refused(typed: str) -> None:
    is_refused(check("http://127.0.0.1:1", "--header", typed, MY_TOKEN=CANARY), "--header must be NAME=VARIABLE")


@pytest.mark.parametrize(
    "typed",
    [
        ("--header", f"Authorization=Bearer {CANARY}"),
        ("--header", f"X-Gate={CANARY}"),
        ("--api-key-env", CANARY),
        ("--proxy-env", f"http://user:{CANARY}@127.0.0.1:3128"),
    ],
)
def test_a_secret_that_was_typed_for_its_variable_is_not_repeated(typed: tuple[str, str]) -> None:
    is_refused(check("http://127.0.0.1:1", *typed), typed[0], "names a variable, which")


def test_a_header_does_not_go_over_plain_http_beyond_loopback() -> None:
    is_refused(check("http://192.0.2.1", "--header", "X-Gate=MY_TOKEN", MY_TOKEN=CANARY), "plain http")


# --- workflows of a host that is not loopback -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "shown"), [((), False), (("--show-workflows",), True), (("--redact-workflows",), False)]
)
def test_a_run_against_another_host_redacts_workflows(options: tuple[str, ...], *, shown: bool, folder: Path) -> None:
    formats = ("--format", "sarif", "--format", "ctrf", "--history", "history.db")
    with serve(fault="seconds") as endpoint, listening(proxy(endpoint.port, [])) as port:
        result = check(
            "http://target.invalid", "--proxy-env", "MY_PROXY", *options, *formats, MY_PROXY=f"http://127.0.0.1:{port}"
        )
    assert result.exit_code == 1, result.output
    left = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()) + result.output.encode()
    assert b"class_type" in left, "the structure stays visible"
    assert b"create_time" in left
    assert (b"SaveImage" in left) is shown
    assert ("[workflows are hidden]" in result.stdout) is not shown


# --- proxies ----------------------------------------------------------------------------------------------------------

SOMEWHERE = "target.invalid"
"""Resolves to nothing: who asks it without the proxy gets no answer."""


@pytest.mark.parametrize("login", ["", f"user:{CANARY}@"])
def test_a_plain_target_is_asked_through_the_proxy_alone(login: str, folder: Path) -> None:
    heard: list[bytes] = []
    with serve() as endpoint, listening(proxy(endpoint.port, heard)) as port:
        url = f"http://{login}127.0.0.1:{port}"
        result = check(f"http://{SOMEWHERE}", "--proxy-env", "MY_PROXY", "--rate-limit", "1000", MY_PROXY=url)
    assert result.exit_code == 0, result.output
    assert len(heard) >= 28
    assert {head.split(b" ")[1].partition(b"?")[0] for head in heard} == {f"http://{SOMEWHERE}/api/queue".encode()}
    basic = base64.b64encode(f"user:{CANARY}".encode())
    assert {b"Proxy-Authorization: Basic " + basic in head for head in heard} == {bool(login)}
    seen = result.output + left_behind(folder)
    assert CANARY not in seen
    assert basic.decode() not in seen


@pytest.mark.parametrize("login", ["", f"user:{CANARY}@"])
def test_a_target_with_tls_is_asked_through_a_tunnel_and_told_no_password(login: str, folder: Path) -> None:
    heard: list[bytes] = []
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path("authority.pem")
    more = ("--proxy-env", "MY_PROXY", "--rate-limit", "1000", "--ca-bundle", "authority.pem")
    with (
        serve() as endpoint,
        listening(before(endpoint.port), shown_by(authority.issue_cert(SOMEWHERE))) as secure,
        listening(proxy(secure, heard)) as port,
    ):
        result = check(f"https://{SOMEWHERE}", *more, MY_PROXY=f"http://{login}127.0.0.1:{port}")
    assert result.exit_code == 0, result.output
    assert {head.split(b"\r\n")[0] for head in heard} == {f"CONNECT {SOMEWHERE}:443 HTTP/1.1".encode()}
    assert CANARY not in result.output + left_behind(folder)


def test_a_password_that_the_proxy_repeats_is_shown_nowhere(folder: Path) -> None:
    heard: list[bytes] = []
    basic = base64.b64encode(f"user:{CANARY}".encode()).decode()
    body = f"user:{CANARY} {basic} {CANARY[::-1]}".encode()
    answer = b"HTTP/1.1 407 Go away\r\nX-Echo: %s\r\nContent-Length: %d\r\n\r\n%s" % (body, len(body), body)
    with listening(saying(lambda _: answer, heard)) as port:
        url = f"http://user:{CANARY}@127.0.0.1:{port}"
        result = check(f"http://{SOMEWHERE}", "--proxy-env", "MY_PROXY", "--rate-limit", "1000", MY_PROXY=url)
    assert heard
    seen = result.output + left_behind(folder)
    assert not [form for form in (CANARY, basic.rstrip("="), CANARY[::-1]) if form in seen]


def test_a_proxy_that_is_not_there_is_inconclusive(folder: Path) -> None:
    with serve() as endpoint:
        url = f"http://user:{CANARY}@127.0.0.1:1"
        result = check(endpoint.url, "--proxy-env", "MY_PROXY", MY_PROXY=url)
        assert endpoint.reference.reads == 0
    assert result.exit_code == 10, result.output
    assert CANARY not in result.output + left_behind(folder)


@pytest.mark.parametrize(
    "value", [None, "", "127.0.0.1:3128", f"ftp://u:{CANARY}@h", f"http://u:{CANARY}@", "http://["]
)
def test_what_is_no_proxy_is_refused_and_not_shown(value: str | None) -> None:
    environ = {} if value is None else {"MY_PROXY": value}
    is_refused(check("http://127.0.0.1:1", "--proxy-env", "MY_PROXY", **environ), "--proxy-env names MY_PROXY")


@pytest.mark.parametrize("port", ["0", "99999", "x"])
def test_a_proxy_on_no_port_is_refused_and_not_shown(port: str) -> None:
    url = f"http://u:{CANARY}@127.0.0.1:{port}"
    is_refused(check("http://127.0.0.1:1", "--proxy-env", "MY_PROXY", MY_PROXY=url), "--proxy-env names MY_PROXY")


def test_proxies_and_passwords_of_the_environment_are_left_alone(folder: Path) -> None:
    heard: list[bytes] = []
    asked: list[bytes] = []
    (folder / ".netrc").write_text(f"machine 127.0.0.1 login user password {CANARY}\n", encoding="utf-8")
    (folder / ".netrc").chmod(0o600)
    with listening(saying(lambda _: ANSWER, heard)) as other, listening(saying(lambda _: ANSWER, asked)) as port:
        names = [name for name in ENVIRONMENT if name.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}]
        proxies = dict.fromkeys(names, f"http://127.0.0.1:{other}")
        check(f"http://127.0.0.1:{port}", HOME=str(folder), NETRC=str(folder / ".netrc"), **proxies)
    assert heard == []
    assert len(asked) >= 28
    assert not [head for head in asked if b"authorization" in head.lower()]
