"""A body that is read in windows gets the findings of the full reading, whatever the windows hold."""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Finding
from conformance.contract.reading.body import Item, Reading
from conformance.contract.reading.large import LargeReading
from conformance.contract.reading.large_compared import Compared
from conformance.contract.terms import Demand, Dialect, Level
from conformance.text.json_runs import RUN, runs
from helpers.queue_bodies import ALL, GRAPH, TIME, body, findings, job
from helpers.windows import make_windows_small

CLOUD: Final = Demand.of(Dialect.CLOUD)
DEMANDS: Final = (CLOUD, Demand.of(Dialect.OSS), Demand.of(Dialect.AUTO), Demand.detected(Dialect.OSS, "a job"))


# --- several windows --------------------------------------------------------------------------------------------------

PAD: Final = b"<pad>"
"""Replaced by a long text, so that a window has three jobs."""
LONG: Final = b'{"9":{"class_type":"S","inputs":{"a":"<pad>"}}}'
LARGER: Final = LONG.replace(PAD, PAD * 8)
"""A workflow that is too large for a window."""
TINY: Final = (b"0", b"[]", b"{}", b"[1]", b"null", b"[]")


def nth(at: int, graph: bytes = LONG, **changes: bytes) -> bytes:
    """Return a job that follows the ones with lower numbers."""
    name = b'"%08d-8a4d-4c55-9a6e-0d1f2b3c4d5e"' % at
    return job(
        **{
            "number": b"%d" % at,
            "name": name,
            "graph": graph,
            "data": b'{"create_time":%d}' % (1763913600000 + at),
            **changes,
        }
    )


def queue_of(count: int = 6, **replaced: bytes) -> bytes:
    """Return a queue of large jobs. ``replaced`` has other texts for some of them: ``at_3=...``."""
    jobs = [replaced.get(f"at_{number}", nth(number)) for number in range(1, count + 1)]
    return body(*jobs[1:], running=(jobs[0],))


WINDOWS: Final = {
    "conforming": queue_of(),
    "a wrong number in the first window": queue_of(at_2=nth(2, number=b"0")),
    "a wrong number in the middle": queue_of(at_4=nth(4, number=b"-4")),
    "a wrong number at the end": queue_of(at_6=nth(6, number=b'"6"')),
    "a wrong running job": queue_of(at_1=nth(1, name=b"7")),
    "the same id in two windows": queue_of(at_6=nth(6, name=nth(2)[3:41])),
    "the same id in both lists": queue_of(at_6=nth(6, name=nth(1)[3:41])),
    "the same number in two windows": queue_of(at_6=nth(6, number=b"2")),
    "the same number as the job before": queue_of(at_4=nth(4, number=b"3")),
    "the running job has the same number": queue_of(at_1=nth(1, number=b"4")),
    "falling numbers": queue_of(at_5=nth(5, number=b"1")),
    "falling times": queue_of(at_5=nth(5, data=TIME)),
    "the running job is later": queue_of(at_1=nth(1, data=b'{"create_time":1763913700000}')),
    "a NaN": queue_of(at_4=nth(4, data=b'{"create_time":NaN}')),
    "a NaN and a wrong job": queue_of(at_3=nth(3, number=b"NaN"), at_5=nth(5, number=b"0")),
    "a repeated name": queue_of(at_4=nth(4, data=b'{"create_time":1763913600004,"create_time":1763913600004}')),
    "a repeated name in a workflow": queue_of(at_4=nth(4, LONG.replace(b'"a":', b'"a":1,"a":'))),
    "a lone surrogate": queue_of(at_4=nth(4, LONG.replace(b'"a":', rb'"\ud800":'))),
    "bytes that are not UTF-8": queue_of(at_4=nth(4, LONG.replace(b'"a":', b'"\xff":'))),
    "a number beyond a double": queue_of(at_4=nth(4, LONG.replace(b'"a":', b'"b":1e999,"a":'))),
    "a control character": queue_of(at_4=nth(4, LONG.replace(b'"a":', b'"\x01":'))),
    "deep nesting": queue_of(at_4=nth(4, LONG.replace(b'"a":', b'"b":%b,"a":' % (b"[" * 150 + b"]" * 150)))),
    "too deep nesting": queue_of(at_4=nth(4, LONG.replace(b'"a":', b'"b":%b,"a":' % (b"[" * 600 + b"]" * 600)))),
    "elements that are not jobs": queue_of(at_3=b"7", at_5=b"{}"),
    "tiny elements between": queue_of(at_4=b",".join([b"null", b"[]"] * 50)),
    "tiny elements, most of them alike": body(*TINY * 300),
    "tiny elements after a job": body(nth(1), *TINY * 300, nth(2, GRAPH)),
    "tiny elements in both lists": body(*TINY * 300, running=TINY * 300),
    "tiny jobs that are alike": body(*[b'[1,"x",{},[],{}]'] * 500),
    "tiny jobs that differ": body(*[b'[%d,"x",{},[],{}]' % number for number in range(500)]),
    "jobs without commas": body(*[b"[" + b"1,2," * 200 + b"3]"] * 3),
    "one job": body(nth(1)),
    "one job of two windows": body(nth(1, LONG.replace(PAD, PAD * 4))),
    "one large job": body(nth(1, LARGER)),
    "a large job between others": queue_of(at_3=nth(3, LARGER)),
    "a large wrong job": queue_of(at_3=nth(3, LARGER, number=b"0")),
    "a large job with the same id": queue_of(at_3=nth(3, LARGER, name=nth(2)[3:41])),
    "a large job with more elements": queue_of(at_3=nth(3, LARGER)[:-1] + b",7,8]"),
    "a large element that is not a job": queue_of(at_3=b'"%b"' % (PAD * 8)),
    "spaces": b' { "queue_running" : [ %b ] , "queue_pending" : [ %b , %b ,%b ] } ' % (nth(1), nth(2), nth(3), nth(4)),
    "the pending list twice": queue_of()[:-1] + b',"queue_pending":[%b,%b]}' % (nth(7), nth(8, number=b"0")),
    "the pending list and then null": queue_of()[:-1] + b',"queue_pending":null}',
    "no running list": b'{"queue_pending":[%b,%b,%b]}' % (nth(1), nth(2), nth(3)),
    "other members": queue_of()[:-1] + b',"code":"X","message":"%b","x":[%b]}' % (PAD * 4, b"1," * 5000 + b"1"),
    "many members": b"{%b,%b" % (b",".join(b'"m%d":%d' % (at, at) for at in range(150)), queue_of(3)[1:]),
    "many members with a repeated name": b'{"m7":1,%b,%b'
    % (
        b",".join(b'"m%d":%d' % (at, at) for at in range(150)),
        queue_of(3)[1:],
    ),
    "lists spelled with escapes after many members": rb'{%b,"\u0071ueue_runnin\u0067":[],"queue\u005Fpending":[0]}'
    % b",".join(rb'"\u006d%d":%d' % (at, at) for at in range(150)),
    "a queue after many members": b'{%b,"queue_running":[],"queue_pending":[0]}'
    % b",".join(b'"m%d":%d' % (at, at) for at in range(150)),
}


def test_jobs_of_a_replaced_list_do_not_count_as_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.large_jobs.ASKED", -1)
    unread = '"queue_pending":[0,1]'
    reading = LargeReading(f"{{{unread}}}".encode())
    assert reading.summary.unread == "2 of 2 jobs, which come after -1 other unusual jobs"
    assert LargeReading(f'{{{unread},"queue_pending":[]}}'.encode()).summary.unread is None


ALIKE: Final = {"tiny elements, most of them alike", "tiny elements in both lists", "tiny jobs that are alike"}
"""Of tiny elements with the same text, only an example is checked, and none is compared with others: none is a job."""
BETWEEN_JOBS: Final = {clause.id for clause in CATALOGUE if clause.fast in Compared.CLAUSES}
MUST: Final = {clause.id for clause in CATALOGUE if clause.level_in(CLOUD) is Level.MUST}


@pytest.mark.parametrize("name", WINDOWS)
def test_several_windows_get_the_findings_of_the_full_reading(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_windows_small(monkeypatch)
    monkeypatch.setattr("conformance.contract.reading.large.MEMBERS", 100)
    content = WINDOWS[name].replace(PAD, b"x" * 2400)
    large, brief = (LargeReading(content, must_only=must_only) for must_only in (False, True))
    full = Reading(WINDOWS[name].replace(PAD, b"x"))
    shown = numbers if name in ALIKE else places
    expected, found, found_for_must = (shown(findings(reading)) for reading in (full, large, brief))
    if name not in ALIKE:
        assert list(map(place_and_id, large.jobs)) == list(map(place_and_id, full.jobs))
    assert found == expected
    assert [clause for clause in MUST & expected.keys() if found_for_must[clause][1] != expected[clause][1]] == []
    assert (large.size, large.filled, large.order, large.latest) == (full.size, full.filled, full.order, full.latest)
    summary, expected_summary = large.summary, full.summary
    if name not in ALIKE:
        assert list(summary.observations) == list(expected_summary.observations)
        assert summary.repeated == expected_summary.repeated
    assert summary == expected_summary._replace(
        observations=summary.observations, repeated=summary.repeated, depth=summary.depth
    )


def place_and_id(found: Item) -> tuple[str, bool, str | None]:
    return found.pointer, found.pending, found.prompt_id


def numbers(found: dict[str, tuple[bool, list[Finding]]]) -> dict[str, tuple[bool, list[str]]]:
    """Return the number of findings of each clause about single jobs."""
    return {
        clause: (exercised, [str(len(several))])
        for clause, (exercised, several) in found.items()
        if clause not in BETWEEN_JOBS
    }


def places(found: dict[str, tuple[bool, list[Finding]]]) -> dict[str, tuple[bool, list[str]]]:
    """Return the places of findings: of a large value, not all of the text is shown."""
    return {
        clause: (exercised, sorted(str(each.pointer) for each in several))
        for clause, (exercised, several) in found.items()
    }


AROUND: Final = LargeReading(body(nth(2, GRAPH), b"[7]", nth(3, GRAPH), running=(nth(1, GRAPH),)))


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("/queue_pending/0", (b'{"queue_pending":[%b]}' % nth(2, GRAPH), "/queue_pending/0")),
        ("/queue_pending/1/3", (b'{"queue_pending":[[7]]}', "/queue_pending/0/3")),
        ("/queue_pending/2/2/9/a~1b", (b'{"queue_pending":[%b]}' % nth(3, GRAPH), "/queue_pending/0/2/9/a~1b")),
        ("/queue_pending/2/2/", (b'{"queue_pending":[%b]}' % nth(3, GRAPH), "/queue_pending/0/2/")),
        ("/queue_running/0/1", (b'{"queue_running":[%b]}' % nth(1, GRAPH), "/queue_running/0/1")),
        ("/queue_pending/3", None),
        ("/queue_running/1", None),
        ("/queue_pending", None),
        ("/queue_pending/x", None),
        ("/other/0", None),
        ("", None),
    ],
)
def test_a_finding_is_shown_in_a_body_with_only_its_job(pointer: str, found: tuple[bytes, str] | None) -> None:
    assert AROUND.text_at(pointer) == found


def test_a_job_is_found_in_its_window(monkeypatch: pytest.MonkeyPatch) -> None:
    make_windows_small(monkeypatch)
    pad = b"x" * 2400
    reading = LargeReading(queue_of().replace(PAD, pad))
    found = [reading.text_at(f"/queue_pending/{at}") for at in range(5)]
    alone = [b'{"queue_pending":[%b]}' % nth(at).replace(PAD, pad) for at in range(2, 7)]
    assert found == [(text, "/queue_pending/0") for text in alone]


@pytest.mark.parametrize("wrong", [b"[NaN]", nth(3, LARGER)], ids=["not JSON", "too large"])
def test_a_finding_in_an_unusual_window_is_shown_without_a_body(wrong: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    make_windows_small(monkeypatch)
    assert LargeReading(body(wrong).replace(PAD, b"x" * 2400)).text_at("/queue_pending/0") is None


# --- repeated lists --------------------------------------------------------------------------------------------------

LIST_MEMBERS: Final = st.tuples(
    st.sampled_from(
        ['"queue_running"', '"queue_pending"', r'"\u0071ueue_pending"', r'"queue_runnin\u0067"', '"x"', '"y"']
    ),
    st.sampled_from([":", " : ", "\n:"]),
    st.sampled_from(
        [
            "[]",
            "[0]",
            "[ [], {} ]",
            "null",
            "7",
            r'"\"queue_pending\":[1]"',
            '"queue_running"',
            '{"queue_pending":[1]}',
            '[{"queue_running":[2]}, "]"]',
            f"[{job().decode()}]",
            f"[{job(number=b'0').decode()},{job().decode()}]",
        ]
    ),
).map("".join)


@given(st.lists(LIST_MEMBERS, min_size=3, max_size=30), st.sampled_from([20, 200, RUN]))
def test_of_repeated_lists_the_last_counts_also_in_groups(members: list[str], size: int) -> None:
    content = f"{{{' ,'.join(members)}}}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conformance.contract.reading.large.MEMBERS", 2)
        patch.setattr("conformance.contract.reading.large.runs", partial(runs, size=size))
        found = findings(LargeReading(content.encode()))
    expected = findings(Reading(content.encode()))
    assert {
        clause: (exercised, {each.pointer for each in several}) for clause, (exercised, several) in found.items()
    } == {clause: (exercised, {each.pointer for each in several}) for clause, (exercised, several) in expected.items()}


# --- one window ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("demand", DEMANDS, ids=lambda demand: f"{demand.dialect}-{demand.read_as}")
def test_small_bodies_get_the_findings_of_the_full_reading(demand: Demand) -> None:
    full = {name: findings(Reading(content, demand)) for name, content in ALL.items()}
    assert [name for name in ALL if findings(LargeReading(ALL[name], demand)) != full[name]] == []
    must = {clause.id for clause in CATALOGUE if clause.level_in(demand) is Level.MUST}
    wrong = [
        (name, clause)
        for name, content in ALL.items()
        for clause, (_, found) in findings(LargeReading(content, demand, must_only=True)).items()
        if clause in must and found != full[name][clause][1]
    ]
    assert wrong == []
