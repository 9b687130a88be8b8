"""How fast requests may be sent, given the user's limit and the limit that a server's 429 and 503 responses reveal.

This module has no clock. All times are seconds of the caller's clock.
"""

from __future__ import annotations

from math import inf
from typing import Final

from conformance.contract.clauses.http import answered_at
from conformance.contract.conversation import ORIGIN_AWAY, TOO_MANY, Answer
from conformance.contract.reading.body import Reading
from conformance.exchange.headers import http_date
from conformance.exchange.model import Exchange

TOO_FAST: Final = (TOO_MANY, 503)
STARTING: Final = (500, 503, *ORIGIN_AWAY)
"""Statuses of a server that is still starting, or of the gateway in front of it."""
FIXED_PLAN: Final = 50
"""Maximum number of requests in the fixed plan, which does not include generated requests."""
SHARE: Final = 0.9
"""Share of the remaining time over which the remaining requests of the fixed plan may be spread."""
FIRST_WAIT: Final = 0.125
"""Seconds to wait after a first refusal without Retry-After. Each further consecutive refusal doubles the wait."""
LONGEST_WAIT: Final = 32.0
BRIEFLY: Final = 2.0
"""Maximum seconds of a single wait before a generated request, in the check for a ban, and in the clean-up."""
GIVEN_UP: Final = 10
"""The run ends after this many consecutive refusals. Their waits add up to more than a minute."""
MARGIN: Final = 1.05
"""Factor by which requests are sent more slowly than the measured rate, because of clock and network differences."""


class Pace:
    """The pace of one run. It never becomes faster after a refusal (a 429 or 503 response).

    ``refused`` counts refusals, and ``status`` is that of the last one. ``streak`` counts consecutive refusals. If
    several requests were under way at the first refusal, their refusals count once. ``interval`` is the number of
    seconds between requests that the server requires. ``longest`` is the maximum of every single wait, in seconds.
    """

    def __init__(self, rate_limit: float | None = None) -> None:
        self.refused = 0
        self.status = 0
        self.streak = 0
        self.interval = 0.0
        self.longest = inf
        self._least = 1 / rate_limit if rate_limit else 0.0
        self._next = -inf
        self._last = -inf
        self._held = -inf
        self._since: float | None = None
        self._taken = 0

    @property
    def usual(self) -> float:
        """The seconds between two requests that the user and the server require, as far as known."""
        return max(self._least, self.interval)

    def wait(self, now: float) -> float:
        """Return the seconds until the next request may be sent."""
        return min(max(0.0, self._next - now), self.longest)

    def sent(self, now: float, most: float = inf) -> None:
        """Record that a request is sent. ``most`` is the longest delay, in seconds, that the server can impose."""
        self._next, self._last = now + max(self._least, min(self.interval, most)), now
        if self._since is None:
            self._since = now

    def answered(self, sent: float) -> None:
        """Record that a request that was sent at the time ``sent`` was accepted. That ends a streak of refusals."""
        if self.streak and sent >= self._held:
            self.streak = 0
            self._measure(sent)
            self._next = sent + self.usual
        self._taken += 1

    def held_back(self, status: int, sent: float, now: float, seconds: float | None) -> None:
        """Record that a request that was sent at the time ``sent`` was refused.

        ``seconds`` is the Retry-After, or None.
        """
        self.refused += 1
        self.status = status
        if sent < self._held:
            self._next = max(self._next, now + (seconds or 0.0))
            return
        self.streak += 1
        self._held = now
        wait = _backoff(self.streak) if seconds is None else max(seconds, _backoff(self.streak - 1))
        self._next = max(self._next, now + wait)

    def forgive(self, interval: float) -> None:
        """Restore an earlier ``interval``, because the reason for the refusals was not the request rate."""
        self.interval = interval
        self.streak = 0
        self._next = self._last + self.usual

    def no_later(self, moment: float) -> None:
        """Allow the next request at the time ``moment`` at the latest."""
        self._next = min(self._next, moment)

    def _measure(self, sent: float) -> None:
        """Update ``interval`` from the rate at which the server accepted requests since the last streak of refusals."""
        if self._taken and self._since is not None:
            self.interval = max(self.interval, MARGIN * (sent - self._since) / self._taken)
        self._since, self._taken = sent, 0


def _backoff(streak: int) -> float:
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (streak - 1)) if streak > 0 else 0.0


def retry_after(exchange: Exchange) -> float | None:
    """Return the Retry-After of a response in seconds from now. None if it is missing or not valid."""
    if exchange.response is None:
        return None
    value = exchange.response.header("retry-after") or ""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    moment = http_date(value)
    now = answered_at(Answer(exchange, exchange.response, Reading(b"")))
    return None if moment is None or now is None else max(0.0, moment - now)
