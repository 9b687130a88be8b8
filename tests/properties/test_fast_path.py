"""A quick reading and a whole one say the same of every body: which clauses come up, and what breaks them, where."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import Validator
from conformance.contract.ask import subjects
from conformance.contract.ask import subjects_by_clause as ask
from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Clause, Finding, doc
from conformance.contract.clause import clause as declare
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading, workflows
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.large import LargeReading
from conformance.contract.reading.memory import Located
from conformance.contract.terms import Demand, Dialect, FastPath, Level
from conformance.exchange.recordings import read_file
from conformance.reference.faults import FAULTS
from conformance.strategies import bodies, encoded, queue_infos
from helpers import (
    mutations_of_messages,  # noqa: F401 - registers
    mutations_of_queues,  # noqa: F401 - registers
    mutations_of_text,  # noqa: F401 - registers
)
from helpers.answers import read
from helpers.mutations import MUTATIONS, Mutation, fill_pool
from helpers.profiles import one_in, quick_if
from helpers.reference_runs import asked, first_of_its_clause

A_SHARE: Final = max(3, settings().max_examples // 10)
"""Examples for each mutation."""
CLOUD: Final = Demand.of(Dialect.CLOUD)
ASKED: Final = (CLOUD, Demand.of(Dialect.OSS), Demand.of(Dialect.AUTO))
"""What a validator can be made for."""
DEMANDS: Final = (*ASKED, Demand.detected(Dialect.CLOUD, "a job"), Demand.detected(Dialect.OSS, "a job"))
Said = tuple[bool, list[Finding]]

demands = st.sampled_from(DEMANDS)


@pytest.fixture(scope="module", autouse=True)
def _pool() -> None:
    fill_pool(settings().max_examples)


def said(clause: Clause, reading: Reading) -> Said:
    """Return whether a clause comes up in a body, and what it finds."""
    exchange = read(reading.content)
    assert exchange.response is not None
    exercised, rest = subjects(clause, Answer(exchange, exchange.response, reading))
    found = list(rest)
    return exercised or bool(found), [finding for subject in found for finding in clause.check(subject)]


def said_of_parts(clause: Clause, reading: Reading) -> Said:
    """Return the same of a body that is read in parts. The order of findings may be another."""
    exchange = read(reading.content)
    assert exchange.response is not None
    exercised, found = False, list[Finding]()
    for each in ask([clause], Answer(exchange, exchange.response, reading)):
        left = list(each.subjects)
        exercised |= each.exercised or bool(left)
        for finding in (finding for subject in left for finding in clause.check(subject)):
            found += [finding] * each.reading.weight(finding.pointer)
    return exercised, sorted(found, key=str)


def without_places(found: Said) -> Said:
    """Return what was said without the places of findings."""
    return found[0], sorted([finding._replace(pointer=None) for finding in found[1]], key=str)


def without_words(found: Said) -> Said:
    """Return what was said without the values that findings show."""
    return found[0], [finding._replace(got="") for finding in found[1]]


def both_say_the_same(body: bytes, demand: Demand = CLOUD) -> None:
    """Ask every clause of one answer of the body, read in each way."""
    whole, quick, quickest = Reading(body, demand), FastReading(body, demand), FastReading(body, demand, must_only=True)
    large = LargeReading(body, demand)
    for clause in CATALOGUE:
        level = clause.level_in(demand)
        if clause.over is not None and level is not None:
            expected = said(clause, whole)
            assert said(clause, quick) == expected, disagreement(clause, body)
            placed = expected[0], sorted(expected[1], key=str)
            read_in_parts = said_of_parts(clause, large)
            if whole.document.repeated_names:  # what a later member of its name replaced has no place in the value
                placed, read_in_parts = without_places(placed), without_places(read_in_parts)
            if not whole.document.read:  # the words of what is wrong, and where, may be others
                placed, read_in_parts = without_words(placed), without_words(read_in_parts)
            assert read_in_parts == placed, disagreement(clause, body)
            if level is Level.MUST and not whole.document.too_deep:
                assert said(clause, quickest)[1] == expected[1], disagreement(clause, body)
    assert remembered(quick) == remembered(whole)
    if demand in ASKED:
        found, brief = (Validator(demand.dialect, must_only=must_only).validate(body) for must_only in (False, True))
        assert tuple(finding for finding in found if finding.level is Level.MUST) == brief
        if whole.document.too_deep:  # a reading that skips workflows still checks their neighbours
            assert [finding for finding in found if finding.level is not Level.MUST] == list(
                of_each_clause(body, demand)
            )
        else:
            assert found == tuple(of_each_clause(body, demand))


def disagreement(clause: Clause, body: bytes) -> str:
    """Say what to do where a clause declares what the fast path does not prove."""
    return (
        f"{clause.id} declares fast={clause.fast!s}, and a FastReading and a Reading disagree about it for the "
        f"body {body[:1000]!r}: remove fast=... from the clause (it is then asked of the whole body), or let "
        "conformance/contract/reading/fast_job.py prove it"
    )


def of_each_clause(body: bytes, demand: Demand) -> Iterator[Finding]:
    """Yield what a validator has to find, by asking every clause of the whole body."""
    told = Reading(body, demand).order if demand.open else None
    demand = demand if told is None else Demand.detected(*told)
    exchange = read(body)
    assert exchange.response is not None
    answer = Answer(exchange, exchange.response, Reading(body, demand))
    for clause in CATALOGUE:
        level = clause.level_in(demand)
        if (clause.of_body is None and clause.fast is None) or level is None:
            continue
        assert clause.over is not None
        for subject in clause.over(answer):
            for finding in clause.check(subject):
                yield finding._replace(clause=clause.id, level=level)


def remembered(reading: Reading) -> dict[str, Any]:
    """Return what is kept of a body; of its depth only whether it is beyond what is read."""
    summary = reading.summary
    return {name: getattr(summary, name) for name in summary._fields if name != "depth" or not summary.read}


@given(body=bodies("cloud") | bodies("oss"), demand=demands)
def test_of_conforming_bodies(body: bytes, demand: Demand) -> None:
    both_say_the_same(body, demand)


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=list(MUTATIONS))
@given(data=st.data())
@settings(max_examples=A_SHARE)
def test_of_mutated_bodies(mutation: Mutation, data: st.DataObject) -> None:
    exchange = data.draw(mutation.strategy()).exchanges[-1]
    assert exchange.response is not None
    both_say_the_same(exchange.response.content, data.draw(demands))


@given(body=st.binary(max_size=300), demand=demands)
def test_of_random_bytes(body: bytes, demand: Demand) -> None:
    both_say_the_same(body, demand)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Draw a conforming body of which a few bytes are others, are gone, or came on top."""
    body = bytearray(draw(encoded(queue_infos(max_jobs=2))))
    odd = st.sampled_from([bytes([byte]) for byte in b'"\\{}[],:0123456789-+.eEtfnulNaI \n\t\x00\x80\xff/'])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 2))] = draw(odd | st.binary(max_size=2) | st.just(b'"a":1,'))
    return bytes(body)


@given(body=damaged(), demand=demands)
def test_of_damaged_bodies(body: bytes, demand: Demand) -> None:
    both_say_the_same(body, demand)


RECORDED: Final = sorted((Path(__file__).parents[1] / "recordings").glob("*.http"))


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda demand: f"{demand.dialect}-{demand.read_as}")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_of_recorded_bodies(path: Path, demand: Demand) -> None:
    for exchange in read_file(path):
        assert exchange.response is not None
        both_say_the_same(exchange.response.content, demand)


JUDGED: Final = [
    name
    for name, fault in FAULTS.items()
    if fault.clause and BY_ID[fault.clause].fast is not None and not fault.inconclusive
]
"""Faults that break a clause of which the fast path proves something."""


@pytest.mark.parametrize("asked_of", quick_if(JUDGED, lambda name: first_of_its_clause(FAULTS[name])))
def test_of_bodies_with_each_fault(asked_of: str) -> None:
    """Of each kind of request one response: some faults show in one kind only."""
    bodies = {
        (exchange.request.credential, exchange.request.header("Accept"), exchange.response.status): exchange
        for exchange in reversed(asked(asked_of, whole=True).exchanges)
        if exchange.request.method == "GET" and exchange.request.to_queue and exchange.response is not None
    }
    for body in {exchange.response.content for exchange in bodies.values() if exchange.response is not None}:
        both_say_the_same(body)


ODD: Final = (
    b'{"queue_running":[],"queue_running":[]}',
    b'{"queue_pending":[NaN],"queue_pending":[]}',
    rb'{"queue_\u0072unning":[],"queue_pending":[]}',
    b'{"queue_running":[3.10],"queue_pending":[{"a":1,"a":2}]}',
    b'{"queue_running":null,"queue_pending":{"a":1,"a":1.50}}',
    b'{"x":{"a":1,"a" :2},"queue_pending":[]}',
    b'{"x":"\\","\\":":","queue_pending":["":"]}',
    b'{"x":' + b"9" * 400 + b',"queue_pending":[]}',
    b'{"x":1e400,"queue_pending":[[],[1],[1,2,{}],{},[[]]]}',
)


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda demand: f"{demand.dialect}-{demand.read_as}")
@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_of_odd_bodies(body: bytes, demand: Demand) -> None:
    both_say_the_same(body, demand)


JOB: Final = b'[1,"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e",{"9":{"class_type":"S"}},["9"],{"create_time":1763913600000}]'
DEEP: Final = b"[" * 600 + b"]" * 600
NODES: Final = b",".join(b'"%d":{"class_type":"S","inputs":{}}' % number for number in range(600))
WIDE: Final = (
    b"{%b}" % NODES,
    b'{%b,"x":%b}' % (NODES, DEEP),
    b'{%b,"0":1,"0":%b}' % (NODES, DEEP),
    b'{"0":%b,%b}' % (DEEP, NODES),
    b"[%b,%b]" % (b"[]," * 600 + b"0", DEEP),
    b'"%b"' % (b"[" * 600),
)
"""Workflows in which more brackets open than any text may nest."""


@pytest.mark.parametrize("graph", WIDE, ids=range(len(WIDE)))
@pytest.mark.parametrize("demand", ASKED, ids=lambda demand: demand.dialect)
def test_a_fault_beside_wide_and_deep_workflows_is_found(graph: bytes, demand: Demand) -> None:
    fault = JOB.replace(b"[1,", b'["1",')
    body = b'{"queue_running":[],"queue_pending":[%b,%b]}' % (JOB.replace(b'{"9":{"class_type":"S"}}', graph), fault)
    both_say_the_same(body, demand)
    for must_only in (False, True):
        found = Validator(demand.dialect, must_only=must_only).validate(body)
        if graph.startswith(
            b"["
        ):  # an array that nests too deep in place of a workflow: what to say of that is not read
            continue
        assert ("item.job-number.number", "/queue_pending/1/0") in [(each.clause, each.pointer) for each in found]


VALUES: Final = (
    None,
    b"null",
    b"true",
    b"7",
    b'"x"',
    b"{}",
    b"[]",
    b"[null]",
    b"[[]]",
    b"[%b]" % JOB,
    b'{"0":%b}' % JOB,
)
"""Of a list of the envelope. None: it is missing."""
EXTRA: Final = (None, b'"code":"X"', b'"code":"X","message":"Y"', b'"error":{"type":"x"}', b'"queue_running":[]')
PAIRS: Final = [
    pytest.param(running, demand, marks=() if demand is CLOUD or running is None else pytest.mark.deep)
    for running, demand in product(VALUES, ASKED)
]
"""Every value of ``queue_running``: in the quick run under one dialect, and without the member under each."""


def object_of(running: bytes | None, pending: bytes | None, extra: bytes | None) -> bytes:
    lists = [(b"queue_running", running), (b"queue_pending", pending)]
    members = [b'"%b":%b' % (name, value) for name, value in lists if value is not None]
    return b"{%b}" % b",".join([*members, *([] if extra is None else [extra])])


@pytest.mark.parametrize("extra", one_in(4, EXTRA))
@pytest.mark.parametrize(("running", "demand"), PAIRS)
def test_of_bodies_whose_lists_are_missing_or_are_something_else(
    running: bytes | None, demand: Demand, extra: bytes | None
) -> None:
    for pending in VALUES:
        both_say_the_same(object_of(running, pending, extra), demand)


@pytest.mark.parametrize("body", [b"", b"null", b"true", b"7", b'"x"', b"[]", b"[%b]" % JOB, b"{}"])
def test_of_bodies_that_are_no_queue(body: bytes) -> None:
    for demand in ASKED:
        both_say_the_same(body, demand)


WORKFLOWS: Final = (
    b"{}",
    b'{"a":1}',
    b'{"9":{"class_type":"S"}}',
    b'{"9":{"class_type":"S","inputs":{"a":["9",0]}}}',
    b'{"9":{"class_type":"S","inputs":{"a":["8",0]}}}',
    b'{"9":{"class_type":"S","inputs":{"a":["8",0.0],"a":1}}}',
    b'{"9":{"class_type":"S","class_type":"T","inputs":{}}}',
    b'{"9":{"class_type":null}}',
    b'{"9":{"class_type":"S","inputs":{},"x":{"y" :[[["8",0]]]}},"8":{}}',
    b'{"9":{"class_type":"S","inputs":{"v":1.50}},"8":{"v":1.50}}',
    b'{"9":{"class_type":"S","inputs":{"v":' + b"7" * 400 + b"}}}",
    b'{"9":{"class_type":"S","inputs":{"v":1e999}}}',
    b'{"9":{"class_type":"S","inputs":{"v":' + b"[" * 150 + b"]" * 150 + b"}}}",
    b'{"9":{"class_type":"S","inputs":{"v":' + b"[" * 600 + b"]" * 600 + b"}}}",
)
METADATA: Final = (
    b'{"create_time":1763913600000}',
    b'{"create_time":1763913600000,"create_time":1}',
    b'{"create_time":1763913600000.5}',
    b'{"create_time":1763913600,"x":[' + b"[" * 600 + b"]" * 600 + b"]}",
    b'{"create_time":999999999999.99999999999}',
    b'{"create_time":1763913600000,"api_key_comfy_org":"k"}',
    rb'{"create_time":1763913600000,"api_key\u005fcomfy_org":"k"}',
    b'{"create_time":1763913600000,"y":{"auth_token_comfy_org":null}}',
    rb'{"create_time":1763913600000,"x\":":0}',
    b"[]",
    b"null",
)
NUMBERS: Final = (b"1", b"0", b"1.0", b"1e3", b"true", b'"1"', b"-0", b"9007199254740993", b"9" * 400, b"1.5", b"NaN")
OUTPUTS: Final = (b'["9"]', b"[]", b'["9","9"]', b'[""]', b"[9]", b'["7"]', b'[":"]', rb'["x\":"]', b"{}")


@given(
    jobs=st.lists(
        st.tuples(*map(st.sampled_from, (NUMBERS, (b"0", b"1", b"A"), WORKFLOWS, OUTPUTS, METADATA)), st.booleans()),
        max_size=4,
    ),
    demand=demands,
)
def test_of_jobs_whose_elements_are_right_wrong_or_odd(jobs: list[Any], demand: Demand) -> None:
    texts = [
        b'[%b,"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5%b",%b,%b,%b]' % (number, end, graph, *pair[:: -1 if swap else 1])
        for number, end, graph, *pair, swap in jobs
    ]
    both_say_the_same(b'{"queue_running":[],"queue_pending":[' + b",".join(texts) + b"]}", demand)


def _no_9(found: Located) -> Iterator[Finding]:
    if "9" in found.value:
        yield Finding(found.pointer, "no 9", "9", "A node is called 9.")


def no_node_is_called_9(fast: FastPath | None) -> Clause:
    """Return a clause that a proven job may break: the fast path proves nothing about the names of nodes."""
    return declare(
        "item.node-names",
        Level.MUST,
        title="No node is called 9",
        source=doc("/info", "x"),
        why="A test.",
        keeps="{}",
        breaks='{"9": {}}',
        needs="a workflow",
        fast=fast,
        of_body=workflows,
    )(_no_9)


@pytest.mark.parametrize("fast", [None, FastPath.EACH_JOB])
def test_a_clause_is_asked_of_proven_jobs_only_if_it_declares_nothing(fast: FastPath | None) -> None:
    body = b'{"queue_running":[],"queue_pending":[%b]}' % JOB
    asked = no_node_is_called_9(fast)
    (pointer,) = [finding.pointer for finding in said(asked, Reading(body, CLOUD))[1]]
    assert pointer == "/queue_pending/0/2"
    agrees = said(asked, FastReading(body, CLOUD)) == said(asked, Reading(body, CLOUD))
    assert agrees is (fast is None), disagreement(asked, body)


def test_every_clause_that_declares_a_proof_is_one_of_bodies() -> None:
    """The fast path replaces the body of a response, and nothing else of it."""
    wrong = [each.id for each in CATALOGUE if each.fast and not (each.of_body or each.subject == "json")]
    assert wrong == [], "remove fast=... from these clauses: they do not look at a body alone"
