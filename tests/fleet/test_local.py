"""Processes of this machine: what becomes of a target, and of those beside it, when a process ends."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.fleet import local
from conformance.fleet.backend import Lost
from conformance.fleet.local import processes
from conformance.fleet.result_lines import EndpointResult
from conformance.fleet.work import Assignment
from conformance.run.targets import Target
from helpers.fleet_samples import target

FAKE = """
import asyncio, os, sys
from conformance.fleet import child
from conformance.fleet.result_lines import failed_result
from conformance.fleet.work import Done

first = not os.path.exists("started")  # the process that the targets share
open("started", "w").close()
running = []

async def check(order, environ):
    name = order.target.name
    running.append(name)
    if name.startswith("beside") and first:
        await asyncio.Event().wait()
    if name == "signal":
        while first and len(running) < 3:
            await asyncio.sleep(0)
        os.kill(os.getpid(), 9)
    if name == "status":
        print("out of luck", *environ.values(), file=sys.stderr, flush=True)
        os._exit(7)
    if name == "hangs":
        import time
        time.sleep(600)
    if name == "raises":
        raise RuntimeError("with a key")
    print("noise on the standard output")
    seen = " ".join(sorted({"A_KEY", "B_KEY"} & os.environ.keys()) + sorted(environ))
    return Done(failed_result(order.target, f"{os.getpid()} {seen}", 0))

child.check = check
child.main()
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have processes that do what the name of a target says."""
    monkeypatch.setattr(local, "PROGRAM", FAKE)
    monkeypatch.chdir(tmp_path)


def order(name: str, *, isolate: bool = False, **options: object) -> Assignment:
    """Return the order to check a target."""
    made = target("http://127.0.0.1:1", **options)
    return Assignment(Target(name, made.options, isolate), environ={})


def checked(*orders: Assignment, number: int = 1) -> dict[str, EndpointResult]:
    """Return the results of orders that are given at once, by name."""

    async def all_of_them() -> list[EndpointResult]:
        async with processes(number, {**os.environ, "PYTHONPATH": os.pathsep.join(__import__("sys").path)}) as backend:
            return [done.result for done in await asyncio.gather(*map(backend.check, orders))]

    return {result.name: result for result in asyncio.run(all_of_them())}


@pytest.mark.usefixtures("fake")
def test_the_target_that_ends_its_process_is_named_and_those_beside_it_are_judged() -> None:
    found = checked(order("beside-1"), order("beside-2"), order("signal"))
    assert (found["signal"].outcome, found["signal"].exit) == ("error", 3)
    assert found["signal"].reason == "its process was ended by signal 9"
    for name in ("beside-1", "beside-2"):
        assert found[name].exit == 0
    pids = {found[name].reason.split()[0] for name in ("beside-1", "beside-2")}
    assert len(pids) == 2  # each in a process of its own


@pytest.mark.usefixtures("fake")
def test_the_last_line_of_its_standard_error_says_why_a_process_ended() -> None:
    """Without the key of its target."""
    found = checked(replace(order("status", isolate=True), environ={"A_KEY": "k3yCanaryOfA-Qz81Vm40"}))
    assert found["status"].reason == "its process ended with status 7: out of luck [redacted-api-key]"


@pytest.mark.usefixtures("fake")
def test_a_check_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "GRACE", 0.0)
    found = checked(order("hangs", isolate=True, deadline=0.1))
    assert found["hangs"].reason == "its check did not end within 0 s and was stopped"


@pytest.mark.usefixtures("fake")
def test_targets_share_a_process_unless_they_are_isolated_and_a_mistake_of_the_suite_ends_none() -> None:
    keyed = replace(order("a"), environ={"A_KEY": "key-of-a"})
    found = checked(keyed, order("b"), order("raises"), order("c", isolate=True))
    assert found["raises"].reason == "internal error: RuntimeError"
    pids = [found[name].reason.split()[0] for name in ("a", "b", "c")]
    assert pids[0] == pids[1] != pids[2]
    assert [found[name].worker for name in ("a", "b")] == ["0", "0"]
    assert found["a"].reason.split()[1:] == ["A_KEY"]
    assert found["b"].reason.split()[1:] == []


def test_without_a_process_the_run_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(Lost, match="no process can be started: No such file or directory"):
        checked(order("a"))
