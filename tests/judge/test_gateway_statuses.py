"""The status by which a gateway says that the origin is away is inconclusive wherever a verdict is used."""

from __future__ import annotations

import pytest

from conformance.contract.conversation import NOT_NOW
from conformance.contract.terms import Demand, Dialect
from conformance.exchange.transcript import Transcript
from conformance.history.night import decide
from conformance.history.snapshot import snapshot
from conformance.judge.build import report_on
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Verdict
from conformance.load.result import report_on_load
from conformance.load.tally import LoadTally
from conformance.render.badge import badge_of
from conformance.render.overview import result
from conformance.run.settings import Settings
from helpers.answers import item, queue, read

AWAY = (502, 503, 504, *range(520, 528), 530)
NOT_AWAY = (500, 501, 519, 528, 529, 531)
SETTINGS = Settings(target="http://t")


def checked(*statuses: int) -> Report:
    exchanges = tuple(read(b"", status=status, number=number) for number, status in enumerate(statuses, 1))
    return report_on(Transcript(exchanges, "http://t", 0.0, 1.0, None), SETTINGS.judging)


def loaded(status: int) -> Report:
    return report_on_load(LoadTally(statuses={status: 9}), SETTINGS, Demand.of(Dialect.CLOUD), start=0.0, end=1.0)


@pytest.mark.parametrize("status", AWAY)
def test_an_absent_origin_is_inconclusive_everywhere(status: int) -> None:
    for report in (checked(status, status, status), loaded(status)):
        assert report.verdict is Verdict.INCONCLUSIVE
        assert exit_status(report) == 10
        assert badge_of(snapshot(report)).verdict is Verdict.INCONCLUSIVE
        night = decide([result("prod", report, exit_status(report))], None)
        assert (night.action, night.exit) == ("nothing", 0)


@pytest.mark.parametrize("status", NOT_AWAY)
def test_another_server_error_is_non_conformant_everywhere(status: int) -> None:
    for report in (checked(status, status, status), loaded(status)):
        assert report.verdict is Verdict.NON_CONFORMANT
        assert exit_status(report) == 1
        assert badge_of(snapshot(report)).verdict is Verdict.NON_CONFORMANT
        assert decide([result("prod", report, exit_status(report))], None).action == "open"


def test_the_statuses_are_classified_in_one_place() -> None:
    assert set(AWAY) == {status for status in NOT_NOW if status >= 500}


def test_an_origin_that_was_away_once_breaks_no_must() -> None:
    good = read(queue(item(1)), number=2)
    away = read(b"", status=522)
    report = report_on(Transcript((away, good), "http://t", 0.0, 1.0, None), SETTINGS.judging)
    assert report.counts.fail == 0
