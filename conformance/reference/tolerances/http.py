"""Conforming responses that a client must tolerate: proxies, codings, conditional requests and ranges."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from typing import Final

from conformance.reference.message import IncomingRequest, Replies, Reply, Twist
from conformance.reference.tolerances.row import Row, on_200, set_fields


def tagging(tag: Callable[[bytes], str | None], *, heeds: bool = True) -> Twist:
    """Return a Twist that adds the ETag ``tag(body)``.

    With ``heeds``, a request with a matching If-None-Match gets a 304.
    """

    def change(reply: Reply, ask: IncomingRequest) -> Reply:
        if reply.status != 200:
            return reply
        tagged = reply.having(etag=tag(reply.body))
        known = [name.strip().removeprefix("W/") for name in (ask.header("if-none-match") or "").split(", ")]
        matches = heeds and (tagged.headers.get("ETag") or "?").removeprefix("W/") in known
        return replace(tagged.having(b"", content_type=None), status=304) if matches else tagged

    return Twist(replies=change)


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=8).hexdigest()


def strong(body: bytes) -> str:
    """Return a strong ETag for a body."""
    return f'"{_digest(body)}"'


def _first_byte(change: Replies) -> Twist:
    """Return a Twist that applies ``change`` to the response to a range request."""

    def replies(reply: Reply, ask: IncomingRequest) -> Reply:
        wanted = reply.status == 200 and ask.method == "GET" and ask.header("range") is not None
        return change(reply, ask) if wanted else reply

    return Twist(replies=replies)


def _part(unit: str, size: str | None = None) -> Replies:
    def change(reply: Reply, _ask: IncomingRequest) -> Reply:
        named = f"{unit} 0-0/{size or len(reply.body)}"
        return replace(reply.having(reply.body[:1], content_range=named), status=206)

    return change


def _multipart(reply: Reply, _ask: IncomingRequest) -> Reply:
    head = f"--part\r\nContent-Type: application/json\r\nContent-Range: bytes 0-0/{len(reply.body)}\r\n\r\n"
    body = head.encode() + reply.body[:1] + b"\r\n--part--\r\n"
    return replace(reply.having(body, content_type="multipart/byteranges; boundary=part"), status=206)


def compressed(above: int = 0, **fields: str | None) -> Twist:
    """Return a Twist that compresses bodies larger than ``above`` bytes for clients that accept gzip."""

    def change(reply: Reply, ask: IncomingRequest) -> Reply:
        if reply.status != 200:
            return reply
        varied = reply.having(None, vary="Accept-Encoding", **fields)
        if not ask.accepts("gzip") or len(reply.body) <= above:
            return varied
        return varied.having(gzip.compress(reply.body, 1), content_encoding="gzip")

    return Twist(replies=change)


def _brotli(reply: Reply, ask: IncomingRequest) -> Reply:
    if reply.status != 200:
        return reply
    varied = reply.having(vary="Accept-Encoding")
    try:
        import brotli
    except ImportError:
        return varied
    if not ask.accepts("br"):
        return varied
    return varied.having(brotli.compress(reply.body, quality=1), content_encoding="br")


ROWS: Final = (
    # proxies
    Row("via-a-proxy", "A proxy adds Via and Forwarded.", set_fields(via="1.1 proxy", x_cache="MISS")),
    Row(
        "behind-cloudflare",
        "Responses have the headers that Cloudflare adds.",
        set_fields(
            cf_ray="8f1e2d3c4b5a-FRA", cf_cache_status="DYNAMIC", server="cloudflare", alt_svc='h3=":443"; ma=86400'
        ),
    ),
    Row(
        "behind-a-load-balancer",
        "Responses set a cookie that names a worker.",
        set_fields(set_cookie="AWSALB=k3; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT", x_amzn_trace_id="Root=1-5e"),
    ),
    Row(
        "with-security-headers",
        "Responses have the headers that security scanners ask for.",
        set_fields(
            strict_transport_security="max-age=63072000",
            content_security_policy="default-src 'none'",
            x_content_type_options="nosniff",
            x_frame_options="DENY",
        ),
    ),
    Row("without-server-name", "Responses have no Server header.", set_fields(server=None)),
    Row("keeps-alive-and-says-so", "Responses have Connection: keep-alive.", set_fields(keep_alive="timeout=5")),
    Row(
        "with-rate-limit-fields",
        "Responses say how many requests are left in the rate limit.",
        set_fields(x_ratelimit_remaining="59"),
    ),
    Row(
        "without-cache-control-but-vary",
        "Vary: * prevents caches from reusing a response.",
        on_200(vary="*", cache_control=None),
    ),
    Row(
        "no-cache",
        "Caches must revalidate each time.",
        on_200(cache_control="no-cache", pragma="no-cache", expires="0"),
    ),
    Row("private", "Only the client may store a response, not a shared cache.", on_200(cache_control="private")),
    Row(
        "max-age-zero",
        "Responses have max-age=0: they are stale at once.",
        on_200(cache_control="max-age=0, must-revalidate"),
    ),
    Row(
        "forbids-caching-in-every-way",
        "Cache-Control has every directive that forbids caching.",
        on_200(cache_control="No-Store, No-Cache, Must-Revalidate, Max-Age=0", expires="Thu, 01 Jan 1970 00:00:00 GMT"),
    ),
    Row("age-zero", "A cache sends a response with an Age of 0.", on_200(age="0")),
    Row(
        "date-five-seconds-behind",
        "Date is five seconds behind.",
        Twist(replies=lambda reply, ask: reply.having(date=formatdate(ask.now - 5, usegmt=True))),
    ),
    Row(
        "charset-in-quotes",
        "The charset in Content-Type is quoted.",
        on_200(content_type='application/json; charset="utf-8"'),
    ),
    Row(
        "charset-without-space",
        "Content-Type has no space before the charset.",
        on_200(content_type="application/json;charset=UTF-8"),
    ),
    Row(
        "type-with-space",
        "Content-Type has an extra space before the semicolon.",
        on_200(content_type="application/json ; charset=utf-8"),
    ),
    Row(
        "type-with-profile",
        "Content-Type has an undefined parameter.",
        on_200(content_type="application/json; v=2"),
    ),
    Row(
        "with-a-link", "Responses have a Link to their description.", on_200(link='</openapi.json>; rel="service-desc"')
    ),
    Row(
        "with-a-language",
        "Responses have Content-Language.",
        on_200(content_language="en", content_disposition="inline"),
    ),
    Row("gzip-of-large-bodies", "Only bodies above 2,000 bytes are compressed.", compressed(2000)),
    Row("gzip-with-weak-etag", "A proxy compresses responses and makes the ETag weak.", compressed(etag='W/"5f3"')),
    Row("gzip-not-stored", "Compressed responses must not be stored.", compressed(cache_control="no-store")),
    Row("brotli", "Responses are compressed with Brotli for clients that accept it.", Twist(replies=_brotli)),
    # conditional requests
    Row(
        "etag-of-a-still-queue",
        "The queue does not change, and neither does its ETag.",
        tagging(strong),
        {"still": True},
    ),
    Row(
        "weak-etag",
        "ETags are weak, and a matching If-None-Match gets a 304.",
        tagging(lambda body: f'W/"{_digest(body)}"'),
        {"still": True},
    ),
    Row(
        "etag-of-odd-characters",
        "ETags contain every allowed character.",
        tagging(lambda body: f'"!#$%&\'()*+,-./:;<=>?@[]^_`{{|}}~{_digest(body)}"'),
        {"still": True},
    ),
    Row("etag-of-a-moving-queue", "The ETag changes with the queue.", tagging(strong)),
    Row(
        "etag-never-matched",
        "Responses have an ETag, but conditions are ignored.",
        tagging(strong, heeds=False),
        {"still": True},
    ),
    Row("weak-etag-that-stays", "The weak ETag is always the same.", tagging(lambda _: 'W/"queue"', heeds=False)),
    Row(
        "empty-etag",
        "The ETag of an unchanging queue is the empty string in quotes.",
        tagging(lambda _: '""'),
        {"still": True},
    ),
    Row("last-modified", "Responses have Last-Modified.", on_200(last_modified="Sun, 23 Nov 2025 16:00:00 GMT")),
    Row("range-in-upper-case", "The range unit is Bytes, with a capital letter.", _first_byte(_part("Bytes"))),
    Row("range-in-capitals", "The range unit is BYTES.", _first_byte(_part("BYTES"))),
    Row(
        "range-of-unknown-size",
        "Content-Range does not state the size of the whole body.",
        _first_byte(_part("bytes", "*")),
    ),
    Row("range-in-parts", "A range request gets multipart/byteranges.", _first_byte(_multipart)),
    Row(
        "range-refused",
        "A range request gets a 400.",
        _first_byte(lambda reply, _: reply.error(400, "Ranges are not supported.")),
    ),
    Row("no-ranges", "Responses have Accept-Ranges: none, and ranges are ignored.", on_200(accept_ranges="none")),
)
