"""What endpoints have in common, and that counting them does not take more memory the more there are."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import pytest
from msgspec import structs

from conformance.fleet.result_lines import EndpointResult
from conformance.fleet.tally import FleetTally
from conformance.history.digest import digest
from helpers.fleet_samples import MILLISECONDS, UUID, broken, kept


def test_clauses_are_counted_by_the_endpoints_that_break_them() -> None:
    tally = FleetTally([broken("a", MILLISECONDS), broken("b", MILLISECONDS, UUID), broken("c", MILLISECONDS)])
    assert {name: group.number for name, group in tally.clauses.items()} == {
        "item.create-time.milliseconds": 3,
        "item.prompt-id.uuid": 1,
    }


def test_the_slowest_come_slowest_first_and_who_never_answered_is_not_among_them() -> None:
    lines = [kept(str(number), p95=float(number % 50)) for number in range(200)]
    lines.append(kept("silent", p95=None))
    slowest = FleetTally(lines).slowest()
    assert [line.p95 for line in slowest] == [49.0] * 4 + [48.0] * 4 + [47.0] * 2
    assert [line.name for line in slowest[:4]] == ["49", "99", "149", "199"]


def test_memory_does_not_grow_with_the_number_of_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor with the number of ways in which they fail."""
    monkeypatch.setattr("conformance.history.digest.LISTED", 100)
    monkeypatch.setattr("conformance.history.digest.MOST_GROUPS", 100)

    def results(number: int) -> Iterator[EndpointResult]:
        for n in range(number):
            yield broken(str(n), MILLISECONDS if n % 2 else structs.replace(UUID, place=f"/{n}"))

    def grown(number: int) -> int:
        tracemalloc.start()
        found = FleetTally(results(number)), digest(results(number), start="", end="")
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert [found[0].total, found[1].targets] == [number, number]
        return size

    assert grown(2000) < 1.2 * grown(1000)
