"""The stand-in responds as ComfyUI does, a run leaves nothing in it, and the register waives all that it breaks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, Operation
from conformance.judge.deviations.register import read_register
from conformance.judge.report import Report, Status, Verdict
from conformance.probe.limits import ServerChanges
from conformance.reference.message import IncomingRequest, Reply
from helpers.comfyui import VERSIONS, Comfy, Comfy0330, Comfy0364, Comfy080, ComfyUI, serving_comfyui
from helpers.comfyui_runs import run_of
from helpers.commands import command_line, report
from helpers.profiles import one_in
from helpers.simulated_runs import POPULATE, Clock, Run, judged, ran

RECORDINGS: Final = Path(__file__).parents[1] / "recordings"
REGISTER: Final = Path(__file__).parents[2] / "conformance" / "judge" / "deviations" / "comfyui.toml"
UUID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# --- against the recordings -------------------------------------------------------------------------------------------


class Sleeping(Comfy0330):
    """The server of the recordings: its one node sleeps until it is stopped."""

    step = 1e9
    classes = ("RealSleep",)

    def submit(self, asked: Any) -> tuple[int, object]:
        """Take a prompt; the node that sleeps puts something out."""
        before = len(self.jobs)
        answer = super().submit(asked)
        for job in self.jobs[before:]:
            job.outputs = list(job.workflow)
        return answer


def message(raw: bytes) -> tuple[str, dict[str, str], bytes]:
    """Take a recorded message apart: its first line, its headers by names in lower case, and its body."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in fields)
    return first, {name.lower(): value.strip() for name, _, value in pairs}, body


def asked_in(name: str, folder: Path, ids: Mapping[bytes, bytes]) -> IncomingRequest:
    """Return a recorded request, with the ids of the stand-in in the place of the recorded ones."""
    raw = UUID.sub(lambda found: ids.get(found[0], found[0]), (folder / f"{name}.req").read_bytes())
    first, headers, body = message(raw)
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    return IncomingRequest(method, path, query, tuple(headers.items()), body=body)


def normal(body: bytes, ids: Mapping[bytes, bytes]) -> Any:
    """Return a body as it can be compared: with the ids of the stand-in, and without times."""
    text = UUID.sub(lambda found: ids.get(found[0], found[0]), body)
    text = re.sub(rb'"create_time": \d+', b'"create_time": 0', text)
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        return text
    if isinstance(value, dict) and "jobs" in value:  # in the order of their times, of which some are equal
        value["jobs"].sort(key=json.dumps)
    return value


def alike(recorded: bytes, reply: Reply, ids: Mapping[bytes, bytes]) -> None:
    """Compare a recorded response with one of the stand-in."""
    first, headers, body = message(recorded)
    assert int(first.split(" ")[1]) == reply.status
    ours = {name.lower(): value for name, value in reply.headers.items()}
    for field in ("content-type", "allow", "connection"):
        assert headers.get(field) == ours.get(field)
    if headers.get("transfer-encoding") is None and headers.get("content-length") != "0" and body:
        assert normal(body, ids) == normal(reply.body, {})


@cache
def names() -> list[str]:
    """Name the recordings of 0.33.0, in the order in which they were made."""
    lines = (RECORDINGS / "comfyui-0.33.0" / "INDEX.md").read_text(encoding="utf-8").splitlines()
    return [line.split("|")[1].strip() for line in lines if line.startswith("| ") and "---" not in line][1:]


SUBMITTED_BETWEEN: Final = {"q_running1_pending5": 5}
"""Jobs that were submitted without a recording, before this one."""


def test_the_stand_in_responds_as_the_recorded_server_did() -> None:
    folder, clock = RECORDINGS / "comfyui-0.33.0", Clock()
    server, ids = ComfyUI(Sleeping, clock), dict[bytes, bytes]()
    for name in names():
        recorded = (folder / f"{name}.http").read_bytes()
        for number in range(SUBMITTED_BETWEEN.get(name, 0)):
            told = json.loads(message(recorded)[2])["queue_pending"][number]
            reply = server.answer(IncomingRequest("POST", "/api/prompt", body=json.dumps({"prompt": told[2]}).encode()))
            ids[told[1].encode()] = json.loads(reply.body)["prompt_id"].encode()
        clock.now += 0.01
        ask = asked_in(name, folder, ids)
        reply = server.answer(ask)
        if ask.method == "POST" and ask.path.endswith("/prompt") and reply.status == 200:
            told = json.loads(message(recorded)[2])["prompt_id"]
            ids[told.encode()] = json.loads(reply.body)["prompt_id"].encode()
        alike(recorded, reply, ids)


ALONE: Final = (
    "h_origin_bad_host",
    "h_origin_badport",
    "h_origin_mismatch",
    "m_HEAD",
    "m_OPTIONS",
    "m_PUT",
    "p_slash",
    "pq_delete_pending",
    "pq_invalid_json",
    "q_empty",
    "auth_apikey",
)


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("version", VERSIONS)
def test_status_and_headers_are_those_of_080_too(name: str, version: str) -> None:
    reply = ComfyUI(VERSIONS[version], Clock()).answer(asked_in(name, RECORDINGS, {}))
    first, headers, _ = message((RECORDINGS / f"{name}.http").read_bytes())
    assert int(first.split(" ")[1]) == reply.status
    ours = {field.lower(): value for field, value in reply.headers.items()}
    for field in ("content-type", "allow", "connection"):
        assert headers.get(field) == ours.get(field)


@pytest.mark.parametrize(
    ("board", "dated", "shown", "chosen"),
    [(Comfy0364, False, True, True), (Comfy080, True, False, True), (Comfy0330, True, False, False)],
)
def test_versions_differ_in_what_they_keep_of_a_client(
    board: type[Comfy], *, dated: bool, shown: bool, chosen: bool
) -> None:
    server = ComfyUI(board, Clock())
    sent = {"prompt": {"1": {"class_type": "SaveImage"}}, "extra_data": {"api_key_comfy_org": "comfyui-x"}}
    assert server.answer(IncomingRequest("POST", "/api/prompt", body=json.dumps(sent).encode())).status == 200
    (item,) = json.loads(server.answer(IncomingRequest("GET", "/api/queue")).body)["queue_running"]
    assert ("create_time" in item[3]) is dated
    assert ("api_key_comfy_org" in item[3]) is shown
    named = server.answer(
        IncomingRequest("POST", "/api/prompt", body=json.dumps(sent | {"prompt_id": "mine"}).encode())
    )
    assert (named.status == 200) is chosen


# --- runs that write --------------------------------------------------------------------------------------------------


def requests(run: Run, *operations: Operation) -> list[Exchange]:
    return [one for one in run.client.ledger if one.request.operation in operations]


every_version = pytest.mark.parametrize("version", VERSIONS)


@every_version
@pytest.mark.parametrize("dialect", Dialect)
def test_a_run_that_writes_is_followed_to_its_end_and_leaves_nothing(version: str, dialect: str) -> None:
    run = run_of(version, dialect, populate=True)
    assert run.stopped is None
    assert run.said == []
    board = run.client.reference.board
    assert board is not None
    assert [*board.pending, *board.running] == []
    assert len(board.jobs) == POPULATE.jobs + 1, "the jobs, and the one whose prompt_id is there already"


@every_version
def test_the_runs_own_duplicate_breaks_one_clause(version: str) -> None:
    found = judged(run_of(version, "oss", populate=True))
    assert found.clause("queue.prompt-ids.distinct").status is Status.PASS
    assert found.clause("lifecycle.prompt-id-twice").status is Status.WARN


@pytest.mark.parametrize(("version", "cancels"), [("0.3.64", False), ("0.8.0", False), ("0.33.0", True)])
@pytest.mark.parametrize("shared", [False, True])
def test_off_loopback_a_running_job_is_stopped_by_a_route_that_names_it(
    version: str, *, cancels: bool, shared: bool
) -> None:
    """The versions that cannot cancel one job stop by an interrupt the job that it names."""
    clock = Clock()
    server = ComfyUI(VERSIONS[version], clock)
    if shared:
        server.board.add_theirs()
    run = ran(server, clock, POPULATE, host="comfy.example")
    theirs = [job for job in server.board.jobs if job.foreign]
    assert [job.status for job in theirs] == ["completed"] * shared
    assert [*server.board.pending, *server.board.running] == []
    assert run.said == []
    stopped = [json.loads(one.request.body)["prompt_id"] for one in requests(run, Operation.INTERRUPT)]
    assert set(stopped) <= {job.prompt_id for job in server.board.jobs if not job.foreign}
    assert bool(requests(run, Operation.CANCEL)) is True
    assert (run.client.leave is not None and run.client.leave.cancels) is cancels


class Unversioned(Comfy080):
    """A server that does not tell its version."""

    version = "?"


@pytest.mark.parametrize(
    ("interrupt", "host"), [(False, "comfy.example"), (True, "comfy.example"), (False, "127.0.0.1")]
)
def test_a_bare_interrupt_off_loopback_is_sent_only_with_leave(*, interrupt: bool, host: str) -> None:
    clock = Clock()
    run = ran(ComfyUI(Unversioned, clock), clock, ServerChanges(populate=True, interrupt=interrupt), host=host)
    assert bool(requests(run, Operation.INTERRUPT)) is (interrupt or host == "127.0.0.1")


def test_an_interrupt_that_is_not_there_is_not_repeated() -> None:
    class Bare(Unversioned):
        step = 1e9

        def interrupt(self, asked: Any) -> tuple[int, object]:
            del asked
            return 404, None

    clock = Clock()
    run = ran(ComfyUI(Bare, clock), clock, ServerChanges(populate=True, job_timeout=5.0))
    assert len(requests(run, Operation.INTERRUPT)) == 1
    assert len(requests(run, Operation.CANCEL)) == 1
    board = run.client.reference.board
    assert board is not None
    (left,) = board.running
    assert board.pending == []
    assert left.prompt_id in "".join(run.said)


# --- the register -----------------------------------------------------------------------------------------------------


def waived(run: Run) -> Report:
    return judged(run, read_register(REGISTER))


@every_version
@pytest.mark.parametrize("dialect", ["cloud", "oss"])
@pytest.mark.parametrize("populate", [False, True])
def test_the_register_waives_all_that_a_version_breaks(version: str, dialect: str, *, populate: bool) -> None:
    found = waived(run_of(version, dialect, populate=populate))
    assert [clause.id for clause in found.clauses if clause.status in {Status.FAIL, Status.WARN}] == []
    # what is waived keeps core clauses from being exercised: on elements 3 and 4, or on create_time
    whole = populate and dialect == "oss" and version != "0.3.64"
    assert found.verdict is (Verdict.CONFORMANT if whole else Verdict.INCONCLUSIVE)
    assert found.deviations is not None
    assert not found.deviations.problems


@pytest.mark.parametrize("version", ["0.8.0", "0.33.0"])
def test_check_with_the_register_exits_0(tmp_path: Path, version: str) -> None:
    with serving_comfyui(version) as (server, board):
        words = ("check", server.url, "--dialect=oss", "--populate", f"--deviations={REGISTER}")
        done = command_line(tmp_path, *words)
        assert [*board.pending, *board.running] == []
    assert done.returncode == 0, done.stdout
    assert report(tmp_path)["jobs"]["left"] == []


@pytest.mark.parametrize("version", one_in(4, VERSIONS))
@pytest.mark.parametrize("dialect", ["cloud", "oss"])
@pytest.mark.parametrize("step", [0.0005, 0.004, 0.7])
def test_nor_is_a_fast_or_a_slow_machine_accused(version: str, dialect: str, step: float) -> None:
    """Jobs that end between two reads are not lost; one that outlasts the duplicate of its id has not come back."""
    found = waived(run_of(version, dialect, populate=True, step=step))
    assert [clause.id for clause in found.clauses if clause.status in {Status.FAIL, Status.WARN}] == []
