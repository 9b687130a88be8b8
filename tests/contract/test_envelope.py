"""That the queue is served, every time, as an object of two lists."""

from __future__ import annotations

import pytest

from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Request, Response
from conformance.judge.judge import judge
from helpers.answers import HEADERS, Told, asked, got, item, queue, read, said

QUERY = "http://t/api/queue?page=1"


def sent(
    status: int, number: int, request: Headers = (), url: str = "http://t/api/queue", extra: Headers = ()
) -> Exchange:
    headers = (("Accept", "application/json"), *request)
    response = Response(status, (*HEADERS, *extra), queue())
    return Exchange(f"x{number}", Request("GET", url, headers), response, started=1.0 + number, elapsed=0.01)


# --- served -----------------------------------------------------------------------------------------------------------

PATH = "the queue has another path: look it up, and give it with --queue-path"
OWN_PATH = "this is not the path of the queue: look it up, and give it with --queue-path"
NO_LOCATION = "redirects are not followed, and this one has no Location: ask the operator of the server where it leads"
NOT_MODIFIED = "a 304 is a response to a conditional request, and this one was not: check whether a cache sent it"


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (199, None),
        (201, None),
        (204, None),
        (299, None),
        (300, None),
        *((status, NO_LOCATION) for status in (301, 302, 303, 307, 308)),
        (304, NOT_MODIFIED),
        (305, None),
        (399, None),
        (400, None),
        (410, None),
        (404, PATH),
        (405, OWN_PATH),
        (406, None),
        (500, None),
    ],
)
def test_a_queue_that_is_never_served_is_told_with_its_cause(status: int, hint: str | None) -> None:
    expected = [Told(None, "200", str(status), "No GET of the queue got a 200.", hint)]
    assert said("status.served", sent(status, 1)) == expected


def test_the_first_answer_that_tells_something_is_named() -> None:
    exchanges = (sent(503, 1), sent(404, 2), sent(500, 3))
    assert got(said("status.served", *exchanges)) == ["404"]
    found = judge(exchanges, only={"status.served"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x2"]


def test_one_good_read_is_enough() -> None:
    assert said("status.served", sent(500, 1), sent(200, 2)) == []


@pytest.mark.parametrize("status", [401, 402, 403, 407, 408, 425, 429, 502, 503, 504])
def test_not_let_in_and_not_now_say_nothing_of_the_queue(status: int) -> None:
    assert said("status.served", sent(status, 1)) is None


def test_a_request_that_gives_an_excuse_says_nothing_either() -> None:
    assert said("status.served", sent(404, 1, url=QUERY), asked(404, credential=Credential.WRONG)) is None


def test_a_run_without_a_normal_read_is_inconclusive() -> None:
    judgement = judge([asked(200, queue(item()), request=(("Range", "bytes=0-0"),))])
    assert judgement.reason == "1 core clause not checked: status.served"


@pytest.mark.parametrize(
    ("status", "served", "steady"), [(200, [], []), (206, None, []), (412, None, []), (404, ["404"], ["404"])]
)
def test_request_headers_that_a_recording_lacks_may_explain_a_status(
    status: int, served: list[str] | None, steady: list[str]
) -> None:
    unknown = asked(status, head=False)
    assert got(said("status.served", unknown)) == served
    assert got(said("status.steady", sent(200, 1), unknown)) == steady
    known = asked(status)
    assert got(said("status.steady", sent(200, 1), known)) == ([] if status == 200 else [str(status)])


# --- steady -----------------------------------------------------------------------------------------------------------


def steady(*exchanges: Exchange) -> list[str] | None:
    return got(said("status.steady", *exchanges))


@pytest.mark.parametrize("status", [199, 201, 400, 404, 500, 503])
def test_a_read_that_fails_once_is_named(status: int) -> None:
    assert said("status.steady", sent(200, 1), sent(status, 2)) == [
        Told(None, "200", str(status), "A GET of the queue (read) did not get a 200, although others did.")
    ]


def test_a_queue_that_is_never_served_is_not_unsteady() -> None:
    assert steady(sent(500, 1), sent(500, 2)) is None


def test_who_is_told_when_to_come_back_has_been_told() -> None:
    assert steady(sent(200, 1), sent(429, 2)) == []
    assert steady(sent(200, 1), sent(503, 2, extra=(("Retry-After", "3"),))) == []
    assert said("status.steady", sent(200, 1), asked(429), asked(404, credential=Credential.NONE)) == []


@pytest.mark.parametrize("status", [428, 430])
def test_neighbours_of_429_are_no_429(status: int) -> None:
    assert steady(sent(200, 1), sent(status, 2)) == [str(status)]


def test_a_status_that_the_request_leaves_open_is_steady() -> None:
    assert steady(sent(200, 1), sent(400, 2, url=QUERY)) == []
    (found,) = said("status.steady", sent(200, 1), sent(500, 2, url=QUERY)) or []
    assert (found.expected, found.got) == ("200 or 400", "500")
    assert steady(sent(200, 1), sent(206, 2, (("Range", "bytes=0-0"),))) == []


def test_a_request_that_is_refused_every_time_has_a_clause_of_its_own() -> None:
    assert steady(sent(200, 1), sent(500, 2, url=QUERY), sent(500, 3, url=QUERY)) == []
    ranged = (("Range", "bytes=0-0"),)
    assert steady(sent(200, 1), sent(500, 2, ranged), sent(500, 3, ranged)) == []


def test_a_request_that_is_refused_now_and_then_is_unsteady() -> None:
    assert steady(sent(200, 1), sent(500, 2, url=QUERY), sent(400, 3, url=QUERY)) == ["500"]


def test_one_refusal_is_chance() -> None:
    anything = (("Accept", "*/*"),)
    alone = Exchange("x2", Request("GET", "http://t/api/queue", anything), Response(500), started=2.0, elapsed=0.01)
    assert steady(sent(200, 1), alone) == ["500"]
    again = Exchange("x3", alone.request, alone.response, started=3.0, elapsed=0.01)
    assert steady(sent(200, 1), alone, again) == []


def test_the_usual_request_that_is_refused_every_time_is_unsteady() -> None:
    agent = (("User-Agent", "other"),)
    assert steady(sent(200, 1), sent(500, 2, agent), sent(500, 3, agent)) == ["500", "500"]


def test_a_request_that_differs_in_more_than_one_way_is_unsteady() -> None:
    odd = (("Range", "bytes=0-0"),)
    assert steady(sent(200, 1), sent(500, 2, odd, QUERY), sent(500, 3, odd, QUERY)) == ["500", "500"]


def test_a_bare_body_says_nothing_of_statuses() -> None:
    bare = Exchange("x2", Request("GET", "file:///queue.json"), Response(200, content=queue(), head=False))
    assert steady(bare) is None
    assert steady(sent(200, 1), bare) == []


# --- the object -------------------------------------------------------------------------------------------------------

UNWRAPPED = "the list of jobs without the object around it"
TWICE = "a string that contains the queue as JSON: encoded twice"


@pytest.mark.parametrize(
    ("body", "hint"), [("[]", UNWRAPPED), ('"{}"', TWICE), ("null", None), ("1", None), ("true", None)]
)
def test_a_body_that_is_no_object_is_named(body: str, hint: str | None) -> None:
    expected = [Told("", "an object", body, "The body is not a JSON object.", hint)]
    assert said("envelope.object", read(body.encode())) == expected


@pytest.mark.parametrize("body", ["", "{", "NaN"])
def test_what_is_no_value_has_a_clause_of_its_own(body: str) -> None:
    assert said("envelope.object", read(body.encode())) is None


def test_any_object_is_one() -> None:
    assert said("envelope.object", read(b"{}")) == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('{"error": "x"}', True),
        ('{"errors": ["x"]}', True),
        ('{"code": "c", "message": "m"}', True),
        ('{"code": null, "message": null, "x": 1}', False),
        ('{"code": 0, "message": "success", "data": {"queue_running": []}}', False),
        ('{"code": 401, "message": "Unauthorized"}', False),
        ('{"code": "OK", "message": "done"}', False),
        ('{"code": "UNAUTHORIZED", "message": ""}', True),
        ('{"error": "none", "result": {}}', False),
        ('{"error": 500}', True),
        ('{"error": false}', False),
        ('{"code": "c"}', False),
        ('{"message": "m"}', False),
        ('{"error": null}', False),
        ('{"error": "", "errors": []}', False),
        ("{}", False),
        ('{"error": "x", "queue_running": []}', False),
        ('{"error": "x", "queue_pending": null}', False),
        ('{"code": "c", "message": "m", "queue_running": [], "queue_pending": []}', False),
    ],
)
def test_an_error_under_200_is_one_where_no_list_stands_beside_it(body: str, *, error: bool) -> None:
    found = said("envelope.not-an-error", read(body.encode()))
    assert [(finding.pointer, finding.message) for finding in found or ()] == (
        [("", "The status is 200, but the body looks like an error.")] if error else []
    )
    assert (said("envelope.both-lists", read(body.encode())) is None) is error


@pytest.mark.parametrize("name", ["queue_running", "queue_pending"])
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("null", "send an empty list as []"),
        ("{}", "send an empty list as []"),
        ('""', "send an empty list as []"),
        ("0", None),
        ("true", None),
        ('{"a": 1}', None),
        ('"[]"', None),
    ],
)
def test_a_list_that_is_none_is_named(name: str, text: str, hint: str | None) -> None:
    clause = f"envelope.{name.replace('_', '-')}.array"
    expected = [Told(f"/{name}", "an array", text, f"{name} is not an array.", hint)]
    assert said(clause, read(f'{{"{name}": {text}}}'.encode())) == expected


@pytest.mark.parametrize(
    ("clause", "body"),
    [
        ("envelope.object", b"NaN"),
        ("envelope.queue-running.array", b"{}"),
        ("envelope.queue-pending.array", b"{}"),
    ],
)
def test_a_run_that_could_not_check_the_object_and_its_lists_is_inconclusive(clause: str, body: bytes) -> None:
    assert judge([read(body)], only={clause}).reason == f"1 core clause not checked: {clause}"


@pytest.mark.parametrize("name", ["queue_running", "queue_pending"])
def test_a_list_is_judged_where_there_is_one(name: str) -> None:
    clause = f"envelope.{name.replace('_', '-')}.array"
    assert said(clause, read(f'{{"{name}": []}}'.encode())) == []
    assert said(clause, read(b"{}")) is None
    assert said(clause, read(f'{{"{name}": NaN}}'.encode())) is None


def test_a_list_that_is_missing_is_pointed_at() -> None:
    found = said("envelope.both-lists", read(b'{"x": 1}'))
    assert found == [
        Told("/queue_running", "an array", "absent", "queue_running is missing."),
        Told("/queue_pending", "an array", "absent", "queue_pending is missing."),
    ]
    assert said("envelope.both-lists", read(queue(item()))) == []
