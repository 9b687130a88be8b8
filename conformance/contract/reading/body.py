"""A parsed body with its two lists and its jobs, and the selectors that clauses use.

A selector yields the parts of a body that a clause checks, and only parts of the right type. For example, the clause
about the format of UUIDs gets only strings, because another clause requires the string. So one fault gives one finding.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.contract.reading.known_jobs import ALONE, NOTHING, ComparableJobs, KnownJobs, Roll, Shared, Summary
from conformance.contract.reading.known_jobs import LISTS as LISTS  # noqa: PLC0414 - clauses import it from here
from conformance.contract.reading.memory import Facts, Located, Observation, Remembered, digest_of
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, FastPath, Level
from conformance.exchange.stored import StoredBody, bytes_of
from conformance.text.strict_json import Document, NonFinite, parse

if TYPE_CHECKING:
    from msgspec import Raw

EPOCH_MS_FIRST: Final = 10**12
"""2001-09-09 in milliseconds, years before ComfyUI existed. A time in seconds is a smaller number than this."""
EPOCH_MS_LAST: Final = 10**14
"""The year 5138 in milliseconds. A time in microseconds is a larger number than this."""
ARITY: Final = 5
PLACES: Final = {Dialect.CLOUD: (3, 4), Dialect.OSS: (4, 3)}
"""By dialect: the index of the output node ids in a job, and the index of the metadata."""


@dataclass(frozen=True)
class Item:
    """A job: an array in ``queue_running`` or ``queue_pending``.

    ``pointer`` is the JSON Pointer of its place in the body.
    """

    pointer: str
    pending: bool
    elements: list[Any]
    demand: Demand
    more: int = 0
    """The number of elements at the end of the array that were not parsed, because the job is very large."""

    def at(self, index: int) -> Located:
        """Return element ``index`` with its JSON Pointer."""
        return Located(f"{self.pointer}/{index}", self.elements[index])

    @cached_property
    def order(self) -> Dialect | None:
        """The order that the types of elements 3 and 4 show, or None if they show neither ``cloud`` nor ``oss``.

        Under ``auto`` only the type of element 3 counts.
        """
        auto = self.demand.dialect is Dialect.AUTO
        match self.elements[3:ARITY]:
            case [list(), fourth] if auto or isinstance(fourth, dict):
                return Dialect.CLOUD
            case [dict(), fourth] if auto or isinstance(fourth, list):
                return Dialect.OSS
        return None

    @property
    def swapped(self) -> bool:
        """Whether elements 3 and 4 show another order than the dialect requires. ``auto`` accepts either order."""
        return self.demand.dialect is not Dialect.AUTO and self.order not in {None, self.demand.read_as}

    @property
    def read_as(self) -> Dialect | None:
        """The order in which elements 3 and 4 are read: the one that they show, else the one that the dialect requires.

        None if they show no order and the dialect is ``auto``.
        """
        return self.order or (None if self.demand.dialect is Dialect.AUTO else self.demand.read_as)

    @cached_property
    def output_node_ids(self) -> Located | None:
        """The element with the output node ids. None if the job has too few elements or its order is unknown."""
        return self._read(0)

    @cached_property
    def metadata(self) -> Located | None:
        """The element with the metadata. None if the job has too few elements or its order is unknown."""
        return self._read(1)

    def _read(self, which: int) -> Located | None:
        order = self.read_as
        return None if order is None or len(self.elements) < ARITY else self.at(PLACES[order][which])

    @cached_property
    def prompt_id(self) -> str | None:
        """The prompt id (element 1) if it is a string, else None."""
        found = self.elements[1] if len(self.elements) > 1 else None
        return found if isinstance(found, str) else None

    @cached_property
    def create_time(self) -> Located | None:
        """``create_time`` in the metadata, or None if it is missing."""
        found = self.metadata
        if found is None or not isinstance(found.value, dict) or "create_time" not in found.value:
            return None
        return Located(f"{found.pointer}/create_time", found.value["create_time"])

    def observation(self, texts: Sequence[Raw] | None = None) -> Observation:
        """Return the data of the job that is compared with the same job in other responses.

        ``texts`` are the JSON texts of the elements. If they are given, equal texts are compared without parsing them.
        """

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
    """A body that is parsed once, for all clauses and for all responses with the same bytes.

    The parsed value of a body needs many times the memory of its bytes. ``forget`` drops the value and keeps the
    summary. If ``places`` is given, only the jobs at these places are read; a place is a pair of "is it pending?" and
    index. ``shared`` has what all bodies of a run share.
    """

    def __init__(
        self,
        content: bytes | StoredBody,
        demand: Demand = AS_THE_DOCUMENT_SAYS,
        places: Container[tuple[bool, int]] | None = None,
        *,
        shared: Shared = ALONE,
    ) -> None:
        self._body = content
        self.shared = shared
        self.demand = demand
        self._places = places

    @property
    def content(self) -> bytes:
        """The bytes of the body. If they are stored in a file, they are read from it on each access."""
        return bytes_of(self._body)

    @property
    def length(self) -> int:
        """The length of the body in bytes."""
        return len(self._body) if isinstance(self._body, bytes) else self._body.size

    def parts(self) -> Iterator[Reading]:
        """Yield the jobs of a large body in groups, each as a ``Reading``.

        Nothing for a small body, which is not split.
        """
        return iter(())

    def weight(self, pointer: str | None) -> int:  # noqa: ARG002 - overridden for parts of large bodies
        """Return how many findings one stands for. In a large body, identical jobs are checked only once."""
        return 1

    def text_at(self, pointer: str) -> tuple[bytes, str] | None:
        """Return a JSON text that contains a place in the body, and the JSON Pointer of the place in that text.

        It is used for an excerpt. None if the place cannot be shown.
        """
        return self.content, pointer

    def remaining(self, fast: FastPath | None, level: Level | None) -> Remaining:  # noqa: ARG002 - the fast path overrides it
        """Return the part of the body that the check of a clause must still see.

        Without the fast path that is the whole body. ``fast`` is the clause's declaration of what the fast path
        verifies. ``level`` is its level under the dialect of the run.
        """
        return Remaining(exercised=False, reading=self)

    @property
    def reduced(self) -> Reading:
        """The same body, from which jobs that the fast path verified may be missing.

        JSON flaws and other members are the same.
        """
        return self

    @cached_property
    def document(self) -> Document:
        """The body parsed as JSON, with every flaw in its syntax."""
        return parse(self.content)

    @cached_property
    def elements(self) -> Sequence[tuple[bool, Located]]:
        """The elements of queue_running, then those of queue_pending.

        Each is a pair: whether it is pending, and its value.
        """
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
        """The elements of the two lists that are arrays."""
        return [
            Item(element.pointer, pending, element.value, self.demand)
            for pending, element in self.elements
            if isinstance(element.value, list)
        ]

    def observations(self) -> Iterator[tuple[str, Callable[[], Observation]]]:
        """Yield the prompt id of each job, and a function that returns the data to compare with other responses."""
        return ((item.prompt_id, item.observation) for item in self.items if item.prompt_id is not None)

    @property
    def jobs(self) -> Iterable[Item]:
        """The jobs, for clauses that compare jobs of one body with one another. Their workflows may be left out."""
        return self.items

    @property
    def size(self) -> int:
        """The number of elements in the two lists."""
        return len(self.elements)

    @property
    def filled(self) -> frozenset[str]:
        """The names of the lists (``queue_running``, ``queue_pending``) that are not empty."""
        return frozenset(LISTS[pending] for pending, _ in self.elements)

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order of the first job whose elements 3 and 4 show an order, and that job's JSON Pointer.

        None without such a job.
        """
        return next(((job.order, job.pointer) for job in self.jobs if job.order), None)

    @property
    def latest(self) -> int | Decimal | None:
        """The latest ``create_time`` of all jobs that is plausible in milliseconds, or None."""
        return max((found.value for found in plausible_create_times(self)), default=None)

    @cached_property
    def summary(self) -> Summary:
        """The facts about the body that are kept when its parsed value is dropped."""
        document = self.reduced.document
        listed = self._listed()
        return Summary(
            read=document.read,
            malformed=document.malformed is not None,
            is_object=isinstance(document.value, dict),
            depth=document.depth,
            jobs=self.size,
            lists=self.filled,
            absent=frozenset(LISTS).difference(document.value) if isinstance(document.value, dict) else frozenset(),
            order=self.order,
            observations=(listed or NOTHING).once,
            repeated=(listed or NOTHING).repeated,
            compared=listed is not None,
        )

    def _listed(self) -> ComparableJobs | None:
        """Return the jobs that are compared with those in other responses. None if there are too many."""
        roll = Roll(self.shared.known or KnownJobs(shared=False))
        for name, observe in self.observations():
            roll.note(name, observe())
        return roll.listed()

    def forget(self) -> None:
        """Drop the parsed value to free memory, but keep the summary.

        A later access to the value parses the body again.
        """
        assert self.summary
        self.release()

    def release(self) -> None:
        """Drop the parsed value to free memory."""
        for name in ("document", "elements", "items"):
            self.__dict__.pop(name, None)


class Remaining(NamedTuple):
    """The part of a body that the check of a clause must still see (``reading``).

    ``exercised`` says whether the clause applied to a job that the fast path verified.
    """

    exercised: bool
    reading: Reading


def constant_free(value: object) -> bool:
    """Whether a value is neither NaN nor an infinity, which the clause ``json.finite-numbers`` reports."""
    return not isinstance(value, NonFinite)


# --- selectors ---------------------------------------------------------------------------------


def infos(reading: Reading) -> Iterator[dict[str, Any]]:
    """Yield the body if it is an object."""
    if isinstance(reading.document.value, dict):
        yield reading.document.value


def elements(reading: Reading) -> Iterator[Located]:
    """Return the elements of the two lists, of any type."""
    return (element for _, element in reading.elements)


def items(reading: Reading) -> Iterator[Item]:
    """Yield the jobs: elements of the two lists that are arrays."""
    yield from reading.items


def full_items(reading: Reading) -> Iterator[Item]:
    """Return the jobs with at least five elements."""
    return (item for item in reading.items if len(item.elements) >= ARITY)


def element(index: int, item_list: Sequence[Item]) -> Iterator[Located]:
    """Return element ``index`` of each job that has so many elements."""
    return (item.at(index) for item in item_list if len(item.elements) > index)


def is_number(value: object) -> bool:
    """Whether a value is a JSON number. NaN and infinities are not; the clause ``json.finite-numbers`` reports them."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def job_numbers(reading: Reading) -> Iterator[Located]:
    """Return job_number (element 0) of each job if it is a number."""
    return (found for found in element(0, reading.items) if is_number(found.value))


def prompt_ids(reading: Reading) -> Iterator[Located]:
    """Return prompt_id (element 1) of each job if it is a string."""
    return (found for found in element(1, reading.items) if isinstance(found.value, str))


def workflows(reading: Reading) -> Iterator[Located]:
    """Return workflow_json (element 2) of each job if it is an object."""
    return (found for found in element(2, reading.items) if isinstance(found.value, dict))


def output_node_id_lists(reading: Reading) -> Iterator[Located]:
    """Return output_node_ids of each job if it is an array. It is element 3, or 4 in the order of ``oss``."""
    found = (item.output_node_ids for item in full_items(reading))
    return (ids for ids in found if ids is not None and isinstance(ids.value, list))


def metadata_objects(reading: Reading) -> Iterator[Located]:
    """Return the metadata of each job if it is an object. It is element 4, or 3 in the order of ``oss``."""
    found = (item.metadata for item in full_items(reading))
    return (metadata for metadata in found if metadata is not None and isinstance(metadata.value, dict))


def create_times(reading: Reading) -> Iterator[Located]:
    """Return the ``create_time`` of each job that has one."""
    return (job.create_time for job in reading.jobs if job.create_time is not None)


def create_time_numbers(reading: Reading) -> Iterator[Located]:
    """Return the ``create_time`` of each job if it is a number."""
    return (found for found in create_times(reading) if is_number(found.value))


def plausible_create_times(reading: Reading) -> Iterator[Located]:
    """Return the ``create_time`` of each job if it is a number that is plausible in milliseconds."""
    return (found for found in create_time_numbers(reading) if EPOCH_MS_FIRST <= found.value < EPOCH_MS_LAST)
