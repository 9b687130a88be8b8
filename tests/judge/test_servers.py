"""Which requests of a recording are judged, and that several servers in it are judged each on its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from helpers.cli_runner import call
from helpers.recordings import BODY, CUT, HEAD, NO_UUID, Asked, bad_id, har_of, judged

EMPTY: Final = b'{"queue_running": [], "queue_pending": []}'
A, B = "https://a.example/api/queue", "https://b.example/api/queue"
OTHER: Final = BODY.replace(b"0b8a5c1e", b"1c8a5c1e")


def servers(data: bytes, *options: str, tmp_path: Path) -> tuple[int, dict[str, str], set[str], dict[str, Any]]:
    """Return exit status, verdicts by server, broken clauses and the report."""
    (tmp_path / "x.har").write_bytes(data)
    status, broken, _ = judged(tmp_path / "x.har", f"--report-dir={tmp_path / 'out'}", *options)
    report = json.loads((tmp_path / "out/compliance.json").read_text())
    return status, {one["server"]: one["verdict"] for one in report["servers"]}, broken, report


def test_servers_are_judged_apart_and_the_worst_decides(tmp_path: Path) -> None:
    both: list[Asked] = [(A, {}, BODY), (B, {}, OTHER)] * 3
    status, verdicts, broken, report = servers(har_of(*both), tmp_path=tmp_path)
    assert (status, broken) == (0, set())
    assert verdicts == {"https://a.example": "conformant", "https://b.example": "conformant"}
    assert {exchange["server"] for exchange in report["exchanges"]} == set(verdicts)
    status, verdicts, broken, report = servers(har_of(*both, (B, {}, bad_id(BODY))), tmp_path=tmp_path)
    assert (status, broken) == (1, NO_UUID)
    assert verdicts == {"https://a.example": "conformant", "https://b.example": "non-conformant"}
    assert report["verdict_reason"].startswith("1 of 2 servers, https://b.example: ")
    uuid = next(clause for clause in report["clauses"] if clause["id"] == "item.prompt-id.uuid")
    assert (uuid["judged"], uuid["breached"], uuid["reason"]) == (7, 1, "broken in 1 of 7 responses")
    status, verdicts, broken, _ = servers(har_of((A, {}, BODY), (B, {}, EMPTY)), tmp_path=tmp_path)
    assert (status, broken) == (10, set())
    assert verdicts == {"https://a.example": "conformant", "https://b.example": "inconclusive"}


def test_a_job_that_one_server_loses_is_still_found(tmp_path: Path) -> None:
    lost: list[Asked] = [(A, {}, BODY), (B, {}, OTHER), (A, {}, EMPTY), (B, {}, OTHER), (A, {}, BODY)]
    status, verdicts, broken, _ = servers(har_of(*lost), tmp_path=tmp_path)
    assert (status, len(verdicts), broken) == (0, 2, {"WARNING reads.steady"})


@pytest.mark.parametrize(
    "other",
    [
        "https://b.example/api/queue",
        "http://a.example/api/queue",
        "https://a.example:8443/api/queue",
        "https://a.example/worker-2/api/queue",
    ],
)
def test_another_origin_or_prefix_is_another_server(other: str, tmp_path: Path) -> None:
    data = har_of((A, {}, BODY), (other, {}, OTHER), (A, {}, BODY), (other, {}, OTHER), (A, {}, BODY))
    status, verdicts, broken, _ = servers(data, tmp_path=tmp_path)
    assert (status, len(verdicts), broken) == (0, 2, set())


@pytest.mark.parametrize("same", ["https://A.example/api/queue", "https://a.example:443/api/queue?x=1"])
def test_one_origin_in_another_spelling_is_the_same_server(same: str, tmp_path: Path) -> None:
    assert servers(har_of((A, {}, BODY), (same, {}, BODY)), tmp_path=tmp_path)[1] == {}


def test_another_key_is_another_server_and_no_key_is_shown(tmp_path: Path) -> None:
    mine, theirs = {"X-API-Key": "sesame-4711"}, {"Authorization": "Bearer sesame-4712"}
    data = har_of((A, mine, BODY), (A, theirs, OTHER), (A, mine, BODY), (A, theirs, OTHER), (A, mine, BODY))
    status, verdicts, broken, report = servers(data, tmp_path=tmp_path)
    assert (status, broken) == (0, set())
    assert list(verdicts) == ["https://a.example (key 1)", "https://a.example (key 2)"]
    assert "sesame" not in json.dumps(report)


def test_a_refused_key_is_not_another_server(tmp_path: Path) -> None:
    refused = har_of((A, {"X-API-Key": "wrong-4711"}, b'{"code": "U", "message": "no"}'), status=401)
    let_in = har_of((A, {"X-API-Key": "sesame-4711"}, BODY))
    entries = json.loads(let_in)["log"]["entries"] + json.loads(refused)["log"]["entries"]
    data = json.dumps({"log": {"entries": entries}}).encode()
    status, verdicts, broken, _ = servers(data, tmp_path=tmp_path)
    assert (status, verdicts, broken) == (0, {}, {"WARNING auth.challenge"})


def test_a_target_picks_one_server(tmp_path: Path) -> None:
    data = har_of((A, {}, BODY), (B, {}, bad_id(BODY)))
    assert servers(data, "--target=https://a.example", tmp_path=tmp_path)[:3] == (0, {}, set())
    assert servers(data, "--target=https://B.example:443/", tmp_path=tmp_path)[:3] == (1, {}, NO_UUID)
    result = call("judge", tmp_path / "x.har", "--target=https://c.example")
    assert result.exit_code == 4
    assert "see --queue-path and --target for https://a.example/api/queue, https://b.example/api/queue" in result.stderr


def test_a_queue_path_picks_other_requests(tmp_path: Path) -> None:
    data = har_of((A, {}, BODY), ("https://a.example/v2/jobs", {}, bad_id(BODY)))
    assert servers(data, tmp_path=tmp_path)[0] == 0
    assert servers(data, "--queue-path=/v2/jobs", tmp_path=tmp_path)[:3] == (1, {}, NO_UUID)
    assert call("judge", tmp_path / "x.har", "--queue-path=/queue").exit_code == 0
    assert call("judge", tmp_path / "x.har", "--queue-path=/api/queues").exit_code == 4


def test_without_the_usual_path_another_queue_is_judged_if_it_is_json(tmp_path: Path) -> None:
    assert servers(har_of(("http://127.0.0.1:8188/queue", {}, bad_id(BODY))), tmp_path=tmp_path)[0] == 1
    page = [{"name": "Content-Type", "value": "text/html"}]
    (tmp_path / "x.har").write_bytes(har_of(("http://127.0.0.1:8188/queue", {}, b"<html>"), headers=page))
    assert call("judge", tmp_path / "x.har").exit_code == 4


def test_files_of_several_servers_are_judged_apart(tmp_path: Path) -> None:
    (tmp_path / "b.har").write_bytes(har_of((B, {}, OTHER), (B, {}, OTHER)))
    (tmp_path / "a.har").write_bytes(har_of((A, {}, BODY)))
    (tmp_path / "x.http").write_bytes(HEAD + b"\r\n" + BODY)
    status, _, shown = judged(tmp_path / "a.har", str(tmp_path / "b.har"), str(tmp_path / "x.http"))
    assert status == 0
    assert "[3 servers, judged separately]" in shown
    assert "Server a server that is not named: conformant" in shown
    assert "servers" not in judged(tmp_path / "a.har", str(tmp_path / "x.http"))[2]


def test_one_odd_entry_of_hundreds_is_counted_and_named(tmp_path: Path) -> None:
    data = json.loads(har_of(*[(A, {}, BODY)] * 200))
    data["log"]["entries"][7]["startedDateTime"] = "yesterday"
    data["log"]["entries"][9] = {"request": None}
    status, verdicts, _, report = servers(json.dumps(data).encode(), tmp_path=tmp_path)
    assert (status, verdicts) == (0, {})
    assert len(report["exchanges"]) == 199
    assert [note.partition(": ")[2][:8] for note in report["run"]["unread"]] == ["entry 10", "entry 8 "]
    shown = judged(tmp_path / "x.har")[2]
    assert "note: x.har: entry 10 has no readable URL and is ignored" in shown
    assert "[2 parts of the recordings not read]" in shown


def test_many_odd_entries_do_not_fill_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.har").write_bytes(har_of(*[(A, {}, BODY)] * 150).replace(b"2026-11-20T", b"then "))
    result = call("judge", tmp_path / "x.har", "--report-dir", tmp_path / "out")
    assert result.exit_code == 0
    assert len(result.stderr.splitlines()) == 4
    report = json.loads((tmp_path / "out/compliance.json").read_text())
    assert len(report["run"]["unread"]) == 101
    assert report["run"]["unread"][-1] == "50 more"
    assert call("judge", "-q", tmp_path / "x.har").stderr == ""


def test_a_report_on_several_servers_is_judged_again_the_same(tmp_path: Path) -> None:
    entries = json.loads(har_of((A, {}, BODY), (B, {}, OTHER), (A, {}, CUT), (B, {}, bad_id(BODY))))
    entries["log"]["entries"][2]["response"]["content"]["size"] = len(BODY)
    data = json.dumps(entries).encode()
    status, verdicts, _, report = servers(data, "--full-bodies", "--show-workflows", tmp_path=tmp_path)
    shown = ("--full-bodies", "--show-workflows")
    again = call("judge", tmp_path / "out/compliance.json", "--report-dir", tmp_path / "again", *shown)
    assert again.exit_code == status == 1
    newer = json.loads((tmp_path / "again/compliance.json").read_text())
    for member in ("servers", "clauses", "exchanges", "verdict", "verdict_reason", "bodies"):
        assert newer[member] == report[member]
    assert verdicts == {"https://a.example": "inconclusive", "https://b.example": "non-conformant"}
    assert "https://b.example" in (tmp_path / "out/index.html").read_text()
    for name in ("index.html", "summary.md"):
        assert "2 servers, judged separately" in (tmp_path / "out" / name).read_text()
    refused = call("judge", tmp_path / "out/compliance.json", "--target", "https://a.example")
    assert refused.exit_code == 4
    assert "--queue-path and --target apply to HAR files" in refused.stderr


def test_a_response_from_a_cache_is_not_compared_with_others(tmp_path: Path) -> None:
    data = json.loads(har_of((A, {}, BODY), (A, {}, EMPTY), (A, {}, BODY)))
    assert servers(json.dumps(data).encode(), tmp_path=tmp_path)[2] == {"WARNING reads.steady"}
    data["log"]["entries"][1]["_fromCache"] = "disk"
    assert servers(json.dumps(data).encode(), tmp_path=tmp_path)[2] == set()
