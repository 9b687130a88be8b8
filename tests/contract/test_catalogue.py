"""The catalogue: complete, sourced, stable, and shown as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.clauses import auth
from conformance.contract.terms import DIFFERENCES, ELEMENT_ORDER, PROFILES, Demand, Dialect, Level
from conformance.reference.faults import FAULTS
from conformance.render.catalogue import as_dict, as_json, as_markdown, explain
from conformance.render.words import SUBJECT
from conformance.spec.document import quote_stands_at
from helpers.published_quotes import read_back

PUBLISHED_QUOTES = read_back()
"""What was compared with the published document, which is not vendored."""

every_clause = pytest.mark.parametrize("clause", CATALOGUE, ids=lambda clause: clause.id)


@every_clause
def test_a_quote_stands_where_the_clause_says(clause: Clause) -> None:
    source = clause.source
    assert source.quote
    if source.document is not None:
        assert source.rfc is None
        assert source.pointer is not None
        assert (source.pointer, source.quote) in PUBLISHED_QUOTES, "python tests/helpers/published_quotes.py FILE"
        assert not quote_stands_at(source.pointer, source.quote), "the vendored document has these words: quote that"
    elif source.pointer is not None:
        assert source.rfc is None
        assert quote_stands_at(source.pointer, source.quote), "quote the exact words at the JSON Pointer"
    else:
        assert source.rfc is not None
        section = re.match(r"(RFC \d{4} §\d+(\.\d+)*|Fetch, CORS protocol and .+)$", source.rfc)
        assert section, "name the section as in rfc('RFC 9110 §8.3', ...)"


@every_clause
def test_a_clause_is_whole(clause: Clause) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+", clause.id), "write the id as in item.prompt-id.uuid"
    assert clause.subject in PROFILES, f"add {clause.subject} to a profile in conformance/contract/terms.py"
    assert clause.subject in SUBJECT, f"add {clause.subject} and a heading to SUBJECT in conformance/render/words.py"
    assert clause.keeps != clause.breaks, "give an example that keeps the clause and another that breaks it"
    assert clause.why.endswith((".", ".)")), "why is a sentence: end it with a full stop"
    assert clause.check.__doc__ or clause.title
    assert not clause.core or clause.level is Level.MUST, "only a must can be asked of every run"
    for demand in map(Demand.of, Dialect):
        assert clause.level_in(demand) or clause.not_asked(demand), "the reader is owed a reason"


def test_each_file_of_clauses_is_in_the_catalogue() -> None:
    files = {path.stem for path in Path(auth.__file__).parent.glob("*.py")} - {"__init__"}
    known = {clause.check.__module__.rpartition(".")[2] for clause in CATALOGUE}
    assert files <= known, f"import {files - known} in conformance/contract/catalogue.py, and add it to _FILES there"


INFERRED_BUT_MUST = {
    "error.no-queue": "a refusal that contains the queue does not refuse it, whatever else the document leaves open",
    "lifecycle.survives-malformed": "a request that crashes the server cannot get the 400 that the document gives it",
}
"""Inferred clauses that are a must all the same, with the reason."""


def test_an_inferred_clause_is_no_must_without_a_reason() -> None:
    inferred = {clause.id: clause for clause in CATALOGUE if clause.source.inferred is not None}
    assert {"caching.shared", "privacy.credentials"} <= set(inferred)
    unexplained = {name for name, clause in inferred.items() if clause.level is Level.MUST} ^ set(INFERRED_BUT_MUST)
    assert not unexplained, "make the clause a should, or give the reason in INFERRED_BUT_MUST"


@every_clause
def test_an_inferred_clause_says_what_its_source_leaves_open(clause: Clause) -> None:
    reason = clause.source.inferred
    shown = f"inferred   {reason}"
    assert reason is None or (reason.endswith(".") and reason != clause.why), "end it with a full stop; it is not why"
    assert (reason is not None) == (shown in explain(clause))
    assert as_dict(clause)["source"]["inferred"] == reason
    assert reason is None or f"*Inferred:* {reason}" in as_markdown()


@every_clause
def test_explain_shows_a_clause_in_full(clause: Clause) -> None:
    text = explain(clause)
    for part in (clause.id, clause.title, clause.source.quote, clause.why, clause.keeps, clause.breaks):
        assert part is not None
        assert part in text


@every_clause
def test_explain_shows_where_the_check_of_a_clause_is_and_which_faults_break_it(clause: Clause) -> None:
    lines = [line.strip().partition(" ") for line in explain(clause).splitlines()]
    rows = {name: text.strip() for name, _, text in lines}
    file, _, number = rows["code"].partition(":")
    code = (Path(__file__).parents[2] / file).read_text("utf-8").splitlines()[int(number) - 1 :]
    assert next(line.lstrip() for line in code if line.lstrip().startswith("def ")).startswith(
        f"def {clause.check.__name__}("
    )
    named = rows["faults"].split(", ") if "faults" in rows else []
    assert named == [fault.name for fault in FAULTS.values() if fault.clause == clause.id]


def test_every_difference_of_comfyui_excuses_from_a_clause_and_nothing_else_does() -> None:
    excusing = {clause.oss for clause in CATALOGUE if clause.oss}
    assert excusing == set(DIFFERENCES) - {ELEMENT_ORDER}, "the order is demanded by item.element-order"
    for clause in CATALOGUE:
        under_oss = clause.level_in(Demand.of(Dialect.OSS))
        excused = clause.oss or clause.own_document or Dialect.OSS not in clause.only
        assert excused or under_oss is clause.level
        if clause.oss and clause.oss.softens:
            assert (clause.level, under_oss) == (Level.MUST, Level.SHOULD)


def test_the_json_catalogue_is_one_object_for_each_clause() -> None:
    catalogue = json.loads(as_json())
    assert [entry["id"] for entry in catalogue] == [clause.id for clause in CATALOGUE]
    assert {entry["level"] for entry in catalogue} <= {"must", "should", "info"}
