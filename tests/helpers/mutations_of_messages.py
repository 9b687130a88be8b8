"""Mutations of header fields and statuses, of errors, and of responses to unusual requests."""

from __future__ import annotations

import gzip
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from hypothesis import strategies as st

from conformance.contract.clauses.error import GARBLED_ORIGIN
from conformance.contract.clauses.http_conditional import MADE_UP_VALIDATOR
from conformance.exchange.codings import decode
from conformance.exchange.model import Exchange
from conformance.exchange.secrets import REDACTED
from conformance.reference.message import encode
from conformance.strategies import errors
from helpers.answers import NOW, item, queue, read
from helpers.mutations import (
    DEEPER,
    GOOD,
    Mutated,
    Pointer,
    draw_queue,
    error_response,
    new_name,
    on_error,
    on_read,
    on_run,
    token,
    with_request,
    with_response,
)

ERRORS: Final = (400, 404, 405, 410, 422, 500, 501)
SERVER_ERRORS: Final = (500, 501, 505)
DAY: Final = 86_400
NO_STRINGS: Final = st.sampled_from([None, True, 0, 1.5, [], ["x"], {}, {"text": "x"}])


# --- the status -------------------------------------------------------------------------------------------------------


@on_run("status.served")
def never_a_200(draw: st.DrawFn) -> Mutated:
    answers = [error_response(draw(st.sampled_from(ERRORS)), draw(errors()), number=number) for number in (1, 2)]
    return Mutated(answers, None)


@on_run("status.steady")
def an_error_between(draw: st.DrawFn) -> Mutated:
    between = with_response(error_response(draw(st.sampled_from(ERRORS)), draw(errors())), retry_after=None)
    return Mutated([read(GOOD), between, read(GOOD, number=3)], None)


# --- header fields ----------------------------------------------------------------------------------------------------


@on_read("http.content-type")
def another_type(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    types = [
        "text/html",
        "text/plain; charset=utf-8",
        "text/json",
        "application/problem+json",
        "application/jsonp",
        "application/octet-stream",
        "x-application/json",
        "json",
        "",
        None,
    ]
    return with_response(exchange, content_type=draw(st.sampled_from(types)))


@on_read("http.content-type")
def two_types(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    other = draw(st.sampled_from(["text/html", "application/json"]))
    changed = with_response(exchange, content_type=None, Content_Type="application/json")
    return with_response(changed, CONTENT_TYPE=other)


@on_read("http.charset")
def another_charset(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    charset = draw(st.sampled_from(["iso-8859-1", "utf-16", '"us-ascii"', "UTF-88", "utf", "latin1", "x y"]))
    before = draw(st.sampled_from(["", " boundary=x;", ";"]))
    return with_response(exchange, content_type=f"application/json;{before} Charset={charset}")


@on_read("http.framing")
def two_framings(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    coding = draw(st.sampled_from(["chunked", "gzip, chunked"]))
    return with_response(exchange, transfer_encoding=coding, content_length=str(draw(st.integers(0, 10**6))))


@on_read("http.coding-asked")
def a_coding_nobody_asked_for(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    offered = draw(st.sampled_from(["identity", "deflate", "gzip;q=0", "deflate, *;q=0", "br;q=1.0", ""]))
    coding = draw(st.sampled_from(["gzip", "x-gzip", "GZIP"]))
    return with_request(
        with_response(exchange, content_encoding=coding, vary="Accept-Encoding"), ("Accept-Encoding", offered)
    )


@on_read("http.coding-decodes")
def a_coding_that_is_another(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    assert exchange.response is not None
    plain = exchange.response.content
    packed = gzip.compress(plain, mtime=0)
    raw = draw(st.sampled_from([plain, packed[: draw(st.integers(1, len(packed) - 1))]]))
    content, problem = decode(raw, ["gzip"], 1 << 26)
    assert problem is not None
    changed = with_response(exchange, content=content, content_encoding="gzip", vary="Accept-Encoding")
    changed = with_request(changed, ("Accept-Encoding", "gzip, deflate"))
    assert changed.response is not None
    return replace(changed, response=replace(changed.response, coding_error=problem))


@on_read("http.vary")
def a_compressed_answer_that_does_not_vary(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    vary = draw(st.sampled_from([None, "", "Accept", "Accept-Encodings", "X-API-Key"]))
    changed = with_response(exchange, content_encoding="gzip", vary=vary, cache_control="private")
    return with_request(changed, ("Accept-Encoding", "gzip"))


@on_read("http.date")
def no_readable_date(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    texts = [
        None,
        "",
        "now",
        str(int(NOW)),
        "2025-11-23T16:00:00Z",
        "Sunday, 23-Nov-25 16:00:00 GMT",
        "Sun Nov 23 16:00:00 2025",
        "Sun, 23 Nov 2025 16:00:00 +0000",
        "Sun, 23 nov 2025 16:00:00 GMT",
        "Sun, 31 Feb 2025 16:00:00 GMT",
        "Sun, 23 Nov 2025 24:00:00 GMT",
        "Sun, 23 Nov 2025 16:00:00 GMT ",
    ]
    return with_response(exchange, date=draw(st.sampled_from(texts)))


@on_read("http.date")
def a_date_days_off(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    off = draw(st.one_of(st.integers(-(10**9), -DAY - 3), st.integers(DAY + 3, 10**9)))
    return with_response(exchange, date=format_datetime(datetime.fromtimestamp(NOW + off, UTC), usegmt=True))


@on_read("caching.shared")
def nothing_for_shared_caches(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    controls = [None, "", "public", "max-age=0", "must-revalidate", "max-age=5, public", "x-no-store"]
    return with_response(
        exchange,
        cache_control=draw(st.sampled_from(controls)),
        vary=draw(st.sampled_from([None, "Accept", "Cookie, Accept"])),
    )


@on_read("caching.lifetime")
def fresh_for_long(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    name = draw(st.sampled_from(["max-age", "s-maxage", "Max-Age"]))
    seconds = draw(st.one_of(st.integers(11, 3600), st.integers(11, 10**30)))
    form = draw(st.sampled_from(["private, {}={}", '{}="{}", private', "private,{}=000{}"]))
    return with_response(exchange, cache_control=form.format(name, seconds))


@on_read("caching.lifetime")
def expires_in_a_while(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    moment = datetime.fromtimestamp(NOW + draw(st.integers(11, 10**9)), UTC)
    return with_response(exchange, cache_control="private", expires=format_datetime(moment, usegmt=True))


@on_read("caching.age")
def an_old_answer(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    old = st.integers(11, 10**30).map(str)
    return with_response(exchange, age=draw(st.one_of(old, st.sampled_from(["-1", "1.5", "", "0, 0", "old", "٣"]))))


@on_read("cors.credentials")
def any_origin_with_credentials(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    anybody, true = draw(st.sampled_from(["*", " *"])), draw(st.sampled_from(["true", "true "]))
    return with_response(exchange, access_control_allow_origin=anybody, access_control_allow_credentials=true)


@on_read("cors.vary-origin")
def an_origin_echoed(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    origin = draw(st.sampled_from(["https://a.example", "http://127.0.0.1:8188"]))
    vary = draw(st.sampled_from([None, "Accept", "X-Origin"]))
    return with_request(with_response(exchange, access_control_allow_origin=origin, vary=vary), ("Origin", origin))


@on_read("method.allow-get")
def allow_without_get(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    return with_response(exchange, allow=draw(st.sampled_from(["", "POST", "HEAD, OPTIONS", "GETS", "POST,, HEAD"])))


@on_read("auth.key-not-echoed")
def the_key_in_a_header(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    field = draw(st.sampled_from(["X-API-Key", "Set-Cookie", "X-Request"]))
    return _echoing(with_request(exchange, ("X-API-Key", REDACTED)), field)


@on_read("auth.key-not-echoed", "")
def the_key_in_the_body(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    return _echoing(
        with_response(with_request(exchange, ("X-API-Key", REDACTED)), content=encode(draw_queue(draw))), ""
    )


def _echoing(exchange: Exchange, place: str) -> Exchange:
    """Return an exchange whose response is marked as repeating the key.

    The client marks a received response in the same way.
    """
    assert exchange.response is not None
    return replace(exchange, response=replace(exchange.response, echoes=(place,)))


@on_read("http.etag")
def an_etag_without_quotes(draw: st.DrawFn, exchange: Exchange) -> Exchange:
    tags = ["abc", '"abc', 'abc"', "'abc'", 'w/"abc"', "W/abc", '"a b"', "", '"a""b"', '"a"b"', "W/", '"a", "b"']
    return with_response(exchange, etag=draw(st.sampled_from(tags)))


# --- errors -----------------------------------------------------------------------------------------------------------


@on_run("error.content-type")
def an_error_of_another_type(draw: st.DrawFn) -> Mutated:
    kind = draw(st.sampled_from(["text/plain", "text/html", "application/problem+json", None]))
    broken = error_response(draw(st.sampled_from([400, 500])), draw(errors()))
    return Mutated([read(GOOD), with_response(broken, content_type=kind)], None)


@on_run("error.object")
def an_error_that_is_no_object(draw: st.DrawFn) -> Mutated:
    body = draw(st.one_of(NO_STRINGS.filter(lambda value: not isinstance(value, dict)), st.text(), st.lists(errors())))
    return Mutated([read(GOOD), error_response(draw(st.sampled_from([400, 500])), body)], "")


def _member(name: str) -> None:
    @on_error(f"error.{name}")
    def is_missing(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
        value = body.pop(name)
        body[draw(st.sampled_from([name.title(), f"{name}_", "error", "detail"]))] = value
        return f"/{name}"

    @on_error(f"error.{name}")
    def is_no_string(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
        body[name] = draw(NO_STRINGS)
        return f"/{name}"


_member("code")
_member("message")


@on_error("error.not-empty")
def a_blank_text(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
    name = draw(st.sampled_from(["code", "message"]))
    body[name] = draw(st.text(" \t\n\r\u3000"))
    return f"/{name}"


@on_error("error.other-status", (404, 405, 406, 410, 418, 429, 503))
def another_form(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
    if draw(st.booleans()):
        del body[draw(st.sampled_from(["code", "message"]))]
    else:
        body[draw(st.sampled_from(["code", "message"]))] = draw(NO_STRINGS)
    return ""


@on_error("error.no-queue", (400, 404, 405, 500, 503), DEEPER)
def a_queue_in_an_error(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
    name = draw(st.sampled_from(["queue_running", "queue_pending"]))
    shown, place = {name: draw_queue(draw)[name] or [item()]}, ""
    for _ in range(draw(st.integers(0, 3))):
        inner = new_name(draw, body)
        shown, place = {inner: shown}, f"/{token(inner)}{place}"
    body |= shown
    return f"{place}/{name}"


@on_run("error.other-json")
def text_labelled_as_json(draw: st.DrawFn) -> Mutated:
    form = b'{"code": "C", "message": "m"}'
    flawed = [form + b"x", b"\xef\xbb\xbf" + form, form[:-1] + b', "n": NaN}', form.replace(b'"m"', b'"m\x01"')]
    texts = [b"Unauthorized", b"{", b"<h1>", b"{'a': 1}", form.replace(b"C", b"\xff"), *flawed]
    broken = error_response(draw(st.sampled_from([404, 429, 502, 503])), {})
    return Mutated([read(GOOD), with_response(broken, content=draw(st.sampled_from(texts)))], "")


@on_error("error.no-internals", (400, 404, 500, 503))
def a_stack_trace(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
    traces = [
        "Traceback (most recent call last):",
        'File "/app/server.py", line 12, in get',
        "goroutine 17 [running]:",
        "at com.comfy.Queue.list(Queue.java:42)",
        "at /srv/app/queue.js:10:5",
        "at list (/srv/app/queue.js:10:5)",
        "at async list (file:///srv/app/queue.mjs:10:5)",
        "at Object.<anonymous> (/srv/a.ts:1:2)",
        "thread 'main' panicked at src/main.rs:4:5",
        "/usr/src/app/queue/store.go:31",
        "C:\\comfy\\server.py",
    ]
    name = draw(st.sampled_from([*body]))
    body[name] = f"{body[name]}: {draw(st.sampled_from(traces))}" if isinstance(body[name], str) else traces[0]
    return ""


@on_run("error.retry-after")
def an_unreadable_retry_after(draw: st.DrawFn) -> Mutated:
    soon = draw(st.sampled_from(["soon", "", "-1", "1.5", "30 s", "٣", "2025-11-23T16:00:00Z", "1e3"]))
    late = with_response(error_response(draw(st.sampled_from([429, 503, 500])), draw(errors())), retry_after=soon)
    return Mutated([read(GOOD), late], None)


@on_run("method.allow-on-405")
def a_405_without_allow(draw: st.DrawFn) -> Mutated:
    return Mutated([read(GOOD), with_response(error_response(405, draw(errors())), allow=None)], None)


@on_run("auth.challenge")
def a_401_without_challenge(draw: st.DrawFn) -> Mutated:
    challenge = draw(st.sampled_from([None, ""]))
    return Mutated([read(GOOD), with_response(error_response(401, draw(errors())), www_authenticate=challenge)], None)


@on_error("auth.error-response", (401, 403))
def a_refusal_in_another_form(draw: st.DrawFn, body: dict[str, Any]) -> Pointer:
    return another_form(draw, body)


# --- unusual requests -------------------------------------------------------------------------------------------------


def _twice(exchange: Exchange) -> Mutated:
    """Return an exchange twice, after a conforming one. A single bad response could be chance."""
    again = replace(read(b"", number=3), request=exchange.request, response=exchange.response)
    return Mutated([read(GOOD), exchange, again], None)


@on_run("http.accept")
def refused_for_its_accept(draw: st.DrawFn) -> Mutated:
    accepts = [None, "*/*", "application/*, */*;q=0.1", "text/html,application/xhtml+xml,*/*;q=0.8", "text/csv"]
    accept, status = draw(st.sampled_from(accepts)), draw(st.sampled_from(ERRORS))
    return _twice(with_request(error_response(status, draw(errors())), accept=accept))


@on_run("http.query")
def refused_for_its_query(draw: st.DrawFn) -> Mutated:
    refused = error_response(draw(st.sampled_from([404, 410, 422, 500])), draw(errors()))
    url = f"http://t/api/queue?{draw(st.sampled_from(['x=1', 'limit=', '%']))}"
    return _twice(replace(refused, request=replace(refused.request, url=url)))


@on_run("http.not-modified")
def not_modified_since_never(draw: st.DrawFn) -> Mutated:
    asked = with_request(read(b"", number=2, status=304), ("If-None-Match", MADE_UP_VALIDATOR))
    return _twice(with_response(asked, etag=draw(st.sampled_from([None, '"1"', MADE_UP_VALIDATOR]))))


@on_run("http.not-modified-etag")
def not_modified_without_its_etag(draw: st.DrawFn) -> Mutated:
    tag = draw(st.sampled_from(['"a"', 'W/"a"', '""']))
    asked = with_request(with_response(read(b"", number=2, status=304), content_type=None), ("If-None-Match", tag))
    return Mutated([with_response(read(GOOD), etag=tag), asked, with_response(read(GOOD, number=3), etag=tag)], None)


@on_run("http.etag-changes")
def one_etag_for_other_jobs(draw: st.DrawFn) -> Mutated:
    tag, last = draw(st.sampled_from(['"a"', '""'])), draw(st.integers(2, 5))
    bodies = [queue(*map(item, range(first, last + 3))) for first in range(1, last)] + [queue()]
    return Mutated([with_response(read(body, number=n), etag=tag) for n, body in enumerate(bodies)], None)


@on_run("reads.prompt-ids")
def new_ids_in_each_read(draw: st.DrawFn) -> Mutated:
    jobs, reads = draw(st.integers(1, 4)), draw(st.integers(4, 7))
    bodies = [
        queue(*[item(number, e1=str(uuid.UUID(int=turn * 99 + number, version=4))) for number in range(1, jobs + 1)])
        for turn in range(reads)
    ]
    least = min(range(1, jobs + 1), key=lambda number: str(uuid.UUID(int=(reads - 1) * 99 + number, version=4)))
    return Mutated([read(body, number=n) for n, body in enumerate(bodies)], f"/queue_pending/{least - 1}/1")


@on_run("http.range")
def a_part_that_is_not_the_one(draw: st.DrawFn) -> Mutated:
    ranges = [None, "", "bytes", "bytes 0-0", "bytes */42", "0-0/42", "bytes 1-1/42", "bytes 0-1/42", "bytes 0-41/42"]
    part = draw(st.sampled_from([b"{", b"{}", b""]))
    named = draw(st.sampled_from(ranges if len(part) == 1 else [*ranges, "bytes 0-0/42"]))
    asked = with_request(read(part, number=2, status=206), ("Range", "bytes=0-0"))
    return _twice(with_response(asked, content_range=named))


@on_run("error.optional-header")
def failing_for_an_optional_header(draw: st.DrawFn) -> Mutated:
    fields = [("Range", "bytes=-1"), ("If-None-Match", '"x"'), ("Origin", "https://a.example"), ("If-Match", "*")]
    broken = error_response(draw(st.sampled_from(SERVER_ERRORS)), draw(errors()))
    return _twice(with_request(broken, draw(st.sampled_from(fields))))


@on_run("error.bad-header")
def failing_for_a_garbled_origin(draw: st.DrawFn) -> Mutated:
    origin = draw(st.sampled_from([GARBLED_ORIGIN, "http://a.example:x", "http://[", "http://a:0"]))
    broken = error_response(draw(st.sampled_from(SERVER_ERRORS)), draw(errors()))
    return _twice(with_request(broken, ("Origin", origin)))


@on_run("reads.safe")
def each_read_takes_a_job(draw: st.DrawFn) -> Mutated:
    """Up to ten responses in a row each have one job less than the one before.

    Without GETs, during a pause, no job disappears.
    """
    jobs, reads = [item(number) for number in range(1, draw(st.integers(11, 14)))], draw(st.integers(8, 10))
    taken = [read(queue(*jobs[number:]), number=number) for number in range(reads)]
    late = read(queue(*jobs[reads:]), number=1000 * draw(st.integers(1, 9)))
    return Mutated([*taken, late], None)
