"""A text that is checked piece by piece has the flaws that the full parser finds in it."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.text.json_runs import RUN, Runs, Unfinished, runs, skip_space
from conformance.text.large_json import Checker, NotRead, parse_piece
from conformance.text.safe import printable
from conformance.text.strict_json import NESTING_READ, Document, Flaw, parse

BOM: Final = b"\xef\xbb\xbf"
E_ACUTE: Final = "\N{LATIN SMALL LETTER E WITH ACUTE}".encode()


@pytest.fixture(params=[16, 64, RUN])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The size of a piece. With the small ones, a short text has several pieces."""
    for module in ("json_runs", "large_json"):
        monkeypatch.setattr(f"conformance.text.{module}.RUN", request.param)
    return int(request.param)


def by_pieces(content: bytes) -> Document:
    """Return the result of the check by pieces, without the value."""
    checker = Checker(content)
    bom = content.startswith(BOM)
    end = checker.value(skip_space(content, len(BOM) * bom), "")
    return checker.document(None, bom=bom, trailing=printable(content[end:].strip().decode()) or None)


def why_malformed(content: bytes) -> str | None:
    checker = Checker(content)
    try:
        checker.value(skip_space(content, len(BOM) * content.startswith(BOM)), "")
    except Unfinished as error:
        return checker.unfinished(error).malformed
    except NotRead as error:
        return error.malformed
    raise AssertionError(content)


# --- the flaws of a text ----------------------------------------------------------------------------------------------

FLAWED: Final = (
    b"[]",
    b"{}",
    b" [ ] ",
    b"\n{\t}\r",
    b'"x"',
    b"7",
    b"[1,2,3]",
    b"[ 1 , 2,\n3 ] x",
    b'["a,b","]","\\"[",{"c":"}"},[[],{}]]',
    b'{"a":[1,2,3],"b":{"c":["d"]},"e":4}',
    b"[%b]" % b",".join([b'"a long text","[",{"b":[1,{}]}'] * 9),
    b"{%b}" % b",".join(b'"name %d":[%d,"x",{"y":[]}]' % (at, at) for at in range(9)),
    b'[[[[["deep",[["deeper"]],1]]]],{"a":[[2]]}]',
    b"[1,2,NaN,4,-Infinity,[6,Infinity]]",
    b'{"a":NaN,"b":1,"c/~":{"d":[0,NaN]},"e":[{"f":NaN}]}',
    b'[{"a":1,"b":2,"a":3},4,5,{"c":[{"d":6,"d":7}]}]',
    b'[{"\\ud800":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]},1]',
    b'[1,2,3,4,5,6,7,8,9,10,11,12,{"x\\ud800":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}]',
    b'[{"%b\\ud800":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}]' % (b"x" * 8),
    b'["\\ud800",1,"x",{"\\udfff":2},["\\ud83d\\ude00"]]',
    b"[1e308,1e309,-1e999,[1e400,2],%b]" % (b"7" * 309),
    b'["a",["b\x01",\n"c"],"d\x02"]',
    b'["a",\n["b", "%b\t"],"d\x02"]' % E_ACUTE,
    b'["\xff","%b",["\xfe",2]]' % E_ACUTE,
    b'["\xff\xff\x80","\xe2\x82","\x01"]',
    b"%b[%b]" % (BOM, b",".join([b'"\xff"', b'"\x01"', b"NaN"] * 3)),
    b"[%b%b]" % (b"[" * 100, b"]" * 100),
    b"[%b,1]" % b"".join([b'{"a":' * 120, b"1", b"}" * 120]),
    b"[1,%b%b]" % (b"[" * (NESTING_READ - 1), b"]" * (NESTING_READ - 1)),
    b'[1,"\\\\","\\\\\\"",["\\"",","],"\\u005c",2]',
)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("content", FLAWED)
def test_the_flaws_are_those_of_the_full_parser(content: bytes) -> None:
    full = parse(content)
    assert full.read
    assert by_pieces(content) == full._replace(value=None)


MALFORMED: Final = (
    b"",
    b"  ",
    b"nul",
    b"\n x",
    b"[",
    b"{",
    b"[1",
    b"[1,",
    b"[1,]x",
    b"[1,2,3,4,5,6,7,8,]",
    b'{"a":12,"b":1234,}',
    b"[%b,1]" % (b" " * 15),
    b'{"a":1,}',
    b"[1,,2]",
    b"[1,2, ,3,4,5,6,7,8,9]",
    b'{"a":1,\n  ,"b":2,"c":3,"d":4}',
    b"[1 2]",
    b'["a" "b"]',
    b'{"a" 1}',
    b'{"a":1 "b":2}',
    b"{1:2}",
    b'{"a":}',
    b'{"a"}',
    b"[1,2}",
    b'{"a":1]',
    b"[[1,2,3,4,5,6,7,8,9,10}]",
    b"[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17] x]",
    b"[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17] x,1,2]",
    b"[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}",
    b"[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]",
    b'{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15] "b":1}',
    b'{"a" [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]}',
    b"{[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]}",
    b'["x\\y"]',
    b"[1,2,\\,3]",
    b"[tru,1]",
    b"[01]",
    b"[1,\x00]",
    b'[\n"%b\xff",\n {"x": "%b", y}]' % (E_ACUTE, E_ACUTE),
    b"%b[1,2,\n3,x]" % BOM,
    b"%b{x}" % BOM,
    b'["a","b","c","%b", "\xff", "\x01", x, 1]' % E_ACUTE,
    b'[1,2,3,4,5,6,7,8,9,10,11,{"a":[{"b":1,"c"}]}]',
    b'[1,2,3,4,5,6,7,8,"abc',
    b'{"a":1,"b":2,"c":3,"d',
    b'{"a":1,"b":2,"c":3,"d":',
    b"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,[1,[2,{",
    b"[1,2,[3,4,[5,6,[7,8,9,10",
    b"[1,\n2,\n3,[4,5,\n6,\n7,8,9,10,\n11,[12,\n\n13,\n\n x]]]",
)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("content", MALFORMED)
def test_the_first_error_is_that_of_the_full_parser(content: bytes) -> None:
    if content.strip():
        assert why_malformed(content) == parse(content).malformed is not None
    else:
        assert (
            why_malformed(content) == f"Expecting value at line 1 column {len(content) + 1} (character {len(content)})"
        )


# --- strings, numbers and names that are larger than a piece ----------------------------------------------------------

LONG: Final = 40
"""A text of this many bytes, or more, is larger than the smallest piece."""


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    "content",
    [
        b'["%b","%b",1]' % (b"x" * LONG, E_ACUTE * LONG),
        b'["%b"]' % (rb"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00" * 2),
        b'{"%b":1,"%b":[2]}' % (b"n" * LONG, b"m" * LONG),
        b'[1,"%b\x01",2]' % (b"x" * LONG),
        b'["a",\n"%b\x1f\n"]' % (E_ACUTE * LONG),
        b"[%b,-%b.5e-7]" % (b"7" * LONG, b"1" * LONG),
        b"[0.%b,1e+%b3]" % (b"0" * LONG, b"0" * LONG),
        b"[%b]" % (b"7" * 900),
        b"7" * LONG,
        b'"%b"' % (b"x" * LONG),
        b"[[%b],[NaN,%b],NaN]" % (b"1," * LONG + b"2", b"1," * LONG + b"2"),
    ],
)
def test_a_long_string_or_number_has_the_flaws_that_the_full_parser_finds(content: bytes) -> None:
    assert by_pieces(content) == parse(content)._replace(value=None)


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    "content",
    [
        b'["%b\\x"]' % (b"x" * LONG),
        b'["\\x%b"]' % (b"x" * LONG),
        b"[1%b.%b.5]" % (b"0" * LONG, b"1" * LONG),
        b"[1e%b.5]" % (b"1" * LONG),
        b"[1%b.e5]" % (b"0" * LONG),
        b"[1%be5e5]" % (b"0" * LONG),
        b"[0%b]" % (b"1" * LONG),
        b"[1.%be]" % (b"1" * LONG),
        b"[x%b]" % (b"1" * LONG),
        b"[1%b-]" % (b"1" * LONG),
    ],
)
def test_a_long_string_or_number_can_be_malformed(content: bytes) -> None:
    assert why_malformed(content) == parse(content).malformed


def test_a_long_string_has_the_first_lone_surrogate_only(size: int) -> None:
    pad = b"x" * (2 * size if size < RUN else 9)
    content = b'["%b\\ud83d\\ude00\\\\ud801\\ud800%b\\udfff"]' % (pad, pad)
    (flaw,) = by_pieces(content).lone_surrogates
    assert flaw == (Flaw("/0", r'"\ud800"') if size < RUN else parse(content).lone_surrogates[0])


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size", [16], indirect=True)
def test_a_long_string_that_is_not_utf_8_is_named_by_its_offset() -> None:
    bad = b'"%b\xff"' % (b"x" * 2 * LONG)
    assert by_pieces(b"[1,%b,%b]" % (bad, bad)).not_utf8 == "a string at offset 3"
    assert by_pieces(b'["\xff",%b]' % bad).not_utf8 == "byte 0xff at offset 2 (invalid start byte)"
    control = bad.replace(b"\xff", b"\x02")
    found = by_pieces(b'[%b,"\x01",%b]' % (control, control)).control_character
    assert found == "U+0002 at line 1 column 83"


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size", [16], indirect=True)
def test_a_long_number_is_not_converted() -> None:
    assert by_pieces(b"[1,2,3, %b]" % (b"7" * 2000)).out_of_range == (Flaw("/3", "a number of about 1e999"),)


def test_an_offset_has_commas() -> None:
    found = by_pieces(b'[%b"\xff"]' % (b"1," * 700)).not_utf8
    assert found == "byte 0xff at offset 1,402 (invalid start byte)"


# --- counts and limits ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("size")
def test_only_the_first_flaws_and_the_last_one_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.text.large_json.FLAWS", 3)
    found = by_pieces(b'[%b,1,{"a":0,"a":0}]' % b",".join([b"NaN"] * 30))
    assert [flaw.pointer for flaw in found.non_finite] == ["/0", "/1", "/29"]
    assert [flaw.pointer for flaw in found.repeated_names] == ["/31/a"]
    assert found.more == {"non_finite": 27}


def test_names_are_compared_up_to_a_bound(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr("conformance.text.large_json.NAMES", 9)
    checker = Checker(b"")
    seen = set[int]()
    for names in (("a", "b", "a/~"), ("c", "a/~"), ("d", "e", "f", "g"), ("h", "b")):
        checker.distinct(names, seen, "/x")
    assert checker.uncompared == 0
    checker.distinct(("i", "j", "c"), seen, "/x")
    checker.distinct(("i", "d"), seen, "")
    assert checker.uncompared == 5
    found = [flaw.pointer for flaw in checker.flaws["repeated_names"]]
    assert found == ["/x/a~1~0", "/x/b", "/x/c", "/d"]
    if size == 16:
        monkeypatch.setattr("conformance.text.large_json.NAMES", 4)
        many = b"[%b]" % b",".join([b'{"a":1,"b":2,"c":3,"d":4}'] * 3)
        checker = Checker(many)
        checker.value(0, "")
        assert checker.uncompared == 0, "the names of an object are dropped after it"
        checker = Checker(b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}')
        checker.value(0, "")
        assert checker.uncompared > 0


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("level", [0, 1, 7])
def test_the_levels_around_a_value_count(level: int) -> None:
    for content, depth in ((b"[[[1]]]", 3), (b"[]", 1), (b"1", 0), (b'{"a":[{"b":"%b"}]}' % (b"x" * 200), 3)):
        checker = Checker(content)
        checker.value(0, "", level)
        assert checker.depth == (level + depth if depth else 0)
    deep = b"[" * (NESTING_READ - level) + b"]" * (NESTING_READ - level)
    checker = Checker(deep)
    checker.value(0, "", level)
    assert checker.depth == NESTING_READ
    late = b"%b%b%b%b" % (b"[" * 440, b"1," * 200, b"[" * (61 - level), b"]" * (501 - level))
    for more in (
        b"[%b]" % deep,
        b"[1,%b]" % deep,
        b'{"a":1,"b":%b}' % deep,
        b"[%b,%b]" % (b"1," * 40 + b"2", deep),
        late,
    ):
        checker = Checker(more)
        with pytest.raises(NotRead) as refused:
            checker.value(0, "", level)
        assert refused.value.malformed is None


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size", [1 << 14], indirect=True)
@pytest.mark.parametrize("level", [0, 7])
def test_a_value_that_is_nested_too_deeply_is_refused_at_once(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[int]()

    def counted(content: bytes, at: int, *, size: int) -> Runs:
        read.append(at)
        return runs(content, at, size=size)

    monkeypatch.setattr("conformance.text.large_json.runs", counted)
    for deeper, arrays in ((0, 2), (1, 1), (9, 1)):
        read.clear()
        with pytest.raises((NotRead, Unfinished)):
            Checker(b"[%b%b" % (b"[" * (NESTING_READ - level - 1 + deeper), b"1," * 17_000)).value(0, "", level)
        assert min(len(read), 2) == arrays


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("size", [16], indirect=True)
def test_a_long_rest_of_a_text_that_is_not_closed_is_not_parsed() -> None:
    for length, found in (
        (27, "Expecting value at line 1 column 2 (character 1)"),
        (28, "Unterminated string starting at line 1 column 6 (character 5)"),
    ):
        assert why_malformed(b'[nul "%b' % (b"x" * length)) == found
    rest = Checker(b'%33bnul "%b' % (b"", b"x" * 27)).unfinished(Unfinished(37, 33, b"["))
    assert rest.malformed == "Expecting value at line 1 column 34 (character 33)"
    after = b'[1,2,3,4,5,6,7,8,9,10,nul,"%b' % (b"x" * 100)
    assert why_malformed(after) == "Unterminated string starting at line 1 column 27 (character 26)"


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'[{"a":NaN,"a":1}]', {"", "/0/a"}),
        (b'{"b":[1,2,[{"a":NaN,"a":1}]]}', {"", "/b", "/b/2", "/b/2/0/a"}),
    ],
)
def test_a_flaw_in_a_value_that_a_repeated_name_replaced_has_the_place_of_an_array_around_it(
    content: bytes, found: set[str]
) -> None:
    document = by_pieces(content)
    assert {flaw.pointer for flaw in (*document.non_finite, *document.repeated_names)} <= found
    assert len(document.non_finite) == len(document.repeated_names) == 1


@pytest.mark.usefixtures("size")
def test_a_piece_is_never_taken_for_utf_16() -> None:
    assert parse_piece(b'"\x00a"').value == "\x00a"
    assert by_pieces(b'["\x00",1]').control_character == "U+0000 at line 1 column 3"
    assert by_pieces(b'"\x00a"').control_character == "U+0000 at line 1 column 2"
