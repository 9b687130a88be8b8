"""Members are counted in texts and in values: equal numbers prove that no name is twice in an object."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from conformance import validate
from conformance.contract.reading.fast_workflow import workflow
from conformance.text.json_bytes import (
    depth_of,
    is_utf_8,
    may_hold_huge,
    members_at_most,
    members_of,
    seems_huge,
    steps,
    without_escaped_quotes,
)

texts = st.sampled_from(['"', ":", '":', "\\", " :", "a", 'a":"b'])
values = st.recursive(
    texts | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@given(values, st.sampled_from([None, 2]), st.sampled_from([":", " : ", "\n:\t"]))
def test_a_text_never_has_more_members_than_are_counted(value: Any, indent: int | None, colon: str) -> None:
    text = json.dumps(value, indent=indent, separators=(",", colon)).encode()
    assert members_at_most(text) >= members_of(value)


@pytest.mark.parametrize("colon", [":", " : ", "\n:\t"])
def test_names_that_are_there_twice_are_counted_twice(colon: str) -> None:
    assert members_at_most(f'{{"a"{colon}1,"a"{colon}{{"b"{colon}"a"}}}}'.encode()) == 3


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ('{"1":{"class_type":"A","inputs":{}}}', 3),
        ('{"1":{"class_type":"A","inputs":{"a":["1",0],"b":["1",1],"c":"x"}}}', 6),
        ('{"1":{"class_type":"A","inputs":{},"_meta":{"title":"x","more":"y"}}}', 6),
        ('{"1":{"class_type":"A","inputs":{}},"2":{"class_type":"B","inputs":{"a":["1",0]}}}', 7),
        ('{"nodes":[{"id":1}],"links":[]}', 3),
    ],
)
def test_all_members_of_a_workflow_are_counted(text: str, members: int) -> None:
    found = workflow(Raw(text.encode()))
    assert found is not None
    assert found.members == members


@pytest.mark.parametrize("links", range(5))
@pytest.mark.parametrize("repeated", range(1, 5))
def test_a_repeated_name_is_found_beside_any_number_of_links(links: int, repeated: int) -> None:
    inputs = [f'"{at}":["1",0]' for at in range(links)] + ['"x":1'] * (1 + repeated)
    workflow_text = f'{{"1":{{"class_type":"A","inputs":{{{",".join(inputs)}}}}}}}'
    job = f'[1,"11111111-1111-4111-8111-111111111111",{workflow_text},["1"],{{"create_time":1700000000000}}]'
    found = validate(f'{{"queue_running":[],"queue_pending":[{job}]}}'.encode())
    assert [finding.clause for finding in found] == ["json.distinct-names"]


def test_each_bracket_is_a_step() -> None:
    assert list(steps(b"{: [1, {}], :\xff}")) == [1, 1, 1, -1, -1, -1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (rb'{"a": "x\":"}', 1),
        (rb'{"a\\": "x\\\":"}', 1),
        (rb'{"a\"": "\\", "b" :\t{}}', 2),
        (rb'{"a": [":", {"b": 1}]}', 3),
    ],
)
def test_escaped_quotes_look_like_no_names(text: bytes, names: int) -> None:
    assert members_at_most(without_escaped_quotes(text)) == names


@pytest.mark.parametrize(
    ("value", "depth", "members"),
    [
        (1, 0, 0),
        ("[]", 0, 0),
        ([], 1, 0),
        ({}, 1, 0),
        ({"a": 1, "b": "x"}, 1, 2),
        ([1, [2, [3]], []], 3, 0),
        ({"a": {"b": 1}, "c": [{"d": 2}, {}], "e": []}, 3, 5),
        ([{"a": [{"b": {}}]}], 5, 2),
    ],
)
def test_a_value_has_levels_and_members(value: Any, depth: int, members: int) -> None:
    assert (depth_of(value), members_of(value)) == (depth, members)
    assert [depth_of(value, levels) for levels in range(7)] == [min(depth, levels + 1) for levels in range(7)]


@pytest.mark.parametrize("digit", [b"0", b"7", b"9"])
def test_a_number_beyond_a_double_is_found_anywhere(digit: bytes) -> None:
    for before in range(31):
        least, fewer = (b"x" * before + digit * digits + b"x" for digits in (309, 308))
        assert seems_huge(least)
        assert may_hold_huge(least)
        assert not may_hold_huge(fewer)


@pytest.mark.parametrize("text", [b"7" * 269, b"x" * 400, b"/" * 400, b":" * 400, "é".encode() * 400, b"\x00" * 400])
def test_other_text_does_not_seem_huge(text: bytes) -> None:
    assert not seems_huge(text)
    assert not may_hold_huge(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (b"a", True),
        ("é".encode() * 70_000, True),
        (b"a" * 65_535 + "é".encode(), True),
        (b"a" * 65_535 + b"\xc3", False),
        (b"a" * 65_536 + b"\xa9", False),
        (b"\xff" + b"a" * 70_000, False),
        (b"a\xe9", False),
        (b"\xf0\x9f\x98", False),
    ],
)
def test_utf_8_is_told_in_pieces(text: bytes, right: bool) -> None:  # noqa: FBT001 - what is expected
    assert is_utf_8(text) is is_utf_8(memoryview(text)) is right
