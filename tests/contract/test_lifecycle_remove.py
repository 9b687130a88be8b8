"""What deleting, clearing and interrupting must remove and must keep, and which mistakes a server survives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.exchange.model import Exchange, NoResponse, Operation, Problem, Request, Response
from helpers.answers import NOW, Told
from helpers.conversations import THEIRS, A, B, C, Talk, charged, manage, three, told

# --- what is removed is gone ------------------------------------------------------------------------------------------


def still(how: str, name: str, seen: str, removed: str = "x7") -> Told:
    message = f'Request {removed} removed the job "{name}" and got a 200, but the job was {how} afterwards.'
    return Told("", "the job in neither list", f"{how} in {seen}", message)


def test_a_job_that_is_deleted_is_gone() -> None:
    assert told("delete.removes", three().delete(B).look([A], [C]).look([A], [C])) == []
    assert told("delete.removes", three().delete(B).look([A], [B, C]).look([A], [C])) == []
    assert told("delete.removes", three().delete(B, C).look([A]).look([A], [B, C])) == [
        still("listed again", B, "x9"),
        still("listed again", C, "x9"),
    ]


def test_a_job_that_waits_and_runs_after_all_was_not_deleted() -> None:
    assert told("delete.removes", three().delete(B).look([A, B], [C]).look([B])) == []
    assert told("delete.removes", three().delete(B).look([A], [B]).look([B], [C])) == [still("running", B, "x9")]
    assert told("delete.removes", three().delete(B).look([A]).look([B])) == [still("listed again", B, "x9")]
    assert told("delete.removes", three().delete(B).look([A]).look().look((), [B])) == [still("listed again", B, "x10")]
    assert told("delete.removes", three().delete(B).look([A]).look([B]).look([B])) == [still("listed again", B, "x9")]
    assert charged("delete.removes", three().delete(B).look([A]).look([B])) == ["x7"]


@pytest.mark.parametrize(("seconds", "late"), [(1.0, False), (2.0, False), (2.25, True), (9.0, True)])
def test_a_job_that_is_deleted_waits_two_seconds_at_most(seconds: float, *, late: bool) -> None:
    talk = Talk().submit(A).look((), [A]).delete(A).look((), [A])
    moments = (0.0, 1.0, 2.0, 2.5 + seconds)
    exchanges = [
        replace(one, started=NOW + at, elapsed=0.5 if number == 2 else 0.0)
        for number, (one, at) in enumerate(zip(talk.exchanges, moments, strict=True))
    ]
    assert told("delete.removes", exchanges) == ([still("still pending", A, "x4", "x3")] if late else [])


@pytest.mark.parametrize(
    "talk",
    [
        three().delete(A).look([A], [B, C]),
        three().delete(THEIRS).look([A], [B, C]),
        three().look([A], [C]).delete(B).look([A], [B, C]),
        three().look([A], [THEIRS]).delete(THEIRS).look([A], [THEIRS]),
        three().delete(B, status=201).look([A], [B, C]),
        three().delete(B, status=199).look([A], [B, C]),
        three().delete(B),
        Talk().submit(A).delete(A).look((), [A]),
        manage(three(), {"delete": A}).look([A], [B, C]),
        three().post(Operation.INTERRUPT, {"delete": [B]}).look([A], [B, C]),
    ],
    ids=range(10),
)
def test_what_did_not_wait_or_was_not_taken_away_is_not_looked_for(talk: Talk) -> None:
    assert told("delete.removes", talk.wait(9).look([A], [B, C]) if len(talk.exchanges) > 7 else talk) is None


def test_clearing_removes_what_waits() -> None:
    assert told("clear.empties", manage(three(), {"clear": True}).look([A]).look([A])) == []
    found = told("clear.empties", manage(three(), {"clear": True}).look([A], [B]).wait(9).look([A], [B]))
    assert found == [still("still pending", B, "x9")]
    for asked in ({"clear": False}, {"clear": 1}, {"clear": "true"}, {}):
        assert told("clear.empties", manage(three(), asked).look([A], [B]).wait(9).look([A], [B])) is None
    assert told("clear.empties", three().post(Operation.INTERRUPT, {"clear": True}).look([A], [B])) is None


# --- what is not removed stays ----------------------------------------------------------------------------------------


def lost(name: str, seen: str = "x9") -> list[Told]:
    message = f'The pending job "{name}" is gone, but the request should not have removed it.'
    return [Told("", "every other pending job", f"not listed in {seen}", message)]


def settled() -> Talk:
    return three().look([A], [B, C])


def test_deleting_a_job_removes_no_other() -> None:
    assert told("delete.spares", settled().delete(C).look([A], [B]).look([A], [B])) == []
    assert told("delete.spares", settled().delete(C).look([A]).look([A])) == lost(B)
    assert told("delete.spares", settled().delete(C)) is None
    assert told("delete.spares", settled().delete(C).look([A])) is None
    assert told("delete.spares", settled().delete(B, C).look([A]).look([A])) is None
    assert told("delete.spares", three().look([A], [C]).look([A], [C]).delete(C).look([A]).look([A])) is None
    assert told("delete.spares", manage(settled(), {"clear": True}).look([A]).look([A])) is None
    assert told("delete.spares", three().look([A]).delete(THEIRS).look([A]).look([A])) is None
    assert charged("delete.spares", settled().delete(C).look([A]).look([A])) == ["x8"]


def test_clear_false_clears_nothing() -> None:
    assert told("clear.false", manage(settled(), {"clear": False}).look([A], [B, C]).look([A], [B, C])) == []
    assert told("clear.false", manage(settled(), {"clear": False}).look([A], [B]).look([A], [B])) == lost(C)
    for asked in ({"clear": True}, {"clear": 0}, {"clear": False, "delete": [B]}, {}):
        assert told("clear.false", manage(settled(), asked).look([A], [B]).look([A], [B])) is None
    wrong = settled().post(Operation.INTERRUPT, {"clear": False}).look([A], [B]).look([A], [B])
    assert told("clear.false", wrong) is None


def test_an_interrupt_removes_nothing_that_waits() -> None:
    assert told("interrupt.spares", settled().interrupt(A).look([A], [B, C]).look([A], [B, C])) == []
    assert told("interrupt.spares", settled().interrupt(A).look([A], [B]).look([A], [B])) == lost(C)
    idle = settled().look((), [B, C]).interrupt(A).look((), [B]).look((), [B])
    assert told("interrupt.spares", idle) is None
    late = three().look((), [B, C]).look([A], [B, C]).interrupt(A).look([A], [B, C]).look([A], [B, C])
    assert told("interrupt.spares", late) == []
    assert told("interrupt.spares", settled().delete(C).look([A]).look([A])) is None


# --- the answer to a delete -------------------------------------------------------------------------------------------


def of_ids(got: str) -> list[Told]:
    return [Told("/deleted", "an array of ids", got, "deleted is not an array of strings.")]


def of_cleared(got: str) -> list[Told]:
    return [Told("/cleared", "true or false", got, "cleared is not a boolean.")]


def no_object(got: str) -> list[Told]:
    return [Told("", "an object", got, "The response body is not a JSON object (schema QueueManageResponse).")]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({}, []),
        ({"deleted": []}, []),
        ({"deleted": ["x"], "cleared": True}, []),
        ({"cleared": False}, []),
        ({"deleted": True}, of_ids("true")),
        ({"deleted": "x"}, of_ids('"x"')),
        ({"deleted": None}, of_ids("null")),
        ({"deleted": [1]}, of_ids("[1]")),
        ({"deleted": ["x", 1]}, of_ids('["x", 1]')),
        ({"cleared": 1}, of_cleared("1")),
        ({"cleared": None}, of_cleared("null")),
        ([], no_object("[]")),
        ({"deleted": 1, "cleared": 1}, [*of_ids("1"), *of_cleared("1")]),
        ("x", no_object('"x"')),
    ],
)
def test_the_answer_is_a_queue_manage_response(answer: Any, found: list[Told]) -> None:
    talk = Talk().post(Operation.MANAGE, {"delete": []}, 200, answer)
    assert told("delete.answer", talk) == found


def test_an_answer_that_is_no_json_is_none() -> None:
    assert told("delete.answer", Talk().post(Operation.MANAGE, {"delete": []})) == no_object("not JSON")


@pytest.mark.parametrize("status", [199, 201, 400, 500])
def test_another_status_has_another_answer(status: int) -> None:
    assert told("delete.answer", Talk().post(Operation.MANAGE, {}, status, [])) is None
    assert told("delete.answer", Talk().post(Operation.INTERRUPT, {}, 200, [])) is None


def named(answer: Any, *deleted: str, status: int = 200, after: Any = ([A], [C])) -> list[Told] | None:
    talk = three().delete(*deleted, answer=answer, status=status)
    return told("delete.names", talk if after is None else talk.look(*after))


def unnamed(name: str, got: str) -> Told:
    return Told(
        "/deleted", f'"{name}"', got, "This job was deleted, but its id is missing from deleted in the response."
    )


def not_asked(name: str) -> Told:
    return Told(
        "/deleted",
        "only ids from the request",
        f'"{name}"',
        "deleted in the response has an id that the request did not ask to delete.",
    )


def test_what_was_deleted_is_named_and_nothing_else() -> None:
    assert named({"deleted": [B]}, B) == named({"deleted": [B.upper()]}, B) == []
    assert named({"deleted": []}, B) == [unnamed(B, "[]")]
    assert named({"deleted": []}, B, after=([A], [B, C])) == []
    assert named({"deleted": []}, B, after=([A, B], [C])) == []
    assert named({"deleted": []}, B, after=None) == []
    assert named({"deleted": []}, B, C) == [unnamed(B, "[]")]
    assert named({"deleted": []}, THEIRS) == []
    assert named({"deleted": [C, THEIRS, B]}, B) == sorted([not_asked(C), not_asked(THEIRS)], key=lambda one: one.got)
    assert named({"deleted": [THEIRS]}, B) == [unnamed(B, f'["{THEIRS}"]'), not_asked(THEIRS)]


def test_what_was_named_once_and_is_still_listed_from_a_cache_is_not_named_again() -> None:
    first = three().delete(B).look([A], [B, C])
    assert told("delete.names", first.delete(B, answer={"deleted": []}).look([A], [C])) == []
    for status in (199, 500):
        refused = three().delete(B, status=status).look([A], [B, C])
        assert told("delete.names", refused.delete(B, answer={"deleted": []}).look([A], [C])) == [unnamed(B, "[]")]


def test_what_was_deleted_before_is_not_to_be_named_by_the_answer_to_another_delete() -> None:
    assert told("delete.names", three().delete(B).look([A], [B, C]).delete(C).look([A])) == []


def test_the_first_look_afterwards_says_what_is_gone() -> None:
    talk = three().delete(B, answer={"deleted": []})
    assert told("delete.names", talk.look([A], [B, C]).look([A], [C])) == []
    talk = three().delete(B, answer={"deleted": []})
    assert told("delete.names", talk.look([A], [C]).look([A], [B, C])) == [unnamed(B, "[]")]


@pytest.mark.parametrize("answer", [{}, {"deleted": True}, [B]])
def test_where_no_ids_are_told_none_is_missing(answer: Any) -> None:
    assert named(answer, B) is None
    assert named({"deleted": []}, B, status=199) is None
    assert named({"deleted": []}, B, status=201) is None
    assert told("delete.names", manage(three(), {"clear": True}, answer={"deleted": []}).look([A])) is None


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "fails"), [(200, False), (404, False), (499, False), (500, True), (501, False)])
def test_deleting_what_is_not_there_fails_no_server(status: int, *, fails: bool) -> None:
    expected = Told(None, "200 or 4xx", "500", "A request to delete an id that is not in the queue gets a 500.")
    found = [expected] if fails else []
    assert told("delete.unknown", three().delete(THEIRS, status=status)) == found
    assert told("delete.unknown", Talk().delete(THEIRS, status=status)) == found
    assert told("delete.unknown", three().look([A], [C]).delete(B, status=status)) == found
    assert told("delete.unknown", three().look([A], [C]).look([A], [B, C]).delete(B, status=status)) is None
    assert told("delete.unknown", three().delete(THEIRS, A, status=status)) is None


def sent(body: bytes, status: int = 200, operation: Operation = Operation.MANAGE) -> list[Exchange]:
    request = Request("POST", "http://t/api/queue", to_queue=False, operation=operation, body=body)
    return [Exchange("x1", request, Response(status), started=NOW, elapsed=0.1)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"delete": ',
        b'{"delete": 7}',
        b'{"delete": [7]}',
        b'{"delete": ["x", 7]}',
        b'{"delete": "x"}',
        b"[]",
        b"7",
        b"",
        b'{"delete": null}',
        b"[" * 9_000 + b"]" * 9_000,
    ],
)
def test_a_malformed_request_is_told_so(body: bytes) -> None:
    message = "The request is malformed, but its status is not a 4xx."
    for status in (199, 200, 299, 500):
        expected = Told(None, "400", f"{status} to {body.decode()}", message)
        assert told("delete.malformed", sent(body, status)) == [expected]
    for status in (300, 400, 404, 422, 499, 501, 503):
        assert told("delete.malformed", sent(body, status)) == []
    assert told("delete.malformed", sent(body, operation=Operation.INTERRUPT)) is None


@pytest.mark.parametrize("body", [b"{}", b'{"delete": []}', b'{"delete": ["x", "y"]}', b'{"clear": 7, "more": 1}'])
def test_a_request_that_is_well_formed_is_no_mistake(body: bytes) -> None:
    assert told("delete.malformed", sent(body)) is None


# --- a server that ends -----------------------------------------------------------------------------------------------

NUMBER = {"delete": 7}


def silent(talk: Talk, fault: NoResponse = NoResponse.BROKEN, *, last: int = 1) -> Talk:
    """Return a run whose last exchanges brought no response."""
    for place in range(len(talk.exchanges) - last, len(talk.exchanges)):
        talk.exchanges[place] = replace(talk.exchanges[place], response=None, problem=Problem(fault, "gone"))
    return talk


def ended(sent: str = '{"delete": 7}') -> list[Told]:
    message = f"The server crashed on POST /api/queue with the body {sent}. All jobs in its queue may be lost."
    return [Told(None, "a response, such as 400", "none, and none to the requests that followed", message)]


def test_a_server_survives_a_malformed_request() -> None:
    for status in (200, 400, 500):
        assert told("survives-malformed", manage(Talk().look(), NUMBER, status).look()) == []
    assert told("survives-malformed", Talk().look().delete(A).look()) is None
    assert told("survives-malformed", manage(Talk().look(), NUMBER)) is None, "nobody looked afterwards"


@pytest.mark.parametrize("fault", [NoResponse.BROKEN, NoResponse.UNREACHABLE])
def test_a_server_that_answers_nothing_after_a_malformed_request_has_ended(fault: NoResponse) -> None:
    for before in (Talk(), Talk().look(), Talk().look().look()):
        assert told("survives-malformed", silent(manage(before, NUMBER).look(), fault, last=2)) == ended()


def test_a_clock_may_begin_with_the_run() -> None:
    talk = silent(manage(Talk(), NUMBER).look(), last=2)
    assert (
        told("survives-malformed", [replace(one, started=(one.started or 0) - NOW) for one in talk.exchanges])
        == ended()
    )


def test_a_server_that_is_started_again_has_ended_nevertheless() -> None:
    talk = silent(silent(manage(Talk().look(), NUMBER)).look(), NoResponse.UNREACHABLE).look()
    assert told("survives-malformed", talk) == ended()


def test_a_connection_that_ends_is_not_a_server_that_ends() -> None:
    assert told("survives-malformed", silent(manage(Talk().look(), NUMBER)).look()) is None
    assert told("survives-malformed", silent(silent(manage(Talk().look(), NUMBER)).look()).look()) is None
    slow = silent(silent(manage(Talk().look(), NUMBER), NoResponse.TIMEOUT).look(), NoResponse.TIMEOUT)
    assert told("survives-malformed", slow) is None
    assert told("survives-malformed", silent(Talk().look().delete(A).look(), last=2)) is None
