"""HTTP messages as tools print them: ``curl -i``, ``wget --save-headers``, HTTPie, PowerShell.

One file may hold several: interim responses, what a proxy said before, redirects that the client followed, the
requests between them. Of the responses those count that answered in the end.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from conformance.exchange.headers import Headers, first, lines

_LINE: Final = rb"[^\r\n]*\r?\n"
_STATUS: Final = rb"HTTP/\d(?:\.\d)? +\d{3}\b"
_REQUEST: Final = rb"(?:GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE|CONNECT) \S+ HTTP/\d(?:\.\d)?"
_FIELDS: Final = rb"(?:[^\s:][^\r\n:]*+:[^\r\n]*+\r?\n|[ \t][^\r\n]*+\r?\n)*+\r?\n"
_FIRST: Final = re.compile(rb"(?:" + _STATUS + rb"|" + _REQUEST + rb")" + _LINE + rb"(?:[^\r\n]++\r?\n)*+\r?\n")
"""The head that a file begins with: lines up to the first empty one, whatever they are."""
_NEXT: Final = re.compile(rb"(?:" + _STATUS + rb"[^\r\n]*+|" + _REQUEST + rb")\r?\n" + _FIELDS)
"""A further head: no JSON text can hold one, since a line end in a string is escaped."""
_INTERIM: Final = range(100, 200)
_SUCCESS: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)
_NEGOTIATED: Final = ("digest", "ntlm", "negotiate")


class Message(NamedTuple):
    """A request or response as it is printed. ``start`` are the words of its first line; ``body`` may be longer."""

    start: tuple[str, ...]
    headers: Headers
    body: bytes

    @property
    def is_response(self) -> bool:
        """Whether it is a response."""
        return self.start[0].startswith("HTTP/")

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.start[1])


class Answered(NamedTuple):
    """A response, and the request before it where the file holds that."""

    response: Message
    request: Message | None


class NoMessage(ValueError):
    """A file that does not hold a whole head. Its text says what is the matter."""


def begins(data: bytes) -> bool:
    """Whether a file begins like HTTP messages that hold a response."""
    data = data.lstrip(b"\r\n")
    if data.startswith(b"HTTP/"):
        return True
    return re.match(_REQUEST + rb"\r?\n", data) is not None and any(
        found[0].startswith(b"HTTP/") for found in _NEXT.finditer(data)
    )


def answered(data: bytes) -> tuple[list[Answered], list[str]]:
    """Return the responses that answered in the end, and a note on the others. Raises NoMessage."""
    kept: list[Answered] = []
    followed: list[int] = []
    messages = list(_messages(data))
    request: Message | None = None
    for number, message in enumerate(messages):
        if not message.is_response:
            request = message
            continue
        later = any(other.is_response for other in messages[number + 1 :])
        if message.status in _INTERIM or (later and _is_tunnel(message, request)):
            continue
        if later and (message.status in _REDIRECT or message.status == 407 or _is_negotiation(message)):
            followed.append(message.status)
            continue
        kept.append(Answered(message, request))
    if not kept:
        interim = ", ".join(str(message.status) for message in messages if message.is_response)
        told = f"an interim response ({interim})" if interim else "a request"
        raise NoMessage(f"holds {told} and no final response")
    if not followed:
        return kept, []
    statuses = ", ".join(map(str, followed))
    return kept, [f"the last response is judged, not those that the client went on from ({statuses})"]


def _is_tunnel(message: Message, request: Message | None) -> bool:
    """Whether it says that a proxy has opened a tunnel."""
    asked = request is not None and request.start[0] == "CONNECT"
    typed = first(message.headers, "content-type") or first(message.headers, "content-length")
    return message.status in _SUCCESS and (asked or (not message.body.strip() and not typed))


def _is_negotiation(message: Message) -> bool:
    """Whether the client itself went on from a challenge, as curl does with --anyauth and --digest."""
    schemes = (value.split(" ")[0].lower() for value in lines(message.headers, "www-authenticate"))
    return message.status == 401 and any(scheme in _NEGOTIATED for scheme in schemes)


def _messages(data: bytes) -> list[Message]:
    data = data.lstrip(b"\r\n")
    found = _FIRST.match(data)
    if found is None:
        whole = re.match(_STATUS, data) or re.match(_REQUEST, data)
        raise NoMessage("is cut off in its headers" if whole else "does not begin with an HTTP status line")
    messages = []
    while found is not None:
        start, *fields = re.split(r"\r?\n(?![ \t])", found[0].decode("latin-1").rstrip("\r\n"))
        pairs = [field.partition(":") for field in fields]
        headers = tuple((name.strip(), _unfolded(value)) for name, colon, value in pairs if colon)
        body, following = _body(data, found.end(), headers)
        messages.append(Message(tuple(start.split(None, 2)), headers, body))
        found = following
    return messages


def _unfolded(value: str) -> str:
    return re.sub(r"\r?\n[ \t]+", " ", value).strip()


def _body(data: bytes, start: int, headers: Headers) -> tuple[bytes, re.Match[bytes] | None]:
    """Return what stands between a head and the next one, and that."""
    length = first(headers, "content-length")
    if length is not None and length.isascii() and length.isdecimal():
        end = start + int(length[:18])
        following = _NEXT.match(data, end + len(data[end:]) - len(data[end:].lstrip())) if end <= len(data) else None
        if following is not None:
            return data[start:end], following
    following = _NEXT.search(data, start)
    return data[start : following.start() if following else len(data)], following
