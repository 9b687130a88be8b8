"""Asking a clause about an answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.contract.clause import Clause
from conformance.contract.conversation import Answer


def subjects(clause: Clause, answer: Answer) -> tuple[bool, Iterable[Any]]:
    """Return whether what is proven of the body exercises a clause, and the subjects that its check has still to see.

    The clause is one of single answers, not of the whole run.
    """
    assert clause.over is not None
    exercised, remaining = answer.remaining(clause.fast, clause.level_in(answer.reading.demand))
    return exercised, clause.over(remaining)
