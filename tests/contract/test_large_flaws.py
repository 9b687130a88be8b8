"""A large body has the flaws, members and proofs that the full reading finds in it."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.known_jobs import Shared
from conformance.contract.reading.large import LargeReading
from conformance.contract.terms import FastPath
from conformance.exchange.stored import BodyStore
from conformance.text.json_runs import RUN
from conformance.text.strict_json import NESTING_READ
from helpers.queue_bodies import GRAPH, body, findings, job
from helpers.windows import WINDOW, make_windows_small

NESTED: Final = NESTING_READ + 5
"""Levels of nesting that are not parsed."""
ODD: Final = (
    b"",
    b" ",
    b"\xef\xbb\xbf",
    b"\xef\xbb\xbf {} ",
    b"\xef\xbb\xbf{}",
    b"\xef\xbb\xbf" + b"[" * NESTED,
    b"{",
    b'{"',
    b"[",
    b'"abc',
    b'"a\xff',
    b"nul",
    b"truex",
    b" 1",
    b"1 2",
    b"{} x",
    b"{}  \xc3\xa4",
    b"{}" + b"x" * 70_000,
    b"{}" + b"x" * 70_000 + b"\xff",
    b"{}" + b"x" * 70_000 + b"\xc3",
    b"0\x00\xc2",
    b"{}" + b"x" * (WINDOW - 1) + b"\xc3\xa4" + b"x" * WINDOW,
    b"{}" + b"x" * (WINDOW - 1) + b"\xc3",
    ("{}x" + "\N{EURO SIGN}" * 700_000).encode(),
    b"{}" + b"x" * 8189 + b"\xc3\xa4",
    b"{}" + b"x" * 8189 + b"\xc3",
    b"\xff{}",
    b"{ } ",
    b"{ }x",
    b" {}",
    b" " * 65_536 + b"{} x",
    b" " * 8192 + b"truex",
    b" " + b"[" * NESTED,
    b"[" * NESTING_READ,
    b"{}" + b"x" * 8189 + b"\xc3\xa4\xff",
    ("{}" + " " * 5000 + "x").encode("utf-16"),
    b"[NaN]",
    b"-Infinity",
    b"-0.5E+3x",
    b"01",
    b'"a" b',
    b'{"a" 1}',
    b'{"a":}',
    b'{"a":1,}',
    b"{,}",
    b'{"a":1 "b":2}',
    b'{"a":1]',
    b"{1:2}",
    b"[" * NESTED,
    b'{"a":' * NESTED,
    b'{"a":%b%b}' % (b"[" * NESTED, b"]" * NESTED),
    b"   [x,%b%b%b]" % (b"1," * (RUN // 2), b"[" * NESTED, b"]" * NESTED),  # an error in the first piece
    b"x" + b"[" * NESTED,
    b'"' + b"[" * NESTED,
    b'"%b"' % (b"[" * NESTED),
    "{}".encode("utf-16"),
    '{"\N{LATIN SMALL LETTER A WITH DIAERESIS}":1}'.encode("utf-16-le"),
    "{}".encode("utf-32"),
    b'{"a":"\x01"}',
    b'{"a":1}}',
    b'{"a":"b',
    b'{"a\xff":1}',
    b'{"a":1, \xff',
    b'{"queue_pending":[1,]}',
    b'{"queue_pending":[1 2]}',
    b'{"queue_pending":[1}',
    b'{"queue_pending":[] ,"x" : 7 } ',
    b'{"queue_pending":{}}',
    b"-",
    b"\x00",
)


@pytest.mark.parametrize("content", ODD)
def test_the_flaws_of_a_text_are_those_of_the_full_reading(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    make_windows_small(monkeypatch)
    assert LargeReading(content).document == Reading(content).document


def test_the_last_flaw_of_a_kind_stands_for_those_that_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.text.large_json.FLAWS", 3)
    reading = LargeReading(b'{"a":NaN,"b":NaN,"c":NaN,"c2":NaN,"c3":NaN,"d":NaN,"e":1e999,"f":"\\ud800"}')
    weights = {name: reading.weight(name) for name in ("/a", "/b", "/d", "/e", "/f", None)}
    assert weights == {"/a": 1, "/b": 1, "/d": 4, "/e": 1, "/f": 1, None: 1}


TWICE: Final = body(job(), job(number=b"2"))


@pytest.mark.parametrize(
    ("content", "keeps"),
    [
        (body(), True),
        (body(job()), True),
        (body(more=b',"x":1'), True),
        (body(job(number=b"0")), False),
        (TWICE, False),
        (b'{"queue_running":[]}', False),
        (b'{"queue_running":[],"queue_pending":null}', False),
        (b'{"queue_running":[1],"queue_pending":[]}', False),
        (b"[]", False),
        (b"{", False),
        (body(more=b',"x":NaN'), False),
        (body(more=b',"x":1,"x":1'), False),
        (body(more=b',"x":1e999'), False),
        (body(more=rb',"x":"\ud800"'), False),
        (body(more=b',"x":"\x01"'), False),
        (body(more=b',"x":"\xff"'), False),
        (body(more=b',"x":%b%b' % (b"[" * 99, b"]" * 99)), True),
        (body(more=b',"x":%b%b' % (b"[" * 100, b"]" * 100)), False),
        (b"\xef\xbb\xbf" + body(), False),
        (body() + b"x", False),
    ],
)
def test_only_a_body_without_flaws_keeps_the_clauses(content: bytes, *, keeps: bool) -> None:
    assert LargeReading(content).keeps([FastPath.DISTINCT_IDS]) is keeps


def test_a_body_keeps_the_clauses_about_several_jobs_that_it_does_not_break() -> None:
    assert LargeReading(TWICE).keeps([FastPath.RISING_NUMBERS])


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        (b'"a":1,"b":2,"c":"<pad>"', {"a", "b"}),
        (b'"a":1,"queue_running":[],"queue_pending":["<pad>"],"c":"<pad>"', {"a", "queue_running", "queue_pending"}),
    ],
)
def test_the_first_members_and_the_lists_are_kept(
    members: bytes, kept: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_windows_small(monkeypatch)
    monkeypatch.setattr("conformance.contract.reading.large.MEMBERS", 2)
    found = LargeReading(b"{%b}" % members.replace(b"<pad>", b"x" * 40_000)).document
    assert set(found.value) == kept


def test_members_after_the_first_ones_are_read_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.large.MEMBERS", 10)
    pulses: list[None] = []
    reading = LargeReading(
        b"{%b}" % b",".join([b'"queue_pending":[]'] * 300), shared=Shared(None, lambda: pulses.append(None))
    )
    assert reading.document.value == {"queue_pending": []}
    assert len(pulses) == 12, "10 members, the group of the others, and the name of the last list in it"


def test_the_first_thousand_members_are_kept() -> None:
    found = LargeReading(b"{%b}" % b",".join(b'"%d":0' % at for at in range(1002))).document
    assert [*found.value] == [str(at) for at in range(1000)]


def test_a_group_of_members_counts_the_levels_of_nesting_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.large.MEMBERS", 0)
    assert LargeReading(b'{"a":[[]]}').document.depth == 3


def test_a_stored_body_in_utf_16_is_compared_with_other_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.exchange.stored.IN_MEMORY", 0)
    stored = BodyStore().keep(body(job(graph=GRAPH.replace(b":", b": "))).decode().encode("utf-16"))
    observed = [LargeReading(content).summary.observations for content in (stored, body(job()))]
    assert observed[0] == observed[1]


@pytest.mark.parametrize(("content", "kind"), [(b"7", FastReading), (b"{}", FastReading), (b"{ }", LargeReading)])
def test_a_body_above_a_bound_is_read_in_parts(content: bytes, kind: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.any_size.LARGE", 2)
    assert type(reading_of(content)) is kind


def test_a_body_that_is_read_in_parts_is_checked_by_all_clauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.any_size.LARGE", 2)
    content = body(job(), job())
    assert findings(reading_of(content)) == findings(Reading(content))
