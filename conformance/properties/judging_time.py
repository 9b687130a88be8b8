"""Estimate how long it takes to judge all responses of a run, from the time that judging some of them took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from conformance.exchange.model import Exchange
from conformance.exchange.stored import StoredBody
from conformance.judge.judge import Bench

PLAIN: Final = 256 << 20
"""Bytes of plain reads that are judged before generated requests are sent."""
MARGIN: Final = 1.5


class TimedBench:
    """Judges responses on a bench, and measures the time. ``ledger`` has all exchanges of the run."""

    def __init__(self, bench: Bench, ledger: Sequence[Exchange], clock: Callable[[], float]) -> None:
        self._bench, self._ledger, self._clock = bench, ledger, clock
        self._seconds = 0.0
        self._judged: set[bytes | StoredBody] = set()

    def broken_by(self, exchanges: Iterable[Exchange]) -> set[str]:
        """Return the ids of the clauses that responses break."""
        given, began = list(exchanges), self._clock()
        broken = self._bench.broken_by(given)
        self._seconds += self._clock() - began
        self._judged |= _bodies(given)
        return broken

    def seconds_for_all(self) -> float:
        """Return the seconds that judging all responses of the run will take."""
        judged = _bytes(self._judged)
        return MARGIN * self._seconds * _bytes(_bodies(self._ledger)) / judged if judged else 0.0


def up_to(most: int, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """Yield exchanges until their distinct bodies are larger than this many bytes together."""
    given: list[Exchange] = []
    for exchange in exchanges:
        given.append(exchange)
        yield exchange
        if _bytes(_bodies(given)) > most:
            return


def _bodies(exchanges: Iterable[Exchange]) -> set[bytes | StoredBody]:
    return {exchange.response.body for exchange in exchanges if exchange.response is not None}


def _bytes(bodies: Iterable[bytes | StoredBody]) -> int:
    return sum(len(body) if isinstance(body, bytes) else body.size for body in bodies)
