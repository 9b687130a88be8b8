"""Load by the real Locust, as its users type it: alone, with workers, by the locustfile, stopped in the middle."""

from __future__ import annotations

import csv
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.judge.report import Status, Verdict
from conformance.reference.server import Endpoint, serve
from helpers.boards import when_full
from helpers.commands import command_line
from helpers.locust_runs import COMMAND, ENVIRONMENT, answered, load, load_for_a_moment, load_until, report_in
from helpers.profiles import one_in


def with_workers() -> tuple[str, ...]:
    """Return what makes Locust start two workers, whose master has a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return ("--", "--processes=2", f"--master-bind-port={port}", f"--master-port={port}")


def own_jobs_in(endpoint: Endpoint) -> int:
    board = endpoint.reference.board
    assert board is not None
    return len(board.running) + len(board.pending)


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_a_breach_is_a_failure_by_its_clause_in_locusts_table_and_in_our_report(tmp_path: Path) -> None:
    with serve(fault="seconds") as endpoint:
        done = load_for_a_moment(endpoint.url, "--users=3", f"--report-dir={tmp_path}")
    assert done.returncode == 1, done.stderr
    report = report_in(tmp_path)
    result = report.clause("item.create-time.milliseconds")
    assert report.load is not None
    assert result.breached == result.judged == report.load.requests > 0
    assert result.under_load is not None
    failures = re.findall(r"^(\d+) +GET /api/queue: ([a-z.-]+) \(must: ", done.stdout + done.stderr, re.MULTILINE)
    assert failures == [(str(result.breached), "item.create-time.milliseconds")]
    assert "sending" in done.stderr
    assert "nothing that writes" in done.stderr


@pytest.mark.deep
def test_workers_add_up_to_what_locust_counts(tmp_path: Path) -> None:
    with serve() as endpoint:
        typed = ("--users=4", f"--report-dir={tmp_path}", *with_workers(), f"--csv={tmp_path}/l")
        done = load_for_a_moment(endpoint.url, *typed)
    assert done.returncode == 0, done.stderr
    report = report_in(tmp_path)
    assert report.load is not None
    assert report.load.requests == int(rows(tmp_path / "l_stats.csv")[-1]["Request Count"]) > 0
    assert report.verdict is Verdict.CONFORMANT


def test_the_locustfile_serves_those_who_have_locust(tmp_path: Path) -> None:
    """Also if it takes longer to import than the run lasts: the run begins afterwards."""
    own = tmp_path / "locustfile.py"
    own.write_text(
        "import time\nfrom gevent import monkey\nmonkey.get_original('time', 'sleep')(1.1)\n"
        "from conformance.load.locustfile import QueueUser\n"
        "class Mine(QueueUser):\n    fixed_count = 1\n"
        "class Theirs(QueueUser):\n    abstract = True\n"
    )
    assert load("--locustfile").stdout.strip().endswith("locustfile.py")
    with serve() as endpoint:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "locust",
                "-f",
                own,
                "--headless",
                "-u1",
                "-t1s",
                "-H",
                endpoint.url,
                f"--report-dir={tmp_path}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=ENVIRONMENT,
        )
    assert report_in(tmp_path).verdict_reason.startswith("no must clause broken")
    assert done.returncode == 0, done.stderr


def test_a_run_that_is_stopped_tells_what_it_has_and_certifies_nothing(tmp_path: Path) -> None:
    with (
        serve() as endpoint,
        subprocess.Popen(
            [sys.executable, "-c", COMMAND, endpoint.url, "--users=1", "--duration=60", f"--report-dir={tmp_path}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        ) as run,
    ):
        assert run.stderr is not None
        for line in run.stderr:
            if "All users spawned" in line:
                run.send_signal(signal.SIGINT)
                break
        told = run.stderr.read()
        assert run.wait(60) == 10, told
    assert "Traceback" not in told
    assert report_in(tmp_path).run.partial
    assert "the run was stopped before its end" in report_in(tmp_path).verdict_reason


# --- with jobs --------------------------------------------------------------------------------------------------------


MORE = pytest.mark.parametrize(
    "more", [tuple, pytest.param(with_workers, marks=pytest.mark.deep)], ids=["alone", "with workers"]
)


@MORE
def test_jobs_are_brought_judged_and_removed(tmp_path: Path, more: Callable[[], tuple[str, ...]]) -> None:
    with serve(variant="takes-jobs") as endpoint:
        typed = (
            endpoint.url,
            "--populate",
            "--users=4",
            "--duration=4",
            "--rate-limit=80",
            f"--report-dir={tmp_path}",
            *more(),
        )
        done = load(*typed)
        assert own_jobs_in(endpoint) == 0
    assert done.returncode == 0, done.stderr
    report = report_in(tmp_path)
    assert report.jobs is not None
    assert report.jobs.submitted == report.jobs.taken >= 4
    assert report.jobs.left == ()
    assert report.clause("lifecycle.listed").status is Status.PASS
    assert report.load is not None
    assert report.load.beside["200"] > report.jobs.taken
    assert "each process of Locust keeps up to 8 queued" in done.stderr
    assert "nothing that writes" not in done.stderr
    assert re.search(r"^POST +/api/prompt +\d+ +0\(", done.stdout + done.stderr, re.MULTILINE)


def test_a_breach_in_the_life_of_jobs_is_told_with_the_exchanges_that_show_it(tmp_path: Path) -> None:
    for responses in (500, 4000):  # on a busy machine, few jobs are deleted meanwhile
        with serve(fault="deletes-nothing") as endpoint, answered(endpoint, responses) as enough:
            done = load_until(enough, endpoint.url, "--populate", "--users=3", f"--report-dir={tmp_path}")
        if done.returncode == 1:
            break
    assert done.returncode == 1, done.stderr
    report = report_in(tmp_path)
    result = report.clause("lifecycle.delete.removes")
    assert result.status is Status.FAIL
    assert result.under_load is not None
    named = {exchange.id for exchange in report.exchanges}
    for piece in result.evidence:
        others = re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", piece.got)
        assert {piece.exchange, *others} <= named, "what evidence speaks of stands in the report"
        assert others
    assert "POST /api/queue: lifecycle.delete.removes" in done.stdout + done.stderr


@MORE
@pytest.mark.parametrize("sent", one_in(2, [signal.SIGTERM, signal.SIGINT]))
def test_jobs_of_a_run_that_is_stopped_are_removed(
    tmp_path: Path, sent: signal.Signals, more: Callable[[], tuple[str, ...]]
) -> None:
    options = ("--populate", "--users=4", "--duration=60", f"--report-dir={tmp_path}", *more())
    with serve(variant="takes-slow-jobs") as endpoint:
        full = when_full(endpoint, 2)
        command = (sys.executable, "-c", COMMAND, endpoint.url, *options)
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        ) as run:
            assert full.wait(60)
            run.send_signal(sent)
            assert run.stderr is not None
            told = run.stderr.read()
            assert run.wait(60) == 10, told
            assert "Traceback" not in told
            assert own_jobs_in(endpoint) == 0
    report = report_in(tmp_path)
    assert report.jobs is not None
    assert report.jobs.taken >= 2
    assert report.jobs.left == ()
    assert "the run was stopped before its end" in report.verdict_reason


@pytest.mark.deep
def test_a_server_that_takes_no_prompt_makes_the_run_inconclusive(tmp_path: Path) -> None:
    reason = "no job was accepted: POST /api/prompt got a 404"
    with serve() as endpoint:
        done = load_for_a_moment(endpoint.url, "--populate", "--users=2", f"--report-dir={tmp_path}", shows=reason)
    assert done.returncode == 10
    assert report_in(tmp_path).verdict_reason == reason


@pytest.mark.deep
def test_workers_tell_the_master_which_order_a_job_has_shown(tmp_path: Path) -> None:
    with serve(variant="oss") as endpoint:
        typed = ("--dialect=auto", "--users=2", "--duration=2", f"--report-dir={tmp_path}", *with_workers())
        assert load(endpoint.url, *typed).returncode == 0
    assert report_in(tmp_path).run.read_as == "oss"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ([], "no target: give the base URL"),
        (["embedded"], "comfy-conformance serve starts the embedded one"),
        (["http://10.0.0.1:8188"], "is not loopback: add --yes-load-this-host"),
        (["http://127.0.0.1:8188", "--rate-limit=1e9"], "--rate-limit must be at most 10,000"),
        (["http://127.0.0.1:8188", "--rate-limit=0"], "--rate-limit must be a number above 0"),
        (["http://127.0.0.1:8188", "--duration=99999"], "99999"),
        (
            ["http://10.0.0.1:8188", "--yes-load-this-host", "--populate"],
            "8 at once until it ends, which can cost credits: add --yes",
        ),
        (["http://127.0.0.1:8188", "--jobs=4"], "--jobs needs --populate, which lets the run submit jobs: add it"),
        (["http://127.0.0.1:8188", "--populate", "--jobs=2"], "--jobs must be 3 or more"),
        (["http://127.0.0.1:8188", "--populate", "--workflow=no.json"], "--workflow no.json cannot be read"),
        (["http://127.0.0.1:8188", "--api-key-env=NO_SUCH"], "NO_SUCH, which is not set"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_sends_nothing(tmp_path: Path, typed: list[str], told: str) -> None:
    done = command_line(tmp_path, "load", *typed)
    assert done.returncode == 4
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_host_is_left_alone_by_the_locustfile_too(tmp_path: Path) -> None:
    typed = ["--headless", "-u1", "-t1s", "-H", "http://10.0.0.1:8188", f"--report-dir={tmp_path}"]
    file = load("--locustfile").stdout.strip()
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", file, *typed],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == 4
    assert "is not loopback" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_key_reaches_the_target_and_no_file(tmp_path: Path) -> None:
    with serve(key="sesame-of-the-night") as endpoint:
        typed = (
            endpoint.url,
            "--users=1",
            f"--report-dir={tmp_path}",
            "--",
            f"--html={tmp_path}/l.html",
        )
        done = load_for_a_moment(*typed, COMFY_API_KEY="sesame-of-the-night")
    assert done.returncode == 0, done.stderr
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sesame" not in written + done.stdout.encode() + done.stderr.encode()
