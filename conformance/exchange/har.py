"""Read HAR files, the recordings of browsers, proxies and other tools.

Any part of an entry may be missing or invalid. Such a part counts as unknown and is noted, and the other entries are
still read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from conformance.exchange.headers import Headers, first
from conformance.exchange.kept import NOT_BASE64, KnownBody, of_entry
from conformance.exchange.model import Extent, NoResponse, Problem, Response
from conformance.exchange.sniff import Content, Unusable

USUAL_PATH: Final = "/api/queue"
QUEUE: Final = "/queue"
_STATUSES: Final = range(200, 600)
_BODILESS: Final = (204, 304)
_LOG: Final = re.compile(rb'\s*\{\s*"log"\s*:\s*\{')
_CACHED: Final = ("memory", "disk", "memory cache", "disk cache")
_UNTYPED: Final = ("", "x-unknown", "application/octet-stream")
"""Placeholders that recorders write for an unknown Content-Type."""


FROM_CACHE: Final = "is from the browser's cache, so the time of its response is not known"


class HarEntry(msgspec.Struct):
    """One entry of a HAR file: a request and its response. ``odd`` has a note for each part that cannot be read.

    ``head`` says whether the request headers are known. ``started`` is in seconds since the Unix epoch, and ``elapsed``
    in seconds.
    """

    number: int
    method: str
    url: str
    headers: Headers
    head: bool
    response: Response | None
    problem: Problem | None
    started: float | None = None
    elapsed: float | None = None
    odd: list[str] = msgspec.field(default_factory=list)

    @property
    def path(self) -> str:
        """The path of the request's URL."""
        return urlsplit(self.url).path

    @property
    def is_json(self) -> bool:
        """Whether the Content-Type of the response is JSON."""
        return self.response is not None and "json" in (self.response.media_type or "")


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw]


class _Har(msgspec.Struct):
    log: _Log


_DECODE: Final = msgspec.json.Decoder(_Har).decode


class Entries:
    """The entries of a HAR file, numbered from 1. ``urls`` has the URL of each request, or None if it is not valid.

    Texts of entries are parsed when they are needed, because all entries together would fill the memory.
    """

    def __init__(self, entries: Sequence[Any]) -> None:
        self._entries = entries
        self.urls = tuple(url_of(_parsed(entry)) for entry in entries)

    def __len__(self) -> int:
        return len(self._entries)

    def read(self, number: int) -> HarEntry:
        """Read an entry whose URL is valid."""
        return read_entry(_parsed(self._entries[number - 1]), number)


def _parsed(entry: Any) -> Any:
    return json.loads(bytes(entry), strict=False) if isinstance(entry, msgspec.Raw) else entry


def entries_of(text: Content) -> Entries | None:
    """Return the entries of a HAR file; None for another kind of file. Raises Unusable if it is cut off or damaged."""
    if b'"entries"' not in text.data and not _LOG.match(text.data):
        return None
    try:
        return Entries(_DECODE(text.data).log.entries)
    except (msgspec.DecodeError, ValueError, RecursionError):
        found = _lax_entries_of(text)
    return None if found is None else Entries(found)


def _lax_entries_of(text: Content) -> list[Any] | None:
    """Return the entries of a HAR file that is not strict JSON or has no ``log``; None for another kind of file.

    Raises Unusable if it is cut off or damaged.
    """
    try:
        value = json.loads(text.data, strict=False)
    except (ValueError, RecursionError) as error:
        if not _LOG.match(text.data):
            return None
        at = f" (not JSON from character {error.pos:,} on)" if isinstance(error, json.JSONDecodeError) else ""
        raise Unusable(f"looks like a HAR file that was cut off or damaged{at}: save it again") from None
    log = value.get("log", value) if isinstance(value, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    return entries if isinstance(entries, list) else None


def url_of(entry: object) -> str | None:
    """Return the URL of an entry's request, or None if it is not valid."""
    request = entry.get("request") if isinstance(entry, dict) else None
    url = request.get("url") if isinstance(request, dict) else None
    try:
        return url if isinstance(url, str) and urlsplit(url).hostname else None
    except ValueError:
        return None


def read_entry(entry: Mapping[str, Any], number: int) -> HarEntry:
    """Read an entry whose URL is valid. ``number`` is its number in the file, from 1."""
    request = entry["request"]
    headers, known = _fields(request)
    found = HarEntry(
        number,
        _text(request.get("method")).upper() or "GET",
        _text(request["url"]),
        headers,
        known,
        None,
        Problem(NoResponse.NOT_RECORDED, "the recording contains no response"),
    )
    _clock(entry, found)
    answered = entry.get("response")
    if isinstance(answered, dict):
        _answer(answered, found)
    else:
        found.odd.append("has no response")
    return found


def _clock(entry: Mapping[str, Any], found: HarEntry) -> None:
    """Set the time of an entry.

    It stays unknown if the response came from the browser's cache, because the server sent it earlier.
    """
    moment, taken = entry.get("startedDateTime"), entry.get("time")
    cached = str(entry.get("_fromCache") or _member(entry, "response").get("_fetchType") or "").lower() in _CACHED
    if cached:
        found.odd.append(FROM_CACHE)
        return
    if moment is not None:
        try:
            when = datetime.fromisoformat(moment)
            found.started = None if when.tzinfo is None else when.timestamp()
        except (TypeError, ValueError, OverflowError):
            found.odd.append(f"has a startedDateTime that is not a date ({str(moment)[:40]!r}): its time is unknown")
    seconds = _float(taken)
    found.elapsed = None if seconds is None else seconds / 1000


def _answer(answered: Mapping[str, Any], found: HarEntry) -> None:
    status = _float(answered.get("status"))
    failed = answered.get("_error")  # Chrome: incomplete or undecodable
    if status is None or status not in _STATUSES:
        why = f" ({str(failed)[:100]})" if failed else ""
        found.problem = Problem(NoResponse.NOT_RECORDED, f"the recording contains no response{why}")
        return
    headers, known = _fields(answered)
    if first(headers, "content-type") is None:
        headers += _typed(answered)
    bodiless = found.method == "HEAD" or status in _BODILESS
    kept = KnownBody() if bodiless else of_entry(answered, headers)
    if failed and not bodiless:
        kept = KnownBody(
            extent=Extent.UNKNOWN, lost=f"the browser did not get the complete response ({str(failed)[:100]})"
        )
    if kept.lost == NOT_BASE64:
        found.odd.append("has a body that is marked as base64 but is not")
    found.problem = None if kept.lost is None else Problem(NoResponse.NOT_RECORDED, kept.lost)
    found.response = Response(
        int(status),
        headers,
        kept.content,
        kept.coding_error,
        head=known,
        extent=kept.extent,
        verbatim=kept.verbatim,
        http_version=_text(answered.get("httpVersion")),
    )
    if not known and answered.get("headers"):
        found.odd.append("has headers that cannot be read")


def _typed(answered: Mapping[str, Any]) -> Headers:
    """Return a Content-Type header made from the ``mimeType`` of a response in a HAR file. Empty if that is unknown."""
    given = _text(_member(answered, "content").get("mimeType"))
    return () if given.lower() in _UNTYPED or "/" not in given else (("Content-Type", given),)


def _member(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = message.get(name)
    return found if isinstance(found, dict) else {}


def _fields(message: Mapping[str, Any]) -> tuple[Headers, bool]:
    """Return the header fields, and whether they are complete: an empty list means that they were not recorded."""
    given = message.get("headers")
    if isinstance(given, dict):
        given = [{"name": name, "value": value} for name, value in given.items()]
    fields = given if isinstance(given, list) else []
    pairs = [_pair(entry) for entry in fields]
    named = [pair for pair in pairs if pair is not None and not pair[0].startswith(":")]
    # Chrome joins the lines of a field
    headers = tuple((name, line) for name, value in named for line in re.split(r"\r?\n", value))
    return headers, bool(headers) and None not in pairs


def _pair(entry: object) -> tuple[str, str] | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return None
    value = entry.get("value")
    known = isinstance(value, str | int | float)
    return (_text(entry["name"]), _text(value)) if known else None


def _float(value: object) -> float | None:
    """Return a number that is not negative, or None."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < float("inf") else None


def _text(value: object) -> str:
    """Return a value as text that can be encoded in UTF-8: lone surrogates are escaped."""
    return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
