"""What users wrote into workflows: hidden on request everywhere, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given

from conformance.cli import main
from conformance.contract.reading.body import LISTS
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.judge import judge
from conformance.judge.masking import HIDDEN, mask_workflows, shows_workflow
from conformance.judge.report import encode
from conformance.load.gather import Gathering
from conformance.problems import UsageProblem
from conformance.render.qualifiers import flags
from conformance.run.settings import Settings
from conformance.strategies import bodies
from helpers.answers import item, queue, read, reads
from helpers.commands import command_line, left_behind
from helpers.run_options import make_settings

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
    body = FAULTY[name]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    (tmp_path / "queue.http").write_bytes(head + body)  # whole as sent: a cut-off file of JSON is refused
    arguments = ("judge", "queue.http", "--report-dir", "reports/latest")
    open_ = command_line(tmp_path, *arguments)
    shown = open_.stdout + left_behind(tmp_path)
    assert any(secret in shown for secret in SECRETS), "nothing was shown, so nothing can be hidden"
    closed = command_line(tmp_path, *arguments, "--redact-workflows")
    hidden = closed.stdout + closed.stderr + left_behind(tmp_path)
    assert [secret for secret in SECRETS if secret in hidden] == []
    assert "workflows are hidden" in closed.stdout.splitlines()[0]
    assert open_.returncode == closed.returncode
    assert HIDDEN in hidden


def test_a_job_that_changed_is_told_without_its_workflow() -> None:
    changed = {**GRAPH, "9": {"class_type": "SaveImage", "inputs": {"text": "secret note"}}}
    judgement = judge(reads(queue(item(e2=GRAPH)), queue(item(e2=changed))), hide_workflows=True)
    assert "reads.job-data" in {found.id for found in judgement.results if found.evidence}
    assert not [secret for secret in SECRETS if secret in str(judgement)]


def test_the_structure_and_what_names_a_job_stay() -> None:
    text = json.dumps([7, "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", GRAPH, ["9"], {"create_time": 1763913600000}])
    hidden = mask_workflows(text)
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
    hidden = mask_workflows(text)
    assert len(hidden) == len(text)
    info = json.loads(hidden.replace(HIDDEN, "1")) if "\\" not in text else {}
    workflows = [job[2] for name in LISTS for job in info.get(name, ())]
    assert all(leaf.strip("1") == "" or leaf.replace(":", "").isdigit() or "-" in leaf for leaf in _leaves(workflows))


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_text_that_is_cut_off_anywhere_shows_nothing_more(cut: int) -> None:
    text = json.dumps(GRAPH)[:cut]
    assert len(mask_workflows(text)) == len(text)
    assert not [secret for secret in ("portrait", "ann_face", "847291", "secret") if secret in mask_workflows(text)]


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


# --- off loopback -----------------------------------------------------------------------------------------------------


SOUND = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 8472910471, "model": ["4", 0], "text": "a portrait of Ann"}},
    "4": {"class_type": "Loader", "inputs": {"name": "ann_face.safetensors"}, "_meta": {"title": "secret note"}},
    "9": {"class_type": "SaveImage", "inputs": {}},
}
"""No finding is about its nodes."""


def recorded(host: str) -> str:
    """Return a HAR file with a read of a queue at this host."""
    body = queue(item(1, e0=0, e2=SOUND)).decode()
    entry = {
        "startedDateTime": "2026-01-01T03:00:00.000Z",
        "time": 10,
        "request": {"method": "GET", "url": f"http://{host}/api/queue", "httpVersion": "HTTP/1.1", "headers": []},
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": len(body), "mimeType": "application/json", "text": body},
        },
    }
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": [entry]}})


def judged(folder: Path, *options: str, expected: int = 1) -> str:
    """Judge what is in the folder, and return all that was written and printed."""
    result = CliRunner().invoke(main, ["judge", *options, "--report-dir", "reports/latest"])
    assert result.exit_code == expected, result.output
    return result.output + (left_behind(folder) if expected != 4 else "")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("host", ["cloud.comfy.org", "192.168.0.2:8188", "localhost.example.org"])
def test_a_recording_of_another_host_is_redacted_unless_its_workflows_are_to_be_shown(host: str, here: Path) -> None:
    (here / "queue.har").write_text(recorded(host), encoding="utf-8")
    hidden = judged(here, "queue.har")
    assert [secret for secret in (*SECRETS, "KSampler") if secret in hidden] == []
    assert "[workflows are hidden]" in hidden
    shown = judged(here, "queue.har", "--show-workflows")
    assert "KSampler" in shown
    assert "workflows are hidden" not in shown


@pytest.mark.parametrize("host", ["127.0.0.1:8188", "localhost", "[::1]:8188"])
def test_a_recording_of_loopback_is_shown_unless_it_is_to_be_redacted(host: str, here: Path) -> None:
    (here / "queue.har").write_text(recorded(host), encoding="utf-8")
    assert "KSampler" in judged(here, "queue.har")
    assert "KSampler" not in judged(here, "queue.har", "--redact-workflows")


def test_the_host_of_a_raw_recording_is_told_by_its_request(here: Path) -> None:
    body = queue(item(1, e0=0, e2=SOUND))
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    (here / "q.http").write_bytes(head.encode() + body)
    (here / "q.req").write_text(
        "GET /api/queue HTTP/1.1\r\nHost: cloud.comfy.org\r\n\r\n", encoding="utf-8", newline=""
    )
    assert "KSampler" not in judged(here, "q.http")


def test_whole_bodies_of_another_host_want_leave_to_be_shown(here: Path) -> None:
    (here / "queue.har").write_text(recorded("cloud.comfy.org"), encoding="utf-8")
    assert "add --show-workflows" in judged(here, "queue.har", "--full-bodies", expected=4)
    assert "KSampler" in judged(here, "queue.har", "--full-bodies", "--show-workflows")


@pytest.mark.parametrize(
    ("typed", "hidden"),
    [
        ({"target": "https://cloud.comfy.org"}, True),
        ({"target": "http://192.168.0.2:8188"}, True),
        ({"target": "https://cloud.comfy.org", "show_workflows": True}, False),
        ({"target": "http://127.0.0.1:8188"}, False),
        ({"target": "127.0.0.1:8188"}, False),
        ({"target": "http://127.0.0.1:8188", "redact_workflows": True}, True),
        ({}, False),
    ],
)
def test_workflows_are_hidden_off_loopback_and_on_request(typed: dict[str, Any], *, hidden: bool) -> None:
    made = make_settings({}, **typed)
    assert made.hides_workflows is hidden
    assert made.options()["redact_workflows"] is hidden
    exchanges = tuple(reads(queue(item(1, e0=0, e2=SOUND))))
    report = report_on(Transcript(exchanges, made.target or "embedded", 0.0, 1.0, None), made.judging)
    assert (b"KSampler" in encode(report)) is not hidden
    assert ("workflows are hidden" in flags(report)) is hidden


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"show_workflows": True, "redact_workflows": True}, "contradict each other"),
        ({"target": "https://cloud.comfy.org", "full_bodies": True}, "add --show-workflows"),
    ],
)
def test_what_cannot_be_meant_is_refused(typed: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageProblem, match=told):
        make_settings({}, **typed)


def test_load_hides_them_off_loopback_too() -> None:
    gathering = Gathering(make_settings({}, target="https://cloud.comfy.org").hides_workflows)
    assert gathering.hide_workflows


def test_a_finding_about_nodes_keeps_their_class_types_and_nothing_else() -> None:
    judgement = judge(reads(queue(item(1, e2=GRAPH))), hide_workflows=True)
    found = next(found for found in judgement.results if found.id == "workflow.class-types")
    assert "KSampler" in str(found.evidence) or "Encode" in str(found.evidence)
    assert [secret for secret in SECRETS if secret in str(judgement)] == []
    beside = judge(reads(queue(item(1, e0=0, e2=GRAPH))), hide_workflows=True)
    number = next(found for found in beside.results if found.id == "item.job-number.one-based")
    assert number.evidence
    assert "KSampler" not in str(number.evidence)


@pytest.mark.parametrize(
    "text", ['{"class_type" : "A\\"B", "x": "secret"}', '{"class_type":"KS', '["class_type", "secret"]']
)
def test_class_types_are_the_values_of_that_member_alone(text: str) -> None:
    shown = mask_workflows(text, class_types=True)
    assert len(shown) == len(text)
    assert "secret" not in shown


def test_an_error_without_any_part_of_a_job_is_shown_as_it_came() -> None:
    error = read(b'{"code": "UNAUTHORIZED", "message": "Invalid API key"}', status=401)
    report = report_on(Transcript((error,), "https://t", 0.0, 1.0, None), Settings(target="https://t").judging)
    assert "Invalid API key" in encode(report).decode()


def test_many_findings_in_a_large_body_mask_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(text: str, **_: bool) -> str:
        calls.append(text)
        return text

    monkeypatch.setattr("conformance.judge.excerpt.mask_workflows", counted)
    judge(reads(queue(*(item(n, e0=0, e1="x", e3=[], e4={}) for n in range(1, 30)))), hide_workflows=True)
    assert len(calls) == 1
