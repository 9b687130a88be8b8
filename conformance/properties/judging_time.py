"""Estimate how long it takes to judge all responses of a run, from the time that judging some of them took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from conformance.exchange.model import Exchange
from conformance.exchange.stored import StoredBody
from conformance.judge.judge import Bench

PLAIN: Final = 256 << 20
"""Maximum number of bytes of normal responses that are judged before generated requests are sent."""
MARGIN: Final = 1.5


class _Bodies:
    """The distinct bodies of responses, and the sum of their sizes."""

    def __init__(self) -> None:
        self._seen: set[bytes | StoredBody] = set()
        self.bytes = 0

    def add(self, exchanges: Iterable[Exchange]) -> None:
        """Add the bodies of responses that are not there yet."""
        for exchange in exchanges:
            if exchange.response is not None and exchange.response.body not in self._seen:
                self._seen.add(exchange.response.body)
                self.bytes += exchange.response.size


class TimedBench:
    """Finds the clauses that responses break, with a ``Bench``, and measures the time that this takes.

    ``ledger`` has all exchanges of the run.
    """

    def __init__(self, bench: Bench, ledger: Sequence[Exchange], clock: Callable[[], float]) -> None:
        self._bench, self._ledger, self._clock = bench, ledger, clock
        self._seconds = 0.0
        self._judged, self._all = _Bodies(), _Bodies()
        self._counted = 0

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that responses break."""
        given, began = list(exchanges), self._clock()
        broken = self._bench.broken_by(given)
        self._seconds += self._clock() - began
        self._judged.add(given)
        return broken

    def seconds_for_all(self) -> float:
        """Return an estimate of the seconds that judging all responses of the run will take."""
        self._all.add(self._ledger[self._counted :])  # called before every request: look only at new ones
        while self._counted < len(self._ledger) and _is_over(self._ledger[self._counted]):
            self._counted += 1
        return MARGIN * self._seconds * self._all.bytes / self._judged.bytes if self._judged.bytes else 0.0


def up_to(most: int, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """Yield exchanges until their distinct bodies are larger than this many bytes together."""
    given = _Bodies()
    for exchange in exchanges:
        given.add([exchange])
        yield exchange
        if given.bytes > most:
            return


def _is_over(exchange: Exchange) -> bool:
    """Whether a request has got its response, or is known to get none."""
    return exchange.response is not None or exchange.problem is not None
