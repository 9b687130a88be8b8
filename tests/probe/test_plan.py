"""The plan sends enough requests to see a rare fault, keeps its limits, and stops when more are useless."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate

import pytest

from conformance.contract.clauses.http_conditional import MADE_UP_VALIDATOR
from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, NoResponse, Problem, Request, Response
from conformance.exchange.secrets import Secret
from conformance.judge.judge import judge
from conformance.probe.asker import AGAIN, BROKEN_OFF, BUSY, FUTILE, Stopped
from conformance.probe.client import NO_CONNECTION, Client
from conformance.probe.limits import Bounds
from conformance.probe.pace import GIVEN_UP
from conformance.probe.plan import PAUSE, begin, end, follow, generating
from conformance.probe.requests import SAFE_METHODS, Ask
from conformance.reference.faults import FAULTS
from conformance.reference.server import serve
from conformance.run.one_run import check
from conformance.run.settings import Settings

TRIP = 1 / 1024
"""Seconds from a request to its answer."""
JSON = (("Content-Type", "application/json"),)
EMPTY = Response(200, JSON, b'{"queue_running": [], "queue_pending": []}')
TIMEOUT = Problem(NoResponse.TIMEOUT, "no complete response")
BROKEN = Problem(NoResponse.BROKEN, "reset")

Outcome = Response | Problem
Script = Callable[["Scripted"], Outcome]


class Scripted(Client):
    """A client that sends nothing: a script gives the outcome of each request, and the test moves the clock."""

    def __init__(self, script: Script, *, keyed: bool = False, bounds: Bounds | None = None) -> None:
        self.now = 0.0
        super().__init__("http://127.0.0.1/api/queue", Secret("sesame-street") if keyed else None, bounds or Bounds())
        self.script = script
        self.slept: list[float] = []
        self.looked: list[Ask] = []
        self.sent: list[tuple[str, str, Headers]] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.now += seconds

    async def _send(
        self, method: str, url: str, headers: Headers, body: bytes = b""
    ) -> tuple[Response | None, Problem | None]:
        assert not body
        self.now += TRIP
        self.sent.append((method, url, headers))
        await asyncio.sleep(0)
        outcome = self.script(self)
        return (outcome, None) if isinstance(outcome, Response) else (None, outcome)

    async def inspect(self, ask: Ask) -> Exchange:
        """Send nothing: what is seen on the wire is tested elsewhere."""
        self.looked.append(ask)
        return Exchange("look", Request(ask.method, self.url, purpose=ask.purpose, to_queue=False))

    @property
    def asked(self) -> Exchange:
        """What is being asked."""
        return next(exchange for exchange in reversed(self.ledger) if exchange.elapsed is None)


Run = Callable[..., tuple[Scripted, str | None]]


@pytest.fixture
def run() -> Run:
    """Follow the plan by a script, with a clock of its own."""

    def follow_script(
        script: Script, *, keyed: bool = False, bounds: Bounds | None = None, wait: float = 0
    ) -> tuple[Scripted, str | None]:
        client = Scripted(script, keyed=keyed, bounds=bounds)
        limit = client._bounds.max_requests
        stopped = asyncio.run(follow(client, keyed=keyed, max_requests=limit, wait_for_items=wait))
        return client, stopped

    return follow_script


def queue(*ids: str) -> Response:
    items = [[number, name, {}, ["9"], {"create_time": 1}] for number, name in enumerate(ids, 1)]
    return Response(200, JSON, json.dumps({"queue_running": [], "queue_pending": items}).encode())


def status(number: int, **headers: str) -> Response:
    return Response(number, tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def always(outcome: Outcome) -> Script:
    return lambda _: outcome


def first(*outcomes: Outcome, then: Outcome = EMPTY) -> Script:
    """Return these in turn, and then always the same."""
    return lambda client: outcomes[len(client.sent) - 1] if len(client.sent) <= len(outcomes) else then


# --- how much ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("answer", [EMPTY, status(200, ETag='"a"'), queue("a", "b")], ids=["idle", "etag", "jobs"])
def test_a_whole_run_reads_at_least_28_times_and_sends_at_most_50(run: Run, answer: Response, *, keyed: bool) -> None:
    client, stopped = run(always(answer), keyed=keyed)
    methods = Counter(method for method, *_ in client.sent)
    assert stopped is None
    assert methods["GET"] >= 28
    assert methods.total() <= 50
    assert set(methods) == set(SAFE_METHODS)
    assert client.slept == []


def test_without_a_key_no_credential_is_varied(run: Run) -> None:
    client, _ = run(always(EMPTY))
    assert {exchange.request.credential for exchange in client.ledger} == {Credential.GIVEN}


def test_with_a_key_every_credential_is_tried(run: Run) -> None:
    client, _ = run(always(EMPTY), keyed=True)
    assert {exchange.request.credential for exchange in client.ledger} == set(Credential)


def test_each_variation_stands_between_two_plain_reads(run: Run) -> None:
    client, _ = run(always(EMPTY))
    purposes = [exchange.request.purpose for exchange in client.ledger if exchange.request.method == "GET"]
    assert purposes.pop() == "garbled Origin"
    odd = [place for place, purpose in enumerate(purposes) if purpose != "read"]
    assert len(odd) >= 10
    assert all(purposes[place - 1] == purposes[place + 1] == "read" for place in odd)


WRONG = ("a wrong key: another last character", "a wrong key: the other letter case")


def test_wrong_keys_are_tried_when_all_else_was_asked_and_between_two_right_ones(run: Run) -> None:
    client, _ = run(always(EMPTY), keyed=True)
    purposes = [exchange.request.purpose for exchange in client.ledger]
    assert purposes[-5:] == ["read", *WRONG, "read", "garbled Origin"]


def test_a_validator_that_was_seen_is_sent_back(run: Run) -> None:
    client, _ = run(always(status(200, ETag='W/"v1"')))
    conditions = {dict(headers).get("If-None-Match") for *_, headers in client.sent}
    assert conditions == {None, MADE_UP_VALIDATOR, 'W/"v1"'}


@pytest.mark.parametrize("name", [name for name in FAULTS if "13" in name])
def test_a_fault_in_every_thirteenth_answer_is_seen(name: str) -> None:
    with serve(fault=name) as endpoint:
        key = None if endpoint.key is None else Secret(endpoint.key)
        ledger = asked(endpoint.url, key)
    results = {result.id: result for result in judge(ledger).results}
    assert 2 <= results[FAULTS[name].clause].breached <= 4


@pytest.mark.parametrize("phase", range(13))
def test_one_answer_in_thirteen_is_seen_wherever_the_count_starts(run: Run, phase: int) -> None:
    bad = Response(200, JSON, b"[]")
    client, _ = run(lambda client: bad if len(client.sent) % 13 == phase else EMPTY)
    results = {result.id: result for result in judge(client.ledger).results}
    assert results["envelope.object"].breached >= 1


def asked(url: str, key: Secret | None) -> list[Exchange]:
    async def ask() -> list[Exchange]:
        async with Client(f"{url}/api/queue", key, Bounds()) as client:
            await follow(client, keyed=key is not None, max_requests=50)
        return client.ledger

    return asyncio.run(ask())


@pytest.mark.parametrize("key", [None, "sesame-street"])
def test_the_reference_endpoint_is_asked_to_the_end(key: str | None) -> None:
    with serve(key=key) as endpoint:
        ledger = asked(endpoint.url, None if key is None else Secret(key))
    assert 28 <= sum(exchange.request.method == "GET" for exchange in ledger) <= len(ledger) <= 50
    assert all(exchange.response is not None and exchange.attempt == 1 for exchange in ledger)


# --- when to stop -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [401, 402, 403, 407, 408, 425])
def test_three_refusals_are_enough(run: Run, number: int) -> None:
    client, stopped = run(always(status(number)), keyed=True)
    assert len(client.sent) == FUTILE
    assert stopped == f"every GET of the queue gets a {number}"


@pytest.mark.parametrize("number", [204, 301, 400, 404])
def test_a_target_that_never_serves_the_queue_gets_no_variations(run: Run, number: int) -> None:
    client, stopped = run(always(status(number)))
    assert len(client.sent) == 8
    assert stopped == "no GET of the queue got a 200"


def test_a_target_that_times_out_at_first_is_asked_nothing_else(run: Run) -> None:
    client, stopped = run(always(TIMEOUT))
    assert len(client.sent) == 1
    assert stopped == "requests get no complete response"


def test_a_first_contact_that_times_out_is_tried_as_long_as_one_exchange_may_take(run: Run) -> None:
    slow = Problem(NoResponse.UNREACHABLE, NO_CONNECTION)
    client, stopped = run(first(slow, slow, slow))
    assert stopped is None
    assert [exchange.attempt for exchange in client.ledger[:4]] == [1, 2, 3, 4]
    assert [exchange.superseded for exchange in client.ledger[:4]] == [True, True, True, False]
    client, stopped = run(always(slow))
    assert len(client.sent) == 4
    assert stopped == "requests get no complete response"


def test_later_a_connection_that_times_out_is_tried_once_more(run: Run) -> None:
    slow = Problem(NoResponse.UNREACHABLE, NO_CONNECTION)
    client, _ = run(lambda client: slow if client.asked.id in {"x3", "x4", "x5"} else EMPTY)
    assert [exchange.attempt for exchange in client.ledger[2:6]] == [1, 2, 1, 2]


def test_a_target_that_breaks_off_at_first_is_asked_once_more(run: Run) -> None:
    client, stopped = run(always(BROKEN))
    assert [exchange.superseded for exchange in client.ledger] == [True, False]
    assert stopped == "requests get no complete response"


def test_a_target_that_falls_silent_is_left_alone(run: Run) -> None:
    client, stopped = run(first(EMPTY, EMPTY, then=TIMEOUT))
    assert len(client.sent) == 2 + BROKEN_OFF
    assert stopped == "requests get no complete response"


def test_a_target_that_falls_silent_while_asked_at_once_leaves_a_whole_ledger(run: Run) -> None:
    client, stopped = run(first(*[EMPTY] * 8, then=TIMEOUT))
    assert stopped == "requests get no complete response"
    assert all((exchange.response is None) != (exchange.problem is None) for exchange in client.ledger)


def test_an_attempt_that_was_replaced_counts_against_nobody(run: Run) -> None:
    _, stopped = run(lambda client: BROKEN if client.asked.attempt == 1 and len(client.sent) % 9 == 0 else EMPTY)
    assert stopped is None


@pytest.mark.parametrize("limit", [1, 7, 10, 30])
@pytest.mark.parametrize("outcome", [EMPTY, BROKEN], ids=["whole", "broken"])
def test_the_limit_on_requests_holds_retries_included(run: Run, limit: int, outcome: Outcome) -> None:
    script = first(EMPTY) if outcome is EMPTY else lambda client: outcome if len(client.sent) % 2 == 0 else EMPTY
    client, stopped = run(script, bounds=Bounds(max_requests=limit))
    assert len(client.sent) == limit
    assert stopped == f"the limit of {limit} requests (--max-requests)"


def test_at_the_deadline_nothing_more_is_asked(run: Run) -> None:
    def script(client: Scripted) -> Outcome:
        client.now += 1
        return EMPTY

    client, stopped = run(script, bounds=Bounds(deadline=5))
    assert len(client.sent) == 5
    assert stopped == "the time for the run (--deadline)"


def test_responses_that_trickle_end_with_the_deadline_of_the_run(run: Run) -> None:
    def script(client: Scripted) -> Outcome:
        client.now += 19  # just within the time for one exchange
        return EMPTY

    client, stopped = run(script)
    assert client.now < Bounds().deadline + 20
    assert stopped == "the time for the run (--deadline)"


# --- when to wait -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [429, 503])
@pytest.mark.parametrize(("value", "slept"), [("7", [7.0]), ("0", [])])
def test_retry_after_in_seconds_is_obeyed(run: Run, number: int, value: str, slept: list[float]) -> None:
    client, stopped = run(first(status(number, Retry_After=value)))
    assert client.slept == slept
    assert stopped is None


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize(("ahead", "slept"), [(30, [30.0]), (-30, [])])
def test_retry_after_as_a_date_is_obeyed(run: Run, ahead: int, slept: list[float], *, dated: bool) -> None:
    now = time.time()
    date = {"Date": formatdate(now, usegmt=True)} if dated else {}
    client, stopped = run(first(status(503, Retry_After=formatdate(now + ahead, usegmt=True), **date)))
    assert client.slept == pytest.approx(slept, abs=0 if dated else 5)
    assert stopped is None


@pytest.mark.parametrize("value", ["999999", "9" * 400, "-1", "1.5", "soon", "", "²", "Mon, 32 Nov 2026 10:00:09 GMT"])
def test_a_retry_after_that_is_too_long_or_no_time_at_all_is_not_obeyed(run: Run, value: str) -> None:
    client, stopped = run(always(status(429, Retry_After=value)))
    assert stopped is not None
    assert len(client.sent) <= GIVEN_UP
    assert sum(client.slept) < 70


def test_a_wait_beyond_the_deadline_is_not_begun(run: Run) -> None:
    client, stopped = run(always(status(429, Retry_After="120")))
    assert client.slept == []
    assert len(client.sent) == 1
    assert stopped == (
        "requests get a 429, and the next one would have to wait 120 s (see --rate-limit and --deadline)"
    )


def test_waiting_takes_of_the_time_for_the_run(run: Run) -> None:
    client, _ = run(first(EMPTY, then=status(503, Retry_After="40")), bounds=Bounds(deadline=100))
    assert client.slept == [40.0, 40.0]


@pytest.mark.parametrize("outcome", [status(429, Retry_After="0"), BROKEN, TIMEOUT, status(200)], ids=str)
def test_a_wrong_key_is_tried_at_most_twice(run: Run, outcome: Outcome) -> None:
    wrong = (Credential.WRONG, Credential.OTHER_CASE)
    client, _ = run(lambda client: outcome if client.asked.request.credential in wrong else EMPTY, keyed=True)
    for credential in wrong:
        assert 1 <= sum(exchange.request.credential is credential for exchange in client.ledger) <= 2


# --- waiting for a job ------------------------------------------------------------------------------------------------


def test_an_idle_queue_is_looked_at_once_a_second_until_there_is_a_job(run: Run) -> None:
    client, stopped = run(first(*[EMPTY] * 5, then=queue("a")), wait=60)
    assert client.slept == [1.0] * 5
    assert [exchange.request.purpose for exchange in client.ledger[:7]] == ["waiting for a job"] * 6 + ["read"]
    assert stopped is None


def test_waiting_for_a_job_ends_and_the_run_goes_on(run: Run) -> None:
    client, stopped = run(always(EMPTY), wait=70.5)
    assert sum(client.slept) == pytest.approx(70.5, abs=0.1)
    assert max(client.slept) == 1.0
    assert stopped is None


def test_waiting_takes_neither_time_nor_requests_of_the_run(run: Run) -> None:
    client, stopped = run(first(*[EMPTY] * 200, then=queue("a")), wait=300, bounds=Bounds(deadline=10))
    assert stopped is None
    assert sum(exchange.request.purpose != "waiting for a job" for exchange in client.ledger) >= 28
    assert client.left == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize("outcome", [status(401), TIMEOUT, BROKEN], ids=str)
def test_no_job_is_waited_for_where_nobody_lets_us_in_or_answers(run: Run, outcome: Outcome) -> None:
    client, stopped = run(always(outcome), wait=60)
    assert len(client.sent) <= FUTILE
    assert stopped is not None


# --- whether reading takes jobs ---------------------------------------------------------------------------------------


def test_where_each_read_takes_a_job_the_run_pauses_and_looks_again(run: Run) -> None:
    names = [f"job-{number}" for number in range(99)]
    client, stopped = run(lambda client: queue(*names[len(client.sent) :]))
    assert client.slept == [PAUSE]
    assert stopped is None


def test_what_surprises_is_asked_once_more(run: Run) -> None:
    refused = "Accept: text/csv"
    client, _ = run(lambda client: status(404) if client.asked.request.purpose.startswith(refused) else EMPTY)
    assert sum(exchange.request.purpose in (refused, refused + AGAIN) for exchange in client.ledger) == 2


@pytest.mark.parametrize(("number", "times"), [(429, GIVEN_UP), (503, GIVEN_UP), (502, BUSY)])
def test_a_target_that_is_busy_again_and_again_is_left_alone(run: Run, number: int, times: int) -> None:
    client, stopped = run(lambda client: EMPTY if len(client.ledger) < 10 else status(number))
    assert stopped == f"the target is busy: the last {times} requests got a {number} (see --rate-limit)"
    assert len(client.ledger) <= 25


def test_without_time_nothing_is_sent_and_the_target_is_not_blamed() -> None:
    with serve() as endpoint:
        report = check(Settings(target=endpoint.url, bounds=Bounds(deadline=0.2, rate_limit=2)))
    assert [exchange.error for exchange in report.exchanges] == [None]
    assert "the time for the run (--deadline)" in report.verdict_reason


@pytest.mark.parametrize("keyed", [False, True])
def test_what_a_server_may_take_amiss_comes_last(run: Run, *, keyed: bool) -> None:
    client, _ = run(first(*[EMPTY] * 60, then=EMPTY), keyed=keyed)
    purposes = [exchange.request.purpose for exchange in client.ledger]
    end = ["read", *(WRONG if keyed else ()), "read", "garbled Origin"]
    assert purposes[-len(end) :] == end
    assert [purposes.count(purpose) for purpose in WRONG] == [keyed, keyed]


# --- generated requests -----------------------------------------------------------------------------------------------


def test_generated_requests_are_dropped_first_and_do_not_count() -> None:
    def script(client: Scripted) -> Outcome:
        client.now += 1
        return EMPTY

    client = Scripted(script, keyed=True, bounds=Bounds(deadline=60, max_requests=50, rate_limit=1.0))

    async def run_all() -> tuple[str | None, int, str | None]:
        before = await begin(client, keyed=True, max_requests=50)
        planned = len(client.ledger)
        asker = generating(client)
        client.counting = False
        with pytest.raises(Stopped, match="the time for the run"):
            await asker.all([Ask("generated")] * 60)
        client.counting = True
        sent = len(client.ledger) - planned
        return before, sent, await end(client, keyed=True, max_requests=50)

    before, sent, after = asyncio.run(run_all())
    assert before is after is None
    assert 0 < sent < 20
    assert [exchange.request.purpose for exchange in client.ledger[-4:]][-1] == "garbled Origin"
    assert client.uncounted == sent


def test_a_few_closed_connections_do_not_end_generated_requests_and_time_outs_do() -> None:
    client = Scripted(lambda client: BROKEN if client.asked.request.purpose == "odd" else EMPTY)
    asker = generating(client)
    asyncio.run(asker.all([Ask("read"), *[Ask("odd", query="a=1")] * (BROKEN_OFF + 5)]))
    client.script = always(TIMEOUT)
    with pytest.raises(Stopped, match="no complete response"):
        asyncio.run(asker.all([Ask("odd", query="a=1")] * (BROKEN_OFF + 1)))
