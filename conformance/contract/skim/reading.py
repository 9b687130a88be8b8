"""A reading that proves first, and reads what is left."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Any, Final

from msgspec import Raw

from conformance.contract.clause import Clause, Level
from conformance.contract.reading import ARITY, LISTS, Item, Left, Located, Reading, Remembered, is_number
from conformance.contract.skim.job import Job, Prover, strings_in
from conformance.contract.skim.taken import Listed, taken_apart, write
from conformance.contract.skim.workflow import sound
from conformance.dialect import AS_THE_DOCUMENT_SAYS, Demand, Dialect
from conformance.jsonscan import quotes_in_utf_8, seems_huge
from conformance.jsontext import NESTING_READ, nesting, parse

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

_NESTING: Final = NESTING_READ - 10
"""Levels of an element that are read in any body: those around it are few."""
_MANY: Final = 20_000
"""Jobs that are left, beyond which a body is read whole: what was proven and what was read would stand side by side."""
_NO_OPENING: Final = bytes(code for code in range(256) if code not in b"[{")


class Skimmed(Reading):
    """A reading that proves first, and reads what is left. With ``must_only`` it proves nothing of any `should`."""

    def __init__(self, content: bytes, demand: Demand = AS_THE_DOCUMENT_SAYS, *, must_only: bool = False) -> None:
        super().__init__(content, demand)
        self._must_only = must_only

    @cached_property
    def _skim(self) -> _Skim | None:
        return None if self.demand.open else _skim(self.content, self.demand, must_only=self._must_only)

    def keeps(self, clauses: Collection[str]) -> bool:
        """Whether the body is proven to keep these clauses of it, by their ids."""
        return self._skim is not None and KNOWN.issuperset(clauses) and self._skim.keeps(clauses)

    def left(self, clause: Clause) -> Left:
        """Return what a clause of the body has to be asked of."""
        level = clause.level_in(self.demand)
        asked = level is Level.MUST if self._must_only else level is not None
        if clause.id not in KNOWN or not asked or self._skim is None:
            return super().left(clause)
        return self._skim.left_for(clause.id)

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

    @property
    def jobs(self) -> Sequence[Item]:
        """The items without their workflows."""
        return self.items if self._skim is None else self._skim.sketch.items

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
            return super().order
        told = _first_order(self.content)
        trial = None if told is None else Skimmed(self.content, Demand.told_by(*told))  # can it be read at all?
        return super().order if trial is None or trial._skim is None else told  # noqa: SLF001 - one of us

    def forget(self) -> None:
        """Let go what was read, but for the gist."""
        super().forget()
        self.__dict__.pop("_skim", None)


class _Sketched(Item):
    """A job as far as it is compared with others: nothing of its workflow but its text."""

    def __init__(self, job: Job, elements: list[Any], demand: Demand) -> None:
        mine = vars(self)
        mine.update(pointer=job.pointer, pending=job.pending, elements=elements, demand=demand, texts=job.texts)
        if job.text is None:  # what else would be told from the elements, at some cost
            metadata = 4 if demand.read_as is Dialect.CLOUD else 3
            mine["order"] = demand.read_as
            mine["create_time"] = Located(f"{job.pointer}/{metadata}/create_time", job.create_time)

    def memory(self, index: int) -> Located:
        return Located(f"{self.pointer}/{index}", Remembered(text=vars(self)["texts"][index]))


class _Sketch(Reading):
    """The jobs of a body, to be compared with one another."""

    def __init__(self, demand: Demand, jobs: Sequence[Item]) -> None:
        super().__init__(b"", demand)
        self.items = jobs


class _Skim:
    """What was proven of a body, and what is left of it."""

    def __init__(self, listed: Mapping[str, Listed], jobs: Sequence[Job], demand: Demand) -> None:
        self.jobs, self._listed, self._demand = jobs, listed, demand
        self.left = [job for job in jobs if job.text is not None]

    def keeps(self, clauses: Collection[str]) -> bool:
        """Whether both lists are there, and nothing is left to ask any of these clauses of."""
        lists = all(isinstance(self._listed.get(name), list) for name in LISTS)
        return lists and not self.left and self._broken.isdisjoint(clauses)

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
        found: set[str] = set()
        for job in self.jobs:
            found.update(OF_LINKS if job.linked else ())
            if job.text is None:
                found.update(OF_EACH_JOB)
                found.update(OF_OUTPUTS if job.outputs else ())
                found.update(OF_GRAPHS if job.graph else ())
                found.update(OF_GRAPHS_WITH_OUTPUTS if job.graph and job.outputs else ())
        return frozenset(found)

    @cached_property
    def _compared(self) -> dict[str, list[Any]]:
        """What the clauses between jobs compare."""
        ids: list[str] = []
        numbers: list[float | Decimal] = []
        times: list[int | Decimal] = []
        for job in self.jobs:
            if job.text is None:
                ids.append(job.prompt_id.lower())
                if job.pending:
                    numbers.append(job.number)
                    times.append(job.create_time)
            elif (item := self._items_left.get(job.pointer)) is not None:
                ids += [] if item.prompt_id is None else [item.prompt_id.lower()]
                if job.pending:
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

    @cached_property
    def rest(self) -> Reading:
        """A body of the jobs that are left, each in its place; 0 stands for the others."""
        members = []
        for name, value in self._listed.items():
            if isinstance(value, list):
                there = {job.index: job.text for job in self.left if LISTS[job.pending] == name}
                texts = [there.get(index) or b"0" for index in range(len(value))] if there else []
                text = b"[%b]" % b",".join(texts)
            else:
                text = write(value)
            members.append(b'"%b":%b' % (name.encode(), text))
        return Reading(b"{%b}" % b",".join(members), self._demand, {(job.pending, job.index) for job in self.left})

    @cached_property
    def sketch(self) -> Reading:
        """All jobs, without the workflows of those that were taken."""
        items = [_Sketched(job, self._elements(job), self._demand) for job in self.jobs if job.texts is not None]
        return _Sketch(self._demand, items)

    def _elements(self, job: Job) -> list[Any]:
        if job.text is not None or job.texts is None:
            return self._items_left[job.pointer].elements
        number = job.number if isinstance(job.number, int) else parse(bytes(job.texts[0])).value
        pair: list[Any] = [job.outputs, {"create_time": job.create_time}]
        return [number, job.prompt_id, {}, *(pair if self._demand.read_as is Dialect.CLOUD else reversed(pair))]


# --- how a body is skimmed --------------------------------------------------------------------


def _skim(content: bytes, demand: Demand, *, must_only: bool) -> _Skim | None:
    """Prove what can be proven. None where the body has to be read as a whole."""
    quotes = quotes_in_utf_8(content, counted=not must_only)
    apart = None if quotes is None else taken_apart(content)
    if quotes is None or apart is None or not apart[0]:
        return None
    listed, others = apart
    prover = Prover(demand.read_as, must_only=must_only, huge=not must_only and seems_huge(content))
    jobs = [
        prover.look(element, index, pending=name == LISTS[1])
        for name, elements in listed.items()
        if isinstance(elements, list)
        for index, element in enumerate(elements)
    ]
    if not must_only and not _all_told(quotes // 2, listed, others, jobs):
        return None
    skim = _Skim(listed, jobs, demand)
    if len(skim.left) > _MANY:
        return None
    if must_only and not skim.keeps(BETWEEN_JOBS) and not _can_be_read(others, jobs):
        return None
    return None if skim.left and not skim.rest.document.read else skim


def _all_told(strings: int, listed: Mapping[str, Listed], others: Mapping[str, Raw], jobs: Sequence[Job]) -> bool:
    """Whether the values that were looked at account for all ``strings`` of the text: then no name stands twice.

    What a later member of its name replaces is missing from the value. Jobs that do not account for theirs are left to
    the clauses. False where something else does not, or another member is not sound.
    """
    found = [sound(text) for text in others.values()]
    if None in found:
        return False
    above = len(listed) + len(others) + sum(other[1] for other in found if other is not None)
    if strings == above + sum(job.strings for job in jobs):
        return True
    for job in jobs:
        there = job.strings if job.texts is None else strings_in(job.texts)
        if there != job.strings:
            job.leave()
        strings -= there
    return strings == above


def _can_be_read(others: Mapping[str, Raw], jobs: Sequence[Job]) -> bool:
    """Whether nothing nests deeper than a body may that is to be read."""
    texts = chain([others.values()], (job.texts for job in jobs if job.texts is not None))
    return not any(_may_be_deep(b",".join(each)) for each in texts)


def _may_be_deep(text: bytes) -> bool:
    return len(text.translate(None, _NO_OPENING)) > _NESTING and nesting(b"[%b]" % text) > _NESTING


def _first_order(content: bytes) -> tuple[Dialect, str] | None:
    """Return the order that element 3 of the first job tells, and the pointer of that job, where that is easily told."""
    listed, _ = taken_apart(content) or ({}, None)
    for name in LISTS:
        elements = listed.get(name)
        for index, element in enumerate(elements if isinstance(elements, list) else ()):
            kind = memoryview(element[3])[0] if isinstance(element, list) and len(element) >= ARITY else 0
            if kind in b"[{":
                return Dialect.CLOUD if kind == ord("[") else Dialect.OSS, f"/{name}/{index}"
    return None
