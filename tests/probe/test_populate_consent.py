"""Nothing is written to somebody's host without a yes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.exchange.model import Operation
from conformance.judge.report import Status
from conformance.reference.queue import Queue
from conformance.reference.server import serve
from helpers.boards import Stuck, on
from helpers.commands import command_line, on_a_terminal, report, suite
from helpers.simulated_runs import judged, played

SOMEBODY = "http://0.0.0.0:1"
"""No loopback address as it is written, and nobody there."""


@pytest.mark.parametrize("front", [command_line, suite])
def test_writing_to_somebodys_host_wants_a_yes(tmp_path: Path, front: Callable[..., Any]) -> None:
    words = ("check",) if front is command_line else ()
    done = front(tmp_path, *words, "--target", SOMEBODY, "--populate")
    assert done.returncode == 4
    told = "this run writes to 0.0.0.0: 8 jobs, which can cost credits: add --yes"
    assert told in done.stdout + done.stderr
    assert not (tmp_path / "reports/latest/compliance.json").exists()


def test_with_a_yes_it_is_asked(tmp_path: Path) -> None:
    done = command_line(tmp_path, "check", SOMEBODY, "--populate", "--yes")
    assert done.returncode == 10
    assert report(tmp_path)["jobs"] == {"submitted": 0, "taken": 0, "left": []}


@pytest.mark.parametrize(("answer", "sent"), [("y", True), ("n", False), ("", False)])
def test_at_a_terminal_the_user_is_asked(tmp_path: Path, answer: str, *, sent: bool) -> None:
    shown = on_a_terminal(tmp_path, "check", SOMEBODY, "--populate", typed=f"{answer}\n")
    assert "this run writes to 0.0.0.0: 8 jobs, which can cost credits. Go on? [y/N]" in shown
    assert ("cannot be reached" in shown) is sent
    assert ("nothing was sent" in shown) is not sent


def test_loopback_is_written_to_without_a_yes(tmp_path: Path) -> None:
    done = command_line(tmp_path, "check", "http://127.0.0.1:1", "--populate")
    assert done.returncode == 10


def test_the_order_of_asking_is_known() -> None:
    purposes = [one.request.purpose for one in played().client.ledger]
    first = {purpose: purposes.index(purpose) for purpose in dict.fromkeys(purposes)}
    order = ("read before writing", "submit job 1", "delete a pending job", "interrupt what runs", "Range", "clear")
    places = [first[purpose] for purpose in order]
    assert places == sorted(places)


def test_malformed_requests_come_when_no_job_is_left() -> None:
    ledger = played().client.ledger
    sent = [(one.request.operation, one.request.body in MALFORMED) for one in ledger]
    first = sent.index((Operation.MANAGE, True))
    assert {operation for operation, malformed in sent[first:] if not malformed} == {None}
    assert judged(played()).clause("lifecycle.survives-malformed").status is Status.PASS


def test_a_server_that_ends_on_a_malformed_request_is_the_first_thing_that_a_report_says(tmp_path: Path) -> None:
    with serve(fault="ends-on-a-malformed-request") as server:
        done = command_line(tmp_path, "check", server.url, "--allow-writes")
    said = "a malformed request crashed the server; 1 must clause broken: lifecycle.survives-malformed"
    assert done.returncode == 1
    assert said in done.stdout
    assert report(tmp_path)["verdict_reason"] == said
    (evidence,) = next(c for c in report(tmp_path)["clauses"] if c["id"] == "lifecycle.survives-malformed")["evidence"]
    (exchange,) = [one for one in report(tmp_path)["exchanges"] if one["id"] == evidence["exchange"]]
    assert exchange["request"]["body"] == '{"delete": 7}'
    assert exchange["response"] is None


def test_behind_a_cache_that_never_changes_the_run_says_so() -> None:
    class Frozen(Stuck):
        def snapshot(self) -> Queue:
            return {"queue_running": [], "queue_pending": []}

    done = on(Frozen)
    assert "perhaps from a cache" in str(done.stopped)
    (evidence,) = judged(done).clause("lifecycle.listed").evidence
    assert evidence.hint == "every GET of the queue returned the same bytes: a cache may respond instead of the server"
