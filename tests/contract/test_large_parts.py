"""The parts of the reading of large bodies: comparing jobs, counting repeated texts, shortening jobs and workflows."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import pytest
from msgspec import Raw

from conformance.contract.reading.fast_job import Inspection, prover
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.contract.reading.large_compared import COMPARED, DISAGREEING, Compared, ComparedJob
from conformance.contract.reading.large_job import Reduced, reduced
from conformance.contract.reading.large_listed import (
    REPEATED,
    LargeList,
    Repeat,
    Window,
    exercised_by,
    hashes_of,
    index_of,
    piece_of,
    text_again,
)
from conformance.contract.reading.large_part import LargePart
from conformance.contract.reading.large_recalled import recalled
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Dialect, FastPath
from conformance.text.large_json import Checker
from helpers.queue_bodies import job
from helpers.windows import WINDOW, make_windows_small

RUNNING, PENDING = "queue_running", "queue_pending"

# --- comparing the jobs of a body with one another --------------------------------------------------------------------


def entries(*values: tuple[str | None, Any, Any], first: int = 0) -> list[ComparedJob]:
    return [(first + at, *each) for at, each in enumerate(values)]


RISING: Final = entries(("a", 1, 10), ("b", 2, 20), ("c", 3, 30))
BROKEN: Final = [
    (RISING, frozenset()),
    (entries(("a", 1, 10), ("b", 2, 10), ("c", 3, 30)), frozenset()),
    (entries(("a", 1, 10), ("B", 2, 20), ("b", 3, 30)), {FastPath.DISTINCT_IDS}),
    (entries(("a", 1, 10), ("b", 1, 20)), {FastPath.DISTINCT_NUMBERS}),
    (entries(("a", 2, 10), ("b", 1, 20)), {FastPath.RISING_NUMBERS}),
    (entries(("a", 1, 20), ("b", 2, 10)), {FastPath.RISING_TIMES}),
    (entries(("a", 1, 10), ("b", 3, 30), ("c", 2, 20)), {FastPath.RISING_NUMBERS, FastPath.RISING_TIMES}),
    (entries(("a", 1.5, 10), ("b", 1.5, 20)), {FastPath.DISTINCT_NUMBERS, FastPath.RISING_NUMBERS}),
    (entries(("a", 1.5, 10), ("b", 2.5, 20)), frozenset()),
    (entries(("a", 2.5, 10), ("b", 1.5, 20)), {FastPath.RISING_NUMBERS}),
    (entries(("a", 3, 10), ("a", 2, 5), ("b", 2, 7)), set(Compared.CLAUSES)),
]


@pytest.mark.parametrize(("jobs", "broken"), BROKEN)
def test_pending_jobs_are_compared(jobs: list[ComparedJob], broken: frozenset[FastPath]) -> None:
    compared = Compared()
    compared.add(PENDING, jobs)
    assert compared.broken == broken
    apart = Compared()
    for each in jobs:
        apart.add(PENDING, [each])
    assert apart.broken == broken
    assert all(compared.many(fast) for fast in Compared.CLAUSES)


def test_running_jobs_are_compared_by_their_ids_only() -> None:
    compared = Compared()
    compared.add(RUNNING, entries(("a", 2, 20), ("b", 2, 10)))
    assert compared.broken == frozenset()
    assert [fast for fast in FastPath if compared.many(fast) and fast in Compared.CLAUSES] == [FastPath.DISTINCT_IDS]


def test_both_lists_are_compared_by_ids() -> None:
    compared = Compared()
    compared.add(RUNNING, entries(("a", 5, 50)))
    compared.add(PENDING, entries(("b", 1, 10)))
    assert compared.broken == frozenset()
    assert [fast for fast in FastPath if compared.many(fast) and fast in Compared.CLAUSES] == [FastPath.DISTINCT_IDS]
    compared.add(PENDING, entries(("A", 2, 20)))
    assert compared.broken == {FastPath.DISTINCT_IDS}
    assert compared.twice == {hash("a")}
    compared.drop(RUNNING)
    assert compared.broken == frozenset()
    compared.drop(RUNNING)


def test_a_missing_value_is_not_compared() -> None:
    compared = Compared()
    compared.add(PENDING, entries((None, "1", None), (None, None, "x"), ("a", True, True)))
    assert compared.broken == frozenset()
    assert not any(compared.many(fast) for fast in Compared.CLAUSES)
    compared.add(PENDING, entries((None, 5, 50)))
    assert not any(compared.many(fast) for fast in Compared.CLAUSES)
    compared.add(PENDING, entries(("b", 7, 70), ("c", 6, 60), first=3))
    assert compared.broken == {FastPath.RISING_NUMBERS, FastPath.RISING_TIMES}
    assert (compared.falls_at(FastPath.RISING_NUMBERS), compared.falls_at(FastPath.RISING_TIMES)) == (4, 4)


def test_no_jobs_are_no_list() -> None:
    compared = Compared()
    assert compared.twice == set()
    compared.add(PENDING, [])
    assert (compared.broken, compared.twice, compared.uncompared) == (frozenset(), set(), 0)


def test_the_place_of_the_first_falling_value_is_kept() -> None:
    compared = Compared()
    compared.add(PENDING, entries(("a", 5, 10), ("b", 6, 20)))
    compared.add(PENDING, entries(("c", 4, 30), ("d", 3, 40), first=2))
    compared.add(PENDING, entries(("e", 9, 15), first=4))
    assert compared.falls_at(FastPath.RISING_NUMBERS) == 2
    assert compared.falls_at(FastPath.RISING_TIMES) == 4
    assert compared.numbers_twice == set()


def test_a_decimal_number_is_compared() -> None:
    compared = Compared()
    compared.add(PENDING, entries(("a", Decimal("1.5"), 1), ("b", 1.5, 2), ("c", Decimal("1.5"), 3)))
    assert compared.broken == {FastPath.DISTINCT_NUMBERS, FastPath.RISING_NUMBERS}


def test_ids_are_compared_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    assert COMPARED == 500_000
    monkeypatch.setattr("conformance.contract.reading.large_compared.COMPARED", 9)
    compared = Compared()
    many = [(at, str(at), at, at) for at in range(9)]
    compared.add(RUNNING, many[:5])
    compared.add(RUNNING, many[5:])
    assert (compared.uncompared, compared.broken) == (0, frozenset())
    compared.add(RUNNING, entries(("x", 1, 1), ("y", 1, 1), ("7", 1, 1)))
    assert compared.uncompared == 3
    assert compared.twice == {hash("7")}
    compared.add(RUNNING, entries(("x", 1, 1)))
    compared.add(PENDING, entries(("z", 1, 1)))
    assert compared.twice == {hash("7")}
    assert compared.uncompared == 4


def test_repeated_ids_are_kept_up_to_a_bound() -> None:
    compared = Compared()
    many = [(at, str(at), None, None) for at in range(DISAGREEING + 5)]
    compared.add(RUNNING, many)
    compared.add(RUNNING, many)
    assert len(compared.twice) == DISAGREEING == 1000


# --- repeated texts ---------------------------------------------------------------------------------------------------


def raws(*texts: str) -> list[tuple[int, Raw]]:
    return [(at, Raw(text.encode())) for at, text in enumerate(texts)]


def kept(found: Iterable[tuple[int, Raw]]) -> list[tuple[int, bytes]]:
    return [(at, bytes(text)) for at, text in found]


def test_a_repeated_text_is_counted_and_left_out() -> None:
    listed = LargeList()
    assert kept(listed.new(raws("1", "2", "1", "1"), again=False)) == [(0, b"1"), (1, b"2")]
    assert listed.repeats == {b"1": Repeat(0, 3, 3), b"2": Repeat(1, 1, 1)}
    assert kept(listed.new(raws("1", "2", "1", "1", "3"), again=True)) == [(0, b"1"), (1, b"2"), (4, b"3")]
    assert listed.repeats == {b"1": Repeat(0, 3, 3), b"2": Repeat(1, 1, 1)}


def test_only_short_texts_are_recognised_up_to_a_bound() -> None:
    listed = LargeList()
    short, long = "1" * 100, "1" * 101
    assert kept(listed.new(raws(short, short, long, long), again=False)) == [
        (0, short.encode()),
        (2, long.encode()),
        (3, long.encode()),
    ]
    assert REPEATED == 10_000
    many = [(at, Raw(b"%d" % at)) for at in range(REPEATED)]
    listed = LargeList()
    assert len(listed.new([*many, *many, (9, Raw(b"x")), (9, Raw(b"x"))], again=False)) == REPEATED + 2


def test_the_clauses_that_apply_to_proven_jobs_of_either_list() -> None:
    none, outputs, graph, both = (
        LargeList(shapes={shape}) for shape in ((False, False), (True, False), (False, True), (True, True))
    )
    each = FastPath.EACH_JOB
    assert exercised_by([]) == frozenset()
    assert exercised_by([LargeList(), none]) == {each}
    assert exercised_by([outputs]) == {each, FastPath.OUTPUT_NODE_IDS}
    assert exercised_by([graph]) == {each, FastPath.GRAPHS}
    assert exercised_by([graph, outputs]) == {each, FastPath.OUTPUT_NODE_IDS, FastPath.GRAPHS}
    assert exercised_by([both]) == {each, FastPath.OUTPUT_NODE_IDS, FastPath.GRAPHS, FastPath.GRAPHS_WITH_OUTPUTS}
    assert exercised_by([none, LargeList(linked=True)]) == {each, FastPath.LINKS}


def test_a_number_is_found_by_its_hash_as_written_and_as_a_float() -> None:
    assert hashes_of(1) == {hash(1)}
    assert hashes_of(Decimal("0.1")) == {hash(Decimal("0.1")), hash(0.1)}
    assert hashes_of(10**400) == {hash(10**400)}
    assert [hashes_of(value) for value in ("1", True, None)] == [set(), set(), set()]


def test_the_index_of_a_job_is_read_from_a_pointer() -> None:
    assert [index_of(pointer) for pointer in ("/queue_pending/12", "/queue_running/3/4/5")] == [12, 3]


def test_the_text_of_an_element_is_read_again_from_the_two_windows_that_were_used_last() -> None:
    content = b'[[1,"a"],[2,"b"]],[[3,"c"]]'
    asked: list[tuple[int, int]] = []
    pulses: list[None] = []

    def source(start: int, end: int) -> bytes:
        asked.append((start, end))
        return piece_of(content, start, end)

    one, two, three = Window(0, 2, 1, 16), Window(2, 1, 19, 26), Window(0, 1, 1, 8)
    shared = Shared(KnownJobs(), lambda: pulses.append(None))
    assert text_again(source, shared, one, 1, 1) == b'"b"'
    assert text_again(source, shared, one, 0, 0) == b"1"
    assert text_again(source, shared, two, 0, 1) == b'"c"'
    assert text_again(source, shared, one, 0, 1) == b'"a"'
    assert asked == [(1, 16), (19, 26)]
    text_again(source, shared, three, 0, 0)
    text_again(source, shared, two, 0, 0)
    assert asked == [(1, 16), (19, 26), (1, 8)]
    text_again(source, shared, one, 0, 0)
    assert asked == [(1, 16), (19, 26), (1, 8), (1, 16)]
    assert len(pulses) == 7
    assert text_again(source, Shared(), two, 0, 1) == b'"c"'


def test_only_verified_jobs_are_recalled() -> None:
    known, looked = KnownJobs(), list[bytes]()

    def look(element: Raw) -> Inspection:
        looked.append(bytes(element))
        return prover(Dialect.CLOUD, huge=False).inspect(element)

    sound, wrong = job(), job(number=b"0")
    for _ in range(2):
        found = recalled(known, look, [(True, 4, Raw(sound)), (False, 5, Raw(wrong))])
        verified = [(each.pending, each.place, each.inspection.remaining is None) for each in found]
        assert verified == [(True, 4, True), (False, 5, False)]
    assert looked == [sound, wrong, wrong]


# --- a group of jobs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indexes", [[4], [4, 5, 6]])
def test_a_group_of_jobs_has_an_index_for_each(indexes: list[int]) -> None:
    part = LargePart(PENDING, indexes, [b"[1]", b"[2]"], AS_THE_DOCUMENT_SAYS)
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is"):
        _ = part.elements


def test_consecutive_jobs_need_only_the_first_index() -> None:
    part = LargePart(PENDING, 5, [b"[1],[2]", b"[3]"], AS_THE_DOCUMENT_SAYS)
    assert list(part.indexes) == [5, 6, 7]
    assert [item.pointer for item in part.items] == [f"/{PENDING}/{index}" for index in (5, 6, 7)]
    assert part.moved(f"/{PENDING}/2/0") == f"/{PENDING}/7/0"


def test_the_jobs_of_a_group_have_their_places_in_the_body() -> None:
    part = LargePart(PENDING, [4, 9], [b"[1]", b'"x"'], AS_THE_DOCUMENT_SAYS, more=3)
    assert [(pending, found.pointer, found.value) for pending, found in part.elements] == [
        (True, "/queue_pending/4", [1]),
        (True, "/queue_pending/9", "x"),
    ]
    assert [(item.pointer, item.pending, item.elements, item.more) for item in part.items] == [
        ("/queue_pending/4", True, [1], 3)
    ]
    assert part.moved("/queue_pending/1/0/a") == "/queue_pending/9/0/a"
    assert part.moved("/queue_pending") == "/queue_pending"
    running = LargePart(RUNNING, [2], [b"[]"], AS_THE_DOCUMENT_SAYS)
    assert [(item.pointer, item.pending, item.more) for item in running.items] == [("/queue_running/2", False, 0)]


def test_a_finding_is_about_as_many_jobs_as_have_the_text() -> None:
    part = LargePart(PENDING, [4, 9], [b"[1]", b"[2]"], AS_THE_DOCUMENT_SAYS)
    assert part.weight("/queue_pending/4") == 1
    part.times = {4: 7}
    assert [part.weight(pointer) for pointer in ("/queue_pending/4", "/queue_pending/9/1", None)] == [7, 1, 1]


# --- a job that is too large ------------------------------------------------------------------------------------------

LARGE: Final = b"x" * (2 * WINDOW)
"""Longer than a window, so that the value around it is too large to be parsed."""
STRING: Final = b'"%b"' % LARGE
SMALL: Final = b'{"9":{"class_type":"S"}}'
FULL: Final = b'{"9":{"class_type":"S","inputs":{"a":%b}}}' % STRING
SHORTENED: Final = b'{"9":{"class_type":"S","inputs":{"a":"(long)"}}}'
MANY: Final = b",".join(b'"%d"' % number for number in range(6000))
"""Strings that take more than a window."""
NODES: Final = b",".join(b'"%d":{"class_type":"S"}' % number for number in range(1, 1000))
TYPED: Final = b'{"class_type":""}'
MEMBERS: Final = b",".join(b'"%d":0' % number for number in range(6000))
KEPT: Final = b",".join(b'"%d":0' % number for number in range(1000))
FEW: Final = b",".join(b'"%d"' % number for number in range(1000))


def short(text: bytes, at: int = 0) -> tuple[Reduced, int]:
    return reduced(text, at, Checker(text), "/queue_pending/0")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"[1,2]", Reduced(b"[1,2]")),
        (b"[]", Reduced(b"[]")),
        (b"[ 1 , 2 , 3, 4, 5 ]", Reduced(b"[1,2,3,4,5]")),
        (b"[1,2,3,4,5,6,7]", Reduced(b"[1,2,3,4,5]", 2)),
        (b'{"a":1}', Reduced(b'{"a":1}')),
        (b"7", Reduced(b"7")),
        (b'[1,"i",%b,["9"],{}]' % FULL, Reduced(b'[1,"i",%b,["9"],{}]' % SHORTENED)),
        (b'[1,"i",%b]' % FULL, Reduced(b'[1,"i",%b]' % SHORTENED)),
        (b'[1,"i",%b,["9"],{},6,7]' % FULL, Reduced(b'[1,"i",%b,["9"],{}]' % SHORTENED, 2)),
        (b'[1,"i",%b,["9"],%b,6,%b,7]' % (SMALL, b"{}", FULL), Reduced(b'[1,"i",%b,["9"],{}]' % SMALL, 3)),
        (
            b'[1,"i",%b,["9"],{"create_time":1,"x":%b}]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,["9"],{"create_time":1}]' % SMALL),
        ),
        (
            b'[1,"i",%b,["9"],{"a":2,"x":%b,"create_time":1,"b":3}]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,["9"],{"a":2,"create_time":1,"b":3}]' % SMALL),
        ),
        (
            b'[1,"i",%b,{"api_key":"abc123def456","x":%b},["9"]]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,{"api_key":"abc123def456"},["9"]]' % SMALL, partly=True),
        ),
        (
            b'[1,"i",%b,{"y":{"x":%b,"z":[{"api_key_comfy_org":"abc123def456"}]}},["9"]]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,{},["9"]]' % SMALL, partly=True),
        ),
        (b'[1,"i",%b,[%b],{}]' % (SMALL, MANY), Reduced(b'[1,"i",%b,[%b],{}]' % (SMALL, FEW), partly=True)),
        (
            b'[1,"i",%b,[%b,9,"",%b],{}]' % (SMALL, MANY, FEW),
            Reduced(b'[1,"i",%b,[%b,9,""],{}]' % (SMALL, FEW), partly=True),
        ),
        (b'[%b,"i"]' % STRING, Reduced(b'["%b\\u2026","i"]' % (b"x" * 999))),
        (b'[%b,"i",%b,["9"],{}]' % (FULL, SMALL), Reduced(b'[{},"i",%b,["9"],{}]' % SMALL)),
        (b'[1,"i",[%b],["9"],{}]' % MANY, Reduced(b'[1,"i",["\xe2\x80\xa6"],["9"],{}]')),
        (b'[1,"i",{%b},["7"],{}]' % NODES, Reduced(b'[1,"i",{"7":%b,"1":%b},["7"],{}]' % (TYPED, TYPED))),
        (b'[1,"i",{%b},{},["7"]]' % NODES, Reduced(b'[1,"i",{"7":%b,"1":%b},{},["7"]]' % (TYPED, TYPED))),
        (
            b'[1,"i",%b,["9"],{%b,"create_time":1,"x":2}]' % (SMALL, MEMBERS),
            Reduced(b'[1,"i",%b,["9"],{%b,"create_time":1}]' % (SMALL, KEPT)),
        ),
        (
            b'[1,"i",%b,{"x":%b,"a token":1},["9"]]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,{"a token":1},["9"]]' % SMALL),
        ),
        (
            b'[1,"i",%b,{"x":%b,"api_\\u006bey":"abc123def456"},["9"]]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,{"api_key":"abc123def456"},["9"]]' % SMALL, partly=True),
        ),
        (
            b'[1,"i",%b,["",%b,"","!",7,%b,%b,[%b],"",%b],{}]'
            % (SMALL, MANY, b"1" * 999, b"1" * 1000, FEW, b"8," * 1000 + b"9"),
            Reduced(
                b'[1,"i",%b,["",%b,"",7,%b,"",%b],{}]'
                % (SMALL, FEW.rpartition(b",")[0], b"1" * 999, b",".join([b"8"] * 996)),
                partly=True,
            ),
        ),
        (b'[NaN,"\\ud800",%b,["9"],{}]' % FULL, Reduced(b'[NaN,"\\ud800",%b,["9"],{}]' % SHORTENED)),
        (
            b'[1,"i",%b,["9"],{"create_time":NaN, "\\ud800" : "\x01","x":%b}]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,["9"],{"create_time":NaN,"\\ud800":"\x01"}]' % SMALL),
        ),
        (
            b'[1,"i",%b,["9",NaN,%b],{}]' % (SMALL, STRING),
            Reduced(b'[1,"i",%b,["9",NaN],{}]' % SMALL, partly=True),
        ),
        (b"[1,[%b],2]" % MANY, Reduced(b'[1,["\xe2\x80\xa6"],2]')),
        (b"%b" % STRING, Reduced(b'"%b\\u2026"' % (b"x" * 999))),
    ],
)
def test_a_large_job_is_shortened(text: bytes, found: Reduced, monkeypatch: pytest.MonkeyPatch) -> None:
    make_windows_small(monkeypatch)
    assert short(text) == (found, len(text))
    assert short(b"  " + text + b", 5", 2) == (found, len(text) + 2)


def test_the_nesting_of_a_shortened_job_is_counted_from_the_body() -> None:
    checker = Checker(b"[[[]]]")
    reduced(checker.content, 0, checker, "/queue_pending/0")
    assert checker.depth == 5
