"""A body read as JSON: its lists, its jobs, what is kept of it; and the selectors that clauses are written over.

A selector yields the subjects of a clause. It yields only what is sound enough to ask the
question of: whether a UUID is well-formed is asked of strings alone, and that it is a string is a clause
of its own. So one fault gives one finding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.contract.reading.memory import REMEMBERED, Facts, Located, Observation, Remembered, Summary, digest_of
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, FastPath, Level
from conformance.exchange.stored import StoredBody, bytes_of
from conformance.text.strict_json import Document, NonFinite, parse

if TYPE_CHECKING:
    from msgspec import Raw

EPOCH_MS_FIRST: Final = 10**12
"""2001-09-09 in milliseconds: years before there was a ComfyUI, and beyond every plausible number of seconds."""
EPOCH_MS_LAST: Final = 10**14
"""The year 5138 in milliseconds; in microseconds this is 1973."""
LISTS: Final = ("queue_running", "queue_pending")
ARITY: Final = 5
PLACES: Final = {Dialect.CLOUD: (3, 4), Dialect.OSS: (4, 3)}
"""Where output node ids and metadata stand, by the order of a job."""


@dataclass(frozen=True)
class Item:
    """One element of ``queue_running`` or ``queue_pending`` that is an array, read in the demanded order."""

    pointer: str
    pending: bool
    elements: list[Any]
    demand: Demand
    more: int = 0
    """Elements at its end that were not read."""

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
        return self._read(0)

    @cached_property
    def metadata(self) -> Located | None:
        """The element where metadata stand; None where the item ends before it, or nobody can tell."""
        return self._read(1)

    def _read(self, which: int) -> Located | None:
        order = self.read_as
        return None if order is None or len(self.elements) < ARITY else self.at(PLACES[order][which])

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

    def observation(self, texts: Sequence[Raw] | None = None) -> Observation:
        """Return what is kept of it, to be compared with other reads: of the ``texts`` of its elements, where given."""

        def kept(index: int) -> Located | None:
            if index >= len(self.elements):
                return None
            text = None if texts is None else texts[index]
            return Located(f"/{index}", Remembered(digest_of(self.elements[index]) if text is None else None, text))

        outputs = None if self.order is None else PLACES[self.order][0]
        time = self.create_time
        time = None if time is None else time._replace(pointer=time.pointer.removeprefix(self.pointer))
        facts = Facts(kept(2), None if outputs is None else kept(outputs), time)
        return Observation(self.pointer, self.pending, facts)


class Reading:
    """A body read once, for all clauses and for all answers of the same bytes.

    The value of a large body takes many times its bytes; ``forget`` drops it and keeps the summary. With ``places``,
    (is pending, index), it is a part of a body: of the jobs, those alone that stand there.
    """

    def __init__(
        self,
        content: bytes | StoredBody,
        demand: Demand = AS_THE_DOCUMENT_SAYS,
        places: Container[tuple[bool, int]] | None = None,
    ) -> None:
        self._body = content
        self.demand = demand
        self._places = places

    @property
    def content(self) -> bytes:
        """The body: a stored one is read when it is asked for."""
        return bytes_of(self._body)

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return len(self._body) if isinstance(self._body, bytes) else self._body.size

    def parts(self) -> Iterator[Reading]:
        """Yield the readings of jobs that are not in this one: those of a large body are read in parts."""
        return iter(())

    def weight(self, pointer: str | None) -> int:  # noqa: ARG002 - a part of a large body tells one from another
        """Return how many jobs a finding at a place is of: a job of a large body may be an example of others."""
        return 1

    def text_at(self, pointer: str) -> tuple[bytes, str] | None:
        """Return the text in which a place is shown, and the pointer there. None if it cannot be shown."""
        return self.content, pointer

    def remaining(self, fast: FastPath | None, level: Level | None) -> Remaining:  # noqa: ARG002 - others tell one clause from another
        """Return what a clause of the body still has to be asked of: here the whole body.

        ``fast`` is what the clause declares, and ``level`` the one that it has under the dialect of this reading.
        """
        return Remaining(exercised=False, reading=self)

    @property
    def reduced(self) -> Reading:
        """A reading that says the same of the body as a whole; it may leave out jobs."""
        return self

    @cached_property
    def document(self) -> Document:
        """The body as JSON."""
        return parse(self.content)

    @cached_property
    def elements(self) -> Sequence[tuple[bool, Located]]:
        """Whatever stands in the two lists, running before pending: (is pending, value)."""
        info = self.document.value if isinstance(self.document.value, dict) else {}
        return [
            (pending, Located(f"/{name}/{index}", value))
            for pending, name in zip((False, True), LISTS, strict=True)
            if isinstance(info.get(name), list)
            for index, value in enumerate(info[name])
            if self._places is None or (pending, index) in self._places
        ]

    @cached_property
    def items(self) -> Sequence[Item]:
        """The elements that are arrays."""
        return [
            Item(element.pointer, pending, element.value, self.demand)
            for pending, element in self.elements
            if isinstance(element.value, list)
        ]

    def observations(self) -> Iterator[tuple[str, Callable[[], Observation]]]:
        """Yield the ids of jobs, and what makes the observation of each."""
        return ((item.prompt_id, item.observation) for item in self.items if item.prompt_id is not None)

    @property
    def jobs(self) -> Iterable[Item]:
        """The items as far as they are compared with others: nothing is said of what their workflows hold."""
        return self.items

    @property
    def size(self) -> int:
        """How many elements stand in the two lists."""
        return len(self.elements)

    @property
    def filled(self) -> frozenset[str]:
        """The names of the lists that hold something."""
        return frozenset(LISTS[pending] for pending, _ in self.elements)

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order that the first job shows which shows any, and the pointer of that job."""
        return next(((job.order, job.pointer) for job in self.jobs if job.order), None)

    @property
    def latest(self) -> int | Decimal | None:
        """The latest ``create_time`` of its jobs that may be milliseconds."""
        return max((found.value for found in plausible_create_times(self)), default=None)

    @cached_property
    def summary(self) -> Summary:
        """What is kept of the body when its value is dropped."""
        document = self.reduced.document
        named = list(self.observations())
        count = Counter(prompt_id for prompt_id, _ in named)
        return Summary(
            read=document.read,
            malformed=document.malformed is not None,
            is_object=isinstance(document.value, dict),
            depth=document.depth,
            jobs=self.size,
            lists=self.filled,
            order=self.order,
            ids=frozenset(count),
            observations={i: make() for i, make in named[:REMEMBERED] if count[i] == 1},
        )

    def forget(self) -> None:
        """Drop the value and keep the summary. What is asked for again is read again."""
        assert self.summary
        for name in ("document", "elements", "items"):
            self.__dict__.pop(name, None)


class Remaining(NamedTuple):
    """What a clause still has to be asked of, and whether the proven jobs exercise it already."""

    exercised: bool
    reading: Reading


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
    return (job.create_time for job in reading.jobs if job.create_time is not None)


def create_time_numbers(reading: Reading) -> Iterator[Located]:
    """The ``create_time`` members that are numbers."""
    return (found for found in create_times(reading) if is_number(found.value))


def plausible_create_times(reading: Reading) -> Iterator[Located]:
    """Those that may be milliseconds of our days."""
    return (found for found in create_time_numbers(reading) if EPOCH_MS_FIRST <= found.value < EPOCH_MS_LAST)
