"""The interface of a back end. It runs checks, either in processes on this machine or on a cluster."""

from __future__ import annotations

from typing import Final, Protocol

from conformance.fleet.work import Assignment, Done
from conformance.probe.limits import Bounds

GRACE: Final = 600.0
"""Seconds that a check may take to judge its responses, in addition to the time limits for its requests."""


class Lost(Exception):
    """The back end cannot check any more targets. Finished results are kept. The message is one line."""


class Backend(Protocol):
    """Runs checks, many at the same time. An order names the target to check."""

    async def check(self, order: Assignment) -> Done:
        """Check a target. Problems of the target are part of the result.

        Raises Lost if no check is possible any more.
        """

    async def demand_progress(self, silence: float, longest: float) -> None:
        """Raise Lost if no more results can be expected.

        ``silence`` is the number of seconds since the last result, ``longest`` the maximum duration of the running
        checks in seconds.
        """


def longest(order: Assignment) -> float:
    """Return the maximum duration of a check in seconds, without the time for judging."""
    options = order.target.options
    return order.delay + float(options.get("deadline") or Bounds().deadline) + float(options.get("wait_for_items") or 0)
