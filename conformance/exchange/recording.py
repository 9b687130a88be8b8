"""The class Recording: the exchanges read from files, without the keys of their requests."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange
from conformance.exchange.redactor import NOTHING, Redactor
from conformance.exchange.secrets import REDACTED, SHORTEST_KEY, Secret
from conformance.exchange.stored import BodyStore

_KEY_PARAMETERS: Final = re.compile(
    r"[?&;](?:[\w.-]*(?:key|token|secret|password|passwd|auth|signature))=([^&;#]+)", re.IGNORECASE
)
"""Finds values of URL parameters whose names mean credentials."""
_KEY_FIELDS: Final = ("x-api-key", "authorization", "proxy-authorization")
_NOT_SHOWN: Final = dict.fromkeys((*_KEY_FIELDS, "cookie"), REDACTED) | {"set-cookie": "[not shown]"}
_USER: Final = re.compile(r"(?<=://)[^/?#@]*@")


class UnreadableRecording(ValueError):
    """The file contains no readable response. The message is one line for the user."""


def redact(headers: Headers) -> Headers:
    """Return header fields with the values of those redacted that contain credentials."""
    return tuple((name, value and _NOT_SHOWN.get(name.lower(), value)) for name, value in headers)


def is_queue(url: str) -> bool:
    """Whether a URL is that of a queue: its path ends in /queue."""
    return urlsplit(url).path.endswith("/queue")


class Selection(Struct, frozen=True):
    """Which entries of a HAR file are checked: the path of the queue and the base URL of a server, None for any."""

    queue_path: str | None = None
    target: str | None = None


ALL: Final = Selection()
"""Every entry."""


class Recording(Struct):
    """The exchanges in one or several files. ``notes`` has a line for each part that could not be read.

    ``servers`` has the base URL and the key of each exchange, or None if unknown. Large bodies are in ``store``.
    """

    store: BodyStore = field(default_factory=BodyStore)
    exchanges: list[Exchange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    servers: list[tuple[str, str | None] | None] = field(default_factory=list)

    def add(self, exchange: Exchange, server: tuple[str, str | None] | None = None) -> None:
        """Add an exchange after redacting its keys. ``server`` is its base URL and key, if known."""
        kept = _without_keys(exchange)
        if kept.response is not None:
            kept = replace(kept, response=kept.response.kept_in(self.store))
        self.exchanges.append(kept)
        self.servers.append(server)

    def extend(self, other: Recording) -> None:
        """Add the exchanges and notes of another recording."""
        self.exchanges += other.exchanges
        self.notes += other.notes
        self.servers += other.servers

    def named_by_server(self) -> list[Exchange]:
        """Return the exchanges with ``server`` set to its base URL.

        If a server accepted several keys, its users have different queues, so the number of the key is part of the
        name. Refused requests, and all methods except GET, belong to the first accepted key.
        """
        let_in: dict[str, dict[str | None, int]] = {}
        for exchange, server in zip(self.exchanges, self.servers, strict=True):
            answered = exchange.response is not None and exchange.response.status == 200
            if server is not None and answered and exchange.request.method == "GET":
                keys = let_in.setdefault(server[0], {})
                keys.setdefault(server[1], len(keys) + 1)
        return [
            replace(exchange, server=_name(server, let_in.get(server[0], {}))) if server else exchange
            for exchange, server in zip(self.exchanges, self.servers, strict=True)
        ]


def _name(server: tuple[str, str | None], keys: dict[str | None, int]) -> str:
    base, key = server
    return base if len(keys) < 2 else f"{base} (key {keys.get(key, 1)})"


def _without_keys(exchange: Exchange) -> Exchange:
    """Redact credentials in the request, and record where the response contains them."""
    request, response = exchange.request, exchange.response
    fields = [value for name, value in request.headers if name.lower() in _KEY_FIELDS]
    keys = {value.rpartition(" ")[2] for value in fields}  # Authorization: the part after the scheme
    keys |= {unquote(value) for value in _KEY_PARAMETERS.findall(request.url)}
    redactor = _redactor(frozenset(key for key in keys if len(key) >= SHORTEST_KEY))
    if response is not None:
        headers = redact(response.headers)
        response = response.with_echoes(headers, redactor.echoes(headers, response.content))
    url = redactor.text(_USER.sub("", request.url))
    request = replace(request, url=url, headers=redact(request.headers))
    return replace(exchange, request=request, response=response, redactor=redactor)


@lru_cache(maxsize=16)
def _redactor(keys: frozenset[str]) -> Redactor:
    return Redactor(*map(Secret, keys)) if keys else NOTHING


def encodable(text: str) -> str:
    """Return text that can be encoded in UTF-8: lone surrogates and undecodable bytes are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
