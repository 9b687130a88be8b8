"""Judge a large body under load: part by part, as ``check`` does."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Final

from conformance.contract.ask import subjects_by_clause
from conformance.contract.clause import Clause, Finding
from conformance.contract.conversation import Answer
from conformance.text.safe import failure

LISTED: Final = 2
"""Maximum number of findings of one clause that are kept per response."""


def judged_in_parts(
    clauses: Collection[Clause], answer: Answer
) -> tuple[tuple[str, ...], dict[str, tuple[Finding, ...]], dict[str, str]]:
    """Return the clauses that a large body exercises, the first findings of each, and errors in clauses by id."""
    exercised, found, errors = dict[str, None](), dict[str, list[Finding]](), dict[str, str]()
    for each in subjects_by_clause(clauses, answer):
        name = each.clause.id
        if each.exercised:
            exercised[name] = None
        try:
            for subject in each.subjects:
                exercised[name] = None
                told = found.setdefault(name, [])
                if len(told) < LISTED:
                    told += itertools.islice(each.clause.check(subject), LISTED - len(told))
        except Exception as error:  # noqa: BLE001 - any error here is a defect of the suite
            errors[name] = failure(error)
    kept = {name: tuple(told) for name, told in found.items() if told and name not in errors}
    return tuple(name for name in exercised if name not in errors), kept, errors
