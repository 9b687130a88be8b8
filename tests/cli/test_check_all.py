"""``check --all``: many targets, each by itself, one overview, and nobody's key with anybody else."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from conformance.history.overview import TargetResult, overview
from conformance.reference.server import serve
from conformance.render.overview import headline, render_markdown
from conformance.spec.document import DOCUMENT_SHA256
from helpers import cli_runner
from helpers.commands import NOWHERE, TIMEOUT, on_a_terminal, started
from helpers.servers import listening, saying

KEYS = {"A_KEY": "k3yCanaryOfA-Qz81Vm40", "B_KEY": "k3yCanaryOfB-Hx52Bn93", "COMFY_API_KEY": "k3yCanaryOfNobody-77Wd"}


@pytest.fixture
def endpoints() -> Iterator[ExitStack]:
    """Keep endpoints up until the test ends."""
    with ExitStack() as stack:
        yield stack


def named(**targets: str) -> None:
    """Write targets.toml: a URL for each name, and other lines below it."""
    text = "".join(f'[[target]]\nname = "{name}"\nurl = "{lines}\n' for name, lines in targets.items())
    Path("targets.toml").write_text(text, encoding="utf-8")


def call(*arguments: str | Path, **extra: str) -> Result:
    """Call ``check --all`` within this process."""
    return cli_runner.call("check", "--all", *arguments, **extra)


def left(directory: str = "reports/latest") -> dict[str, Any]:
    """Return the overview that was left."""
    found: dict[str, Any] = json.loads(Path(directory, "overview.json").read_text(encoding="utf-8"))
    return found


# What comes out


def test_each_target_has_a_report_and_one_overview_tells_of_all(endpoints: ExitStack) -> None:
    good, bad = endpoints.enter_context(serve()), endpoints.enter_context(serve(fault="id-as-short-code"))
    named(good=f'{good.url}"', bad=f'{bad.url}"', nowhere=f'{NOWHERE}"')
    result = call()
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-2:] == [
        "3 targets: 1 non-conformant (bad), 1 inconclusive (nowhere), 1 conformant",
        "overview: reports/latest/index.html",
    ]
    assert "bad: non-conformant: 1 must clause broken: item.prompt-id.uuid" in result.stdout
    assert result.stderr.startswith(f"good: asking {good.url} for /api/queue")
    found = left()
    assert found["document_sha256"] == DOCUMENT_SHA256
    assert found["counts"] == {"non-conformant": 1, "error": 0, "inconclusive": 1, "conformant": 1}
    assert [(one["name"], one["outcome"], one["exit"]) for one in found["targets"]] == [
        ("good", "conformant", 0),
        ("bad", "non-conformant", 1),
        ("nowhere", "inconclusive", 10),
    ]
    for one in found["targets"]:
        page = Path("reports/latest", one["report"])
        report = json.loads(page.with_name("compliance.json").read_text("utf-8"))
        assert page.exists()
        assert (report["run"]["target"], report["verdict"]) == (one["target"], one["outcome"])
    assert found["targets"][1]["broken"][0]["id"] == "item.prompt-id.uuid"
    summary = Path("reports/latest/summary.md").read_text("utf-8")
    assert summary.index("**bad**") < summary.index("**nowhere**") < summary.index("**good**")


def test_quiet_is_one_line() -> None:
    named(ref='embedded"', nowhere=f'{NOWHERE}"')
    result = call("--quiet")
    assert result.output == "2 targets: 1 inconclusive (nowhere), 1 conformant\n"


def test_what_is_typed_outweighs_the_file_and_what_is_not_does_not() -> None:
    named(ref='embedded"\ndialect = "oss"\nmax-requests = 49')
    assert call("--dialect", "cloud", "--report-dir", "here", "-q").exit_code == 0
    run = json.loads(Path("here/ref/compliance.json").read_text("utf-8"))["run"]
    assert (run["dialect"], run["options"]["max_requests"]) == ("cloud", 49)


def test_only_those_that_are_named_are_asked() -> None:
    named(ref='embedded"', nowhere=f'{NOWHERE}"')
    assert call("targets.toml", "--only", "ref", "-q").exit_code == 0
    assert [one["name"] for one in left()["targets"]] == ["ref"]


def test_a_run_that_may_be_inconclusive_ends_with_0_and_says_what_it_is(endpoints: ExitStack) -> None:
    idle = endpoints.enter_context(serve(variant="empty-queue"))
    named(idle=f'{idle.url}"\ninconclusive-ok = true')
    assert call("-q").exit_code == 0
    assert left()["outcome"] == "inconclusive"


def result_of(name: str, outcome: Any, status: int, **more: Any) -> TargetResult:
    """Return what a target came to."""
    told = {"reason": "r", **more}
    return TargetResult(name=name, target="http://t", dialect="cloud", outcome=outcome, exit=status, **told)


@pytest.mark.parametrize(
    ("statuses", "worst"), [([0, 0], 0), ([0, 10], 10), ([10, 4, 0], 4), ([4, 3, 10], 3), ([3, 4, 10, 0, 1], 1)]
)
def test_the_status_is_the_worst_of_all(statuses: list[int], worst: int) -> None:
    found = [result_of(f"t{number}", "conformant", status) for number, status in enumerate(statuses)]
    assert overview(found, start="", end="").exit == worst


def test_hundreds_of_targets_make_a_short_line_and_a_short_summary() -> None:
    found = [result_of(f"t{number}", "inconclusive", 10) for number in range(300)]
    whole = overview(found, start="", end="")
    assert headline(whole) == "300 targets: 300 inconclusive (t0, t1, t2, t3, t4, …)"
    assert render_markdown(whole).endswith("… 250 more targets in `index.html`.\n")


def test_what_a_server_said_acts_nowhere_in_the_summary() -> None:
    reason = "x @everyone <b> | `c` ::error::y"
    found = result_of("t", "inconclusive", 10, reason=reason)
    text = render_markdown(overview([found], start="", end=""))
    assert r"X `@`everyone \<b\> \| \`c\`" in text
    assert "::error::" not in text


# Keys


def test_no_key_crosses_to_another_target_or_stands_anywhere(endpoints: ExitStack, folder: Path) -> None:
    body = b'{"queue_running": [], "queue_pending": []}'
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    heard: dict[str, list[bytes]] = {"a": [], "b": [], "open": []}
    ports = {name: endpoints.enter_context(listening(saying(lambda _: answer, heads))) for name, heads in heard.items()}
    named(
        a=f'http://127.0.0.1:{ports["a"]}"\napi-key-env = "A_KEY"',
        b=f'http://127.0.0.1:{ports["b"]}"\nheader = ["Authorization=B_KEY"]',
        open=f'http://127.0.0.1:{ports["open"]}"',
    )
    result = call(**KEYS)
    assert f"a: the key in A_KEY is sent to http://127.0.0.1:{ports['a']} and to nobody else" in result.stderr
    assert "COMFY_API_KEY is set and sent to nobody: no target says api-key-env" in result.stderr
    received = {
        name: {key for key, value in KEYS.items() if value.encode() in b"".join(heads)} for name, heads in heard.items()
    }
    assert received == {"a": {"A_KEY"}, "b": {"B_KEY"}, "open": set()}
    assert all(len(heads) > 10 for heads in heard.values())
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()) + result.output.encode()
    assert not [key for key in KEYS.values() if key.encode() in written]


def test_a_run_of_its_own_sees_no_key_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = (
        "import os, sys; sys.exit(' '.join(sorted(n for n in os.environ if n in ('A_KEY', 'B_KEY', 'COMFY_API_KEY'))))"
    )
    monkeypatch.setattr("conformance.run.many._PROGRAM", seen)
    named(a='embedded"\napi-key-env = "A_KEY"', b='embedded"\napi-key-env = "B_KEY"', open='embedded"')
    call(**KEYS)
    reasons = {one["name"]: one["reason"].partition(": ")[2] for one in left()["targets"]}
    assert reasons == {"a": "A_KEY", "b": "B_KEY", "open": ""}


# What goes wrong


CRASHES = {
    "signal": ("import os; os.kill(os.getpid(), 9)", "its run was ended by signal 9", 3),
    "python": ("raise SystemError('broken')", "its run ended with status 1: SystemError: broken", 3),
    "internal": ("print('internal error: X', file=sys.stderr); sys.exit(3)", "status 3: internal error: X", 3),
    "usage": ("print('error: no', file=sys.stderr); sys.exit(4)", "its run ended with status 4: error: no", 4),
    "no-report": ("sys.exit(0)", "its run ended with status 0", 3),
}
"""By the name of a target: the program of its run, the reason that the overview has for it, and the status."""
CRASHING = f"""
import sys
from pathlib import PurePath
programs = {{name: program for name, (program, *_) in {CRASHES!r}.items()}}
(place,) = (each for each in sys.argv if each.startswith("--report-dir="))
exec(programs.get(PurePath(place).name, "from conformance.cli import main; main()"))
"""


def test_crashes_are_told_and_others_are_judged(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    named(ref='embedded"')
    assert call("-q").exit_code == 0
    for name in CRASHES:  # a report from before is none of this run
        shutil.copytree(folder / "reports/latest/ref", folder / "reports/latest" / name)
    named(ref='embedded"', **dict.fromkeys(CRASHES, 'embedded"'))
    monkeypatch.setattr("conformance.run.many._PROGRAM", CRASHING)
    result = call()
    assert result.exit_code == 3
    ref, *doomed = left()["targets"]
    assert ref["outcome"] == "conformant"
    for found, (_, why, status) in zip(doomed, CRASHES.values(), strict=True):
        assert (found["outcome"], found["exit"], found["report"]) == ("error", status, None)
        assert found["reason"].endswith(why)
    told = "6 targets: 5 error (signal, python, internal, usage, no-report), 1 conformant"
    assert result.stdout.splitlines()[-2] == told


def test_what_a_run_has_to_say_at_once_is_said_with_the_name_of_its_target(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "import sys; print('left in the queue: a job\\x1b[2J', file=sys.stderr)"
    monkeypatch.setattr("conformance.run.many._PROGRAM", f"{said}\nfrom conformance.cli import main; main()")
    named(ref='embedded"')
    result = call("-q")
    assert (result.exit_code, result.stderr) == (0, "ref: left in the queue: a job\\u001b[2J\n")


def test_a_run_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.run.many.GRACE", -119.5)
    monkeypatch.setattr("conformance.run.many._PROGRAM", "import time; time.sleep(100)")
    named(ref='embedded"')
    assert call("-q").exit_code == 3
    assert left()["targets"][0]["reason"] == "its run did not end within 0 s and was stopped"


def test_ctrl_c_ends_all_runs_and_leaves_the_earlier_overview(endpoints: ExitStack, folder: Path) -> None:
    named(ref='embedded"')
    assert call("-q").exit_code == 0
    before = left()
    silent = [endpoints.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
    named(**{f"t{number}": f'http://127.0.0.1:{each.getsockname()[1]}"' for number, each in enumerate(silent)})
    with started(folder, "comfy-conformance", "check", "--all") as process:
        asked = []
        for each in silent:
            each.settimeout(TIMEOUT)
            asked.append(endpoints.enter_context(each.accept()[0]))
            assert asked[-1].recv(1) == b"G"
        process.signal(signal.SIGINT)
        done = process.end()
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "interrupted"
    assert "Traceback" not in done.stderr
    for each in asked:
        each.settimeout(TIMEOUT)
        while each.recv(4096):  # what was asked, and then nothing more: who asked is gone
            pass
    assert left() == before


# What was typed wrong


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--all", "missing.toml"], "missing.toml cannot be read (No such file or directory)"),
        (["--all", "--only", "rev"], "targets.toml names no target 'rev': did you mean ref?"),
        (["--all", "--parallel", "0"], "0 is not in the range x>=1"),
        (["--all", "targets.toml", NOWHERE], "--all FILE names the targets: leave out the URL"),
        (["--all", "--target", NOWHERE], "--target belongs to one target: with --all write it into targets.toml"),
        (["--all", "--api-key-env", "A"], "--api-key-env belongs to one target"),
        (["--all", "--header", "A=B"], "--header belongs to one target"),
        (["--all", "--report-dir", "targets.toml"], "choose another with --report-dir"),
        (["--all", "unset.toml"], "target 'x': --api-key-env names A_KEY, which is not set"),
        (["--all", "--deadline", "-1"], "target 'ref': --deadline must be a number above 0"),
        (["--all", "--populate"], "--populate belongs to one target"),
        (["--all", "--yes"], "--yes belongs to one target"),
        (
            ["--all", "writes.toml"],
            "target 'w': this run writes to t.example: 8 jobs, which can cost credits: say yes = true",
        ),
        (["--only", "ref"], "--only is for many targets: add --all"),
        (["--parallel", "2", NOWHERE], "--parallel is for many targets: add --all"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_was_typed_wrong_is_one_line_and_4_before_anything_is_sent(typed: list[str], told: str) -> None:
    named(ref='embedded"')
    Path("writes.toml").write_text('[[target]]\nname = "w"\nurl = "http://t.example"\npopulate = true', "utf-8")
    Path("unset.toml").write_text('[[target]]\nname = "x"\nurl = "http://127.0.0.1:1"\napi-key-env = "A_KEY"', "utf-8")
    result = cli_runner.call("check", *typed)
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert told in line
    assert not Path("reports").exists()


def test_progress_is_for_terminals(folder: Path) -> None:
    named(ref='embedded"', nowhere=f'{NOWHERE}"')
    shown = on_a_terminal(folder, "check", "--all", "--parallel", "1")
    assert "1 of 2 ended; running: nowhere" in shown
    assert "1 at a time" in shown
    assert "ended" not in on_a_terminal(folder, "check", "--all", "--only", "nowhere", "-q")
    assert "ended" not in call("--only", "nowhere").output
