"""A server cannot talk its way to a pass: endpoints that are right to some requests and broken to the others.

Each counts the broken answers that it gave. Where it gave one the verdict is not conformant; where it gave none,
since nothing that the plan sends provokes it, it is listed in ``UNSEEN`` with the reason.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import pytest
from aiohttp import web

from conformance.exchange.secrets import Secret
from conformance.judge.report import Report, Status, Verdict
from conformance.probe.limits import Bounds
from conformance.reference.app import Reference
from conformance.reference.app import handler as reference_handler
from conformance.reference.faults.registry import Fault, When, always
from conformance.reference.message import IncomingRequest, Reply, Twist, encode
from conformance.reference.queue import Queue, QueueItem
from conformance.reference.server import Endpoint
from conformance.reference.variants import VARIANTS
from conformance.run.one_run import check
from conformance.run.settings import Settings
from helpers.profiles import one_in

KEY: Final = "a-key-of-the-test"
OURS: Final = "comfy-queue-conformance/"
STEP: Final = 0.05
"""Seconds by which the clock of an endpoint moves with each answer: nothing here depends on how fast a run is."""
PLACE: Final[ContextVar[int]] = ContextVar("PLACE", default=1)
"""Which request of its connection is being answered, from 1."""

Lie = Callable[[Reply, IncomingRequest], Reply]


# --- the lies, each a breach of a must in every single answer ---------------------------------------------------------


def _listing(change: Callable[[QueueItem], object]) -> Lie:
    def lie(reply: Reply, _ask: IncomingRequest) -> Reply:
        queue: Queue = json.loads(reply.body)
        return reply.having(encode({name: [change(item) for item in items] for name, items in queue.items()}))

    return lie


LIES: Final[dict[str, tuple[str, Lie]]] = {
    "counts from zero": ("item.job-number.one-based", _listing(lambda item: [0, *item[1:]])),
    "four elements": ("item.five-elements", _listing(lambda item: item[:4])),
    "a list": ("envelope.object", lambda reply, _: reply.having(b"[]")),
    "a page": ("http.content-type", lambda reply, _: reply.having(b"<h1>Hello</h1>", content_type="text/html")),
    "an error under 200": ("envelope.not-an-error", lambda reply, _: replace(reply.error(500, "No."), status=200)),
}
"""By name: the clause that is to be found broken, and what becomes of a good answer."""


# --- when the truth is told -------------------------------------------------------------------------------------------


def _agent(ask: IncomingRequest) -> str:
    return ask.header("user-agent") or ""


def _within(seconds: float) -> When:
    began: list[float] = []

    def when(ask: IncomingRequest) -> bool:
        began.append(ask.now)
        return ask.now < began[0] + seconds

    return when


TRUTHS: Final[dict[str, Callable[[], When]]] = {
    "never": lambda: lambda _: False,
    "to this suite alone": lambda: lambda ask: _agent(ask).startswith(OURS),
    "to browsers alone": lambda: lambda ask: "Mozilla" in _agent(ask),
    "to this suite and browsers": lambda: lambda ask: _agent(ask).startswith((OURS, "Mozilla")),
    "the first time": lambda: lambda ask: ask.read <= 1,
    "but for the first time": lambda: lambda ask: ask.read > 1,
    "5 times": lambda: lambda ask: ask.read <= 5,
    "20 times": lambda: lambda ask: ask.read <= 20,
    "44 times": lambda: lambda ask: ask.read <= 44,
    "every other time": lambda: lambda ask: ask.read % 2 == 1,
    "but for the 30th time": lambda: lambda ask: ask.read != 30,
    "but for every 61st time": lambda: lambda ask: ask.read % 61 > 0,
    "for a second": lambda: _within(1.0),
    "for an hour": lambda: _within(3600.0),
    "without a key": lambda: lambda ask: ask.header("x-api-key") is None,
    "with a key": lambda: lambda ask: ask.header("x-api-key") is not None,
    "to X-API-Key in the usual case": lambda: lambda ask: not any(name == "x-api-key" for name, _ in ask.headers),
    "to HEAD alone": lambda: lambda ask: ask.method == "HEAD",
    "with X-Request-Id": lambda: lambda ask: ask.header("x-request-id") is not None,
    "where no coding is taken": lambda: lambda ask: ask.header("accept-encoding") == "identity",
    "where gzip is taken": lambda: lambda ask: ask.accepts("gzip"),
    "where JSON alone is taken": lambda: lambda ask: ask.header("accept") == "application/json",
    "without Origin": lambda: lambda ask: ask.header("origin") is None,
    "without a query": lambda: lambda ask: not ask.query,
    "on a new connection": lambda: lambda _: PLACE.get() == 1,
    "on a connection that was used": lambda: lambda _: PLACE.get() > 1,
}
"""By name: what makes the predicate, anew for each run, of the requests that are answered rightly."""

KEYS: Final = {"without a key": "auth.wrong-key", "with a key": "auth.key-required"}
"""Disguises that show only where a key is not needed, and the clause that says so."""

PLAN: Final = "the plan does not send such a request"
UNSEEN: Final[dict[str, str]] = {
    "to this suite and browsers": f"{PLAN}: no other program is named in User-Agent",
    "with X-Request-Id": f"{PLAN}: each brings an id, so that it is found in the logs of both sides",
    "44 times": "a run of the plan reads some forty times",
    "but for every 61st time": "the same; generated requests read more often",
    "for an hour": "a run is over before",
}
"""Disguises that a run does not see through, and why. What is not asked is not known."""


# --- running ----------------------------------------------------------------------------------------------------------


@dataclass
class Disguised:
    """An endpoint that tells ``lie`` but for where ``truth`` holds, and counts the broken bodies that it sent."""

    lie: Lie
    truth: When
    told: int = 0
    asked: list[IncomingRequest] = field(default_factory=list)

    def replies(self, reply: Reply, ask: IncomingRequest) -> Reply:
        """Count and lie. Whatever is no queue (OPTIONS, errors) stays as it is."""
        self.asked.append(ask)
        if reply.status != 200 or self.truth(ask):
            return reply
        self.told += ask.method == "GET"
        return self.lie(reply, ask)

    def endpoint(self, *, key: str | None = None) -> Endpoint:
        """Return it, to be entered."""
        ticks = count()
        started = time.time()
        fault = Fault("disguised", "", "", Twist(replies=self.replies))
        reference = Reference(VARIANTS["standing-still"], fault, key=key, clock=lambda: started + STEP * next(ticks))
        return Endpoint(reference, "127.0.0.1", 0, "")

    def check(self, *, enforced: bool = True) -> Report:
        """Ask and judge, with a key; ``enforced``: it is needed."""
        with self.endpoint(key=KEY if enforced else None) as endpoint:
            return check(Settings(target=endpoint.url, key=Secret(KEY), key_source="COMFY_API_KEY"))


@pytest.fixture(autouse=True)
def placed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell endpoints which request of its connection they answer."""

    def handler(reference: Reference) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        inner, places = reference_handler(reference), Counter[Any]()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            places[request.transport] += 1
            PLACE.set(places[request.transport])
            return await inner(request)

        return handle

    monkeypatch.setattr("conformance.reference.server.handler", handler)


def failed(report: Report) -> set[str]:
    return {result.id for result in report.clauses if result.status is Status.FAIL}


# --- what holds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("enforced", [True, False], ids=["key enforced", "key ignored"])
def test_without_a_lie_it_is_conformant(*, enforced: bool) -> None:
    honest = Disguised(LIES["a list"][1], always)
    report = honest.check(enforced=enforced)
    assert honest.told == 0
    assert len(honest.asked) >= 40
    if enforced:
        assert report.verdict is Verdict.CONFORMANT
    else:
        assert failed(report) == {"auth.key-required", "auth.wrong-key", "auth.empty-key"}


SEEN: Final = [(truth, lie) for lie in LIES for truth in TRUTHS if truth not in UNSEEN]


@pytest.mark.parametrize("truth_and_lie", one_in(8, SEEN), ids="-".join)
def test_a_broken_answer_is_never_conformant(truth_and_lie: tuple[str, str]) -> None:
    """Neither a friendly User-Agent nor a good first response helps; and it is the lie that is named."""
    truth, lie = truth_and_lie
    clause, tell = LIES[lie]
    endpoint = Disguised(tell, TRUTHS[truth]())
    report = endpoint.check(enforced=truth not in KEYS)
    assert endpoint.told > 0
    assert report.verdict is Verdict.NON_CONFORMANT
    assert KEYS.get(truth, clause) in failed(report)


@pytest.mark.parametrize("truth", UNSEEN)
def test_what_a_run_cannot_see_is_listed(truth: str) -> None:
    """No broken answer was among those sent: the list is true, and no longer than it must be."""
    endpoint = Disguised(LIES["a list"][1], TRUTHS[truth]())
    report = endpoint.check()
    assert endpoint.told == 0
    assert report.verdict is Verdict.CONFORMANT


@pytest.mark.parametrize("truth", UNSEEN)
def test_what_a_run_cannot_see_is_there(truth: str) -> None:
    """The 61st read, two hours later, of a program that nobody knows shows each of them."""
    tells = TRUTHS[truth]()
    assert tells(IncomingRequest("GET", "/api/queue", headers=(("User-Agent", OURS), ("X-Request-Id", "1")), read=1))
    assert not tells(IncomingRequest("GET", "/api/queue", now=7200.0, read=61))


@pytest.mark.parametrize(
    "broken", [{1}, {30}, {20, 21, 22}, set(range(5, 30))], ids=lambda reads: f"{len(reads)} of 40"
)
def test_an_empty_queue_does_not_hide_a_faulty_one(broken: set[int]) -> None:
    """Most answers show nothing that could be wrong; the others count all the same."""
    empty = encode({"queue_running": [], "queue_pending": []})

    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        return LIES["four elements"][1](reply, ask) if ask.read in broken else reply.having(empty)

    endpoint = Disguised(replies, lambda _: False)
    report = endpoint.check()
    assert failed(report) == {"item.five-elements"}
    assert report.clause("item.five-elements").breached == len(broken)


ERRORS: Final[tuple[dict[str, Any], ...]] = (
    {"code": "UNAUTHORIZED", "message": "No."},
    {"error": "No."},
    {"error": {"type": "internal", "message": "No."}},
    {"errors": ["No."]},
)
QUIET_ERRORS: Final[tuple[dict[str, Any], ...]] = (
    {"detail": "Not authenticated"},
    {"message": "Forbidden"},
    {"success": False, "queue_running": []},
    {},
)
"""Nothing forbids such members, and no list is required: a warning, and no pass in silence."""


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_an_error_under_200_is_one_also_where_it_comes_once(body: dict[str, Any]) -> None:
    endpoint = Disguised(lambda reply, _: reply.having(encode(body)), TRUTHS["but for the 30th time"]())
    assert failed(endpoint.check()) == {"envelope.not-an-error"}


@pytest.mark.parametrize("body", QUIET_ERRORS, ids=str)
def test_an_object_without_a_list_does_not_pass_in_silence(body: dict[str, Any]) -> None:
    once = Disguised(lambda reply, _: reply.having(encode(body)), TRUTHS["but for the 30th time"]()).check()
    assert once.clause("envelope.both-lists").status is Status.WARN
    always_so = Disguised(lambda reply, _: reply.having(encode(body)), TRUTHS["never"]()).check()
    assert always_so.verdict is Verdict.INCONCLUSIVE


def test_an_error_beside_empty_lists_is_no_conforming_run_by_itself() -> None:
    """An empty queue certifies no job, whatever stands beside it."""
    body = encode({"error": "the queue cannot be reached", "queue_running": [], "queue_pending": []})
    endpoint = Disguised(lambda reply, _: reply.having(body), TRUTHS["never"]())
    assert endpoint.check().verdict is Verdict.INCONCLUSIVE


def test_an_error_beside_empty_lists_does_not_pass_in_silence() -> None:
    body = encode({"error": "the queue cannot be reached", "queue_running": [], "queue_pending": []})
    endpoint = Disguised(lambda reply, _: reply.having(body), TRUTHS["but for the 30th time"]())
    assert endpoint.check().counts.warn > 0


@pytest.mark.parametrize("status", one_in(3, [401, 403, 404, 500]))
@pytest.mark.parametrize("truth", ["never", "but for the 30th time", "20 times"])
def test_a_queue_under_an_error_is_broken(truth: str, status: int) -> None:
    endpoint = Disguised(lambda reply, _: replace(reply, status=status), TRUTHS[truth]())
    assert "error.no-queue" in failed(endpoint.check())


@pytest.mark.parametrize("status", one_in(2, [204, 302, 401, 400, 500, 404]))
@pytest.mark.parametrize("truth", one_in(2, ["the first time", "5 times", "20 times"]))
def test_a_queue_that_is_served_no_more_is_not_conformant(truth: str, status: int) -> None:
    """One good answer is no queue that one can read."""

    def replies(reply: Reply, _ask: IncomingRequest) -> Reply:
        return reply.error(status, "No more.") if status >= 400 else replace(reply, status=status, body=b"")

    endpoint = Disguised(replies, TRUTHS[truth]())
    with endpoint.endpoint() as running:
        report = check(Settings(target=running.url, bounds=Bounds(max_requests=100)))
    assert report.run.partial is False
    assert report.verdict is not Verdict.CONFORMANT
