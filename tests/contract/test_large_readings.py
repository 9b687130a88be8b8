"""Large bodies are read in windows, and the same is said of them as of small ones."""

from __future__ import annotations

import json

import pytest

from conformance import validate
from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.large_workflow import dense_workflow
from conformance.contract.terms import Dialect
from conformance.judge.judge import judge
from conformance.judge.report import Verdict
from helpers.answers import reads


@pytest.mark.parametrize(
    "body",
    [
        b"0\x80",
        b"0\x01",
        b'{"',
        b'"\x80',
        b"\x80",
        b"[" * 600,
        b'{"queue_pending": ' + b"[" * 600,
        b'{"queue_running": [], "queue_pending": []} {',
    ],
)
def test_a_large_reading_of_broken_json_breaks_the_same_clauses(body: bytes) -> None:
    large = body.rjust(2 << 20)
    assert {found.clause for found in validate(large)} == {found.clause for found in validate(body)}


@pytest.mark.parametrize(("numbers", "clause"), [("13.5", "rising"), ("1.5 0.25", "rising"), ("0.1 0.1", "distinct")])
def test_numbers_that_are_no_integers_are_compared(numbers: str, clause: str) -> None:
    jobs = ",".join(
        f'[{number},"{at:08}-1111-4111-8111-111111111111",{{"1":{{"class_type":"A","inputs":{{}}}}}},["1"],'
        f'{{"create_time":{1700000000000 + at}}}]'
        for at, number in enumerate(numbers.split() + ["9.0"] * numbers.startswith("13"))
    )
    body = f'{{"queue_running":[],"queue_pending":[{jobs}]}}'.encode()
    found = validate(body)
    assert f"queue.job-numbers.{clause}" in {each.clause for each in found}
    assert validate(body.rjust(2 << 20)) == found


def test_findings_are_limited_and_the_last_one_says_how_many_more_there_are() -> None:
    body = b'{"queue_running": [], "queue_pending": [%b]}' % b",".join([b"null"] * 1500)
    found = validate(body)
    assert len(found) == 1000
    assert found[-1].message.endswith("There are 500 more findings.")
    assert len(validate(body, limit=None)) == 1500


def test_a_limit_leaves_each_clause_its_first_findings() -> None:
    body = b'{"queue_running": [], "queue_pending": [%b]}' % b",".join([b"null", b"[]"] * 50)
    assert {finding.clause for finding in validate(body, limit=2)} == {"item.array", "item.five-elements"}


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        validate(b"{}", limit=0)


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b"[" + b"1," * (1 << 20) + b"1]", '["…"]'),
        (b'{"queue_running": [], "queue_pending": {%b"b": 1}}' % (b'"a": 1,' * (1 << 18)), '{"…": "…"}'),
    ],
)
def test_a_value_that_is_too_large_to_show_is_shown_as_left_out(body: bytes, got: str) -> None:
    assert validate(body)[0].got == got


# --- a job that is too large to be read as a whole ----------------------------------------------------------------

ID = "11111111-1111-4111-8111-111111111111"
NODE = '{"class_type":"A","inputs":{}}'
LINKED = '{"class_type":"A","inputs":{"x":["%s",0]}}'
TIME = '"create_time":1700000000001'
LONG = "x" * (3 << 20)


def of_job(workflow: str, outputs: str = '["7"]', metadata: str = f"{{{TIME}}}") -> bytes:
    """Return a queue with one job."""
    return f'{{"queue_running":[],"queue_pending":[[1,"{ID}",{workflow},{outputs},{metadata}]]}}'.encode()


WORKFLOWS = {
    "sound": f'{{"7":{NODE},"8":{NODE},"9":{NODE}}}',
    "linked": f'{{"7":{NODE},"8":{LINKED % 7},"9":{NODE}}}',
    "not a graph": '{"nodes":[],"links":[]}',
    "empty": "{}",
    "no class_type": f'{{"7":{NODE},"8":{{}},"9":null}}',
    "a class_type that is a number": f'{{"7":{NODE},"8":{{"class_type":1}}}}',
    "link to nowhere": f'{{"7":{NODE},"8":{LINKED % "z"},"9":{LINKED % 7}}}',
    "output to nowhere": f'{{"8":{NODE}}}',
    "no class_type and a link to nowhere": f'{{"7":{NODE},"8":{{"inputs":{{"x":["z",0]}}}}}}',
}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_shortened_workflow_breaks_the_same_clauses(name: str) -> None:
    text, whole = dense_workflow(WORKFLOWS[name].encode(), 0, ["7"])
    assert whole
    findings = [validate(of_job(workflow)) for workflow in (WORKFLOWS[name], text.decode())]
    assert [finding.pointer for finding in findings[0]] == [finding.pointer for finding in findings[1]]
    exercised = [
        {each.id for each in judge(reads(of_job(workflow)), Dialect.CLOUD).results if each.judged}
        for workflow in (WORKFLOWS[name], text.decode())
    ]
    assert exercised[0] == exercised[1]


def test_only_the_nodes_that_clauses_need_are_kept() -> None:
    text, _ = dense_workflow(b"{%b}" % b",".join(b'"%d":{"class_type":"A"}' % n for n in range(1000)), 0, ["7", "z"])
    assert set(json.loads(text)) == {"0", "7"}


@pytest.mark.parametrize("bound", ["NODES", "FAULTY"])
def test_a_workflow_with_too_many_nodes_or_faults_is_not_shortened(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"conformance.contract.reading.large_workflow.{bound}", 2)
    workflow = f'{{"7":{NODE},"8":{{}},"9":{{}},"10":{{}}}}'
    assert dense_workflow(workflow.encode(), 0, []) == (b'{"":0}', False)


@pytest.mark.parametrize(
    ("body", "breaches"),
    [
        (of_job("{" + ",".join(f'"{n}":{NODE}' for n in range(75_000)) + "}", '["7","z"]'), ["/queue_pending/0/3/1"]),
        (of_job(f'{{"7":{{"class_type":"A","inputs":{{"image":"{LONG}"}}}}}}'), []),
        (of_job(f'{{"7":{NODE}}}', metadata=f'{{{TIME},"more":{{"a":"{LONG}","a token":1}}}}'), []),
    ],
    ids=["many nodes", "a long string", "large metadata"],
)
def test_a_job_that_is_too_large_for_a_window_is_judged_whole(body: bytes, breaches: list[str]) -> None:
    assert [finding.pointer for finding in validate(body)] == breaches
    assert reading_of(body).summary.unread is None


def test_a_large_job_that_may_show_a_credential_is_not_certified() -> None:
    metadata = f'{{{TIME},"more":{{"a":"{LONG}","api_key":"abc123def456"}}}}'
    judgement = judge(reads(of_job(f'{{"7":{NODE}}}', metadata=metadata)), Dialect.CLOUD)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "no clause checked parts of 1 of 1 jobs" in judgement.reason


def test_a_response_with_more_names_than_are_compared_is_not_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.text.large_json.NAMES", 1)
    body = of_job(f'{{"7":{NODE}}}')[:-1] + f',"x":{{"a":"{LONG}","b":1,"c":2}}}}'.encode()
    judgement = judge(reads(body), Dialect.CLOUD)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert "names are distinct" in judgement.reason
