"""Faults of HTTP: status, header fields, methods, the key, errors, caches."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate

from conformance.reference.faults.registry import add, every, hears, replies
from conformance.reference.message import IncomingRequest, Reply, Twist

PAGE = b"<!doctype html><title>Comfy</title><h1>Queue</h1>"


def _browser(ask: IncomingRequest) -> bool:
    return "text/html" in (ask.header("accept") or "")


def _csv(ask: IncomingRequest) -> bool:
    return "csv" in (ask.header("accept") or "")


# --- status -----------------------------------------------------------------------------------------------------------


@replies("status.served", to=200)
def always_404(reply: Reply, _ask: IncomingRequest) -> Reply:
    """There is no queue here."""
    return reply.error(404, "There is nothing here.")


@replies("status.served", to=200)
def always_500(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every read fails."""
    return reply.error(500, "Something went wrong.")


@replies("status.served", to=200)
def redirects_to_login(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every read is sent to a page where one logs in."""
    return replace(reply, status=302).having(b"", content_type=None, location="https://login.comfy.invalid/")


@replies("status.served", to=200)
def answers_204(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every read is told that there is no content."""
    return replace(reply, status=204).having(b"", content_type=None)


@replies("status.served", to=200)
def answers_202(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every read is accepted with 202, with the queue in it."""
    return replace(reply, status=202)


@replies("status.steady", to=200, when=every(7))
def fails_every_7th_read(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every seventh read fails with 500."""
    return reply.error(500, "Something went wrong.")


@replies("status.steady", to=200, when=every(7))
def missing_every_7th_read(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every seventh read is told 404, as where one of several servers is older."""
    return reply.error(404, "There is nothing here.")


# --- content and its type ---------------------------------------------------------------------------------------------


def _typed(value: str | None) -> Callable[[Reply, IncomingRequest], Reply]:
    """Return the change of a 200 that sets Content-Type."""
    return lambda reply, _ask: reply.having(content_type=value) if reply.status == 200 else reply


for _name, _lie, _clause, _type in (
    ("text-plain", "The queue is served as text/plain.", "http.content-type", "text/plain; charset=utf-8"),
    ("text-html", "The queue is served as text/html.", "http.content-type", "text/html"),
    ("text-json", "The queue is served as text/json.", "http.content-type", "text/json"),
    ("other-json", "The queue is served as another type of JSON.", "http.content-type", "application/vnd.comfy+json"),
    ("no-content-type", "The queue is served without Content-Type.", "http.content-type", None),
    (
        "charset-latin-1",
        "The charset is said to be ISO 8859-1.",
        "http.charset",
        "application/json; charset=ISO-8859-1",
    ),
    (
        "charset-quoted-utf-16",
        "The charset is said to be UTF-16.",
        "http.charset",
        'application/json; charset="utf-16"',
    ),
):
    add(_name, _lie, _clause, Twist(replies=_typed(_type)))


@replies("http.content-type", to=200, when=_browser)
def html_to_browsers(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Browsers are shown a page."""
    return reply.having(PAGE, content_type="text/html; charset=utf-8")


@replies("http.content-type", to=200, when=_csv)
def csv_on_demand(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Who accepts CSV alone gets CSV, which the document does not know."""
    return reply.having(b"number,id\r\n", content_type="text/csv")


@replies("http.accept", to=200, when=lambda ask: ask.header("accept") is None)
def accept_demanded(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request without Accept is told 400."""
    return reply.error(400, "Accept is needed.")


@replies("http.accept", to=200, when=lambda ask: "json" not in (ask.header("accept") or ""))
def any_type_refused(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Who does not name JSON in Accept is told 406, though all types are accepted."""
    return reply.error(406, "Accept does not name application/json.")


@replies("http.accept", to=200, when=_browser)
def browsers_refused(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Browsers are told 403."""
    return reply.error(403, "This is no place for browsers.")


@replies("http.accept", to=200, when=_csv)
def other_types_fail(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request that accepts CSV alone fails with 500."""
    return reply.error(500, "There is no renderer for text/csv.")


@replies("http.query", to=200, when=lambda ask: bool(ask.query))
def query_fails(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A query string makes the server fail."""
    return reply.error(500, "Something went wrong.")


@replies("http.query", to=200, when=lambda ask: bool(ask.query))
def query_not_found(reply: Reply, _ask: IncomingRequest) -> Reply:
    """With a query string there is nothing here."""
    return reply.error(404, "There is nothing here.")


@replies("http.query", to=200, when=lambda ask: bool(ask.query))
def query_redirects(reply: Reply, ask: IncomingRequest) -> Reply:
    """A query string is taken away by a redirect."""
    return replace(reply, status=301).having(b"", content_type=None, location=ask.path)


# --- codings ----------------------------------------------------------------------------------------------------------


def _coded(reply: Reply, coding: str = "gzip", body: bytes | None = None) -> Reply:
    compressed = gzip.compress(reply.body, 1) if coding == "gzip" else zlib.compress(reply.body)
    return reply.having(compressed if body is None else body, content_encoding=coding, vary="Accept-Encoding")


@replies("http.coding-asked", to=200)
def gzip_nobody_asked_for(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Answers are compressed with gzip whatever is asked."""
    return _coded(reply)


@replies("http.coding-asked", to=200, when=lambda ask: not ask.accepts("deflate"))
def deflate_for_gzip(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Who does not accept deflate gets just that."""
    return _coded(reply, "deflate")


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("gzip"))
def gzip_only_in_name(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Answers are said to be compressed and are not."""
    return _coded(reply, body=reply.body)


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("gzip"))
def gzip_cut_short(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The compressed body lacks its last part, though the length says that all is there."""
    return _coded(reply, body=gzip.compress(reply.body)[:-20])


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("gzip"))
def gzip_with_wrong_checksum(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The compressed body has another checksum than its content."""
    return _coded(reply, body=gzip.compress(reply.body)[:-8] + b"\xde\xad\xbe\xef" + gzip.compress(reply.body)[-4:])


@replies("http.vary", to=200, variant="gzip")
def gzip_without_vary(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Compressed answers do not say that they differ by Accept-Encoding."""
    return reply.having(vary=None, cache_control="private")


@replies("http.framing", to=200)
def length_beside_chunks(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Answers come in chunks and state a length as well."""
    return replace(reply, chunked=True).having(content_length=str(len(reply.body)))


# --- header fields ----------------------------------------------------------------------------------------------------


@replies("http.date")
def no_date(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Answers have no Date."""
    return reply.having(date=None)


@replies("http.date")
def date_in_iso(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Date is written as in ISO 8601."""
    return reply.having(date="2026-01-02T03:04:05Z")


@replies("http.date")
def date_two_days_ahead(reply: Reply, ask: IncomingRequest) -> Reply:
    """The clock that writes Date is two days ahead."""
    return reply.having(date=formatdate(ask.now + 2 * 86_400, usegmt=True))


@replies("http.not-modified", to=200, when=lambda ask: ask.header("if-none-match") is not None)
def not_modified_for_anyone(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A validator that the server never sent is answered 304."""
    return replace(reply, status=304).having(b"", content_type=None)


@replies("http.range", to=200, method="GET", when=lambda ask: ask.header("range") is not None)
def part_without_content_range(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A part is served without saying which."""
    return replace(reply, status=206).having(reply.body[:1])


@replies("http.range", to=200, method="GET", when=lambda ask: ask.header("range") is not None)
def whole_as_a_part(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The whole is served as if it were the one byte that was asked for."""
    return replace(reply, status=206).having(content_range=f"bytes 0-0/{len(reply.body)}")


@replies("caching.shared", to=200)
def no_cache_control(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Nothing keeps shared caches from showing one user's queue to another."""
    return reply.having(cache_control=None)


@replies("caching.shared", to=200)
def public(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Any cache may keep the queue, for five seconds."""
    return reply.having(cache_control="public, max-age=5")


@replies("caching.lifetime", to=200)
def fresh_for_an_hour(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Browsers may keep the queue for an hour."""
    return reply.having(cache_control="private, max-age=3600")


@replies("caching.lifetime", to=200)
def expires_tomorrow(reply: Reply, ask: IncomingRequest) -> Reply:
    """The queue expires tomorrow."""
    return reply.having(cache_control="private", expires=formatdate(ask.now + 86_400, usegmt=True))


@replies("caching.lifetime", to=400)
def errors_fresh_for_an_hour(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Errors may be kept for an hour."""
    return reply.having(cache_control="private, max-age=3600")


@replies("caching.age", to=200)
def an_hour_old(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Answers are said to be an hour old."""
    return reply.having(age="3600")


@replies("cors.credentials")
def wildcard_with_credentials(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Pages of any origin may read the queue with credentials."""
    return reply.having(access_control_allow_origin="*", access_control_allow_credentials="true")


@replies("cors.vary-origin", to=200)
def origin_echoed_without_vary(reply: Reply, ask: IncomingRequest) -> Reply:
    """The Origin is echoed, and caches are not told."""
    return reply.having(access_control_allow_origin=ask.header("origin"))


# --- methods ----------------------------------------------------------------------------------------------------------


@replies("method.head", to=200, method="HEAD")
def head_405(reply: Reply, _ask: IncomingRequest) -> Reply:
    """HEAD is not allowed."""
    return reply.error(405, "Use GET.", allow="GET, OPTIONS")


@replies("method.head", to=200, method="HEAD")
def head_404(reply: Reply, _ask: IncomingRequest) -> Reply:
    """HEAD finds nothing here."""
    return reply.error(404, "There is nothing here.")


@replies("method.head", to=200, method="HEAD")
def head_of_another_type(reply: Reply, _ask: IncomingRequest) -> Reply:
    """HEAD names another type than GET."""
    return reply.having(content_type="text/html")


@replies("method.head", to=200, method="HEAD", variant="standing-still")
def head_of_no_length(reply: Reply, _ask: IncomingRequest) -> Reply:
    """HEAD says that the body is empty."""
    return reply.having(content_length="0")


@replies("method.allow-on-405", to=204, method="OPTIONS")
def no_allow_on_405(reply: Reply, _ask: IncomingRequest) -> Reply:
    """OPTIONS is not allowed, and nothing says what is."""
    return reply.error(405, "Use GET.").having(allow=None)


@replies("method.allow-get", to=204, method="OPTIONS")
def allow_without_get(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Allow does not list GET."""
    return reply.having(allow="POST, OPTIONS")


@replies("method.options", to=204, method="OPTIONS")
def options_500(reply: Reply, _ask: IncomingRequest) -> Reply:
    """OPTIONS makes the server fail."""
    return reply.error(500, "Something went wrong.").having(allow=None)


@replies("method.options-allow", to=204, method="OPTIONS")
def options_without_allow(reply: Reply, _ask: IncomingRequest) -> Reply:
    """OPTIONS is answered without Allow."""
    return reply.having(allow=None)


# --- the key ----------------------------------------------------------------------------------------------------------

_KEYED = "key-enforced"


def _given(ask: IncomingRequest) -> str | None:
    return ask.header("x-api-key")


@hears("auth.key-required", variant=_KEYED)
def no_key_needed(ask: IncomingRequest) -> IncomingRequest:
    """A request without a key is served, while a wrong key is refused."""
    return ask.with_key() if _given(ask) is None and ask.method == "GET" else ask


@hears("auth.wrong-key", variant=_KEYED)
def any_key_will_do(ask: IncomingRequest) -> IncomingRequest:
    """Any key opens."""
    return ask.with_key() if _given(ask) else ask


@hears("auth.empty-key", variant=_KEYED)
def empty_key_will_do(ask: IncomingRequest) -> IncomingRequest:
    """An empty key opens."""
    return ask.with_key() if _given(ask) == "" else ask


@hears("auth.head", variant=_KEYED)
def head_needs_no_key(ask: IncomingRequest) -> IncomingRequest:
    """HEAD is answered without a key."""
    return ask.with_key() if ask.method == "HEAD" else ask


@hears("auth.header-name", variant=_KEYED)
def header_name_by_the_letter(ask: IncomingRequest) -> IncomingRequest:
    """The key is overlooked where the name of its header is in lower case."""
    return replace(ask, headers=tuple(field for field in ask.headers if field[0] != "x-api-key"))


@replies("auth.status", to=401, variant=_KEYED)
def refuses_with_403(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Who has no key is told 403."""
    return replace(reply.error(403, "A valid key is needed."), status=403).having(www_authenticate=None)


@replies("auth.challenge", to=401, variant=_KEYED)
def no_challenge(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 401 does not say what to authenticate with."""
    return reply.having(www_authenticate=None)


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_with_a_page(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal is a page."""
    return reply.having(PAGE, content_type="text/html")


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_without_a_word(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal has no body."""
    return reply.having(b"", content_type=None)


@replies("auth.error-response", to=401, variant=_KEYED)
def refuses_with_detail(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A refusal is JSON of another framework, with a detail alone."""
    return reply.having(b'{"detail":"Not authenticated"}')


@replies("auth.key-not-echoed", to=200, variant=_KEYED)
def echoes_the_key(reply: Reply, ask: IncomingRequest) -> Reply:
    """Answers name the key that they were asked with."""
    return reply.json(200, {**json.loads(reply.body), "asked_by": _given(ask)})


@replies("auth.key-not-echoed", to=200, variant=_KEYED)
def echoes_the_key_in_a_header(reply: Reply, ask: IncomingRequest) -> Reply:
    """A header of answers names the key that they were asked with."""
    return reply.having(x_asked_by=_given(ask))


# --- errors -----------------------------------------------------------------------------------------------------------


def _error(clause: str, name: str, lie: str, value: object) -> None:
    """Enter the fault that a 400 has ``value`` for its JSON."""

    def change(reply: Reply, _ask: IncomingRequest) -> Reply:
        return reply.json(400, value) if reply.status == 400 else reply

    add(name, lie, clause, Twist(replies=change))


_SORRY = "Origin is malformed."
_error("error.object", "error-as-text", "Errors are strings of JSON.", _SORRY)
_error("error.object", "error-as-list", "Errors are arrays of errors.", [{"code": "BAD_REQUEST", "message": _SORRY}])
_error("error.code", "error-without-code", "Errors have no code.", {"message": _SORRY})
_error("error.code", "numeric-code", "The code of errors is a number.", {"code": 400, "message": _SORRY})
_error("error.code", "null-code", "The code of errors is null.", {"code": None, "message": _SORRY})
_error("error.message", "error-without-message", "Errors have no message.", {"code": "BAD_REQUEST"})
_error("error.message", "message-as-list", "Messages come in arrays.", {"code": "BAD_REQUEST", "message": [_SORRY]})
_error("error.not-empty", "empty-code", "The code of errors is empty.", {"code": "", "message": _SORRY})
_error("error.not-empty", "empty-message", "The message of errors is empty.", {"code": "BAD_REQUEST", "message": ""})
_error(
    "error.no-queue",
    "queue-in-errors",
    "Errors carry a queue.",
    {"code": "BAD_REQUEST", "message": _SORRY, "queue_running": [], "queue_pending": []},
)
_error(
    "error.no-internals",
    "stack-trace-in-errors",
    "Errors carry a stack trace.",
    {
        "code": "BAD_REQUEST",
        "message": 'Traceback (most recent call last):\n  File "/srv/comfy/queue.py", line 7\nValueError: port',
    },
)
_error(
    "error.no-internals",
    "path-in-errors",
    "Errors name files of the server.",
    {"code": "BAD_REQUEST", "message": "/usr/local/lib/python3.11/site-packages/yarl/_url.py: port out of range"},
)


@replies("error.content-type", to=400)
def errors_as_text_plain(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Errors are JSON, and served as text/plain."""
    return reply.having(content_type="text/plain; charset=utf-8")


@replies("error.content-type", to=400)
def errors_without_content_type(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Errors are JSON, and served without a type."""
    return reply.having(content_type=None)


@replies("error.retry-after", to=400)
def retry_soon(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Retry-After says soon."""
    return reply.having(retry_after="soon")


@replies("error.retry-after", to=400)
def retry_in_fractions(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Retry-After has a fraction."""
    return reply.having(retry_after="1.5")


@replies("error.bad-header", to=400)
def garbled_header_fails(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A garbled Origin makes the server fail."""
    return reply.error(500, "Something went wrong.")


@replies("error.other-status", to=200, when=_csv)
def detail_on_406(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 406 is JSON of another framework, with a detail alone."""
    return reply.json(406, {"detail": "Not acceptable"})


@replies("error.other-status", to=204, method="OPTIONS")
def bare_text_on_405(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 405 is a string of JSON."""
    return reply.json(405, "Method not allowed")
