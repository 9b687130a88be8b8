"""An excerpt shows the place of a finding, bounded, printable, and never somebody's key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge.excerpt import CONTEXT, MARKED, around, start_of
from conformance.text.pointer import escape
from conformance.text.strict_json import walk

KEY = "comfyui-0123456789abcdef"
leaves = st.none() | st.booleans() | st.integers(-999, 999) | st.text(alphabet='ab"\\/~é😀\n', max_size=5)
documents = st.recursive(
    leaves,
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(alphabet='a~/01" é', max_size=3), children)
    ),
    max_leaves=12,
)


@given(documents, st.booleans(), st.sampled_from([None, 0, 3]), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_the_marked_text_is_the_value_at_the_pointer(
    document: Any,
    ascii_only: bool,  # noqa: FBT001
    indent: int | None,
    mark: bytes,
) -> None:
    body = mark + json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    for place, value in walk(document):
        excerpt = around(body, str(place))
        if not str(place):
            assert excerpt is None
            continue
        assert excerpt is not None
        if not excerpt.marked.endswith("…"):
            assert json.loads(excerpt.marked.replace("\\u000a", "\n")) == value
        assert len(excerpt.before) <= CONTEXT * 6
        assert len(excerpt.marked) <= MARKED * 6 + 1
        assert len(excerpt.after) <= CONTEXT * 6


def test_of_a_name_that_stands_twice_the_last_is_shown() -> None:
    excerpt = around(b'{"a": 1, "b": 0, "a": 2}', "/a")
    assert excerpt is not None
    assert (excerpt.before, excerpt.marked, excerpt.after) == ('{"a": 1, "b": 0, "a": ', "2", "}")


@pytest.mark.parametrize(
    ("pointer", "marked"),
    [("/a~1b", "1"), ("/m~0n", "2"), ("/~01", "3"), ("/list/1", "[]"), ("/esc", '"\\u0041"'), ("/", "4")],
)
def test_names_are_told_apart_by_their_escapes(pointer: str, marked: str) -> None:
    body = rb'{"a/b": 1, "m~n": 2, "~1": 3, "": 4, "list": [0, []], "\u0065sc": "\u0041"}'
    excerpt = around(body, pointer)
    assert excerpt is not None
    assert excerpt.marked == marked


@pytest.mark.parametrize("pointer", ["/1/code", "/1/code/deeper", "/1/0", "/1/-1"])
def test_what_is_absent_is_shown_by_what_should_hold_it(pointer: str) -> None:
    excerpt = around(b'[0, {"message": "no"}, 2]', pointer)
    assert excerpt is not None
    assert (excerpt.before, excerpt.marked, excerpt.after) == ("[0, ", '{"message": "no"}', ", 2]")


@pytest.mark.parametrize(
    ("body", "pointer", "marked"),
    [
        (b'{"a":1,"b":[2,3]}', "/b/1", "3"),
        (b'{"b":2}', "/b", "2"),
        (b'{"a": {}}', "/a/b", "{}"),
        (b'{"a": []}', "/a/0", "[]"),
        (b'{"a": true}', "/a/0", "true"),
        (b'["12"]', "/0/0", '"12"'),
        (b'["12"]', "/0/a", '"12"'),
        (b"[12]", "/0/0", "12"),
        (b'{"a": {"b": 1, "c": 2}}', "/a/d", '{"b": 1, "c": 2}'),
    ],
)
def test_a_place_or_its_closest_parent_is_shown(body: bytes, pointer: str, marked: str) -> None:
    excerpt = around(body, pointer)
    assert excerpt is not None
    assert excerpt.marked == marked


@pytest.mark.parametrize("body", [b"[1 !5]", b'{"0":1 !"1":5}', b'{!"1":5}'])
def test_a_place_after_an_error_in_the_syntax_is_not_shown(body: bytes) -> None:
    assert around(body, "/1") is None


@pytest.mark.parametrize("pointer", ["/7", "/x", "/01"])
def test_an_index_that_is_none_leads_no_further_than_its_list(pointer: str) -> None:
    excerpt = around(b"[1, 2]", pointer)
    assert excerpt is not None
    assert excerpt.marked in {"[1, 2]", "2"}


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{", b'{"a', b'{"a"', b'{"a":', b"[1,", b"no", b"\xff", b"[" * 100_000, "[1]".encode("utf-16")]
)
def test_where_there_is_no_value_there_is_no_excerpt(body: bytes) -> None:
    assert around(body, "/a/0") is None


def test_a_large_value_is_cut_and_nothing_follows_the_cut() -> None:
    excerpt = around(json.dumps({"a": "x" * 1000, "b": 1}).encode(), "/a")
    assert excerpt is not None
    assert len(excerpt.marked) == MARKED + 1
    assert excerpt.after == ""


@pytest.mark.parametrize(("size", "cut"), [(238, False), (239, True)])
def test_an_excerpt_has_160_characters_before_and_after_and_240_of_the_value(size: int, *, cut: bool) -> None:
    before, after = f'["{"a" * 502}",', f',"{"b" * 500}"]'
    excerpt = around(f'{before}"{"x" * size}"{after}'.encode(), "/1")
    assert excerpt is not None
    assert excerpt.before == before[-160:]
    assert excerpt.marked == ('"' + "x" * 239 + "…" if cut else f'"{"x" * size}"')
    assert excerpt.after == ("" if cut else after[:160])


def test_class_types_are_shown_only_if_asked() -> None:
    body = b'{"queue_pending": [[1, "id", {"3": {"class_type": "KSampler"}}]]}'
    for shown, excerpt in (
        (False, around(body, "/queue_pending/0/2", hide=True)),
        (True, around(body, "/queue_pending/0/2", hide=True, class_types=True)),
        (True, around(body, "/queue_pending/0/2")),
    ):
        assert excerpt is not None
        assert ("KSampler" in excerpt.marked) is shown


def test_a_body_with_more_than_8_mib_has_no_excerpt() -> None:
    most = b"[1" + b" " * ((8 << 20) - 3) + b"]"
    assert around(most, "/0") is not None
    assert around(most + b" ", "/0") is None


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("x" * 9, "x" * 9),
        ("x" * 10, "x" * 10),
        ("x" * 11, "x" * 10 + "…"),
        ("😀" * 10, "😀" * 10),
        ("😀" * 50, "😀" * 10 + "…"),
    ],
)
def test_the_start_of_a_body_is_cut_after_a_number_of_characters(text: str, start: str) -> None:
    assert start_of(text.encode(), 10) == start
    assert start_of(b"x" * 601) == "x" * 600 + "…"


@pytest.mark.parametrize("hide", [False, True])
def test_the_start_of_a_body_shows_a_workflow_only_if_it_is_not_hidden(*, hide: bool) -> None:
    body = b'{"3": {"inputs": {"text": "secret words"}}}'
    assert ("secret" in start_of(body, hide=hide)) is not hide
    assert "secret" in start_of(body)


def test_controls_and_bidirectional_overrides_are_escaped() -> None:
    excerpt = around('{"a": "\u202e\x1b[31m\x00", "b": 1}'.encode(), "/b")
    assert excerpt is not None
    assert excerpt.before == '{"a": "\\u202e\\u001b[31m\\u0000", "b": '


def secret_body(name: str, before: int, after: int, key: str = KEY) -> bytes:
    extra = {"pad": "p" * before, name: key, "tail": "t" * after, "create_time": 1}
    return json.dumps({"queue_pending": [[1, "id", {}, ["9"], extra]]}).encode()


@pytest.mark.parametrize("name", ["api_key_comfy_org", "auth_token_comfy_org"])
@pytest.mark.parametrize("length", [len(KEY), 2000])
def test_no_cut_shows_any_part_of_a_key(name: str, length: int) -> None:
    key = (KEY * 100)[:length]
    for size in range(0, 400, 7):
        body = secret_body(name, size, size, key)
        for pointer in (
            f"/queue_pending/0/4/{name}",
            "/queue_pending/0/4/create_time",
            "/queue_pending/0/4/pad",
            "/queue_pending/0/4",
            "/queue_pending/0/4/absent",
            "/queue_pending/0/3",
        ):
            excerpt = around(body, pointer)
            assert excerpt is not None
            shown = excerpt.before + excerpt.marked + excerpt.after
            assert not any(key[start : start + 6] in shown for start in range(len(KEY) - 5))
        assert KEY[:6] not in start_of(body, 100 + size)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(secret_body("api_key_comfy_org", 1, 1).decode()).encode(),
        json.dumps(json.dumps(secret_body("auth_token_comfy_org", 1, 1).decode())).encode(),
        b'{"api_key_comfy_org" \n:\t "' + KEY.encode() + b'"}',
        b'{"api_key_comfy_org": "a\\"' + KEY.encode() + b'"}',
        b'{"api_key_comfy_org": "' + KEY.encode(),
        b'{"api_key_comfy_org": "\n' + KEY.encode(),
    ],
)
def test_keys_are_blotted_out_however_they_are_written(body: bytes) -> None:
    assert KEY[:6] not in start_of(body)
    assert "comfy_org" in start_of(body)


@given(st.binary(max_size=100), st.text(max_size=10), st.integers(1, 50))
def test_any_bytes_make_printable_excerpts(body: bytes, name: str, limit: int) -> None:
    assert start_of(body, limit).isprintable()
    excerpt = around(body, f"/{escape(name)}")
    assert excerpt is None or (excerpt.before + excerpt.marked + excerpt.after).isprintable()
