"""What the strategies draw is accused by nobody, is as odd as they promise, and would be accused if it were broken."""

from __future__ import annotations

import ast
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from conformance import strategies
from conformance.contract.terms import Dialect
from conformance.judge.judge import Judgement, judge
from conformance.judge.report import Status, Verdict
from conformance.strategies import bodies, encoded, errors, items, prompt_ids, queue_infos, workflows
from conformance.strategies.values import looks_like_no_credential, names_no_credential
from conformance.text import credentials
from helpers.answers import HEADERS, NOW, broken, item, queue, read, reads

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of what ``find`` finds, not shrunk
FEWER = settings().max_examples // 3
"""Examples where a few show it."""
KEPT = {Status.PASS, Status.NOT_EXERCISED, Status.NOT_APPLICABLE}


def accused(judgement: Judgement) -> dict[str, Any]:
    """Return the clauses that found something, or failed themselves."""
    return {
        result.id: result.evidence or result.reason
        for result in judgement.results
        if result.evidence or result.status not in KEPT
    }


def written(value: Any) -> str:
    """Return a value in one notation: it tells 1 from 1.0 and from true, as ``==`` does not."""
    return json.dumps(value, sort_keys=True)


def members(value: Any) -> Iterator[Any]:
    """Yield a value and all values inside it."""
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(child)


def inside(value: Any, kind: type) -> list[Any]:
    """Return the values of one type inside a value."""
    return [member for member in members(value) if type(member) is kind]


def depth(value: Any) -> int:
    """Return the levels of nesting."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(depth, children), default=0)


# --- nobody accuses ---------------------------------------------------------------------------


@given(bodies())
def test_no_clause_accuses_a_queue_of_comfy_cloud(body: bytes) -> None:
    for dialect in (Dialect.CLOUD, Dialect.AUTO):
        assert accused(judge(reads(body, body, body), dialect)) == {}


@given(bodies("oss"))
@settings(max_examples=FEWER)
def test_no_clause_accuses_a_queue_of_comfyui(body: bytes) -> None:
    assert accused(judge(reads(body, body, body), Dialect.OSS)) == {}
    judgement = judge(reads(body), Dialect.AUTO)
    jobs = any(json.loads(body)[name] for name in ("queue_running", "queue_pending"))
    assert judgement.demand.read_as is (Dialect.OSS if jobs else Dialect.AUTO)
    assert accused(judgement) == {}


@pytest.mark.parametrize("dialect", ["cloud", "oss"])
@given(data=st.data())
@settings(max_examples=FEWER)
def test_a_queue_with_a_job_exercises_every_core_clause(dialect: strategies.Dialect, data: st.DataObject) -> None:
    body = data.draw(bodies(dialect, min_jobs=1, max_jobs=2))
    assert judge(reads(body), Dialect(dialect)).verdict is Verdict.CONFORMANT


@given(bodies(min_jobs=40, max_jobs=60))
@settings(max_examples=FEWER // 5)
def test_no_clause_accuses_a_long_queue(body: bytes) -> None:
    assert accused(judge(reads(body))) == {}


@given(encoded(errors()), st.sampled_from([400, 500]))
@settings(max_examples=FEWER)
def test_no_clause_accuses_an_error(body: bytes, status: int) -> None:
    later = (*HEADERS, ("Retry-After", "1"))  # without it, that the queue is not served is a finding of its own
    beside = [read(queue(item())), read(body, number=2, status=status, headers=later)]
    assert accused(judge(beside)) == {}


@given(queue_infos(min_jobs=1, max_jobs=2), st.data())
@settings(max_examples=FEWER)
def test_no_clause_accuses_a_queue_that_is_written_in_another_way_each_time(info: Any, data: st.DataObject) -> None:
    texts = encoded(st.just(info))
    assert accused(judge(reads(data.draw(texts), data.draw(texts)))) == {}


# --- and would, if it were broken -------------------------------------------------------------

BREAKS: dict[str, Callable[[list[Any]], object]] = {
    "item.job-number.one-based": lambda job: job.__setitem__(0, 0),
    "item.job-number.plain": lambda job: job.__setitem__(0, float(job[0] % 1000 + 1)),
    "item.prompt-id.uuid": lambda job: job.__setitem__(1, f"{{{job[1]}}}"),
    "item.workflow.object": lambda job: job.__setitem__(2, list(job[2].values())),
    "item.output-node-ids.distinct": lambda job: job[3].append(job[3][0]),
    "item.create-time.milliseconds": lambda job: job[4].update(create_time=job[4]["create_time"] // 1000),
    "item.five-elements": lambda job: job.append({}),
}


@pytest.mark.parametrize("clause_id", BREAKS)
@given(job=items())
@settings(max_examples=FEWER // 3)
def test_one_broken_element_of_what_was_drawn_is_accused(clause_id: str, job: list[Any]) -> None:
    BREAKS[clause_id](job)
    assert broken(judge(reads(json.dumps({"queue_running": [job], "queue_pending": []}).encode()))) == {clause_id}


@given(errors(), st.sampled_from(["code", "message"]))
@settings(max_examples=FEWER // 3)
def test_an_error_that_lacks_a_part_is_accused(error: dict[str, Any], part: str) -> None:
    del error[part]
    assert f"error.{part}" in broken(judge([read(json.dumps(error).encode(), status=500)]))


# --- notation ---------------------------------------------------------------------------------


@given(queue_infos("oss", max_jobs=3), st.data())
@settings(max_examples=FEWER)
def test_what_is_encoded_reads_back_the_same(info: Any, data: st.DataObject) -> None:
    text = data.draw(encoded(st.just(info)))
    assert written(json.loads(text)) == written(info)


NOTATIONS: dict[str, tuple[Any, str]] = {
    "white space around all tokens": ({"a": [1]}, r"\s\{\s\"a\"\s:\s\[\s1\s\]\s\}\s"),
    "no white space": ({"a": [1, {}]}, r'\{"a":\[1,\{\}\]\}'),
    "an escaped slash": ("/", r'"\\/"'),
    "a pair of escapes": ("😀", r'"\\ud83d\\ude00"'),
    "a pair of escapes in upper case": ("😀", r'"\\uD83D\\uDE00"'),
    "raw characters of the last plane": ("\U0010ffff", '"\U0010ffff"'),
    "escapes that nobody needs": ("a", r'"\\u0061"'),
    "a short escape": ("\n", r'"\\n"'),
    "a long escape": ("\n", r'"\\u000a"'),
    "an exponent": (0.5, r"5\.0+e-01"),
    "zeros behind": (0.5, r"0\.500"),
    "another order": ({"b": 0, "a": 0}, r'\{"a":0,"b":0\}'),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_value_is_written(name: str) -> None:
    value, pattern = NOTATIONS[name]
    matches = {name: lambda text: re.fullmatch(pattern, text.decode().strip("\n") or text.decode())}
    assert never_drawn(encoded(st.just(value)), matches) == set()


# --- oddity -----------------------------------------------------------------------------------


def never_drawn(strategy: st.SearchStrategy[Any], wanted: Mapping[str, Callable[[Any], object]]) -> set[str]:
    """Return the names of what no example of the first 3,000 has."""
    missing = set(wanted)

    def found_all(drawn: Any) -> bool:
        missing.difference_update([name for name in missing if wanted[name](drawn)])
        return not missing

    with suppress(NoSuchExample):
        find(strategy, found_all, settings=SEARCH)
    return missing


SEARCH = settings(
    max_examples=3000,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def jobs(info: Any) -> list[list[Any]]:
    """Return all jobs of an answer."""
    return [*info["queue_running"], *info["queue_pending"]]


def graph(workflow: Any) -> bool:
    """Whether a workflow is an API graph."""
    return any(isinstance(node, dict) and "class_type" in node for node in workflow.values())


def numbers(listed: Any) -> list[Any]:
    """Return the elements 0."""
    return [job[0] for job in listed]


def ties(info: Any) -> bool:
    """Whether two pending jobs were created in the same millisecond."""
    times = [job[4]["create_time"] for job in info["queue_pending"]]
    return len(set(times)) < len(times)


ANSWERS: dict[str, Callable[[Any], object]] = {
    "nothing to do": lambda info: not jobs(info),
    "several running": lambda info: len(info["queue_running"]) > 1,
    "all pending": lambda info: info["queue_pending"] and not info["queue_running"],
    "running jobs in no order": lambda info: numbers(info["queue_running"]) > sorted(numbers(info["queue_running"])),
    "ties of create_time": ties,
    "gaps in job_number": lambda info: len(info["queue_pending"]) > 1 and info["queue_pending"][-1][0] > 100,
    "a large job_number": lambda info: max(numbers(jobs(info)), default=0) > 2**50,
    "a number in both lists": lambda info: {*numbers(info["queue_running"])} & {*numbers(info["queue_pending"])},
    "further members": lambda info: len(info) > 2,
    "pending before running": lambda info: next(iter(info)) == "queue_pending",
    "further metadata": lambda info: any(len(job[4]) > 1 for job in jobs(info)),
}


def test_every_odd_queue_is_drawn() -> None:
    assert never_drawn(queue_infos(), ANSWERS) == set()


WORKFLOWS: dict[str, Callable[[Any], object]] = {
    "no API graph": lambda flow: not graph(flow),
    "the editor's nodes": lambda flow: not graph(flow) and "nodes" in flow,
    "dozens of nodes": lambda flow: len(flow) > 40,
    "a node without inputs": lambda flow: (
        {"class_type"} in [node.keys() for node in flow.values() if type(node) is dict]
    ),
    "a link": lambda flow: graph(flow) and any([*map(type, value)] == [str, int] for value in inside(flow, list)),
    "a title": lambda flow: any("_meta" in value for value in inside(flow, dict)),
    "a node of a subgraph": lambda flow: graph(flow) and any(":" in name for name in flow),
    "a member named __proto__": lambda flow: "__proto__" in flow,
    "an empty name": lambda flow: any("" in value for value in inside(flow, dict)),
    "an empty text": lambda flow: "" in inside(flow, str),
    "a long text": lambda flow: any(len(value) > 1000 for value in inside(flow, str)),
    "a text of another plane": lambda flow: any(max(value, default="") > "\uffff" for value in inside(flow, str)),
    "U+0000": lambda flow: "\x00" in inside(flow, str),
    "an integer beyond 2^64": lambda flow: any(value > 2**64 for value in inside(flow, int)),
    "a number of 309 digits": lambda flow: any(abs(value) > 1e307 for value in inside(flow, int)),
    "minus zero": lambda flow: "-0.0" in map(repr, inside(flow, float)),
    "the deepest nesting": lambda flow: depth(flow) > 120,
    "the smallest number": lambda flow: 5e-324 in inside(flow, float),
}


def test_every_odd_workflow_is_drawn() -> None:
    assert never_drawn(workflows(), WORKFLOWS) == set()


def test_a_key_may_be_redacted() -> None:
    redacted = {"redacted": lambda job: job[4].get("api_key_comfy_org") == "[REDACTED]"}
    assert never_drawn(items(), redacted) == set()


def _has_version(number: int) -> Callable[[str], object]:
    return lambda text: uuid.UUID(text).int >> 76 & 15 == number


PROMPT_IDS: dict[str, Callable[[Any], object]] = {
    **{f"version {number}": _has_version(number) for number in (*range(1, 9), 0, 15)},
    "nil": lambda text: set(text) == {"0", "-"},
    "max": lambda text: set(text) == {"f", "-"},
}


def test_prompt_ids_of_every_version_are_drawn() -> None:
    assert never_drawn(prompt_ids(), PROMPT_IDS) == set()


NUMBERS: dict[str, Callable[[Any], object]] = {
    "in front": lambda number: number < 0,
    "the first": lambda number: number == 0,
    "a whole float": lambda number: type(number) is float and number.is_integer(),
    "a fraction": lambda number: number % 1,
}


def test_every_odd_number_of_comfyui_is_drawn() -> None:
    assert never_drawn(items("oss").map(itemgetter(0)), NUMBERS) == set()


# --- what is promised of the data themselves --------------------------------------------------


@given(prompt_ids())
@settings(max_examples=FEWER)
def test_prompt_ids_are_canonical(text: str) -> None:
    assert text == str(uuid.UUID(text))


@given(queue_infos(now=2_000_000_000_000))
@settings(max_examples=FEWER)
def test_no_job_is_created_after_now(info: Any) -> None:
    assert all(10**12 <= job[4]["create_time"] <= 2_000_000_000_000 for job in jobs(info))


def test_now_is_the_moment_of_the_other_tests_answers() -> None:
    assert strategies.NOW == NOW * 1000


@given(queue_infos(min_jobs=2))
@settings(max_examples=FEWER)
def test_nothing_in_an_answer_is_shared(info: Any) -> None:
    containers = [value for value in members(info) if isinstance(value, list | dict)]
    assert len({id(value) for value in containers}) == len(containers)


def test_what_one_caller_changes_no_other_sees() -> None:
    seen: list[Any] = []

    @given(workflows())
    @settings(max_examples=FEWER, phases=[Phase.generate])
    def spoil(workflow: Any) -> None:
        seen.append(deepcopy(workflow))
        for value in members(deepcopy(workflow)):
            assert value != "spoilt"
        for value in inside(workflow, list):
            value.append("spoilt")

    spoil()
    assert any(isinstance(value, list) for workflow in seen for value in members(workflow))


@pytest.mark.parametrize("draw", [items, queue_infos, bodies])
def test_seconds_and_unknown_dialects_are_refused(draw: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="milliseconds"):
        draw(now=1_763_913_600)
    with pytest.raises(ValueError, match="cloud or oss"):
        draw("auto")


def test_the_strategies_share_no_code_with_what_judges() -> None:
    folder = Path(strategies.__file__).parent
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    named |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert {name for name in named if name.startswith("conformance")} <= {
        f"conformance.strategies.{path.stem}" for path in folder.glob("*.py")
    }


WORDS = st.sampled_from([*credentials.OWN, "apiKey", "Private-Key", "AUTH_TOKEN", "secret", "Jwt", "cookies", "passwd"])


@given(st.text(max_size=6) | st.tuples(st.text(max_size=3), WORDS, st.text(max_size=3)).map("".join))
def test_no_member_is_named_like_a_credential(name: str) -> None:
    assert not (names_no_credential(name) and credentials.is_named_so(name))
    assert names_no_credential("create_time")


@given(st.text(max_size=3) | st.sampled_from(["sk-", "hf_", "eyJ", "xox", "A_-"]), st.integers(1, 700))
def test_no_repeated_text_looks_like_a_credential(text: str, times: int) -> None:
    assert not (looks_like_no_credential(text * times) and credentials.is_one(text * times))
    assert credentials.is_one("sk-" * 10)
