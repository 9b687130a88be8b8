"""What endpoints have in common, and that counting them does not take more memory the more there are."""

from __future__ import annotations

import tracemalloc

from msgspec import structs

from conformance.fleet.tally import FEW, MOST_GROUPS, FleetTally
from conformance.fleet.text import summary
from conformance.render.overview import headline
from helpers.fleet_samples import MILLISECONDS, UUID, broken, kept


def test_endpoints_that_fail_alike_are_one_group() -> None:
    lines = [broken("a", MILLISECONDS), broken("b", MILLISECONDS, UUID), broken("c", MILLISECONDS), kept("d")]
    groups = FleetTally(lines).groups()
    assert [(kinds, group.number, group.names) for kinds, group in groups] == [
        ((MILLISECONDS,), 2, ["a", "c"]),
        ((MILLISECONDS, UUID), 1, ["b"]),
    ]


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


def test_who_cannot_be_reached_is_counted_by_the_reason() -> None:
    lines = [kept(str(n), outcome="inconclusive", exit=10, unreached="unreachable: Connection refused") for n in (1, 2)]
    assert {reason: group.number for reason, group in FleetTally(lines).unreached.items()} == {
        "unreachable: Connection refused": 2
    }


def test_a_summary_says_it_in_lines_that_no_terminal_and_no_ci_system_obeys() -> None:
    reason = "unreachable: \x1b[2J::warning::y"
    evil = kept("::error::x", outcome="inconclusive", exit=10, unreached=reason, reason=reason)
    few = FleetTally([evil, broken("a", MILLISECONDS, flags=("partial run",))])
    many = FleetTally([evil, broken("a", MILLISECONDS), *(kept(str(number)) for number in range(FEW))])
    first, second = summary(few)
    assert first == "a: non-conformant: 1 must clause broken: item.create-time.milliseconds [partial run]"
    fail, unreachable = summary(many)
    assert fail == "FAIL item.create-time.milliseconds: 1 target (a)"
    assert unreachable.startswith("UNREACHABLE 1 target (")
    for text in (second, unreachable):
        assert "\x1b" not in text
        assert "::" not in text
    assert headline(many) == "22 targets: 1 non-conformant (a), 1 inconclusive (::error::x), 20 conformant"


def test_memory_does_not_grow_with_the_number_of_endpoints() -> None:
    """Nor with the number of ways in which they fail."""

    def grown(number: int) -> int:
        tracemalloc.start()
        tally = FleetTally(
            broken(str(n), MILLISECONDS if n % 2 else structs.replace(UUID, place=f"/{n}")) for n in range(number)
        )
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert tally.total == number
        return size

    assert grown(6 * MOST_GROUPS) < 1.2 * grown(3 * MOST_GROUPS)
