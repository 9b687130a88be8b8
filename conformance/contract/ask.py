"""Apply a clause to a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer


def subjects(clause: Clause, answer: Answer) -> tuple[bool, Iterable[Any]]:
    """Return whether the proven part of the body exercises a clause, and the subjects that its check must still see.

    The clause must be about single responses, not about the whole run.
    """
    assert clause.over is not None
    exercised, remaining = answer.remaining(clause.fast, clause.level_in(answer.reading.demand))
    return exercised, clause.over(remaining)
