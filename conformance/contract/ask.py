"""Apply a clause to a response."""

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


class Asked(NamedTuple):
    """The ``subjects`` that a check must still see, in a reading of the body or of a part of it.

    ``exercised`` says that the proven part of the body already exercises the clause.
    """

    clause: Clause
    exercised: bool
    subjects: Iterable[Any]
    reading: Reading


def subjects(clause: Clause, answer: Answer) -> tuple[bool, Iterable[Any]]:
    """Return whether the proven part of the body exercises a clause, and the subjects that its check must still see.

    The clause must be about single responses, not about the whole run. The jobs of a large body are not among the
    subjects.
    """
    assert clause.over is not None
    exercised, remaining = answer.remaining(clause.fast, clause.level_in(answer.reading.demand))
    return exercised, clause.over(remaining)


def asked(clauses: Collection[Clause], answer: Answer) -> Iterator[Asked]:
    """Yield the subjects in a response for each clause: for a large body, part by part."""
    for clause in clauses:
        yield Asked(clause, *subjects(clause, answer), answer.reading)
    yield from asked_of_parts(clauses, answer)


def asked_of_parts(clauses: Collection[Clause], answer: Answer) -> Iterator[Asked]:
    """Yield the subjects in the jobs of a large body, part by part."""
    of_jobs = [clause for clause in clauses if clause.of_body and clause.fast not in _OF_THE_WHOLE]
    for part in answer.reading.parts() if answer.shows_queue and of_jobs else ():
        partly = Answer(answer.exchange, answer.response, part)
        for clause in of_jobs:
            yield Asked(clause, *subjects(clause, partly), part)
