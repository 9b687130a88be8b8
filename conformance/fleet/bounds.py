"""The limits of a run over many targets: concurrent checks and requests per second, in total and per host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conformance.exchange.hosts import is_loopback
from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem

PER_HOST: Final = 2
"""Default maximum number of concurrent checks per host. Loopback has no limit."""
JITTER: Final = 1.0
"""Default maximum delay in seconds before a check starts."""


@dataclass(frozen=True)
class FleetBounds:
    """Limits of a run over many targets. Each check gets its share of a rate, so that processes need no common counter.

    The share is the rate divided by the maximum number of concurrent checks. If ``per_host`` is None, it is PER_HOST,
    or unlimited on loopback. If ``jitter`` is None, checks are delayed by up to JITTER seconds, or not at all on
    loopback. Rates are in requests per second; None means that only the limit of each check applies.
    """

    parallel: int
    per_host: int | None = None
    rate: float | None = None
    host_rate: float | None = None
    jitter: float | None = None

    def room(self, host: str) -> int | None:
        """Return the maximum number of concurrent checks of a host; None if unlimited."""
        return self.per_host or (None if _loopback(host) else PER_HOST)

    def latest(self, host: str) -> float:
        """Return the maximum delay before a check of a host, in seconds."""
        if self.jitter is not None:
            return self.jitter
        return 0.0 if _loopback(host) else JITTER

    def share(self, host: str) -> float | None:
        """Return how many requests per second one check may send to a host; None if only its own limit applies."""
        shares = []
        if self.rate is not None:
            shares.append(self.rate / self.parallel)
        if self.host_rate is not None:
            shares.append(self.host_rate / min(self.room(host) or self.parallel, self.parallel))
        return min(shares, default=None)

    def demand_enough(self, bounds: Bounds) -> None:
        """Raise UsageProblem if a check could not send all its requests in time with its share of the rate."""
        for host in ("127.0.0.1", "elsewhere.invalid"):
            share = self.share(host)
            if share is not None and share * bounds.deadline < bounds.max_requests:
                raise UsageProblem(
                    f"{share:.3g} requests per second are left for each check, so its {bounds.max_requests} requests "
                    "would take longer than "
                    f"--deadline {bounds.deadline:g}: use fewer concurrent checks, or raise a rate"
                )


def _loopback(host: str) -> bool:
    return is_loopback(f"//{host}")
