"""A server that limits the rate is asked at its rate, one that starts is given time, and a ban accuses nobody."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from itertools import count, pairwise

import pytest

from conformance.exchange.model import Credential
from conformance.judge.report import Report, Status, Verdict
from conformance.probe.asker import START, Stopped
from conformance.probe.limits import Bounds
from conformance.probe.pace import BRIEFLY, FIRST_WAIT, FIXED_PLAN, GIVEN_UP, MARGIN, Pace
from conformance.probe.plan import begin, end, generating
from conformance.probe.requests import Ask
from conformance.reference.app import Reference
from conformance.reference.door import Door
from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.server import KEY, Endpoint
from conformance.reference.variants import VARIANTS, Variant
from conformance.render.terminal import summary_lines
from conformance.run.one_run import check
from conformance.run.settings import Settings
from helpers.simulated_runs import Clock, Played, Run, endpoint, judged, ran

LIMITED = [name for name, variant in VARIANTS.items() if variant.door.rate < 100 or variant.door.window]
BANS = [name for name, variant in VARIANTS.items() if variant.door.bans is not None]


def simulated(variant: Variant, *, key: str | None = None, bounds: Bounds | None = None) -> Run:
    """Run against a variant without a network, on a clock that goes by hand."""
    clock = Clock()
    return ran(Reference(variant, key=key, clock=clock), clock, None, bounds=bounds or Bounds())


def statuses(run: Run) -> Counter[int]:
    return Counter(exchange.response.status for exchange in run.client.ledger if exchange.response is not None)


def planned(run: Run) -> Counter[str]:
    """Count the requests that the server did not refuse for its pace, by their purpose."""
    let_in = (one for one in run.client.ledger if one.response and one.response.status not in {429, 503})
    return Counter(one.request.purpose for one in let_in)


def reason(report: Report) -> str:
    return summary_lines(report)[0].text


# --- only the pace ---------------------------------------------------------------------------------------------------


def test_refusals_that_do_not_say_how_long_double_the_wait() -> None:
    pace, now, waits = Pace(), 0.0, []
    for _ in range(GIVEN_UP - 1):
        pace.sent(now)
        pace.held_back(429, now, now, None)
        waits.append(pace.wait(now))
        now += waits[-1]
    assert waits[0] == FIRST_WAIT
    assert all(later == 2 * earlier for earlier, later in pairwise(waits))
    assert 60 < sum(waits) < 65


def test_requests_that_were_under_way_when_the_first_refusal_came_count_once() -> None:
    pace = Pace()
    for _ in range(4):
        pace.sent(0.0)
    for late in range(4):
        pace.held_back(429, 0.0, 0.01 * (late + 1), None)
    assert (pace.streak, pace.refused) == (1, 4)
    assert 0 < pace.wait(0.04) <= FIRST_WAIT


def test_the_rate_at_which_requests_were_let_in_is_kept_for_the_rest_of_the_run() -> None:
    pace = Pace()
    for number in range(4):
        pace.sent(float(number))
        pace.answered(float(number))
    pace.held_back(429, 4.0, 4.0, 6.0)
    assert pace.wait(4.0) == 6.0
    pace.sent(10.0)
    pace.answered(10.0)
    assert pace.interval == MARGIN * 10.0 / 4
    pace.sent(12.0)
    assert pace.wait(12.0) == pace.interval
    pace.sent(12.0, most=1.0)
    assert pace.wait(12.0) == 1.0


def test_a_start_says_nothing_of_the_pace() -> None:
    pace = Pace()
    for moment in (0.0, 1.0, 3.0):
        pace.sent(moment)
        pace.held_back(503, moment, moment, None)
    pace.sent(7.0)
    pace.answered(7.0)
    assert (pace.interval, pace.streak) == (0.0, 0)


def test_the_users_limit_holds_whatever_the_server_does() -> None:
    pace = Pace(rate_limit=2)
    pace.sent(0.0)
    pace.held_back(429, 0.0, 0.0, 0.0)
    assert pace.wait(0.0) == 0.5
    pace.forgive(0.0)
    assert pace.wait(0.0) == 0.5


# --- whole runs -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("key", [None, KEY])
def test_at_every_pace_the_whole_fixed_plan_is_sent(name: str, key: str | None) -> None:
    usual = simulated(VARIANTS["default"], key=key)
    run = simulated(VARIANTS[name], key=key)
    report = judged(run)
    assert run.stopped is None
    assert planned(run) >= planned(usual)
    assert planned(run).total() <= FIXED_PLAN
    assert sum(statuses(run)[status] for status in (429, 503)) <= 12
    assert report.verdict is Verdict.CONFORMANT
    assert "--rate-limit" in reason(report)


def test_a_limit_that_the_deadline_does_not_allow_ends_in_words_that_name_it() -> None:
    run = simulated(Variant("slow", "", door=Door(rate=0.1)))
    report = judged(run)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.run.partial
    assert "429" in reason(report)
    assert "--rate-limit" in reason(report)


def test_reads_side_by_side_are_sent_one_by_one_while_the_server_refuses() -> None:
    run = simulated(Variant("strict", "", door=Door(rate=4)))
    refused = [exchange for exchange in run.client.ledger if exchange.response and exchange.response.status == 429]
    assert len(refused) <= 5
    assert run.client.pace.interval >= 0.25


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_starts_is_given_some_seconds(status: int) -> None:
    run = simulated(Variant("starts", "", door=Door(starts=START - 0.5, status=status)))
    report = judged(run)
    assert run.stopped is None
    assert report.verdict is Verdict.CONFORMANT
    assert run.client.pace.interval == 0.0


@pytest.mark.parametrize(
    ("status", "verdict"), [(500, Verdict.NON_CONFORMANT), (502, Verdict.INCONCLUSIVE), (503, Verdict.INCONCLUSIVE)]
)
def test_a_server_that_never_comes_up_is_tried_at_least_three_times_in_five_seconds(
    status: int, verdict: Verdict
) -> None:
    run = simulated(Variant("never", "", door=Door(starts=3600, status=status)))
    ledger = run.client.ledger
    assert len(ledger) >= 3
    first, last = ledger[0].started, ledger[-1].started
    assert first is not None
    assert last is not None
    assert 5 <= last - first < 6
    assert judged(run).verdict is verdict


def test_a_request_that_is_always_refused_is_not_the_pace() -> None:
    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        return reply.error(503, "No.") if "csv" in (ask.header("accept") or "") else reply

    usual = simulated(VARIANTS["default"])
    run = simulated(Variant("csv", "", Twist(replies=replies)))
    assert run.stopped is None
    assert run.client.pace.interval == 0.0
    asked = {exchange.request.purpose for exchange in run.client.ledger}
    assert asked == {exchange.request.purpose for exchange in usual.client.ledger}


def test_generated_requests_are_dropped_first() -> None:
    reference, clock = endpoint("thirty-a-minute-without-retry-after")
    client = Played(reference, clock, None, Bounds())

    async def run_all() -> tuple[str | None, int, str | None]:
        before = await begin(client, keyed=False, max_requests=50)
        planned = len(client.ledger)
        client.counting = False
        with pytest.raises(Stopped, match=r"429|deadline"):
            await generating(client).all([Ask("generated")] * 60)
        client.counting = True
        return before, len(client.ledger) - planned, await end(client, keyed=False, max_requests=50)

    before, sent, after = asyncio.run(run_all())
    assert before is after is None
    assert 0 < sent < 60
    assert client.ledger[-1].request.purpose == "garbled Origin"


# --- bans -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BANS)
def test_what_a_ban_refuses_accuses_nobody(name: str) -> None:
    reference, clock = endpoint(name)
    run = ran(reference, clock, None, bounds=Bounds())
    report = judged(run)
    wrong = next(n for n, one in enumerate(run.client.ledger) if one.request.credential is Credential.WRONG)
    later = run.client.ledger[wrong + 1 :]
    assert later
    assert all(exchange.superseded for exchange in later)
    assert all(one.request.plain or one.request.credential is Credential.OTHER_CASE for one in later)
    assert report.clause("auth.key-case").status is Status.NOT_EXERCISED
    assert report.verdict is Verdict.CONFORMANT
    assert not report.run.partial
    assert [result.id for result in report.clauses if result.status in {Status.FAIL, Status.WARN}] == []
    assert "banned this address after a wrong key" in reason(report)
    assert "--rate-limit" not in reason(report)


def test_a_read_that_fails_after_a_wrong_key_without_a_refusal_is_judged() -> None:
    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        return reply.error(500, "Something went wrong.") if ask.read > 35 and ask.method == "GET" else reply

    run = simulated(Variant("fails", "", Twist(replies=replies)), key=KEY)
    assert not any(exchange.superseded for exchange in run.client.ledger)
    assert judged(run).clause("status.steady").status is Status.WARN


def test_one_404_after_the_wrong_keys_is_not_a_ban() -> None:
    wrong: list[str] = []

    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        given = ask.header("x-api-key")
        if given not in {None, "", KEY}:
            wrong.append(given or "")
        elif given == KEY and len(wrong) == 2:
            wrong.clear()
            return reply.error(404, "Not here.")
        return reply

    run = simulated(Variant("missing once", "", Twist(replies=replies)), key=KEY)
    assert not any(exchange.superseded for exchange in run.client.ledger)
    assert judged(run).clause("status.steady").status is Status.WARN


# --- over the wire ----------------------------------------------------------------------------------------------------


def test_a_real_server_with_a_limit_gets_its_verdict() -> None:
    door, began, readings = Door(rate=60, burst=10, tells=False), time.time(), count()

    def clock() -> float:
        """Stand still until the bucket is empty, however slow this machine is."""
        return began if next(readings) < 12 else time.time()

    with Endpoint(Reference(Variant("limited", "", door=door), clock=clock), "127.0.0.1", 0, "") as served:
        report = check(Settings(target=served.url, properties=None))
    assert report.verdict is Verdict.CONFORMANT
    assert any(exchange.response and exchange.response.status == 429 for exchange in report.exchanges)


def test_the_clean_up_of_jobs_waits_only_briefly_for_the_pace() -> None:
    pace = Pace()
    pace.sent(0.0)
    pace.held_back(429, 0.0, 0.0, 3600.0)
    pace.longest = BRIEFLY
    assert pace.wait(0.0) == BRIEFLY
