"""What users wrote into workflows: hidden on request everywhere, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from answers import item, queue, read, reads
from hypothesis import given
from outside import command_line, left_behind

from conformance.judge.judge import judge
from conformance.judge.masking import HIDDEN, masked, shows_workflow
from conformance.strategies import bodies

SECRETS = ("a portrait of Ann", "ann_face.safetensors", "8472910471", "secret note")
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 8472910471, "model": ["4", 0], "on": True}},
    "4": {"class_type": "Loader", "inputs": {"name": "ann_face.safetensors", "link": ["nowhere", 0]}},
    "6": {"class_type": "Encode", "inputs": {"text": "a portrait of Ann"}, "_meta": {"title": "secret note"}},
    "7": {"inputs": {"text": "a portrait of Ann"}},
}
FAULTY: dict[str, bytes] = {
    "as it should be": queue(item(1, e2=GRAPH), item(2, e2=GRAPH)),
    "a string for a workflow": queue(item(1, e2="a portrait of Ann")),
    "swapped, with a note": queue(item(1, e2=GRAPH, e3={"extra": "secret note"}, e4=["7"])),
    "a node that is a string": queue(item(1, e2={**GRAPH, "8": "secret note"})),
    "broken off": queue(item(1, e2=GRAPH))[:-40],
    "a name twice": queue(item(1, e2=GRAPH)).replace(b'"text": ', b'"text": "secret note", "text": '),
    "a control character": queue(item(1, e2=GRAPH)).replace(b"portrait of", b"portrait\x01of"),
    "bytes that are no text": queue(item(1, e2=GRAPH)).replace(b"portrait", b"portr\xffait"),
    "half a character": queue(item(1, e2=GRAPH)).replace(b"secret note", b"secret note\\ud800"),
    "an output node that is none": queue(item(1, e2=GRAPH, e3=["secret note"])),
    "not a number": queue(item(1, e2=GRAPH)).replace(b'"on": true', b'"on": NaN'),
}


@pytest.mark.parametrize("name", FAULTY)
def test_hidden_on_request_in_all_that_a_run_writes_and_prints(name: str, tmp_path: Path) -> None:
    body = tmp_path / "queue.json"
    body.write_bytes(FAULTY[name])
    arguments = ("judge", "queue.json", "--report-dir", "reports/latest")
    open_ = command_line(tmp_path, *arguments)
    shown = open_.stdout + left_behind(tmp_path)
    assert any(secret in shown for secret in SECRETS), "nothing was shown, so nothing can be hidden"
    closed = command_line(tmp_path, *arguments, "--redact-workflows")
    hidden = closed.stdout + closed.stderr + left_behind(tmp_path)
    assert [secret for secret in SECRETS if secret in hidden] == []
    assert "workflows are hidden" in closed.stdout.splitlines()[-2]
    assert open_.returncode == closed.returncode
    assert HIDDEN in hidden


def test_a_job_that_changed_is_told_without_its_workflow() -> None:
    changed = {**GRAPH, "9": {"class_type": "SaveImage", "inputs": {"text": "secret note"}}}
    judgement = judge(reads(queue(item(e2=GRAPH)), queue(item(e2=changed))), hide_workflows=True)
    assert "reads.job-data" in {found.id for found in judgement.results if found.evidence}
    assert not [secret for secret in SECRETS if secret in str(judgement)]


def test_the_structure_and_what_names_a_job_stay() -> None:
    text = json.dumps([7, "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", GRAPH, ["9"], {"create_time": 1763913600000}])
    hidden = masked(text)
    assert len(hidden) == len(text)
    assert hidden.startswith('[7, "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", {"3": {"class_type": "████████"')
    assert '"model": ["4", 0]' in hidden
    assert hidden.endswith('["9"], {"create_time": 1763913600000}]')


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in _leaves(member)]
    if isinstance(value, list):
        return [leaf for member in value for leaf in _leaves(member)]
    return [value] if isinstance(value, str) else []


@given(bodies(min_jobs=1))
def test_no_place_moves_and_every_string_of_a_workflow_goes(body: bytes) -> None:
    text = body.decode()
    hidden = masked(text)
    assert len(hidden) == len(text)
    info = json.loads(hidden.replace(HIDDEN, "1")) if "\\" not in text else {}
    workflows = [job[2] for jobs in info.values() if isinstance(jobs, list) for job in jobs]
    assert all(leaf.strip("1") == "" or leaf.replace(":", "").isdigit() or "-" in leaf for leaf in _leaves(workflows))


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_text_that_is_cut_off_anywhere_shows_nothing_more(cut: int) -> None:
    text = json.dumps(GRAPH)[:cut]
    assert len(masked(text)) == len(text)
    assert not [secret for secret in ("portrait", "ann_face", "847291", "secret") if secret in masked(text)]


def test_what_is_not_of_workflows_is_shown() -> None:
    broken = judge([read(queue(item(1, e1="job-1", e4={"create_time": 1})))], hide_workflows=True)
    told = " ".join(evidence.got for found in broken.results for evidence in found.evidence)
    assert '"job-1"' in told
    assert shows_workflow("item.workflow.object", "/queue_pending/0/2")
    assert not shows_workflow("item.create-time.number", "/queue_pending/0/4/create_time")
    assert not shows_workflow("http.date", None)


def test_a_queue_under_an_error_is_hidden_as_well(tmp_path: Path) -> None:
    answer = tmp_path / "answer.http"
    body = queue(item(1, e2=GRAPH))
    answer.write_bytes(
        b"HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    done = command_line(tmp_path, "judge", "answer.http", "--report-dir", "reports/latest", "--redact-workflows")
    shown = done.stdout + left_behind(tmp_path)
    assert HIDDEN in shown
    assert [secret for secret in SECRETS if secret in shown] == []
