"""Compute fingerprints: two breaches of a clause are the same if place and kind are, whatever the text."""

from __future__ import annotations

import re
from typing import Final

from conformance.judge.report import ClauseResult, Evidence, Fingerprint

_JOB: Final = re.compile(r"(/queue_(?:running|pending))/\d+(?:(/\d+)(/.*)?)?", re.DOTALL)
"""A place in a job: list, index, position in the tuple (which is kept), and the rest."""
_MEMBER: Final = re.compile(r"(/[^/]*)(/.*)?", re.DOTALL)
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


def fingerprint(evidence: Evidence) -> Fingerprint:
    """Return the fingerprint of one piece of evidence."""
    return fingerprint_at(evidence.pointer, evidence.kind)


def fingerprint_at(pointer: str | None, kind: str) -> Fingerprint:
    """Return the fingerprint of a breach of a kind at a JSON Pointer, or outside the body."""
    return Fingerprint(place=None if pointer is None else place_pattern(pointer), kind=kind)


def place_pattern(pointer: str) -> str:
    """Return a JSON Pointer into a body with wildcards for the parts that differ from job to job."""
    job = _JOB.fullmatch(pointer)
    if job is None:
        return _INDEX.sub("/*", pointer)
    listed, position, within = job[1], job[2] or "", job[3] or ""
    return f"{listed}/*{position}{_within(position, within)}"


def _within(position: str, place: str) -> str:
    """Return the place in an element of a job. Users choose the names in workflows and below metadata members."""
    if position == "/2" and place:
        return "/**"
    member = _MEMBER.fullmatch(place)
    return f"{_INDEX.sub('/*', member[1])}{'/**' if member[2] else ''}" if member else ""


def fingerprints(result: ClauseResult) -> frozenset[Fingerprint]:
    """Return the fingerprints of a result; if the report has none, those of the listed evidence."""
    return frozenset(result.fingerprints or map(fingerprint, result.evidence))
