"""From settings to a report, and from a report to an exit status."""

from __future__ import annotations

import asyncio
import socket
from typing import NoReturn

import pytest
from msgspec import structs

from conformance.contract.terms import Dialect
from conformance.exchange.secrets import Secret
from conformance.exchange.trouble import InternalError, internal_error_text
from conformance.judge.build import report_on
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Status, Verdict
from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem
from conformance.reference.server import serve
from conformance.run.one_run import ask as ask_all
from conformance.run.one_run import check
from conformance.run.settings import Settings

KEY = "sesame-4711"


@pytest.fixture(scope="module")
def embedded() -> Report:
    """Return the report on the embedded endpoint."""
    return check(Settings())


def ask(variant: str = "default", fault: str | None = None, bounds: Bounds | None = None) -> Report:
    """Return the report on a reference endpoint."""
    with serve(variant=variant, fault=fault) as endpoint:
        return check(Settings(target=endpoint.url, bounds=bounds or Bounds()))


def test_the_embedded_endpoint_conforms(embedded: Report) -> None:
    assert embedded.verdict is Verdict.CONFORMANT
    assert embedded.run.target == "embedded"
    assert not embedded.run.partial
    assert exit_status(embedded) == 0
    assert exit_status(embedded, fail_on_should=True, inconclusive_ok=True) == 0


@pytest.mark.parametrize("dialect", ["oss", "auto"])
def test_the_embedded_endpoint_speaks_every_dialect(dialect: str) -> None:
    report = check(Settings(dialect=Dialect(dialect)))
    assert report.verdict is Verdict.CONFORMANT


def test_a_broken_must_is_1_whatever_is_forgiven() -> None:
    report = ask(fault="id-as-short-code")
    assert report.verdict is Verdict.NON_CONFORMANT
    assert exit_status(report, inconclusive_ok=True) == 1


def test_a_broken_should_is_1_only_where_it_is_to_fail() -> None:
    report = ask(fault="id-in-upper-case")
    assert report.verdict is Verdict.CONFORMANT
    assert exit_status(report) == 0
    assert exit_status(report, fail_on_should=True) == 1


def test_an_idle_queue_is_10_and_can_be_forgiven() -> None:
    report = ask("empty-queue")
    assert report.verdict is Verdict.INCONCLUSIVE
    assert exit_status(report) == 10
    assert exit_status(report, inconclusive_ok=True) == 0


def test_a_target_that_was_not_reached_is_10_and_cannot_be_forgiven() -> None:
    report = check(Settings(target="http://127.0.0.1:1"))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "cannot be reached" in report.verdict_reason
    assert exit_status(report, inconclusive_ok=True) == 10


def test_a_run_that_was_cut_short_never_conforms() -> None:
    report = ask(bounds=Bounds(max_requests=5))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.run.partial
    assert "--max-requests" in report.verdict_reason
    assert exit_status(report, inconclusive_ok=True) == 10


def test_a_clause_that_fails_itself_cannot_be_forgiven(embedded: Report) -> None:
    counts = structs.replace(embedded.counts, error=1)
    failed = structs.replace(embedded, verdict=Verdict.INCONCLUSIVE, counts=counts)
    assert exit_status(failed, inconclusive_ok=True) == 10


def test_a_selection_is_judged_and_counted_alone() -> None:
    with serve(fault="id-as-short-code") as endpoint:
        settings = Settings(target=endpoint.url)
        transcript = ask_all(settings)
    one = report_on(transcript, settings.judging, only={"item.array"}, selected="-k array")
    assert one.verdict is Verdict.CONFORMANT
    assert [result.id for result in one.clauses] == ["item.array"]
    assert (one.run.partial, one.run.selected) == (True, "-k array")


def test_a_run_may_be_started_where_an_event_loop_runs() -> None:
    async def inside() -> Report:
        return check(Settings())

    assert asyncio.run(inside()).verdict is Verdict.CONFORMANT


def test_an_embedded_endpoint_that_cannot_start_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(UsageProblem, match=r"could not be started \(Permission denied\)"):
        ask_all(Settings())


@pytest.mark.parametrize("wished", [False, True])
def test_trouble_is_told_without_the_key(monkeypatch: pytest.MonkeyPatch, *, wished: bool) -> None:
    def stumble(*_: object) -> NoReturn:
        message = f"cannot send {KEY}\033[2J"
        raise LookupError(message)

    monkeypatch.setattr("conformance.run.one_run._run", stumble)
    with pytest.raises(InternalError) as trouble:
        ask_all(Settings(target="http://127.0.0.1:1", key=Secret(KEY), key_source="COMFY_API_KEY"))
    text = internal_error_text(trouble.value, {"CONFORMANCE_TRACEBACK": "1"} if wished else {})
    assert KEY not in text
    assert "\033" not in text
    assert text.startswith("internal error: LookupError: cannot send ")
    assert ("in stumble" in text) is wished
    assert ("\n" in text) is wished
    assert trouble.value.__suppress_context__


def test_a_status_of_every_kind_is_counted(embedded: Report) -> None:
    statuses = [result.status for result in embedded.clauses]
    assert embedded.counts.total == len(statuses)
    assert embedded.counts.passed == statuses.count(Status.PASS)


def test_the_embedded_endpoint_brings_a_key_unless_none_is_wanted(embedded: Report) -> None:
    without = check(Settings(no_key=True))
    assert embedded.clause("auth.key-required").status is Status.PASS
    assert without.clause("auth.key-required").status is Status.NOT_EXERCISED
    assert without.verdict is Verdict.CONFORMANT
