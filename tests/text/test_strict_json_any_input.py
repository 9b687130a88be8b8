"""Any bytes are parsed without a crash and in linear time, as the parser of Python does if they are correct."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.text.pointer import escape
from conformance.text.strict_json import NESTING_READ, Document, parse, walk

MB = 1 << 20

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
        "\\ud800",
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
def test_the_depth_counts_no_bracket_in_a_string(text: str) -> None:
    document = parse(("[" + text).encode())
    inside = bare = 0
    escaped = quoted = False
    for character in "[" + text:
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
