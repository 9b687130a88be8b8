"""The chart of a run under load: the requests of each second as a bar."""

from __future__ import annotations

from typing import Final, NamedTuple

from conformance.judge.report import LoadRun

WIDE: Final = 120
"""The maximum number of bars. In a run of more seconds, each bar covers several seconds."""


class LoadBar(NamedTuple):
    """One bar of the chart. Numbers are per mille of the chart's size.

    ``broken`` is the part of ``height`` for responses that broke a must clause.
    """

    start: float
    width: float
    height: float
    broken: float
    label: str


def seconds(load: LoadRun) -> list[LoadBar]:
    """Return a bar for each second of a run, including seconds without requests.

    In long runs a bar covers several seconds.
    """
    if not load.seconds:
        return []
    first, last = load.seconds[0].at, load.seconds[-1].at
    span = -(-(last - first + 1) // WIDE)
    sums: dict[int, list[int]] = {}
    for second in load.seconds:
        group = sums.setdefault((second.at - first) // span, [0, 0, 0])
        group[0] += second.requests
        group[1] += second.broken
        group[2] = max(group[2], second.users)
    most = max(requests for requests, _, _ in sums.values()) or 1
    width = 1000 / ((last - first) // span + 1)
    return [
        LoadBar(
            start=round(place * width, 2),
            width=round(width * 0.9, 2),
            height=round(1000 * requests / most, 1),
            broken=round(1000 * broken / most, 1),
            label=f"second {place * span}: {requests / span:,.0f} requests, {broken:,} broken, {users:,} users",
        )
        for place, (requests, broken, users) in sorted(sums.items())
    ]


def busiest(load: LoadRun) -> int:
    """Return the highest number of requests that ended in one second."""
    return max((second.requests for second in load.seconds), default=0)
