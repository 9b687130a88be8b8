"""The digest: which list names which target, what fails alike, and how little of it a terminal shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from msgspec import structs

from conformance.history import HistoryProblem, Store, snapshot
from conformance.history.digest import Digest, digest
from conformance.history.night import decide
from conformance.history.night_results import TargetResult, Trouble
from conformance.history.period import period
from conformance.judge.report import Fingerprint, Waiver
from conformance.render.digest import digest_lines, digest_markdown, render_digest
from conformance.render.night import lines as night_lines
from helpers import history_samples
from helpers import report_samples as sample

START, END = "2026-11-25T03:00:00Z", "2026-11-25T03:10:00Z"
EXIT = {"conformant": 0, "non-conformant": 1, "inconclusive": 10, "error": 3}


def target(name: str, outcome: Any = "conformant", *troubles: str, **more: Any) -> TargetResult:
    """Return what a target came to; troubles by key."""
    found = tuple(
        Trouble(key=key, clause=key.split()[0], told=f"{key} is broken", whose="server", since="2026-11-20T03:00:00Z")
        for key in troubles
    )
    given = {"reason": "a reason", "exit": EXIT[outcome], "target": f"http://{name}.example:8188", **more}
    return TargetResult(name=name, dialect="cloud", outcome=outcome, troubles=found, **given)


def away(name: str, **more: Any) -> TargetResult:
    """Return a target that was not reached."""
    reason = f"the target cannot be reached: Cannot connect to host {name}.example:8188"
    return target(name, "inconclusive", reason=reason, unreached=reason, **more)


def made(*targets: TargetResult) -> Digest:
    """Return the digest of targets."""
    return digest(targets, start=START, end=END)


def test_each_of_the_five_lists_names_its_targets() -> None:
    waivers = tuple(
        Waiver(clause=clause, expires=expires, owner="me", reason="known")
        for clause, expires in (("item.past", "2026-11-24"), ("item.soon", "2026-12-09"), ("item.late", "2026-12-10"))
        for _ in ("place", "other place")
    )
    found = made(
        target("ill", "non-conformant", "item.a 1", compared=True, newly=("item.a",)),
        target("mended", compared=True, mended=("item.b",), waivers=waivers),
        away("gone", unreached_since="2026-11-23T03:00:00Z", unreached_nights=3),
        target("strict", exit=1, compared=True),
        target("well", compared=True, waivers=waivers),
    )
    assert [one.name for one in found.rest.first] == ["mended", "well"]
    assert list(digest_lines(found))[1:6] == [
        "  Broken now: 2: ill, strict",
        "  Newly broken: 1: ill (item.a)",
        "  Fixed: 1: mended (item.b)",
        "  Not reached: 1: gone since 2026-11-23 (3 nights)",
        "  Waivers that expire within 14 days: 1: item.soon until 2026-12-09 (mended, well)",
    ]


def test_names_are_sorted_as_people_count() -> None:
    found = made(*(target(name) for name in ("worker-10", "worker-9", "b", "worker-010")))
    assert [one.name for one in found.rest.first] == ["b", "worker-9", "worker-010", "worker-10"]


def test_targets_that_fail_alike_are_one_group_with_one_explanation() -> None:
    found = made(
        target("a", "non-conformant", "item.a 1", "item.b 1", compared=True),
        target("b", "non-conformant", "item.b 1", "item.a 1", compared=True),
        target("c", "non-conformant", "item.a 2"),
        target("d", "error", reason="it crashed"),
        away("e"),
        away("f"),
        target("g", "inconclusive", reason="the queue was empty"),
    )
    assert [(group.kind, [one.name for one in group.members.first]) for group in found.groups] == [
        ("broken", ["a", "b"]),
        ("broken", ["c"]),
        ("error", ["d"]),
        ("inconclusive", ["g"]),
        ("not-reached", ["e", "f"]),
    ]
    text = "\n".join(digest_lines(found))
    assert "2 targets broken alike, since 2026-11-20: a, b\n    item.a: item.a 1 is broken\n" in text
    assert "1 target broken: c\n" in text  # its first run does not say since when
    assert "2 targets not reached: e, f" in text


def test_what_else_changed_is_noted_once_for_all_of_them() -> None:
    told = "the versions of the suite differ: 1.0.0, then 1.1.0"
    found = made(*(target(f"t{number}", flags=("partial run",), notes=(told,)) for number in range(7)))
    notes = [text for text in digest_lines(found) if text.startswith("note: ")]
    assert notes == [
        f"note: {told} (t0, t1, t2, t3, t4 and 2 more)",
        "note: partial run (t0, t1, t2, t3, t4 and 2 more)",
    ]
    for text in (digest_markdown(found), render_digest(found, title="Nights")):
        assert "(t0, t1, t2, t3, t4, t5, t6)" in text


@pytest.mark.parametrize("found", [(), (target("well"),), (away("gone"),), (target("ill", exit=1),)])
def test_without_earlier_runs_what_changed_is_unknown_and_not_zero(found: tuple[TargetResult, ...]) -> None:
    whole = made(*found)
    for text in ("\n".join(digest_lines(whole)), digest_markdown(whole), render_digest(whole, title="Nights")):
        assert text.count("unknown, because no target has a history (--history FILE)") == 1
        assert "Newly broken, fixed" in text
        assert " since " not in text
        assert "night)" not in text


def test_targets_without_an_earlier_run_are_named_beside_the_others() -> None:
    found = made(target("old", compared=True), target("new"), target("lost", "error"), away("gone"))
    lines = list(digest_lines(found))
    assert "  Newly broken: 0" in lines
    assert "note: what changed is unknown for 1 target without an earlier run (new)" in lines
    assert "unknown, because" not in "\n".join(lines)
    first = made(target("new", strip=("conformant",)))
    assert "  Newly broken, fixed: unknown, because no target was compared with an earlier run" in digest_lines(first)


def test_a_digest_of_very_many_targets_keeps_the_first_and_counts_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.history.digest.LISTED", 10)
    monkeypatch.setattr("conformance.history.digest.MOST_GROUPS", 3)
    ill = (target(f"ill-{number}", "non-conformant", f"item.a {number % 5}") for number in range(100))
    well = (target(f"well-{number}", flags=(f"flag {number}",)) for number in range(100))
    found = digest(chain(ill, well), start=START, end=END)
    assert (found.targets, found.broken.number, found.rest.number) == (200, 100, 100)
    assert len(found.broken.first) == len(found.rest.first) == 10
    assert [(group.members.number, len(group.members.first)) for group in found.groups] == [(20, 10)] * 3
    assert found.ungrouped == 40
    assert len(found.flags) == 3
    lines = list(digest_lines(found))
    assert "  Broken now: 100: ill-0, ill-1, ill-2, ill-3, ill-4 and 95 more" in lines
    assert "… 0 more groups, and 40 targets that fail in other ways in the report" in lines
    page = render_digest(found, title="Nights")
    assert "and 90 more" in page
    assert "40 targets fail in other ways." in page


def many(number: int) -> list[TargetResult]:
    """Return targets of which no two fail alike, with all that a digest can have to say."""
    keys = [(f"item.a{one} 1", f"item.b{one} 1", f"item.c{one} 1") for one in range(number)]
    return [
        target(
            f"target-{one}",
            "non-conformant",
            *keys[one],
            compared=True,
            newly=("item.a",),
            mended=("item.z",),
            notes=(f"the URLs differ: {one}, then x",),
        )
        for one in range(number)
    ] + [target("well"), away("away")]


@pytest.mark.parametrize("number", [1, 50, 500])
def test_a_terminal_shows_at_most_40_lines_and_the_report_has_all(number: int) -> None:
    found = many(number)
    whole = made(*found)
    decision = decide(found, ["gone item.a 1"])
    assert len(list(night_lines(decision, whole, tracked=True))) <= 40
    page = render_digest(whole, title="Nights")
    for one in found:
        assert one.name in page
        assert all(trouble.told in page for trouble in one.troubles)


HOSTILE = "x\n::error::owned\r%0A @everyone <img src=x onerror=alert(1)> [l](javascript:1) | `c` -->"


def test_what_a_server_said_acts_nowhere() -> None:
    trouble = Trouble(key="item.a 1", clause="item.a", told=HOSTILE, whose="server")
    ill = structs.replace(target("ill", "non-conformant", notes=(HOSTILE,)), troubles=(trouble,))
    found = made(ill, target("idle", "inconclusive", reason=HOSTILE))
    assert all(text.isprintable() and not text.startswith("::") for text in digest_lines(found))
    html = MarkdownIt("gfm-like", {"linkify": False}).render(digest_markdown(found))
    assert "<img" not in html
    assert "<a " not in html
    assert "<img" not in render_digest(found, title="Nights")


# --- of a period ----------------------------------------------------------------------------------


def test_a_period_is_compared_with_the_last_run_before_it_that_reached_the_target(tmp_path: Path) -> None:
    nights = (sample.passing, sample.unreachable, sample.failing, sample.unreachable, sample.failing)
    with Store(history_samples.fill(tmp_path / "h.db", nights)) as store:
        found = period(store, timedelta(days=3))
        assert [one.name for one in found.newly.first] == ["http://queue.example:8188"]
        (group,) = found.groups
        assert group.members.first[0].strip == ("not-reached", "broken", "not-reached", "broken")
        assert {trouble.since for trouble in group.troubles} == {"2026-01-03T03:00:00.000Z"}
        assert period(store, timedelta(days=1)).newly.number == 0
        assert period(store, timedelta(days=1)).broken.first == ["http://queue.example:8188"]


def test_a_target_that_is_younger_than_the_period_is_compared_with_its_first_run(tmp_path: Path) -> None:
    nights = (sample.unreachable, sample.passing, sample.passing, sample.failing)
    with Store(history_samples.fill(tmp_path / "h.db", nights)) as store:
        found = period(store, timedelta(days=7))
    assert [len(one.clauses) for one in found.newly.first] == [2]
    assert "compared with the first run in the history, of 2026-01-02: no run is older than the period" in found.notes


def test_a_target_that_is_away_at_the_end_of_a_period_is_only_that(tmp_path: Path) -> None:
    nights = (sample.passing, sample.failing, sample.unreachable, sample.unreachable)
    with Store(history_samples.fill(tmp_path / "h.db", nights)) as store:
        found = period(store, timedelta(days=1))
    assert (found.broken.number, found.newly.number) == (0, 0)
    assert [(one.since, one.nights) for one in found.unreached.first] == [("2026-01-03T03:00:00.000Z", 2)]


def test_a_target_without_a_run_in_the_period_is_named(tmp_path: Path) -> None:
    path = history_samples.fill(tmp_path / "h.db", (sample.passing,))
    with Store(path) as store:
        store.add(snapshot(history_samples.night(sample.passing(), 9), name="other"))
        found = period(store, timedelta(days=2))
    assert [one.name for one in found.rest.first] == ["other"]
    assert found.left_out == ("http://queue.example:8188",)


def test_times_that_are_none_end_in_one_line_or_nothing(tmp_path: Path) -> None:
    odd = structs.replace(sample.passing(), run=structs.replace(sample.passing().run, start="yesterday"))
    with Store(tmp_path / "h.db", create=True) as store:
        store.add(snapshot(odd))
        with pytest.raises(HistoryProblem, match="a run whose start is not a time: 'yesterday'"):
            period(store, timedelta(days=7))
    waiver = Waiver(clause="item.a", expires="soon", owner="me", reason="known")
    assert digest([target("a", waivers=(waiver,))], start="", end=END).waivers == {}
    assert digest([target("a", waivers=(waiver,))], start="", end="").waivers == {}


def test_an_empty_history_has_no_period(tmp_path: Path) -> None:
    with Store(tmp_path / "h.db", create=True) as store, pytest.raises(HistoryProblem, match="has no run yet"):
        period(store, timedelta(days=7))


# --- at scale -------------------------------------------------------------------------------------


def work(path: Path, nights: int) -> int:
    """Return how many steps of SQLite the digest of a history of so many nights takes."""
    history_samples.fill(path, [sample.passing] * (nights - 1) + [sample.failing])
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with Store(path) as store:
        store.connection.set_progress_handler(count, 1)
        period(store, timedelta(days=2))
    return steps


def test_a_digest_costs_no_more_after_a_year_than_after_a_month(tmp_path: Path) -> None:
    """Only the last nights of a target are read if its clauses broke last night."""
    assert work(tmp_path / "year.db", 365) < 1.2 * work(tmp_path / "month.db", 30)


def test_a_thousand_targets_fit_into_two_gigabytes_for_a_year(tmp_path: Path) -> None:
    """Nights that differ from all others are the worst: nothing of theirs is kept already."""
    path, runs = tmp_path / "h.db", 200
    failing = snapshot(sample.failing())
    clause = failing.clauses["item.create-time.milliseconds"]
    with Store(path, create=True) as store:
        nights = []
        for night in range(runs):
            marks = tuple(Fingerprint(place=f"/queue_pending/*/4/{night}", kind=f"{one}") for one in range(10))
            clauses = {**failing.clauses, clause.id: replace(clause, failures=marks)}
            nights.append(replace(failing, clauses=clauses))
        store.add_all(nights)
    assert path.stat().st_size / runs < 2e9 / (1000 * 365)
