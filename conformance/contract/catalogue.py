"""The catalogue: every clause of the contract."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from conformance.contract.clause import Clause
from conformance.contract.clauses import (
    auth,
    caching,
    cors,
    document,
    envelope,
    error,
    error_other,
    framing,
    http,
    http_conditional,
    item,
    item_create_time,
    item_job_number,
    json,
    lifecycle_remove,
    lifecycle_stop,
    lifecycle_submit,
    lifecycle_wait,
    method,
    privacy,
    queue,
    reads,
    status,
    workflow,
)
from conformance.contract.terms import profile_of

_FILES: Final = (
    status,
    envelope,
    item,
    item_job_number,
    item_create_time,
    queue,
    workflow,
    reads,
    json,
    http,
    http_conditional,
    framing,
    method,
    auth,
    error,
    error_other,
    caching,
    cors,
    privacy,
    lifecycle_submit,
    lifecycle_wait,
    lifecycle_remove,
    lifecycle_stop,
    document,
)


CATALOGUE: Final = tuple(member for module in _FILES for member in vars(module).values() if isinstance(member, Clause))
"""Every clause, in the order of the report."""


def _by_id() -> dict[str, Clause]:
    found: dict[str, Clause] = {}
    for clause in CATALOGUE:
        if clause.id in found:
            raise TypeError(f"two clauses have the id {clause.id}: give one of them another id")
        found[clause.id] = clause
    return found


BY_ID: Final = _by_id()


def matching(pattern: str) -> tuple[Clause, ...]:
    """Return the clauses that ``--clause`` selects: by profile (``http``), first word of the id, or pattern (``item.*``)."""
    return tuple(
        clause
        for clause in CATALOGUE
        if pattern in (profile_of(clause.id), clause.subject) or fnmatchcase(clause.id, pattern)
    )
