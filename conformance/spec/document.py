"""The published OpenAPI document, its errata, and the documents derived from it.

The published document is shipped unchanged. Clauses quote it, and ``quote_stands_at`` checks their quotes. The errata
turn it into the corrected document, and a second overlay turns that into the probed one, from which requests are
generated. Both are created in development (``tox -e overlay``) and only read at run time.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from conformance.text.pointer import pointer_to

DOCUMENT_SHA256: Final = "95185edf23bb80be1c67b006cda5596d84c358fa8f8b8db5cf8b4a52206210de"
"""Identifies the published document in reports."""

Document = dict[str, Any]
"""An OpenAPI document or Overlay as parsed from YAML."""

_STEP: Final = re.compile(r"\.([\w-]+)|\['([^']+)'\]")
"""One step of the JSONPaths that the overlay uses."""


def _directory() -> Path:
    """Return the directory of the shipped documents: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "openapi"
    return inside if inside.is_dir() else package.parent / "openapi"


_DIRECTORY: Final = _directory()
DOCUMENT_PATH: Final = _DIRECTORY / "openapi-cloud.get-queue.yaml"
CORRECTED_PATH: Final = _DIRECTORY / "openapi-cloud.get-queue.corrected.yaml"
OVERLAY_PATH: Final = _DIRECTORY / "errata.overlay.yaml"
PROBING_PATH: Final = _DIRECTORY / "probing.overlay.yaml"
PROBED_PATH: Final = _DIRECTORY / "openapi-cloud.get-queue.probed.yaml"


class Erratum(NamedTuple):
    """One action of the overlay: its name in words, the place (JSONPath) that it corrects, and the reason.

    ``update`` is merged into the place; None removes the place.
    """

    id: str
    target: str
    reason: str
    update: Document | None = None

    @property
    def pointer(self) -> str:
        """The place as a JSON Pointer. The overlay's targets use only names below ``$``."""
        return pointer_to(*(name or quoted for name, quoted in _STEP.findall(self.target)))


def document_bytes() -> bytes:
    """Return the published document as bytes."""
    return DOCUMENT_PATH.read_bytes()


def load_document() -> Document:
    """Return the published document, with its defects. The caller owns the value."""
    return copy.deepcopy(_parse(DOCUMENT_PATH))


def load_corrected() -> Document:
    """Return the corrected document. The caller owns the value."""
    return copy.deepcopy(_parse(CORRECTED_PATH))


def load_probed() -> Document:
    """Return the probed document. The caller owns the value."""
    return copy.deepcopy(_parse(PROBED_PATH))


def load_probing() -> Document:
    """Return the overlay that declares what the document leaves open. The caller owns the value."""
    return copy.deepcopy(_parse(PROBING_PATH))


def apply_errata(document: Document, refusals: Mapping[str, object]) -> None:
    """Correct a document in place, where it agrees with the published one about the queue, and describe refusals.

    A value that is not a document is left unchanged.
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
    """Return the errata of the published document, in the order of application."""
    return tuple(
        Erratum(action["x-id"], action["target"], action["description"], action.get("update"))
        for action in _parse(OVERLAY_PATH)["actions"]
    )


def resolve(pointer: str, document: Document | None = None) -> object:
    """Return the value at a JSON Pointer (RFC 6901) in a document, by default the vendored one.

    Raises:
        LookupError: if the value is missing.
        ValueError: if the text is not a JSON Pointer.
    """
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"a JSON Pointer is empty or starts with '/': {pointer!r}")
    value: object = _parse(DOCUMENT_PATH) if document is None else document
    for token in pointer.split("/")[1:]:
        value = _member(value, token.replace("~1", "/").replace("~0", "~"), pointer)
    return copy.deepcopy(value)


def quote_stands_at(pointer: str, quote: str, document: Document | None = None) -> bool:
    """Return whether a document, by default the vendored one, has a quote at a place.

    The quote may be a part of a string, but must be the whole JSON text of any other value. All white space counts as
    one blank.
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
    """Return prose with every run of white space replaced by one blank."""
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
def _parse(path: Path) -> Document:
    import yaml  # slow to import, and rarely needed

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # several times faster, but not built everywhere
    document: Document = yaml.load(path.read_bytes(), loader)  # noqa: S506 - both are safe loaders
    return document
