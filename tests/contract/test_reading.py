"""A body read as JSON: its jobs in either order, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from conformance.contract.reading.body import Item, Reading, element, infos, metadata_objects, output_node_id_lists
from conformance.contract.reading.known_jobs import NOTHING, KnownJobs, Roll, Shared
from conformance.contract.reading.memory import Facts, Located, Observation, Recalled, Remembered
from conformance.contract.terms import Demand, Dialect, FastPath, Level
from helpers.answers import item, queue

CLOUD, OSS = Dialect.CLOUD, Dialect.OSS


OURS, THEIRS, UNTOLD = Demand.of(CLOUD), Demand.of(OSS), Demand.of(Dialect.AUTO)
TOLD = Demand.detected(OSS, "/x")


def job(*elements: Any, demand: Demand = OURS) -> Item:
    return Item("/queue_pending/0", pending=True, elements=list(elements), demand=demand)


# --- one job ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("elements", "order", "told"),
    [
        ((1, "a", {}, [], {}), CLOUD, CLOUD),
        ((1, "a", {}, {}, []), OSS, OSS),
        ((1, "a", {}, [], {}, 6), CLOUD, CLOUD),
        ((1, "a", {}, [], []), None, CLOUD),
        ((1, "a", {}, {}, {}), None, OSS),
        ((1, "a", {}, None, {}), None, None),
        ((1, "a", {}, "", []), None, None),
        ((1, "a", {}, [], None), None, CLOUD),
        ((1, "a", {}, {}, None), None, OSS),
        ((1, "a", {}, []), None, None),
        ((), None, None),
    ],
)
def test_the_types_of_3_and_4_show_an_order(
    elements: tuple[Any, ...], order: Dialect | None, told: Dialect | None
) -> None:
    assert [job(*elements, demand=demand).order for demand in (OURS, THEIRS)] == [order, order]
    assert [job(*elements, demand=demand).order for demand in (UNTOLD, TOLD)] == [told, told]


@pytest.mark.parametrize(
    ("third", "fourth", "demand", "swapped", "ids"),
    [
        ([], {}, OURS, False, 3),
        ([], {}, THEIRS, True, 3),
        ({}, [], OURS, True, 4),
        ({}, [], THEIRS, False, 4),
        (None, None, OURS, False, 3),
        (None, None, THEIRS, False, 4),
        (None, None, UNTOLD, False, None),
        ([], None, UNTOLD, False, 3),
        ({}, None, UNTOLD, False, 4),
        ([], {}, TOLD, False, 3),
        (1, 2, TOLD, False, None),
    ],
)
def test_ids_and_metadata_stand_by_the_order_that_shows_else_by_the_one_demanded(
    third: Any, fourth: Any, demand: Demand, *, swapped: bool, ids: int | None
) -> None:
    found = job(1, "a", {}, third, fourth, demand=demand)
    assert found.swapped is swapped
    places = [located and located.pointer for located in (found.output_node_ids, found.metadata)]
    assert places == ([None, None] if ids is None else [f"/queue_pending/0/{place}" for place in (ids, 7 - ids)])


def test_a_short_job_has_neither_ids_nor_metadata() -> None:
    short, long = job(1, "a", {}, []), job(1, "a", {}, [], {}, 6)
    assert (short.output_node_ids, short.metadata) == (None, None)
    assert None not in (long.output_node_ids, long.metadata)


@pytest.mark.parametrize(
    ("elements", "prompt_id"), [((), None), ((1,), None), ((1, "a"), "a"), ((1, 2), None), ((1, ""), "")]
)
def test_an_id_is_a_string(elements: tuple[Any, ...], prompt_id: str | None) -> None:
    assert job(*elements).prompt_id == prompt_id


@pytest.mark.parametrize(
    ("elements", "place"),
    [
        ((1, "a", {}, [], {"create_time": None}), "/queue_pending/0/4/create_time"),
        ((1, "a", {}, {"create_time": 1}, []), "/queue_pending/0/3/create_time"),
        ((1, "a", {}, [], {}), None),
        ((1, "a", {}, [], "create_time"), None),
        ((1, "a", {}, {"create_time": 1}), None),
        ((1, "a", {}, [], {"create_time": 1}, 6), "/queue_pending/0/4/create_time"),
    ],
)
def test_a_create_time_stands_in_metadata(elements: tuple[Any, ...], place: str | None) -> None:
    found = job(*elements).create_time
    assert (found.pointer if found else None) == place


# --- one body ---------------------------------------------------------------------------------------------------------


def reading(content: bytes) -> Reading:
    return Reading(content)


def test_elements_are_listed_running_before_pending() -> None:
    body = reading(b'{"queue_pending": [1, []], "queue_running": [[2], {}], "other": [[3]]}')
    assert [(pending, found.pointer) for pending, found in body.elements] == [
        (False, "/queue_running/0"),
        (False, "/queue_running/1"),
        (True, "/queue_pending/0"),
        (True, "/queue_pending/1"),
    ]
    assert [(found.pointer, found.pending) for found in body.items] == [
        ("/queue_running/0", False),
        ("/queue_pending/1", True),
    ]


@pytest.mark.parametrize("content", [b"[]", b"no", b"{}", b'{"queue_running": {"a": []}}', b'{"queue_running": "[]"}'])
def test_where_there_is_no_list_there_are_no_elements(content: bytes) -> None:
    assert list(reading(content).elements) == []


def test_only_the_jobs_at_given_places_are_read() -> None:
    body = Reading(queue([1], [2], running=([3], [4])), OURS, {(True, 0), (False, 1)})
    assert [found.pointer for found in body.items] == ["/queue_running/1", "/queue_pending/0"]


def test_only_an_object_is_an_info() -> None:
    assert list(infos(reading(b'{"a": 1}'))) == [{"a": 1}]
    assert list(infos(reading(b"[1]"))) == []


def test_without_the_fast_path_every_job_remains_and_counts_once() -> None:
    body = reading(queue(item(1)))
    assert body.remaining(FastPath.EACH_JOB, Level.MUST) == (False, body)
    assert body.weight("/queue_pending/0") == 1


def test_the_summary_outlives_the_value() -> None:
    body = reading(queue(item(1), item(2), running=(item(3), 4, [5])))
    before = body.summary
    document, found = body.document, body.items
    body.forget()
    assert body.summary is before
    assert body.document is not document
    assert body.items is not found
    assert body.items == found


def test_the_summary_says_what_was_read() -> None:
    summary = reading(queue([1], item(1), ["x"], running=(4,))).summary
    assert (summary.read, summary.malformed, summary.is_object, summary.jobs) == (True, False, True, 4)
    assert summary.order == (CLOUD, "/queue_pending/1")
    assert summary.ids == {item(1)[1]}
    assert summary.lists == {"queue_running", "queue_pending"}
    assert reading(queue(item())).summary.lists == {"queue_pending"}
    assert reading(queue(running=(3,))).summary.lists == {"queue_running"}
    assert reading(b"[" * 100 + b"]" * 100).summary.depth == 100
    broken = reading(b"[1,").summary
    assert (broken.malformed, broken.is_object, broken.jobs, broken.order) == (True, False, 0, None)
    assert reading(b"no").summary.read is False
    assert reading(b"[]").summary.is_object is False


def test_the_first_job_that_shows_an_order_tells_it() -> None:
    one = item(1)
    other = [*one[:3], one[4], one[3]]
    assert reading(queue(item(e3=None), other, one)).summary.order == (OSS, "/queue_pending/1")
    assert reading(queue(item(e3=None))).summary.order is None


def test_a_job_is_remembered_by_its_id_unless_it_is_listed_twice() -> None:
    body = reading(queue(item(1), item(2), item(2), [1], running=(item(3),)))
    observations = body.summary.observations
    assert body.summary.compared
    assert body.summary.repeated == {item(2)[1]}
    assert list(observations) == [item(3)[1], item(1)[1]]
    running, pending = observations.values()
    assert (running.pointer, running.pending) == ("/queue_running/0", False)
    assert (pending.pointer, pending.pending) == ("/queue_pending/0", True)


@pytest.mark.parametrize(("size", "places"), [(2, (None, None)), (3, (2, None)), (4, (2, None)), (5, (2, 3))])
def test_what_is_not_there_is_not_remembered(size: int, places: tuple[int | None, int | None]) -> None:
    (seen,) = reading(queue(item(1)[:size])).summary.observations.values()
    found = (seen.workflow, seen.output_node_ids)
    expected = tuple(None if place is None else f"/queue_pending/0/{place}" for place in places)
    assert tuple(located and located.pointer for located in found) == expected
    assert (seen.create_time is None) is (size < 5)


def digest(text: str) -> Any:
    (seen,) = reading(b'{"queue_pending":[[1,"a",' + text.encode() + b"]]}").summary.observations.values()
    assert seen.workflow is not None
    return seen.workflow.value.digest


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ("[1.0]", "[1]", True),
        ("[1.50]", "[15e-1]", True),
        ("[1.5]", "[1.25]", False),
        ("[1]", '["1"]', False),
        ("[NaN]", "[NaN]", True),
        ("[NaN]", "[Infinity]", False),
        ("[true]", "[1]", False),
        ('["\\ud800"]', '["\\ud801"]', False),
        ("[1, 2]", "[2, 1]", False),
    ],
)
def test_values_are_compared_by_what_they_say(one: str, other: str, *, alike: bool) -> None:
    assert (digest(one) == digest(other)) is alike


def test_half_a_kilobyte_is_kept_of_a_job() -> None:
    assert len(digest('{"a": "' + "x" * 10_000 + '"}')) == 16


def recalled(text: bytes, *, readable: bool = True) -> Recalled:
    texts = {(7, 2): text} if readable else {}
    return Recalled(text, lambda index, element: texts[index, element], 7, 2)


@pytest.mark.parametrize("make", [lambda text: Remembered(text=Raw(text)), recalled], ids=["kept", "read again"])
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("[1]", "[1]", True),
        ("[1]", "[1.0]", True),
        ("[1.0]", "[1]", True),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', True),
        ("[1]", "[2]", False),
        ("[2]", "[1]", False),
        ("[1]", "[3]", False),
        ("[3]", "[1]", False),
    ],
)
def test_texts_are_remembered_by_what_they_say(
    one: str, other: str, make: Callable[[bytes], Remembered], *, same: bool
) -> None:
    left, right = (make(text.encode()) for text in (one, other))
    assert (left == right) is same
    assert (left == Remembered(right.digest)) is same
    assert (Remembered(left.digest) == right) is same
    assert (left == Remembered(text=Raw(other.encode()))) is same
    assert (hash(left) == hash(right)) is same
    assert (left.key == right.key) is (one == other)
    assert left != one


def test_equal_texts_have_one_key_and_are_not_read_again() -> None:
    left, right, other = (recalled(text, readable=False) for text in (b"[1]", b"[1]", b"[2]"))
    assert left == right
    assert left.key == Remembered(text=Raw(b"[1]")).key != other.key
    assert Remembered(b"a digest").key == b"a digest"


def test_a_text_that_is_let_go_keeps_its_digest() -> None:
    known: dict[bytes, bytes] = {}
    kept = Remembered(text=Raw(b"[1.0]"))
    kept.settle(lambda text, digest: known.setdefault(text, digest()))
    assert list(known.values()) == [kept.digest]
    again = Remembered(text=Raw(b"[1.0]"))
    again.settle(lambda text, _: known[text])
    assert again == kept == Remembered(text=Raw(b"[1]"))
    kept.settle(lambda _, __: b"it has no text any more")
    assert kept == again


def test_what_is_kept_of_a_body_lets_its_texts_go() -> None:
    kept = [Located(f"/{index}", Remembered(text=Raw(text))) for index, text in ((2, b"{}"), (3, b"[]"))]
    observation = Observation("/queue_pending/0", pending=True, facts=Facts(kept[0], kept[1], None))
    bare = Observation("/queue_pending/1", pending=True, facts=Facts(None, None, None))
    known: dict[bytes, bytes] = {}
    roll = Roll(KnownJobs())
    roll.note("a", observation)
    roll.note("b", bare)
    summary = reading(queue()).summary._replace(observations=(roll.listed() or NOTHING).once)
    summary.settle(lambda text, digest: known.setdefault(text, digest()))
    assert list(known.values()) == [found.value.digest for found in kept]


def test_a_body_with_too_many_jobs_is_not_compared() -> None:
    summary = Reading(queue(item(1)), shared=Shared(KnownJobs(distinct=0))).summary
    assert (summary.compared, list(summary.observations), summary.jobs) == (False, [], 1)


def test_an_element_is_that_of_the_jobs_that_reach_so_far() -> None:
    items = reading(queue([], [1], [1, "a"], [1, "a", {}], [1, "a", {}, []])).items
    assert [found.pointer for found in element(2, items)] == ["/queue_pending/3/2", "/queue_pending/4/2"]
    full = [[*item(1)[:size], *["more"] * (size - 5)] for size in (4, 5, 6)]
    for selector, place in ((output_node_id_lists, 3), (metadata_objects, 4)):
        found = selector(reading(queue(*full)))
        assert [each.pointer for each in found] == [f"/queue_pending/{at}/{place}" for at in (1, 2)]
