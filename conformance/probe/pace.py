"""How fast requests may follow each other: the user's limit, and the one that the server's refusals show.

Holds no clock: times come in as seconds of the caller's clock.
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
"""Statuses of a server, or of the gateway before it, that has not come up yet."""
FIXED_PLAN: Final = 50
"""Requests of the fixed plan at most."""
SHARE: Final = 0.9
"""Of the time that is left: what the pace of the server may take up, so that the fixed plan is sent to its end."""
FIRST_WAIT: Final = 0.125
"""Seconds to wait after a first refusal that does not say how long. Each further one in a row doubles them."""
LONGEST_WAIT: Final = 32.0
BRIEFLY: Final = 2.0
"""Seconds of a single wait at most, for what is not worth a longer one."""
GIVEN_UP: Final = 10
"""Refusals in a row after which the run ends: their waits add up to more than a minute."""
MARGIN: Final = 1.05
"""How much slower than the rate that was measured: a server's clock and the network's delay are not ours."""


class Pace:
    """The pace of one run. It only slows down: a server that was asked too fast is not asked faster later.

    ``refused`` counts refusals, and ``status`` is that of the last one. ``streak`` counts those in a row: requests that
    were under way when the first one came count once. ``interval`` are the seconds between requests that the server
    was found to demand. ``longest`` bounds every single wait.
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
        """Seconds between requests, as far as is known."""
        return max(self._least, self.interval)

    def wait(self, now: float) -> float:
        """Return the seconds until one more request may be sent."""
        return min(max(0.0, self._next - now), self.longest)

    def sent(self, now: float, most: float = inf) -> None:
        """Note that a request is being sent. ``most`` bounds how much the server may slow the next one down."""
        self._next, self._last = now + max(self._least, min(self.interval, most)), now
        if self._since is None:
            self._since = now

    def answered(self, sent: float) -> None:
        """Note a response that is not a refusal, to a request sent at ``sent``. It ends a row of refusals."""
        if self.streak and sent >= self._held:
            self.streak = 0
            self._measure(sent)
            self._next = sent + self.usual
        self._taken += 1

    def held_back(self, status: int, sent: float, now: float, seconds: float | None) -> None:
        """Note a refusal at ``now``. ``seconds`` is what its Retry-After asks for."""
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
        """Go back to an earlier interval: what was refused was not the pace."""
        self.interval = interval
        self.streak = 0
        self._next = self._last + self.usual

    def no_later(self, moment: float) -> None:
        """Let the next request go out at ``moment`` at the latest."""
        self._next = min(self._next, moment)

    def _measure(self, sent: float) -> None:
        """Take the rate at which the server let requests in since it did so last, the wait included."""
        if self._taken and self._since is not None:
            self.interval = max(self.interval, MARGIN * (sent - self._since) / self._taken)
        self._since, self._taken = sent, 0


def _backoff(streak: int) -> float:
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (streak - 1)) if streak > 0 else 0.0


def retry_after(exchange: Exchange) -> float | None:
    """Return the seconds that the Retry-After of a response asks for; None if it has none that can be read."""
    if exchange.response is None:
        return None
    value = exchange.response.header("retry-after") or ""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    moment = http_date(value)
    now = answered_at(Answer(exchange, exchange.response, Reading(b"")))
    return None if moment is None or now is None else max(0.0, moment - now)
