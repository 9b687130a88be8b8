"""The contract: its clauses, one file a subject, quote above check. Pure: no network, no clock, no pytest."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from conformance.contract import (
    auth,
    caching,
    create_time,
    envelope,
    error,
    framing,
    http,
    item,
    job_number,
    json_text,
    lifecycle,
    method,
    privacy,
    queue,
    reads,
    removal,
    waiting,
    workflow,
)
from conformance.contract.clause import Cause, Clause, Finding, Level

_SUBJECTS: Final = (
    envelope, item, job_number, create_time, queue, workflow, reads, json_text, http, framing, method, auth, error, caching,
    privacy, lifecycle, waiting, removal,
)  # fmt: skip


def _clauses(module: ModuleType) -> tuple[Clause, ...]:
    return tuple(member for member in vars(module).values() if isinstance(member, Clause))


CATALOGUE: Final[tuple[Clause, ...]] = tuple(clause for module in _SUBJECTS for clause in _clauses(module))
"""Every clause, by subject, in the order of the text."""

BY_ID: Final = {clause.id: clause for clause in CATALOGUE}

__all__ = ["BY_ID", "CATALOGUE", "Cause", "Clause", "Finding", "Level"]
