"""Fingerprint: what makes two breaches of a clause the same from night to night: place and kind, not the text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from conformance.report.model import ClauseResult, Evidence

_JOB: Final = re.compile(r"(/queue_(?:running|pending))/\d+(?:(/\d+)(/.*)?)?", re.DOTALL)
"""A place in a job: list, index, position in the tuple (which is kept), and what lies within."""
_INDEX: Final = re.compile(r"/\d+(?=/|$)")


class Fingerprint(NamedTuple):
    """``place`` is a JSON Pointer with ``*`` for indices and ``**`` for what lies in a workflow, None outside the body.

    ``kind`` is the likely cause that the suite names, else what it expected: words of the suite, never the server's.
    """

    place: str | None
    kind: str


def fingerprint(evidence: Evidence) -> Fingerprint:
    """Return the fingerprint of one piece of evidence."""
    return Fingerprint(
        None if evidence.pointer is None else place_pattern(evidence.pointer), evidence.hint or evidence.expected
    )


def place_pattern(pointer: str) -> str:
    """Return a JSON Pointer into a body without what differs from job to job."""
    job = _JOB.fullmatch(pointer)
    if job is None:
        return _INDEX.sub("/*", pointer)
    listed, position, within = job[1], job[2] or "", job[3] or ""
    inside = "/**" if position == "/2" and within else _INDEX.sub("/*", within)  # names in a workflow are its user's
    return f"{listed}/*{position}{inside}"


def fingerprints(result: ClauseResult) -> frozenset[Fingerprint]:
    """Return the fingerprints of all that a clause found."""
    return frozenset(map(fingerprint, result.evidence))
