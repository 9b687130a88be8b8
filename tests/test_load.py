"""Load by the real Locust, as its users type it: alone, with workers, by the locustfile, stopped in the middle."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.reference.server import serve
from conformance.report.model import Report, Verdict, decode

COMMAND = "import sys; from conformance.cli import main; main(['load', *sys.argv[1:]])"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"COMFY_API_KEY", "CONFORMANCE_TARGET"}}


def load(*typed: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, typed)], capture_output=True, text=True, timeout=120, check=False,
        env=ENVIRONMENT | environment,
    )  # fmt: skip


def report_in(directory: Path) -> Report:
    return decode((directory / "compliance.json").read_bytes())


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_a_breach_is_a_failure_by_its_clause_in_locusts_table_and_in_our_report(tmp_path: Path) -> None:
    with serve(fault="seconds") as endpoint:
        done = load(endpoint.url, "--users=3", "--duration=2", f"--report-dir={tmp_path}")
    assert done.returncode == 1, done.stderr
    report = report_in(tmp_path)
    result = report.clause("item.create-time.milliseconds")
    assert report.load is not None
    assert result.breached == result.judged == report.load.requests > 0
    assert result.under_load is not None
    failures = re.findall(r"^(\d+) +GET /api/queue: ([a-z.-]+): ", done.stdout + done.stderr, re.MULTILINE)
    assert failures == [(str(result.breached), "item.create-time.milliseconds")]
    assert "sending" in done.stderr
    assert "nothing that writes" in done.stderr


def test_workers_add_up_to_what_locust_counts(tmp_path: Path) -> None:
    with serve() as endpoint:
        typed = ("--users=4", "--duration=3", f"--report-dir={tmp_path}", "--", "--processes=2", f"--csv={tmp_path}/l")
        done = load(endpoint.url, *typed)
    assert done.returncode == 0, done.stderr
    report = report_in(tmp_path)
    assert report.load is not None
    assert report.load.requests == int(rows(tmp_path / "l_stats.csv")[-1]["Request Count"]) > 0
    assert report.verdict is Verdict.CONFORMANT


def test_the_locustfile_serves_those_who_have_locust(tmp_path: Path) -> None:
    own = tmp_path / "locustfile.py"
    own.write_text(
        "from conformance.load.locustfile import QueueUser\n"
        "class Mine(QueueUser):\n    fixed_count = 1\n"
        "class Theirs(QueueUser):\n    abstract = True\n"
    )
    assert load("--locustfile").stdout.strip().endswith("locustfile.py")
    with serve() as endpoint:
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", own, "--headless", "-u1", "-t2s", "-H", endpoint.url,
             f"--report-dir={tmp_path}"], capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT,
        )  # fmt: skip
    assert report_in(tmp_path).verdict_reason.startswith("no must clause broken")
    assert done.returncode == 0, done.stderr


def test_a_run_that_is_stopped_tells_what_it_has_and_certifies_nothing(tmp_path: Path) -> None:
    with (
        serve() as endpoint,
        subprocess.Popen(
            [sys.executable, "-c", COMMAND, endpoint.url, "--users=1", "--duration=60", f"--report-dir={tmp_path}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
        ) as run,
    ):  # fmt: skip
        assert run.stderr is not None
        for line in run.stderr:
            if "All users spawned" in line:
                run.send_signal(signal.SIGINT)
                break
        told = run.stderr.read()
        assert run.wait(60) == 10, told
    assert report_in(tmp_path).run.partial
    assert "the run was stopped before its end" in report_in(tmp_path).verdict_reason


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ([], "no target: give the base URL"),
        (["embedded"], "comfy-conformance serve starts the embedded one"),
        (["http://10.0.0.1:8188"], "is not loopback: add --yes-load-this-host"),
        (["http://127.0.0.1:8188", "--rate-limit=1e9"], "--rate-limit must be at most 10,000"),
        (["http://127.0.0.1:8188", "--rate-limit=0"], "--rate-limit must be a number above 0"),
        (["http://127.0.0.1:8188", "--duration=99999"], "99999"),
        (["http://127.0.0.1:8188", "--api-key-env=NO_SUCH"], "NO_SUCH, which is not set"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_sends_nothing(typed: list[str], told: str) -> None:
    done = load(*typed)
    assert done.returncode == 4
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_host_is_left_alone_by_the_locustfile_too(tmp_path: Path) -> None:
    typed = ["--headless", "-u1", "-t1s", "-H", "http://10.0.0.1:8188", f"--report-dir={tmp_path}"]
    file = load("--locustfile").stdout.strip()
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", file, *typed], capture_output=True, text=True, timeout=60, check=False,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert done.returncode == 4
    assert "is not loopback" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_key_reaches_the_target_and_no_file(tmp_path: Path) -> None:
    with serve(key="sesame-of-the-night") as endpoint:
        typed = (
            endpoint.url,
            "--users=1",
            "--duration=2",
            f"--report-dir={tmp_path}",
            "--",
            f"--html={tmp_path}/l.html",
        )
        done = load(*typed, COMFY_API_KEY="sesame-of-the-night")
    assert done.returncode == 0, done.stderr
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sesame" not in written + done.stdout.encode() + done.stderr.encode()
