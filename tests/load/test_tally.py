"""Parts of a run under load add up to the whole, in any order, also through the wire between worker and master."""

from __future__ import annotations

import math
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange, NoResponse, Problem
from conformance.judge.exit import exit_status, reached
from conformance.judge.report import Report, Status, Verdict
from conformance.load.gather import Gathering
from conformance.load.result import report_on_load
from conformance.load.stream import Stream
from conformance.load.tally import FASTEST, SIZES, STEP, Latency, LoadTally, bucket, decode, encode, size_class
from conformance.run.settings import Settings
from conformance.text.json_bytes import LARGE
from helpers.answers import item, queue, read

CLOUD = Demand.of(Dialect.CLOUD)
GOOD = queue(item(2), running=(item(1),))
BAD = queue(item(2, e1="job-1"), running=(item(1),))


def gathered(*exchanges: Exchange, users: int = 3) -> LoadTally:
    """Return what one process makes of the answers to one reader."""
    stream, gathering = Stream(CLOUD), Gathering()
    for exchange in exchanges:
        gathering.note(exchange, stream.judge("a", exchange), users)
    return gathering.tally()


def reported(tally: LoadTally, stopped: str | None = None) -> Report:
    settings = Settings(target="http://127.0.0.1:8188")
    return report_on_load(tally, settings, CLOUD, start=0.0, end=9.0, stopped=stopped)


PARTS = (
    gathered(read(GOOD, number=1), read(GOOD, number=2)),
    gathered(read(GOOD, number=2), read(BAD, number=3)),
    gathered(
        read(b"", number=5, status=503), Exchange("x", read(GOOD).request, None, Problem(NoResponse.TIMEOUT, "late"))
    ),
)


@pytest.mark.parametrize("parts", [*permutations(PARTS)])
def test_parts_add_up_in_any_order(parts: tuple[LoadTally, ...]) -> None:
    whole = reduce(LoadTally.__add__, (decode(encode(part)) for part in parts))
    assert whole.requests == 6
    assert whole.statuses == {200: 4, 503: 1}
    assert whole.problems == {"timeout": 1}
    told = whole.clauses["item.prompt-id.uuid"]
    assert (told.judged, told.breached, told.first, told.last) == (4, 1, 1763913603.01, 1763913603.01)
    assert [piece.exchange for piece in told.evidence] == ["x3"]
    assert set(whole.exchanges) >= {"x3"}
    assert whole.seconds[1763913602].requests == 2
    assert whole.seconds[1763913602].users == 6
    assert whole.seconds[1763913603].breached == 1


@given(st.lists(st.floats(0, 60), min_size=1), st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_is_right_to_a_tenth(seconds: list[float], share: float) -> None:
    whole = reduce(Latency.__add__, (Latency(buckets={bucket(time): 1}, longest=time) for time in seconds))
    exact = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    assert whole.number == len(seconds)
    assert exact - 1e-9 <= whole.percentile(share) * STEP
    assert whole.percentile(share) <= max(exact * STEP, FASTEST) + 1e-9


@pytest.mark.parametrize(("size", "found"), [(0, SIZES[0]), (1000, 1000), (1001, 10_000), (10**8, 0)])
def test_bodies_are_told_apart_by_size(size: int, found: int) -> None:
    assert size_class(size) == found


def test_a_broken_must_is_told_with_its_share_its_moments_and_the_load_then() -> None:
    report = reported(PARTS[0] + PARTS[1])
    result = report.clause("item.prompt-id.uuid")
    assert report.verdict is Verdict.NON_CONFORMANT
    assert (result.status, result.reason) == (Status.FAIL, "broken in 1 of 4 responses")
    assert result.under_load is not None
    assert result.under_load.first.at == "2025-11-23T16:00:03.010Z"
    assert (result.under_load.first.requests, result.under_load.first.users) == (1, 3)
    assert exit_status(report) == 1


def test_answers_that_keep_the_contract_are_conformant() -> None:
    report = reported(PARTS[0])
    assert (report.verdict, exit_status(report)) == (Verdict.CONFORMANT, 0)
    assert report.clause("status.served").status is Status.PASS
    assert report.clause("method.head").status is Status.NOT_EXERCISED


@pytest.mark.parametrize(
    ("tally", "stopped", "told"),
    [
        (LoadTally(), None, "no request was sent"),
        (PARTS[0] + PARTS[2], None, "1 of 4 requests got no complete response (timeout); try again"),
        (PARTS[0], "after 3 of 30 s", "the run was stopped before its end: after 3 of 30 s"),
        (gathered(read(queue())), None, "core clauses not checked"),
        (
            gathered(read(b"", status=503)),
            None,
            "no GET got a 200 response; the most frequent status was 503; the service is not",
        ),
        (
            gathered(read(b"", status=429)),
            None,
            "no GET got a 200 response; the most frequent status was 429; too many requests",
        ),
        (
            gathered(read(b"", status=401)),
            None,
            "no GET got a 200 response; the most frequent status was 401; the server needs a key",
        ),
    ],
    ids=["nothing", "lost", "stopped", "idle", "shed", "too many", "no key"],
)
def test_what_was_not_seen_certifies_nothing(tally: LoadTally, stopped: str | None, told: str) -> None:
    report = reported(tally, stopped)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert told in report.verdict_reason
    assert exit_status(report) == 10


def test_an_idle_queue_was_reached_and_a_lost_answer_was_not() -> None:
    assert reached(reported(gathered(read(queue()))))
    assert not reached(reported(PARTS[0] + PARTS[2]))


def test_a_queue_that_is_never_served_breaks_one_clause_and_not_two() -> None:
    report = reported(gathered(read(b"nothing", status=404)))
    assert report.clause("status.served").status is Status.FAIL
    assert report.clause("status.steady").status is Status.NOT_EXERCISED


@pytest.mark.parametrize(
    ("bound", "verdict", "told"),
    [
        (50_000, Verdict.CONFORMANT, "no must clause broken in 3 responses"),
        (-1, Verdict.INCONCLUSIVE, "2 responses were judged only in part: no clause judged 1 of 2 jobs"),
    ],
)
def test_a_response_of_which_jobs_were_not_judged_certifies_nothing(
    bound: int, verdict: Verdict, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.contract.reading.large_jobs.ASKED", bound)
    unusual = item(2)
    unusual[4]["token_count"] = 3  # conforms, but the fast path does not prove it
    large = (queue(unusual, running=(item(1),)).rjust(LARGE + number) for number in (1, 2))
    report = reported(gathered(read(GOOD), *(read(body, number=number) for number, body in enumerate(large, 2))))
    assert (report.verdict, exit_status(report)) == (verdict, 0 if verdict is Verdict.CONFORMANT else 10)
    assert told in report.verdict_reason
