"""The results of many targets: which troubles they have, and how they are summed up."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from conformance.history.night_results import Outcomes, TargetResult, worst_first
from conformance.judge.report import Fingerprint, Report, Status, Verdict
from conformance.render.overview import headline, render_markdown, result
from helpers.history_samples import REPORTS as WITH_HISTORY
from helpers.report_samples import REPORTS


def found() -> list[TargetResult]:
    """Return the results of every sample, and one of a target that was not judged."""
    lost = TargetResult(name="lost", target="http://t", dialect="oss", outcome="error", reason="r", exit=3)
    return [*(result(name, make(), 1) for name, make in {**REPORTS, **WITH_HISTORY}.items()), lost]


def result_of(name: str, outcome: Any, status: int, **more: Any) -> TargetResult:
    """Return what a target came to."""
    return TargetResult(
        name=name, target="http://t", dialect="cloud", outcome=outcome, exit=status, **{"reason": "r", **more}
    )


def test_those_that_are_not_well_come_first() -> None:
    outcomes = [one.outcome for one in worst_first(found())]
    assert outcomes == sorted(outcomes, key=["non-conformant", "error", "inconclusive", "conformant"].index)
    assert len(set(outcomes)) == 4


def with_verdicts(*verdicts: Verdict) -> Report:
    """Return a report with a history of these verdicts, its own at the end."""
    make = next(
        make for make in WITH_HISTORY.values() if (made := make().history) is not None and made.diff is not None
    )
    report = make()
    assert report.history is not None
    assert report.history.diff is not None
    runs = [structs.replace(report.history.runs[-1], verdict=verdict) for verdict in verdicts]
    diff = structs.replace(report.history.diff, old=runs[-2], new=runs[-1])
    history = structs.replace(report.history, runs=tuple(runs), diff=diff)
    return structs.replace(report, verdict=verdicts[-1], history=history)


@pytest.mark.parametrize(
    ("verdicts", "nights"),
    [("CC", 0), ("CI", 1), ("III", 3), ("ICII", 2), ("NIIN", 0)],
)
def test_nights_without_a_verdict_are_counted_up_to_this_one(verdicts: str, nights: int) -> None:
    by_letter = {"C": Verdict.CONFORMANT, "I": Verdict.INCONCLUSIVE, "N": Verdict.NON_CONFORMANT}
    found = result("t", with_verdicts(*(by_letter[letter] for letter in verdicts)), 0)
    assert found.nights == nights


def test_what_changed_is_told_between_two_verdicts_alone() -> None:
    told = result("t", with_verdicts(Verdict.CONFORMANT, Verdict.CONFORMANT), 0).changed
    assert told is not None
    assert told.startswith("Since run ")
    for pair in ((Verdict.CONFORMANT, Verdict.INCONCLUSIVE), (Verdict.INCONCLUSIVE, Verdict.CONFORMANT)):
        assert result("t", with_verdicts(*pair), 0).changed is None


def test_a_failure_that_shows_itself_otherwise_is_another_trouble() -> None:
    report = REPORTS["failing"]()
    failing = [one for one in report.clauses if one.status is Status.FAIL]
    found = {trouble.clause: trouble.key for trouble in result("t", report, 1).troubles}
    assert set(found) >= {one.id for one in failing}
    elsewhere = tuple(
        structs.replace(
            one, evidence=tuple(structs.replace(e, pointer="/elsewhere") for e in one.evidence), fingerprints=()
        )
        if one.id == failing[0].id
        else one
        for one in report.clauses
    )
    again = {one.clause: one.key for one in result("t", structs.replace(report, clauses=elsewhere), 1).troubles}
    assert {name for name in found if found[name] != again[name]} == {failing[0].id}


def test_the_list_in_which_a_failure_shows_makes_no_other_trouble_of_it() -> None:
    report = REPORTS["failing"]()
    (one, *_) = (clause for clause in report.clauses if clause.status is Status.FAIL)

    def key(*places: str) -> str:
        marks = tuple(Fingerprint(place=place, kind="seconds") for place in places)
        clauses = (structs.replace(one, fingerprints=marks),)
        (trouble,) = result("t", structs.replace(report, clauses=clauses), 1).troubles
        return trouble.key

    assert key("/queue_running/*/4") == key("/queue_pending/*/4") == key("/queue_pending/*/4", "/queue_running/*/4")
    assert key("/queue_running/*/4") != key("/queue_running/*/3")


def test_a_run_that_fails_for_more_than_its_verdict_is_named() -> None:
    told = headline(Outcomes([result("t", REPORTS["passing"](), 1)]))
    assert told == "1 target: 1 conformant; also failed: t"


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [([], 0), ([0, 0], 0), ([0, 10], 10), ([10, 4, 0], 4), ([4, 3, 10], 3), ([3, 4, 10, 0, 1], 1)],
)
def test_the_exit_status_is_the_worst_of_all(statuses: list[int], worst: int) -> None:
    assert (
        Outcomes(result_of(f"t{number}", "conformant", status) for number, status in enumerate(statuses)).exit == worst
    )


def test_hundreds_of_targets_make_a_short_line_and_a_short_summary() -> None:
    many = [result_of(f"t{number}", "inconclusive", 10) for number in range(300)]
    assert headline(Outcomes(many)) == "300 targets: 300 inconclusive (t0, t1, t2, t3, t4, …)"
    assert render_markdown(Outcomes(many), many).endswith("… 250 more targets in `index.html`.\n")


def test_text_from_a_server_has_no_effect_in_the_summary() -> None:
    hostile = [result_of("t", "inconclusive", 10, reason="x @everyone <b> | `c` ::error::y")]
    text = render_markdown(Outcomes(hostile), hostile)
    assert r"X `@`everyone \<b\> \| \`c\`" in text
    assert "::error::" not in text
