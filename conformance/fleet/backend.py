"""What runs the checks: processes on this machine, or a cluster."""

from __future__ import annotations

from typing import Final, Protocol

from conformance.fleet.work import Done, Order
from conformance.probe.limits import Bounds

GRACE: Final = 600.0
"""Seconds for judging, in addition to the limits of a check."""


class Lost(Exception):
    """The back end is gone; finished results are kept. The message is one line."""


class Backend(Protocol):
    """Checks one target per order. Orders run concurrently."""

    async def check(self, order: Order) -> Done:
        """Check a target. Raises Lost if no check is possible any more, but nothing because of a target."""

    async def demand_progress(self, silence: float, longest: float) -> None:
        """Raise Lost if no more results can be expected after ``silence`` seconds without one.

        ``longest`` is how many seconds the longest running check may take.
        """


def longest(order: Order) -> float:
    """Return the maximum duration of a check in seconds."""
    options = order.target.options
    return order.delay + float(options.get("deadline") or Bounds().deadline) + float(options.get("wait_for_items") or 0)
