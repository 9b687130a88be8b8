"""Whatever answers, a run ends in its time and its memory, without a traceback, and says what happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.reading.large_jobs import ASKED
from conformance.exchange.codings import DECODABLE
from conformance.reference.hostile import HOSTILE, serve_hostile
from conformance.reference.hostile.registry import SILENT
from helpers.commands import command_line

MB = 1 << 20
ROOM = 300 * MB
"""Bytes of memory that a run may take beyond the start of the interpreter."""
PATIENCE, SHORT = 60, 1
"""Seconds to wait for a response: enough for a hundred thousand items on a busy machine, and too few for a drip."""
STALLING = (
    "accepts-and-never-answers",
    "a-header-byte-a-second",
    "a-body-byte-a-second",
    "endless-1xx",
    "endless-chunk-extensions",
)
"""What goes on until the client gives up: how long we wait is what the test takes."""
LARGE = (
    "a-hundred-thousand-items",
    "a-hundred-thousand-broken-items",
    "half-a-million-empty-objects",
    "a-million-brackets",
    "a-workflow-200000-deep",
)
STATUS = {"conformant": 0, "non-conformant": 1, "inconclusive": 10}


@dataclass(frozen=True)
class Ran:
    """A run that ended. ``peak`` is in bytes."""

    status: int
    peak: int
    shown: str
    report: dict[str, Any]

    def clause(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(clause for clause in self.report["clauses"] if clause["id"] == name)
        return found


def checked(folder: Path, url: str, seconds: int = PATIENCE) -> Ran:
    """Run ``comfy-conformance`` in ``folder``; what does not end in two minutes fails."""
    typed = ("check", url, "--no-key", "--report-dir", "report", "--deadline=100", f"--exchange-timeout={seconds}")
    done = command_line(folder, *typed)
    path = folder / "report" / "compliance.json"
    found = json.loads(path.read_bytes()) if path.exists() else {}
    return Ran(done.returncode, done.peak, done.stdout + done.stderr, found)


def against(folder: Path, name: str) -> Ran:
    with serve_hostile(name) as url:
        return checked(folder, url, SHORT if name in STALLING else PATIENCE)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return what a run costs that is told nothing: the interpreter, and what it loads."""
    return checked(tmp_path_factory.mktemp("start"), "http://127.0.0.1:1")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.deep if name in LARGE else ()) for name in HOSTILE]
)
def test_a_run_survives_and_tells(name: str, tmp_path: Path, start: Ran) -> None:
    ran, expected = against(tmp_path, name), HOSTILE[name]
    assert "Traceback" not in ran.shown
    assert all(line.isprintable() for line in ran.shown.splitlines())
    assert ran.report["verdict"] == expected.verdict, ran.report["verdict_reason"]
    assert ran.status == STATUS[expected.verdict]
    failed = [clause["id"] for clause in ran.report["clauses"] if clause["status"] == "fail"]
    told = "the body is larger than" if name == "br-bomb" and "br" in DECODABLE else expected.reason
    assert told in failed or told in ran.report["verdict_reason"]
    assert ran.report["counts"]["error"] == 0, "no clause gave up"
    assert ran.peak - start.peak < ROOM
    if expected.reason == SILENT:
        assert len(ran.report["exchanges"]) == 1, "a server that does not respond in time gets no other request"
    if "redirect" in name:
        assert len({exchange["request"]["url"] for exchange in ran.report["exchanges"]}) == 1, "no redirect is followed"


@pytest.mark.deep
def test_findings_are_bounded_and_their_counts_exact(tmp_path: Path) -> None:
    found = against(tmp_path, "a-hundred-thousand-broken-items").clause("item.prompt-id.uuid")
    first, second = found["evidence"]
    assert first["pointer"] == "/queue_pending/0/1"
    assert ASKED <= second["more"] + 2 < 100_000, "so many jobs are checked; the report counts the others"
    assert second["last"] == f"/queue_pending/{second['more'] + 1}/1"
    assert found["breached"] == found["judged"] > 30


def test_what_is_measured_against_is_no_more_than_a_start(start: Ran) -> None:
    assert start.status == STATUS["inconclusive"]
    assert 10 * MB < start.peak < 300 * MB, "else the room of the others means nothing"
