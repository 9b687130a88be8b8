"""Fingerprint: what makes two breaches of a clause the same from night to night: place and kind, not the text."""

from __future__ import annotations

import re
from typing import Final

from conformance.judge.report import ClauseResult, Evidence, Fingerprint

_JOB: Final = re.compile(r"(/queue_(?:running|pending))/\d+(?:(/\d+)(/.*)?)?", re.DOTALL)
"""A place in a job: list, index, position in the tuple (which is kept), and what lies within."""
_MEMBER: Final = re.compile(r"(/[^/]*)(/.*)?", re.DOTALL)
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


def fingerprint(evidence: Evidence) -> Fingerprint:
    """Return the fingerprint of one piece of evidence."""
    return fingerprint_at(evidence.pointer, evidence.kind)


def fingerprint_at(pointer: str | None, kind: str) -> Fingerprint:
    """Return the fingerprint of a breach of a kind at a JSON Pointer, or outside the body."""
    return Fingerprint(place=None if pointer is None else place_pattern(pointer), kind=kind)


def place_pattern(pointer: str) -> str:
    """Return a JSON Pointer into a body without what differs from job to job."""
    job = _JOB.fullmatch(pointer)
    if job is None:
        return _INDEX.sub("/*", pointer)
    listed, position, within = job[1], job[2] or "", job[3] or ""
    return f"{listed}/*{position}{_within(position, within)}"


def _within(position: str, place: str) -> str:
    """Return a place in an element of a job: names in a workflow, and below a member of metadata, are their user's."""
    if position == "/2" and place:
        return "/**"
    member = _MEMBER.fullmatch(place)
    return f"{_INDEX.sub('/*', member[1])}{'/**' if member[2] else ''}" if member else ""


def fingerprints(result: ClauseResult) -> frozenset[Fingerprint]:
    """Return the fingerprints of all that a clause found; of what is listed, where a report has no others."""
    return frozenset(result.fingerprints or map(fingerprint, result.evidence))
