"""Many targets, by processes of this machine and by a Dask cluster, some of which are killed in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.reference.many import serve_many
from helpers.commands import BIN, command_line, environment
from helpers.fork_server import TIMEOUT

NUMBER = 24
FAULTS = {7: "seconds", 21: "id-too-short"}
WHOLE = "24 targets: 2 non-conformant (/7, /21), 22 conformant"
PYTHON = [sys.executable, "-m"]


@pytest.fixture(scope="module")
def urls() -> Iterator[list[str]]:
    """Serve many endpoints, two of them with a fault."""
    with serve_many([FAULTS.get(number) for number in range(NUMBER)]) as server:
        yield [f"{server.url}/{number}" for number in range(NUMBER)]


@contextmanager
def running(folder: Path, *command: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the end of the block, when it is killed."""
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str], list[subprocess.Popen[str]]]]:
    """Run a scheduler and two workers as processes; yields the address and the processes."""
    with ExitStack() as stack:
        address = folder / "scheduler.json"
        where = ["--scheduler-file", str(address)]
        scheduler = stack.enter_context(
            running(
                folder,
                *PYTHON,
                "distributed.cli.dask_scheduler",
                *where,
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--no-show",
            )
        )
        until(address.exists)
        workers = [
            stack.enter_context(
                running(
                    folder,
                    *PYTHON,
                    "distributed.cli.dask_worker",
                    *where,
                    "--nthreads",
                    "4",
                    "--no-nanny",
                    "--no-dashboard",
                    "--host",
                    "127.0.0.1",
                    "--name",
                    name,
                )
            )
            for name in ("first", "second")
        ]
        yield json.loads(address.read_text(encoding="utf-8"))["address"], scheduler, workers


def until(condition: Callable[[], object]) -> None:
    """Wait for something that comes by itself."""
    ends = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.05)


def check_all(folder: Path, *arguments: str) -> list[str]:
    """Return the command that checks all targets."""
    options = ["--properties", "0", "--report-dir", str(folder / "out"), *arguments]
    return [str(BIN / "comfy-conformance"), "check", "--all", "urls.txt", *options]


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the worker processes of a command."""
    return psutil.Process(process.pid).children()


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the targets that are judged."""
    path = folder / "out/results.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return [line for line in found if line["kind"] == "endpoint"]


def is_whole(folder: Path, urls: list[str]) -> None:
    """Hold that each target was judged once, each fault found and nobody else accused."""
    found = lines(folder)
    assert Counter(line["name"] for line in found) == Counter(urls)
    assert {line["name"]: [clause["id"] for clause in line["broken"]] for line in found if line["broken"]} == {
        urls[7]: ["item.create-time.milliseconds"],
        urls[21]: ["item.prompt-id.uuid"],
    }
    last = json.loads((folder / "out/results.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (last["kind"], last["exit"]) == ("footer", 1)
    assert last["counts"] == {"non-conformant": 2, "error": 0, "inconclusive": 0, "conformant": NUMBER - 2}


@pytest.fixture
def folder(tmp_path: Path, urls: list[str]) -> Path:
    (tmp_path / "urls.txt").write_text("\n".join(urls), encoding="utf-8")
    return tmp_path


@pytest.mark.deep
def test_a_worker_that_is_killed_in_the_middle_costs_no_target(folder: Path, urls: list[str]) -> None:
    with (
        cluster(folder) as (address, _, workers),
        running(folder, *check_all(folder, "--scheduler", address, "--parallel", "8")) as process,
    ):
        until(lambda: {line["worker"] for line in lines(folder)} == {"first", "second"})
        workers[0].kill()
        out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1, err
    is_whole(folder, urls)
    assert WHOLE in out.replace(urls[0].rpartition("/")[0], "")
    assert err == f"checking 24 targets, up to 8 at a time, by the workers at {address}\n"


@pytest.mark.deep
def test_without_its_scheduler_it_says_so_and_goes_on_from_there_another_time(folder: Path, urls: list[str]) -> None:
    with (
        cluster(folder) as (address, scheduler, _),
        running(folder, *check_all(folder, "--scheduler", address, "--parallel", "4")) as process,
    ):
        until(lambda: len(lines(folder)) >= 5)
        scheduler.kill()
        _, err = process.communicate(timeout=TIMEOUT)
    before = lines(folder)
    assert process.returncode == 3
    kept = f"{len(before)} of 24 targets have results in {folder / 'out'}; continue with --resume"
    assert err.splitlines()[1:] == [f"stopped: the connection to the scheduler was lost; {kept}"]
    assert "the run stopped early" in (folder / "out/index.html").read_text(encoding="utf-8")
    done = command_line(folder, *check_all(folder, "--resume", "--quiet")[1:])
    assert (done.returncode, done.stdout.replace(urls[0].rpartition("/")[0], "")) == (1, f"{WHOLE}\n")
    assert lines(folder)[: len(before)] == before
    is_whole(folder, urls)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.deep), signal.SIGTERM])
def test_a_signal_ends_it_in_order(folder: Path, number: signal.Signals) -> None:
    """No worker prints anything, and none is left."""
    with running(folder, *check_all(folder), start_new_session=True) as process:
        until(lambda: lines(folder))
        workers = workers_of(process)
        (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
        _, err = process.communicate(timeout=TIMEOUT)
        until(lambda: not any(each.is_running() for each in workers))
    assert workers
    assert process.returncode == 2
    _, last = err.splitlines()
    assert re.fullmatch(r"stopped: it was interrupted; \d+ of 24 targets .* --resume", last)


@pytest.mark.deep
def test_a_process_of_this_machine_that_is_killed_in_the_middle_costs_no_target(folder: Path, urls: list[str]) -> None:
    with running(folder, *check_all(folder, "--workers", "2", "--parallel", "8")) as process:
        until(lambda: {line["worker"] for line in lines(folder)} >= {"0", "1"})
        workers_of(process)[0].kill()
        _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1, err
    is_whole(folder, urls)


@pytest.mark.deep
def test_processes_end_with_the_command_that_started_them_however_it_ends(folder: Path) -> None:
    with running(folder, *check_all(folder, "--workers", "2")) as process:
        until(lambda: lines(folder))
        workers = workers_of(process)
        process.kill()
        until(lambda: not any(each.is_running() for each in workers))
    assert len(workers) == 2


@pytest.mark.deep
def test_on_a_full_disk_it_stops_with_a_line_and_goes_on_from_there(folder: Path, urls: list[str]) -> None:
    """A limit on the size of files stands for the disk: the system refuses the same way, with another word."""
    script = (
        "import resource, os, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    with running(folder, sys.executable, "-c", script, *check_all(folder)) as process:
        _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 3, err
    assert re.search(r"\nstopped: the results cannot be written: File too large; \d of 24 targets .* --resume\n$", err)
    assert 1 <= len(lines(folder)) < 10
    done = command_line(folder, *check_all(folder, "--resume")[1:])
    assert done.returncode == 1
    is_whole(folder, urls)


def test_nobody_to_do_it_is_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.fleet.cluster.CONNECT", 0.3)
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, check_all(folder, "--scheduler", "tcp://127.0.0.1:1")[1:])
    assert done.exit_code == 3
    assert "stopped: no scheduler at tcp://127.0.0.1:1" in done.stderr
    assert "start one with 'dask scheduler'; 0 of 24 targets" in done.stderr
