"""A body read as JSON: its lists, its jobs, what is kept of it; and the selectors that clauses are written over.

A selector yields the subjects of a clause. It yields only what is sound enough to ask the
question of: whether a UUID is well-formed is asked of strings alone, and that it is a string is a clause
of its own. So one fault gives one finding.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from conformance.dialect import AS_THE_DOCUMENT_SAYS, Demand, Dialect
from conformance.jsontext import Document, NonFinite, parse

LISTS: Final = ("queue_running", "queue_pending")
ARITY: Final = 5


@dataclass(frozen=True, slots=True)
class Located:
    """A value and its JSON Pointer in the body."""

    pointer: str
    value: Any


@dataclass(frozen=True)
class Item:
    """One element of ``queue_running`` or ``queue_pending`` that is an array, read in the demanded order."""

    pointer: str
    pending: bool
    elements: list[Any]
    demand: Demand

    def at(self, index: int) -> Located:
        """Return element ``index`` with its place."""
        return Located(f"{self.pointer}/{index}", self.elements[index])

    @cached_property
    def order(self) -> Dialect | None:
        """The order that the types of [3] and [4] show, under AUTO that of [3] alone; None where they show neither."""
        told = self.demand.dialect is Dialect.AUTO
        match self.elements[3:ARITY]:
            case [list(), fourth] if told or isinstance(fourth, dict):
                return Dialect.CLOUD
            case [dict(), fourth] if told or isinstance(fourth, list):
                return Dialect.OSS
        return None

    @property
    def swapped(self) -> bool:
        """Whether it shows another order than the one that is demanded. Under AUTO either may stand."""
        return self.demand.dialect is not Dialect.AUTO and self.order not in {None, self.demand.read_as}

    @property
    def read_as(self) -> Dialect | None:
        """The order in which it is read: the one it shows, else the one demanded; None where AUTO is told nothing."""
        return self.order or (None if self.demand.dialect is Dialect.AUTO else self.demand.read_as)

    @cached_property
    def output_node_ids(self) -> Located | None:
        """The element where output node ids stand; None where the item ends before it, or nobody can tell."""
        return self._read(3 if self.read_as is Dialect.CLOUD else 4)

    @cached_property
    def metadata(self) -> Located | None:
        """The element where metadata stand; None where the item ends before it, or nobody can tell."""
        return self._read(4 if self.read_as is Dialect.CLOUD else 3)

    def _read(self, index: int) -> Located | None:
        return None if self.read_as is None or len(self.elements) < ARITY else self.at(index)

    @cached_property
    def prompt_id(self) -> str | None:
        """Element 1 where it is a string."""
        found = self.elements[1] if len(self.elements) > 1 else None
        return found if isinstance(found, str) else None

    @cached_property
    def create_time(self) -> Located | None:
        """``create_time`` of the metadata where there is one."""
        found = self.metadata
        if found is None or not isinstance(found.value, dict) or "create_time" not in found.value:
            return None
        return Located(f"{found.pointer}/create_time", found.value["create_time"])


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is kept of a job that a read listed: enough to see whether the next read lists the same.

    The values of ``workflow`` and ``output_node_ids`` are digests; None where the element is not there.
    """

    pointer: str
    pending: bool
    workflow: Located | None
    output_node_ids: Located | None
    create_time: Located | None


@dataclass(frozen=True, slots=True)
class Gist:
    """What is kept of a body when its value is let go.

    ``lists`` are those that hold something. ``sightings`` leave out ids that are listed twice.
    ``order`` is the one that the first job shows which shows any, and the pointer of that job.
    """

    read: bool
    malformed: bool
    is_object: bool
    depth: int
    jobs: int
    lists: frozenset[str]
    order: tuple[Dialect, str] | None
    ids: frozenset[str]
    sightings: dict[str, Sighting]


REMEMBERED: Final = 10_000
"""Jobs of a read, running before pending, that are kept for comparing it with others: half a kilobyte each."""


class Reading:
    """A body read once, for all clauses and for all answers of the same bytes.

    The value of a large body takes many times its bytes; ``forget`` lets it go and keeps the gist.
    """

    def __init__(self, content: bytes, demand: Demand = AS_THE_DOCUMENT_SAYS) -> None:
        self.content = content
        self.demand = demand

    @cached_property
    def document(self) -> Document:
        """The body as JSON."""
        return parse(self.content)

    @cached_property
    def elements(self) -> Sequence[tuple[bool, Located]]:
        """Whatever stands in the two lists, running before pending: (is pending, value)."""
        info = self.document.value if isinstance(self.document.value, dict) else {}
        return [
            (name == "queue_pending", Located(f"/{name}/{index}", value))
            for name in LISTS
            if isinstance(info.get(name), list)
            for index, value in enumerate(info[name])
        ]

    @cached_property
    def items(self) -> Sequence[Item]:
        """The elements that are arrays."""
        return [
            Item(element.pointer, pending, element.value, self.demand)
            for pending, element in self.elements
            if isinstance(element.value, list)
        ]

    @cached_property
    def gist(self) -> Gist:
        """What stays known of the body when its value is forgotten."""
        named = [(item.prompt_id, item) for item in self.items if item.prompt_id is not None]
        count = Counter(prompt_id for prompt_id, _ in named)
        return Gist(
            read=self.document.read,
            malformed=self.document.malformed is not None,
            is_object=isinstance(self.document.value, dict),
            depth=self.document.depth,
            jobs=len(self.elements),
            lists=frozenset(LISTS[pending] for pending, _ in self.elements),
            order=next(((item.order, item.pointer) for item in self.items if item.order), None),
            ids=frozenset(count),
            sightings={i: _sighting(item) for i, item in named[:REMEMBERED] if count[i] == 1},
        )

    def forget(self) -> None:
        """Let the value go, but for its gist. What is asked for again is read again."""
        assert self.gist
        for name in ("document", "elements", "items"):
            self.__dict__.pop(name, None)


def _sighting(item: Item) -> Sighting:
    return Sighting(
        pointer=item.pointer,
        pending=item.pending,
        workflow=_digest(item.at(2)) if len(item.elements) > 2 else None,
        output_node_ids=_digest(item.output_node_ids) if item.order and item.output_node_ids else None,
        create_time=item.create_time,
    )


def _digest(found: Located) -> Located:
    """Return a digest of a JSON value, at its place: whatever the order of members and the way numbers are written."""
    text = json.dumps(found.value, sort_keys=True, default=_one_way)
    return Located(found.pointer, hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())


def _one_way(value: object) -> object:
    """Return a number as the double that its readers take it for: 1.0 and 1e0 are 1."""
    if not isinstance(value, Decimal):
        return repr(value)
    number = float(value)
    return int(number) if number.is_integer() else number


def constant_free(value: object) -> bool:
    """Whether a value is something else than NaN or an infinity (a clause of its own names those)."""
    return not isinstance(value, NonFinite)


# --- selectors ---------------------------------------------------------------------------------


def infos(reading: Reading) -> Iterator[dict[str, Any]]:
    """QueueInfo objects."""
    if isinstance(reading.document.value, dict):
        yield reading.document.value


def elements(reading: Reading) -> Iterator[Located]:
    """Elements of the two lists, whatever they are."""
    return (element for _, element in reading.elements)


def items(reading: Reading) -> Iterator[Item]:
    """Elements of the two lists that are arrays."""
    yield from reading.items


def full_items(reading: Reading) -> Iterator[Item]:
    """Items of at least five elements."""
    return (item for item in reading.items if len(item.elements) >= ARITY)


def element(index: int, item_list: Sequence[Item]) -> Iterator[Located]:
    """Element ``index`` of the items that reach so far."""
    return (item.at(index) for item in item_list if len(item.elements) > index)


def is_number(value: object) -> bool:
    """Whether a value is a JSON number (NaN and the infinities are none, and named by a clause of their own)."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def job_numbers(reading: Reading) -> Iterator[Located]:
    """Elements 0 that are numbers."""
    return (found for found in element(0, reading.items) if is_number(found.value))


def prompt_ids(reading: Reading) -> Iterator[Located]:
    """Elements 1 that are strings."""
    return (found for found in element(1, reading.items) if isinstance(found.value, str))


def workflows(reading: Reading) -> Iterator[Located]:
    """Elements 2 that are objects."""
    return (found for found in element(2, reading.items) if isinstance(found.value, dict))


def output_node_id_lists(reading: Reading) -> Iterator[Located]:
    """The lists of output node ids, at [3] or, where an item is swapped, at [4]."""
    found = (item.output_node_ids for item in full_items(reading))
    return (ids for ids in found if ids is not None and isinstance(ids.value, list))


def metadata_objects(reading: Reading) -> Iterator[Located]:
    """The metadata objects, at [4] or, where an item is swapped, at [3]."""
    found = (item.metadata for item in full_items(reading))
    return (metadata for metadata in found if metadata is not None and isinstance(metadata.value, dict))


def create_times(reading: Reading) -> Iterator[Located]:
    """All ``create_time`` members."""
    return (item.create_time for item in reading.items if item.create_time is not None)


def create_time_numbers(reading: Reading) -> Iterator[Located]:
    """The ``create_time`` members that are numbers."""
    return (found for found in create_times(reading) if is_number(found.value))
