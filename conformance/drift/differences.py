"""Find out how the published OpenAPI document differs from the excerpt that ships with the suite.

Only GET /api/queue and its schemas are compared.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from conformance.contract.catalogue import CATALOGUE
from conformance.spec.document import (
    DOCUMENT_SHA256,
    Erratum,
    OpenApiDocument,
    errata,
    folded,
    load_document,
    quote_stands_at,
    resolve,
)
from conformance.text.pointer import pointer_to

PUBLISHED_AT: Final = "https://docs.comfy.org/openapi-cloud.yaml"
"""The URL of the complete OpenAPI document in Comfy's documentation."""
COMPARED: Final = (
    pointer_to("paths", "/api/queue", "get"),
    *(pointer_to("components", "schemas", name) for name in ("QueueInfo", "QueueItem", "ErrorResponse")),
)
"""The JSON Pointers of the operation and its three schemas, which are compared."""


class Absent:
    """The type of ``ABSENT``, the placeholder for a value that one of the two documents does not have."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = Absent()


@dataclass(frozen=True)
class DocumentChange:
    """A difference: its JSON Pointer, the value in the excerpt (``was``), and the published value (``now``)."""

    pointer: str
    was: Any
    now: Any

    @property
    def kind(self) -> str:
        """Whether the value was added, removed or changed, in one word."""
        return "added" if self.was is ABSENT else "removed" if self.now is ABSENT else "changed"


@dataclass(frozen=True)
class LostQuote:
    """A text that clauses quote, and that is missing from its place in the published document."""

    pointer: str
    quote: str
    clauses: tuple[str, ...]


class ErratumState(enum.StrEnum):
    """Whether the published document still has a known mistake (an erratum)."""

    STANDS = "stands"
    """The published text still has the mistake, so the correction is still needed."""
    MENDED = "mended"
    """The published text is now the corrected text, so the mistake is fixed."""
    REWORDED = "reworded"
    """The published text has neither the mistake nor the correction, so a person must look at it."""


@dataclass(frozen=True)
class Drift:
    """The differences between the published OpenAPI document and the excerpt that ships with the suite.

    ``sha256`` is that of the fetched page. ``lost`` has the texts that clauses quote and that are missing. ``errata``
    has the known mistakes, each with its state.
    """

    url: str
    sha256: str
    changes: tuple[DocumentChange, ...]
    lost: tuple[LostQuote, ...]
    errata: tuple[tuple[Erratum, ErratumState], ...]

    @property
    def vendored_sha256(self) -> str:
        """The SHA-256 of the excerpt that ships with the suite."""
        return DOCUMENT_SHA256

    @property
    def found(self) -> bool:
        """Whether the operation, its schemas or a quoted text differ."""
        return bool(self.changes or self.lost)


def compare(published: OpenApiDocument, *, url: str, content: bytes) -> Drift:
    """Compare a published document with the excerpt that ships with the suite. ``content`` is the fetched page."""
    vendored = load_document()
    changes = (
        change for pointer in COMPARED for change in _changes(_at(vendored, pointer), _at(published, pointer), pointer)
    )
    states = tuple((erratum, _state(erratum, vendored, published)) for erratum in errata())
    return Drift(url, hashlib.sha256(content).hexdigest(), tuple(changes), _lost(published), states)


def _changes(was: Any, now: Any, pointer: str) -> Iterator[DocumentChange]:
    """Yield the differences between two values, as deep as possible. Text that is only wrapped differently is equal."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*was, *now]):
            yield from _changes(was.get(name, ABSENT), now.get(name, ABSENT), pointer + pointer_to(name))
    elif isinstance(was, list) and isinstance(now, list):
        for index in range(max(len(was), len(now))):
            before, after = (side[index] if index < len(side) else ABSENT for side in (was, now))
            yield from _changes(before, after, f"{pointer}/{index}")
    elif not _same(was, now):
        yield DocumentChange(pointer, was, now)


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, str) and isinstance(now, str):
        return folded(was) == folded(now)
    return type(was) is type(now) and bool(was == now)


def _at(document: OpenApiDocument, pointer: str) -> Any:
    try:
        return resolve(pointer, document)
    except LookupError:
        return ABSENT


def _lost(published: OpenApiDocument) -> tuple[LostQuote, ...]:
    clauses: dict[tuple[str, str], list[str]] = {}
    for clause in CATALOGUE:
        pointer, quote = clause.source.pointer, clause.source.quote
        if pointer is None or quote is None:
            continue
        part = "/".join(pointer.split("/")[:4])  # the operation or schema, which an excerpt may lack
        if clause.source.document and _at(published, part) is ABSENT:
            continue
        if not quote_stands_at(pointer, quote, published):
            clauses.setdefault((pointer, quote), []).append(clause.id)
    return tuple(LostQuote(pointer, quote, tuple(ids)) for (pointer, quote), ids in clauses.items())


def _state(erratum: Erratum, vendored: OpenApiDocument, published: OpenApiDocument) -> ErratumState:
    if erratum.update is None:
        wanted = [(erratum.pointer, ABSENT)]
    elif _at(published, erratum.pointer) is ABSENT:
        return ErratumState.REWORDED
    else:
        wanted = list(_leaves(erratum.update, erratum.pointer))
    if all(_equal(_at(published, pointer), value) for pointer, value in wanted):
        return ErratumState.MENDED
    stands = all(_equal(_at(published, pointer), _at(vendored, pointer)) for pointer, _ in wanted)
    return ErratumState.STANDS if stands else ErratumState.REWORDED


def _equal(one: Any, other: Any) -> bool:
    return next(_changes(one, other, ""), None) is None


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Yield the JSON Pointer and value of each leaf in ``value``, the part of a correction at ``pointer``."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, pointer + pointer_to(name))
    else:
        yield pointer, value
