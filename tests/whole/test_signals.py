"""A run that a signal stops removes its jobs: with every sender, and however often the signal is repeated."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from conformance.reference.app import Reference
from conformance.reference.board import Board
from conformance.reference.server import Endpoint
from conformance.reference.variants import Variant
from conformance.run.stopping import REPEAT, Repeats, stoppable
from helpers.boards import Keeping, Stuck, when_full
from helpers.commands import ALONE, BIN, TIMEOUT, environment, started
from helpers.profiles import one_in, quick_if

TO_STOP: Final = (signal.SIGINT, signal.SIGTERM)
JOBS: Final = 5
"""Jobs that are there when the signal comes."""


class Clock:
    """Seconds, driven by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# --- repeats ----------------------------------------------------------------------------------------------------------


def test_signals_within_a_second_count_as_one() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    found = []
    for moment in (0.0, 0.0, 0.5, REPEAT - 0.01, REPEAT, REPEAT + 0.5, 2 * REPEAT):
        clock.now = moment
        found.append(repeats.is_new())
    assert found == [True, False, False, False, True, False, True]


def stopped(clock: Clock, *later: tuple[float, signal.Signals]) -> list[str]:
    """Stop a coroutine, and send it more signals while it cleans up. Returns what it did."""
    done = []

    async def step() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            done.append("stopped")
            for moment, number in later:
                clock.now = moment
                signal.raise_signal(number)
                await asyncio.sleep(0)
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt), stoppable(clock) as stop, asyncio.Runner() as runner:
        stop.run(runner, step())
    return done


@pytest.mark.parametrize("number", TO_STOP)
def test_a_repeat_does_not_keep_a_run_from_cleaning_up(number: signal.Signals) -> None:
    assert stopped(Clock(), (0.0, number), (0.9, number)) == ["stopped", "cleaned up"]


@pytest.mark.parametrize("number", TO_STOP)
def test_a_second_signal_ends_the_run_at_once(number: signal.Signals) -> None:
    assert stopped(Clock(), (1.1, number)) == ["stopped"]


def test_a_signal_outside_a_coroutine_interrupts() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable(Clock()):
        signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """Handle both signals in the test itself."""
    found: list[int] = []
    before = {number: signal.signal(number, lambda number, _: found.append(number)) for number in TO_STOP}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


def test_after_a_run_signals_go_where_they_went_before(heard: list[int]) -> None:
    with stoppable(Clock()):
        pass
    for number in TO_STOP:
        signal.raise_signal(number)
    assert heard == list(TO_STOP)


def test_a_repeat_that_comes_after_the_run_is_still_a_repeat(heard: list[int]) -> None:
    clock = Clock()
    stopped(clock, (0.5, signal.SIGINT))
    clock.now = 0.9
    signal.raise_signal(signal.SIGTERM)
    assert heard == []
    clock.now = 1.5
    signal.raise_signal(signal.SIGTERM)
    assert heard == [signal.SIGTERM]


def test_a_coroutine_that_somebody_else_cancels_is_cancelled() -> None:
    async def step() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError), stoppable(Clock()) as stop, asyncio.Runner() as runner:
        stop.run(runner, step())


# --- as users stop a run ----------------------------------------------------------------------------------------------


@contextmanager
def taking_jobs(board: type[Board] = Stuck) -> Iterator[tuple[Endpoint, threading.Event]]:
    """Serve a queue; the event is set when it has some jobs."""
    reference = Reference(Variant("made", "", board=board), path="/api/queue")
    with Endpoint(reference, "127.0.0.1", 0, "") as server:
        yield server, when_full(server, JOBS)


def alive(server: Endpoint) -> list[str]:
    """Return the ids of the jobs that are in the queue."""
    board = server.reference.board
    assert board is not None
    assert len(board.jobs) >= JOBS
    return [job.prompt_id for job in (*board.running, *board.pending)]


BACKGROUND: Final = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""As a shell without job control starts a command that ends in "&": it ignores Ctrl-C."""
TIMEOUTS: Final = {"timeout": ("timeout", "600"), "timeout-int": ("timeout", "-s", "INT", "600")}
COMMANDS: Final = ("check", "pytest --pyargs conformance", "load")


def words_of(command: str, url: str) -> list[str | Path]:
    """Return the command line of a run that writes."""
    if command == "load":
        return [
            sys.executable,
            "-c",
            "from conformance.cli import main; main()",
            "load",
            url,
            "--populate",
            "--users=4",
            "--duration=60",
        ]
    program, *words = command.split() if command.startswith("pytest") else ["comfy-conformance", *command.split()]
    return [BIN / program, *words, "--target", url, "--populate"]


def leaves_nothing(folder: Path, number: signal.Signals, command: str, *before: str) -> None:
    """Start a command behind other words, signal it when it has filled the queue, and look what it leaves."""
    with taking_jobs() as (server, filled):
        arguments = [*before, *words_of(command, server.url)]
        with subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            assert filled.wait(TIMEOUT)
            process.send_signal(number)
            said, _ = process.communicate(timeout=TIMEOUT)
        ended = {10} if command == "load" else {2}
        assert process.returncode in ended | ({124} if number is signal.SIGALRM else set()), said
        assert "Traceback" not in said
        assert alive(server) == []


CTRL_C, KILL, IGNORED = "ctrl-c", "kill", "kill-in-the-background"
QUICK: Final = {
    ("check", CTRL_C),
    ("pytest --pyargs conformance", CTRL_C),
    ("check", KILL),
    ("check", IGNORED),
    ("pytest --pyargs conformance", IGNORED),
}


@pytest.mark.parametrize(
    "case", quick_if(product(COMMANDS[:2], (CTRL_C, KILL, IGNORED)), QUICK.__contains__), ids=" ".join
)
def test_a_signal_ends_the_run_and_removes_its_jobs(tmp_path: Path, case: tuple[str, str]) -> None:
    """Each takes the seconds in which a job may still be on its way into the queue."""
    command, way = case
    with taking_jobs() as (server, filled):
        program, *words = words_of(command, server.url)
        name = Path(program).name
        with started(tmp_path, name, *words, background=way == IGNORED, extra=ALONE) as process:
            assert filled.wait(TIMEOUT)
            process.signal(signal.SIGINT if way == CTRL_C else signal.SIGTERM)
            done = process.end()
        assert done.returncode == 2
        assert "Traceback" not in done.stdout + done.stderr
        assert alive(server) == []


@pytest.mark.parametrize(
    "case",
    quick_if(product(COMMANDS, TIMEOUTS), {("check", "timeout"), ("load", "timeout")}.__contains__),
    ids=" ".join,
)
def test_timeout_signals_twice_and_the_jobs_are_removed(tmp_path: Path, case: tuple[str, str]) -> None:
    """SIGALRM makes ``timeout`` believe that the time is over: it signals its child, and then its group."""
    command, way = case
    leaves_nothing(tmp_path, signal.SIGALRM, command, *TIMEOUTS[way])


@pytest.mark.parametrize("way", one_in(3, ["timeout-int", "kill", "timeout"]))
def test_in_the_background_jobs_are_removed_as_well(tmp_path: Path, way: str) -> None:
    number = signal.SIGTERM if way == "kill" else signal.SIGALRM
    leaves_nothing(tmp_path, number, "check", *BACKGROUND, *TIMEOUTS.get(way, ()))


@pytest.mark.parametrize(
    "before",
    [(), pytest.param(("timeout", "--foreground", "600"), marks=pytest.mark.deep)],
    ids=["alone", "under-timeout"],
)
def test_ctrl_c_at_a_terminal_removes_the_jobs(tmp_path: Path, before: tuple[str, ...]) -> None:
    ours, theirs = pty.openpty()
    with taking_jobs() as (server, filled):
        arguments = ["setsid", "--ctty", "--wait", *before, *words_of("check", server.url)]
        with subprocess.Popen(
            arguments,
            cwd=tmp_path,
            env=environment(TERM="xterm"),
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            os.close(theirs)
            assert filled.wait(TIMEOUT)
            os.write(ours, b"\x03")
            assert process.wait(TIMEOUT) == 2
        os.close(ours)
        assert alive(server) == []


@pytest.mark.deep
def test_a_signal_where_nothing_can_be_removed_names_what_is_left(tmp_path: Path) -> None:
    """It tries for 15 seconds."""
    with taking_jobs(Keeping) as (server, filled):
        with started(tmp_path, "comfy-conformance", "check", server.url, "--populate") as process:
            assert filled.wait(TIMEOUT)
            process.signal(signal.SIGINT)
            done = process.end()
        assert done.returncode == 2
        assert all(name in done.stderr for name in alive(server))
