"""Choose the entries of a HAR file that are about the queue, and read them (``har.py`` reads one entry)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from msgspec import structs

from conformance.exchange.har import FROM_CACHE, QUEUE, USUAL_PATH, Entries, HarEntry, entries_of
from conformance.exchange.headers import Headers, first
from conformance.exchange.model import Credential, Exchange, Request
from conformance.exchange.recording import Recording, Selection, UnreadableRecording
from conformance.exchange.sniff import Content
from conformance.text.cutoff import Text, kind_of
from conformance.text.safe import printable

NAMED: Final = 5
"""Maximum number of paths and servers that a message names."""
_PORTS: Final = {"http": 80, "https": 443}


def add_har(found: Recording, text: Content, name: str, selection: Selection) -> bool:
    """Add the entries of a HAR file that are about the queue to ``found``. False for another kind of text.

    Raises Unusable if the file is cut off, and UnreadableRecording if no entry is about the queue.
    """
    entries = entries_of(text)
    if entries is None:
        return False
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
    return True


def _kept(entry: HarEntry, found: Recording) -> HarEntry:
    """Return the entry with its body moved to the store of the recording."""
    return structs.replace(entry, response=None if entry.response is None else entry.response.kept_in(found.store))


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
