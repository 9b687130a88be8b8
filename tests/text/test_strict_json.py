"""Each flaw of a body is found at its place, and what can be parsed is parsed."""

from __future__ import annotations

import sys
from decimal import Decimal
from itertools import count

import pytest

from conformance.text.strict_json import (
    NESTING_READ,
    POINTERS,
    Ambiguous,
    Document,
    Flaw,
    Huge,
    NonFinite,
    Whole,
    nesting,
    parse,
    walk,
)

HIGH, LOW = "\\ud800", "\\udc00"


def flaws(document: Document) -> dict[str, list[str]]:
    """Return the pointers of every kind of flaw that was found."""
    kinds = ("non_finite", "repeated_names", "lone_surrogates", "out_of_range")
    return {kind: [flaw.pointer for flaw in getattr(document, kind)] for kind in kinds if getattr(document, kind)}


def test_flaws_of_every_kind_stand_side_by_side() -> None:
    body = b'\xef\xbb\xbf{"a": [NaN, 1], "a": [1e999, -Infinity, "\\ud800", "\x01"]}] tail'
    document = parse(body)
    assert document.read
    assert document.bom
    assert document.trailing == "] tail"
    assert document.control_character == "U+0001 at line 1 column 52"
    expected = {"non_finite": ["/a/1"], "repeated_names": ["/a"], "lone_surrogates": ["/a/2"], "out_of_range": ["/a/0"]}
    assert flaws(document) == expected
    assert document.value == {"a": [Decimal("1e999"), NonFinite("-Infinity"), "\ud800", "\x01"]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("NaN", {"non_finite": [""]}),
        ('{"a/b": {"c~d": [0, Infinity]}}', {"non_finite": ["/a~1b/c~0d/1"]}),
        ('{"": NaN}', {"non_finite": ["/"]}),
        ('{"a": 1, "b": {"x": 1, "x": 2, "x": 3, "y": 1, "y": 2}}', {"repeated_names": ["/b/x", "/b/y"]}),
        (r'{"a": 1, "b": 2, "\u0061": 3}', {"repeated_names": ["/a"]}),
        ('[{"a": 1, "a": {"b": 1, "b": 2}}]', {"repeated_names": ["/0/a", "/0/a/b"]}),
        (rf'["{HIGH}", "{LOW}", "{HIGH}{LOW}", "{LOW}{HIGH}"]', {"lone_surrogates": ["/0", "/1", "/3"]}),
        (rf'{{"a": {{"{LOW}": 1}}}}', {"lone_surrogates": ["/a"]}),
        ('{"a": {"b": NaN}, "a": 1}', {"non_finite": [""], "repeated_names": ["/a"]}),
        (r'"\uDBFF"', {"lone_surrogates": [""]}),
        (r'"\uDFFF"', {"lone_surrogates": [""]}),
        (r'"\\ud800"', {}),
        ("[1e308, 1.7976931348623157e308, 1.8e308, -1e309, 10e308]", {"out_of_range": ["/2", "/3", "/4"]}),
        ("[1e999, 1E+999, 1e0308, 1e0309]", {"out_of_range": ["/0", "/1", "/3"]}),
        ("9" * 400, {"out_of_range": [""]}),
        ("9" * 210 + "e99", {"out_of_range": [""]}),
        ("9" * 300 + "e-99", {}),
        ("9" * 200_000, {"out_of_range": [""]}),
        ("1e" + "9" * 5000, {"out_of_range": [""]}),
        ("[1e-999999999, 5e-324, -0, -0.0, 0e999, 1e-" + "9" * 50 + ", 0e" + "9" * 50 + "]", {}),
        ('"1e999"', {}),
        ('"NaN"', {}),
    ],
    ids=count(),
)
def test_each_flaw_is_found_at_its_place(text: str, found: dict[str, list[str]]) -> None:
    assert flaws(parse(text.encode())) == found


def test_the_way_a_number_was_written_stays_known() -> None:
    value = parse(b"[1, 1.0, 1e3, -0, true]").value
    assert [type(number) for number in value] == [int, Decimal, Decimal, int, bool]


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b'["caf\xe9"]', "byte 0xe9 at offset 5"),
        (b'["\xed\xa0\x80"]', "byte 0xed at offset 2"),
        (b'["\xc0\xaf"]', "byte 0xc0"),
        (b'\xef\xbb\xbf["caf\xe9"]', "byte 0xe9 at offset 8"),
        ("[1]".encode("utf-16"), "UTF-16"),
        ("[1]".encode("utf-16-le"), "UTF-16-LE"),
        ("[1]".encode("utf-16-be"), "UTF-16-BE"),
        ("[1]".encode("utf-32"), "UTF-32"),
        ("[1]".encode("utf-32-le"), "UTF-32-LE"),
        ("[1]".encode("utf-32-be"), "UTF-32-BE"),
    ],
)
def test_another_encoding_is_named_and_read_through(body: bytes, got: str) -> None:
    document = parse(body)
    assert document.not_utf8 is not None
    assert got in document.not_utf8
    assert document.read
    assert document.bom is body.startswith(b"\xef")


@pytest.mark.parametrize("body", [b"", b" \t\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n"])
def test_nothing_but_white_space_is_an_empty_body(body: bytes) -> None:
    assert parse(body) == Document(read=False, empty=True, malformed="the body is empty", bom=body[:1] == b"\xef")


@pytest.mark.parametrize(
    "body",
    [
        b"\0",
        b"\0" * 9,
        b"[1,]",
        b"[1 2]",
        b"{'a': 1}",
        b"{a: 1}",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"[\0]",
        b"\x0b[]",
        b'"\\x"',
        b'"\\',
        b'"',
        b"nul",
        b"]",
        b"[",
        b"\xff",
        b'{"a"}',
        b'"\xef\xbb\xbf',
        b"\xc2\xa0[]",
    ],
)
def test_what_is_no_json_is_malformed_or_trails(body: bytes) -> None:
    document = parse(body)
    assert document.malformed or document.trailing
    assert not document.empty


@pytest.mark.parametrize("code", range(0x20))
def test_a_raw_control_character_is_named_with_its_place(code: int) -> None:
    document = parse(b'["a",\n"b' + bytes([code]) + b'"]')
    assert document.control_character == f"U+{code:04X} at line 2 column 3"
    assert document.value == ["a", "b" + chr(code)]


@pytest.mark.parametrize("depth", [1, 64, 65, 100, 128, 129, 500])
def test_nesting_is_read_up_to_the_bound(depth: int) -> None:
    document = parse(b"[" * depth + b"]" * depth)
    assert document.read
    assert document.depth == depth


@pytest.mark.parametrize("depth", [501, 100_000])
@pytest.mark.parametrize("shape", [("[", "]"), ('{"a":', "}"), ("[", ""), ('{"a":', "")])
def test_deeper_nesting_is_counted_and_not_read(depth: int, shape: tuple[str, str]) -> None:
    document = parse((shape[0] * depth + "1" + shape[1] * depth).encode())
    assert (document.read, document.malformed, document.depth) == (False, None, depth)
    assert document.too_deep


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":1}' + "[" * 900,
        '["' + "[" * 900 + '"]',
        '["' + '\\"[' * 900 + '"]',
        '["' + "\\\\" * 9 + '"]' + "[" * 900,
    ],
)
def test_brackets_in_strings_and_after_the_value_are_no_nesting(text: str) -> None:
    document = parse(text.encode())
    assert document.read
    assert document.depth <= NESTING_READ


def test_a_text_without_an_end_is_malformed_up_to_the_bound() -> None:
    document = parse(b"[" * NESTING_READ)
    assert document.malformed is not None
    assert not document.too_deep


def test_the_brackets_of_a_text_without_an_end_are_counted() -> None:
    assert parse(b'[{"a":' * 40).depth == 80
    assert parse(b'[{"a":1},{"b":[]}]').depth == 3


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        (b"nul", 0),
        (b"][", 0),
        (b'[{"a":]', 2),
        (b'["[",[],[],', 2),
        (b"[[],[[", 3),
        (b'{"a":{},"b":{"c":{', 3),
        (b'{"a":1,"a":1}[[', 1),
        (b'{"a":[[1]],"a":1}', 3),
    ],
)
def test_nesting_is_counted_in_the_text_if_the_value_does_not_show_it(text: bytes, depth: int) -> None:
    assert parse(text).depth == depth


def test_nesting_is_counted_in_bytes_that_are_not_utf_8() -> None:
    assert nesting(b"[\xff[\xff]") == 2


def test_only_an_object_with_a_repeated_name_is_ambiguous() -> None:
    assert [type(part) for part in parse(b'[{"a":1,"a":2},{"a":1,"b":2}]').value] == [Ambiguous, dict]


def test_a_document_has_only_the_flaws_that_are_named() -> None:
    assert parse(b"1") == Document(read=True, value=1)


def test_a_long_integer_may_be_next_to_a_huge_exponent() -> None:
    assert [type(number) for number in parse(b"[1e9999999, %b]" % (b"9" * 5000)).value] == [Huge, Whole]


def test_white_space_may_come_first() -> None:
    assert parse(b" \n\t\r [1]") == parse(b"[1]")


def test_numbers_that_are_not_finite_equal_those_of_the_same_name() -> None:
    names = "NaN", "Infinity", "-Infinity"
    assert all((NonFinite(one) == NonFinite(other)) is (one == other) for one in names for other in names)


@pytest.mark.parametrize(("exponent", "kept"), [(499_998, True), (499_999, False), (500_000, False)])
def test_numbers_with_an_exponent_beyond_a_bound_are_huge(exponent: int, *, kept: bool) -> None:
    for number in parse(f"[1e{exponent}, 1e-{exponent}, -1e+{exponent}]".encode()).value:
        assert isinstance(number, Huge) is not kept


def test_a_caller_deep_in_the_stack_gets_an_answer_too() -> None:
    def sink(levels: int) -> Document:
        return sink(levels - 1) if levels else parse(b"[" * 400 + b"]" * 400)

    frames, frame = 0, sys._getframe()
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        frames += 1
    document = sink(sys.getrecursionlimit() - frames - 200)
    assert document.read or document.malformed is None


def test_long_names_do_not_multiply_with_the_flaws_below_them() -> None:
    outer = b'{"' + b"n" * 20_000 + b'":'
    document = parse(outer * 200 + b"[" + b"NaN," * 9999 + b"NaN]" + b"}" * 200)
    shown = sum(len(flaw.pointer) for flaw in document.non_finite)
    longest = len(document.non_finite[0].pointer)
    assert longest > 200 * 20_000
    assert shown <= POINTERS + longest + 1


def test_a_limit_keeps_the_first_flaws_and_the_last() -> None:
    document = parse(b"[NaN,NaN,NaN,NaN]", listed=2)
    assert [flaw.pointer for flaw in document.non_finite] == ["/0", "/3"]
    assert document.more == {"non_finite": 2}


def test_only_the_place_of_a_member_has_its_name() -> None:
    assert [place.member for place, _ in walk({"a": [1]})] == [None, "a", None]


@pytest.mark.parametrize(("characters", "more"), [((4 << 20) - 4, 1), ((4 << 20) - 3, 2), (4 << 20, 2)])
def test_flaws_are_listed_until_their_pointers_are_too_long(characters: int, more: int) -> None:
    document = parse(b'{"a":NaN,"%b":NaN,"b":NaN,"c":NaN}' % (b"n" * characters))
    assert document.more == {"non_finite": more}
    assert document.non_finite[-1] == Flaw("/c", "NaN")
    assert len(document.non_finite) == 4 - more


@pytest.mark.parametrize("exponent", ["999999", "9999999", "9" * 18, "9" * 30])
@pytest.mark.parametrize("sign", ["", "-"])
def test_arithmetic_with_any_number_raises_nothing(exponent: str, sign: str) -> None:
    (number,) = parse(f"[-9.99e{sign}{exponent}]".encode()).value
    assert abs(number) >= 0 >= number - 1
    assert number * 2 <= number


def test_flaws_say_what_stood_there() -> None:
    document = parse(rf'[-Infinity, "{HIGH}", 1e{"9" * 30}, -1e400]'.encode())
    assert document.non_finite == (Flaw("/0", "-Infinity"),)
    assert document.lone_surrogates == (Flaw("/1", '"\\ud800"'),)
    assert [flaw.got for flaw in document.out_of_range] == ["a number beyond any range", "a number of about 1e400"]
