"""Compute fingerprints.

Two violations of a clause in different runs count as the same if their fingerprints are equal.
"""

from __future__ import annotations

import re
from typing import Final

from conformance.judge.report import ClauseResult, Evidence, Fingerprint

_JOB: Final = re.compile(r"(/queue_(?:running|pending))/\d+(?:(/\d+)(/.*)?)?", re.DOTALL)
"""Matches a JSON Pointer into a job. Its groups are the list, the index of the element in the job, and the rest."""
_MEMBER: Final = re.compile(r"(/[^/]*)(/.*)?", re.DOTALL)
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


def fingerprint(evidence: Evidence) -> Fingerprint:
    """Return the fingerprint of a violation that a report lists."""
    return fingerprint_at(evidence.pointer, evidence.kind)


def fingerprint_at(pointer: str | None, kind: str) -> Fingerprint:
    """Return the fingerprint of a violation: the pattern of its JSON Pointer (None outside the body) and its kind."""
    return Fingerprint(place=None if pointer is None else place_pattern(pointer), kind=kind)


def place_pattern(pointer: str) -> str:
    """Return a JSON Pointer in which wildcards replace the parts that differ from job to job."""
    job = _JOB.fullmatch(pointer)
    if job is None:
        return _INDEX.sub("/*", pointer)
    listed, position, within = job[1], job[2] or "", job[3] or ""
    return f"{listed}/*{position}{_within(position, within)}"


def _within(position: str, place: str) -> str:
    """Return ``place``, a pointer inside the element at ``position``, with ``**`` for names that users choose."""
    if position == "/2" and place:
        return "/**"
    member = _MEMBER.fullmatch(place)
    return f"{_INDEX.sub('/*', member[1])}{'/**' if member[2] else ''}" if member else ""


def fingerprints(result: ClauseResult) -> frozenset[Fingerprint]:
    """Return the fingerprints of all violations of a clause.

    For a report of an old version, only those of listed violations.
    """
    return frozenset(result.fingerprints or map(fingerprint, result.evidence))
