"""The parts of a response that each clause checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pytest

from conformance.contract.ask import subjects_by_clause
from conformance.contract.catalogue import BY_ID
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.large import LargeReading
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS
from helpers.answers import item, queue, read

HEADERS: Final = "http.date"
EACH: Final = "item.prompt-id.uuid"
TOGETHER: Final = "queue.prompt-ids.distinct"
JOBS: Final = queue(item(1), item(2))
WRONG_JOBS: Final = queue(item(1, e1="job-1"), item(2, e1="job-2"))


def asked(
    reading: Reading, names: Sequence[str] = (HEADERS, EACH, TOGETHER), status: int = 200
) -> list[tuple[str, bool, int]]:
    """Return the id, ``exercised`` and the number of subjects of each group of parts."""
    exchange = read(b"", status=status)
    assert exchange.response is not None
    found = subjects_by_clause([BY_ID[name] for name in names], Answer(exchange, exchange.response, reading))
    return [(each.clause.id, each.exercised, len(list(each.subjects))) for each in found]


def test_without_the_fast_path_a_clause_checks_every_job() -> None:
    assert asked(Reading(JOBS)) == [(HEADERS, False, 1), (EACH, False, 2), (TOGETHER, False, 1)]


def test_verified_jobs_exercise_a_clause_and_are_not_checked_again() -> None:
    assert asked(FastReading(JOBS, AS_THE_DOCUMENT_SAYS)) == [(HEADERS, False, 1), (EACH, True, 0), (TOGETHER, True, 0)]


def test_the_jobs_of_a_large_body_are_checked_in_parts() -> None:
    found = asked(LargeReading(WRONG_JOBS, AS_THE_DOCUMENT_SAYS))
    assert found == [(HEADERS, False, 1), (EACH, False, 0), (TOGETHER, True, 0), (EACH, False, 1), (EACH, False, 1)]


class _Unread(Reading):
    """A large body whose jobs must not be read."""

    def parts(self) -> Iterator[Reading]:
        pytest.fail("the jobs are read")


def test_the_jobs_of_a_large_body_are_read_only_for_clauses_about_single_jobs() -> None:
    assert asked(_Unread(JOBS), (HEADERS, TOGETHER)) == [(HEADERS, False, 1), (TOGETHER, False, 1)]
    assert asked(_Unread(JOBS), status=404) == [(HEADERS, False, 0), (EACH, False, 0), (TOGETHER, False, 0)]
