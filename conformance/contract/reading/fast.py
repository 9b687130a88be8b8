"""A reading that proves first, and reads what is left."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any, Final

from msgspec import Raw

from conformance.contract.reading.body import ARITY, LISTS, PLACES, Item, Left, Reading, is_number
from conformance.contract.reading.fast_job import Job, Seen, brief_prover, not_looked_at, prover
from conformance.contract.reading.fast_split import AS_SPLIT, AS_TEXTS, Element, Listed, taken_apart, write
from conformance.contract.reading.fast_workflow import sound
from conformance.contract.reading.memory import Located, Sighting
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, Level
from conformance.text.json_bytes import quotes_in_utf_8, seems_huge

OF_TEXT: Final = frozenset({
    "envelope.object", "envelope.not-an-error", "envelope.queue-running.array", "envelope.queue-pending.array",
    "envelope.both-lists", "json.well-formed", "json.finite-numbers", "json.utf-8", "json.no-bom", "json.single-text",
    "json.control-characters", "json.distinct-names", "json.paired-surrogates", "json.number-range", "json.nesting",
})  # fmt: skip
"""Clauses that look at a body as a whole: of what is left of it they say the same."""
OF_EACH_JOB: Final = frozenset({
    "item.array", "item.five-elements", "item.element-order", "item.job-number.number", "item.job-number.integer",
    "item.job-number.plain", "item.job-number.one-based", "item.job-number.safe", "item.prompt-id.string",
    "item.prompt-id.uuid", "item.prompt-id.lower-case", "item.workflow.object", "item.workflow.not-empty",
    "item.output-node-ids.array", "item.output-node-ids.not-empty", "item.output-node-ids.distinct",
    "item.metadata.object", "item.create-time.present", "item.create-time.number", "item.create-time.milliseconds",
    "item.create-time.whole", "queue.one-order", "privacy.credentials",
})  # fmt: skip
"""Clauses that every job which is taken keeps, and exercises."""
OF_OUTPUTS: Final = frozenset({"item.output-node-ids.strings", "item.output-node-ids.not-blank"})
"""Exercised by a job with an output node id."""
OF_GRAPHS: Final = frozenset({"workflow.class-types"})
OF_LINKS: Final = frozenset({"workflow.links"})
OF_GRAPHS_WITH_OUTPUTS: Final = frozenset({"workflow.output-nodes"})
OF_ONE_JOB: Final = OF_EACH_JOB | OF_OUTPUTS | OF_GRAPHS | OF_LINKS | OF_GRAPHS_WITH_OUTPUTS
BETWEEN_JOBS: Final = frozenset({
    "queue.prompt-ids.distinct", "queue.pending.oldest-first", "queue.job-numbers.distinct",
    "queue.job-numbers.rising",
})  # fmt: skip
KNOWN: Final = OF_TEXT | OF_ONE_JOB | BETWEEN_JOBS
"""What a quick reading knows of. Any other clause is asked of the whole body."""

_MANY: Final = 20_000
"""Jobs that are left, beyond which a body is read whole: what was proven and what was read would stand side by side."""


Recall = Callable[[Callable[[Raw], Seen], Raw], Seen]
"""Returns what was seen of an element with the same bytes, and looks at it where none was."""


class Skimmed(Reading):
    """A reading that proves first, and reads what is left. With ``must_only`` it proves nothing of any `should`.

    With ``recall`` an element is not looked at again of which it knows what was seen.
    """

    def __init__(
        self,
        content: bytes,
        demand: Demand = AS_THE_DOCUMENT_SAYS,
        *,
        must_only: bool = False,
        recall: Recall | None = None,
    ) -> None:
        super().__init__(content, demand)
        self._must_only, self._recall = must_only, recall

    @cached_property
    def _skim(self) -> _Skim | None:
        if self.demand.open:
            return None
        if self._must_only:
            return _skim_briefly(self.content, self.demand)
        return _skim(self.content, self.demand, self._recall)

    def keeps(self, clauses: Collection[str]) -> bool:
        """Whether the body is proven to keep these clauses of it, by their ids: all of them are known."""
        return self._skim is not None and self._skim.keeps(clauses)

    def left(self, clause: str, level: Level | None) -> Left:
        """Return what a clause of the body has to be asked of."""
        asked = level is Level.MUST if self._must_only else level is not None
        if clause not in KNOWN or not asked or self._skim is None:
            return super().left(clause, level)
        return self._skim.left_for(clause)

    @property
    def proven(self) -> Hashable | None:
        """Equal values for bodies of which all known clauses say the same, since they are asked of the same.

        None where a job is left to be read, or jobs disagree with one another: such bodies are asked one by one.
        """
        return None if self._skim is None else self._skim.proven

    @property
    def outline(self) -> Reading:
        """What is left of the body, else the whole."""
        return self if self._skim is None else self._skim.rest

    def sightings(self) -> Iterator[tuple[str, Callable[[], Sighting]]]:
        """Yield the ids of jobs, and what makes the sighting of each."""
        return super().sightings() if self._skim is None else self._skim.sightings()

    @property
    def jobs(self) -> Sequence[Item]:
        """The items without their workflows."""
        return self.items if self._skim is None else self._skim.sketch.items

    @property
    def latest(self) -> int | Decimal | None:
        """The latest ``create_time`` of its jobs that may be milliseconds: of a job of which nothing is left each may."""
        if self._skim is None or self._skim.left:
            return super().latest
        return max([job.seen.create_time for job in self._skim.jobs], default=None)

    @property
    def size(self) -> int:
        """How many elements stand in the two lists."""
        return super().size if self._skim is None else len(self._skim.jobs)

    @property
    def filled(self) -> frozenset[str]:
        """The names of the lists that hold something."""
        return super().filled if self._skim is None else frozenset(LISTS[job.pending] for job in self._skim.jobs)

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order that the first job shows which shows any, and the pointer of that job."""
        if not self.demand.open:
            return super().order if self._skim is None else self._skim.order
        told = _first_order(self.content)
        demand = None if told is None else Demand.told_by(*told)
        trial = None if demand is None else Skimmed(self.content, demand, must_only=self._must_only)  # can it be read?
        return super().order if trial is None or trial._skim is None else told  # noqa: SLF001 - one of us

    def forget(self) -> None:
        """Let go what was read, but for the gist."""
        super().forget()
        self.__dict__.pop("_skim", None)


class _Sketched(Item):
    """A job of which nothing is left, as far as it is compared with others: nothing of its workflow."""

    def __init__(self, job: Job, demand: Demand) -> None:
        vars(self).update(pointer=job.pointer, pending=job.pending, demand=demand, seen=job.seen, order=demand.read_as)

    def __getattr__(self, name: str) -> list[Any]:
        """Make the elements when they are asked for: of most jobs they never are."""
        if name != "elements":
            raise AttributeError(name)
        seen: Seen = vars(self)["seen"]
        return seen.elements(self.demand.read_as)

    @property
    def create_time(self) -> Located:
        """``create_time`` of the metadata."""
        _, metadata = PLACES[self.demand.read_as]
        return Located(f"{self.pointer}/{metadata}/create_time", vars(self)["seen"].create_time)


class _Sketch(Reading):
    """The jobs of a body, to be compared with one another."""

    def __init__(self, demand: Demand, jobs: Sequence[Item]) -> None:
        super().__init__(b"", demand)
        self.items = jobs


class _Skim:
    """What was proven of a body, and what is left of it."""

    def __init__(self, listed: Mapping[str, Listed[Any]], jobs: Sequence[Job], demand: Demand) -> None:
        self.jobs, self._listed, self._demand = jobs, listed, demand
        self.left = [job for job in jobs if job.seen.left is not None]

    def keeps(self, clauses: Collection[str]) -> bool:
        """Whether both lists are there, and nothing is left to ask any of these clauses of."""
        if self.left or (self._broken and not self._broken.isdisjoint(clauses)):
            return False
        running, pending = map(self._listed.get, LISTS)
        return isinstance(running, list) and isinstance(pending, list)

    @cached_property
    def proven(self) -> Hashable | None:
        """All that ``left_for`` answers from, where nothing is left of a job and none is broken between them."""
        if self.left or self._broken:
            return None
        return self.rest.content, self._exercised, tuple(len(each) > 1 for each in self._compared.values())

    def left_for(self, name: str) -> Left:
        """Return what is left for one of the known clauses."""
        if name in OF_TEXT:
            return Left(exercised=False, reading=self.rest)
        if name in OF_ONE_JOB:
            return Left(exercised=name in self._exercised, reading=self.rest)
        if name in self._broken:
            return Left(exercised=False, reading=self.sketch)
        return Left(exercised=len(self._compared[name]) > 1, reading=_Sketch(self._demand, ()))

    @cached_property
    def _exercised(self) -> frozenset[str]:
        """The clauses of one job that are exercised by what is not left."""
        taken = {(bool(seen.outputs), seen.graph) for _, _, seen in self.jobs if seen.left is None}
        outputs, graphs = (any(each) for each in zip(*taken, strict=True)) if taken else (False, False)
        return frozenset().union(
            OF_EACH_JOB if taken else (), OF_OUTPUTS if outputs else (), OF_GRAPHS if graphs else (),
            OF_GRAPHS_WITH_OUTPUTS if (True, True) in taken else (),
            OF_LINKS if any(seen.linked for _, _, seen in self.jobs) else (),
        )  # fmt: skip

    @cached_property
    def _compared(self) -> dict[str, list[Any]]:
        """What the clauses between jobs compare."""
        ids: list[str] = []
        numbers: list[float | Decimal] = []
        times: list[int | Decimal] = []
        for job in self.jobs:
            pending, _, seen = job
            if seen.left is None:
                ids.append(seen.prompt_id.lower())
                if pending:
                    numbers.append(seen.number)
                    times.append(seen.create_time)
            elif (item := self._items_left.get(job.pointer)) is not None:
                ids += [] if item.prompt_id is None else [item.prompt_id.lower()]
                if pending:
                    numbers += filter(is_number, item.elements[:1])
                    times += [item.create_time.value] if item.create_time and is_number(item.create_time.value) else []
        return {
            "queue.prompt-ids.distinct": ids,
            "queue.pending.oldest-first": times,
            "queue.job-numbers.distinct": numbers,
            "queue.job-numbers.rising": numbers,
        }

    @cached_property
    def _broken(self) -> frozenset[str]:
        """The clauses between jobs that are broken, or may be."""
        ids, times, numbers, _ = self._compared.values()
        distinct = len(set(numbers)) == len(numbers)
        # Two numbers that were written as floats may be equal as such, and not as they were written.
        exact = distinct or not any(isinstance(number, float) for number in numbers)
        kept = len(set(ids)) == len(ids), times == sorted(times), distinct, exact and numbers == sorted(numbers)
        return frozenset([name for name, each in zip(self._compared, kept, strict=True) if not each])

    @cached_property
    def _items_left(self) -> dict[str, Item]:
        return {item.pointer: item for item in self.rest.items} if self.left else {}

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order that the first job shows which shows any, and the pointer of that job."""
        for job in self.jobs:
            if job.seen.left is None:
                return self._demand.read_as, job.pointer
            item = self._items_left.get(job.pointer)
            if item is not None and item.order is not None:
                return item.order, job.pointer
        return None

    def sightings(self) -> Iterator[tuple[str, Callable[[], Sighting]]]:
        """Yield the ids of jobs, and what makes the sighting of each."""
        order = self._demand.read_as
        for job in self.jobs:
            if job.seen.left is None:
                yield job.seen.prompt_id, partial(job.sighting, order)
            elif (item := self._items_left.get(job.pointer)) is not None and item.prompt_id is not None:
                yield item.prompt_id, partial(_of_texts, item, job.seen)

    @cached_property
    def rest(self) -> Reading:
        """A body of the jobs that are left, each in its place; 0 stands for the others."""
        if not self.left and all(isinstance(value, list) for value in self._listed.values()):
            return _nothing_left(tuple(self._listed), self._demand)
        members = []
        for name, value in self._listed.items():
            if isinstance(value, list):
                there = {job.place: job.seen.left for job in self.left if LISTS[job.pending] == name}
                texts = [there.get(index) or b"0" for index in range(len(value))] if there else []
                text = b"[%b]" % b",".join(texts)
            else:
                text = write(value)
            members.append(b'"%b":%b' % (name.encode(), text))
        return Reading(b"{%b}" % b",".join(members), self._demand, {(job.pending, job.place) for job in self.left})

    @cached_property
    def sketch(self) -> Reading:
        """All jobs, without the workflows of those that were taken."""
        items = [
            _Sketched(job, self._demand) if job.seen.left is None else self._items_left[job.pointer]
            for job in self.jobs
            if job.seen.is_array
        ]
        return _Sketch(self._demand, items)


@lru_cache(maxsize=16)
def _nothing_left(names: tuple[str, ...], demand: Demand) -> Reading:
    """Return what is left of all bodies with these lists of which nothing is left: it is read once."""
    return Reading(write({name: [] for name in names}), demand, places=())


def _of_texts(item: Item, seen: Seen) -> Sighting:
    """Return what is kept of a job of which something is left, by what was sent: in what is left less may stand."""
    return item.sighting(seen.texts)


# --- how a body is skimmed --------------------------------------------------------------------


def _skim(content: bytes, demand: Demand, recall: Recall | None) -> _Skim | None:
    """Prove what can be proven. None where the body has to be read as a whole."""
    quotes = quotes_in_utf_8(content, counted=True)
    apart = None if quotes is None else taken_apart(content, AS_TEXTS)
    if quotes is None or apart is None or not apart[0]:
        return None
    look = prover(demand.read_as, huge=seems_huge(content)).look
    jobs = _looked_at(apart[0], look if recall is None else partial(recall, look))
    told = _all_told(quotes // 2, *apart, jobs)
    return None if told is None else _with_few_left(_Skim(apart[0], told, demand))


def _skim_briefly(content: bytes, demand: Demand) -> _Skim | None:
    """Prove what can be proven of `must` alone. None where the body has to be read as a whole."""
    apart = None if quotes_in_utf_8(content, counted=False) is None else taken_apart(content, AS_SPLIT)
    if apart is None or not apart[0]:
        return None
    listed = apart[0]
    return _with_few_left(_Skim(listed, _looked_at(listed, brief_prover(demand.read_as).look), demand))


def _looked_at(listed: Mapping[str, Listed[Element]], look: Callable[[Element], Seen]) -> list[Job]:
    return [
        Job(name == LISTS[1], index, look(element))
        for name, elements in listed.items()
        if isinstance(elements, list)
        for index, element in enumerate(elements)
    ]


def _with_few_left(skim: _Skim) -> _Skim | None:
    return None if len(skim.left) > _MANY or (skim.left and not skim.rest.document.read) else skim


def _all_told(
    strings: int, listed: Mapping[str, Listed[Raw]], others: Mapping[str, Raw], jobs: list[Job]
) -> list[Job] | None:
    """Return the jobs if the values that were looked at account for all ``strings`` of the text: no name stands twice.

    What a later member of its name replaces is missing from the value. Jobs that do not account for theirs are left to
    the clauses. None where something else does not, or another member is not sound.
    """
    found = [sound(text) for text in others.values()]
    if None in found:
        return None
    above = len(listed) + len(others) + sum(other[1] for other in found if other is not None)
    if strings == above + sum([job.seen.strings for job in jobs]):
        return jobs
    counted = [(job, not_looked_at(job.seen.element)) for job in jobs if isinstance(job.seen.element, Raw)]
    if strings != above + sum(whole.strings for _, whole in counted):
        return None
    return [job if job.seen.strings == whole.strings else job._replace(seen=whole) for job, whole in counted]


def _first_order(content: bytes) -> tuple[Dialect, str] | None:
    """Return the order that element 3 of the first job tells, and the pointer of that job, where that is easily told."""
    listed, _ = taken_apart(content, AS_SPLIT) or ({}, None)
    for name in LISTS:
        elements = listed.get(name)
        for index, element in enumerate(elements if isinstance(elements, list) else ()):
            kind = memoryview(element[3])[0] if isinstance(element, list) and len(element) >= ARITY else 0
            if kind in b"[{":
                return Dialect.CLOUD if kind == ord("[") else Dialect.OSS, f"/{name}/{index}"
    return None
