"""Read requests and responses from files: printed HTTP responses, HAR files, and JSON bodies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from conformance.exchange import http_text
from conformance.exchange.har import FROM_CACHE, QUEUE, USUAL_PATH, Entries, HarEntry, NotHar, entries_of
from conformance.exchange.headers import Headers, first
from conformance.exchange.hosts import RECORDED
from conformance.exchange.kept import KnownBody, of_printed
from conformance.exchange.model import Credential, Exchange, NoResponse, Operation, Problem, Request, Response
from conformance.exchange.redactor import NOTHING, Redactor
from conformance.exchange.secrets import REDACTED, SHORTEST_KEY, Secret
from conformance.exchange.sniff import Content, Unusable, as_text, looks_like, unpack
from conformance.exchange.stored import BodyStore
from conformance.text.cutoff import Text, ends_early, kind_of
from conformance.text.safe import printable

_KEY_PARAMETERS: Final = re.compile(
    r"[?&;](?:[\w.-]*(?:key|token|secret|password|passwd|auth|signature))=([^&;#]+)", re.IGNORECASE
)
"""Finds values of URL parameters whose names mean credentials."""
_KEY_FIELDS: Final = ("x-api-key", "authorization", "proxy-authorization")
_NOT_SHOWN: Final = dict.fromkeys((*_KEY_FIELDS, "cookie"), REDACTED) | {"set-cookie": "[not shown]"}
_USER: Final = re.compile(r"(?<=://)[^/?#@]*@")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_BODILESS: Final = (204, 304)
_PORTS: Final = {"http": 80, "https": 443}
NAMED: Final = 5
"""Maximum number of paths and servers that a message names."""


class UnreadableRecording(ValueError):
    """The file contains no readable response. The message is one line for the user."""


def redact(headers: Headers) -> Headers:
    """Return header fields with the values of those redacted that contain credentials."""
    return tuple((name, value and _NOT_SHOWN.get(name.lower(), value)) for name, value in headers)


def is_queue(url: str) -> bool:
    """Whether a URL is that of a queue: its path ends in /queue."""
    return urlsplit(url).path.endswith("/queue")


@dataclass(frozen=True)
class Selection:
    """Which entries of a HAR file are checked: the path of the queue and the base URL of a server, None for any."""

    queue_path: str | None = None
    target: str | None = None


@dataclass
class Recording:
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


def read_file(path: Path, *, method: str | None = None, data: bytes | None = None) -> list[Exchange]:
    """Read a recording. The request of ``X.http`` is read from ``X.req`` in the same directory, if that exists.

    ``method`` is the method of the request, if the file does not have it. ``data`` is the content of the file if it was
    already read, because a pipe can be read only once. Raises OSError, and UnreadableRecording if the file contains no
    response.
    """
    return record_of(path, method=method, data=data).named_by_server()


def record_of(
    path: Path,
    *,
    method: str | None = None,
    data: bytes | None = None,
    selection: Selection = Selection(),
    store: BodyStore | None = None,
) -> Recording:
    """Read a recording from a file. The result has notes about the parts that could not be read.

    ``method`` and ``data`` are as in ``read_file``. ``selection`` says which entries of a HAR file to read, and
    ``store`` is where large bodies are kept. Raises OSError, and UnreadableRecording if the file contains no response.
    """
    beside = path.with_suffix(".req")
    request = beside.read_bytes() if path.suffix == ".http" and method is None and beside.is_file() else None
    content = path.read_bytes() if data is None else data
    return recorded(content, name=_whole(path.name), method=method, request=request, selection=selection, store=store)


def read(data: bytes, *, name: str, method: str | None = None, request: bytes | None = None) -> list[Exchange]:
    """Read the content of a recording in any supported format. ``name`` becomes the id of the exchange."""
    return recorded(data, name=name, method=method, request=request).named_by_server()


def recorded(  # noqa: PLR0913 - each says another thing about the file
    data: bytes,
    *,
    name: str,
    method: str | None = None,
    request: bytes | None = None,
    selection: Selection = Selection(),
    store: BodyStore | None = None,
) -> Recording:
    """Recognise the format of a recording and read it. The result has notes about the parts that could not be read.

    Large bodies are kept in ``store``, by default a new one. Raises UnreadableRecording.
    """
    found = Recording(store or BodyStore())
    try:
        data = unpack(data)
        text = as_text(data)
        like = looks_like(text.data)
        if http_text.begins(text.data):
            return _printed(found, text, name, _request(request, method), selection)
        entries = entries_of(text)
    except (Unusable, NotHar, http_text.NoMessage) as problem:
        msg = f"{name}: the file {problem}"
        raise UnreadableRecording(msg) from None
    if entries is not None:
        return _har(found, entries, name, selection)
    if like is None and text.data.lstrip()[:1] == b"{" and ends_early(text.data):
        like = "looks like a JSON body that was cut off: save it again"
    if like is not None:
        raise UnreadableRecording(f"{name}: the file {like}")
    asked = Request(method or "GET", "file:///api/queue", purpose="a body from a file", head=False)
    found.add(Exchange(id=name, request=asked, response=Response(200, content=data, head=False)))
    return found


# --- printed responses ------------------------------------------------------------------------------------------------


def _printed(found: Recording, text: Content, name: str, request: Request, selection: Selection) -> Recording:
    """Read printed responses from a text file, each with the request printed before it, else with ``request``."""
    answered, notes = http_text.final_responses(text.data)
    found.notes += [f"{name}: {note}" for note in notes]
    for number, (response, before) in enumerate(answered, 1):
        sent = request if before is None else _request_before(before, selection)
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
    return found


def _request_before(message: http_text.Message, selection: Selection) -> Request:
    method, path, *_ = message.start
    host = first(message.headers, "host") or "recorded"
    url = _whole(path if "://" in path else f"http://{host}{path}")
    return _make_request(method, url, message.headers, message.body, selection.queue_path)


def _make_request(method: str, url: str, headers: Headers, body: bytes, path: str | None = None) -> Request:
    if _method(method) == "POST" and is_queue(url):
        return Request("POST", url, headers, "recorded", to_queue=False, operation=Operation.MANAGE, body=body)
    to_queue = is_queue(url) or (path is not None and urlsplit(url).path.endswith(path))
    return Request(method, url, headers, "recorded", to_queue=to_queue)


def _method(text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise UnreadableRecording(f"{text[:60]!r} is not an HTTP method")
    return text


def _request(raw: bytes | None, method: str | None) -> Request:
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


# --- HAR --------------------------------------------------------------------------------------------------------------


def _har(found: Recording, entries: Entries, name: str, selection: Selection) -> Recording:
    """Read the entries of a HAR file that are about the queue, with notes about unreadable ones."""
    named: list[tuple[int, str]] = []
    for number, url in enumerate(entries.urls, 1):
        if url is None:
            found.notes.append(f"{name}: entry {number} has no readable URL and is ignored")
        else:
            named.append((number, url))
    chosen = [_kept(entries.read(number), found) for number in _chosen(named, entries, selection)]
    if not chosen:
        odd = f"; {len(found.notes)} of {len(entries)} entries cannot be read" if found.notes else ""
        raise UnreadableRecording(f"{name}: {_nothing(named, selection)}{odd}")
    found.notes += _passed_over(entries, named, {entry.number for entry in chosen}, name)
    let_in = {
        key
        for entry in chosen
        if (key := first(entry.headers, "x-api-key")) and entry.response and entry.response.status == 200
    }
    for entry in chosen:
        found.notes += [f"{name}: entry {entry.number} {printable(odd)}" for odd in entry.odd]
        found.add(_exchange(entry, name, let_in), (_server(entry.url, selection), _key(entry.headers)))
    return found


def _kept(entry: HarEntry, found: Recording) -> HarEntry:
    """Return the entry with its body moved to the store of the recording."""
    return replace(entry, response=None if entry.response is None else entry.response.kept_in(found.store))


def _passed_over(
    entries: Entries, named: Sequence[tuple[int, str]], chosen: Collection[int], name: str
) -> Iterator[str]:
    """Yield one note if entries that are not for the queue cannot be read. It counts them and names the first few."""
    others = (entries.read(number) for number, _ in named if number not in chosen)
    odd = [entry for entry in others if entry.response is None or set(entry.odd) - {FROM_CACHE}]
    if odd:
        listed = ", ".join(f"entry {entry.number} ({printable(entry.path, 60)})" for entry in odd[:NAMED])
        more = ", …" if len(odd) > NAMED else ""
        noun = "entry" if len(odd) == 1 else "entries"
        yield f"{name}: ignored {len(odd)} unreadable {noun} for other URLs than the queue: {listed}{more}"


def _chosen(named: Sequence[tuple[int, str]], entries: Entries, selection: Selection) -> list[int]:
    """Return the numbers of the entries to check.

    By default these are the entries for /api/queue, or else for another path that ends in /queue and returns JSON.
    """
    path = selection.queue_path or USUAL_PATH
    found = [number for number, url in named if _is_at(url, path, selection.target)]
    if found or selection.queue_path is not None:
        return found
    others = [number for number, url in named if _is_at(url, QUEUE, selection.target)]
    return [number for number in others if _is_json(entries.read(number))]


def _is_json(entry: HarEntry) -> bool:
    return entry.is_json or (entry.response is not None and kind_of(entry.response.content) is Text.COMPLETE)


def _is_at(url: str, path: str, target: str | None) -> bool:
    """Whether a URL has the path of the queue. If ``target`` is given, the URL must be that base URL with the path."""
    return urlsplit(url).path.endswith(path) if target is None else _base(url) == _base(target).rstrip("/") + path


def _base(url: str) -> str:
    """Return scheme, host, port and path of a URL in a normalised form."""
    parts = urlsplit(url)
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    try:
        port = parts.port
    except ValueError:
        port = None
    place = f"[{host}]" if ":" in host else host
    place += "" if port is None or port == _PORTS.get(scheme) else f":{port}"
    return f"{scheme}://{place}{parts.path}"


def _server(url: str, selection: Selection) -> str:
    """Return the base URL of a server: the part of the URL before the path of the queue."""
    base = _base(url)
    for path in (selection.queue_path or USUAL_PATH, QUEUE):
        if base.endswith(path):
            return base.removesuffix(path)
    return base


def _key(headers: Headers) -> str | None:
    return first(headers, "x-api-key") or first(headers, "authorization")


def _nothing(named: Sequence[tuple[int, str]], selection: Selection) -> str:
    """Return the message that no entry is for the queue, with the URLs that the user may have meant."""
    path = selection.queue_path or USUAL_PATH
    below = f" of {selection.target}" if selection.target else ""
    urls = dict.fromkeys(_base(url) for _, url in named if "queue" in urlsplit(url).path)
    if not urls:
        return f"the HAR file contains no request of a queue{below} (a URL whose path ends in {path})"
    listed = ", ".join(printable(url) for url in list(urls)[:NAMED]) + (", …" if len(urls) > NAMED else "")
    return f"the HAR file contains no request of the queue{below} at {path}; see --queue-path and --target for {listed}"


def _exchange(entry: HarEntry, name: str, let_in: set[str]) -> Exchange:
    status = entry.response.status if entry.response else 0
    request = Request(
        entry.method, entry.url, entry.headers, "recorded", _credential(entry.headers, status, let_in), head=entry.head
    )
    return Exchange(f"{name}#{entry.number}", request, entry.response, entry.problem, entry.started, entry.elapsed)


def _credential(headers: Headers, status: int, let_in: set[str]) -> Credential:
    """Return which key a request had. The key of a refused request is compared with the accepted keys in the file."""
    key = first(headers, "x-api-key")
    if status not in (401, 403) or not let_in or key in let_in:
        return Credential.GIVEN
    return {None: Credential.NONE, "": Credential.EMPTY}.get(key, Credential.WRONG)


def _whole(text: str) -> str:
    """Return text that can be encoded in UTF-8: lone surrogates and undecodable bytes are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
