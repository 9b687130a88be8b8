"""Values that several parts of a report share: statuses, verdicts, counts and fingerprints."""

from __future__ import annotations

import enum
from typing import Final

import msgspec


class Status(enum.StrEnum):
    """The status of one clause in a run."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    WARN = "warn"
    NOT_EXERCISED = "not-exercised"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    ERROR = "error"


EXERCISED: Final = (Status.PASS, Status.FAIL, Status.WARN, Status.WAIVED)


class Verdict(enum.StrEnum):
    """The verdict of a run."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCONCLUSIVE = "inconclusive"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of all values in a report. They are frozen, and equal if their members are."""


class Fingerprint(Value, frozen=True, kw_only=True):
    """Identifies a violation of a clause across runs, by its place and kind.

    ``place`` is a JSON Pointer into the body with ``*`` for indices and ``**`` for names that users chose, or None if
    the violation is not in the body. ``kind`` is a stable word for the cause, or "" if the clause has only one kind.
    """

    place: str | None
    kind: str = ""


class Counts(Value, frozen=True, kw_only=True):
    """The number of clauses by status, of all (``total``), and of those that were checked (``exercised``)."""

    passed: int = msgspec.field(name="pass", default=0)
    fail: int = 0
    warn: int = 0
    not_exercised: int = msgspec.field(name="not-exercised", default=0)
    not_applicable: int = msgspec.field(name="not-applicable", default=0)
    waived: int = 0
    error: int = 0
    exercised: int = 0
    total: int = 0
