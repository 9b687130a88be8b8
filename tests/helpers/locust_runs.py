"""Runs under load with the real Locust, started by the same command as a user's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.judge.report import Report, decode
from conformance.reference.message import IncomingRequest, Reply
from conformance.reference.server import Endpoint

COMMAND = "import sys; from conformance.cli import main; main(['load', *sys.argv[1:]])"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"COMFY_API_KEY", "CONFORMANCE_TARGET"}}
TIMEOUT = 120
"""Seconds after which a run counts as hanging."""


def load(*typed: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``comfy-conformance load`` to its end."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, typed)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env=ENVIRONMENT | environment,
    )


def load_until(
    done: threading.Event, *typed: str | Path, sent: signal.Signals = signal.SIGINT
) -> subprocess.CompletedProcess[str]:
    """Run ``comfy-conformance load`` until an event is set, and then stop it as Ctrl-C does."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *map(str, typed), f"--duration={TIMEOUT}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as run:
        if done.wait(TIMEOUT):
            run.send_signal(sent)
        out, err = run.communicate(timeout=TIMEOUT)
        return subprocess.CompletedProcess(run.args, run.returncode, out, err)


def load_for_a_moment(*typed: str | Path, shows: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command for a second; if that was too short on a busy machine, run it again for longer.

    It was too short if no request was sent, or if the standard error lacks the text ``shows``.
    """
    for seconds in (1, 5, 25):
        done = load(f"--duration={seconds}", *typed, **environment)
        if "no request was sent" not in done.stderr and shows in done.stderr:
            break
    return done


@contextmanager
def answered(endpoint: Endpoint, number: int) -> Iterator[threading.Event]:
    """Yield an event that is set when the endpoint has sent this number of responses."""
    reached, count, answer = threading.Event(), 0, endpoint.reference.answer

    def counting(ask: IncomingRequest) -> Reply:
        nonlocal count
        count += 1
        if count == number:
            reached.set()
        return answer(ask)

    endpoint.reference.answer = counting  # type: ignore[method-assign]
    yield reached


def report_in(directory: Path) -> Report:
    """Return the report in a directory."""
    return decode((directory / "compliance.json").read_bytes())


def loaded(endpoint: Endpoint, *typed: str, requests: int = 600) -> Report:
    """Return the report on this number of requests under load.

    If the endpoint accepts jobs, the run also submits some.
    """
    with TemporaryDirectory() as directory, answered(endpoint, requests) as enough:
        jobs = () if endpoint.reference.board is None else ("--populate", "--jobs=16")
        done = load_until(enough, endpoint.url, "--users=8", f"--report-dir={directory}", *jobs, *typed)
        assert done.returncode in {0, 1, 10}, done.stderr
        return report_in(Path(directory))
