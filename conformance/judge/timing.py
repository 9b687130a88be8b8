"""Compute the median and the 95th percentile of a run's response times."""

from __future__ import annotations

import math
from typing import NamedTuple

from conformance.judge.report import Report


class Timing(NamedTuple):
    """The median and the 95th percentile (nearest rank) of response times in seconds, and the number of responses."""

    p50: float
    p95: float
    answers: int


def timing(report: Report) -> Timing | None:
    """Return the median and 95th percentile of a run's response times in seconds, or None if it got no response."""
    times = sorted(e.elapsed for e in report.exchanges if e.response is not None and e.elapsed is not None)
    if not times:
        return None
    p50, p95 = (times[math.ceil(share * len(times)) - 1] for share in (0.5, 0.95))
    return Timing(p50, p95, len(times))
