"""Answers: whether one shows the queue, and what is seen of many side by side."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import pytest
from msgspec import structs

from conformance.contract.conversation import Answer, Conversation, QueueRead, Submission
from conformance.contract.reading.body import Reading, Remaining
from conformance.contract.reading.known_jobs import Summary
from conformance.contract.terms import FastPath, Level
from conformance.exchange.model import Credential, Exchange, Request, Response
from helpers.answers import asked, item, queue, read, reads


def answer(exchange: Exchange) -> Answer:
    assert exchange.response is not None
    return Answer(exchange, exchange.response, Reading(exchange.response.content))


@pytest.mark.parametrize("value", [Answer, Conversation, Submission, QueueRead])
def test_what_clauses_are_given_cannot_be_changed(value: Any) -> None:
    given = value(*[None for _ in value.__struct_fields__])
    with pytest.raises(AttributeError, match="immutable type"):
        setattr(given, value.__struct_fields__[0], None)


def test_a_queue_is_shown_by_a_read_that_is_answered_200() -> None:
    shown = answer(read(queue(item())))
    assert shown.shows_queue
    assert len(shown.observations) == 1
    for other in (
        read(queue(item()), status=201),
        read(queue(item()), status=199),
        asked(200, queue(item()), method="HEAD"),
        asked(200, queue(item()), credential=Credential.NONE),
        asked(200, queue(item()), to_queue=False),
    ):
        hidden = answer(other)
        assert not hidden.shows_queue
        assert hidden.observations == {}


class Proven(Reading):
    """A body of which only a part remains to be checked."""

    rest = Reading(b"{}")

    def remaining(self, fast: FastPath | None, level: Level | None) -> Remaining:  # noqa: ARG002 - the same of all clauses
        return Remaining(exercised=True, reading=self.rest)


def test_what_is_proven_of_a_body_is_asked_of_no_clause() -> None:
    clause = (FastPath.EACH_JOB, Level.MUST)
    shown, hidden = answer(read(queue(item()))), read(queue(item()), status=404)
    assert shown.remaining(*clause) == (False, shown)
    assert shown.remaining(*clause)[1] is shown
    exercised, rest = structs.replace(shown, reading=Proven(b"[]")).remaining(*clause)
    assert (exercised, rest.reading, rest.exchange) == (True, Proven.rest, shown.exchange)
    assert hidden.response is not None
    refused = Answer(hidden, hidden.response, Proven(b"[]"))
    assert refused.remaining(*clause) == (False, refused)


def test_an_answer_precedes_what_was_asked_for_after_it_was_whole() -> None:
    first, second = reads(queue(), queue())
    assert answer(first).precedes(answer(second))
    assert not answer(second).precedes(answer(first))
    assert answer(replace(first, elapsed=1.0)).precedes(answer(second))
    assert not answer(replace(first, elapsed=1.5)).precedes(answer(second))
    for unknown in (replace(first, started=None), replace(first, elapsed=None)):
        assert not answer(unknown).precedes(answer(second))
    assert not answer(first).precedes(answer(replace(second, started=None)))


# --- answers side by side ---------------------------------------------------------------------------------------------


def conversation(*exchanges: Exchange) -> Conversation:
    return Conversation([answer(exchange) for exchange in exchanges])


def names(answers: Any) -> list[str]:
    return [found.exchange.id for found in answers]


def test_reads_are_the_answers_that_show_an_object() -> None:
    found = conversation(read(queue(), number=1), read(b"[]", number=2), read(queue(), number=3, status=404))
    assert names(found.reads) == ["x1"]


@pytest.mark.parametrize(
    ("exchange", "served"),
    [
        (read(queue()), True),
        (read(b"no"), True),
        (read(queue(), status=404), False),
        (read(queue(), status=201), False),
        (read(queue(), status=199), False),
        (asked(200, queue(), request=(("Range", "bytes=0-0"),)), False),
        (asked(200, queue(), credential=Credential.WRONG), False),
    ],
)
def test_a_queue_is_served_where_a_plain_read_is_answered_200(exchange: Exchange, *, served: bool) -> None:
    assert conversation(read(b"", status=500), exchange).served is served


def by(number: int, *headers: tuple[str, str], status: int = 200, url: str = "http://t/api/queue") -> Exchange:
    return Exchange(f"x{number}", Request("GET", url, headers), Response(status), started=1.0 * number, elapsed=0.1)


ANY, JSON = ("Accept", "*/*"), ("Accept", "application/json")


def test_manners_are_accept_and_user_agent() -> None:
    found = conversation(
        by(1, ANY),
        by(2, JSON),
        by(3, ANY, status=500),
        by(4),
        by(5, ANY, ("User-Agent", "a")),
        by(6, ANY, ("X-Request-Id", "7")),
        by(7, ANY, ("Range", "bytes=0-0")),
        by(8, ANY, url="http://t/api/queue?a=1"),
        by(9, ANY, ("X-Odd", "1")),
        by(10, JSON, status=503),
        asked(200, method="HEAD", number=11),
        Exchange("x12", by(12, ANY).request, Response(200, head=False)),
    )
    assert [names(group) for group in found.by_manner] == [["x1", "x3", "x6"], ["x2"], ["x4"], ["x5"]]


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504, *range(520, 528), 530])
def test_not_now_is_no_answer_to_a_manner_or_a_request(status: int) -> None:
    found = conversation(by(1, ANY, status=status), by(2, ANY, status=status))
    assert (found.by_manner, found.by_request) == ([], [])


@pytest.mark.parametrize("status", [400, 404, 500, 505, 519, 528, 529, 531])
def test_another_error_is_an_answer_to_a_manner_and_a_request(status: int) -> None:
    found = conversation(by(1, ANY, status=status), by(2, ANY, status=status))
    assert [names(group) for group in (*found.by_manner, *found.by_request)] == [["x1", "x2"]] * 2


class Sized(Reading):
    """A body whose summary says another number of jobs, or that its jobs are not compared."""

    def __init__(self, jobs: int, *, compared: bool) -> None:
        super().__init__(queue())
        self._jobs, self._compared = jobs, compared

    @cached_property
    def summary(self) -> Summary:
        return super().summary._replace(jobs=self._jobs, compared=self._compared)


def test_long_queues_are_not_compared_or_searched() -> None:
    def long(number: int, jobs: int, *, compared: bool = True, **fields: str) -> Answer:
        found = asked(200, queue(), number=number, request=tuple(fields.items()))
        return structs.replace(answer(found), reading=Sized(jobs, compared=compared))

    short = [long(1, 0), long(2, 10_000)]
    others = [long(3, 10_001), long(4, 10_001), long(5, 10_001, compared=False), long(6, 10_001, Range="x")]
    found = Conversation([*short, *others])
    assert names(found.reads) == ["x1", "x2", "x3", "x4", "x6"]
    assert names(found.followed) == ["x1", "x2"]
    assert [(left_out or "")[:6] for left_out in (found.uncompared, found.unlooked)] == ["1 of 6", "3 of 6"]
    assert (Conversation(short).uncompared, Conversation(short).unlooked) == (None, None)


def test_the_same_request_is_one_but_for_its_id() -> None:
    odd = ("X-Odd", "1")
    found = conversation(
        by(1, odd, ("X-Request-Id", "1")),
        by(2, odd, ("X-Request-Id", "2"), status=500),
        by(3, ("X-Odd", "2")),
        by(4, ANY, status=500),
        by(5, url="http://t/api/queue?a=1", status=404),
        by(6, JSON, status=500),
        by(7, JSON, status=500),
        asked(200, method="HEAD", number=8),
        asked(200, method="HEAD", number=9),
        Exchange("x10", by(10, odd).request, Response(200, head=False)),
        by(11, ("X", "1"), status=199),
        by(12, ("X", "2"), status=201),
    )
    assert [names(group) for group in found.by_request] == [["x1", "x2"], ["x3"], ["x6", "x7"]]


def test_successions_are_neighbours_of_which_one_was_over_before_the_other() -> None:
    first, second, third = reads(queue(), queue(), queue())
    found = conversation(first, read(b"", status=500, number=9), replace(second, elapsed=5.0), third)
    assert [(a.exchange.id, b.exchange.id) for a, b in found.successions] == [("x1", "x2")]
    whole = conversation(first, second, third)
    assert [(a.exchange.id, b.exchange.id) for a, b in whole.successions] == [("x1", "x2"), ("x2", "x3")]
    assert conversation().successions == []
