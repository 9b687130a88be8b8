"""What a clause is made of, and how what a server sent is shown in a finding."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Cause, Clause, Finding, Source, clause, doc, inferred, published, rfc
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.contract.terms import COUNTER, HEAP, Demand, Dialect, Level
from conformance.exchange.model import Operation
from conformance.spec.operation import Described
from conformance.spec.schemas import Schemas
from conformance.text.safe import GOT_LIMIT, blot_keys, printable, show
from helpers.answers import item, queue, read

# --- showing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (1.5, "1.5"),
        ("é\n", '"é\\n"'),
        ([], "[]"),
        ({}, "{}"),
        ([1] * 8, "[1, 1, 1, 1, 1, 1, 1, 1]"),
        ([1] * 9, "array of 9 elements"),
        ([[]], "array of 1 elements"),
        ([{}], "array of 1 elements"),
        ({"a": 1, "é": "x"}, '{"a": 1, "é": "x"}'),
        ({"a": {}}, 'object with 1 members ("a")'),
        ({"a": []}, 'object with 1 members ("a")'),
        ({"é": [], "b": 1, "c": 2, "d": 3}, 'object with 4 members ("é", "b", "c", "d")'),
        ({"a": [], "b": 1, "c": 2, "d": 3, "e": 4}, 'object with 5 members ("a", "b", "c", "d", …)'),
        ({str(n): n for n in range(8)}, '{"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "7": 7}'),
        ({str(n): n for n in range(9)}, 'object with 9 members ("0", "1", "2", "3", …)'),
        (b"x", "b'x'"),
    ],
)
def test_a_value_is_shown_as_one_short_line(value: Any, text: str) -> None:
    assert show(value) == text


def test_a_number_that_json_does_not_know_is_shown_all_the_same() -> None:
    found = Reading(b"[1.50, NaN]").document.value
    assert show(found[0]) == "1.50"
    assert show(found) == '["1.50", "NaN"]'


def test_a_text_is_printable_and_bounded() -> None:
    assert printable("a\x07\u202eé") == "a\\u0007\\u202eé"
    assert GOT_LIMIT == 160
    assert printable("x" * 160) == "x" * 160
    assert printable("x" * 161) == "x" * 160 + "… (161 characters)"
    assert printable("x" * 5000, 3) == "xxx… (5,000 characters)"
    assert printable("\x00" * 3, 2) == "\\u0000\\u0000… (3 characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"api_key_comfy_org": "abc"', '"api_key_comfy_org": "███"'),
        ('"auth_token_comfy_org":"a\\"c"}', '"auth_token_comfy_org":"████"}'),
        ('\\"api_key_comfy_org\\" : \\"abc\\"', '\\"api_key_comfy_org\\" : \\"█████'),  # rather too much
        ('"api_key_comfy_org": ""', '"api_key_comfy_org": ""'),
        ('"api_key_comfy_org": null', '"api_key_comfy_org": null'),
        ('"api_key": "abc"', '"api_key": "abc"'),
        ('"api_key_comfy_org": "abc', '"api_key_comfy_org": "███'),
    ],
)
def test_the_key_of_a_job_s_owner_is_blotted_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_value_that_is_no_key_may_be_spared() -> None:
    text = '"api_key_comfy_org": "abc", "auth_token_comfy_org": "d"'
    assert blot_keys(text, "x", ("d",)) == '"api_key_comfy_org": "xxx", "auth_token_comfy_org": "d"'


# --- what a clause is made of -----------------------------------------------------------------------------------------


def made(level: Level = Level.MUST, **more: Any) -> Clause:
    return clause(
        "item.made",
        level,
        title="t",
        source=rfc("RFC 1 §1", "q"),
        why="w",
        keeps="k",
        breaks="b",
        **{"over": lambda _: (), **more},
    )(lambda _: iter(()))


def test_a_source_reads_as_where_it_stands() -> None:
    assert str(rfc("RFC 9110 §15", "q")) == "RFC 9110 §15"
    assert str(doc("/info", "q")) == "#/info"
    assert doc("/info", "q") == Source(pointer="/info", quote="q")
    assert str(published("/info", "q")).endswith("#/info")
    assert str(published("/info", "q")) != "#/info"


def test_an_inferred_source_keeps_its_quote() -> None:
    assert inferred(doc("/info", "q"), "It is open.") == Source(pointer="/info", quote="q", inferred="It is open.")


def test_a_source_cannot_be_changed() -> None:
    source = doc("/info", "q")
    with pytest.raises(AttributeError, match="immutable"):
        source.quote = "r"  # type: ignore[misc]


def test_what_is_left_out_of_a_clause_has_a_meaning() -> None:
    plain = made()
    assert (plain.subject, plain.core, plain.since, plain.needs) == (
        "item",
        False,
        1,
        "a 200 response to a GET of the queue",
    )
    assert (plain.oss, plain.elsewhere, plain.kinds) == (None, None, ())
    assert plain.only == frozenset(Dialect)
    for how in ("over", "of_body", "across"):
        selector: dict[str, Any] = {"over": None, how: lambda _: ()}
        assert "function" not in repr(made(**selector))


OURS, THEIRS = Demand.of(Dialect.CLOUD), Demand.of(Dialect.OSS)
UNTOLD = Demand.of(Dialect.AUTO)
AUTO_OURS, AUTO_THEIRS = (Demand.detected(order, "/x") for order in (Dialect.CLOUD, Dialect.OSS))
AUTO_ALONE = {"only": frozenset({Dialect.AUTO}), "elsewhere": "asked under auto"}


@pytest.mark.parametrize(
    ("more", "demand", "level", "why_not"),
    [
        *(({}, demand, Level.MUST, None) for demand in (OURS, THEIRS, UNTOLD, AUTO_OURS, AUTO_THEIRS)),
        *(({"oss": COUNTER}, demand, None, COUNTER.says) for demand in (THEIRS, UNTOLD, AUTO_THEIRS)),
        *(({"oss": COUNTER}, demand, Level.MUST, None) for demand in (OURS, AUTO_OURS)),
        *(({"oss": HEAP}, demand, Level.SHOULD, None) for demand in (THEIRS, UNTOLD, AUTO_THEIRS)),
        *(({"oss": HEAP}, demand, Level.MUST, None) for demand in (OURS, AUTO_OURS)),
        *((AUTO_ALONE, demand, Level.MUST, None) for demand in (UNTOLD, AUTO_OURS, AUTO_THEIRS)),
        *((AUTO_ALONE, demand, None, "asked under auto") for demand in (OURS, THEIRS)),
        ({"own_document": True}, OURS, None, "checked only with --document"),
        ({"own_document": True}, OURS._replace(schemas=Schemas(Described("own", "", {}, "/x"))), Level.MUST, None),
    ],
)
def test_a_level_depends_on_what_is_demanded(
    more: dict[str, Any], demand: Demand, level: Level | None, why_not: str | None
) -> None:
    assert made(**more).level_in(demand) is level
    assert made(**more).not_asked(demand) == why_not


def test_most_clauses_speak_of_reading_the_queue_alone() -> None:
    assert [clause.id for clause in CATALOGUE if not clause.speaks_of(None)] == []
    assert {clause.id for clause in CATALOGUE if clause.speaks_of(Operation.SUBMIT)} == {
        "auth.key-not-echoed",
        *(clause.id for clause in CATALOGUE if clause.subject == "lifecycle"),
    }


def test_clauses_about_several_responses_count_those_that_they_leave_out() -> None:
    exchange = read(queue(item()))
    assert exchange.response is not None
    too_many = Reading(exchange.response.content, shared=Shared(KnownJobs(listed=0)))
    run = Conversation([Answer(exchange, exchange.response, too_many)])
    found = {clause.id: clause.left_out(run) for clause in CATALOGUE}
    reads = {clause.id for clause in CATALOGUE if clause.subject == "reads"}
    lives = {clause.id for clause in CATALOGUE if clause.subject == "lifecycle" and clause.across is not None}
    assert {name for name, text in found.items() if text is not None} == {"http.etag-changes", *reads, *lives}
    assert {found[name] for name in ("http.etag-changes", *reads)} == {run.uncompared}
    assert {found[name] for name in lives} == {run.unlooked}


def test_a_finding_tells_its_cause_in_a_word_and_in_words() -> None:
    assert [
        (finding.kind, finding.hint)
        for finding in (
            Finding("", "e", "g", "m"),
            Finding("", "e", "g", "m", Cause("k")),
            Finding("", "e", "g", "m", Cause("k", "h")),
        )
    ] == [("", None), ("k", None), ("k", "h")]


@pytest.mark.parametrize(
    "more",
    [
        {"over": None},
        {"across": lambda _: ()},
        {"of_body": lambda _: ()},
        {"of_body": lambda _: (), "across": lambda _: ()},
    ],
)
def test_a_clause_speaks_of_one_thing(more: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"item\.made: give exactly one of over, of_body and across"):
        made(**more)


def test_a_clause_on_bodies_is_asked_where_a_queue_is_shown() -> None:
    of_body = made(over=None, of_body=lambda reading: [reading.content])
    assert of_body.over is not None
    for status, subjects in ((200, [queue()]), (404, [])):
        exchange = read(queue(), status=status)
        assert exchange.response is not None
        answer = Answer(exchange, exchange.response, Reading(queue()))
        assert list(of_body.over(answer)) == subjects
    assert made(over=None, across=lambda _: ()).over is None
