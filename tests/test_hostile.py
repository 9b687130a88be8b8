"""Whatever answers, a run ends in its time and its memory, without a traceback, and says what happened."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from outside import BIN, environment

from conformance.reference.hostile import HOSTILE, serve_hostile

MB = 1 << 20
ROOM = 300 * MB
"""Bytes of memory that a run may take beyond the start of the interpreter."""
WHOLE_RUN = 120
"""Seconds that a run has by default, to ask and to judge."""
DEADLINE, EXCHANGE = 90, 8
"""Seconds: a byte a second brings no answer in that time, and a hundred thousand items come within it."""
STATUS = {"conformant": 0, "non-conformant": 1, "inconclusive": 10}
MEASURED = """
import json, os, subprocess, sys, time
started = time.monotonic()
child = subprocess.Popen(sys.argv[2:], stdout=open("out", "wb"), stderr=open("err", "wb"))
_, status, usage = os.wait4(child.pid, 0)
seconds = time.monotonic() - started
kept = {"status": os.waitstatus_to_exitcode(status), "peak": usage.ru_maxrss * 1024, "seconds": seconds}
json.dump(kept, open(sys.argv[1], "w"))
"""
"""Runs a command from a small process: a child's peak of memory begins with that of the process that started it."""


@dataclass(frozen=True)
class Ran:
    """What came of a command. ``peak`` is in bytes, ``seconds`` is wall time."""

    status: int
    peak: int
    seconds: float
    shown: str
    report: dict[str, Any]

    def clause(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(clause for clause in self.report["clauses"] if clause["id"] == name)
        return found


def measured(folder: Path, *arguments: str | Path) -> Ran:
    """Run ``comfy-conformance`` in ``folder`` and measure it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-S", "-E", "-c", MEASURED, "kept", BIN / "comfy-conformance", *arguments]
    subprocess.run(command, cwd=folder, env=environment(), check=True, timeout=2 * WHOLE_RUN)
    kept = json.loads((folder / "kept").read_bytes())
    path = folder / "report" / "compliance.json"
    report = json.loads(path.read_bytes()) if path.exists() else {}
    shown = "".join((folder / name).read_text(encoding="utf-8") for name in ("out", "err"))
    return Ran(**kept, shown=shown, report=report)


def checked(folder: Path, url: str) -> Ran:
    bounds = ("--deadline", str(DEADLINE), "--exchange-timeout", str(EXCHANGE))
    return measured(folder, "check", url, "--no-key", "--report-dir", "report", *bounds)


def against(folder: Path, name: str) -> Ran:
    with serve_hostile(name) as url:
        return checked(folder, url)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Ran]]]:
    """Runs against the endpoints that tests ask for, some at a time: most of them wait."""
    folder = tmp_path_factory.mktemp("hostile")
    asked_for = " ".join(item.name for item in request.session.items)
    wanted = [name for name in HOSTILE if f"[{name}]" in asked_for or "findings_are_bounded" in asked_for]
    with ThreadPoolExecutor(3) as pool:
        yield {name: pool.submit(against, folder / name, name) for name in wanted}


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return what a run costs that is told nothing: the interpreter, and what it loads."""
    return checked(tmp_path_factory.mktemp("start"), "http://127.0.0.1:1")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_run_survives_and_tells(name: str, runs: dict[str, Future[Ran]], start: Ran) -> None:
    ran, expected = runs[name].result(), HOSTILE[name]
    assert "Traceback" not in ran.shown
    assert all(line.isprintable() for line in ran.shown.splitlines())
    assert ran.report["verdict"] == expected.verdict, ran.report["verdict_reason"]
    assert ran.status == STATUS[expected.verdict]
    failed = [clause["id"] for clause in ran.report["clauses"] if clause["status"] == "fail"]
    assert expected.told in failed or expected.told in ran.report["verdict_reason"]
    assert ran.report["counts"]["error"] == 0, "no clause gave up"
    assert ran.peak - start.peak < ROOM
    assert ran.seconds < WHOLE_RUN


def test_findings_are_bounded_and_their_counts_exact(runs: dict[str, Future[Ran]]) -> None:
    found = runs["a-hundred-thousand-broken-items"].result().clause("item.prompt-id.uuid")
    first, second = found["evidence"]
    assert first["pointer"] == "/queue_pending/0/1"
    assert (second["more"], second["last"]) == (99_998, "/queue_pending/99999/1")
    assert found["breached"] == found["judged"] > 30


@pytest.mark.parametrize("name", ["accepts-and-never-answers", "a-header-byte-a-second", "a-body-byte-a-second"])
def test_who_does_not_answer_in_time_is_not_asked_everything_else(name: str, runs: dict[str, Future[Ran]]) -> None:
    ran = runs[name].result()
    assert len(ran.report["exchanges"]) == 1
    assert ran.seconds < DEADLINE


@pytest.mark.parametrize("name", [name for name in HOSTILE if "redirect" in name])
def test_no_redirect_is_followed(name: str, runs: dict[str, Future[Ran]]) -> None:
    asked = {exchange["request"]["url"] for exchange in runs[name].result().report["exchanges"]}
    assert len(asked) == 1


def test_what_is_measured_against_is_no_more_than_a_start(start: Ran) -> None:
    assert start.status == STATUS["inconclusive"]
    assert 10 * MB < start.peak < 100 * MB, "else the room of the others means nothing"
