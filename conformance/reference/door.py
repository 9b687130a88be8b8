"""Refuse requests without looking at them: too many requests, a server that is still starting, a banned client."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf

from conformance.reference.message import HangUpError, IncomingRequest, Reply


@dataclass(frozen=True)
class Door:
    """How many requests a server accepts, and when. Times are in seconds.

    A token bucket of ``burst`` requests refills at ``rate`` per second; with a ``window``, each period of that length
    accepts ``burst`` requests instead. A request above the limit gets ``status``, with a Retry-After if ``tells`` is
    true. So does every request in the first ``starts`` seconds. ``bans`` is the status of every response to a client
    that has once sent a wrong key; 0 closes the connection instead.
    """

    rate: float = inf
    burst: int = 1
    window: float = 0.0
    status: int = 429
    tells: bool = False
    starts: float = 0.0
    bans: int | None = None


class Doorkeeper:
    """Applies the rules of a Door to requests."""

    def __init__(self, door: Door, now: float) -> None:
        self._door = door
        self._opens = now + door.starts
        self._tokens = float(door.burst)
        self._filled = now
        self._banned = False

    def refusal(self, ask: IncomingRequest, blank: Reply) -> Reply | None:
        """Return the response to a request that is refused; None if it is accepted.

        Raises HangUpError if the request gets no response.
        """
        door = self._door
        if self._banned:
            if door.bans:
                return blank.error(door.bans, "This address is banned.")
            raise HangUpError
        given = ask.header("x-api-key")
        self._banned = door.bans is not None and bool(given) and given != ask.key
        wait = self._opens - ask.now if ask.now < self._opens else self._take_token(ask.now)
        if not wait:
            return None
        headers = {"retry_after": str(ceil(wait))} if door.tells else {}
        return blank.error(door.status, "Try again later.", **headers)

    def _take_token(self, now: float) -> float:
        """Take a token and return 0; if the bucket is empty, return the seconds until the next token."""
        door = self._door
        if door.window:
            if now - self._filled >= door.window:
                self._tokens, self._filled = float(door.burst), now
            wait = self._filled + door.window - now
        else:
            filled = self._tokens + (now - self._filled) * door.rate if door.rate < inf else inf
            self._tokens, self._filled = min(float(door.burst), filled), now
            wait = (1 - self._tokens) / door.rate
        if self._tokens < 1:
            return wait
        self._tokens -= 1
        return 0.0
