"""The limits of a run: checks at a time and requests per second, in all and at each host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conformance.exchange.hosts import is_loopback
from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem

PER_HOST: Final = 2
"""Checks at a time at a host that is not loopback, where nobody said otherwise."""
JITTER: Final = 1.0
"""Seconds, likewise."""


@dataclass(frozen=True)
class FleetBounds:
    """Bounds that hold without anybody counting: a rate is shared out to as many checks as there may be at a time.

    ``per_host`` None means PER_HOST, and any number on loopback; ``jitter`` None means up to JITTER seconds before a
    check begins, and none on loopback. Rates are in requests per second, None for no other bound than each check's.
    """

    parallel: int
    per_host: int | None = None
    rate: float | None = None
    host_rate: float | None = None
    jitter: float | None = None

    def room(self, host: str) -> int | None:
        """Return how many checks a host takes at a time, None for any number."""
        return self.per_host or (None if _loopback(host) else PER_HOST)

    def latest(self, host: str) -> float:
        """Return the seconds after which a check of a host begins, at the latest."""
        if self.jitter is not None:
            return self.jitter
        return 0.0 if _loopback(host) else JITTER

    def share(self, host: str) -> float | None:
        """Return how many requests per second one check of a host may send, None for as many as it likes."""
        shares = []
        if self.rate is not None:
            shares.append(self.rate / self.parallel)
        if self.host_rate is not None:
            shares.append(self.host_rate / min(self.room(host) or self.parallel, self.parallel))
        return min(shares, default=None)

    def demand_enough(self, bounds: Bounds) -> None:
        """Raise UsageProblem where the plan could not end in its time at the rate that is left for each check."""
        for host in ("127.0.0.1", "elsewhere.invalid"):
            share = self.share(host)
            if share is not None and share * bounds.deadline < bounds.max_requests:
                msg = (
                    f"{share:.3g} requests per second are left for each check, and {bounds.max_requests} requests take "
                    f"longer than --deadline {bounds.deadline:g}: check fewer at a time, or raise a rate"
                )
                raise UsageProblem(msg)


def _loopback(host: str) -> bool:
    return is_loopback(f"//{host}")
