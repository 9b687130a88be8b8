"""Faults of HTTP: status, headers, methods, the key, errors and caching."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from email.utils import formatdate

from conformance.reference.faults.registry import add, every, replies
from conformance.reference.message import IncomingRequest, Replies, Reply, Twist

PAGE = b"<!doctype html><title>Comfy</title><h1>Queue</h1>"


def _browser(ask: IncomingRequest) -> bool:
    return "text/html" in (ask.header("accept") or "")


def csv_only(ask: IncomingRequest) -> bool:
    """Whether a request accepts CSV."""
    return "csv" in (ask.header("accept") or "")


# --- status -----------------------------------------------------------------------------------------------------------


@replies("status.served", to=200)
def always_404(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 404."""
    return reply.error(404, "This path does not exist.")


@replies("status.served", to=200)
def always_500(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 500."""
    return reply.error(500, "Something went wrong.")


@replies("status.served", to=200)
def redirects_to_login(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a redirect to a login page."""
    return replace(reply, status=302).having(b"", content_type=None, location="https://login.comfy.invalid/")


@replies("status.served", to=200)
def answers_204(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 204."""
    return replace(reply, status=204).having(b"", content_type=None)


@replies("status.served", to=200)
def answers_202(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 202 with the queue."""
    return replace(reply, status=202)


@replies("status.served", to=200)
def answers_304(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every request gets a 304."""
    return replace(reply, status=304).having(b"", content_type=None)


@replies("status.steady", to=200, when=every(7))
def fails_every_7th_read(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every seventh GET gets a 500."""
    return reply.error(500, "Something went wrong.")


@replies("status.steady", to=200, when=every(7))
def missing_every_7th_read(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every seventh GET gets a 404, as if one of several servers ran an older version."""
    return reply.error(404, "This path does not exist.")


# --- content and its type ---------------------------------------------------------------------------------------------


def _typed(value: str | None) -> Replies:
    """Return a function that sets the Content-Type of 200 responses."""
    return lambda reply, _ask: reply.having(content_type=value) if reply.status == 200 else reply


for _name, _summary, _clause, _type in (
    ("text-plain", "The queue has Content-Type text/plain.", "http.content-type", "text/plain; charset=utf-8"),
    ("text-html", "The queue has Content-Type text/html.", "http.content-type", "text/html"),
    ("text-json", "The queue has Content-Type text/json.", "http.content-type", "text/json"),
    (
        "other-json",
        "The queue has a JSON media type other than application/json.",
        "http.content-type",
        "application/vnd.comfy+json",
    ),
    ("no-content-type", "The queue has no Content-Type.", "http.content-type", None),
    (
        "charset-latin-1",
        "The charset in Content-Type is ISO 8859-1.",
        "http.charset",
        "application/json; charset=ISO-8859-1",
    ),
    (
        "charset-quoted-utf-16",
        "The charset in Content-Type is UTF-16.",
        "http.charset",
        'application/json; charset="utf-16"',
    ),
):
    add(_name, _summary, _clause, Twist(replies=_typed(_type)))


@replies("http.content-type", to=200, when=_browser)
def html_to_browsers(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Browsers get a web page."""
    return reply.having(PAGE, content_type="text/html; charset=utf-8")


@replies("http.content-type", to=200, when=lambda ask: "application/xml" in (ask.header("accept") or ""))
def xml_to_browsers(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Clients that accept XML, as every browser does, get XML."""
    return reply.having(b"<queue><running/><pending/></queue>", content_type="application/xml")


@replies("http.content-type", to=200, when=csv_only)
def csv_on_demand(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A client that accepts only CSV gets CSV."""
    return reply.having(b"number,id\r\n", content_type="text/csv")


@replies("http.accept", to=200, when=lambda ask: ask.header("accept") is None)
def accept_demanded(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request without Accept gets a 400."""
    return reply.error(400, "Accept is missing.")


@replies("http.accept", to=200, when=lambda ask: "json" not in (ask.header("accept") or ""))
def any_type_refused(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request that does not name JSON in Accept gets a 406, even if it accepts every type."""
    return reply.error(406, "Accept must contain application/json.")


@replies("http.accept", to=200, when=_browser)
def browsers_refused(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Browsers get a 403."""
    return reply.error(403, "Browsers are not allowed.")


@replies("http.accept", to=200, when=csv_only)
def other_types_fail(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request that accepts only CSV gets a 500."""
    return reply.error(500, "text/csv cannot be rendered.")


@replies("http.query", to=200, when=lambda ask: bool(ask.query))
def query_fails(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A query string causes a 500."""
    return reply.error(500, "Something went wrong.")


@replies("http.query", to=200, when=lambda ask: bool(ask.query))
def query_not_found(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A request with a query string gets a 404."""
    return reply.error(404, "This path does not exist.")


@replies("http.query", to=200, when=lambda ask: bool(ask.query))
def query_redirects(reply: Reply, ask: IncomingRequest) -> Reply:
    """A request with a query string is redirected to the path without it."""
    return replace(reply, status=301).having(b"", content_type=None, location=ask.path)


# --- codings ----------------------------------------------------------------------------------------------------------


def _coded(reply: Reply, coding: str = "gzip", body: bytes | None = None) -> Reply:
    compressed = gzip.compress(reply.body, 1) if coding == "gzip" else zlib.compress(reply.body)
    return reply.having(compressed if body is None else body, content_encoding=coding, vary="Accept-Encoding")


@replies("http.coding-asked", to=200)
def gzip_nobody_asked_for(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Responses are compressed with gzip even if the request does not accept gzip."""
    return _coded(reply)


@replies("http.coding-asked", to=200, when=lambda ask: not ask.accepts("deflate"))
def deflate_for_gzip(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Responses are compressed with deflate although the request does not accept deflate."""
    return _coded(reply, "deflate")


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("gzip"))
def gzip_only_in_name(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Content-Encoding says gzip, but the body is not compressed."""
    return _coded(reply, body=reply.body)


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("gzip"))
def gzip_cut_short(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The compressed body is cut off, although Content-Length matches."""
    return _coded(reply, body=gzip.compress(reply.body)[:-20])


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("gzip"))
def gzip_with_wrong_checksum(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The compressed body has a wrong checksum."""
    return _coded(reply, body=gzip.compress(reply.body)[:-8] + b"\xde\xad\xbe\xef" + gzip.compress(reply.body)[-4:])


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("br"))
def brotli_only_in_name(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Content-Encoding says Brotli, but the body is not compressed."""
    return reply.having(content_encoding="br", vary="Accept-Encoding")


@replies("http.coding-decodes", to=200, when=lambda ask: ask.accepts("br"))
def gzip_called_brotli(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Content-Encoding says Brotli, but the body is compressed with gzip."""
    return reply.having(gzip.compress(reply.body), content_encoding="br", vary="Accept-Encoding")


@replies("http.vary", to=200, variant="gzip")
def gzip_without_vary(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Compressed responses do not have Vary: Accept-Encoding."""
    return reply.having(vary=None, cache_control="private")


@replies("http.framing", to=200)
def length_beside_chunks(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Responses have both chunked encoding and Content-Length."""
    return replace(reply, chunked=True).having(content_length=str(len(reply.body)))


# --- header fields ----------------------------------------------------------------------------------------------------


@replies("http.date")
def no_date(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Responses have no Date."""
    return reply.having(date=None)


@replies("http.date")
def date_in_iso(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Date is in ISO 8601."""
    return reply.having(date="2026-01-02T03:04:05Z")


@replies("http.date")
def date_two_days_ahead(reply: Reply, ask: IncomingRequest) -> Reply:
    """Date is two days in the future."""
    return reply.having(date=formatdate(ask.now + 2 * 86_400, usegmt=True))


@replies("caching.shared", to=200)
def no_cache_control(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The queue has no Cache-Control, so shared caches may store one user's queue for others."""
    return reply.having(cache_control=None)


@replies("caching.shared", to=200)
def public(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Shared caches may store the queue for five seconds."""
    return reply.having(cache_control="public, max-age=5")


@replies("caching.lifetime", to=200)
def fresh_for_an_hour(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Browsers may store the queue for an hour."""
    return reply.having(cache_control="private, max-age=3600")


@replies("caching.lifetime", to=200)
def expires_tomorrow(reply: Reply, ask: IncomingRequest) -> Reply:
    """Expires is a day in the future."""
    return reply.having(cache_control="private", expires=formatdate(ask.now + 86_400, usegmt=True))


@replies("caching.lifetime", to=400)
def errors_fresh_for_an_hour(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Errors may be stored for an hour."""
    return reply.having(cache_control="private, max-age=3600")


@replies("caching.age", to=200)
def an_hour_old(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Age is an hour."""
    return reply.having(age="3600")


@replies("cors.credentials")
def wildcard_with_credentials(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Every origin may read the queue with credentials."""
    return reply.having(access_control_allow_origin="*", access_control_allow_credentials="true")


@replies("cors.vary-origin", to=200)
def origin_echoed_without_vary(reply: Reply, ask: IncomingRequest) -> Reply:
    """The Origin is echoed without Vary: Origin."""
    return reply.having(access_control_allow_origin=ask.header("origin"))


# --- methods ----------------------------------------------------------------------------------------------------------


@replies("method.head", to=200, method="HEAD")
def head_405(reply: Reply, _ask: IncomingRequest) -> Reply:
    """HEAD gets a 405."""
    return reply.error(405, "Use GET.", allow="GET, OPTIONS")


@replies("method.head", to=200, method="HEAD")
def head_404(reply: Reply, _ask: IncomingRequest) -> Reply:
    """HEAD gets a 404."""
    return reply.error(404, "This path does not exist.")


@replies("method.head", to=200, method="HEAD")
def head_of_another_type(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The response to HEAD has a different Content-Type from GET."""
    return reply.having(content_type="text/html")


@replies("method.head", to=200, method="HEAD", variant="standing-still")
def head_of_no_length(reply: Reply, _ask: IncomingRequest) -> Reply:
    """The response to HEAD has a Content-Length of 0."""
    return reply.having(content_length="0")


@replies("method.allow-on-405", to=204, method="OPTIONS")
def no_allow_on_405(reply: Reply, _ask: IncomingRequest) -> Reply:
    """OPTIONS gets a 405 without Allow."""
    return reply.error(405, "Use GET.").having(allow=None)


@replies("method.allow-get", to=204, method="OPTIONS")
def allow_without_get(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Allow does not list GET."""
    return reply.having(allow="POST, OPTIONS")


@replies("method.no-content-length", to=204, method="OPTIONS")
def length_on_204(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A 204 has a Content-Length."""
    return reply.having(content_length="0")


@replies("method.options", to=204, method="OPTIONS")
def options_500(reply: Reply, _ask: IncomingRequest) -> Reply:
    """OPTIONS gets a 500."""
    return reply.error(500, "Something went wrong.").having(allow=None)


@replies("method.options-allow", to=204, method="OPTIONS")
def options_without_allow(reply: Reply, _ask: IncomingRequest) -> Reply:
    """A successful response to OPTIONS has no Allow."""
    return reply.having(allow=None)
