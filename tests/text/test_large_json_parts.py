"""Parts of a large text: their values, their places in the text, and the short values in place of large ones."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.text.large_json import FLAWS, NAMES, SHALLOW, Checker, NotRead, shift_by, shorten
from conformance.text.strict_json import NESTING_READ, parse

LARGE: Final = 1 << 16
"""A value with more bytes than this is shortened."""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'"a":1', ("a", 4)),
        (b'  "a" \n: 1', ("a", 9)),
        (rb'"\u0061\"":1', ('a"', 11)),
        (b'"\x00":1', ("\x00", 4)),
        (b'"%b":1' % (b"n" * 998), ("n" * 998, 1001)),
        (b'"%b":1' % (b"n" * 999), ("n" * 999 + "\u2026", 1002)),
        (b'"\\u0061%b":1' % (b"n" * 999), ("\u2026", 1008)),
        (b'"%b\xff":1' % (b"n" * 900), ("n" * 900 + "\ufffd", 904)),
    ],
)
def test_a_name_is_read_with_the_offset_of_its_value(text: bytes, found: tuple[str, int]) -> None:
    assert Checker(text).name(0) == found
    assert Checker(b"{" * 8 + text).name(8) == (found[0], found[1] + 8)


def test_a_part_without_flaws_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("conformance.text.large_json.parse")
    for levels in (1, 99, 100):
        text = b'[{"a":1,"b":"x"},%b%b]' % (b"[" * (levels - 1), b"]" * (levels - 1))
        assert Checker(b"").part(text.replace(b",]", b"]"), 0, str, 9)


def test_the_levels_around_a_part_count() -> None:
    checker = Checker(b"")
    checker.part(b"[]", 0, str)
    assert checker.depth == 1
    checker.take(parse(b"[[]]"), 0, str)
    assert checker.depth == 2
    checker.part(b"[" * 50 + b"]" * 50, 0, str, NESTING_READ - 50)
    assert checker.depth == NESTING_READ
    with pytest.raises(NotRead):
        checker.part(b"[" * 51 + b"]" * 51, 0, str, NESTING_READ - 50)


def test_an_error_in_a_part_has_its_place_in_the_text() -> None:
    for start, place in ((2, "line 4 column 2 (character 6)"), (0, "line 2 column 2 (character 4)")):
        with pytest.raises(NotRead) as refused:
            Checker(b"\n\n1,\n x").part(b"[1,\n x]", start, str)
        assert refused.value.malformed == f"Expecting value at {place}"


@pytest.mark.parametrize(("level", "least"), [(0, 64), (1, 32), (2, 16), (3, 8), (4, 4), (5, 4)])
def test_the_pieces_of_an_inner_array_are_smaller(level: int, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.text.large_json.RUN", 64)
    pieces = list[int]()
    Checker(b"[%b1]" % (b"1," * 200), see=lambda text, _: pieces.append(len(text))).value(0, "", level)
    assert set(pieces[:-1]) == {least + 1}, "two brackets are added, and a comma is left out"


def test_a_part_must_end_where_its_brackets_end() -> None:
    for part, at in ((b"[1],2]", 5), (b"{}}", 5)):
        with pytest.raises(NotRead) as refused:
            Checker(b"12345678").part(part, at, str)
        assert refused.value.malformed == f"Expecting ',' delimiter at line 1 column {at + 1} (character {at})"


@pytest.mark.parametrize(
    ("pointer", "moved"), [("", "/x"), ("/0", "/x/7"), ("/2/a/0", "/x/9/a/0"), ("/0/~1", "/x/7/~1")]
)
def test_a_pointer_into_a_piece_becomes_one_into_the_text(pointer: str, moved: str) -> None:
    assert shift_by("/x", 7)(pointer) == moved


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b'"x"', b'"x"'),
        (b'"%b"' % (b"x" * (LARGE - 2)), b'"%b"' % (b"x" * (LARGE - 2))),
        (b'"%b"' % (b"x" * (LARGE - 1)), b'"%b\\u2026"' % (b"x" * 999)),
        (b'"\\n%b"' % (b"x" * LARGE), b'"\\u2026"'),
        (b"[%b1]" % (b"1," * LARGE), '["\N{HORIZONTAL ELLIPSIS}"]'.encode()),
        (b'{"a":"%b"}' % (b"x" * LARGE), '{"\N{HORIZONTAL ELLIPSIS}":"\N{HORIZONTAL ELLIPSIS}"}'.encode()),
        (b"7" * (LARGE + 1), b"7" * 1000),
        (b"-1.%b" % (b"7" * LARGE), b"-1"),
        (b"12e%b" % (b"7" * LARGE), b"12"),
        (b"12E%b" % (b"7" * LARGE), b"12"),
    ],
)
def test_a_large_value_is_shortened(value: bytes, found: bytes) -> None:
    for at in (8, 9):
        assert shorten(b"[" * at + value + b"]", at, at + len(value)) == found
    assert shorten(b"[" * (LARGE - 1) + b"17]", LARGE - 1, LARGE + 1) == b"17"


def test_the_first_flaws_and_names_are_kept() -> None:
    assert (FLAWS, NAMES, SHALLOW) == (1000, 500_000, 100)
