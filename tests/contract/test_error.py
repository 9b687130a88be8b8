"""Errors: their form, what they must not hold, and which of them a request has earned."""

from __future__ import annotations

import json

import pytest

from conformance.contract.clauses.error import GARBLED_ORIGIN, READABLE
from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Request, Response
from conformance.judge.judge import judge
from helpers.answers import HEADERS, NOW, Told, asked, got, item, queue, read, said

ERROR = b'{"code": "INTERNAL", "message": "m"}'
PLAIN = (("Content-Type", "text/plain"),)
JSON_TYPE = ("Content-Type", "application/json")
PAGE = (("Content-Type", "text/html"),)


def failed(body: bytes, status: int = 500, headers: Headers = HEADERS) -> Exchange:
    return read(body, status=status, headers=headers)


# --- the form of 400 and 500 ------------------------------------------------------------------------------------------

FORM = ("error.content-type", "error.object", "error.code", "error.message", "error.not-empty")


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_as_it_is_documented_is_accused_by_nobody(status: int) -> None:
    for clause in FORM:
        assert said(clause, failed(ERROR, status)) == []


@pytest.mark.parametrize("status", [200, 399, 401, 404, 499, 501, 503])
def test_of_other_statuses_the_form_is_not_demanded(status: int) -> None:
    for clause in FORM:
        assert said(clause, failed(b"no", status)) is None


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "CONNECT"])
def test_of_other_methods_the_form_is_not_demanded(method: str) -> None:
    for clause in FORM:
        assert said(clause, asked(500, b"no", method=method)) is None


def test_of_other_resources_the_form_is_not_demanded() -> None:
    for clause in FORM:
        assert said(clause, asked(500, b"no", to_queue=False)) is None


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (PLAIN, "text/plain"),
        ((), "no Content-Type"),
        ((("Content-Type", ""),), "an empty Content-Type"),
        ((JSON_TYPE, JSON_TYPE), "2 Content-Type lines: application/json and application/json"),
        ((("Content-Type", "application/problem+json"),), "application/problem+json"),
    ],
)
def test_a_documented_error_is_labelled_as_json(status: int, headers: Headers, found: str) -> None:
    assert said("error.content-type", failed(ERROR, status, headers)) == [
        Told(None, "application/json", found, f"The Content-Type of the {status} response is not application/json.")
    ]
    assert said("error.object", failed(ERROR, status, headers)) is None


@pytest.mark.parametrize(("body", "found"), [(b"[]", "[]"), (b'"x"', '"x"'), (b"", "not JSON"), (b"x", "not JSON")])
def test_the_body_of_a_documented_error_is_an_object(body: bytes, found: str) -> None:
    assert said("error.object", failed(body)) == [
        Told(
            "",
            "an object with code and message",
            found,
            "The body of the 500 response is not a JSON object (schema ErrorResponse).",
        )
    ]
    assert said("error.code", failed(body)) is None


@pytest.mark.parametrize("name", ["code", "message"])
@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("{}", None),
        ('{"detail": "x"}', "FastAPI's default form"),
        ('{"error": "x"}', '{{"error": …}} is ComfyUI\'s own form; {name} may be inside error'),
        ('{"detail": "x", "error": "x"}', '{{"error": …}} is ComfyUI\'s own form; {name} may be inside error'),
    ],
)
def test_a_member_that_is_missing_is_told_with_its_cause(name: str, body: str, hint: str | None) -> None:
    hint = None if hint is None else hint.format(name=name)
    expected = [Told(f"/{name}", "a string", "absent", f"The error response has no {name}.", hint)]
    assert said(f"error.{name}", failed(body.encode())) == expected


@pytest.mark.parametrize("name", ["code", "message"])
@pytest.mark.parametrize("text", ["null", "1", "[]", "{}"])
def test_a_member_that_is_no_string_is_named(name: str, text: str) -> None:
    body = f'{{"{name}": {text}}}'.encode()
    assert said(f"error.{name}", failed(body)) == [Told(f"/{name}", "a string", text, f"{name} is not a string.")]
    assert said("error.not-empty", failed(body)) is None


@pytest.mark.parametrize("name", ["code", "message"])
@pytest.mark.parametrize("text", ['""', '" \\n"'])
def test_a_member_that_says_nothing_is_named(name: str, text: str) -> None:
    found = said("error.not-empty", failed(f'{{"{name}": {text}}}'.encode()))
    assert found == [Told(f"/{name}", "a text", text, f"{name} is empty or blank.")]


# --- other errors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [402, 404, 405, 406, 429, 501, 503])
def test_json_of_any_other_error_has_the_same_form(status: int) -> None:
    assert said("error.other-status", failed(ERROR, status)) == []
    for body in (b'{"code": "c"}', b'{"message": "m"}', b'{"code": 1, "message": "m"}', b"[]"):
        (finding,) = said("error.other-status", failed(body, status)) or []
        assert (finding.pointer, finding.got) == ("", body.decode())
        assert (
            finding.message
            == f"The body of the {status} response is not a JSON object with code and message (schema ErrorResponse)."
        )


@pytest.mark.parametrize("status", [200, 399, 400, 401, 403, 500])
def test_what_has_a_clause_of_its_own_is_no_other_error(status: int) -> None:
    assert said("error.other-status", failed(b"{}", status)) is None


def test_what_is_no_json_has_no_form() -> None:
    assert said("error.other-status", failed(b"{}", 404, PLAIN)) is None
    assert said("error.other-status", failed(b"{}", 404, (("Content-Type", "application/geo+json"),))) is None
    assert said("error.other-status", failed(b"no", 404)) is None
    assert said("error.other-status", asked(404, b"{}", method="HEAD")) is None


def test_an_error_that_answers_another_method_is_another_error() -> None:
    for method in ("OPTIONS", "CONNECT"):
        assert got(said("error.other-status", asked(500, b"{}", method=method))) == ["{}"]


# --- what an error must not hold --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["queue_running", "queue_pending"])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_job_in_an_error_is_found_at_any_depth(name: str, depth: int) -> None:
    body = '{"a":' * depth + f'{{"{name}": [{json.dumps(item())}]}}' + "}" * depth
    expected = [
        Told(
            "/a" * depth + f"/{name}",
            "no queue",
            "array of 1 elements",
            "The body of the 404 response contains jobs of the queue.",
        )
    ]
    assert said("error.no-queue", failed(body.encode(), 404)) == expected


@pytest.mark.parametrize(
    "job", [item()[1], {"id": item()[1]}, {"prompt": item()[2]}, item()[:4], [item()[1]], [1, "x", item()[2]]]
)
def test_a_job_shows_an_id_or_a_workflow(job: object) -> None:
    body = json.dumps({"queue_pending": [job]}).encode()
    assert [finding.pointer for finding in said("error.no-queue", failed(body, 401)) or ()] == ["/queue_pending"]


@pytest.mark.parametrize("status", [400, 411, 413, 599])
def test_every_error_but_a_failed_condition_is_looked_through(status: int) -> None:
    assert got(said("error.no-queue", failed(queue(item()), status))) == ["array of 1 elements"]
    assert said("error.no-queue", failed(queue(item()), 412)) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"queue_running": null}',
        b'{"queue_running": 3}',
        b'["queue_running"]',
        b"no",
        b'{"queue_running": [], "queue_pending": []}',
        b'{"details": {"queue_pending": ["is no parameter"]}}',
        b'{"errors": {"queue_pending": [{"msg": "unknown", "type": "extra_forbidden"}]}}',
        b'{"queue_pending": [null, 1, "a", [], {}, [1, 2]]}',
    ],
)
def test_what_shows_no_job_is_no_queue(body: bytes) -> None:
    assert said("error.no-queue", failed(body)) == []


def test_a_success_may_carry_the_queue() -> None:
    assert said("error.no-queue", failed(queue(), 399)) is None
    assert said("error.no-queue", asked(404, queue(), method="HEAD")) is None
    assert said("error.no-queue", asked(404, queue(), method="CONNECT")) is None


INTERNALS = [
    "Traceback (most recent call last)",
    'File "x", line 3',
    "goroutine 1 [running]",
    "at com.acme.Main.run(Main.java:3)",
    "at Object.x(a.js:3:14)",
    "panicked at ",
    "at file:///srv/app/main.js:10:3",
    "at run (/srv/app/main.js:10:3)",
    "/srv/app/main.py",
    "/srv/app/main.go",
    "/srv/app/main.rs",
    "/srv/app/Main.java",
    "/srv/app/main.rb",
    r"C:\app\main.py",
    r"C:\app\lib.dll",
    r"C:\app\app.exe",
]
HARMLESS = [
    "no traceback here",
    "line 3 of the file",
    "at noon (12:30)",
    "/srv/app",
    "main.py",
    "/main.py",
    "/srv/app/main.pyx",
    "C:",
]


@pytest.mark.parametrize("text", INTERNALS)
def test_what_only_the_server_s_people_know_is_found_in_any_string(text: str) -> None:
    for body in ({"message": text}, {text: 1}, {"a": [{"b": [f"before {text}"]}]}, text):
        (finding,) = said("error.no-internals", failed(json.dumps(body).encode())) or []
        assert (finding.pointer, finding.expected) == ("", "a message for users")
        assert finding.message == "The body of the 500 response shows a path or a stack trace of the server's code."
    assert got(said("error.no-internals", failed(text.encode(), 404, PLAIN))) != []


@pytest.mark.parametrize("text", HARMLESS)
def test_what_looks_a_little_like_it_is_let_pass(text: str) -> None:
    assert said("error.no-internals", failed(json.dumps({"message": text, "n": 3}).encode())) == []


def test_in_a_page_tags_are_no_text() -> None:
    body = b'<html><script src="/srv/app/main.py"></script></html>'
    assert said("error.no-internals", failed(body, 500, PAGE)) == []
    for other in (PLAIN, (("Content-Type", "text/css"),)):
        assert got(said("error.no-internals", failed(body, 500, other))) == ["/srv/app/main.py"]
    assert got(said("error.no-internals", failed(b"<p>/srv/app/main.py</p>", 500, PAGE))) == ["/srv/app/main.py"]


def test_an_error_is_looked_through_within_bounds() -> None:
    assert READABLE == 65_536
    text = b"/srv/app/main.py"
    near, far = (b" " * (READABLE - length) + text for length in (len(text), len(text) - 1))
    assert got(said("error.no-internals", failed(near, 500, PLAIN))) == ["/srv/app/main.py"]
    assert got(said("error.no-internals", failed(far, 500, PLAIN))) == []
    near, far = (b"[" + b"0," * more + b'"/srv/app/main.py"]' for more in (READABLE - 2, READABLE - 1))
    assert got(said("error.no-internals", failed(near))) == ["/srv/app/main.py"]
    assert got(said("error.no-internals", failed(far))) == []


def test_bytes_that_are_no_text_are_looked_through_as_well() -> None:
    assert got(said("error.no-internals", failed(b"\xff /srv/app/main.py \xff", 500, PLAIN))) == ["/srv/app/main.py"]


# --- Retry-After ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["0", "30", "120", "Sun, 23 Nov 2025 16:00:00 GMT"])
def test_seconds_and_dates_say_when_to_come_back(value: str) -> None:
    assert said("error.retry-after", failed(b"", 503, (("Retry-After", value),))) == []


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "٣", "30 s", "Sunday, 23-Nov-25 16:00:00 GMT"])
def test_anything_else_says_nothing(value: str) -> None:
    expected = [Told(None, "seconds or an HTTP-date", value, "Retry-After is neither a number of seconds nor a date.")]
    assert said("error.retry-after", failed(b"", 503, (("Retry-After", value),))) == expected


def test_where_nothing_is_said_nothing_is_judged() -> None:
    assert said("error.retry-after", failed(b"", 503)) is None


# --- what a header of the request may bring about ---------------------------------------------------------------------

CARELESS = "ComfyUI does not check Origin before it parses the header"


def from_origin(status: int, origin: str = GARBLED_ORIGIN, headers: Headers = HEADERS, number: int = 2) -> Exchange:
    sent = Request("GET", "http://t/api/queue", (("Accept", "application/json"), ("Origin", origin)))
    return Exchange(f"x{number}", sent, Response(status, headers), started=NOW + number, elapsed=0.01)


@pytest.mark.parametrize("status", [500, 501, 599])
@pytest.mark.parametrize(
    ("headers", "hint"), [(PLAIN, CARELESS), (HEADERS, None), ((("Content-Type", "text/xml"),), None), ((), None)]
)
def test_a_garbled_origin_is_no_server_error(status: int, headers: Headers, hint: str | None) -> None:
    expected = [Told(None, "200 or 4xx", str(status), "A malformed Origin causes a server error.", hint)]
    assert said("error.bad-header", from_origin(status, headers=headers)) == expected


@pytest.mark.parametrize("status", [200, 400, 403, 495, 499, 502, 503, 504, 600])
def test_a_garbled_origin_may_be_refused_and_the_server_away(status: int) -> None:
    assert said("error.bad-header", from_origin(status)) == []


@pytest.mark.parametrize("origin", ["http://t:0", "http://t:x", "http://t:65536", "http://[t", "http://t:-1"])
def test_these_origins_are_garbled(origin: str) -> None:
    assert got(said("error.bad-header", from_origin(500, origin))) == ["500"]
    assert said("error.optional-header", read(queue()), from_origin(500, origin), from_origin(500, origin)) is None


@pytest.mark.parametrize("origin", ["null", "http://t", "http://t:1", "http://t:65535", "x"])
def test_these_origins_are_not(origin: str) -> None:
    assert said("error.bad-header", from_origin(500, origin)) is None


def test_without_an_origin_none_is_garbled() -> None:
    assert said("error.bad-header", asked(500)) is None
    assert said("error.bad-header", asked(500, request=(("Origin", GARBLED_ORIGIN),), method="HEAD")) is None
    head_unknown = Exchange("x1", from_origin(500).request, Response(500, head=False))
    assert said("error.bad-header", head_unknown) is None


def odd(
    status: int, number: int, name: str = "Range", value: str = "bytes=-1", purpose: str = "read of the end"
) -> Exchange:
    return asked(status, number=number, request=((name, value),), purpose=purpose)


def test_a_header_that_makes_the_server_fail_every_time_is_named() -> None:
    message = "Every GET of the queue with this optional header fails (read of the end)."
    expected = [Told(None, "200 or 206 or 400 or 416", "501", message)]
    exchanges = (read(queue()), *(odd(500, n, purpose=f"read {n}") for n in (1, 2, 3)), odd(501, 4))
    assert said("error.optional-header", *exchanges) == expected
    assert got(said("error.optional-header", read(queue()), odd(500, 2, "X-Odd"), odd(500, 3, "X-Odd"))) == ["500"]
    found = judge(exchanges, only={"error.optional-header"}).results[0]
    assert [evidence.exchange for evidence in found.evidence] == ["x4"]


def test_one_right_answer_to_the_same_request_is_enough() -> None:
    assert said("error.optional-header", read(queue()), odd(500, 2), odd(416, 3)) == []
    assert said("error.optional-header", read(queue()), odd(200, 2), odd(500, 3)) == []


def test_each_kind_of_header_is_judged_by_itself() -> None:
    exchanges = (read(queue()), odd(500, 2), odd(500, 3), odd(200, 4, "X-Odd"), odd(500, 5, "X-Odd"))
    assert got(said("error.optional-header", *exchanges)) == ["500"]


def test_the_lower_case_name_of_the_key_s_header_has_a_clause_of_its_own() -> None:
    refused = (asked(500, number=number, credential=Credential.LOWER_CASE_NAME) for number in (2, 3))
    assert said("error.optional-header", read(queue()), *refused) is None


def test_a_queue_that_is_not_served_at_all_is_not_told_of_headers() -> None:
    assert said("error.optional-header", odd(500, 2), odd(500, 3)) is None


def test_one_failure_is_chance() -> None:
    assert said("error.optional-header", read(queue()), odd(500, 2)) is None


# --- errors that the document does not name ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 422, 429, 502, 503])
@pytest.mark.parametrize(
    "body",
    [b"Unauthorized", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[NaN]", b"{}{}", b'"\x01"'],
    ids=["word", "cut", "not UTF-8", "mark", "NaN", "two texts", "control character"],
)
def test_what_their_body_holds_breaks_no_must(status: int, body: bytes) -> None:
    judgement = judge([read(queue(item())), failed(body, status)])
    broken = {result.id: result.level for result in judgement.results if result.evidence}
    assert "error.other-json" in broken
    assert set(broken.values()) == {"should"}


@pytest.mark.parametrize("status", [400, 500])
def test_a_documented_error_must_be_json(status: int) -> None:
    judgement = judge([read(queue(item())), failed(b"Bad Request", status)])
    broken = {result.id: result.level for result in judgement.results if result.evidence}
    assert broken["json.well-formed"] == "must"
    assert "error.other-json" not in broken


def test_other_json_is_looked_at_if_it_is_labelled_so() -> None:
    assert said("error.other-json", failed(ERROR, 404)) == []
    assert said("error.other-json", failed(b"Not Found", 404, PLAIN)) is None
    assert said("error.other-json", failed(b"", 404)) is None
    assert said("error.other-json", asked(404, b"no", method="OPTIONS")) is None
