"""What checks targets: processes of this machine, or a cluster."""

from __future__ import annotations

from typing import Final, Protocol

from conformance.fleet.work import Done, Order
from conformance.probe.limits import Bounds

GRACE: Final = 600.0
"""Seconds beyond the bounds of a check in which it may judge."""


class Lost(Exception):
    """The back end is gone; finished results are kept. Its text is one line."""


class Backend(Protocol):
    """Checks one target for each order, as many side by side as there are orders."""

    async def check(self, order: Order) -> Done:
        """Check a target. Raises Lost if nothing can be checked any more, and nothing for what a target does."""

    async def demand_progress(self, silence: float, longest: float) -> None:
        """Raise Lost if ``silence`` seconds without a result mean that none will come.

        ``longest`` is how many seconds the longest running check may take.
        """


def longest(order: Order) -> float:
    """Return the seconds that a check may take."""
    options = order.target.options
    return order.delay + float(options.get("deadline") or Bounds().deadline) + float(options.get("wait_for_items") or 0)
