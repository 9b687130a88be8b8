"""Texts say what is the case: reasons, titles, messages and hints that once sent a reader the wrong way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, Operation
from conformance.judge.judge import judge
from conformance.judge.report import ClauseResult, Evidence, Status
from helpers.answers import HEADERS, NOW, item, queue, read, reads, result
from helpers.conversations import A, B, C, Talk

MS = int(NOW * 1000)


def of(clause: str, exchanges: list[Exchange], dialect: Dialect = Dialect.CLOUD) -> ClauseResult:
    return result(judge(exchanges, dialect), clause)


def first(clause: str, exchanges: list[Exchange], dialect: Dialect = Dialect.CLOUD) -> Evidence:
    return of(clause, exchanges, dialect).evidence[0]


# --- reasons ----------------------------------------------------------------------------------------------------------


def failed(content_type: str, body: bytes) -> list[Exchange]:
    """Return a read, and two that are answered 500."""
    fields = (("Content-Type", content_type), *HEADERS[1:])
    return [
        *reads(queue(item(1))),
        *(read(body, number=number, status=500, headers=fields) for number in (2, 3)),
    ]


@pytest.mark.parametrize(
    ("clause", "content_type", "body", "missing"),
    [
        ("error.object", "text/plain", b"500", "with Content-Type application/json"),
        ("error.code", "text/plain", b"500", "with Content-Type application/json whose body is an object"),
        ("error.message", "application/json", b"[]", "with Content-Type application/json whose body is an object"),
        ("error.not-empty", "application/json", b"{}", "whose code or message is a string"),
    ],
)
def test_a_reason_says_what_two_responses_of_500_lack(
    clause: str, content_type: str, body: bytes, missing: str
) -> None:
    found = of(clause, failed(content_type, body))
    assert found.status is Status.NOT_EXERCISED
    assert missing in found.reason
    assert found.reason != "needs a 400 or 500"


def test_a_reason_says_that_the_500_must_answer_a_get() -> None:
    options = read(b"500", number=2, status=500)
    options = replace(options, request=replace(options.request, method="OPTIONS"))
    found = of("error.content-type", [*reads(queue(item(1))), options])
    assert found.reason == "needs a GET of the queue that gets a 400 or 500"


def test_a_reason_says_that_objects_are_not_the_jobs_it_needs() -> None:
    judgement = judge(reads(queue({"prompt_id": "x", "job_number": 1}, running=({"id": 1},))))
    unseen = [found for found in judgement.results if found.status is Status.NOT_EXERCISED and "item." in found.id]
    assert {"item.five-elements", "item.job-number.number", "item.prompt-id.string"} <= {found.id for found in unseen}
    assert [found.id for found in unseen if found.reason == "needs a job in either list"] == []


def test_a_reason_says_which_element_a_short_job_lacks() -> None:
    judgement = judge(reads(queue(["1"])))
    assert result(judgement, "item.prompt-id.string").reason == "needs a job that is an array of two elements or more"
    assert result(judgement, "item.job-number.integer").reason == "needs a job whose job_number is a number"


# --- titles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "changes", "place"),
    [
        ("item.metadata.object", {"e3": "x", "e4": ["9"]}, "/queue_pending/0/3"),
        ("item.output-node-ids.array", {"e3": {"create_time": MS}, "e4": "9"}, "/queue_pending/0/4"),
    ],
)
def test_no_title_names_another_element_than_the_place_under_oss(
    clause: str, changes: dict[str, Any], place: str
) -> None:
    found = of(clause, reads(queue(item(1, **changes))), Dialect.OSS)
    assert found.evidence[0].pointer == place
    assert "[3]" not in found.title
    assert "[4]" not in found.title


def test_no_title_of_an_element_whose_place_differs_names_a_place() -> None:
    moving = [clause for clause in CATALOGUE if clause.id.startswith(("item.metadata", "item.output", "item.create"))]
    assert moving
    assert [clause.id for clause in moving if "[" in clause.title] == []


def test_the_title_on_the_order_of_elements_holds_under_both_dialects() -> None:
    found = of("item.element-order", reads(queue(item(1))), Dialect.OSS)
    assert found.status is Status.FAIL
    assert found.title == "Elements [3] and [4] of each job follow the dialect"


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"prompt_id": "p5"}, "The prompt was accepted, but prompt_id in the response is not a UUID."),
        ({"prompt_id": 5}, "The prompt was accepted, but prompt_id in the response is not a UUID."),
        ({}, "The prompt was accepted, but the response has no prompt_id."),
    ],
)
def test_an_id_that_is_not_a_uuid_is_not_called_missing(answer: dict[str, Any], message: str) -> None:
    talk = Talk().post(Operation.SUBMIT, {"prompt": {}}, answer=answer)
    assert first("lifecycle.prompt-id", talk.exchanges).message == message


def test_credentials_for_any_origin_are_not_said_to_be_readable() -> None:
    fields = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true"))
    found = first("cors.credentials", [read(queue(item(1)), headers=(*HEADERS, *fields))])
    assert "Browsers refuse" in found.message
    assert "may read" not in found.message


# --- hints ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "kind", "told"),
    [
        ("-1", "negative", "front: true"),
        ("-3.0", "negative", "a client chose this number"),
        ("-2.5", "negative", "a client chose this number"),
        ("-1e3", "negative", "a client chose this number"),
        ("0", "zero", "counts from 0"),
        ("0.0", "zero", "counts from 0"),
    ],
)
def test_a_number_with_a_fraction_is_not_put_down_to_front(number: str, kind: str, told: str) -> None:
    body = queue(item(1)).replace(b"[[1,", f"[[{number},".encode())
    found = first("item.job-number.one-based", reads(body))
    assert found.kind == kind
    assert told in (found.hint or "")
    assert ("front" in (found.hint or "")) == (told == "front: true")


def timed(*jobs: tuple[float, int]) -> list[Exchange]:
    """Return a read of pending jobs with these numbers and times."""
    return reads(
        queue(*(item(n, e0=number, e4={"create_time": MS - 100 + time}) for n, (number, time) in enumerate(jobs, 1)))
    )


@pytest.mark.parametrize(
    ("jobs", "by_number"),
    [
        ([(-1, 2), (1, 1)], True),
        ([(-1.0, 2), (1, 1)], True),
        ([(-2, 3), (-1, 2), (4, 1)], True),
        ([(0.5, 2), (1, 1)], True),
        ([(1, 2), (2, 1)], False),
        ([(2, 2), (1, 1)], False),
        ([(1, 3), (2, 2), (3, 1)], False),
        ([(4, 2), (-1, 1)], False),
    ],
)
def test_newest_first_by_a_chosen_number_is_not_called_the_order_of_the_server(
    jobs: list[tuple[float, int]], *, by_number: bool
) -> None:
    found = first("queue.pending.oldest-first", timed(*jobs))
    assert found.kind == "newest-first", "registers keep this word"
    assert ("order of job_number" in (found.hint or "")) == by_number
    assert found.hint == "newest first" or by_number


def test_a_chosen_number_is_named_where_one_job_stands_before_all_others() -> None:
    found = first("queue.pending.oldest-first", timed((-1, 4), (1, 1), (2, 2), (3, 3)))
    assert "order of job_number" in (found.hint or "")
    assert found.kind == ""


HEAP = "two jobs are swapped, or the jobs are in the order of a binary heap, in which ComfyUI keeps its queue"


def numbered(number: int, name: str) -> list[Any]:
    return item(number, e1=name)


def test_lifecycle_order_says_that_a_list_is_a_heap() -> None:
    talk = Talk()
    for name in (A, B, C):
        talk.submit(name).wait(9)
    ordered = talk.look((), [numbered(1, A), numbered(3, C), numbered(2, B)])
    found = first("lifecycle.order", ordered.exchanges)
    assert (found.hint, found.kind) == (HEAP, "")


def test_lifecycle_order_does_not_say_so_of_another_order() -> None:
    talk = Talk()
    for name in (A, B, C):
        talk.submit(name).wait(9)
    ordered = talk.look((), [numbered(3, C), numbered(2, B), numbered(1, A)])
    assert first("lifecycle.order", ordered.exchanges).hint is None


@pytest.mark.parametrize("known_by", ["number", "time"])
def test_reads_order_says_that_a_list_is_a_heap(known_by: str) -> None:
    def job(number: int) -> list[Any]:
        found = item(number)
        return found if known_by == "time" else [*found[:4], {}]

    before, after = [job(n) for n in (1, 2, 3, 4)], [job(n) for n in (2, 4, 3)]
    found = first("reads.order", reads(queue(*before), queue(*after)))
    assert (found.hint, found.kind) == (HEAP, "")


def test_reads_order_does_not_say_so_of_another_order() -> None:
    before, after = [item(n) for n in (1, 2, 3)], [item(n) for n in (3, 2, 1)]
    assert first("reads.order", reads(queue(*before), queue(*after))).hint is None
