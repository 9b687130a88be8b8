"""From files to exchanges: a raw HTTP answer, a HAR file, or a bare JSON body. What is not known stays unknown."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from conformance.exchange.codings import ContentTooLarge, decode
from conformance.exchange.headers import Headers, first, values
from conformance.exchange.model import Credential, Exchange, Fault, Operation, Problem, Request, Response
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import REDACTED, SHORTEST_KEY, Secret

MAX_BODY: Final = 64 << 20
_KEY_PARAMETERS: Final = re.compile(
    r"[?&;](?:[\w.-]*(?:key|token|secret|password|passwd|auth|signature))=([^&;#]+)", re.IGNORECASE
)
"""The values of parameters of a URL that are credentials by their name."""
_KEY_FIELDS: Final = ("x-api-key", "authorization", "proxy-authorization")
_NOT_SHOWN: Final = dict.fromkeys((*_KEY_FIELDS, "cookie"), REDACTED) | {"set-cookie": "[not shown]"}
_USER: Final = re.compile(r"(?<=://)[^/?#@]*@")
_HTTP_2: Final = re.compile(rb"HTTP/([23])(?:\.0)? (\d{3}) ?\r?\n")
"""The status line that curl and others write for an answer which has none on the wire."""


class UnreadableRecording(ValueError):
    """A file that holds no exchange. Its text is one line for the user."""


def redact(headers: Headers) -> Headers:
    """Replace the values of fields that carry credentials."""
    return tuple((name, value and _NOT_SHOWN.get(name.lower(), value)) for name, value in headers)


def is_queue(url: str) -> bool:
    """Whether a URL is a queue's: its path ends in /queue."""
    return urlsplit(url).path.endswith("/queue")


def read_file(path: Path, *, method: str | None = None, data: bytes | None = None) -> list[Exchange]:
    """Read a recording. ``X.http`` takes its request from ``X.req`` beside it, if there is one.

    ``data`` is what the file holds, where it was read already: a pipe can be read once.
    Raises OSError, and UnreadableRecording where the file holds no exchange.
    """
    beside = path.with_suffix(".req")
    request = beside.read_bytes() if path.suffix == ".http" and method is None and beside.is_file() else None
    return read(path.read_bytes() if data is None else data, name=_whole(path.name), method=method, request=request)


def read(data: bytes, *, name: str, method: str | None = None, request: bytes | None = None) -> list[Exchange]:
    """Tell what the bytes are and read them. ``name`` becomes the exchange's id."""
    if data.startswith(b"HTTP/"):
        return [_raw(data, name, _request(request, method))]
    har = _har(data)
    if har is not None:
        found = list(_entries(har, name))
        if not found:
            msg = f"{name}: the HAR file holds no request of a queue (a URL whose path ends in /queue)"
            raise UnreadableRecording(msg)
        return found
    asked = Request(method or "GET", "file:///api/queue", purpose="a body from a file")
    return [Exchange(id=name, request=asked, response=Response(200, content=data, head=False))]


def _request(raw: bytes | None, method: str | None) -> Request:
    if raw is None:
        return Request(method or "GET", "file:///api/queue", purpose="a recorded answer")
    lines, _, body = raw.partition(b"\r\n\r\n")
    head = lines.decode("latin-1").split("\r\n")
    parts = head[0].split(" ")
    if len(parts) < 2:
        msg = f"the request line {head[0][:60]!r} is none"
        raise UnreadableRecording(msg)
    fields = [line.partition(":") for line in head[1:]]
    headers = tuple((name.strip(), value.strip()) for name, _, value in fields)
    url = f"http://recorded{parts[1] if parts[1].startswith('/') else '/'}"
    if parts[0] == "POST" and is_queue(url):
        return Request("POST", url, headers, "recorded", to_queue=False, operation=Operation.MANAGE, body=body)
    return Request(parts[0], url, headers, purpose="recorded", to_queue=is_queue(url))


def _raw(data: bytes, name: str, request: Request) -> Exchange:
    """Read an answer as it stood on the wire, with the state machine of h11."""
    import h11

    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    try:
        connection.send(h11.Request(method=request.method, target="/", headers=[("Host", "recorded")]))
        connection.send(h11.EndOfMessage())
    except (h11.LocalProtocolError, UnicodeError):
        msg = f"{name}: {request.method[:60]!r} is no method"
        raise UnreadableRecording(msg) from None
    numbered = _HTTP_2.match(data)
    if numbered:
        data = b"HTTP/1.1 %b \r\n" % numbered[2] + data[numbered.end() :]
    headers: Headers = ()
    status, version, body = 0, "1.1", bytearray()
    try:
        connection.receive_data(data)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status, version = event.status_code, event.http_version.decode()
                headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers.raw_items())
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed | h11.PAUSED | h11.NEED_DATA):
                break
    except h11.RemoteProtocolError as error:
        problem = Problem(Fault.BROKEN, f"not a whole HTTP answer: {error}")
        return _without_keys(Exchange(id=name, request=request, problem=problem))
    version = numbered[1].decode() if numbered else version
    return _exchange(name, request, status, headers, bytes(body), version=f"HTTP/{version}")


def _exchange(  # noqa: PLR0913 - what is known of an exchange, part by part
    name: str, request: Request, status: int, headers: Headers, body: bytes, *, version: str, decoded: bool = False,
    started: float | None = None, elapsed: float | None = None,
) -> Exchange:  # fmt: skip
    codings = [] if decoded or request.method == "HEAD" else values(headers, "content-encoding")
    try:
        content, coding_error = decode(body, codings, MAX_BODY)
    except ContentTooLarge:
        problem = Problem(Fault.TOO_LARGE, f"more than {MAX_BODY:,} bytes")
        return _without_keys(Exchange(name, request, problem=problem, started=started, elapsed=elapsed))
    response = Response(status, headers, content, coding_error, http_version=version)
    return _without_keys(Exchange(name, request, response, started=started, elapsed=elapsed))


def _without_keys(exchange: Exchange) -> Exchange:
    """Take credentials out of the request, and out of the answer wherever it repeats them."""
    request, response = exchange.request, exchange.response
    fields = [value for name, value in request.headers if name.lower() in _KEY_FIELDS]
    keys = {value.rpartition(" ")[2] for value in fields}  # of Authorization what follows the scheme
    keys |= {unquote(value) for value in _KEY_PARAMETERS.findall(request.url)}
    redactors = [Redactor(Secret(key)) for key in keys if len(key) >= SHORTEST_KEY]
    if response is not None:
        content, headers = response.content, redact(response.headers)
        for redactor in redactors:
            content, headers = redactor.content(content), redactor.headers(headers)
        response = replace(response, content=content, headers=headers)
    url, body = _USER.sub("", request.url), request.body
    for redactor in redactors:
        url, body = redactor.text(url), redactor.content(body)
    request = replace(request, url=url, body=body, headers=redact(request.headers))
    return replace(exchange, request=request, response=response)


def _har(data: bytes) -> dict[str, Any] | None:
    if b'"entries"' not in data:
        return None
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    log = value.get("log") if isinstance(value, dict) else None
    return log if isinstance(log, dict) and isinstance(log.get("entries"), list) else None


def _entries(log: dict[str, Any], name: str) -> Iterator[Exchange]:
    let_in: set[str] = set()
    for entry in log["entries"]:
        try:
            let_in |= _keys_let_in(entry)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            continue  # told below
    for number, entry in enumerate(log["entries"], 1):
        try:
            found = _entry(entry, f"{name}#{number}", let_in)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            msg = f"{name}: entry {number} is not as HAR 1.2 has it ({type(error).__name__}: {error})"
            raise UnreadableRecording(msg) from error
        if found.request.to_queue:
            yield found


def _keys_let_in(entry: dict[str, Any]) -> set[str]:
    """Return the key of a queue's request that was answered 200, if it brought one."""
    key = first(_fields(entry["request"]), "x-api-key")
    return (
        {key} if key and int(entry["response"]["status"]) == 200 and is_queue(str(entry["request"]["url"])) else set()
    )


def _credential(headers: Headers, status: int, let_in: set[str]) -> Credential:
    """Tell what was wrong with the key of a refused request, by the keys that were let in elsewhere in the file."""
    key = first(headers, "x-api-key")
    if status not in (401, 403) or not let_in or key in let_in:
        return Credential.GIVEN
    return {None: Credential.NONE, "": Credential.EMPTY}.get(key, Credential.WRONG)


def _entry(entry: dict[str, Any], name: str, let_in: set[str]) -> Exchange:
    asked, answered = entry["request"], entry["response"]
    url = _whole(str(asked["url"]))
    started = datetime.fromisoformat(moment).timestamp() if (moment := entry.get("startedDateTime")) else None
    elapsed = max(0.0, float(taken) / 1000) if (taken := entry.get("time")) is not None else None
    credential = _credential(_fields(asked), int(answered["status"]), let_in)
    request = Request(_whole(str(asked["method"])).upper(), url, _fields(asked), "recorded", credential, is_queue(url))
    content = answered.get("content") or {}
    text: str | None = content.get("text")
    status = int(answered["status"])
    failed = answered.get("_error")  # Chrome's word for an answer that broke off or could not be decoded
    bodiless = request.method == "HEAD" or status in (204, 304) or content.get("size") == 0
    if failed or status == 0 or (text is None and not bodiless):
        problem = Problem(Fault.BROKEN, "the HAR file holds no body for this answer")
        return _without_keys(Exchange(name, request, problem=problem, started=started, elapsed=elapsed))
    try:
        body = (
            base64.b64decode(text, validate=True)
            if text and content.get("encoding") == "base64"
            else (text or "").encode("utf-8", "surrogatepass")
        )
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    return _exchange(name, request, status, _fields(answered), body, version=str(answered.get("httpVersion", "")),
                     decoded=True, started=started, elapsed=elapsed)  # fmt: skip


def _fields(message: dict[str, Any]) -> Headers:
    return tuple(
        (_whole(str(field["name"])), _whole(str(field["value"])))
        for field in message.get("headers") or ()
        if not str(field["name"]).startswith(":")
    )


def _whole(text: str) -> str:
    """Return text that can be written: halves of surrogate pairs, and bytes of a file's name, as their escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
