"""Select the parts of a response that each clause checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.terms import FastPath

_OF_THE_WHOLE = (
    FastPath.BODY,
    FastPath.DISTINCT_IDS,
    FastPath.DISTINCT_NUMBERS,
    FastPath.RISING_NUMBERS,
    FastPath.RISING_TIMES,
)


class ClauseSubjects(NamedTuple):
    """The parts of a response (``subjects``) that the check of one clause must still see.

    ``exercised`` is True if the clause applies to a part that the fast path already found to conform. ``reading`` is
    the parsed body, or the part of a large body, that the subjects are from.
    """

    clause: Clause
    exercised: bool
    subjects: Iterable[Any]
    reading: Reading


def subjects(clause: Clause, answer: Answer) -> tuple[bool, Iterable[Any]]:
    """Return ``exercised``, and the parts of a response that the check of a clause must still see.

    ``exercised`` is True if the clause applies to a part that the fast path already found to conform.

    The clause must be about single responses, not about the whole run. Jobs of a large body are not included:
    ``subjects_by_clause`` yields those.
    """
    if clause.fast is None:
        return False, _selected(clause, answer)
    exercised, remaining = answer.remaining(clause.fast, clause.level_in(answer.reading.demand))
    return exercised, _selected(clause, remaining)


def _selected(clause: Clause, answer: Answer) -> Iterator[Any]:
    """Yield the parts that a clause selects.

    The selector runs when the first part is taken. So if its code raises, this counts as an error of its clause.
    """
    assert clause.over is not None
    yield from clause.over(answer)


def subjects_by_clause(clauses: Collection[Clause], answer: Answer) -> Iterator[ClauseSubjects]:
    """Yield, for each clause, the parts of a response that it checks.

    For a large body, its jobs come in several groups.
    """
    for clause in clauses:
        yield ClauseSubjects(clause, *subjects(clause, answer), answer.reading)
    yield from subjects_of_parts(clauses, answer)


def subjects_of_parts(clauses: Collection[Clause], answer: Answer) -> Iterator[ClauseSubjects]:
    """Yield, for each clause, the parts of a large body's jobs that it checks, one group of jobs after another."""
    of_jobs = [clause for clause in clauses if clause.of_body and clause.fast not in _OF_THE_WHOLE]
    for part in answer.reading.parts() if answer.shows_queue and of_jobs else ():
        partly = Answer(answer.exchange, answer.response, part)
        for clause in of_jobs:
            yield ClauseSubjects(clause, *subjects(clause, partly), part)
