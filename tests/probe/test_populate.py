"""A run that writes brings its own jobs, follows them, and leaves nothing behind, whatever happens to it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.exchange.model import Operation
from conformance.judge.report import Status, Verdict
from conformance.probe.limits import ServerChanges
from conformance.probe.populate import Populating
from conformance.probe.workflows import STEPS, NoWorkflow, built_in, output_class, unique
from conformance.reference.board import Board, BoardResponse
from conformance.reference.server import serve
from helpers.boards import Keeping, Stuck, UnstartedRun, exchanges_of, on, stop
from helpers.commands import command_line, report, suite
from helpers.simulated_runs import POPULATE, Played, endpoint, judged, played

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
