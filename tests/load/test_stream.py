"""Answers judged one by one as they come have the findings that they have when a run is judged as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.reading.fast_job import Prover
from conformance.contract.reading.known_jobs import KnownJobs
from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Exchange, Request, Response
from conformance.exchange.secrets import REDACTED
from conformance.judge.judge import judge
from conformance.load.bare import HiddenPartRead, without_body
from conformance.load.recent import Recent
from conformance.load.stream import BETWEEN, Stream
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS, Fault
from conformance.reference.message import IncomingRequest
from conformance.reference.variants import VARIANTS
from conformance.text.json_bytes import LARGE
from helpers.answers import HEADERS, NOW, item, queue, read, reads
from helpers.profiles import quick_if
from helpers.reference_runs import first_of_its_clause

FOLLOWED = {clause.id for clause in CATALOGUE if clause.over is not None} | {*BETWEEN, "status.steady"}
WITH_ANSWERS = [fault for fault in FAULTS.values() if not fault.twist.plays and not fault.needs_key]


def answers_of(fault: Fault, number: int = 12) -> Iterator[Exchange]:
    """Yield reads, one a second, of a queue that tells one lie."""
    clock = iter(range(int(NOW), int(NOW) + 10_000))
    endpoint = Reference(VARIANTS[fault.variant], fault, clock=lambda: float(next(clock)))
    ask = IncomingRequest("GET", endpoint.path, headers=(("Accept", "application/json"),))
    for n in range(1, number + 1):
        reply = endpoint.answer(ask)
        asked = Request("GET", "http://t/api/queue", ask.headers)
        response = Response(reply.status, tuple(reply.headers.items()), reply.body)
        yield Exchange(f"x{n}", asked, response, started=NOW + n, elapsed=0.01)


def counted(exchanges: list[Exchange], dialect: Dialect = Dialect.CLOUD) -> dict[str, tuple[int, int]]:
    """Return what a stream judged and found broken, by clause."""
    stream = Stream(Demand.of(dialect))
    judged: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for exchange in exchanges:
        noted = stream.judge("one reader", exchange)
        assert not noted.errors
        judged.update(set(noted.judged))
        broken.update(clause for clause, _ in noted.broken)
    return {name: (judged[name], broken[name]) for name in FOLLOWED if judged[name]}


@pytest.mark.parametrize(
    "fault",
    quick_if(WITH_ANSWERS, lambda fault: fault.clause in FOLLOWED and first_of_its_clause(fault)),
    ids=lambda fault: fault.name,
)
def test_a_stream_counts_what_a_run_counts(fault: Fault) -> None:
    exchanges = list(answers_of(fault))
    dialect = Dialect(fault.dialect) if fault.dialect != "auto" else Dialect.CLOUD
    whole = {r.id: (r.judged, r.breached) for r in judge(exchanges, dialect).results if r.id in FOLLOWED and r.judged}
    found = counted(exchanges, dialect)
    if all(exchange.response is not None and exchange.response.status != 200 for exchange in exchanges):
        found.pop("status.steady", None)  # a run says of a queue that is never served: status.served
    assert found == whole


CHANGES: dict[str, list[list[Any]]] = {
    "the same jobs": [[item(1), item(2)], [item(1), item(2)]],
    "another order": [[item(1), item(2), item(3)], [item(1), item(3), item(2)]],
    "another workflow": [[item(1), item(2)], [item(1), item(2, e2={"2": {"class_type": "B", "inputs": {}}})]],
    "a job that is missing for one read": [[item(1), item(2)], [item(1)], [item(1), item(2)]],
    "a broken job": [[item(1), item(2)[:4]], [item(1), None, item(3, e1="job")]],
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_stream_counts_of_large_bodies_what_a_run_counts(name: str) -> None:
    exchanges = reads(*(queue(*jobs).rjust(LARGE + number) for number, jobs in enumerate(CHANGES[name], 1)))
    whole = {r.id: (r.judged, r.breached) for r in judge(exchanges).results if r.id in FOLLOWED and r.judged}
    assert counted(exchanges) == whole


def test_a_job_that_is_written_otherwise_is_the_same_in_large_bodies() -> None:
    first, second = (queue(item(1)).replace(b": ", space).rjust(2 << 20) for space in (b": ", b":"))
    assert first != second
    stream = Stream(Demand.of(Dialect.CLOUD))
    noted = [stream.judge("a", exchange) for exchange in reads(first, second)]
    assert not any(each.broken for each in noted)


def test_a_read_with_too_many_jobs_is_not_compared_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.load.stream.KnownJobs", partial(KnownJobs, distinct=2))
    stream = Stream(Demand.of(Dialect.CLOUD))
    exchanges = reads(*(queue(*map(item, order)).rjust(2 << 20) for order in ((1, 2, 3), (1, 3, 2))))
    noted = [stream.judge("a", exchange) for exchange in exchanges]
    assert [each.uncompared for each in noted] == [True, True]
    assert not {"reads.order", "reads.job-data"} & set(noted[-1].judged)


def test_readers_are_followed_each_by_themselves() -> None:
    first, second = queue(item(1), item(2)), queue(item(2), item(1))
    stream = Stream(Demand.of(Dialect.CLOUD))
    assert not stream.judge("a", read(first, number=1)).broken
    assert "reads.order" not in dict(stream.judge("b", read(second, number=2)).broken)
    assert "reads.order" in dict(stream.judge("a", read(second, number=3)).broken)


def test_what_is_missing_between_two_reads_is_found_with_the_third() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    noted = [stream.judge("a", exchange) for exchange in reads(queue(item(1)), queue(), queue(item(1)))]
    assert [[clause for clause, _ in each.broken] for each in noted] == [[], [], ["reads.steady"]]


def test_a_breach_in_one_answer_of_many_equal_ones_is_not_forgotten() -> None:
    good, bad = read(queue(item(1))), read(queue(item(1, e1="job-1")))
    stream = Stream(Demand.of(Dialect.CLOUD))
    noted = [stream.judge(n, bad if n == 50 else good) for n in range(100)]
    assert [n for n, each in enumerate(noted) if each.broken] == [50]


def test_a_clause_that_fails_itself_is_told_and_passes_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: object) -> Iterator[Finding]:
        raise ZeroDivisionError("no number")

    broken = replace(BY_ID["item.prompt-id.uuid"], check=fails)
    monkeypatch.setattr("conformance.load.stream.CATALOGUE", (broken,))
    unproven = read(queue(item(1, e1="job-1")))  # of a job that is proven good the clause is not asked
    noted = Stream(Demand.of(Dialect.CLOUD)).judge("a", unproven)
    assert noted.errors == (("item.prompt-id.uuid", "ZeroDivisionError: no number"),)
    assert "item.prompt-id.uuid" not in noted.judged


def test_what_was_used_last_is_remembered_and_the_rest_let_go() -> None:
    recent: Recent[str, int] = Recent(10, lambda weight: weight)
    for name, weight in (("a", 4), ("b", 4)):
        recent.put(name, weight)
    assert recent.get_or_make("a", lambda: 0) == 4
    recent.put("c", 5)
    assert list(recent) == ["a", "c"]
    recent.put("d", 99)
    assert list(recent) == ["d"]


# --- what is not asked again ------------------------------------------------------------------------------------------


def another(number: int) -> bytes:
    """Return a body that is another one for each number, and as long."""
    return queue(item(2), running=(item(1, e1=f"2f1b0c3e-8a4d-4c55-9a6e-{number:012x}"),))


def test_of_another_body_under_the_same_head_only_clauses_that_look_at_more_are_asked() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    first, second = (stream.judge("one", read(another(number))) for number in (1, 2))
    assert set(first.judged) == set(second.judged) - {"reads.job-data"}
    ((_, alike),) = stream._alike.items()
    assert [clause.id for clause in alike.others] == ["item.create-time.past"]
    assert {"json.well-formed", "http.content-type", "http.date", "caching.shared"} <= set(alike.result.judged)


def test_a_job_that_was_seen_before_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    look = Prover.inspect

    def noting(self: Prover, element: Any) -> Any:
        looked.append(bytes(element))
        return look(self, element)

    monkeypatch.setattr(Prover, "inspect", noting)
    stream = Stream(Demand.of(Dialect.CLOUD))
    for number in range(1, 5):
        assert not stream.judge("one", read(another(number), number=number)).broken
    assert len(looked) == len(set(looked)) == 5


def test_a_job_that_was_seen_before_is_compared_with_others_anew() -> None:
    """The cached findings of a job do not depend on its place, its neighbours or the time."""
    stream = Stream(Demand.of(Dialect.CLOUD))
    bodies = (queue(item(2), item(3)), queue(item(3), item(2)), queue(item(2), running=(item(2),)))
    told = [stream.judge(n, read(body, number=n)).broken for n, body in enumerate(bodies, 1)]
    found = [[(clause, each.pointer) for clause, findings in broken for each in findings] for broken in told]
    assert found == [
        [],
        [
            ("queue.pending.oldest-first", "/queue_pending/1/4/create_time"),
            ("queue.job-numbers.rising", "/queue_pending/1/0"),
        ],
        [("queue.prompt-ids.distinct", "/queue_pending/0/1")],
    ]


# --- heads ------------------------------------------------------------------------------------------------------------


def test_an_id_that_each_answer_has_of_its_own_makes_it_no_other_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    asked = Counter[str]()
    ask = Stream._check

    def noting(self: Stream, *given: Any) -> Any:
        asked["answers"] += 1
        return ask(self, *given)

    monkeypatch.setattr(Stream, "_check", noting)
    told = [
        stream.judge("one", read(another(1), number=n, headers=(*HEADERS, ("X-Request-Id", f"{n}"))))
        for n in range(1, 9)
    ]
    assert told[4] is told[5] is told[7]
    assert asked["answers"] <= 2  # the first one is asked again once it is known which fields anybody looks at


@pytest.mark.parametrize(
    ("headers", "clause"),
    [
        ((HEADERS[0], HEADERS[1]), "caching.shared"),
        ((HEADERS[0], HEADERS[2]), "http.date"),
        ((("Content-Type", "text/plain"), *HEADERS[1:]), "http.content-type"),
        ((*HEADERS[:2], ("Content-Encoding", "gzip")), "http.vary"),
    ],
)
def test_a_field_that_makes_a_difference_makes_one_in_the_midst_of_many(
    headers: tuple[tuple[str, str], ...], clause: str
) -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    told = [
        stream.judge("one", read(another(1), number=n, headers=headers if n == 7 else HEADERS)) for n in range(1, 10)
    ]
    assert [n for n, noted in enumerate(told, 1) if clause in dict(noted.broken)] == [7]


def test_a_key_that_one_answer_of_many_echoes_is_found_in_whatever_field() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    keyed = (("X-API-Key", REDACTED),)
    told = []
    for n in range(1, 10):
        exchange = read(another(1), number=n, headers=(*HEADERS, ("X-Anything", str(n))))
        assert exchange.response is not None
        echoes = ("X-Anything",) if n == 7 else ()
        exchange = replace(exchange, response=replace(exchange.response, echoes=echoes))
        told.append(stream.judge("one", replace(exchange, request=replace(exchange.request, headers=keyed))))
    assert [n for n, noted in enumerate(told, 1) if "auth.key-not-echoed" in dict(noted.broken)] == [7]
    assert all("auth.key-not-echoed" in noted.judged for noted in told)
    assert told[4] is told[5]
    assert told[7] is told[8]


def test_a_date_that_stands_still_is_held_against_our_clock() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    hours = [read(another(1), number=3600 * n, headers=HEADERS) for n in range(30)]
    told = [n for n, exchange in enumerate(hours) if "http.date" in dict(stream.judge("one", exchange).broken)]
    assert told == list(range(25, 30))


def test_what_a_head_breaks_is_said_of_every_body_under_it() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    plain = (("Content-Type", "text/plain"), ("Date", "Sun, 23 Nov 2025 16:00:00 GMT"))
    heard = [stream.judge("one", read(another(number), headers=plain)) for number in (1, 2, 3)]
    assert [[clause for clause, _ in each.broken if clause == "http.content-type"] for each in heard] == [
        ["http.content-type"]
    ] * 3


def test_what_a_body_breaks_is_said_of_it_alone() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    bad = queue(item(2), running=(item(1, e1="job-1"),))
    heard = [stream.judge(number, read(body)) for number, body in enumerate((another(1), bad, another(2), bad))]
    assert [[clause for clause, _ in each.broken] for each in heard] == [[], ["item.prompt-id.uuid"]] * 2


def test_without_its_body_an_answer_shows_its_head_and_who_wants_more_is_told_apart() -> None:
    answer = Answer(exchange := read(another(1)), exchange.response, Reading(b""))  # type: ignore[arg-type]
    looked_at: set[str] = set()
    bare = without_body(answer, looked_at)
    assert bare.response.status == 200
    assert bare.response.media_type == "application/json"
    assert bare.response.header("content-type") == "application/json"
    assert bare.request is exchange.request
    assert bare.shows_queue
    assert bare.exchange.started == exchange.started
    assert looked_at == {"content-type"}
    looks: list[Callable[[], object]] = [
        lambda: bare.response.content,
        lambda: bare.document,
        lambda: bare.summary,
        lambda: bare.response.headers,
        lambda: bare.exchange.elapsed,
        lambda: bare.exchange.response.content,  # type: ignore[union-attr]
    ]
    for look in looks:
        with pytest.raises(HiddenPartRead):
            look()


def test_a_queue_that_stood_still_is_looked_at_anew_once_it_has_moved() -> None:
    stream, body, lost = Stream(Demand.of(Dialect.CLOUD)), another(1), queue(item(2))
    bodies = [body] * 6 + [lost] + [body] * 2
    exchanges = [read(content, number=number) for number, content in enumerate(bodies, 1)]
    told = [[clause for clause, _ in stream.judge("one", exchange).broken] for exchange in exchanges]
    assert told == [[]] * 7 + [["reads.steady"], []]
    whole = [result.breached for result in judge(exchanges).results if result.id == "reads.steady"]
    assert whole == [1]


def test_a_head_that_changes_while_the_queue_stands_still_is_judged() -> None:
    stream, plain = Stream(Demand.of(Dialect.CLOUD)), (("Content-Type", "text/plain"),)
    told = [stream.judge("one", read(another(1), number=number)) for number in range(1, 6)]
    other = stream.judge("one", read(another(1), number=6, headers=plain))
    failed = stream.judge("one", read(another(1), number=7, status=500))
    again = stream.judge("one", read(another(1), number=8))
    assert told[3] is told[4]
    assert "http.content-type" in [clause for clause, _ in other.broken]
    assert "status.steady" in failed.judged
    assert not set(failed.judged) & {"item.array", "reads.order"}
    assert again == told[4]


def test_who_reads_beside_another_is_told_what_its_own_reads_say() -> None:
    stream = Stream(Demand.of(Dialect.CLOUD))
    for number in range(1, 6):
        assert stream.judge("one", read(another(1), number=number)).broken == ()
    bodies = enumerate((another(1), queue(item(2)), another(1)), 6)
    told = [stream.judge("two", read(body, number=number)).broken for number, body in bodies]
    assert [[clause for clause, _ in broken] for broken in told] == [[], [], ["reads.steady"]]
