"""The reference endpoint takes jobs as Comfy Cloud's document says. No contract code here: plain assertions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from conformance.reference.app import Reference
from conformance.reference.board import Board
from conformance.reference.faults import FAULTS
from conformance.reference.message import HangUpError, IncomingRequest
from conformance.reference.server import serve
from conformance.reference.variants import VARIANTS

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"color": 1}, "_meta": {"title": "日本 👩‍🚀"}},
    "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}
TIMES = 0.1
"""Seconds that GRAPH takes on a board that is not changed: two nodes."""


class Desk:
    """The endpoint without its network, on a clock that goes by hand."""

    def __init__(self, variant: str = "takes-jobs", fault: str | None = None) -> None:
        self.now = 1_795_000_000.0
        self.reference = Reference(
            VARIANTS[variant], FAULTS[fault] if fault else None, path="/api/queue", clock=lambda: self.now
        )

    def ask(self, method: str, name: str, body: Any = None, query: str = "") -> tuple[int, Any]:
        """Return status and body of the response; the status is 0 without a response."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            reply = self.reference.answer(IncomingRequest(method, f"/api/{name}", query, body=content))
        except HangUpError:
            return 0, None
        written = reply.headers.get("Content-Type", "").startswith("application/json")
        return reply.status, json.loads(reply.body) if written else reply.body or None

    def submit(self, **members: Any) -> str:
        status, answer = self.ask("POST", "prompt", {"prompt": GRAPH, **members})
        assert status == 200
        return str(answer["prompt_id"])

    def lists(self) -> tuple[list[str], list[str]]:
        _, queue = self.ask("GET", "queue")
        return [item[1] for item in queue["queue_running"]], [item[1] for item in queue["queue_pending"]]


def test_the_first_job_runs_and_the_others_wait_in_their_order() -> None:
    desk = Desk()
    first, *others = [desk.submit(**more) for more in ({}, {}, {"number": -5}, {"front": True})]
    assert desk.lists() == ([first], others)
    desk.now += TIMES + 0.001
    assert desk.lists() == (others[:1], others[1:])
    desk.now += 10
    assert desk.lists() == ([], [])


def test_a_job_keeps_what_was_submitted_and_when() -> None:
    desk = Desk()
    desk.submit()
    prompt_id = desk.submit()
    for list_name in ("queue_pending", "queue_running"):
        _, queue = desk.ask("GET", "queue")
        (item,) = (item for item in queue[list_name] if item[1] == prompt_id)
        assert item[2:] == [GRAPH, ["2"], {"create_time": 1_795_000_000_000}]
        desk.now += TIMES + 0.001


def test_time_that_goes_by_in_one_leap_and_in_small_steps_comes_to_the_same() -> None:
    leap, steps = Desk("takes-jobs-of-others-too"), Desk("takes-jobs-of-others-too")
    for desk in (leap, steps):
        desk.submit()
    leap.now += 2.0
    for _ in range(200):
        steps.now += 0.01
        steps.lists()
    assert leap.lists() == steps.lists()


def test_a_prompt_that_cannot_be_run_is_refused() -> None:
    desk = Desk()
    prompts: list[Any] = [None, {}, [], {"1": {"class_type": "NoSuchNode"}}, {"1": 7}]
    for prompt in prompts:
        assert desk.ask("POST", "prompt", {"prompt": prompt})[0] == 400
    assert desk.ask("POST", "prompt", b"{")[0] == 400
    assert desk.lists() == ([], [])


def test_a_prompt_id_of_the_clients_is_ignored() -> None:
    desk = Desk()
    wanted = desk.submit()
    assert desk.submit(prompt_id=wanted) != wanted


def test_deleting_removes_pending_jobs_by_id_and_says_which() -> None:
    desk = Desk()
    running, waiting, other = (desk.submit() for _ in range(3))
    assert desk.ask("POST", "queue", {"delete": [waiting, running, "nobody"]}) == (200, {"deleted": [waiting]})
    assert desk.lists() == ([running], [other])
    assert desk.ask("POST", "queue", {"delete": [waiting]}) == (200, {"deleted": []})


def test_clearing_removes_what_waits_and_clear_false_nothing() -> None:
    desk = Desk()
    running, *waiting = (desk.submit() for _ in range(3))
    assert desk.ask("POST", "queue", {"clear": False}) == (200, {"deleted": [], "cleared": False})
    assert desk.lists() == ([running], waiting)
    assert desk.ask("POST", "queue", {"clear": True}) == (200, {"deleted": [], "cleared": True})
    assert desk.lists() == ([running], [])


@pytest.mark.parametrize(
    "body", [b"{", {"delete": 7}, {"delete": "x"}, {"delete": [1]}, {"clear": "yes"}, {"foo": 1}, []]
)
def test_a_malformed_request_to_remove_jobs_is_a_400(body: Any) -> None:
    status, answer = Desk().ask("POST", "queue", body)
    assert (status, sorted(answer)) == (400, ["code", "message"])


def test_an_interrupt_stops_what_runs_and_starts_what_waits() -> None:
    desk = Desk("takes-jobs-on-three-workers")
    jobs = [desk.submit() for _ in range(5)]
    assert desk.lists() == (jobs[:3], jobs[3:])
    assert desk.ask("POST", "interrupt") == (200, None)
    assert desk.lists() == (jobs[3:], [])
    desk.now += 1
    assert desk.ask("POST", "interrupt") == (200, None)


def test_the_list_of_jobs_in_both_spellings_of_its_parameters() -> None:
    desk = Desk()
    jobs = [desk.submit() for _ in range(3)]
    for sort in ("create_time", "created_at", "execution_time", "execution_duration"):
        status, found = desk.ask("GET", "jobs", query=f"status=pending,in_progress&sort_by={sort}&limit=2")
        assert status == 200
        assert [(job["id"], job["status"]) for job in found["jobs"]] == [(jobs[2], "pending"), (jobs[1], "pending")]
        assert found["pagination"] == {"offset": 0, "limit": 2, "total": 3, "has_more": True}
    assert desk.ask("GET", "jobs", query="sort_by=name")[0] == 400
    desk.now += TIMES + 0.001
    _, found = desk.ask("GET", "jobs")
    assert [job["status"] for job in found["jobs"]] == ["pending", "in_progress", "completed"]
    assert {job["create_time"] for job in found["jobs"]} == {1_795_000_000}


def test_how_many_jobs_remain_and_which_nodes_there_are() -> None:
    desk = Desk()
    for _ in range(3):
        desk.submit()
    assert desk.ask("GET", "prompt") == (200, {"exec_info": {"queue_remaining": 3}})
    assert set(desk.ask("GET", "object_info")[1]) == set(Board.classes)


def test_comfyuis_ways() -> None:
    desk = Desk("oss-takes-jobs")
    first, second = desk.submit(), desk.submit(prompt_id="mine")
    third, ahead = desk.submit(number=0.5), desk.submit(front=True)
    assert (second, desk.lists()) == ("mine", ([first], [ahead, third, second]))
    _, queue = desk.ask("GET", "queue")
    assert [item[0] for item in queue["queue_pending"]] == [-2, 0.5, 1]
    assert queue["queue_running"][0][2:] == [GRAPH, {"create_time": 1_795_000_000_000}, ["2"]]
    assert desk.ask("POST", "queue", {"delete": ["mine"]}) == (200, None)
    assert desk.reference.answer(IncomingRequest("POST", "/api/queue", body=b"{")).status == 400


def test_a_key_is_demanded_of_those_who_write_too() -> None:
    with serve("takes-jobs", key="sesame") as server, httpx.Client(trust_env=False, base_url=server.url) as client:
        for path in ("/api/prompt", "/api/queue", "/api/interrupt"):
            assert client.post(path, json={"prompt": GRAPH}).status_code == 401
        assert client.get("/api/jobs").status_code == 401
        taken = client.post("/api/prompt", json={"prompt": GRAPH}, headers={"X-API-Key": "sesame"})
        assert taken.status_code == 200
        assert client.put("/api/queue").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_queue_that_only_moves_takes_no_jobs() -> None:
    with serve() as server, httpx.Client(trust_env=False, base_url=server.url) as client:
        assert client.post("/api/prompt", json={"prompt": GRAPH}).status_code == 404
        assert client.post("/api/queue", json={"clear": True}).status_code == 405


def told(desk: Desk) -> list[Any]:
    """Ask everything that there is to ask, with time between, and return what was answered."""
    said = []
    ids = []
    frontend = {"client_id": "a", "extra_data": {"extra_pnginfo": {"workflow": {"nodes": []}}}}
    beside: list[dict[str, Any]] = [{}, {}, {"number": -1}, {"front": True}, frontend, *[{}] * 7]
    for more in beside:
        said.append(desk.ask("POST", "prompt", {"prompt": GRAPH, **more}))
        ids.append(str((said[-1][1] or {}).get("prompt_id", "")).lower())
        said.append(desk.ask("GET", "queue"))
        desk.now += 0.01
    bodies: list[Any] = [
        {"delete": ["00000000-0000-4000-8000-000000000000"]},
        {"clear": False},
        b"{",
        {"delete": ids[5:6]},
    ]
    for body in bodies:
        said += [desk.ask("POST", "queue", body), desk.ask("GET", "queue"), desk.ask("GET", "jobs")]
    wrong = {"1": {"class_type": "NoSuchNodeOfAnybody", "inputs": {}}}
    for body in ({"prompt": wrong}, {"prompt": GRAPH, "prompt_id": ids[4]}):
        said += [desk.ask("POST", "prompt", body), desk.ask("GET", "queue")]
    said += [desk.ask("GET", "prompt"), desk.ask("POST", "interrupt", {"prompt_id": ids[0]}), desk.ask("GET", "queue")]
    for _ in range(60):
        desk.now += 0.05
        said.append(desk.ask("GET", "queue"))
    said += [desk.ask("POST", "queue", {"clear": True}), desk.ask("GET", "queue")]
    desk.now += 60
    return [
        *said,
        desk.ask("POST", "interrupt", {"prompt_id": ids[0]}),
        desk.ask("GET", "queue"),
        desk.ask("GET", "jobs"),
        desk.ask("POST", "queue", {"delete": 7}),
        desk.ask("GET", "queue"),
    ]


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.needs_jobs and not fault.under_load])
def test_a_fault_of_what_becomes_of_jobs_changes_an_answer(name: str) -> None:
    variant = FAULTS[name].variant
    assert told(Desk(variant)) == told(Desk(variant)), "the truth is the same every time"
    assert told(Desk(variant)) != told(Desk(variant, name))
