"""The counts of a run under load: frozen values, so that the counts of all workers can be added. Evidence is limited.

Does no I/O.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from conformance.judge.fingerprint import fingerprint
from conformance.judge.report import FINGERPRINTS, Evidence, Fingerprint, RecordedExchange, Value

SECONDS: Final = 24 * 3600
"""Maximum number of seconds that are counted separately. No run is longer."""
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
"""Upper limits, in bytes, of the ranges of body size for which latency is counted separately."""
STEP: Final = 1.1
"""Ratio of neighbouring histogram buckets: percentiles are accurate to about 10 %."""
FASTEST: Final = 1e-5
"""The shortest response time, in seconds, with a histogram bucket of its own. Shorter times count as this time."""
_ID: Final = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ClauseCounts(Value, frozen=True, kw_only=True):
    """The counts of one clause: how many responses exercised it, how many broke it, and when first and last.

    Times are in seconds since the Unix epoch. ``evidence`` has one finding of each kind. ``error`` says how the check
    of the clause itself failed, if it did.
    """

    judged: int = 0
    breached: int = 0
    first: float | None = None
    last: float | None = None
    evidence: tuple[Evidence, ...] = ()
    error: str | None = None

    def __add__(self, other: ClauseCounts) -> ClauseCounts:
        return ClauseCounts(
            judged=self.judged + other.judged,
            breached=self.breached + other.breached,
            first=_either(min, self.first, other.first),
            last=_either(max, self.last, other.last),
            evidence=_kinds(self.evidence + other.evidence),
            error=self.error or other.error,
        )


class Second(Value, frozen=True, kw_only=True):
    """One second of a run: requests that ended in it, how many broke a must clause, and the users at its end."""

    requests: int = 0
    breached: int = 0
    users: int = 0

    def __add__(self, other: Second) -> Second:
        return Second(
            requests=self.requests + other.requests,
            breached=self.breached + other.breached,
            users=self.users + other.users,
        )


class Latency(Value, frozen=True, kw_only=True):
    """A histogram of response times, from sending the request to the last byte. Buckets grow by the factor ``STEP``."""

    buckets: Mapping[int, int] = {}
    longest: float = 0.0

    def __add__(self, other: Latency) -> Latency:
        return Latency(buckets=_sum(self.buckets, other.buckets), longest=max(self.longest, other.longest))

    @property
    def number(self) -> int:
        """The number of response times."""
        return sum(self.buckets.values())

    def percentile(self, share: float) -> float:
        """Return the response time, in seconds, that a share of the responses did not exceed (nearest rank)."""
        rank, seen = math.ceil(share * self.number), 0
        for bucket, number in sorted(self.buckets.items()):
            seen += number
            if seen >= rank:
                return min(FASTEST * STEP**bucket, self.longest)
        return self.longest


class Own(Value, frozen=True, kw_only=True):
    """What happened to the jobs of the run.

    ``submitted`` jobs were submitted and ``taken`` were accepted; for ``unknown`` of them the outcome is not known.
    ``left`` are the ids of jobs that may still be in the queue. ``why_not`` says why no more jobs were submitted.
    """

    submitted: int = 0
    taken: int = 0
    left: tuple[str, ...] = ()
    unknown: int = 0
    why_not: str | None = None

    def __add__(self, other: Own) -> Own:
        return Own(
            submitted=self.submitted + other.submitted,
            taken=self.taken + other.taken,
            left=self.left + other.left,
            unknown=self.unknown + other.unknown,
            why_not=self.why_not or other.why_not,
        )


class Unjudged(Value, frozen=True, kw_only=True):
    """How many responses were not judged completely, and how many were not compared with others.

    ``what`` says which part of the first such response was not judged.
    """

    responses: int = 0
    what: str | None = None
    uncompared: int = 0

    def __add__(self, other: Unjudged) -> Unjudged:
        return Unjudged(
            responses=self.responses + other.responses,
            what=self.what or other.what,
            uncompared=self.uncompared + other.uncompared,
        )


class LoadTally(Value, frozen=True, kw_only=True):
    """The counts of a run, or of a worker's part of it.

    ``statuses`` counts responses to GETs of the queue by status, and ``beside`` responses to other requests.
    ``problems`` counts requests without a response by cause. ``latency`` is by the size of the body (the first of
    ``SIZES`` that it fits, else 0). ``exchanges`` are the exchanges that evidence mentions. ``order`` is the dialect
    that a job has shown, and in which place.
    """

    clauses: Mapping[str, ClauseCounts] = {}
    statuses: Mapping[int, int] = {}
    problems: Mapping[str, int] = {}
    seconds: Mapping[int, Second] = {}
    latency: Mapping[int, Latency] = {}
    exchanges: Mapping[str, RecordedExchange] = {}
    beside: Mapping[int, int] = {}
    own: Own = Own()
    unjudged: Unjudged = Unjudged()
    order: tuple[str, str] | None = None

    def __add__(self, other: LoadTally) -> LoadTally:
        clauses = _sum(self.clauses, other.clauses)
        named = {name for broken in clauses.values() for piece in broken.evidence for name in mentioned(piece)}
        both = {**other.exchanges, **self.exchanges}
        return LoadTally(
            clauses=clauses,
            statuses=_sum(self.statuses, other.statuses),
            problems=_sum(self.problems, other.problems),
            seconds=_sum(self.seconds, other.seconds),
            latency=_sum(self.latency, other.latency),
            exchanges={name: exchange for name, exchange in both.items() if name in named},
            beside=_sum(self.beside, other.beside),
            own=self.own + other.own,
            unjudged=self.unjudged + other.unjudged,
            order=self.order or other.order,
        )

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        return sum(map(sum, (self.statuses.values(), self.beside.values(), self.problems.values())))


def mentioned(piece: Evidence) -> set[str]:
    """Return the ids of exchanges that evidence may refer to: its own exchange, and ids in its text."""
    return {piece.exchange, *_ID.findall(f"{piece.got} {piece.message}")}


def bucket(seconds: float) -> int:
    """Return the number of the histogram bucket for a response time in seconds."""
    return math.ceil(math.log(max(seconds, FASTEST) / FASTEST, STEP))


def size_class(size: int) -> int:
    """Return the smallest of ``SIZES`` that is not below ``size``, or 0 if the body is larger than all of them."""
    place = bisect.bisect_left(SIZES, size)
    return SIZES[place] if place < len(SIZES) else 0


def _sum(mine: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Any]:
    """Add two mappings: the values of keys that both contain are added."""
    return {**mine, **other, **{key: mine[key] + other[key] for key in mine.keys() & other.keys()}}


def _either(choose: Callable[[float, float], float], mine: float | None, other: float | None) -> float | None:
    return choose(mine, other) if mine is not None and other is not None else mine if other is None else other


def _kinds(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Keep the first finding of each kind."""
    kinds: dict[Fingerprint, Evidence] = {}
    for piece in evidence:
        kinds.setdefault(fingerprint(piece), piece)
    return tuple(kinds.values())[:FINGERPRINTS]


def encode(tally: LoadTally) -> bytes:
    """Return the bytes that a worker sends to its master."""
    return msgspec.msgpack.encode(tally)


def decode(data: bytes) -> LoadTally:
    """Parse the bytes from a worker. Raises msgspec.DecodeError if they are invalid."""
    return msgspec.msgpack.decode(data, type=LoadTally)
