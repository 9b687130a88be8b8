"""Whatever bytes a server sends are read without a crash, in linear time, and each departure is noted once."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.text.pointer import escape
from conformance.text.strict_json import NESTING_READ, POINTERS, Document, Flaw, Huge, NonFinite, parse, walk

MB = 1 << 20
HIGH, LOW = "\\ud800", "\\udc00"

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)
pieces = st.sampled_from(
    [
        *'{}[]:,"',
        '"a"',
        '"\\ud83d\\ude00"',
        HIGH,
        "\\",
        "\\u00e9",
        "1",
        "-0",
        "1e999",
        "NaN",
        "-Infinity",
        "true",
        "nul",
        " ",
        "\n",
        "\x00",
        "é",
    ]
)
texts = st.text() | st.lists(pieces).map("".join) | values.map(json.dumps)


def flaws(document: Document) -> dict[str, list[str]]:
    """Return the pointers of every kind of flaw that was found."""
    kinds = ("non_finite", "repeated_names", "lone_surrogates", "out_of_range")
    return {kind: [flaw.pointer for flaw in getattr(document, kind)] for kind in kinds if getattr(document, kind)}


def is_clean(document: Document) -> bool:
    whole = document.read and not document.trailing and not document.control_character and not document.bom
    return whole and not document.not_utf8 and not document.non_finite and not document.repeated_names


def strictly(text: str) -> Any:
    """Read as Python's own parser does, refusing what RFC 8259 refuses and names that stand twice."""

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(members)) < len(members):
            raise ValueError(members)
        return dict(members)

    def constant(name: str) -> None:
        raise ValueError(name)

    return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)


@given(values)
def test_whatever_json_dumps_writes_is_read_as_an_equal_value(value: Any) -> None:
    document = parse(json.dumps(value).encode())
    assert is_clean(document)
    assert plain(document.value) == value


def plain(value: Any) -> Any:
    """Turn Decimals into the floats that they were."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain(member) for member in value]
    return {name: plain(member) for name, member in value.items()} if isinstance(value, dict) else value


@given(st.binary())
def test_random_bytes_never_raise(body: bytes) -> None:
    assert parse(body).depth >= 0


@given(texts)
def test_a_text_is_clean_exactly_when_a_strict_reader_takes_it(text: str) -> None:
    try:
        strictly(text)
    except (ValueError, RecursionError):
        taken = False
    else:
        taken = True
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    if body[:4].count(0) == 0 and not text.startswith("\ufeff"):  # what else looks like UTF-16 or has a mark
        assert is_clean(parse(body)) == taken


@given(st.text(alphabet='[]{}"\\a,', max_size=60))
def test_depth_is_never_told_below_that_of_the_value(text: str) -> None:
    document = parse(("[" * 70 + text).encode())
    inside = bare = 0
    escaped = quoted = False
    for character in "[" * 70 + text:
        if quoted:
            escaped, quoted = character == "\\" and not escaped, character != '"' or escaped
        elif character == '"':
            quoted = True
        else:
            inside += (character in "[{") - (character in "]}")
            bare = max(bare, inside)
            if inside == 0:
                break
    assert document.depth == bare


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
        (r'{"a": 1, "\u0061": 2}', {"repeated_names": ["/a"]}),
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
        ("9" * 300 + "e99", {"out_of_range": [""]}),
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
    assert not document.bom


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


@pytest.mark.parametrize("depth", [501, 1_000_000])
@pytest.mark.parametrize("shape", [("[", "]"), ('{"a":', "}"), ("[", "")])
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


def test_white_space_may_come_first() -> None:
    assert parse(b" \n\t\r [1]") == parse(b"[1]")


def test_numbers_that_are_not_finite_equal_those_of_the_same_name() -> None:
    names = "NaN", "Infinity", "-Infinity"
    assert all((NonFinite(one) == NonFinite(other)) is (one == other) for one in names for other in names)


@pytest.mark.parametrize(("exponent", "kept"), [(499_998, True), (499_999, False), (500_000, False)])
def test_numbers_with_an_exponent_beyond_a_bound_are_huge(exponent: int, *, kept: bool) -> None:
    for number in parse(f"[1e{exponent}, 1e-{exponent}, -1e{exponent}]".encode()).value:
        assert isinstance(number, Huge) is not kept


def test_a_caller_deep_in_the_stack_gets_an_answer_too() -> None:
    def sink(levels: int) -> Document:
        return sink(levels - 1) if levels else parse(b"[" * 400 + b"]" * 400)

    frames, frame = 0, sys._getframe()
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        frames += 1
    document = sink(sys.getrecursionlimit() - frames - 200)
    assert document.read or document.malformed is None


@pytest.mark.parametrize(
    "body",
    [
        b'"' * MB,
        b'"' + b"\\" * MB,
        b"\\" * MB,
        b"1" * MB,
        b"1." + b"0" * MB,
        b"1e" + b"9" * MB,
        b'["' + b"a" * MB,
        b'["' + b"\\n" * 2 * MB,
        b'["' + b'[\\"' * MB + b'"]',
        b"[" * MB,
        b"]" * MB,
        b"1e" * 2 * MB,
        (b"1" * 199 + b",") * 5_000,
        b'["' + b"\x01" * MB + b'"]',
        b"\0" * MB,
        b" " * MB,
        b"[" + (b"9" * 4301 + b",") * 1000 + b"1]",
        b"[" + (b"9" * 4300 + b",") * 1000 + b"1]",
        b"{" + b'"a":1,' * MB + b'"a":1}',
    ],
    ids=count(),
)
def test_megabytes_of_one_thing_cost_no_more_than_their_length(body: bytes) -> None:
    """A quadratic step would take hours here: that this test ends is what it says."""
    document = parse(body)
    assert document.malformed or document.read or document.depth > NESTING_READ


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


@pytest.mark.parametrize(("characters", "more"), [((4 << 20) - 2, 1), ((4 << 20) - 1, 2)])
def test_flaws_are_listed_until_their_pointers_are_too_long(characters: int, more: int) -> None:
    document = parse(b'{"%b":NaN,"b":NaN,"c":NaN}' % (b"n" * characters))
    assert document.more == {"non_finite": more}
    assert document.non_finite[-1] == Flaw("/c", "NaN")
    assert len(document.non_finite) == 3 - more


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


@given(values)
def test_walk_names_every_value_by_a_pointer_that_leads_to_it(value: Any) -> None:
    for place, member in walk(value):
        found = value
        for token in str(place).split("/")[1:]:
            name = token.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        assert found is member


@given(st.text())
def test_an_escaped_name_is_one_token(name: str) -> None:
    assert "/" not in escape(name)
    assert escape(name).replace("~1", "/").replace("~0", "~") == name
