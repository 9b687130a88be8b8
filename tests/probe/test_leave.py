"""Nothing is written without leave, and with it nothing but what is the run's own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract.clauses.lifecycle_remove import MALFORMED
from conformance.exchange.model import Exchange, Operation, Request, Response
from conformance.probe.client import Client
from conformance.probe.leave import Leave
from conformance.probe.limits import Bounds, ServerChanges
from conformance.probe.requests import SAFE_METHODS, Ask, other
from helpers.simulated_runs import POPULATE, Played, endpoint, played

OURS, THEIRS = "2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e", "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SUBMIT, MANAGE, INTERRUPT = Operation.SUBMIT, Operation.MANAGE, Operation.INTERRUPT


def body(**members: Any) -> bytes:
    return json.dumps(members).encode()


def exchange(operation: Operation | None, status: int, content: Any, method: str = "GET") -> Exchange:
    headers = (("Accept", "application/json"),)
    request = Request(method, "http://t/api/queue", headers, to_queue=operation is None, operation=operation)
    return Exchange("x1", request, Response(status, (), json.dumps(content).encode()), started=0.0, elapsed=0.1)


def leave(*listed: tuple[str, str], clear: bool = False) -> Leave:
    """Return the leave of a run that submitted OURS and then read a queue with these ids, each in a list."""
    found = Leave(prompts=3, clear=clear, bare=True)
    found.note(exchange(SUBMIT, 200, {"prompt_id": OURS}, "POST"))
    queue: dict[str, list[Any]] = {"queue_running": [], "queue_pending": []}
    for name, where in listed:
        queue[where].append([1, name, {"1": {"class_type": "X"}}, [], {}])
    found.note(exchange(None, 200, queue))
    return found


PENDING, RUNNING = "queue_pending", "queue_running"


# --- the client -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "get", ""])
@pytest.mark.parametrize("operation", [None, *Operation])
def test_without_leave_no_method_but_those_that_read_is_sent(method: str, operation: Operation | None) -> None:
    client = Client("http://127.0.0.1:1/api/queue", None, Bounds())
    with pytest.raises(ValueError, match="is not a read-only method"):
        asyncio.run(client.ask(Ask("write", method, operation=operation, body=body(clear=True))))
    assert client.ledger == []


def test_a_run_without_leave_sends_only_reads() -> None:
    reference, clock = endpoint()
    client = Played(reference, clock, None)
    assert client.leave is None
    asyncio.run(client.ask(Ask("read")))
    with pytest.raises(ValueError, match="is not a read-only method"):
        asyncio.run(client.ask(other("submit", SUBMIT, body(prompt={}))))
    assert reference.board is not None
    assert reference.board.jobs == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_with_leave_no_other_method_is_sent_either(method: str) -> None:
    assert leave().refusal(method, None, b"")
    assert leave().refusal(method, MANAGE, body(delete=[OURS]))
    assert leave().refusal("POST", None, body(delete=[OURS]))
    assert leave().refusal("POST", Operation.JOBS, b"")


def test_what_writes_is_never_sent_twice() -> None:
    """A connection that breaks may break after the work was done."""
    client = Client("http://127.0.0.1:1/api/queue", None, Bounds(), leave=Leave(prompts=2))
    assert client.leave is not None

    async def ask() -> None:
        async with client:
            await client.ask(other("submit", SUBMIT, client.leave.token.encode() if client.leave else b""))
            await client.ask(Ask("read"))

    asyncio.run(ask())
    assert [(one.request.method, one.attempt) for one in client.ledger] == [("POST", 1), ("GET", 1), ("GET", 2)]
    assert client.leave.unanswered == 1
    assert client.leave.prompts == 1


# --- the leave --------------------------------------------------------------------------------------------------------


def test_a_prompt_bears_the_mark_of_the_run_and_there_are_no_more_than_were_allowed() -> None:
    given_leave = Leave(prompts=1)
    marked = body(prompt={"1": {"_meta": {"title": given_leave.token}}})
    assert "mark" in str(given_leave.refusal("POST", SUBMIT, body(prompt={"1": {}})))
    assert given_leave.refusal("POST", SUBMIT, marked) is None
    given_leave.note(exchange(SUBMIT, 200, {"prompt_id": OURS}, "POST"))
    assert "further job" in str(given_leave.refusal("POST", SUBMIT, marked))


def test_a_prompt_that_was_refused_does_not_count() -> None:
    given_leave = Leave(prompts=1)
    given_leave.note(exchange(SUBMIT, 400, {}, "POST"))
    assert (given_leave.prompts, given_leave.own) == (1, {})


def test_only_jobs_of_the_run_and_ids_that_nobody_has_are_deleted() -> None:
    given_leave = leave((THEIRS, PENDING))
    assert given_leave.refusal("POST", MANAGE, body(delete=[OURS.upper()])) is None
    assert given_leave.refusal("POST", MANAGE, body(delete=[given_leave.make_up_id()])) is None
    assert given_leave.refusal("POST", MANAGE, body(delete=[THEIRS]))
    assert given_leave.refusal("POST", MANAGE, body(delete=[OURS, THEIRS]))


@pytest.mark.parametrize("listed", [(), ((OURS, PENDING),)])
def test_the_queue_is_cleared_where_it_holds_only_our_jobs_and_that_was_asked_for(listed: Any) -> None:
    assert leave(*listed, clear=True).refusal("POST", MANAGE, body(clear=True)) is None
    assert leave(*listed).refusal("POST", MANAGE, body(clear=True)) == "clearing the queue was not allowed (--clear)"
    for sloppy in ("yes", 1, [True]):
        assert leave(*listed, clear=True).refusal("POST", MANAGE, body(clear=sloppy))


@pytest.mark.parametrize("where", [PENDING, RUNNING])
def test_a_job_of_somebody_else_keeps_us_from_clearing_and_interrupting(where: str) -> None:
    beside = leave((OURS, RUNNING), (THEIRS, where), clear=True)
    assert "not belong to this run" in str(beside.refusal("POST", MANAGE, body(clear=True)))
    assert "not belong to this run" in str(beside.refusal("POST", INTERRUPT, body(prompt_id=OURS)))


def test_an_interrupt_names_a_job_of_the_run_and_comes_right_after_a_read() -> None:
    given_leave = leave((OURS, RUNNING))
    assert given_leave.refusal("POST", INTERRUPT, body(prompt_id=OURS)) is None
    for unnamed in (b"", b"{}", body(prompt_id=THEIRS), body(prompt_id=None)):
        assert given_leave.refusal("POST", INTERRUPT, unnamed)
    given_leave.note(exchange(MANAGE, 200, {}, "POST"))
    assert given_leave.refusal("POST", INTERRUPT, body(prompt_id=OURS)), "nobody knows who is there now"


def test_a_job_that_cannot_be_read_is_somebody_elses() -> None:
    given_leave = leave((OURS, RUNNING))
    odd = {"queue_running": [{"prompt_id": OURS}], "queue_pending": []}
    given_leave.note(exchange(None, 200, odd))
    assert given_leave.refusal("POST", INTERRUPT, body(prompt_id=OURS))
    given_leave.note(exchange(None, 200, [1, 2]))
    assert not given_leave.alone


def test_a_job_that_bears_the_mark_is_ours_also_where_its_answer_was_lost() -> None:
    given_leave = Leave(prompts=3)
    given_leave.note(Exchange("x1", Request("POST", "http://t/api/prompt", operation=SUBMIT)))
    marked = {"1": {"class_type": "X", "_meta": {"title": given_leave.token}}}
    given_leave.note(exchange(None, 200, {"queue_pending": [[1, OURS, marked, [], {}]]}))
    assert given_leave.unanswered == 1
    assert given_leave.refusal("POST", MANAGE, body(delete=[OURS])) is None


def test_what_is_malformed_names_no_job_and_says_nothing_of_clearing() -> None:
    for one in MALFORMED:
        assert leave().refusal("POST", MANAGE, one) is None
        assert b"clear" not in one
    assert leave().refusal("POST", MANAGE, b"[]")
    assert leave().refusal("POST", MANAGE, body(delete="x"))
    assert leave().refusal("POST", MANAGE, body(foo=1))


@pytest.mark.parametrize("malformed", MALFORMED)
def test_what_is_malformed_removes_nothing_also_where_a_server_says_that_it_did(malformed: bytes) -> None:
    given_leave = leave((OURS, PENDING))
    request = Request("POST", "http://t/api/queue", to_queue=False, operation=MANAGE, body=malformed)
    given_leave.note(Exchange("x1", request, Response(200, (), b"{}"), started=0.0, elapsed=0.1))
    assert given_leave.waiting == {OURS}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([OURS, THEIRS, OURS.upper(), "", "*"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["delete", "clear", "prompt_id"]), inner)
    ),
    max_leaves=6,
)


@given(st.sampled_from([MANAGE, INTERRUPT]), json_values, st.sampled_from([PENDING, RUNNING]))
def test_no_body_whatsoever_reaches_somebody_elses_job(operation: Operation, asked: Any, where: str) -> None:
    beside = leave((OURS, RUNNING), (THEIRS, where), clear=True)
    sent = json.dumps(asked).encode()
    if sent not in MALFORMED and beside.refusal("POST", operation, sent) is None:
        assert operation is MANAGE, "an interrupt may hit anybody"
        assert asked.get("clear", False) is False
        assert {str(name).lower() for name in asked.get("delete", [])} <= {OURS}


# --- a whole run ------------------------------------------------------------------------------------------------------


def test_a_run_that_writes_touches_nothing_of_others() -> None:
    run = played("takes-jobs-of-others-too")
    board = run.client.reference.board
    assert board is not None
    others = [job for job in board.jobs if job.foreign]
    assert len(others) > 10
    assert {job.status for job in others} <= {"completed", "in_progress", "pending"}
    assert [one for one in run.client.ledger if one.request.operation is INTERRUPT] == []


def test_a_run_that_may_only_write_what_changes_nothing_submits_nothing() -> None:
    run = played(server_changes=ServerChanges())
    board = run.client.reference.board
    assert board is not None
    assert board.jobs == []
    sent = [one.request for one in run.client.ledger if one.request.method not in SAFE_METHODS]
    assert {request.operation for request in sent} == {MANAGE}
    assert run.stopped is None


def test_every_request_of_a_run_that_writes_had_leave() -> None:
    run = played(server_changes=POPULATE)
    methods = {one.request.method for one in run.client.ledger}
    assert methods == {*SAFE_METHODS, "POST"}
    writing = [one.request for one in run.client.ledger if one.request.method == "POST"]
    assert all(request.operation is not None and request.operation.writes for request in writing)


# --- what may be left -------------------------------------------------------------------------------------------------


def test_a_job_that_waits_may_be_left_until_it_is_seen_to_run_and_to_be_gone() -> None:
    found = leave((OURS, PENDING))
    assert list(found.left) == [OURS]
    found.note(exchange(None, 200, {"queue_running": [], "queue_pending": []}))
    assert list(found.left) == [OURS], "it may be on its way from one list to the other"
    found.note(exchange(None, 200, {"queue_running": [[1, OURS, {}, [], {}]], "queue_pending": []}))
    assert list(found.left) == [OURS]
    found.note(exchange(None, 200, {"queue_running": [], "queue_pending": []}))
    assert list(found.left) == []


def test_a_job_that_was_submitted_and_not_looked_for_may_be_left() -> None:
    found = Leave(prompts=1)
    found.note(exchange(SUBMIT, 200, {"prompt_id": OURS.upper()}, "POST"))
    assert found.left == (OURS.upper(),)


@pytest.mark.parametrize(
    ("asked", "status", "left"),
    [
        (body(delete=[OURS]), 200, ()),
        (body(delete=[OURS.upper()]), 200, ()),
        (body(delete=[OURS]), 500, (OURS,)),
        (body(delete=[THEIRS]), 200, (OURS,)),
        (body(delete=7), 200, (OURS,)),
        (b'{"delete": ', 200, (OURS,)),
        (body(clear=False), 200, (OURS,)),
    ],
)
def test_a_job_that_was_deleted_and_is_listed_no_more_is_not_left(
    asked: bytes, status: int, left: tuple[str, ...]
) -> None:
    found = leave((OURS, PENDING))
    deletion = exchange(MANAGE, status, {}, "POST")
    found.note(replace(deletion, request=replace(deletion.request, body=asked)))
    found.note(exchange(None, 200, {"queue_running": [], "queue_pending": []}))
    assert found.left == left


# --- stopping what runs -----------------------------------------------------------------------------------------------


def told(operation: Operation, content: Any, status: int = 200, job: str = OURS) -> Exchange:
    """Return an exchange of an operation beside the queue."""
    made = exchange(operation, status, content, operation.method)
    return replace(made, request=replace(made.request, url=f"http://t/api/{operation.value[1].replace('{job}', job)}"))


def version(number: str) -> Exchange:
    return told(Operation.STATS, {"system": {"comfyui_version": number}})


def test_off_loopback_a_bare_interrupt_is_not_sent() -> None:
    found = leave((OURS, RUNNING))
    found.bare = False
    assert "not loopback" in str(found.refusal("POST", INTERRUPT, body(prompt_id=OURS)))


@pytest.mark.parametrize(
    ("number", "heeds"),
    [
        ("0.3.57", True),
        ("0.33.0", True),
        ("v1.0.0", True),
        ("0.3.56", False),
        ("0.3", False),
        ("", False),
        ("x", False),
    ],
)
def test_an_interrupt_that_the_server_limits_to_the_job_it_names_is_sent(number: str, *, heeds: bool) -> None:
    found = leave((OURS, RUNNING), (THEIRS, PENDING))
    found.bare = False
    found.note(version(number))
    assert (found.refusal("POST", INTERRUPT, body(prompt_id=OURS)) is None) is heeds
    assert found.refusal("POST", INTERRUPT, body(prompt_id=THEIRS))


def test_only_jobs_of_the_run_are_cancelled() -> None:
    found = leave((OURS, RUNNING), (THEIRS, RUNNING))
    assert found.refusal("POST", Operation.CANCEL, b"", OURS) is None
    assert found.refusal("POST", Operation.CANCEL, b"", THEIRS)
    assert found.refusal("POST", Operation.CANCEL, b"", "")


@pytest.mark.parametrize("name", ["..", "a/b", f"{OURS}/..", f"{OURS}?x", "7"])
def test_an_id_that_is_not_a_uuid_stands_in_no_url(name: str) -> None:
    found = Leave(prompts=1)
    found.note(exchange(SUBMIT, 200, {"prompt_id": name}, "POST"))
    assert found.refusal("POST", Operation.CANCEL, b"", name)


@pytest.mark.parametrize(
    ("status", "content", "cancels", "left"),
    [
        (200, {"cancelled": True}, True, ()),
        (200, {"cancelled": False}, False, (OURS,)),
        (404, {}, False, (OURS,)),
        (405, None, False, (OURS,)),
        (200, None, False, (OURS,)),
        (503, {}, None, (OURS,)),
    ],
)
def test_whether_a_server_cancels_is_known_once_it_was_asked(
    status: int, content: Any, left: tuple[str, ...], *, cancels: bool | None
) -> None:
    found = leave((OURS, PENDING))
    found.note(told(Operation.CANCEL, content, status))
    found.note(exchange(None, 200, {"queue_running": [], "queue_pending": []}))
    assert (found.cancels, found.left) == (cancels, left)
