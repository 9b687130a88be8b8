"""``check --all``: many targets, one overview, and no key at a target that does not name it."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from conformance.fleet.results import RESULTS, Results, endpoints, pack_report, report_of
from conformance.fleet.tally import FleetTally
from conformance.judge.report import Report
from conformance.reference.many import serve_many
from conformance.reference.server import serve
from conformance.run.one_run import check
from conformance.run.settings import Settings
from helpers import cli_runner
from helpers.cli_runner import is_refused
from helpers.commands import NOWHERE, TIMEOUT, on_a_terminal, started
from helpers.fleet_samples import HEADER, MILLISECONDS, broken, kept
from helpers.servers import listening, saying

KEYS = {"A_KEY": "k3yCanaryOfA-Qz81Vm40", "B_KEY": "k3yCanaryOfB-Hx52Bn93", "COMFY_API_KEY": "k3yCanaryOfNobody-77Wd"}
FAST = ("--properties", "0", "--workers", "1")
REST = Path("reports/latest")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Keep servers up until the test ends."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    with serve_many([None, "seconds"]) as server:
        return [check(Settings(target=f"{server.url}/{number}")) for number in (0, 1)]


def named(**targets: str) -> None:
    """Write targets.toml: a URL for each name, and other lines below it."""
    text = "".join(f'[[target]]\nname = "{name}"\nurl = "{lines}\n' for name, lines in targets.items())
    Path("targets.toml").write_text(text, encoding="utf-8")


def call(*arguments: str | Path, stdin: str = "", **extra: str) -> Result:
    """Call ``check --all`` within this process."""
    return cli_runner.call("check", "--all", *arguments, stdin=stdin, **extra)


def left(directory: Path = REST) -> dict[str, dict[str, Any]]:
    """Return the lines of results.jsonl that are about targets, by name."""
    lines = [json.loads(line) for line in (directory / RESULTS).read_text(encoding="utf-8").splitlines()]
    return {line["name"]: line for line in lines if line["kind"] == "endpoint"}


# What a run leaves


def test_each_target_has_pages_and_one_overview_shows_all(stack: ExitStack) -> None:
    bad = stack.enter_context(serve(fault="id-as-short-code"))
    named(bad=f'{bad.url}"\nfail-on-should = true', nowhere=f'{NOWHERE}"')
    result = call(*FAST, "--format", "ctrf")
    assert result.exit_code == 1, result.stderr
    *digest, headline, overview = result.stdout.splitlines()
    assert digest[1:5] == [
        "  Broken now: 1: bad",
        "  Newly broken, fixed: unknown, because no target has a history (--history FILE)",
        "  Not reached: 1: nowhere",
        "  Waivers that expire within 14 days: 0",
    ]
    assert digest[5] == "1 target broken: bad"
    assert digest[6].startswith("    item.prompt-id.uuid: ")
    assert "1 target not reached: nowhere" in digest
    assert headline == "2 targets: 1 non-conformant (bad), 1 inconclusive (nowhere)"
    assert overview == "overview: reports/latest/index.html"
    assert result.stderr.startswith(f"bad: checking {bad.url}/api/queue (about ")
    found = left()
    assert {name: (line["outcome"], line["exit"]) for name, line in found.items()} == {
        "bad": ("non-conformant", 1),
        "nowhere": ("inconclusive", 10),
    }
    for name, line in found.items():
        page = REST / line["report"]
        report = json.loads(page.with_name("compliance.json").read_text("utf-8"))
        assert (page, page.exists()) == (REST / name / "index.html", True)
        assert page.with_name("ctrf.json").exists()
        assert (report["run"]["target"], report["verdict"]) == (line["target"], line["outcome"])
    summary = (REST / "summary.md").read_text("utf-8")
    assert summary.index("**bad**") < summary.index("**nowhere**")
    assert 'href="bad/index.html"' in (REST / "index.html").read_text("utf-8")


def test_reports_of_earlier_runs_are_named_and_kept() -> None:
    cli_runner.call("check", NOWHERE, "-q", "--properties", "0")
    named(gone=f'{NOWHERE}"', stays=f'{NOWHERE}"')
    call(*FAST, "-q")
    (REST / "mine").mkdir()
    (REST / "mine/compliance.json").write_text("{}", "utf-8")
    (REST / "gone/notes.txt").write_text("mine", "utf-8")
    named(stays=f'{NOWHERE}"', new=f'{NOWHERE}"')
    told = "Reports of an earlier run, not included here: compliance.json, gone/"
    assert f"\n{told}\n" in call(*FAST).stdout
    for name in ("index.html", "summary.md"):
        assert told in (REST / name).read_text("utf-8")
    assert {path.name for path in (REST / "gone").iterdir()} >= {"compliance.json", "index.html", "notes.txt"}
    assert told in call(*FAST).stdout  # as long as they are there
    assert "earlier run" not in call(*FAST, "--report-dir", "elsewhere").stdout


def test_targets_of_standard_input_are_checked_shown_and_not_checked_again() -> None:
    with serve_many([None, "seconds"]) as server:
        listed = f"url,name\n{server.url}/0,good\n{server.url}/1,bad\n{NOWHERE},dark\n"
        done = call("-", *FAST, "--report-dir", "out", stdin=listed)
    whole = "3 targets: 1 non-conformant (bad), 1 inconclusive (dark), 1 conformant"
    assert (done.exit_code, done.stdout.splitlines()[-2:]) == (1, [whole, "overview: out/index.html"])
    assert done.stderr.endswith("checking 3 targets, up to 8 at a time, by up to 1 process\n")
    assert not Path("out/bad").exists()
    shown = cli_runner.call("publish", "report", "out", "--endpoint", "bad")
    assert shown.exit_code == 1
    assert "Non-conformant: 1 must clause broken: item.create-time.milliseconds" in shown.stdout
    report = json.loads(Path("out/endpoint/compliance.json").read_text(encoding="utf-8"))
    assert report["run"]["target"] == f"{server.url}/1"
    again = call("-", "--resume", "--quiet", *FAST, "--report-dir", "out", stdin=listed)  # the server is gone
    assert (again.exit_code, again.stdout, again.stderr) == (1, f"{whole}\n", "")


def test_generated_requests_are_sent_to_each_target_as_check_sends_them() -> None:
    named(ref='embedded"\nseed = 7')
    assert call("--workers", "1", "-q").exit_code == 0
    (line,) = endpoints(REST)
    run = report_of(REST, line).run
    assert run.options["properties"] == 60
    assert run.options["seed"] == 7
    cli_runner.call("check", "--target", "embedded", "--seed", "7", "-q", "--report-dir", "one")
    alone = json.loads(Path("one/compliance.json").read_text("utf-8"))
    assert line.requests == len(alone["exchanges"]) > 60


def test_what_is_typed_outweighs_the_file_and_what_is_not_does_not() -> None:
    named(ref=f'{NOWHERE}"\ndialect = "oss"\nmax-requests = 49')
    assert call(*FAST, "--dialect", "cloud", "--report-dir", "here", "-q").exit_code == 10
    run = json.loads(Path("here/ref/compliance.json").read_text("utf-8"))["run"]
    assert (run["dialect"], run["options"]["max_requests"]) == ("cloud", 49)


def test_only_the_targets_that_are_named_are_asked() -> None:
    named(a=f'{NOWHERE}"', b=f'{NOWHERE}"')
    assert call("targets.toml", *FAST, "--only", "b", "-q").exit_code == 10
    assert {name: line["outcome"] for name, line in left().items()} == {"b": "inconclusive"}


def test_the_runs_are_kept_in_the_history_and_their_reports_show_it() -> None:
    named(a=f'{NOWHERE}"')
    for number in (1, 2):
        assert call(*FAST, "-q", "--history", "h.db").exit_code == 10
        assert left()["a"]["nights"] == number
    report = json.loads((REST / "a/compliance.json").read_text("utf-8"))
    assert report["history"]["total"] == 2
    night = cli_runner.call("nightly", REST, "--history", "h.db", "--targets", "targets.toml")
    assert "(2 nights)" in night.stdout


# Keys


def test_no_key_reaches_another_target_or_is_written(stack: ExitStack, folder: Path) -> None:
    body = b'{"queue_running": [], "queue_pending": []}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    heard: dict[str, list[bytes]] = {"a": [], "b": [], "open": []}
    ports = {name: stack.enter_context(listening(saying(lambda _: answer, heads))) for name, heads in heard.items()}
    named(
        a=f'http://127.0.0.1:{ports["a"]}"\napi-key-env = "A_KEY"',
        b=f'http://127.0.0.1:{ports["b"]}"\nheader = ["Authorization=B_KEY"]',
        open=f'http://127.0.0.1:{ports["open"]}"',
    )
    result = call(*FAST, **KEYS)
    assert f"a: the key in A_KEY is sent to http://127.0.0.1:{ports['a']} and nowhere else" in result.stderr
    assert "COMFY_API_KEY is set but not sent: no target has api-key-env" in result.stderr
    received = {
        name: {key for key, value in KEYS.items() if value.encode() in b"".join(heads)} for name, heads in heard.items()
    }
    assert received == {"a": {"A_KEY"}, "b": {"B_KEY"}, "open": set()}
    assert all(len(heads) > 10 for heads in heard.values())
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()) + result.output.encode()
    written += "".join(str(report_of(REST, line)) for line in endpoints(REST)).encode()
    assert not [key for key in KEYS.values() if key.encode() in written]


# How it ends


def test_ctrl_c_keeps_what_is_finished_and_asks_no_more(stack: ExitStack, folder: Path) -> None:
    silent = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
    named(
        done=f'{NOWHERE}"',
        **{f"t{number}": f'http://127.0.0.1:{each.getsockname()[1]}"' for number, each in enumerate(silent)},
    )
    with started(folder, "comfy-conformance", "check", "--all", *FAST) as process:
        asked = []
        for each in silent:
            each.settimeout(TIMEOUT)
            asked.append(stack.enter_context(each.accept()[0]))
            assert asked[-1].recv(1) == b"G"
        process.signal(signal.SIGINT)
        done = process.end()
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("stopped: it was interrupted; ")
    assert done.stderr.endswith(" of 3 targets have results in reports/latest; continue with --resume\n")
    for each in asked:
        each.settimeout(TIMEOUT)
        while each.recv(4096):  # what was asked, and then nothing more: the process is gone
            pass
    assert "the run stopped early" in (REST / "index.html").read_text("utf-8")


def test_a_run_that_did_not_end_is_not_begun_anew_by_mistake() -> None:
    named(a=f'{NOWHERE}"')
    with Results.begin(REST, HEADER):
        pass
    is_refused(call(), "continue with --resume, or start again with --fresh")


def test_what_the_disk_does_not_take_stops_the_run_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Results, "add", full)
    named(a=f'{NOWHERE}"')
    done = call(*FAST)
    assert done.exit_code == 3
    kept_ = "0 of 1 targets have results in reports/latest; continue with --resume"
    assert done.stderr.splitlines()[-1] == f"stopped: the results cannot be written: No space left on device; {kept_}"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--all", "missing.toml"], "missing.toml cannot be read (No such file or directory): give the name of your"),
        (["--all", "--only", "rev"], "targets.toml has no target 'rev': did you mean ref?"),
        (["--all", "--parallel", "0"], "0 is not in the range x>=1"),
        (["--all", "targets.toml", NOWHERE], "with --all, SOURCE names the targets: leave out the URL"),
        (["--all", "--target", NOWHERE], "--target applies to one target: with --all, write it into targets.toml"),
        (["--all", "--api-key-env", "A"], "--api-key-env applies to one target"),
        (["--all", "--header", "A=B"], "--header applies to one target"),
        (["--all", "--report-dir", "targets.toml"], "choose another with --report-dir"),
        (["--all", "unset.toml"], "target 'x': --api-key-env names A_KEY, which is not set"),
        (["--all", "--deadline", "-1"], "target 'ref': --deadline must be a number above 0"),
        (["--all", "--populate"], "--populate applies to one target"),
        (["--all", "--yes"], "--yes applies to one target"),
        (
            ["--all", "writes.toml"],
            "populate is for runs that change the server, which --all does not support: check 'w'",
        ),
        (["--all", "--resume", "--fresh"], "--resume and --fresh contradict each other"),
        (["--all", "--scheduler", "tcp://127.0.0.1:1", "--workers", "2"], "--workers is for processes on this machine"),
        (["--all", "--scheduler", "tcp://127.0.0.1:1", "--isolate"], "--isolate is for processes on this machine"),
        (["--all", "alone.toml", "--scheduler", "tcp://127.0.0.1:1"], "isolate is for processes on this machine"),
        (["--all", "--part", "16/16"], "--part must be I/N, counted from 0"),
        (["--all", "--parallel", "500", "--rate", "5"], "requests per second are left for each check"),
        (["--all", "--rate", "0"], "0.0 is not in the range x>0"),
        (["--all", "--dialect", "both"], "'both' is not one of 'cloud', 'oss', 'auto'"),
        (["--all", "--ca-bundle", "nowhere.pem"], "targets.toml, [[target]] 1: target 'ref': --ca-bundle nowhere.pem"),
        (
            ["--all", "--history", "targets.toml"],
            "the history targets.toml is not an SQLite database: name another file",
        ),
        (["--all", "-"], "standard input has no target"),
        (["--only", "ref"], "--only is for many targets: add --all"),
        (["--parallel", "2", NOWHERE], "--parallel is for many targets: add --all"),
        (["--resume", NOWHERE], "--resume is for many targets: add --all"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_is_one_line_and_4_before_anything_is_sent(typed: list[str], told: str) -> None:
    named(ref='embedded"')
    for name, more in (("writes", "populate = true\nyes = true"), ("alone", "isolate = true")):
        Path(f"{name}.toml").write_text(f'[[target]]\nname = "w"\nurl = "http://t.example"\n{more}', "utf-8")
    Path("unset.toml").write_text('[[target]]\nname = "x"\nurl = "http://127.0.0.1:1"\napi-key-env = "A_KEY"', "utf-8")
    result = cli_runner.call("check", *typed)
    is_refused(result, told)
    assert not Path("reports").exists()


def test_a_scheduler_needs_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.cli.check_all.find_spec", lambda _: None)
    named(ref='embedded"')
    is_refused(call("--scheduler", "tcp://127.0.0.1:1"), "pip install 'comfy-queue-conformance[fleet]'")


def test_progress_is_for_terminals(folder: Path) -> None:
    named(a=f'{NOWHERE}"', b=f'{NOWHERE}"')
    assert "2 of 2, 2 not conformant, " in on_a_terminal(folder, "check", "--all", *FAST)


# What `publish report` makes of it


def test_a_target_is_shown_by_name_or_url_with_the_status_of_its_own_run(reports: list[Report]) -> None:
    with Results.begin(Path("out"), HEADER) as results:
        results.add(kept("good", target="http://127.0.0.1:1/good"), pack_report(reports[0]))
        results.add(broken("bad", MILLISECONDS), pack_report(reports[1]))
        results.add(kept("unkept"), None)
    show = ("publish", "report", "out", "--endpoint")
    assert cli_runner.call(*show, "http://127.0.0.1:1/good", "--quiet").exit_code == 0
    assert cli_runner.call(*show, "bad", "--report-dir", "here").exit_code == 1
    assert Path("here/index.html").exists()
    assert Path("out/endpoint/index.html").exists()
    is_refused(cli_runner.call(*show, "god"), "no endpoint 'god' in out: did you mean good?")
    is_refused(cli_runner.call(*show, "unkept"), "the report of 'unkept' was not kept")


def test_the_overview_of_parts_is_one_and_says_whether_all_of_them_ended() -> None:
    for name, lines in (("a", [kept("1")]), ("b", [broken("2", MILLISECONDS)])):
        with Results.begin(Path(name), HEADER) as results:
            for line in lines:
                results.add(line, None)
            if name == "a":
                results.write(FleetTally(lines).footer("2026-02-03T02:10:00.000Z"))
    done = cli_runner.call("publish", "report", "a", "b", "--report-dir", "both", "--quiet")
    assert (done.exit_code, done.stdout) == (1, "2 targets: 1 non-conformant (2), 1 conformant\n")
    assert "stopped early" in Path("both/index.html").read_text(encoding="utf-8")
    assert cli_runner.call("publish", "report", "a", "--quiet").exit_code == 0


def test_a_directory_without_results_is_refused() -> None:
    told = "nowhere/results.jsonl cannot be read (No such file or directory): name the report directory"
    is_refused(cli_runner.call("publish", "report", "nowhere"), told)
