"""The body as JSON text: which bodies are asked, and what each clause shows of a breach."""

from __future__ import annotations

import pytest

from conformance.contract.clauses.json import NESTING_LIMIT
from conformance.exchange.model import Exchange, Request, Response
from conformance.text.strict_json import NESTING_READ
from helpers.answers import HEADERS, Told, asked, queue, read, said

ALL = ("well-formed", "utf-8", "no-bom", "nesting")
"""Clauses on every text that is to be JSON."""
READ = ("finite-numbers", "single-text", "control-characters", "distinct-names", "paired-surrogates", "number-range")
"""Clauses on those that could be read."""
TEXT = ("Content-Type", "text/plain")


@pytest.mark.parametrize("name", [*ALL, *READ])
def test_a_text_as_it_should_be_is_accused_by_nobody(name: str) -> None:
    assert said(f"json.{name}", read(queue())) == []


def exercised(exchange: Exchange) -> tuple[bool, bool]:
    alike = [{said(f"json.{name}", exchange) is not None for name in names} for names in (ALL, READ)]
    assert all(len(each) == 1 for each in alike)
    return alike[0].pop(), alike[1].pop()


@pytest.mark.parametrize(
    ("status", "content", "label", "method", "expected"),
    [
        (200, b"{}", None, "GET", (True, True)),
        (200, b"no", None, "GET", (True, False)),
        (200, b"", None, "GET", (True, False)),
        (200, b"no", "text/plain", "GET", (True, False)),
        (200, b"{}", "text/html", "GET", (True, True)),
        (200, b"<p>", "text/html", "GET", (False, False)),
        (200, b"a,b", "text/csv", "GET", (False, False)),
        (200, b"{}", None, "HEAD", (False, False)),
        (399, b"{}", "application/json", "GET", (False, False)),
        (400, b"{}", "application/json", "GET", (True, True)),
        (500, b"no", "application/json", "GET", (True, False)),
        (500, b"", "application/json", "GET", (False, False)),
        (500, b"{}", "text/plain", "GET", (False, False)),
        (500, b"{}", "application/a", "GET", (False, False)),
        (500, b"{}", "application/json", "OPTIONS", (False, False)),
        (500, b"{}", "application/json", "CONNECT", (False, False)),
    ],
)
def test_these_bodies_are_to_be_json(
    status: int, content: bytes, label: str | None, method: str, expected: tuple[bool, bool]
) -> None:
    sent = Request(method, "http://t/api/queue", (("Accept", "application/json"),))
    fields = () if label is None else (("Content-Type", label),)
    assert exercised(Exchange("x1", sent, Response(status, fields, content))) == expected


def test_what_came_out_of_a_broken_coding_is_no_text() -> None:
    sent = Request("GET", "http://t/api/queue")
    assert exercised(Exchange("x1", sent, Response(200, HEADERS, b"{}", "gzip: cut"))) == (False, False)


A_PAGE = "a web page: a proxy, a login page or the frontend responds instead of the queue"
REPR = "the output of Python's repr instead of JSON"


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"no", None),
        (b"", None),
        (b" \n<!DOCTYPE html>", A_PAGE),
        (b"<HTML>", A_PAGE),
        (b"<p>", None),
        (b"{'queue_running': []}", REPR),
        (b"[{'a': 1}]", REPR),
        (b"[('a', 1)]", REPR),
        (b"[1, {'a': 1}]", None),
        (b" " * 195 + b"<html>", A_PAGE),
        (b" " * 196 + b"<html>", None),
    ],
)
def test_what_is_no_json_is_told_with_its_cause(content: bytes, hint: str | None) -> None:
    plain = read(content, headers=(TEXT,))
    (finding,) = said("json.well-formed", plain) or []
    assert (finding.pointer, finding.expected, finding.hint) == ("", "a JSON text", hint)


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"hello", "hello"),
        (b"h" * 60, "h" * 60),
        (b"h" * 61, f"{'h' * 60}…"),
        (b"h" * 9_000, f"{'h' * 60}…"),
        ("🦊".encode() * 60, "🦊" * 60),
        (b'the key is "sk-' + b"a1B2c3D4" * 99 + b'"', f'the key is "{"█" * 48}…'),
        (b"no \xff\x07", "no \ufffd\\u0007"),
        (b'{"a": }', "no value at line 1 column 7 (character 6)"),
        (b'{"a": 1 "b": 2}', "no comma or closing bracket at line 1 column 9 (character 8)"),
        (b'{"a" 1}', "no colon at line 1 column 6 (character 5)"),
        (b"{a: 1}", "no name in double quotes at line 1 column 2 (character 1)"),
        (b'{"a', "a string without an end at line 1 column 2 (character 1)"),
        (b'"\\q"', "an invalid escape at line 1 column 2 (character 1)"),
        (b"", "the body is empty"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_plain_words(content: bytes, got: str) -> None:
    (finding,) = said("json.well-formed", read(content)) or []
    assert finding.got == got


@pytest.mark.parametrize(
    ("content", "hinted"), [(b"\xff\xfe{\0}\0", True), (b"\xfe\xff\0{\0}", True), (b'"\xff"', False)]
)
def test_utf_16_with_a_mark_may_come_from_a_shell(content: bytes, *, hinted: bool) -> None:
    (finding,) = said("json.utf-8", read(content)) or []
    assert ("a Windows shell" in (finding.hint or "")) is hinted


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("finite-numbers", b'{"a": [NaN, -Infinity]}', [("/a/0", "NaN"), ("/a/1", "-Infinity")]),
        ("utf-8", b'"\xff"', [("", None)]),
        ("no-bom", b"\xef\xbb\xbf{}", [("", "EF BB BF")]),
        ("single-text", b"{} {}", [("", "{}")]),
        ("control-characters", b'"a\x01b"', [("", None)]),
        ("distinct-names", b'{"a": {"b": 1, "b": 2}}', [("/a/b", "b")]),
        ("paired-surrogates", b'["\\ud800"]', [("/0", "\\ud800")]),
        ("number-range", b"[1e999]", [("/0", "1e999")]),
    ],
)
def test_a_departure_is_pointed_at(name: str, content: bytes, expected: list[tuple[str, str | None]]) -> None:
    found = said(f"json.{name}", read(content)) or []
    assert [finding.pointer for finding in found] == [pointer for pointer, _ in expected]
    for finding, (_, text) in zip(found, expected, strict=True):
        assert text is None or text in finding.got


def test_only_names_that_are_repeated_are_reported() -> None:
    found = said("json.distinct-names", read(b'{"a":1,"b":2,"c":3,"b":4,"a":5,"b":6}')) or []
    assert [finding.pointer for finding in found] == ["/b", "/a"]


def test_nesting_is_bounded_where_common_readers_stop() -> None:
    assert NESTING_LIMIT == 128

    def nested(depth: int) -> list[Told] | None:
        return said("json.nesting", read(b"[" * depth + b"]" * depth))

    assert nested(128) == []
    assert nested(129) == [Told("", "at most 128 levels", "129 levels", "The body is nested too deeply.")]
    for depth, unread in ((NESTING_READ, ""), (NESTING_READ + 1, "; the suite did not parse it")):
        (finding,) = nested(depth) or []
        assert finding.message == f"The body is nested too deeply{unread}."


# --- errors with a status that the document does not describe ---------------------------------------------------------


def test_the_syntax_of_an_undescribed_error_is_not_a_must() -> None:
    for name in ("well-formed", "utf-8", "finite-numbers"):
        assert said(f"json.{name}", asked(401, b"no")) is None


@pytest.mark.parametrize(("content", "distinct"), [(b'{"a": 1, "a": 2}', ["/a"]), (b"{}", []), (b"no", None)])
def test_an_undescribed_error_that_is_json_is_interoperable(content: bytes, distinct: list[str] | None) -> None:
    found = said("json.distinct-names", asked(401, content))
    assert (None if found is None else [finding.pointer for finding in found]) == distinct
    assert said("json.nesting", asked(401, content)) == []


def test_an_undescribed_error_in_a_broken_coding_is_not_checked() -> None:
    sent = Request("GET", "http://t/api/queue")
    for status in (401, 500):
        assert said("json.nesting", Exchange("x1", sent, Response(status, HEADERS, b"{}", "gzip: cut"))) is None
