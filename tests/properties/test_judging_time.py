"""Generated requests leave the time that is needed to judge all responses."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from conformance.contract.terms import Dialect
from conformance.judge.judge import Bench, demand_of
from conformance.properties.judging_time import MARGIN, TimedBench, up_to
from helpers.answers import item, queue, reads

BODIES = [queue(item(1)), queue(item(1)), queue(item(2)), queue(item(3)[:4])]


def test_the_time_for_all_responses_follows_from_that_for_some() -> None:
    ledger, clock = reads(*BODIES), count(step=2)
    timed = TimedBench(Bench(demand_of(ledger, Dialect.CLOUD)), ledger, lambda: float(next(clock)))
    assert timed.seconds_for_all() == 0
    assert timed.broken_by(ledger[:2]) == set()
    sizes = [len(body) for body in dict.fromkeys(BODIES)]
    assert timed.seconds_for_all() == MARGIN * 2 * sum(sizes) / sizes[0]
    assert "item.five-elements" in timed.broken_by(ledger[2:])
    assert timed.seconds_for_all() == MARGIN * 4


def test_a_response_that_arrives_after_later_ones_counts() -> None:
    ledger, clock = reads(*BODIES), count(step=2)
    late = ledger[2]
    ledger[2] = replace(late, response=None)
    timed = TimedBench(Bench(demand_of(ledger, Dialect.CLOUD)), ledger, lambda: float(next(clock)))
    timed.broken_by(ledger[:1])
    before = timed.seconds_for_all()
    ledger[2] = late
    assert timed.seconds_for_all() == pytest.approx(before + MARGIN * 2 * len(BODIES[2]) / len(BODIES[0]))


def test_exchanges_are_taken_until_their_distinct_bodies_are_too_large() -> None:
    ledger = reads(*BODIES)
    assert list(up_to(len(BODIES[0]), ledger)) == ledger[:3]
    assert list(up_to(0, ledger)) == ledger[:1]
    assert list(up_to(10_000, ledger)) == ledger
