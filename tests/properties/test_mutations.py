"""Every clause that a server's answers can break finds its breach wherever it stands, and the others stay quiet."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.contract.catalogue import BY_ID
from conformance.judge.judge import judge
from conformance.judge.report import Status
from helpers import (
    mutations_of_messages,  # noqa: F401 - registers
    mutations_of_queues,  # noqa: F401 - registers
    mutations_of_text,  # noqa: F401 - registers
)
from helpers.answers import said
from helpers.mutations import MUTATIONS, Mutation, fill_pool

A_SHARE: Final = settings().max_examples // 5
"""Examples for each mutation."""

NEEDS_A_KEY: Final = "is about requests with another key or none: tests/whole/test_faults.py sends each"
NEEDS_A_METHOD: Final = "is about HEAD or OPTIONS: tests/whole/test_faults.py sends each"
NEEDS_THE_WIRE: Final = "is about the bytes around a response: test_hostile.py and test_raw.py show it"
NEEDS_JOBS: Final = "is about the jobs that a run submits: test_lifecycle.py and test_faults.py show it"
NEEDS_A_DOCUMENT: Final = "is checked only with --document: test_own_document.py gives one"
NOT_AIMED_AT: Final = {
    "document.response-schema": NEEDS_A_DOCUMENT,
    **{name: NEEDS_JOBS for name in BY_ID if name.startswith("lifecycle.")},
    "auth.key-required": NEEDS_A_KEY,
    "auth.wrong-key": NEEDS_A_KEY,
    "auth.key-case": NEEDS_A_KEY,
    "auth.empty-key": NEEDS_A_KEY,
    "auth.head": NEEDS_A_KEY,
    "auth.status": NEEDS_A_KEY,
    "auth.header-name": NEEDS_A_KEY,
    "method.head": NEEDS_A_METHOD,
    "method.no-content-length": NEEDS_A_METHOD,
    "method.options": NEEDS_A_METHOD,
    "method.options-allow": NEEDS_A_METHOD,
    "framing.content-length": NEEDS_THE_WIRE,
    "framing.line-folding": NEEDS_THE_WIRE,
    "framing.field-name": NEEDS_THE_WIRE,
    "framing.head-no-content": NEEDS_THE_WIRE,
    "framing.status-no-content": NEEDS_THE_WIRE,
}
"""Clauses that no change of answers to reads can break, and why."""


@pytest.fixture(scope="module", autouse=True)
def _pool() -> None:
    fill_pool(settings().max_examples)


def test_every_clause_is_aimed_at_or_has_a_reason_not_to_be() -> None:
    aimed = {mutation.clause for mutation in MUTATIONS.values()}
    assert aimed.isdisjoint(NOT_AIMED_AT)
    assert aimed | NOT_AIMED_AT.keys() == BY_ID.keys()


def test_companions_are_clauses() -> None:
    for mutation in MUTATIONS.values():
        assert mutation.companions.keys() <= BY_ID.keys() - {mutation.clause}, mutation.name


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=list(MUTATIONS))
@given(data=st.data())
@settings(max_examples=A_SHARE)
def test_the_clause_finds_its_breach_where_it_stands_and_the_others_stay_quiet(
    mutation: Mutation, data: st.DataObject
) -> None:
    mutated = data.draw(mutation.strategy())
    judgement = judge(mutated.exchanges, mutation.dialect)
    broken = {result.id for result in judgement.results if result.breached}
    assert mutation.clause in broken
    assert broken - {mutation.clause} <= mutation.companions.keys()
    found = said(mutation.clause, *mutated.exchanges, demand=judgement.demand)
    assert mutated.pointer in [finding.pointer for finding in found or ()]
    assert all(result.status is not Status.ERROR for result in judgement.results)
