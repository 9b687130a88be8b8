"""The published OpenAPI document, the corrections of its mistakes (errata), and the documents derived from it.

An excerpt of the published OpenAPI document ships with the suite, unchanged. Clauses quote it, and ``quote_stands_at``
checks their quotes. The errata turn it into the corrected document. A second overlay, the probing overlay, adds
optional parameters that a server must tolerate, such as Accept and Range. Requests are generated from the result, the
probed document. The corrected and the probed document are created in development (``tox -e overlay``) and only read at
run time.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from conformance.text.pointer import pointer_to, unescape

DOCUMENT_SHA256: Final = "95185edf23bb80be1c67b006cda5596d84c358fa8f8b8db5cf8b4a52206210de"
"""The SHA-256 of the OpenAPI document that ships with the suite. Reports contain it."""

OpenApiDocument = dict[str, Any]
"""An OpenAPI document or an OpenAPI Overlay, as parsed from YAML."""

_STEP: Final = re.compile(r"\.([\w-]+)|\['([^']+)'\]")
"""Matches one step of a JSONPath in an overlay."""


def _directory() -> Path:
    """Return the directory of the OpenAPI documents: inside the package if installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "openapi"
    return inside if inside.is_dir() else package.parent / "openapi"


_DIRECTORY: Final = _directory()
DOCUMENT_PATH: Final = _DIRECTORY / "openapi-cloud.get-queue.yaml"
CORRECTED_PATH: Final = _DIRECTORY / "openapi-cloud.get-queue.corrected.yaml"
OVERLAY_PATH: Final = _DIRECTORY / "errata.overlay.yaml"
PROBING_PATH: Final = _DIRECTORY / "probing.overlay.yaml"
PROBED_PATH: Final = _DIRECTORY / "openapi-cloud.get-queue.probed.json"


class Erratum(NamedTuple):
    """The correction of one mistake in the OpenAPI document: its id, the place (JSONPath), and the reason.

    ``update`` is merged into the value at the place. If it is None, the value is removed.
    """

    id: str
    target: str
    reason: str
    update: OpenApiDocument | None = None

    @property
    def pointer(self) -> str:
        """The place in the OpenAPI document that is corrected, as a JSON Pointer."""
        return pointer_to(*(name or quoted for name, quoted in _STEP.findall(self.target)))


def document_bytes() -> bytes:
    """Return the bytes of the OpenAPI document that ships with the suite, with its mistakes."""
    return DOCUMENT_PATH.read_bytes()


def load_document() -> OpenApiDocument:
    """Return a copy of the OpenAPI document that ships with the suite, with its mistakes. The caller may modify it."""
    return copy.deepcopy(_parse(DOCUMENT_PATH))


def load_corrected() -> OpenApiDocument:
    """Return a copy of the corrected OpenAPI document. The caller may modify it."""
    return copy.deepcopy(_parse(CORRECTED_PATH))


def load_probed() -> OpenApiDocument:
    """Return a copy of the corrected OpenAPI document with the optional parameters of the probing overlay.

    The caller may modify it. Every run that generates requests reads it: it is JSON, which is parsed faster than YAML.
    """
    document: OpenApiDocument = json.loads(PROBED_PATH.read_bytes())
    return document


def load_probing() -> OpenApiDocument:
    """Return a copy of the probing overlay, which adds parameters that a server must tolerate.

    The caller may modify it.
    """
    return copy.deepcopy(_parse(PROBING_PATH))


def apply_errata(document: OpenApiDocument, refusals: Mapping[str, object]) -> None:
    """Correct known mistakes in a document in place, and add ``refusals`` (responses such as 401) to GET /api/queue.

    Only parts that are equal to those of the published document are changed.
    """
    published, corrected = load_document(), load_corrected()
    for place in (("components", "schemas", "QueueItem"), ("paths", "/api/queue", "get", "responses")):
        *above, last = place
        parent = _at(document, above)
        if isinstance(parent, dict) and parent.get(last) == _at(published, place):
            parent[last] = _at(corrected, place)
            if last == "responses":
                parent[last] |= refusals


def errata() -> tuple[Erratum, ...]:
    """Return the errata (corrections) of the published document, in the order in which they are applied."""
    return tuple(
        Erratum(action["x-id"], action["target"], action["description"], action.get("update"))
        for action in _parse(OVERLAY_PATH)["actions"]
    )


def resolve(pointer: str, document: OpenApiDocument | None = None) -> object:
    """Return a copy of the value at a JSON Pointer in a document, by default the one that ships with the suite.

    Raises:
        LookupError: if the value is missing.
        ValueError: if the text is not a JSON Pointer.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"a JSON Pointer is empty or starts with '/': {pointer!r}")
    value: object = _parse(DOCUMENT_PATH) if document is None else document
    for token in pointer.split("/")[1:]:
        value = _member(value, unescape(token), pointer)
    return copy.deepcopy(value)


def quote_stands_at(pointer: str, quote: str, document: OpenApiDocument | None = None) -> bool:
    """Return whether a document, by default the one that ships with the suite, has a quote at a JSON Pointer.

    The quote may be a part of a string. If the value is not a string, the quote must be its whole JSON text. All white
    space counts as one blank.
    """
    try:
        value = resolve(pointer, document)
    except LookupError:
        return False
    wanted = folded(quote)
    if isinstance(value, str):
        return bool(wanted) and wanted in folded(value)
    return wanted == folded(json.dumps(value, ensure_ascii=False, default=str))


def folded(text: str) -> str:
    """Return text in which each run of white space, also of line breaks, is replaced by one blank."""
    return " ".join(text.split())


def _member(value: object, token: str, pointer: str) -> object:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", token) and int(token) < len(value):
        return value[int(token)]
    raise LookupError(f"the document has no {pointer!r}: {token!r} is missing")


def _at(document: Any, place: Sequence[str]) -> Any:
    for name in place:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


@cache
def _parse(path: Path) -> OpenApiDocument:
    import yaml  # slow to import, and rarely needed

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # several times faster, but not built everywhere
    document: OpenApiDocument = yaml.load(path.read_bytes(), loader)  # noqa: S506 - both are safe loaders
    return document
