"""``comfy-conformance``: what each verb says, and the status that it leaves."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import click
import httpx
import pytest

from conformance.cli import VERBS, main
from conformance.contract.catalogue import CATALOGUE
from conformance.reference.faults import FAULTS
from conformance.reference.hostile import HOSTILE
from conformance.reference.server import KEY, serve
from conformance.reference.variants import VARIANTS
from conformance.version import __version__
from helpers.cli_runner import call, is_refused
from helpers.commands import (
    BIN,
    GENERATED,
    NOWHERE,
    TIMEOUT,
    command_line,
    environment,
    left_behind,
    on_a_terminal,
    report,
    run,
    started,
)


@pytest.fixture
def answer(folder: Path) -> Path:
    """Return a file that holds the body of a conforming answer."""
    with serve() as endpoint:
        path = folder / "queue.json"
        path.write_bytes(httpx.get(f"{endpoint.url}/api/queue").content)
        return path


# --- help ---------------------------------------------------------------------------------------


def test_the_help_names_every_verb_and_every_exit_status() -> None:
    result = call("--help")
    assert result.exit_code == 0
    for word in (*VERBS, "0 conformant", "1 non-conformant", "10 inconclusive", "3 internal error", "4 usage"):
        assert word in " ".join(result.stdout.split())
    assert "..." not in result.stdout.partition("Commands:")[2]


def test_without_a_verb_the_help_is_shown() -> None:
    result = call()
    assert result.exit_code == 4
    assert result.stderr.startswith("Usage: ")


OPTIONAL = {
    "fault",
    "hostile",
    "api_key_env",
    "api_key_file",
    "header",
    "ca_bundle",
    "client_cert",
    "proxy_env",
    "format",
    "history",
    "workflow",
}
"""Options without which there is simply none."""


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_says_what_it_is_for_and_what_it_is_without(verb: str) -> None:
    result = call(verb, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {verb} ")
    command = main.get_command(click.Context(main), verb)
    assert command is not None
    assert command.get_short_help_str(limit=100) == VERBS[verb]
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help
            told = option.is_flag or option.show_default or "[default: " in option.help
            assert told or option.name in OPTIONAL


@pytest.mark.parametrize("verb", VERBS)
def test_help_that_names_a_page_says_where_it_is(verb: str) -> None:
    text = " ".join(call(verb, "--help").stdout.split())
    pages = re.findall(r"docs/(\w[\w-]*\.md)", text)
    folder = re.search(r"The pages in docs/ are in (\S+)\.", text)
    assert (folder is not None) is bool(pages)
    assert all((Path(folder[1]) / page).exists() for page in pages if folder)


def test_names_of_the_reference_endpoint_are_listed_by_a_word() -> None:
    every, some = (call("serve", "--list", *word).stdout.splitlines() for word in ((), ("uuid",)))
    assert 0 < len(some) < len(every) / 10
    assert all("uuid" in line.lower() for line in some if line.startswith("  "))


def test_the_version_is_told() -> None:
    assert call("--version").stdout == f"comfy-conformance, version {__version__}\n"


# --- what was typed wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["klingon"], "No such command 'klingon'"),
        (["nigthly"], "No such command 'nigthly': did you mean nightly?"),
        (["check", "--klingon"], "no option '--klingon' (see main check --help)"),
        (["check", "--dialekt", "oss"], "no option '--dialekt': did you mean --dialect? (see main check --help)"),
        (["clauses", "xyz"], "no clause 'xyz': `comfy-conformance clauses` lists all"),
        (["check", "--dialect", "klingon"], "'cloud', 'oss', 'auto'"),
        (["check", "example.org:8188"], "give one such as http://example.org:8188"),
        (["check", f"{NOWHERE}/api/queue"], f"give {NOWHERE}"),
        (["check", NOWHERE, "--target", "http://127.0.0.1:2"], "two targets"),
        (["check", NOWHERE, "--api-key-env", "UNSET"], "UNSET, which is not set: export it, or use --no-key"),
        (["check", NOWHERE, "--report-dir", "taken"], "choose another with --report-dir"),
        (["check", NOWHERE, "--report-dir", "taken/below"], "choose another with --report-dir"),
        (["check", NOWHERE, "--deadline", "nan"], "--deadline must be a number above 0"),
        (["check", NOWHERE, "--max-requests", "0"], "--max-requests must be a number above 0"),
        (["check", NOWHERE, "--max-requests", "many"], "'many' is not a valid integer"),
        (["judge"], "Missing argument 'FILE...'"),
        (["judge", "missing.json"], "missing.json cannot be read (No such file or directory)"),
        (["judge", "a-folder"], "a-folder cannot be read (Is a directory)"),
        (["judge", "empty.har"], "contains no request of a queue"),
        (["judge", "broken.har"], "; 1 of 1 entries cannot be read"),
        (["judge", "--method", "G T", "taken"], "'G T' is not one of 'GET'"),
        (["judge", "taken", "--report-dir", "taken"], "choose another with --report-dir"),
        (["serve", "--fault", "second"], "did you mean seconds?"),
        (["serve", "--variant", "klingon"], "--list shows all"),
        (["serve", "--fault", "two-a-second"], "two-a-second is not for --fault: use --variant two-a-second"),
        (["serve", "--variant", "seconds"], "seconds is not for --variant: use --fault seconds"),
        (["serve", "--hostile", "seconds"], "seconds is not for --hostile: use --fault seconds"),
        (["serve", "--fault", "comfyui-order", "--generate"], "--fault comfyui-order cannot be combined with --gen"),
        (["serve", "--list", "klingon"], "no variant, hostile endpoint or fault contains 'klingon'"),
        (["serve", "--api-key-env", "UNSET"], "UNSET, which is not set: set it first"),
        (["serve", "--host", "nowhere.invalid"], "choose another --host or --port"),
        (["clauses", "--format", "klingon"], "'table', 'markdown', 'json'"),
        (
            ["check", NOWHERE, "--clause", "itm.array"],
            "--clause 'itm.array' matches no clause: did you mean item.array?",
        ),
        (["clauses", "item.prompt-id.uid"], "no clause 'item.prompt-id.uid': did you mean item.prompt-id.uuid?"),
        (["clauses", "item.", "--format", "markdown"], "leave out the ID, or use table or json"),
        (["check", "--list"], "--list is for many targets: add --all"),
        (["publish", "bagde"], "No such command 'bagde': did you mean badge?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_was_typed_wrong_is_one_line_and_4(folder: Path, typed: list[str], told: str) -> None:
    (folder / "a-folder").mkdir()
    (folder / "taken").touch()
    (folder / "empty.har").write_text('{"log": {"entries": []}}')
    (folder / "broken.har").write_text('{"log": {"entries": [1]}}')
    is_refused(call(*typed), told)


def test_an_empty_target_and_ci_without_one_are_refused() -> None:
    is_refused(call("check", CONFORMANCE_TARGET=""), "CONFORMANCE_TARGET is set but empty")
    is_refused(call("check", CI="1"), "--target embedded")
    assert call("check", "--target", "embedded", "-q", CI="1").exit_code == 0


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        is_refused(call("serve", "--port", str(port)), f"cannot listen on 127.0.0.1:{port}")


# --- check --------------------------------------------------------------------------------------


def test_a_check_begins_with_its_verdict_and_leaves_a_report(folder: Path) -> None:
    result = call("check")
    assert result.exit_code == 0
    verdict, *_, where = result.stdout.splitlines()
    assert verdict.startswith("Conformant: ")
    assert where == "report: reports/latest/index.html"
    assert result.stderr.startswith(
        "checking the embedded reference endpoint, not your server (about 45 read-only requests)"
    )
    assert report(folder)["verdict"] == "conformant"


@pytest.mark.parametrize(
    ("fault", "more", "status"),
    [
        ("id-as-short-code", [], 1),
        ("id-in-upper-case", [], 0),
        ("id-in-upper-case", ["--fail-on-should"], 1),
        ("closes-at-once", [], 10),
        ("closes-at-once", ["--inconclusive-ok"], 10),
    ],
)
def test_the_status_is_the_verdicts(fault: str, more: list[str], status: int) -> None:
    with serve(fault=fault) as endpoint:
        assert call("check", endpoint.url, *more).exit_code == status


def test_an_idle_queue_is_inconclusive_unless_that_is_forgiven() -> None:
    with serve(variant="empty-queue") as endpoint:
        assert call("check", endpoint.url).exit_code == 10
        assert call("check", endpoint.url, "--inconclusive-ok").exit_code == 0


def test_quiet_prints_the_verdict_alone() -> None:
    with serve(fault="id-as-short-code") as endpoint:
        result = call("check", endpoint.url, "--quiet")
    assert result.output == "Non-conformant: 1 must clause broken: item.prompt-id.uuid\n"


@pytest.mark.parametrize(
    ("target", "why"),
    [(NOWHERE, "Connection refused"), ("https://nowhere.invalid", "the name cannot be resolved"), ("tls", "TLS: ")],
)
def test_a_target_that_is_not_reached_is_inconclusive_and_has_a_report(folder: Path, target: str, why: str) -> None:
    with serve() as endpoint:
        url = endpoint.url.replace("http:", "https:") if target == "tls" else target
        result = call("check", url, "-q", "--inconclusive-ok")
    assert result.exit_code == 10
    assert result.output.startswith(f"Inconclusive: the target cannot be reached: {why}")
    assert report(folder)["verdict"] == "inconclusive"


def test_a_check_of_chosen_clauses_is_partial_and_judges_by_these(folder: Path) -> None:
    with serve(fault="id-as-short-code") as endpoint:
        typed = ("check", endpoint.url, "--properties", "0", "-q", "--clause")
        assert call(*typed, "item.create-time.*").exit_code == 0
        assert call(*typed, "item.prompt-id.*", "--clause", "auth").exit_code == 1
    found = report(folder)
    assert {clause["id"].partition(".")[0] for clause in found["clauses"]} == {"item", "auth"}
    assert found["run"]["partial"]
    assert found["run"]["selected"] == "--clause 'item.prompt-id.*' --clause 'auth'"
    assert found["run"]["options"]["clause"] == "item.prompt-id.*, auth"


def test_ctrl_c_is_2_and_one_line_and_leaves_the_earlier_report(folder: Path) -> None:
    assert call("check").exit_code == 0
    before = left_behind(folder)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(TIMEOUT)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with started(folder, "comfy-conformance", "check", url) as process:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(1) == b"G"
                process.signal(signal.SIGINT)
                done = process.end()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].startswith("checking ")
    assert [line for line in done.stderr.splitlines()[2:] if line] == ["interrupted"]
    assert left_behind(folder) == before


def test_a_reader_that_goes_away_changes_no_verdict(folder: Path) -> None:
    with serve(fault="id-as-short-code") as endpoint:
        command = (BIN / "comfy-conformance", "check", "--properties", "0", endpoint.url)
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 1
    assert report(folder)["verdict"] == "non-conformant"


@pytest.mark.parametrize(
    ("typed", "status", "unbuffered"),
    [
        ("embedded 2>&1 | true", 0, ""),
        ("embedded 2> /dev/full", 0, "1"),
        ("embedded 2>&-", 0, ""),
        ("embedded >&- 2>&- <&-", 0, ""),
        (f"{NOWHERE} 2>&1 | true", 10, "1"),
        pytest.param("embedded --jobs 3 2> /dev/full", 4, "", marks=pytest.mark.deep),
        pytest.param("embedded 2>&1 | true", 0, "1", marks=pytest.mark.deep),
        pytest.param("embedded 2> /dev/full", 0, "", marks=pytest.mark.deep),
        pytest.param("embedded 2>&-", 0, "1", marks=pytest.mark.deep),
        pytest.param("embedded >&- 2>&- <&-", 0, "1", marks=pytest.mark.deep),
        pytest.param(f"{NOWHERE} 2>&1 | true", 10, "", marks=pytest.mark.deep),
        pytest.param("embedded --jobs 3 2> /dev/full", 4, "1", marks=pytest.mark.deep),
    ],
)
def test_nobody_to_talk_to_changes_no_status(folder: Path, typed: str, status: int, unbuffered: str) -> None:
    """1 would say that the server is broken."""
    command = f'set -o pipefail; "{BIN / "comfy-conformance"}" check --properties 0 --target {typed}'
    assert run(folder, "/bin/bash", "-c", command, PYTHONUNBUFFERED=unbuffered).returncode == status


@pytest.mark.parametrize("typed", ["clauses", "--help", "check --target embedded --properties 0"])
def test_a_full_disk_is_one_line_and_4(folder: Path, typed: str) -> None:
    done = run(folder, "/bin/bash", "-c", f'"{BIN / "comfy-conformance"}" {typed} > /dev/full')
    assert done.returncode == 4
    told = "error: standard output cannot be written (No space left on device): redirect it elsewhere"
    assert done.stderr.splitlines()[-1] == told


@pytest.mark.parametrize("wished", [False, True])
def test_an_error_of_the_suite_itself_is_3(monkeypatch: pytest.MonkeyPatch, *, wished: bool) -> None:
    def stumble(*_: object) -> NoReturn:
        message = f"no {KEY}"
        raise LookupError(message)

    monkeypatch.setattr("conformance.run.one_run._run", stumble)
    extra = {"CONFORMANCE_TRACEBACK": "1"} if wished else {}
    result = call("check", NOWHERE, "-q", COMFY_API_KEY=KEY, **extra)
    assert result.exit_code == 3
    assert result.stderr.startswith("internal error: LookupError: no ")
    assert "lease report this" in result.stderr
    assert ("Traceback" in result.stderr) is wished
    assert (len(result.stderr.splitlines()) == 1) is not wished
    assert KEY not in result.output


# --- the key ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["echoes-the-key", "echoes-the-key-in-a-header"])
def test_the_key_stands_nowhere_even_where_the_server_echoes_it(folder: Path, fault: str) -> None:
    with serve(fault=fault) as endpoint:
        result = call("check", endpoint.url, "--api-key-env", "MINE", MINE=KEY, COMFY_API_KEY="another-key")
        assert endpoint.reference.reads > 28
    assert "auth.key-not-echoed" in result.stdout
    assert f"the key in MINE is sent to {endpoint.url} and nowhere else" in result.stderr
    assert KEY not in result.output + left_behind(folder)


def test_a_key_is_not_sent_over_plain_http_and_nothing_else_is(folder: Path) -> None:
    is_refused(call("check", "http://192.0.2.1", COMFY_API_KEY=KEY), "would be sent over plain http")
    assert not (folder / "reports").exists()


def test_a_key_goes_over_plain_http_where_that_is_allowed() -> None:
    result = call("check", "http://nowhere.invalid", "--allow-plain-http-key", COMFY_API_KEY=KEY)
    assert result.exit_code == 10
    assert "the key in COMFY_API_KEY is sent to http://nowhere.invalid" in result.stderr


def test_no_key_is_sent_where_none_is_wished() -> None:
    with serve(variant="key-enforced") as endpoint:
        assert call("check", endpoint.url, "--no-key", COMFY_API_KEY=KEY).exit_code == 10
        assert endpoint.reference.reads == 0
        assert call("check", endpoint.url, COMFY_API_KEY=KEY).exit_code == 0


# --- terminals ----------------------------------------------------------------------------------


def test_progress_and_colours_are_for_terminals() -> None:
    with serve(variant="standing-still") as endpoint:
        here = Path.cwd()
        shown = on_a_terminal(here, "check", endpoint.url, GENERATED)
        plain = on_a_terminal(here, "check", endpoint.url, NO_COLOR="1")
        quiet = on_a_terminal(here, "check", endpoint.url, "-q", NO_COLOR="1")
        piped = command_line(here, "check", endpoint.url)
    assert "request 1 of at most 110: read" in shown
    assert "\033[32mConformant: " in shown
    assert "request 1 of at most 50: read" in plain
    assert "Conformant: " in plain
    assert "\033[32m" not in plain
    assert quiet.startswith("Conformant: ")
    assert "\033" not in quiet + piped.stdout + piped.stderr
    assert "of at most" not in piped.stderr


# --- judge --------------------------------------------------------------------------------------


def test_a_body_is_judged_from_a_file_and_from_standard_input(answer: Path, folder: Path) -> None:
    for result in (call("judge", answer), call("judge", "-", stdin=answer.read_bytes())):
        assert result.exit_code == 0
        assert result.stdout.startswith("Conformant: ")
    assert not (folder / "reports").exists()


def test_a_report_is_written_where_one_is_wished(answer: Path, folder: Path) -> None:
    assert call("judge", answer, "--report-dir", "here").exit_code == 0
    left = json.loads((folder / "here/compliance.json").read_text())
    assert left["run"]["target"] == str(answer)


def test_several_files_are_one_run(answer: Path, folder: Path) -> None:
    broken = folder / "broken.json"
    broken.write_text('{"queue_running": 1, "queue_pending": []}')
    result = call("judge", answer, broken, answer, "--report-dir", "here")
    assert result.exit_code == 1
    left = json.loads((folder / "here/compliance.json").read_text())
    assert len({exchange["id"] for exchange in left["exchanges"]}) == 3
    assert "(broken in 1 of 3 responses)" in result.stdout


def test_a_raw_answer_is_judged_with_the_request_beside_it(answer: Path, folder: Path) -> None:
    body = answer.read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    raw = folder / "answer.http"
    raw.write_bytes(f"{head}Date: Mon, 23 Nov 2026 19:45:05 GMT\r\nCache-Control: no-store\r\n\r\n".encode() + body)
    assert call("judge", raw).exit_code == 0
    raw.with_suffix(".req").write_bytes(b"GET /api/queue HTTP/1.1\r\nHost: x\r\nX-API-Key: sesame-4711\r\n\r\n")
    result = call("judge", raw, "--report-dir", "here")
    assert result.exit_code == 0
    left = (folder / "here/compliance.json").read_text()
    assert json.loads(left)["exchanges"][0]["request"]["method"] == "GET"
    assert "sesame" not in left
    assert call("judge", raw, "--method", "HEAD").exit_code == 10


def test_a_har_file_is_judged_by_its_queue_requests(answer: Path, folder: Path) -> None:
    def entry(path: str, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "startedDateTime": "2026-11-23T19:45:05.000Z",
            "time": 12,
            "request": {"method": "GET", "url": f"https://cloud.comfy.org{path}", "headers": []},
            "response": {
                "status": 200,
                "httpVersion": "HTTP/2",
                "headers": [{"name": "content-type", "value": "application/json"}],
                "content": content,
            },
        }

    text = {"text": base64.b64encode(answer.read_bytes()).decode(), "encoding": "base64", "size": 1}
    har = folder / "session.har"
    har.write_text(json.dumps({"log": {"entries": [entry("/", {"text": "x"}), entry("/api/queue", text)]}}))
    result = call("judge", har, "--report-dir", "here")
    assert result.exit_code == 0, result.output
    assert len(json.loads((folder / "here/compliance.json").read_text())["exchanges"]) == 1


def test_garbage_is_judged_and_breaks_nothing_of_ours(folder: Path) -> None:
    (folder / "garbage").write_bytes(bytes(range(256)) * 4)
    result = call("judge", "garbage")
    assert result.exit_code == 1
    assert "json." in result.stdout
    assert result.stderr == ""


# --- serve --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_and_ends_when_it_is_told_to(folder: Path, number: signal.Signals) -> None:
    with started(folder, "comfy-conformance", "serve", "--port", "0", "--fault", "seconds") as process:
        line = process.err.readline()
        url = line.removeprefix("serving ").partition(";")[0]
        assert httpx.get(url).json()["queue_running"][0][4]["create_time"] < 1e11
        process.signal(number)
        done = process.end()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_serve_lists_every_variant_and_every_fault() -> None:
    result = call("serve", "--list")
    assert result.exit_code == 0
    names = [line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")]
    assert names == [*VARIANTS, *HOSTILE, *FAULTS]


def test_serve_serves_a_hostile_endpoint_and_knows_no_other() -> None:
    result = call("serve", "--hostile", "gzip-bom")
    assert result.exit_code == 4
    assert "did you mean gzip-bomb?" in result.stderr


# --- clauses --------------------------------------------------------------------------------------


def test_the_catalogue_is_printed_as_table_markdown_and_json() -> None:
    table = call("clauses")
    assert [line.split()[0] for line in table.stdout.splitlines()] == [clause.id for clause in CATALOGUE]
    listed = json.loads(call("clauses", "--format", "json").stdout)
    assert len(listed) == len(CATALOGUE)
    markdown = call("clauses", "--format", "markdown").stdout
    assert all(f"`{clause.id}`" in markdown for clause in CATALOGUE)


def test_a_clause_is_shown_in_full() -> None:
    for clause in CATALOGUE:
        result = call("clauses", clause.id)
        assert result.exit_code == 0
        assert clause.title in result.stdout


def test_a_part_of_an_id_or_a_pattern_lists_the_clauses_that_match() -> None:
    def listed(name: str) -> list[str]:
        result = call("clauses", name)
        assert result.exit_code == 0
        return [line.split()[0] for line in result.stdout.splitlines()]

    assert listed("prompt-id") == [clause.id for clause in CATALOGUE if "prompt-id" in clause.id]
    assert listed("item.*") == [clause.id for clause in CATALOGUE if clause.subject == "item"]
    assert call("clauses", "prompt-id.uu").stdout == call("clauses", "item.prompt-id.uuid").stdout
    found = json.loads(call("clauses", "item.prompt-id.uuid", "--format", "json").stdout)
    assert [clause["id"] for clause in found] == ["item.prompt-id.uuid"]
