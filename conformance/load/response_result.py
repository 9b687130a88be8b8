"""The result of clauses for one response under load, which is small and can be added to others. Does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

from msgspec import Struct

from conformance.contract.clause import Clause, Finding
from conformance.contract.conversation import Conversation
from conformance.text.safe import failure

LISTED: Final = 2
"""Maximum number of findings of one clause that are kept per response."""


class ResponseResult(Struct, frozen=True, gc=False):
    """The result for one response: the clauses that it exercises, and the first findings of those that it breaks.

    ``errors`` are clauses whose check itself failed, which is a defect of the suite and not of the response. ``unread``
    says which part of the body no clause judged. ``uncompared`` is true if the response lists too many jobs to be
    compared.
    """

    judged: tuple[str, ...] = ()
    broken: tuple[tuple[str, tuple[Finding, ...]], ...] = ()
    errors: tuple[tuple[str, str], ...] = ()
    unread: str | None = None
    uncompared: bool = False

    def __add__(self, other: ResponseResult) -> ResponseResult:
        return ResponseResult(
            self.judged + other.judged,
            self.broken + other.broken,
            self.errors + other.errors,
            self.unread or other.unread,
            self.uncompared or other.uncompared,
        )


NOTHING: Final = ResponseResult()
Selected = tuple[bool, Iterable[Any]]
"""Whether the fast path has already exercised a clause, and the parts of a response that its check must still see."""


def result_of(checks: Iterable[tuple[Clause, Callable[[], Selected]]]) -> ResponseResult:
    """Check each clause on the parts that are selected for it, and return the result of all clauses together.

    A clause may come several times, for example once for each group of jobs of a large body.
    """
    exercised, errors = dict[str, list[Finding]](), dict[str, str]()
    for clause, select in checks:
        found = exercised.get(clause.id, [])
        try:
            applies, subjects = select()
            for subject in subjects:
                applies = True
                if len(found) < LISTED:
                    found += islice(clause.check(subject), LISTED - len(found))
        except Exception as error:  # noqa: BLE001 - any error here is a defect of the suite
            errors[clause.id] = failure(error)
            continue
        if applies:
            exercised[clause.id] = found
    for name in errors:
        exercised.pop(name, None)
    broken = tuple([(name, tuple(found)) for name, found in exercised.items() if found])
    return ResponseResult(tuple(exercised), broken, tuple(errors.items()))


def results_across(clause: Clause, conversation: Conversation) -> dict[str, ResponseResult]:
    """Return the result of a clause about several exchanges, by the id of the exchange that it applies to."""
    assert clause.across is not None
    found: dict[str, list[Finding]] = {}
    try:
        for answer, subject in clause.across(conversation):
            findings = found.setdefault(answer.exchange.id, [])
            findings += islice(clause.check(subject), LISTED - len(findings))
    except Exception as error:  # noqa: BLE001 - any error here is a defect of the suite
        failed = ResponseResult(errors=((clause.id, failure(error)),))
        return {conversation.answers[0].exchange.id: failed}
    return {
        name: ResponseResult((clause.id,), ((clause.id, tuple(findings)),) if findings else ())
        for name, findings in found.items()
    }
