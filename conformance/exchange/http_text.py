"""Read HTTP messages as tools print them: ``curl -i``, ``wget --save-headers``, HTTPie, PowerShell.

One file may contain several messages: interim responses, a proxy's response, redirects that the client followed, and
the requests between them. Only the final responses are checked.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from conformance.exchange.headers import Headers, first, lines
from conformance.exchange.sniff import Unusable

_LINE: Final = rb"[^\r\n]*\r?\n"
_STATUS: Final = rb"HTTP/\d(?:\.\d)? +\d{3}\b"
_REQUEST: Final = rb"(?:GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE|CONNECT) \S+ HTTP/\d(?:\.\d)?"
_FIELDS: Final = rb"(?:[^\s:][^\r\n:]*+:[^\r\n]*+\r?\n|[ \t][^\r\n]*+\r?\n)*+\r?\n"
_FIRST: Final = re.compile(rb"(?:" + _STATUS + rb"|" + _REQUEST + rb")" + _LINE + rb"(?:[^\r\n]++\r?\n)*+\r?\n")
"""The first message in a file: its first line and its headers, up to the first empty line."""
_NEXT: Final = re.compile(rb"(?:" + _STATUS + rb"[^\r\n]*+|" + _REQUEST + rb")\r?\n" + _FIELDS)
"""The first line and headers of a later message. A body in JSON cannot match, because its strings have no line breaks.
"""
_BLANK: Final = re.compile(rb"\s*+")
_INTERIM: Final = range(100, 200)
_SUCCESS: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)
_NEGOTIATED: Final = ("digest", "ntlm", "negotiate")


class Message(NamedTuple):
    """A printed request or response. ``start`` has the words of its first line.

    ``text`` is the whole file, which has the body from offset ``at`` to ``end``. ``end`` is that of the next message,
    which may be more than the body.
    """

    start: tuple[str, ...]
    headers: Headers
    text: bytes
    at: int
    end: int

    @property
    def body(self) -> bytes:
        """Everything up to the next message. It is copied when needed, because all bodies would fill the memory."""
        return self.text[self.at : self.end]

    @property
    def is_response(self) -> bool:
        """Whether the message is a response, not a request."""
        return self.start[0].startswith("HTTP/")

    @property
    def status(self) -> int:
        """The status code of the response."""
        return int(self.start[1])


class Answered(NamedTuple):
    """A response in the file, and the request printed before it, or None."""

    response: Message
    request: Message | None


def begins(data: bytes) -> bool:
    """Whether a file begins with an HTTP response, or with a request that a response follows."""
    data = data.lstrip(b"\r\n")
    if data.startswith(b"HTTP/"):
        return True
    return re.match(_REQUEST + rb"\r?\n", data) is not None and any(
        found[0].startswith(b"HTTP/") for found in _NEXT.finditer(data)
    )


def final_responses(data: bytes) -> tuple[list[Answered], list[str]]:
    """Return the final responses in a file, and notes about responses that are ignored. Raises Unusable."""
    kept: list[Answered] = []
    followed: list[int] = []
    messages = _messages(data)
    last = max((number for number, message in enumerate(messages) if message.is_response), default=0)
    request: Message | None = None
    for number, message in enumerate(messages):
        if not message.is_response:
            request = message
            continue
        later = number < last
        if message.status in _INTERIM or (later and _is_tunnel(message, request)):
            continue
        if later and (message.status in _REDIRECT or message.status == 407 or _is_negotiation(message)):
            followed.append(message.status)
            continue
        kept.append(Answered(message, request))
    if not kept:
        interim = ", ".join(str(message.status) for message in messages if message.is_response)
        found = f"an interim response ({interim})" if interim else "a request"
        raise Unusable(f"contains {found} but no final response")
    if not followed:
        return kept, []
    statuses = ", ".join(map(str, followed))
    return kept, [f"only the last response is checked, not the earlier ones ({statuses})"]


def _is_tunnel(message: Message, request: Message | None) -> bool:
    """Whether a response is from a proxy that opened a tunnel, so that the server's response follows."""
    connecting = request is not None and request.start[0] == "CONNECT"
    typed = first(message.headers, "content-type") or first(message.headers, "content-length")
    return message.status in _SUCCESS and (connecting or (not message.body.strip() and not typed))


def _is_negotiation(message: Message) -> bool:
    """Whether a 401 asks for a login, after which curl repeats the request (--anyauth, --digest)."""
    schemes = (value.split(" ")[0].lower() for value in lines(message.headers, "www-authenticate"))
    return message.status == 401 and any(scheme in _NEGOTIATED for scheme in schemes)


def _messages(data: bytes) -> list[Message]:
    data = data.lstrip(b"\r\n")
    found = _FIRST.match(data)
    if found is None:
        whole = re.match(_STATUS, data) or re.match(_REQUEST, data)
        raise Unusable("is cut off in its headers" if whole else "does not begin with an HTTP status line")
    messages = []
    while found is not None:
        start, *fields = re.split(r"\r?\n(?![ \t])", found[0].decode("latin-1").rstrip("\r\n"))
        pairs = [field.partition(":") for field in fields]
        headers = tuple((name.strip(), _unfold(value)) for name, colon, value in pairs if colon)
        at = found.end()
        end, found = _end_of_body(data, at, headers)
        messages.append(Message(tuple(start.split(None, 2)), headers, data, at, end))
    return messages


def _unfold(value: str) -> str:
    return re.sub(r"\r?\n[ \t]+", " ", value).strip()


def _end_of_body(data: bytes, start: int, headers: Headers) -> tuple[int, re.Match[bytes] | None]:
    """Return the offset where everything between two messages ends, and the match of the second one, or None."""
    length = first(headers, "content-length")
    if length is not None and length.isascii() and length.isdecimal():
        end = start + int(length[:18])
        blank = _BLANK.match(data, end) if end <= len(data) else None
        following = None if blank is None else _NEXT.match(data, blank.end())
        if following is not None:
            return end, following
    following = _NEXT.search(data, start)
    return following.start() if following else len(data), following
