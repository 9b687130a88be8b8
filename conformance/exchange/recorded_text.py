"""Read recorded requests and responses as tools print them (``http_text.py`` splits the text into messages)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange import http_text
from conformance.exchange.headers import Headers, first
from conformance.exchange.hosts import RECORDED
from conformance.exchange.kept import KnownBody, of_printed
from conformance.exchange.model import Exchange, NoResponse, Operation, Problem, Request, Response
from conformance.exchange.recording import Recording, Selection, UnreadableRecording, encodable, is_queue
from conformance.exchange.sniff import Content

_BODILESS: Final = (204, 304)


def add_printed(  # noqa: PLR0913, PLR0917 - each says another thing about the file
    found: Recording, text: Content, name: str, request: bytes | None, method: str | None, selection: Selection
) -> bool:
    """Add printed responses to ``found``, each with the request printed before it. False for another kind of text.

    If no request is printed, it is ``request``, the content of a .req file; without one, only ``method`` is known.
    Raises Unusable if no response is complete, and UnreadableRecording if a request is malformed.
    """
    if not http_text.begins(text.data):
        return False
    usual = _request_in(request, method)
    answered, notes = http_text.final_responses(text.data)
    found.notes += [f"{name}: {note}" for note in notes]
    for number, (response, before) in enumerate(answered, 1):
        sent = usual if before is None else _request_before(before, selection)
        status = response.status
        bodiless = sent.method == "HEAD" or status in _BODILESS
        kept = KnownBody() if bodiless else of_printed(response.body, response.headers, recoded=text.recoded)
        answer = Response(
            status,
            response.headers,
            kept.content,
            kept.coding_error,
            extent=kept.extent,
            verbatim=kept.verbatim,
            http_version=response.start[0],
        )
        problem = None if kept.lost is None else Problem(NoResponse.NOT_RECORDED, kept.lost)
        found.add(Exchange(f"{name}#{number}" if len(answered) > 1 else name, sent, answer, problem))
    return True


def _request_before(message: http_text.Message, selection: Selection) -> Request:
    method, path, *_ = message.start
    host = first(message.headers, "host") or "recorded"
    url = encodable(path if "://" in path else f"http://{host}{path}")
    return _make_request(method, url, message.headers, message.body, selection.queue_path)


def _make_request(method: str, url: str, headers: Headers, body: bytes, path: str | None = None) -> Request:
    if _method(method) == "POST" and is_queue(url):
        return Request("POST", url, headers, "recorded", to_queue=False, operation=Operation.MANAGE, body=body)
    to_queue = is_queue(url) or (path is not None and urlsplit(url).path.endswith(path))
    return Request(method, url, headers, "recorded", to_queue=to_queue)


def _method(text: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text):
        raise UnreadableRecording(f"{text[:60]!r} is not an HTTP method")
    return text


def _request_in(raw: bytes | None, method: str | None) -> Request:
    if raw is None:
        return Request(_method(method or "GET"), "file:///api/queue", purpose="a recorded response", head=False)
    lines, _, body = raw.partition(b"\r\n\r\n")
    head = lines.decode("latin-1").split("\r\n")
    parts = head[0].split(" ")
    if len(parts) < 2:
        msg = f"{head[0][:60]!r} is not an HTTP request line"
        raise UnreadableRecording(msg)
    fields = [line.partition(":") for line in head[1:]]
    headers = tuple((name.strip(), value.strip()) for name, _, value in fields)
    url = f"http://{RECORDED}{parts[1] if parts[1].startswith('/') else '/'}"
    return _make_request(parts[0], url, headers, body)
