"""Judging ends with the time for the run: nothing is certified then, and what was found is kept."""

from __future__ import annotations

import time
from itertools import count

import pytest

from conformance.contract.terms import Dialect
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.judge import Bench, Judgement, demand_of, judge
from conformance.judge.judging import Judging
from conformance.judge.report import Status, Verdict
from helpers.answers import item, queue, reads, result

GOOD = [queue(item(1), item(2)), queue(item(2), item(3)), queue(item(3), item(4))]
CUT = "judging took until the time for the run was over (--deadline): 2 of 3 responses were judged"


def judged_in_time(answers: int, *bodies: bytes) -> Judgement:
    asked = count(1)  # nobody asks before the first answer
    return judge(reads(*bodies), Dialect.CLOUD, late=lambda: next(asked) >= answers)


def test_a_cut_judgement_certifies_nothing() -> None:
    found = judged_in_time(2, *GOOD)
    assert (found.verdict, found.reason, found.cut) == (Verdict.INCONCLUSIVE, CUT, CUT)


def test_the_last_response_is_judged_in_time() -> None:
    assert judged_in_time(3, *GOOD) == judge(reads(*GOOD), Dialect.CLOUD)


def test_a_breach_that_was_found_in_time_counts() -> None:
    found = judged_in_time(2, GOOD[0], queue(item(2)[:4]), GOOD[2])
    assert (found.verdict, found.cut) == (Verdict.NON_CONFORMANT, CUT)
    assert result(found, "item.five-elements").status is Status.FAIL


def test_what_is_compared_between_responses_is_not_judged_of_a_part() -> None:
    assert result(judged_in_time(2, *GOOD), "reads.order").status is Status.NOT_EXERCISED


BROKEN = queue(item(2)[:4], running=(item(1)[:4],)).rjust(2 << 20)
"""A body that is read in windows: one for each list."""


def test_judging_ends_within_a_large_body() -> None:
    asked = count()
    found = judge(reads(GOOD[0], GOOD[1].rjust(2 << 20)), Dialect.CLOUD, late=lambda: next(asked) > 1)
    cut = "judging took until the time for the run was over (--deadline): 1 of 2 responses were judged"
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, cut)
    assert {each.judged for each in found.results if each.status is Status.PASS} == {1}


def test_a_breach_that_was_found_in_a_part_of_a_large_body_counts() -> None:
    asked = count()
    judge(reads(BROKEN), Dialect.CLOUD, late=lambda: next(asked) < 0)
    last, asked = next(asked) - 1, count()
    found = judge(reads(BROKEN), Dialect.CLOUD, late=lambda: next(asked) >= last)
    assert (found.verdict, bool(found.cut)) == (Verdict.NON_CONFORMANT, True)
    assert {each.id for each in found.results if each.status is Status.PASS and each.id.startswith("item.")} == set()


def test_comparing_large_reads_ends_with_the_deadline() -> None:
    bodies = [GOOD[0].rjust(2 << 20), GOOD[0].replace(b": ", b":").rjust(2 << 20)]
    asked = count()
    assert result(judge(reads(*bodies), late=lambda: next(asked) < 0), "reads.job-data").status is Status.PASS
    last, asked = next(asked) - 1, count()
    found = judge(reads(*bodies), late=lambda: next(asked) >= last)
    cut = "judging took until the time for the run was over (--deadline): the responses were not all compared"
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, f"{cut} with one another")
    assert result(found, "reads.job-data").status is Status.NOT_EXERCISED


def test_a_bench_leaves_out_responses_when_it_is_late() -> None:
    demand = demand_of([], Dialect.CLOUD)
    assert "item.five-elements" in Bench(demand).broken_by(reads(BROKEN))
    assert "item.five-elements" not in Bench(demand, lambda: True).broken_by(reads(BROKEN))


@pytest.mark.parametrize(("step", "cut"), [(0, None), (100, "judging took until the time for the run was over")])
def test_a_report_says_that_judging_was_cut(monkeypatch: pytest.MonkeyPatch, step: int, cut: str | None) -> None:
    transcript = Transcript(tuple(reads(*GOOD)), "t", 0.0, 1.0, None, seconds=1.0)
    with monkeypatch.context() as patched:
        patched.setattr(time, "monotonic", count(step=step).__next__)
        report = report_on(transcript, Judging(Dialect.CLOUD))
    stopped = report.run.stopped
    assert (report.run.partial, stopped and stopped.partition(" (")[0]) == (cut is not None, cut)
