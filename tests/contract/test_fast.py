"""The fast path proves jobs that keep every clause, and leaves all others to the clauses."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.contract.terms import Demand, Dialect, FastPath, Level
from helpers.queue_bodies import (
    ALL,
    AS_IT_IS,
    EMPTY,
    GRAPH,
    ID,
    NEXT,
    PROVEN,
    REMAINS,
    SEVERAL,
    SHORT,
    TAKES,
    TIME,
    WHOLE,
    WORKFLOWS,
    body,
    findings,
    job,
    oss,
)

CLOUD: Final = Demand.of(Dialect.CLOUD)
OSS: Final = Demand.of(Dialect.OSS)
AUTO: Final = Demand.of(Dialect.AUTO)
LINKED: Final = b'{"9":{"class_type":"S","inputs":{"a":["9",0]}}}'
DETECTED: Final = Demand.detected(Dialect.OSS, "a job")


def left(content: bytes, demand: Demand = CLOUD, *, must_only: bool = False) -> bytes:
    """Return the body that the clauses must still check. In it a 0 replaces a proven job among others."""
    return FastReading(content, demand, must_only=must_only).reduced.content


# --- one job ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", PROVEN)
def test_a_job_that_keeps_every_clause_is_proven(text: bytes) -> None:
    assert left(body(text)) == EMPTY
    assert left(body(running=(text,))) == EMPTY


@pytest.mark.parametrize("text", REMAINS)
def test_a_job_that_breaks_a_clause_remains_without_its_workflow(text: bytes) -> None:
    assert left(body(text)) == body(text.replace(GRAPH, SHORT))


@pytest.mark.parametrize(("graph", "short"), WORKFLOWS)
def test_the_faulty_nodes_of_a_workflow_remain(graph: bytes, short: bytes) -> None:
    assert left(body(job(graph=graph))) == body(job(graph=short))


@pytest.mark.parametrize("text", WHOLE)
def test_an_element_that_cannot_be_proven_remains(text: bytes) -> None:
    assert left(body(text)) == body(text)


def test_a_workflow_that_is_not_a_graph_remains_as_one_member() -> None:
    assert left(body(job(number=b"0", graph=b'{"a":1,"b":2}'))) == body(job(number=b"0", graph=b'{"":0}'))
    assert left(body(job(number=b"0", graph=b"{}"))) == body(job(number=b"0", graph=b"{}"))
    assert left(body(job(graph=b'{"a":1}', outputs=b'[""]'))) == body(job(graph=b'{"":0}', outputs=b'[""]'))


@pytest.mark.parametrize("size", [3, 4, 6])
def test_a_job_of_another_length_remains_without_its_workflow(size: int) -> None:
    text = b"[%b]" % b",".join([b"1", ID, GRAPH, b'["9"]', TIME, b"1"][:size])
    assert left(body(text)) == body(text.replace(GRAPH, SHORT))


def test_each_remaining_job_stays_at_its_place() -> None:
    wrong = job(number=b"0")
    found = left(body(job(), wrong, job(), running=(job(), wrong)))
    short = wrong.replace(GRAPH, SHORT)
    assert found == b'{"queue_running":[0,%b],"queue_pending":[0,%b,0]}' % (short, short)
    assert left(body(job(), running=(wrong,))) == b'{"queue_running":[%b],"queue_pending":[]}' % short


# --- ComfyUI's order --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        *(b"0", b"1", b"-1", b"9007199254740991", b"-9007199254740991", b"1.5", b"-1.5", b"0.0"),
        *(b"4503599627370496.0", b"-4503599627370496.0"),
    ],
)
def test_comfyui_numbers_are_proven(number: bytes) -> None:
    assert left(body(oss(number)), OSS) == EMPTY
    assert left(body(oss(number, data=TIME.replace(b"}", b',"x":1}'))), OSS) == EMPTY


@pytest.mark.parametrize(
    "number",
    [
        *(b"9007199254740992", b"-9007199254740992", b"4503599627370497.0", b"-4503599627370497.0"),
        *(b"1e300", b'"1"', b"null", b"true"),
    ],
)
def test_comfyui_numbers_that_a_double_does_not_hold_remain(number: bytes) -> None:
    assert left(body(oss(number)), OSS) == body(oss(number, graph=SHORT))


def test_a_job_in_the_other_order_remains() -> None:
    assert left(body(oss()), CLOUD) == body(oss(graph=SHORT))
    assert left(body(job()), OSS) == body(job(graph=SHORT))


# --- only the must clauses --------------------------------------------------------------------------------------------

ONLY_SHOULD: Final = [
    job(number=b"9007199254740992"),
    job(name=ID.upper()),
    job(outputs=b"[]"),
    job(outputs=b'["9","9"]'),
    job(outputs=b'["8"]'),
    job(graph=b"{}"),
    job(graph=b'{"9":{"class_type":1}}'),
    job(data=b'{"create_time":1763913600000,"api_key_comfy_org":"k"}'),
]
"""Jobs that break no ``must`` clause."""


@pytest.mark.parametrize("text", [*PROVEN, *ONLY_SHOULD])
def test_a_job_that_keeps_the_must_clauses_is_proven_for_them(text: bytes) -> None:
    assert left(body(text), must_only=True) == EMPTY


@pytest.mark.parametrize(
    "text",
    [
        *(job(number=number) for number in (b"0", b"-1", b"1.0", b'"1"', b"null", b"true")),
        *(job(name=name) for name in (ID[:-2] + b'"', b'"a' + ID[1:], TAKES, b"1", b"null")),
        *(job(outputs=ids) for ids in (b"[9]", b'"9"', b"null")),
        *(
            job(data=data)
            for data in (b"{}", b"[]", b'{"create_time":999999999999}', b'{"create_time":100000000000000}')
        ),
        oss(),
    ],
)
def test_a_job_that_breaks_a_must_clause_remains_with_an_empty_workflow(text: bytes) -> None:
    assert left(body(text), must_only=True) == body(text.replace(GRAPH, b"{}"))


@pytest.mark.parametrize(
    "text",
    [
        *(job(graph=graph) for graph in (b"[]", b"null", b'"x"', b"1")),
        *(b"[]", b"[1]", b'[1,"x"]', b"{}", b'{"a":1}', b"null", b"7", b'"x"', b"true"),
    ],
)
def test_an_element_without_a_workflow_remains_for_the_must_clauses(text: bytes) -> None:
    assert left(body(text), must_only=True) == body(text)


@pytest.mark.parametrize("number", [b"0", b"-5", b"1.5", b"1e300", b"9007199254740992"])
def test_comfyui_numbers_keep_the_must_clauses(number: bytes) -> None:
    assert left(body(oss(number)), OSS, must_only=True) == EMPTY
    assert left(body(oss(b'"1"')), OSS, must_only=True) == body(oss(b'"1"', graph=b"{}"))


def test_the_must_clauses_do_not_look_at_workflows() -> None:
    reading = FastReading(body(job(graph=LINKED)), must_only=True)
    exercised = {fast for fast in FastPath if reading.remaining(fast, Level.MUST).exercised}
    assert exercised == {FastPath.EACH_JOB, FastPath.OUTPUT_NODE_IDS}
    reading = FastReading(body(job(graph=LINKED)))
    exercised = {fast for fast in FastPath if reading.remaining(fast, Level.MUST).exercised}
    workflows = {FastPath.GRAPHS, FastPath.LINKS, FastPath.GRAPHS_WITH_OUTPUTS}
    assert exercised == {FastPath.EACH_JOB, FastPath.OUTPUT_NODE_IDS, *workflows}


# --- the rest of the body ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b'{"queue_running":[],"queue_pending":[]}', EMPTY),
        (b' {"queue_pending" : [ ] , "queue_running":[]} ', EMPTY),
        (body(job(), more=b',"x":{"y":[1]}'), EMPTY),
        (b'{"queue_running":[]}', b'{"queue_running":[]}'),
        (b'{"queue_pending":[]}', b'{"queue_pending":[]}'),
        (b'{"queue_running":null,"queue_pending":[]}', b'{"queue_running":null,"queue_pending":[]}'),
        (b'{"queue_running":{"a":1},"queue_pending":[7]}', b'{"queue_running":{"a":1},"queue_pending":[7]}'),
        (b'{"queue_running":"x","queue_pending":[%b]}' % job(), b'{"queue_running":"x","queue_pending":[]}'),
    ],
)
def test_the_lists_remain_and_other_members_do_not(content: bytes, rest: bytes) -> None:
    assert left(content) == rest


@pytest.mark.parametrize("content", AS_IT_IS)
def test_a_body_that_cannot_be_split_remains(content: bytes) -> None:
    reading = FastReading(content)
    assert reading.reduced is reading
    assert reading.proven is None
    assert not reading.keeps(())
    assert reading.remaining(FastPath.EACH_JOB, Level.MUST) == (False, reading)


def test_names_that_end_like_members_do_not_hide_a_repeated_name() -> None:
    odd = rb'{"9":{"class_type":"S","inputs":{"a":"\":","a":"x"}}}'
    assert left(body(job(graph=odd))) == body(job(graph=odd))
    quote = rb'{"9":{"class_type":"S","inputs":{"a":"x\":","b":"y\\"}}}'
    assert left(body(job(graph=quote))) == EMPTY
    colon = b'{"9":{"class_type":"S","inputs":{"a":":"}}}'
    assert left(body(job(graph=colon))) == body(job(graph=colon))


@pytest.mark.parametrize("text", [rb'"x\":"', rb'{"x\":":1}'])
def test_names_in_a_remaining_job_do_not_hide_a_repeated_name(text: bytes) -> None:
    twice = b'{"9":{"class_type":"S","inputs":{"a":1,"a":1}}}'
    for wrong in (job(name=text, graph=twice), job(data=text, graph=twice)):
        assert left(body(wrong)) == body(wrong)


def test_the_members_of_another_job_do_not_hide_a_repeated_name() -> None:
    twice = job(graph=b'{"9":{"class_type":"S","inputs":{"a":1,"a":1}}}')
    for other in (*PROVEN, *REMAINS, *WHOLE):
        for content in (body(twice, other), body(other, twice), b'{"queue_pending":[%b,%b]}' % (other, twice)):
            assert twice in left(content), other


def test_a_body_is_counted_job_by_job_if_a_string_looks_like_a_name() -> None:
    backslash, quote, both = (
        job(graph=b'{"9":{"class_type":"S","inputs":{"a":"%b"}}}' % text) for text in (rb"\\:", rb"x\":", rb"\\:x\":")
    )
    assert left(body(backslash, quote)) == EMPTY
    assert left(body(job(), both)) == body(b"0", both)


def test_an_undetected_order_proves_nothing() -> None:
    reading = FastReading(body(job()), AUTO)
    assert reading.reduced is reading


@pytest.mark.parametrize(
    ("content", "order"),
    [
        (body(job()), (Dialect.CLOUD, "/queue_pending/0")),
        (body(oss()), (Dialect.OSS, "/queue_pending/0")),
        (body(oss(), running=(b"7", b"[]", job())), (Dialect.CLOUD, "/queue_running/2")),
        (body(job(outputs=b"7"), oss()), (Dialect.OSS, "/queue_pending/1")),
        (body(b'[1,2,3,["9"]]', oss()), (Dialect.OSS, "/queue_pending/1")),
        (body(b"[1,2,3,[],4]"), (Dialect.CLOUD, "/queue_pending/0")),
        (body(b"[1,2,3,{},4,5]"), (Dialect.OSS, "/queue_pending/0")),
        (body(b"[1,2,3,{},4,5]", job()), (Dialect.OSS, "/queue_pending/0")),
        (body(oss(), b"[1,2,3,[],4,5]"), (Dialect.OSS, "/queue_pending/0")),
        (b'{"queue_pending":[%b]}' % oss(), (Dialect.OSS, "/queue_pending/0")),
        (b'{"queue_running":{"a":1},"queue_pending":[%b]}' % oss(), (Dialect.OSS, "/queue_pending/0")),
        (body(job(outputs=b"7")), None),
        (EMPTY, None),
        (b"[]", None),
        (body(oss(), more=b',"x":1,"x":2'), (Dialect.OSS, "/queue_pending/0")),
        (body(oss(b"NaN")), (Dialect.OSS, "/queue_pending/0")),
        (body(oss(), more=b',"x":%b' % (b"[" * 600 + b"]" * 600)), None),
    ],
)
def test_the_first_job_that_shows_an_order_is_found(content: bytes, order: tuple[Dialect, str] | None) -> None:
    assert FastReading(content, AUTO).order == order
    assert Reading(content, AUTO).order == order


# --- compared with the full reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SEVERAL)
def test_the_fast_path_says_what_the_full_reading_says(name: str) -> None:
    content = SEVERAL[name]
    fast, full = FastReading(content), Reading(content)
    assert findings(fast) == findings(full)
    assert fast.summary == full.summary._replace(observations=fast.summary.observations, depth=fast.summary.depth)
    assert dict(fast.summary.observations) == dict(full.summary.observations)
    assert (fast.latest, fast.size, fast.filled, fast.order) == (full.latest, full.size, full.filled, full.order)
    assert [(found.pointer, found.pending) for found in fast.jobs] == [
        (each.pointer, each.pending) for each in full.jobs
    ]


def test_a_required_order_needs_both_elements() -> None:
    assert FastReading(body(b"[1,2,3,[],4]"), CLOUD).order is None


def test_a_clause_without_a_proof_sees_the_whole_body() -> None:
    reading, brief = (FastReading(SEVERAL["same id"], must_only=must_only) for must_only in (False, True))
    for fast, level in ((None, Level.MUST), (FastPath.EACH_JOB, None)):
        assert reading.remaining(fast, level) == (False, reading)
    for fast, level in ((None, Level.MUST), (FastPath.EACH_JOB, Level.SHOULD), (FastPath.EACH_JOB, None)):
        assert brief.remaining(fast, level) == (False, brief)
    for level in (Level.MUST, Level.SHOULD):
        assert reading.remaining(FastPath.EACH_JOB, level) == (True, reading.reduced)
    exercised, jobs = reading.remaining(FastPath.DISTINCT_IDS, Level.MUST)
    assert (exercised, len(jobs.items)) == (False, 2)


TOGETHER: Final = (
    FastPath.DISTINCT_IDS,
    FastPath.RISING_TIMES,
    FastPath.DISTINCT_NUMBERS,
    FastPath.RISING_NUMBERS,
)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("distinct", set()),
        ("one job", set()),
        ("empty", set()),
        ("same id", {FastPath.DISTINCT_IDS}),
        ("same id in both lists", {FastPath.DISTINCT_IDS}),
        ("same number", {FastPath.DISTINCT_NUMBERS}),
        ("same number in both lists", set()),
        ("falling numbers", {FastPath.RISING_NUMBERS}),
        ("falling times", {FastPath.RISING_TIMES}),
        ("falling times in both lists", set()),
    ],
)
def test_a_body_keeps_the_clauses_about_several_jobs_that_it_does_not_break(name: str, broken: set[FastPath]) -> None:
    reading = FastReading(SEVERAL[name])
    assert {fast for fast in TOGETHER if not reading.keeps((fast,))} == broken
    assert reading.keeps(set(FastPath)) is not bool(broken)
    assert reading.keeps((FastPath.EACH_JOB,))
    assert (reading.proven is None) is bool(broken)


@pytest.mark.parametrize("name", ["a list that is missing", "a list that is an object", "a remaining running job"])
def test_a_body_without_both_lists_or_with_a_remaining_job_keeps_nothing(name: str) -> None:
    assert not FastReading(SEVERAL[name]).keeps(())


def test_bodies_with_the_same_results_have_equal_keys() -> None:
    one, other = (FastReading(body(job(number, name))).proven for number, name in ((b"1", ID), (b"5", NEXT)))
    two = FastReading(SEVERAL["distinct"]).proven
    graph = FastReading(SEVERAL["no graph"]).proven
    running = FastReading(b'{"queue_running":[%b]}' % job()).proven
    two_running = FastReading(body(running=(job(), job(b"2", NEXT)))).proven
    assert one == other
    assert len({one, two, two_running, graph, running, FastReading(EMPTY).proven}) == 6


@pytest.mark.parametrize("demand", [CLOUD, OSS, DETECTED], ids=lambda demand: demand.because)
def test_every_body_gets_the_findings_of_the_full_reading(demand: Demand) -> None:
    full = {name: findings(Reading(content, demand)) for name, content in ALL.items()}
    assert [name for name in ALL if findings(FastReading(ALL[name], demand)) != full[name]] == []
    must = {clause.id for clause in CATALOGUE if clause.level_in(demand) is Level.MUST}
    wrong = [
        name
        for name, content in ALL.items()
        for clause, (_, found) in findings(FastReading(content, demand, must_only=True)).items()
        if clause in must and found != full[name][clause][1]
    ]
    assert wrong == []


def test_very_many_remaining_jobs_are_parsed_as_a_whole() -> None:
    most, more = (body(*[b"0"] * number) for number in (20_000, 20_001))
    reading = FastReading(most)
    assert reading.reduced is not reading
    reading = FastReading(more)
    assert reading.reduced is reading
