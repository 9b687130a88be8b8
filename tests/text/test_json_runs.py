"""A large text is cut into pieces between elements or members, and its values end where the parser says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from conformance.text.json_runs import (
    RUN,
    JsonRun,
    Unfinished,
    end_of,
    end_of_member,
    end_of_scalar,
    last_members,
    nesting_of,
    runs,
    skip_space,
    split,
)
from conformance.text.strict_json import nesting


def cut(content: bytes, size: int | None, at: int = 0) -> Iterator[tuple[bytes, str]]:
    """Yield the pieces of the array or object at an offset: the text of each, and how it is marked."""
    children = runs(content, at, size=size)
    for run in children:
        end, mark = run.end, "end" if run.last and run.empty else "last" if run.last else ""
        if run.giant:
            child = end_of_member if content.startswith(b"{", at) else end_of
            end, mark = child(content, skip_space(content, run.start)), f"depth {run.depth}"
            assert children.send(end) == JsonRun(end, end, empty=True)
        yield content[run.start : end], mark


@pytest.mark.parametrize(
    ("content", "size", "pieces"),
    [
        (b"[]", 8, [(b"", "last")]),
        (b"[1]", 8, [(b"1", "last")]),
        (b"[1,2,3]", 8, [(b"1,2,3", "last")]),
        (b"[1,2,3,4,5,6,7]", 8, [(b"1,2,3,4", ""), (b"5,6,7", "last")]),
        (b"[1,2,3,4,5,6,7,8]", 8, [(b"1,2,3,4", ""), (b"5,6,7,8", "last")]),
        (b"[1,2,3,4]", 2, [(b"1", ""), (b"2", ""), (b"3", ""), (b"4", "last")]),
        (b"[1, 2 , 3]", 4, [(b"1", ""), (b" 2 ", ""), (b" 3", "last")]),
        (b'["a]","b"]', 4, [(b'"a]"', ""), (b'"b"', "last")]),
        (b'["",1,"","",2]', 4, [(b'""', ""), (b'1,""', ""), (b'""', ""), (b"2", "last")]),
        (rb'["\\",","]', 3, [(rb'"\\"', ""), (b'","', "last")]),
        (rb'["\",",1]', 3, [(rb'"\",",1', "last")]),
        (b'{"a":1,"b":2,"c":3}', 6, [(b'"a":1', ""), (b'"b":2', ""), (b'"c":3', "last")]),
        (b"[[1,2],[3,4],[5,6]]", 8, [(b"[1,2]", ""), (b"[3,4]", ""), (b"[5,6]", "last")]),
        (b"[[[1],[2]],[[3]]]", 12, [(b"[[1],[2]]", ""), (b"[[3]]", "last")]),
        (b"[1,[2,3,4,5,6,7,8,9],3]", 4, [(b"1", ""), (b"[2,3,4,5,6,7,8,9]", "depth 1"), (b"3", "last")]),
        (
            b"[1,2,3,[2,3,4,5,6,7,8,9] ]",
            4,
            [(b"1,2", ""), (b"3", ""), (b"[2,3,4,5,6,7,8,9]", "depth 1"), (b"", "end")],
        ),
        (
            b"[1, [2,3,4,5,6,7,8,9] ,2,3,4]",
            4,
            [(b"1", ""), (b" [2,3,4,5,6,7,8,9]", "depth 1"), (b"2,3", ""), (b"4", "last")],
        ),
        (
            b'{"a":{"x":{"y":[1,2,3,4]}},"c":3}',
            6,
            [(b'"a":{"x":{"y":[1,2,3,4]}}', "depth 3"), (b'"c":3', "last")],
        ),
        (
            b'["a","a long string, with commas",3]',
            6,
            [(b'"a"', ""), (b'"a long string, with commas"', "depth 0"), (b"3", "last")],
        ),
        (b"[[1,2,3,4],5]", 4, [(b"[1,2,3,4]", "depth 1"), (b"5", "last")]),
        (b"[1 2,3}", 8, [(b"1 2,3", "last")]),
        (b"[[1,2,3,4,5,6,7] x,1]", 4, [(b"[1,2,3,4,5,6,7]", "depth 1"), (b"", "end")]),
        (b"[[1,2,3,4,5,6,7]", 4, [(b"[1,2,3,4,5,6,7]", "depth 1"), (b"", "end")]),
    ],
)
def test_an_array_or_object_is_cut_into_pieces(content: bytes, size: int, pieces: list[tuple[bytes, str]]) -> None:
    assert list(cut(content, size)) == pieces
    assert list(cut(b"[" + content, size, 1)) == pieces


@pytest.mark.parametrize("content", [b"[", b"[1,2", b'["a', b"[[1]", b'[1,"', b"[1,2,3,[4"])
def test_an_array_that_is_not_closed_has_a_rest(content: bytes) -> None:
    for before, opening in ((b"", b""), (b"1", b""), (b"[1", b"{")):
        with pytest.raises(Unfinished) as unclosed:
            list(runs(before + content, len(before), opening=opening))
        assert unclosed.value.rest == len(before) + 1
        assert unclosed.value.opening == (opening or b"[")


CHILDREN: Final = (b"[1,2]", b'"a,b"', b"7", b'{"a":[1]}', b"[[[1]]]", b'"%b"' % (b"y" * 300), rb'"\"\\"')
MANY: Final = b",".join(CHILDREN * 4000)
"""The text of many small elements, larger than a piece."""


def test_the_pieces_of_a_large_array_have_about_the_size_of_a_piece() -> None:
    found = list(cut(b"[%b]" % MANY, None))
    assert b",".join(text for text, _ in found) == MANY
    assert all(RUN <= len(text) + 400 < RUN * 5 // 4 for text, _ in found[:-1])
    assert [mark for _, mark in found] == ["", "last"]
    several = [text for text, _ in cut(b"[%b]" % MANY, 300_000)]
    assert b",".join(several) == MANY
    assert all(300_000 <= len(text) + 400 < 600_000 for text in several[:-1])


def test_a_comma_is_found_before_a_long_element() -> None:
    inner = b"[%b]" % b",".join([b"[1,{}]"] * 1000)
    found = list(cut(b"[%b]" % b",".join([inner] * 5), 7000))
    assert found == [(inner, "")] * 4 + [(inner, "last")]
    numbers = b"   [%b1]" % (b"1," * 9000)
    assert list(cut(b"[%b]" % numbers, 4096)) == [(numbers, "depth 1"), (b"", "end")]
    text = b'[%b,%b"%b"]' % (b"1" * 1700, b"2" * 1700, b"x" * 9000)
    assert next(runs(text, 0, size=4096)).end == 1701
    for digits in range(2040, 2060):
        assert next(runs(b"[%b,%b]" % (b"1" * digits, b"2" * 9000), 0, size=4096)).end == 1 + digits


# --- the ends of values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        *CHILDREN,
        b"[]",
        b"-1.5e3",
        b"true",
        b'""',
        b'{"a":"}","b":["]"]}',
        b"[%b]" % MANY[:9000].rpartition(b",")[0],
        b'["%b"]' % (b"]," * 4000),
        rb'["%b\"]",[%b]]' % (b"x" * 4080, b"1," * 4000 + b"2"),
    ],
)
def test_the_end_of_a_value_is_found(value: bytes) -> None:
    for after in (b"", b",1]", b" x", b"]]", b"}"):
        assert end_of(b"[" + value + after, 1) == 1 + len(value)
        assert end_of_member(b'{ "a" : ' + value + after, 1) == 8 + len(value)
        assert end_of(b" " * 4096 + value + after, 4096) == 4096 + len(value)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (b"", 0),
        (b"[", 1),
        (b"[1,[2]", 6),
        (b'{"a', 3),
        (b'"a', 0),
        (b'["a","b', 7),
        (b",", 0),
        (b'["%b' % (b"x" * 9000), 9002),
    ],
)
def test_a_value_without_an_end_is_reported(text: bytes, at: int) -> None:
    with pytest.raises(Unfinished) as unclosed:
        end_of(b"  " + text, 2)
    assert unclosed.value.at == at + 2


@pytest.mark.parametrize("ends", [b" ", b"\t", b"\n", b"\r", b",", b"]", b"}", b":", b"[", b"{", b'"'])
def test_a_word_ends_before_a_sign(ends: bytes) -> None:
    assert end_of_scalar(b"[-1.5e3" + ends + b"x", 1) == 7


@pytest.mark.parametrize(
    ("text", "children"),
    [
        (b"", []),
        (b" ", []),
        (b"1", [b"1"]),
        (b' 1 ,\n[2,3], {"a":[4,{}],"b":5}', [b"1", b"[2,3]", b'{"a":[4,{}],"b":5}']),
        (b'"a":"x,y" , "b,c":[NaN,1]', [b'"a":"x,y"', b'"b,c":[NaN,1]']),
        (rb'"\",",NaN,"\\"', [rb'"\","', b"NaN", rb'"\\"']),
    ],
)
def test_the_text_of_children_is_split(text: bytes, children: list[bytes]) -> None:
    assert split(text) == children


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'"a":1,"b":2,"a" : 3', [12, 0]),
        (b'"x":{"a":1},"a":2,"y":[{"a":3}]', [12]),
        (b'"a":"\\"a":1","b":["a"],"x":[[]]', [0]),
        (b'"x":"a\\",","a":[],"a":{}', [18, 11]),
        (b'"a":[[],[{}]],"a":{"a":1,"b":[[{"a":2}]]},"x":[[[]]]', [14, 0]),
        (b'"x":1', []),
        (b"", []),
    ],
)
def test_the_members_with_some_names_are_found(text: bytes, found: list[int]) -> None:
    assert list(last_members(text, re.compile(rb'"a"\s*:'))) == found


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (b"", 0),
        (b"1", 0),
        (b"[]", 1),
        (b" [[1],[[2]],3] [[[[", 3),
        (b'{"a":"[[","b":[{}]}', 3),
        (b"[[[", 3),
        (b"] [", 0),
        (b'["', 1),
        (b'[["[[[[', 2),
        (b'[["a[' + b"x" * 300_000, 2),
        (b"[%b,[[1]]] [[[[" % (b"1," * 150_000 + b"2"), 3),
        (b"[[1],%b] [[[[" % (b"1," * 150_000 + b"2"), 2),
        (b'["%b",[[1]]]' % (b"[" * 300_000), 3),
        (b" " * 270_000 + b"[[]]", 2),
    ],
)
def test_the_levels_of_nesting_of_a_text_are_counted(text: bytes, depth: int) -> None:
    assert nesting_of(text) == nesting(text) == depth
