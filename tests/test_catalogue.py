"""The catalogue: complete, sourced, stable, and shown as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from published_quotes import read_back

from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Clause
from conformance.contract.omissions import CLAUSES_OF, LEFT_OUT
from conformance.contract.terms import DIFFERENCES, ELEMENT_ORDER, Demand, Dialect, Level
from conformance.render.catalogue import DIALECTS, PAGE, SUBJECTS, as_json, as_markdown, dialects_as_markdown, explain
from conformance.spec.document import quote_stands_at

IDS = Path(__file__).parent / "clause-ids.txt"
ROWS = {
    "ENV": 12, "TUP": 29, "REF": 16, "JSN": 10, "HTT": 19, "MTH": 10,
    "AUT": 13, "ERR": 17, "CAC": 4, "COR": 3, "PRI": 3, "DOC": 7, "LIF": 22,
}  # fmt: skip
"""The rows of the first catalogue of facts, by subject."""

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
        assert (source.pointer, source.quote) in PUBLISHED_QUOTES, "python tests/published_quotes.py FILE"
        assert not quote_stands_at(source.pointer, source.quote), "it stands in the vendored document: quote that"
    elif source.pointer is not None:
        assert source.rfc is None
        assert quote_stands_at(source.pointer, source.quote)
    else:
        assert source.rfc is not None
        assert re.match(r"(RFC \d{4} §\d+(\.\d+)*|Fetch, CORS protocol and .+)$", source.rfc)


@every_clause
def test_a_clause_is_whole(clause: Clause) -> None:
    assert re.fullmatch(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+", clause.id)
    assert clause.subject in SUBJECTS
    assert clause.keeps != clause.breaks
    assert clause.why.endswith((".", ".)"))
    assert clause.check.__doc__ or clause.title
    assert not clause.core or clause.level is Level.MUST, "only a must can be asked of every run"
    for demand in map(Demand.of, Dialect):
        assert clause.level_in(demand) or clause.not_asked(demand), "the reader is owed a reason"


@every_clause
def test_explain_shows_a_clause_in_full(clause: Clause) -> None:
    text = explain(clause)
    for part in (clause.id, clause.title, clause.source.quote, clause.why, clause.keeps, clause.breaks):
        assert part is not None
        assert part in text


def test_ids_do_not_change_by_accident() -> None:
    known = IDS.read_text(encoding="utf-8").split()
    assert [clause.id for clause in CATALOGUE] == known, (
        f"an id is what people waive and search: if meant, edit {IDS.name}"
    )
    assert len(BY_ID) == len(CATALOGUE)


def test_every_row_of_the_facts_is_a_clause_or_left_out_with_a_reason() -> None:
    rows = {f"{subject}-{number:02}" for subject, count in ROWS.items() for number in range(1, count + 1)}
    assert set(CLAUSES_OF) | set(LEFT_OUT) == rows
    assert not set(CLAUSES_OF) & set(LEFT_OUT)


def test_every_clause_comes_from_a_row() -> None:
    named = {clause for clauses in CLAUSES_OF.values() for clause in clauses}
    assert named <= set(BY_ID)
    from_the_design_alone = {"reads.steady", "document.response-schema"} - named
    assert set(BY_ID) - named == from_the_design_alone


def test_the_pages_in_the_docs_are_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == as_markdown(), "python -m conformance.render.catalogue"
    assert DIALECTS.read_text(encoding="utf-8") == dialects_as_markdown(), "python -m conformance.render.catalogue"


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
