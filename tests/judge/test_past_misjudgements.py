"""Servers that are right and look odd, and lies that look right: each was once judged wrongly."""

from __future__ import annotations

import pytest

from conformance.contract.clauses import queue as order
from conformance.contract.clauses.http_conditional import MADE_UP_VALIDATOR
from conformance.contract.terms import Dialect
from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Request, Response
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import REDACTED, Secret
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.judge import Judgement, judge
from conformance.judge.report import Status, Verdict, encode
from conformance.run.settings import Settings
from helpers.answers import HEADERS, NOW, asked, broken, item, queue, read, reads, result

GOOD = queue(item(1), item(2))


def beside(*others: Exchange) -> Judgement:
    """Judge exchanges beside two good reads."""
    return judge([*reads(GOOD, GOOD), *others])


# --- right, and not to be accused -------------------------------------------------------------------------------------


def test_one_failure_of_the_read_with_a_range_is_no_breach_of_a_must() -> None:
    failed = asked(500, b'{"code": "INTERNAL", "message": "m"}', request=(("Range", "bytes=0-0"),))
    assert beside(failed).verdict is Verdict.CONFORMANT


def test_a_part_of_a_compressed_body_need_not_decode() -> None:
    part = Response(206, (("Content-Encoding", "gzip"), ("Content-Range", "bytes 0-0/300"), *HEADERS), b"", "gzip: cut")
    sent = Request("GET", "http://t/api/queue", (("Range", "bytes=0-0"), ("Accept-Encoding", "gzip")))
    assert "http.coding-decodes" not in broken(beside(Exchange("x9", sent, part, started=NOW + 9, elapsed=0.01)))


@pytest.mark.parametrize("status", [302, 400, 404, 422])
def test_a_request_without_the_key_may_be_refused_with_another_status(status: int) -> None:
    judgement = beside(asked(status, credential=Credential.NONE))
    assert result(judgement, "auth.key-required").status is Status.PASS
    assert result(judgement, "auth.status").status is Status.WARN


def test_a_page_may_name_its_own_scripts() -> None:
    page = b'<html><script src="/cdn-cgi/scripts/5c5dd728/email-decode.min.js"></script></html>'
    response = Response(406, (("Content-Type", "text/html"),), page)
    sent = Request("GET", "http://t/api/queue", (("Accept", "text/csv"),))
    assert broken(beside(Exchange("x9", sent, response, started=NOW + 9, elapsed=0.01))) == set()


@pytest.mark.parametrize(
    "fields",
    [
        (("Cache-Control", "private, max-age=0"), ("Expires", "Mon, 24 Nov 2025 16:00:00 GMT")),
        (("Cache-Control", "max-age=0, must-revalidate"),),
    ],
)
def test_other_ways_to_forbid_an_old_answer_are_fine(fields: Headers) -> None:
    headers = (("Content-Type", "application/json"), ("Date", "Sun, 23 Nov 2025 16:00:00 GMT"), *fields)
    assert broken(judge([read(GOOD, headers=headers)])) == set()


def test_an_error_member_that_is_null_is_no_error() -> None:
    assert "envelope.not-an-error" not in broken(judge(reads(b'{"error": null}')))


# --- lies that look right ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_lower_case_header_name_that_is_not_let_in_is_a_breach_whatever_the_status(status: int) -> None:
    spelt = asked(status, b'{"code": "c", "message": "m"}', credential=Credential.LOWER_CASE_NAME)
    assert "auth.header-name" in broken(beside(spelt))


def test_two_content_types_are_none() -> None:
    both = (("Content-Type", "application/json"), ("Content-Type", "text/html"), *HEADERS[1:])
    assert "http.content-type" in broken(judge([read(GOOD, headers=both)]))


def test_garbage_before_many_brackets_is_no_json() -> None:
    assert "json.well-formed" in broken(judge(reads(b"oops " + b"[" * 600)))


def test_a_refusal_with_the_queue_one_level_down_carries_it() -> None:
    body = b'{"code": "U", "message": "m", "data": ' + queue(running=(item(1),)) + b"}"
    found = result(beside(asked(401, body, credential=Credential.NONE)), "error.no-queue")
    assert [evidence.pointer for evidence in found.evidence] == ["/data/queue_running"]


def test_orders_that_alternate_between_answers_are_mixed() -> None:
    swapped = item(1)
    swapped[3], swapped[4] = swapped[4], swapped[3]
    judgement = judge(reads(queue(item(1)), queue(swapped), queue(item(1))), Dialect.AUTO)
    assert "queue.one-order" in broken(judgement)


def test_304_to_a_made_up_validator_is_a_breach() -> None:
    assert "http.not-modified" in broken(beside(asked(304, request=(("If-None-Match", MADE_UP_VALIDATOR),))))


def test_a_very_long_lifetime_is_a_long_one() -> None:
    headers = (*HEADERS[:2], ("Cache-Control", "private, max-age=99999999999999"))
    assert "caching.lifetime" in broken(judge([read(GOOD, headers=headers)]))


# --- what must not stop us --------------------------------------------------------------------------------------------


def report_of(*bodies: bytes) -> bytes:
    """Judge, report, and return compliance.json."""
    return encode(report_on(Transcript(tuple(reads(*bodies)), "t", NOW, NOW + 1, None), Settings().judging))


def test_half_a_character_in_the_name_of_a_node_can_be_reported() -> None:
    body = queue(item(1)).replace(b'{"9":', b'{"\\ud800": {}, "9":')
    assert b"paired-surrogates" in report_of(body)


def test_a_name_of_megabytes_does_not_make_a_report_of_megabytes() -> None:
    graph = {"n" * 1_000_000: {"class_type": "X", "inputs": {str(n): [f"no{n}", 0] for n in range(25)}}}
    assert len(report_of(queue(item(1, e2=graph)))) < 500_000


def test_a_list_out_of_order_is_looked_through_for_its_cause_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(order, "_order", lambda times: looked.append(len(times)))
    judge(reads(queue(*[item(n) for n in range(500, 0, -1)])))
    assert looked == [500, 500], "once for create_time, once for job_number"


@pytest.mark.parametrize("text", [b"9" * 4300 + b", " + b"-" + b"9" * 4300, b"1e1000000, 1e999999"])
def test_numbers_of_any_size_are_compared(text: bytes) -> None:
    first, second = text.split(b", ")
    body = queue(item(1, e4={"create_time": 111}), item(2, e4={"create_time": 222}))
    judgement = judge(reads(body.replace(b"111", first).replace(b"222", second)))
    assert [found.id for found in judgement.results if found.status is Status.ERROR] == []


# --- the key ----------------------------------------------------------------------------------------------------------

KEY = "secret-key-1/ab+cd"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        r"secret-key-1/ab\u002Bcd",
        r"secret-key-1\/ab+cd",
        "secret-key-1%2Fab%2bcd",
        "c2VjcmV0LWtleS0xL2FiK2Nk",
        "".join(f"\\u{ord(c):04x}" for c in KEY),
    ],
)
def test_the_key_is_found_however_it_is_written(written: str) -> None:
    redactor = Redactor(Secret(KEY))
    assert redactor.text(f"<{written}>") == f"<{REDACTED}>"
    assert redactor.content(f"<{written}>".encode()) == f"<{REDACTED}>".encode()


def test_keys_that_users_sent_with_their_jobs_stand_in_no_finding() -> None:
    job = item(1)
    job[3], job[4] = {"create_time": 1, "api_key_comfy_org": "comfyui-1234"}, ["9"]
    report = report_of(queue(job))
    assert b"item.element-order" in report
    assert b"comfyui-1234" not in report


def test_a_coding_that_nobody_can_undo_here_is_no_broken_one_and_no_answer_that_was_read() -> None:
    coded = Response(
        200, (("Content-Encoding", "zstd"), *HEADERS), b"\x0b", "zstd: the request did not ask for this coding"
    )
    sent = Request("GET", "http://t/api/queue", (("Accept", "application/json"), ("Accept-Encoding", "identity")))
    judgement = beside(Exchange("x9", sent, coded, started=NOW + 9, elapsed=0.01))
    assert broken(judgement) == {"http.coding-asked"}
    assert judgement.verdict is Verdict.INCONCLUSIVE


def test_a_part_that_was_not_asked_for_is_a_breach() -> None:
    part = Response(206, (("Content-Range", "bytes 5-5/300"), *HEADERS), b"x")
    sent = Request("GET", "http://t/api/queue", (("Range", "bytes=0-0"),))
    assert broken(beside(Exchange("x9", sent, part, started=NOW + 9, elapsed=0.01))) == {"http.range"}


def _failed(message: str) -> Judgement:
    error = read(f'{{"code": "C", "message": {message}}}'.encode(), number=2, status=500)
    return judge([read(queue(item())), error])


@pytest.mark.parametrize("message", [r'"Missing FILES:\ncustom.py"', r'"A:\n.py"'])
def test_a_line_break_after_a_colon_is_no_path_of_windows(message: str) -> None:
    assert "error.no-internals" not in broken(_failed(message))


@pytest.mark.parametrize(
    "message", [r'"open \/srv\/app\/main.py failed"', r'"File \u0022x.py\u0022, line 3"', r'"C:\\app\\main.py"']
)
def test_a_path_is_seen_however_json_escapes_it(message: str) -> None:
    assert "error.no-internals" in broken(_failed(message))


@pytest.mark.parametrize(
    ("one", "other"), [("1.0", "1.00"), ("1.0", "1"), ("1e16", "10000000000000000"), ("-0.0", "0")]
)
def test_a_number_that_is_written_another_way_is_the_same_job(one: str, other: str) -> None:
    texts = (
        queue(item()).replace(b'"inputs": {}', b'"inputs": {"cfg": ' + text.encode() + b"}") for text in (one, other)
    )
    assert "reads.job-data" not in broken(judge(reads(*texts)))


def test_a_number_that_is_another_one_is_a_change() -> None:
    texts = (queue(item()).replace(b'"inputs": {}', b'"inputs": {"cfg": ' + text + b"}") for text in (b"1.5", b"1.25"))
    assert "reads.job-data" in broken(judge(reads(*texts)))


def test_x_gzip_and_gzip_are_one_coding() -> None:
    coded = asked(200, GOOD, ("Content-Encoding", "gzip"), request=(("Accept-Encoding", "x-gzip"),))
    assert "http.coding-asked" not in broken(judge([read(GOOD), coded]))
    other = asked(200, GOOD, ("Content-Encoding", "gzip"), request=(("Accept-Encoding", "deflate"),))
    assert "http.coding-asked" in broken(judge([read(GOOD), other]))


@pytest.mark.parametrize(("status", "accused"), [(412, False), (401, True), (500, True)])
def test_a_condition_that_fails_refuses_no_client(status: int, *, accused: bool) -> None:
    assert ("error.no-queue" in broken(judge([read(GOOD), asked(status, GOOD)]))) is accused
