"""The search with generated requests: what it finds, how small it makes it, what it says of chance, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase, GitHubArtifactDatabase, MultiplexedDatabase

from conformance.exchange.model import Exchange, NoResponse, Problem, Request, Response
from conformance.exchange.transcript import NO_ANSWER, Search
from conformance.probe.asker import Sent
from conformance.probe.requests import Ask
from conformance.properties.generation import Properties
from conformance.properties.request_source import LONGEST, Prepared, RequestSource, ask_of, written
from conformance.properties.search import CONFIRMATIONS, SHRINKS, Senders, _database, search
from conformance.spec.operation import vendored

MANY = 600
"""Requests among which some have parts of two families."""

Breaks = Callable[["Server", Ask], str | None]


class Server:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, breaks: Breaks, limit: int = 100_000) -> None:
        self.breaks = breaks
        self.limit = limit
        self.asked: list[Ask] = []

    def send(self, asks: Sequence[Ask]) -> Sent:
        found: list[list[Exchange]] = []
        for ask in asks:
            if len(self.asked) >= self.limit:
                return Sent([*found, *([] for _ in range(len(asks) - len(found)))], "the limit of requests")
            self.asked.append(ask)
            found.append([self.answer(ask)])
        return Sent(found)

    def answer(self, ask: Ask) -> Exchange:
        broken = self.breaks(self, ask)
        headers = tuple((name, value) for name, value in ask.headers if value is not None)
        request = Request("GET", f"http://t/api/queue?{ask.query}", headers)
        problem = Problem(NoResponse.BROKEN, "reset") if broken == NO_ANSWER else None
        response = None if problem else Response(200, content=(broken or "").encode())
        return Exchange(f"x{len(self.asked)}", request, response, problem)


def broken_by(exchanges: object) -> set[str]:
    assert isinstance(exchanges, list)
    return {exchange.response.content.decode() for exchange in exchanges if exchange.response} - {""}


@cache
def source(seed: int) -> RequestSource:
    return RequestSource(vendored(), seed)


@cache
def requests(seed: int, most: int) -> Prepared:
    return source(seed).requests(most)


def hunt(
    server: Server, *, seed: int = 1, most: int = 200, database: str = "none", known: Sequence[str] = ()
) -> Search:
    wire = Senders(server.send, server.send)
    return search(requests(seed, most), wire, broken_by, known, Properties(most, seed, database))


def smallest(server: Server, found: Search, name: str) -> list[Ask]:
    return [server.asked[int(exchange[1:]) - 1] for exchange in found.found[name].exchanges]


def quiet(_server: Server, _ask: Ask) -> None:
    return None


def test_a_server_that_breaks_nothing_is_asked_as_often_as_was_wanted_and_no_more() -> None:
    server = Server(quiet)
    found = hunt(server, most=200)
    assert (found.examples, found.wanted, found.stopped, found.found) == (200, 200, None, {})
    assert len(server.asked) == 200


@pytest.mark.parametrize("most", [1, 7, 112, 113])
def test_the_number_of_examples_is_a_bound(most: int) -> None:
    server = Server(quiet)
    assert hunt(server, most=most).examples == most == len(server.asked)


def test_the_same_seed_sends_the_same_requests_and_another_seed_others() -> None:
    once, again, other = Server(quiet), Server(quiet), Server(quiet)
    hunt(once, seed=5)
    hunt(again, seed=5)
    hunt(other, seed=6)
    assert once.asked == again.asked
    assert once.asked != other.asked


@pytest.mark.parametrize("seed", range(5))
def test_what_depends_on_one_part_is_found_whatever_the_seed(seed: int) -> None:
    server = Server(lambda _, ask: "a.clause" if ("Range", "bytes=-1") in ask.headers else None)
    found = hunt(server, seed=seed, most=60)
    assert [(ask.headers, ask.query) for ask in smallest(server, found, "a.clause")] == [((("Range", "bytes=-1"),), "")]
    assert found.found["a.clause"].broken == found.found["a.clause"].asked == CONFIRMATIONS
    assert found.found["a.clause"].plain_broken == 0
    assert found.found["a.clause"].plain_asked == CONFIRMATIONS


def both(_server: Server, ask: Ask) -> str | None:
    named = {name for name, _ in ask.headers}
    return "a.clause" if ask.query and "Accept" in named else None


def test_what_depends_on_two_parts_is_made_as_small_as_two_parts() -> None:
    server = Server(both)
    (ask,) = smallest(server, hunt(server, seed=3, most=MANY), "a.clause")
    assert len(ask.headers) == 1
    assert ask.query.count("=") == 1


def test_what_depends_on_the_request_before_is_made_as_small_as_two_requests() -> None:
    def after_a_cookie(server: Server, ask: Ask) -> str | None:
        before = server.asked[-2] if len(server.asked) > 1 else Ask("read")
        return "a.clause" if ask.query and "Cookie" in dict(before.headers) else None

    server = Server(after_a_cookie)
    found = hunt(server, seed=8, most=400)
    first, second = smallest(server, found, "a.clause")
    assert "Cookie" in dict(first.headers)
    assert second.query
    assert found.found["a.clause"].broken == CONFIRMATIONS


def test_two_clauses_are_told_each_with_its_own_request() -> None:
    def breaks(_: Server, ask: Ask) -> str | None:
        return "one" if "sort=" in ask.query else "two" if "Pragma" in dict(ask.headers) else None

    server = Server(breaks)
    found = hunt(server)
    assert set(found.found) == {"one", "two"}
    assert "sort=" in smallest(server, found, "one")[0].query
    assert "Pragma" in dict(smallest(server, found, "two")[0].headers)


def test_what_the_plain_reads_show_is_not_looked_for() -> None:
    server = Server(lambda *_: "a.clause")
    assert hunt(server, most=20, known=["a.clause"]).found == {}


def test_what_happens_by_chance_is_kept_and_said_to_be_chance() -> None:
    server = Server(lambda server, _: "a.clause" if len(server.asked) % 41 == 0 else None)
    found = hunt(server).found["a.clause"]
    assert found.exchanges
    assert found.broken <= 1
    assert found.asked == found.plain_asked == CONFIRMATIONS


def test_a_request_that_brings_no_answer_is_told() -> None:
    server = Server(lambda _, ask: NO_ANSWER if "%27" in ask.query else None)
    found = hunt(server)
    assert "%27" in smallest(server, found, NO_ANSWER)[0].query


@pytest.mark.parametrize("limit", [0, 3, 150, 210])
def test_where_asking_ends_the_search_ends_in_order_with_what_it_has(limit: int) -> None:
    server = Server(both, limit)
    found = hunt(server, most=300)
    assert found.stopped == "the limit of requests"
    assert len(server.asked) == limit


def test_making_small_is_bounded() -> None:
    server = Server(lambda server, _: "a.clause" if len(server.asked) > 130 else None)
    found = hunt(server, most=140)
    assert set(found.found) == {"a.clause"}
    assert len(server.asked) <= 140 + SHRINKS + LONGEST + 3 * CONFIRMATIONS * LONGEST


def test_what_broke_a_clause_last_night_is_sent_first_tonight(tmp_path: Path) -> None:
    database = str(tmp_path / "examples")
    last_night = Server(both)
    hunt(last_night, seed=3, most=MANY, database=database)
    tonight = Server(both)
    hunt(tonight, seed=99, database=database)
    assert both(tonight, tonight.asked[0])
    elsewhere = Server(both)
    hunt(elsewhere, seed=99)
    assert not both(elsewhere, elsewhere.asked[0])


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"nonsense",
        b'[[["header","X-HTTP-Method-Override","DELETE",false]]]',
        b'[[["header","X-API-Key","mine",false]]]',
        b'[[["header","Cookie","a\\r\\nX: y",false]]]',
        b'[[["query","unknown","1",false]]]',
        b"[" + b",".join([b"[]"] * 9) + b"]",
    ],
)
def test_what_is_not_generated_here_is_not_asked_whoever_put_it_into_the_database(value: bytes) -> None:
    assert source(1).read_back(value) == ()


def test_a_sequence_is_read_back_as_it_was_written() -> None:
    sequence = tuple(single.parts for single in requests(1, 60).singles[50:53])
    assert source(1).read_back(written(sequence)) == sequence


def test_what_breaks_nothing_any_more_is_forgotten(tmp_path: Path) -> None:
    database = str(tmp_path / "examples")
    hunt(Server(both), seed=3, most=MANY, database=database)
    assert list(tmp_path.rglob("*"))
    hunt(Server(quiet), seed=4, database=database)
    mended = Server(both)
    hunt(mended, seed=99, database=database)
    assert not both(mended, mended.asked[0])


def test_an_artifact_of_github_stands_behind_the_directory_and_is_only_read() -> None:
    database = _database(Properties(example_database="github:owner/repository"))
    assert isinstance(database, MultiplexedDatabase)
    here, there = database._wrapped
    assert isinstance(here, DirectoryBasedExampleDatabase)
    artifact = there._wrapped  # type: ignore[attr-defined]
    assert isinstance(artifact, GitHubArtifactDatabase)
    assert (artifact.owner, artifact.repo) == ("owner", "repository")


def test_our_own_mistakes_are_not_taken_for_breaches() -> None:
    def fails(_: Server, ask: Ask) -> str | None:
        if len(ask.headers) > 1:
            raise ZeroDivisionError
        return None

    with pytest.raises(ZeroDivisionError):
        hunt(Server(fails))


def test_nothing_generated_overrides_a_method_or_brings_a_key_or_names_another_host() -> None:
    _, singles, sequences = requests(1, 200)
    parts = [*(single.parts for single in singles), *chain.from_iterable(sequences)]
    asks = list(map(ask_of, parts))
    assert all(ask.method == "GET" for ask in asks)
    assert all(ask.query.isascii() for ask in asks)
    names = {name.lower() for ask in asks for name, _ in ask.headers}
    assert len(names) > 10
    assert not names & {
        "x-api-key",
        "authorization",
        "host",
        "x-http-method-override",
        "x-forwarded-host",
        "expect",
        "connection",
        "upgrade",
        "transfer-encoding",
        "content-length",
        "user-agent",
    }
