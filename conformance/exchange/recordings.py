"""Read requests and responses from files: printed HTTP responses, HAR files, and JSON bodies."""

from __future__ import annotations

from pathlib import Path

from conformance.exchange.model import Exchange, Request, Response
from conformance.exchange.recording import ALL, Recording, Selection, UnreadableRecording, encodable
from conformance.exchange.sniff import Unusable, as_text, looks_like, unpack
from conformance.exchange.stored import BodyStore
from conformance.text.cutoff import ends_early


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
    selection: Selection = ALL,
    store: BodyStore | None = None,
) -> Recording:
    """Read a recording from a file. The result has notes about the parts that could not be read.

    ``method`` and ``data`` are as in ``read_file``. ``selection`` says which entries of a HAR file to read, and
    ``store`` is where large bodies are kept. Raises OSError, and UnreadableRecording if the file contains no response.
    """
    beside = path.with_suffix(".req")
    request = beside.read_bytes() if path.suffix == ".http" and method is None and beside.is_file() else None
    content = path.read_bytes() if data is None else data
    return recorded(
        content, name=encodable(path.name), method=method, request=request, selection=selection, store=store
    )


def read(data: bytes, *, name: str, method: str | None = None, request: bytes | None = None) -> list[Exchange]:
    """Read the content of a recording in any supported format. ``name`` becomes the id of the exchange."""
    return recorded(data, name=name, method=method, request=request).named_by_server()


def recorded(  # noqa: PLR0913 - each says another thing about the file
    data: bytes,
    *,
    name: str,
    method: str | None = None,
    request: bytes | None = None,
    selection: Selection = ALL,
    store: BodyStore | None = None,
) -> Recording:
    """Recognise the format of a recording and read it. The result has notes about the parts that could not be read.

    Large bodies are kept in ``store``, by default a new one. Raises UnreadableRecording.
    """
    found = Recording(store or BodyStore())
    try:
        data = unpack(data)
        text = as_text(data)
        like, start = looks_like(text.data), text.data.lstrip()[:1]
        if start not in {b"{", b"["}:
            from conformance.exchange.recorded_text import add_printed

            if add_printed(found, text, name, request, method, selection):
                return found
        elif b'"log"' in text.data or b'"entries"' in text.data:
            from conformance.exchange.recorded_har import add_har

            if add_har(found, text, name, selection):
                return found
    except Unusable as problem:
        raise UnreadableRecording(f"{name}: the file {problem}") from None
    if like is None and start == b"{" and ends_early(text.data):
        like = "looks like a JSON body that was cut off: save it again"
    if like is not None:
        raise UnreadableRecording(f"{name}: the file {like}")
    asked = Request(method or "GET", "file:///api/queue", purpose="a body from a file", head=False)
    found.add(Exchange(id=name, request=asked, response=Response(200, content=data, head=False)))
    return found
