"""A run that writes brings its own jobs, follows them, and leaves nothing behind, whatever happens to it."""

from __future__ import annotations

import asyncio
import copy
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.exchange.headers import Headers
from conformance.exchange.model import Operation, Response
from conformance.judge.report import Status, Verdict
from conformance.probe.jobs import CLEAN_UP
from conformance.probe.limits import Bounds, ServerChanges
from conformance.probe.populate import Populating
from conformance.probe.workflows import STEPS, NoWorkflow, built_in, output_class, unique
from conformance.reference.board import Board, BoardResponse, InBetween, Job
from conformance.reference.queue import Queue
from conformance.reference.server import serve
from helpers.boards import PATIENT, Keeping, Stuck, UnstartedRun, exchanges_of
from helpers.commands import command_line, on_a_terminal, report, suite
from helpers.simulated_runs import POPULATE, Played, Run, endpoint, judged, played


def on(board: type[Board], server_changes: ServerChanges = PATIENT, bounds: Bounds | None = None) -> Run:
    """Run on a board of one's own."""
    return UnstartedRun(board, server_changes, bounds).run_to_end()


# --- a verdict for a queue that was idle ------------------------------------------------------------------------------


def test_an_idle_queue_gets_a_verdict_on_its_jobs() -> None:
    found = judged(played(server_changes=ServerChanges(populate=True)))
    assert found.verdict is Verdict.CONFORMANT
    assert [result.id for result in found.clauses if result.core and result.status is not Status.PASS] == []
    assert found.counts.exercised > 100


def test_jobs_are_submitted_in_order_the_first_ones_slow_and_each_unlike_the_others() -> None:
    bodies = [json.loads(one.request.body) for one in exchanges_of(played(), Operation.SUBMIT)]
    jobs = [sent["prompt"] for sent in bodies[: POPULATE.jobs]]
    assert [len(job) > STEPS for job in jobs] == [True, True, *[False] * (POPULATE.jobs - 2)]
    assert len({json.dumps(job) for job in jobs}) == len(jobs)
    assert len({job["1"]["inputs"]["color"] for job in jobs}) == len(jobs)
    assert [sent.keys() - {"prompt"} for sent in bodies if len(sent) > 1] == [
        {"client_id", "extra_data"},
        {"number"},
        {"front"},
        {"prompt_id"},
    ]


def test_one_job_is_submitted_as_comfyuis_frontend_does() -> None:
    for done in (played(), played("oss-takes-jobs", dialect="oss"), on(Stuck, ServerChanges(populate=True, jobs=3))):
        bodies = [json.loads(one.request.body) for one in exchanges_of(done, Operation.SUBMIT)]
        (sent,) = [sent for sent in bodies if "client_id" in sent]
        editor = sent["extra_data"]["extra_pnginfo"]["workflow"]
        assert [node["type"] for node in editor["nodes"]] == [node["class_type"] for node in sent["prompt"].values()]
        assert len(sent["client_id"]) == 32


def test_under_comfyuis_own_order_nobody_is_overtaken() -> None:
    bodies = [
        json.loads(one.request.body) for one in exchanges_of(played("oss-takes-jobs", dialect="oss"), Operation.SUBMIT)
    ]
    assert {name for sent in bodies for name in sent} == {"prompt", "prompt_id", "client_id", "extra_data"}


def test_where_others_wait_nobody_is_overtaken_either() -> None:
    bodies = [
        json.loads(one.request.body) for one in exchanges_of(played("takes-jobs-of-others-too"), Operation.SUBMIT)
    ]
    assert {name for sent in bodies for name in sent} <= {"prompt", "prompt_id", "client_id", "extra_data"}


def test_no_more_jobs_are_submitted_than_were_asked_for() -> None:
    few = on(Stuck, ServerChanges(populate=True, jobs=3, job_timeout=1.0))
    assert len(few.client.reference.board.jobs if few.client.reference.board else []) <= 3 + 1
    assert len(exchanges_of(few, Operation.SUBMIT)) == 3 + 2


# --- workflows --------------------------------------------------------------------------------------------------------


def test_a_preview_is_preferred_to_a_file_that_stays() -> None:
    assert output_class(["EmptyImage", "ImageScale", "SaveImage", "PreviewImage"]) == "PreviewImage"
    assert output_class(["EmptyImage", "ImageScale", "SaveImage"]) == "SaveImage"
    assert output_class(None) == "SaveImage"


@pytest.mark.parametrize("classes", [[], ["EmptyImage", "ImageScale"], ["ImageScale", "SaveImage"]])
def test_a_server_without_the_nodes_is_told_what_is_missing(classes: list[str]) -> None:
    with pytest.raises(NoWorkflow):
        output_class(classes)

    class Bare(Board):
        pass

    Bare.classes = ("KSampler", *classes)
    done = on(Bare)
    assert done.stopped is not None
    assert done.stopped.startswith("nothing was submitted: the built-in workflows need EmptyImage, ImageScale")
    assert done.stopped.endswith("give one with --workflow")
    assert exchanges_of(done, Operation.SUBMIT) == []


def test_a_workflow_of_the_users_is_sent_with_seeds_of_its_own_and_stays_as_it_was() -> None:
    mine = {"7": {"class_type": "SaveImage", "inputs": {"seed": 1, "filename_prefix": "mine", "steps": 20}}}
    before = json.dumps(mine)
    done = on(Board, ServerChanges(populate=True, workflows=(mine,), workflow_files=("mine.json",)))
    sent = [json.loads(one.request.body)["prompt"] for one in exchanges_of(done, Operation.SUBMIT)][:8]
    assert json.dumps(mine) == before
    assert len({graph["7"]["inputs"]["seed"] for graph in sent}) == 8
    assert all(graph["7"]["inputs"]["filename_prefix"].startswith("mine-") for graph in sent)
    assert all(graph["7"]["inputs"]["steps"] == 20 for graph in sent)


def test_the_mark_of_a_run_stands_in_every_workflow() -> None:
    assert "token-3" in json.dumps(unique(built_in("SaveImage", slow=False), "token-3"))
    assert "token-3" in json.dumps(unique({"1": {"class_type": "X"}}, "token-3"))


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [402, 403, 404, 429, 500])
def test_a_server_that_takes_no_prompt_is_judged_by_its_reads_and_the_run_is_inconclusive(status: int) -> None:
    class Refusing(Board):
        def submit(self, _asked: Any) -> BoardResponse:
            return status, {"error": "no"}

    done = on(Refusing)
    assert done.stopped == f"no job was accepted: POST /api/prompt got a {status}"
    assert len(exchanges_of(done, Operation.SUBMIT)) == 1
    found = judged(done)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.clause("http.content-type").status is Status.PASS, "the plan was followed all the same"
    assert done.said == []


def test_where_the_queue_cannot_be_read_nothing_is_submitted() -> None:
    reference, clock = endpoint("takes-jobs")
    client = Played(reference, clock, POPULATE)
    reference.key = "another"

    async def plan() -> str | None:
        return None

    populating = Populating(client, POPULATE, plan, print, max_requests=900, priorities=True)
    assert asyncio.run(populating.run()) == "nothing was submitted, because the queue could not be read"
    assert [one.request.method for one in client.ledger] == ["GET"]


# --- clean-up ---------------------------------------------------------------------------------------------------------


def test_jobs_that_do_not_end_in_their_time_are_removed() -> None:
    run = UnstartedRun(Stuck)
    done = run.run_to_end()
    assert run.alive == []
    assert done.said == []
    assert done.populating.outcome.left == ()


def test_jobs_are_removed_after_a_mistake_of_our_own() -> None:
    run = UnstartedRun(Stuck)

    async def broken() -> str | None:
        raise ZeroDivisionError

    run.populating.plan = broken
    with pytest.raises(ZeroDivisionError):
        run.run_to_end()
    assert run.alive == []


def test_jobs_are_removed_after_the_deadline() -> None:
    run = UnstartedRun(Stuck, bounds=Bounds(deadline=0.3, max_requests=900))
    done = run.run_to_end()
    assert done.stopped == "the time for the run (--deadline)"
    assert run.alive == []
    assert len(exchanges_of(done, Operation.SUBMIT)) >= 3


def test_jobs_are_removed_where_the_limit_of_requests_is_reached() -> None:
    run = UnstartedRun(Stuck, bounds=Bounds(max_requests=25))
    done = run.run_to_end()
    assert done.stopped == "the limit of 25 requests (--max-requests)"
    assert run.alive == []


@pytest.mark.parametrize("at", [5, 12, 20, 40, 90])
def test_jobs_are_removed_wherever_the_run_is_stopped(at: int) -> None:
    run = UnstartedRun(Stuck)
    run.client.on_answer = lambda _method, _url: stop() if run.client.sent == at else None
    with pytest.raises(asyncio.CancelledError):
        run.run_to_end()
    assert run.alive == []
    assert run.said == []


def stop() -> None:
    """Do what Ctrl-C does to a run."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


def test_what_could_not_be_removed_is_named() -> None:
    run = UnstartedRun(Keeping)
    began = run.client.monotonic()
    done = run.run_to_end()
    alive = [job.prompt_id for job in run.alive]
    assert len(alive) >= 8
    (said,) = done.said
    assert all(name in said for name in alive)
    assert set(done.populating.outcome.left) == set(alive)
    assert run.client.monotonic() - began < 120 + CLEAN_UP


def test_ids_are_sent_back_as_the_server_writes_them() -> None:
    class Shouting(Stuck):
        def id_for(self, body: dict[str, Any]) -> str:
            return super().id_for(body).upper()

    run = UnstartedRun(Shouting)
    assert run.run_to_end().said == []
    assert run.alive == []


def test_a_job_among_those_of_others_is_left_running_and_named() -> None:
    class Crowded(Stuck):
        workers = 2
        foreign = 1e9

        def __init__(self, now: float, seed: int = 0) -> None:
            super().__init__(now, seed)
            self._arrivals = now

    run = UnstartedRun(Crowded)
    done = run.run_to_end()
    ours = [job.prompt_id for job in run.alive if not job.foreign]
    assert len(ours) >= 1
    assert all(job.status == "in_progress" for job in run.alive if not job.foreign)
    assert set(done.populating.outcome.left) == set(ours)
    assert exchanges_of(done, Operation.INTERRUPT) == []


def test_where_the_server_is_gone_every_job_is_named() -> None:
    run = UnstartedRun(Stuck)

    async def gone() -> str | None:
        run.reference.path = "/elsewhere"
        return None

    run.populating.plan = gone
    done = run.run_to_end()
    (said,) = done.said
    assert all(job.prompt_id in said for job in run.alive)


class Cached(Stuck):
    """A board that is read from a cache of two seconds."""

    shown: tuple[float, Queue] | None = None

    def snapshot(self) -> Queue:
        if self.shown is None or self.now - self.shown[0] > 2.0:
            self.shown = self.now, super().snapshot()
        return copy.deepcopy(self.shown[1])


class Late(Stuck):
    """A board that lists nobody in the first two seconds."""

    def snapshot(self) -> Queue:
        fresh = {job.prompt_id for job in self.jobs if self.now - job.created < 2.0}
        listed = super().snapshot()
        return {name: [item for item in items if item[1] not in fresh] for name, items in listed.items()}


class LastInBetween(InBetween):
    """A board whose last job never ends, and is a second on its way into the list of what runs."""

    moment = 1.0

    def start(self, job: Job) -> None:
        super().start(job)
        if not self.pending:
            job.ends = 1e12


@pytest.mark.parametrize("board", [Cached, Late, LastInBetween])
def test_jobs_that_a_read_does_not_show_yet_are_removed_all_the_same(board: type[Board]) -> None:
    run = UnstartedRun(board)
    done = run.run_to_end()
    assert run.alive == []
    assert (done.said, done.populating.outcome.left) == ([], ())
    assert done.populating.leave.seen, "the jobs were waited for"


def test_a_server_that_says_not_now_is_asked_to_remove_them_again() -> None:
    class Busy(Stuck):
        def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
            return [] if broken.is_set() else super().jobs_to_remove(names, clear=clear)

    broken = asyncio.Event()
    run = UnstartedRun(Busy)
    send = run.client._send

    async def refusing(method: str, url: str, headers: Headers, body: bytes = b"") -> tuple[Response | None, Any]:
        answer, problem = await send(method, url, headers, body)
        return (Response(503, ()) if broken.is_set() else answer), problem

    async def busy() -> str | None:
        broken.set()
        run.client.on_answer = lambda _method, _url: broken.clear() if run.client.monotonic() > later else None
        later = run.client.monotonic() + 5.0
        return "busy"

    run.client._send = refusing  # type: ignore[method-assign]
    run.populating.plan = busy
    assert run.run_to_end().said == []
    assert run.alive == []


def test_where_the_queue_cannot_be_read_any_more_what_waits_is_deleted_all_the_same() -> None:
    run = UnstartedRun(Stuck)
    send = run.client._send

    async def blind(method: str, url: str, headers: Headers, body: bytes = b"") -> tuple[Response | None, Any]:
        answer, problem = await send(method, url, headers, body)
        return (Response(500, ()) if method == "GET" else answer), problem

    async def gone() -> str | None:
        run.client._send = blind  # type: ignore[method-assign]
        return "the queue cannot be read"

    run.populating.plan = gone
    (said,) = run.run_to_end().said
    assert [job.status for job in run.alive] in (["in_progress"], [])
    assert all(job.prompt_id in said for job in run.alive)


def test_other_peoples_jobs_do_not_make_us_look_more_often() -> None:
    class Restless(Stuck):
        workers = 2
        foreign = 0.05

        def start(self, job: Job) -> None:
            super().start(job)
            job.ends = self.now + 0.01 if job.foreign else job.ends

    done = on(Restless)
    assert len([one for one in done.client.ledger if "until the jobs have ended" in one.request.purpose]) < 40


def test_an_id_in_the_answer_and_another_in_the_queue_are_one_prompt() -> None:
    class Renaming(Board):
        def response_id(self, job: Job) -> str:
            return str(uuid.UUID(int=uuid.UUID(job.prompt_id).int ^ 1))

    found = on(Renaming).populating.outcome
    assert found.taken < found.submitted


def test_an_answer_to_a_prompt_that_nests_too_deep_is_no_mistake_of_ours() -> None:
    run = UnstartedRun(Stuck)
    send = run.client._send

    async def deep(method: str, url: str, headers: Headers, body: bytes = b"") -> tuple[Response | None, Any]:
        answer, problem = await send(method, url, headers, body)
        return (Response(200, (), b"[" * 100_000) if url.endswith("/prompt") else answer), problem

    run.client._send = deep  # type: ignore[method-assign]
    assert run.run_to_end().said == []
    assert run.alive == []


def test_names_that_a_server_gives_are_said_harmlessly_and_briefly() -> None:
    class Hostile(Keeping):
        def id_for(self, _asked: dict[str, Any]) -> str:
            return f"\x1b[2J{len(self.jobs)}\u202e" + "x" * 5000

    (said,) = on(Hostile).said
    assert said.isprintable()
    assert len(said) < 2200


def test_a_submission_that_was_not_answered_is_found_by_its_mark() -> None:
    run = UnstartedRun(Stuck)
    prompts: list[str] = []

    def lose(method: str, url: str) -> None:
        if method == "POST" and url.endswith("/prompt"):
            prompts.append(url)
            stop()

    run.client.on_answer = lose
    with pytest.raises(asyncio.CancelledError):
        run.run_to_end()
    assert len(prompts) == 1
    assert run.reference.board is not None
    assert [job.status for job in run.reference.board.jobs] == ["cancelled"]


# --- as users run it --------------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_where_nothing_can_be_removed_names_what_is_left() -> None:
    run = UnstartedRun(Keeping)
    run.client.on_answer = lambda _method, _url: stop() if run.client.sent == 40 else None
    with pytest.raises(asyncio.CancelledError):
        run.run_to_end()
    (said,) = run.said
    assert len(run.alive) >= 5
    assert all(job.prompt_id in said for job in run.alive)


def test_an_idle_server_is_conformant_and_the_report_says_what_was_submitted(tmp_path: Path) -> None:
    with serve("takes-jobs") as server:
        done = command_line(tmp_path, "check", server.url, "--populate", "--clear")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 jobs are submitted" in done.stderr
    found = report(tmp_path)
    assert found["jobs"] == {"submitted": 10, "taken": 9, "left": []}
    assert found["run"]["options"]["populate"] is True
    prompts = [one["request"] for one in found["exchanges"] if one["request"]["method"] == "POST"]
    assert all(request["size"] for request in prompts)
    assert any('"class_type": "EmptyImage"' in request["body"] for request in prompts)


def test_workflows_that_were_sent_are_hidden_on_request(tmp_path: Path) -> None:
    mine = {"7": {"class_type": "SaveImage", "inputs": {"text": "a secret castle", "images": 1}}}
    (tmp_path / "mine.json").write_text(json.dumps(mine), encoding="utf-8")
    with serve(fault="loses-inputs") as server:
        words = ("check", server.url, "--populate", "--workflow", "mine.json", "--redact-workflows")
        done = command_line(tmp_path, *words)
    assert "mine.json" in done.stderr
    kept = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "reports/latest").iterdir())
    assert "secret castle" not in kept + done.stdout
    assert report(tmp_path)["jobs"]["taken"] >= 8


def test_pytest_writes_too(tmp_path: Path) -> None:
    with serve("takes-jobs") as server:
        done = suite(tmp_path, "-p", "no:cacheprovider", "--target", server.url, "--populate", "-q")
    assert done.returncode == 0, done.stdout
    assert report(tmp_path)["jobs"]["taken"] == 9


# --- consent ----------------------------------------------------------------------------------------------------------

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
