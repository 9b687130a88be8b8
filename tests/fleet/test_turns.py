"""Whose turn it is, and the limits of a run."""

from __future__ import annotations

from collections import Counter
from itertools import count

import pytest

from conformance.fleet.bounds import FleetBounds
from conformance.fleet.turns import AHEAD, Turns, host_of
from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem
from conformance.run.targets import Target
from helpers.fleet_samples import target


def out(turns: Turns) -> list[Target]:
    """Take all that may be asked now."""
    return list(iter(turns.next, None))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://A.example/queue", "a.example"),
        ("http://127.0.0.1:8188", "127.0.0.1:8188"),
        ("10.0.0.1:8188/x", "10.0.0.1:8188"),
        ("embedded", "localhost"),
    ],
)
def test_the_host_of_a_target_is_known_also_without_a_scheme(url: str, host: str) -> None:
    assert host_of(target(url)) == host


def test_so_many_at_a_time_and_then_in_their_order() -> None:
    targets = [target(f"http://127.0.0.1:{number}") for number in range(1, 6)]
    turns = Turns(iter(targets), parallel=2, room=lambda _: None)
    assert out(turns) == targets[:2]
    turns.over(targets[1])
    assert out(turns) == [targets[2]]
    for each in targets[:3:2]:
        turns.over(each)
    assert out(turns) == targets[3:]


def test_a_host_that_is_busy_keeps_nobody_else_waiting() -> None:
    first, second, third, other = (
        target(url) for url in ("http://a.example/1", "http://A.example/2", "http://a.example/3", "http://b.example")
    )
    turns = Turns(iter([first, second, third, other]), parallel=9, room=lambda _: 1)
    assert out(turns) == [first, other]
    turns.over(other)
    assert out(turns) == []
    turns.over(first)
    assert out(turns) == [second]
    turns.over(second)
    assert out(turns) == [third]


def test_of_one_host_without_end_only_so_many_are_held() -> None:
    numbers = count()
    turns = Turns((target(f"http://a.example/{number}") for number in numbers), parallel=9, room=lambda _: 1)
    assert len(out(turns)) == 1
    assert next(numbers) <= AHEAD + 1


def test_all_are_handed_out_once() -> None:
    targets = [target(f"http://host-{number % 7}.example/{number}") for number in range(100)]
    turns, seen = Turns(iter(targets), parallel=5, room=lambda _: 2), Counter[str]()
    while taken := out(turns):
        assert len(taken) <= 5
        for each in taken:
            seen[each.name] += 1
            turns.over(each)
    assert seen == Counter(each.name for each in targets)


def test_rates_are_shared_out_to_as_many_checks_as_there_may_be() -> None:
    bounds = FleetBounds(parallel=10, per_host=4, rate=50, host_rate=8)
    assert bounds.share("a.example") == 2  # a quarter of the host's, which is less than a tenth of all
    assert FleetBounds(parallel=10, rate=50).share("127.0.0.1:80") == 5
    assert FleetBounds(parallel=10, host_rate=50).share("[::1]:80") == 5  # all may be at one host there
    assert FleetBounds(parallel=10).share("a.example") is None


def test_loopback_is_spared_nothing_unless_asked_for() -> None:
    bounds = FleetBounds(parallel=10)
    assert (bounds.room("127.0.0.1:1"), bounds.latest("localhost")) == (None, 0)
    assert (bounds.room("a.example"), bounds.latest("a.example:1")) == (2, 1)
    asked = FleetBounds(parallel=10, per_host=3, jitter=0.5)
    assert (asked.room("127.0.0.1:1"), asked.latest("a.example")) == (3, 0.5)


def test_a_rate_at_which_no_plan_could_end_is_refused() -> None:
    FleetBounds(parallel=10, rate=10).demand_enough(Bounds())
    with pytest.raises(UsageProblem, match=r"0\.1 requests per second are left for each check"):
        FleetBounds(parallel=100, rate=10).demand_enough(Bounds())
