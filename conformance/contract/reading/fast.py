"""The fast path: verify typical jobs without building Python values, and fully parse only the remaining jobs.

In this package, a "verified" (or "proven") job is one that the fast path found to conform to every clause about single
jobs. The "remaining" jobs must still be checked by the clauses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any, Final

from msgspec import Raw

from conformance.contract.reading.body import ARITY, LISTS, PLACES, Item, Reading, Remaining, is_number
from conformance.contract.reading.fast_job import InspectedJob, Inspection, must_prover, not_inspected, prover
from conformance.contract.reading.fast_split import AS_SPLIT, AS_TEXTS, Element, Listed, split_body, write
from conformance.contract.reading.fast_workflow import sound
from conformance.contract.reading.known_jobs import ALONE, Shared
from conformance.contract.reading.memory import Located, Observation
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand, Dialect, FastPath, Level
from conformance.text.json_bytes import is_utf_8, members_at_most, seems_huge, without_escaped_quotes

_MANY: Final = 20_000
"""A body with more jobs than this that the fast path cannot verify is parsed as a whole, which needs less memory."""


Recall = Callable[[Callable[[Raw], Inspection], Raw], Inspection]
"""A function that inspects a job with the function given first, or returns the stored result for a job with the same
bytes.
"""


class FastReading(Reading):
    """A body on the fast path: as many jobs as possible are verified, and only the remaining ones are parsed.

    ``must_only`` leaves out every `should` clause. ``recall`` is a cache of inspected jobs.
    """

    def __init__(
        self,
        content: bytes,
        demand: Demand = AS_THE_DOCUMENT_SAYS,
        *,
        must_only: bool = False,
        recall: Recall | None = None,
        shared: Shared = ALONE,
    ) -> None:
        super().__init__(content, demand, shared=shared)
        self._must_only, self._recall = must_only, recall

    @cached_property
    def _proof(self) -> _Proof | None:
        if self.demand.open:
            return None
        if self._must_only:
            return _prove_must(self.content, self.demand)
        return _prove(self.content, self.demand, self._recall)

    def keeps(self, proofs: Collection[FastPath]) -> bool:
        """Whether the fast path already showed that the body conforms to every clause that declares one of ``proofs``."""
        return self._proof is not None and self._proof.keeps(proofs)

    def remaining(self, fast: FastPath | None, level: Level | None) -> Remaining:
        """Return the part of the body that the check of a clause must still see: the remaining jobs, or the whole body.

        The remaining jobs are those that the fast path could not verify.
        """
        checked = level is Level.MUST if self._must_only else level is not None
        if fast is None or not checked or self._proof is None:
            return super().remaining(fast, level)
        return self._proof.remaining_for(fast)

    @property
    def proven(self) -> Hashable | None:
        """A value that is equal for two bodies if every clause with ``fast`` has the same result for both.

        None if such a result cannot be reused: if a job was not verified, or if several jobs together violate a clause,
        for example because they have the same id.
        """
        return None if self._proof is None else self._proof.proven

    @property
    def reduced(self) -> Reading:
        """The body with only the jobs that were not verified, or the whole body if the fast path is not possible."""
        return self if self._proof is None else self._proof.rest

    def observations(self) -> Iterator[tuple[str, Callable[[], Observation]]]:
        """Yield the prompt id of each job, with a function that returns the facts to compare it with other responses."""
        return super().observations() if self._proof is None else self._proof.observations()

    @property
    def jobs(self) -> Iterable[Item]:
        """The jobs without their workflows."""
        return self.items if self._proof is None else self._proof.without_workflows.items

    @property
    def latest(self) -> int | Decimal | None:
        """The latest ``create_time`` of all jobs that is plausible in milliseconds, or None."""
        if self._proof is None or self._proof.remaining_jobs:
            return super().latest
        return max([job.inspection.create_time for job in self._proof.jobs], default=None)

    @property
    def size(self) -> int:
        """The number of elements in the two lists."""
        return super().size if self._proof is None else len(self._proof.jobs)

    @property
    def filled(self) -> frozenset[str]:
        """The names of the lists (``queue_running``, ``queue_pending``) that are not empty."""
        return super().filled if self._proof is None else frozenset(LISTS[job.pending] for job in self._proof.jobs)

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order of the first job whose elements 3 and 4 show an order, and the pointer of that job, or None."""
        if not self.demand.open:
            return super().order if self._proof is None else self._proof.order
        shown = _first_order(self.content)
        demand = None if shown is None else Demand.detected(*shown)
        trial = (
            None if demand is None else FastReading(self.content, demand, must_only=self._must_only)
        )  # can it be read?
        return super().order if trial is None or trial._proof is None else shown  # noqa: SLF001 - same class

    def release(self) -> None:
        """Drop the value of the body."""
        super().release()
        self.__dict__.pop("_proof", None)


class ItemWithoutWorkflow(Item):
    """A verified job without its workflow, for comparing it with other jobs."""

    def __init__(self, job: InspectedJob, demand: Demand) -> None:
        vars(self).update(
            pointer=job.pointer, pending=job.pending, demand=demand, inspection=job.inspection, order=demand.read_as
        )

    def __getattr__(self, name: str) -> list[Any]:
        """Build the list of elements on first access, because most jobs never need it."""
        if name != "elements":
            raise AttributeError(name)
        inspection: Inspection = vars(self)["inspection"]
        return inspection.elements(self.demand.read_as)

    @property
    def create_time(self) -> Located:
        """``create_time`` in the metadata."""
        _, metadata = PLACES[self.demand.read_as]
        return Located(f"{self.pointer}/{metadata}/create_time", vars(self)["inspection"].create_time)


class _WithoutWorkflows(Reading):
    """The jobs of a body without their workflows, for clauses that compare jobs with one another."""

    def __init__(self, demand: Demand, jobs: Sequence[Item]) -> None:
        super().__init__(b"", demand)
        self.items = jobs


class _Proof:
    """What the fast path found out about a body: all jobs (``jobs``), and those that the clauses must still check."""

    def __init__(self, listed: Mapping[str, Listed[Any]], jobs: Sequence[InspectedJob], demand: Demand) -> None:
        self.jobs, self._listed, self._demand = jobs, listed, demand
        self.remaining_jobs = [job for job in jobs if job.inspection.remaining is not None]

    def keeps(self, proofs: Collection[FastPath]) -> bool:
        """Whether both lists exist, every job is verified, and no clause in ``proofs`` that compares jobs is broken."""
        if self.remaining_jobs or (self._broken and not self._broken.isdisjoint(proofs)):
            return False
        running, pending = map(self._listed.get, LISTS)
        return isinstance(running, list) and isinstance(pending, list)

    @cached_property
    def proven(self) -> Hashable | None:
        """A key: two bodies with the same key have the same result of ``remaining_for``.

        None if the fast path did not show every job to conform, or if jobs together violate a clause.
        """
        if self.remaining_jobs or self._broken:
            return None
        return self.rest.content, self._exercised, tuple(len(each) > 1 for each in self._compared.values())

    def remaining_for(self, fast: FastPath) -> Remaining:
        """Return the part of the body that the check of a clause must still see.

        ``fast`` is the member that the clause declares.
        """
        if fast is FastPath.BODY:
            return Remaining(exercised=False, reading=self.rest)
        if fast not in self._compared:
            return Remaining(exercised=fast in self._exercised, reading=self.rest)
        if fast in self._broken:
            return Remaining(exercised=False, reading=self.without_workflows)
        return Remaining(exercised=len(self._compared[fast]) > 1, reading=_WithoutWorkflows(self._demand, ()))

    @cached_property
    def _exercised(self) -> frozenset[FastPath]:
        """The members of ``FastPath`` whose clauses apply to at least one job that the fast path showed to conform."""
        shapes = {
            (bool(inspection.outputs), inspection.graph)
            for _, _, inspection in self.jobs
            if inspection.remaining is None
        }
        outputs, graphs = (any(each) for each in zip(*shapes, strict=True)) if shapes else (False, False)
        exercised = {
            FastPath.EACH_JOB: bool(shapes),
            FastPath.OUTPUT_NODE_IDS: outputs,
            FastPath.GRAPHS: graphs,
            FastPath.GRAPHS_WITH_OUTPUTS: (True, True) in shapes,
            # Also of remaining jobs, because links that keep every clause are left out of their text.
            FastPath.LINKS: any(inspection.linked for _, _, inspection in self.jobs),
        }
        return frozenset(fast for fast, found in exercised.items() if found)

    @cached_property
    def _compared(self) -> dict[FastPath, list[Any]]:
        """The values of all jobs that clauses compare with one another: ids, times and numbers, by ``FastPath``."""
        ids: list[str] = []
        numbers: list[float | Decimal] = []
        times: list[int | Decimal] = []
        for job in self.jobs:
            pending, _, inspection = job
            if inspection.remaining is None:
                ids.append(inspection.prompt_id.lower())
                if pending:
                    numbers.append(inspection.number)
                    times.append(inspection.create_time)
            elif (item := self._remaining_items.get(job.pointer)) is not None:
                ids += [] if item.prompt_id is None else [item.prompt_id.lower()]
                if pending:
                    numbers += filter(is_number, item.elements[:1])
                    times += [item.create_time.value] if item.create_time and is_number(item.create_time.value) else []
        return {
            FastPath.DISTINCT_IDS: ids,
            FastPath.RISING_TIMES: times,
            FastPath.DISTINCT_NUMBERS: numbers,
            FastPath.RISING_NUMBERS: numbers,
        }

    @cached_property
    def _broken(self) -> frozenset[FastPath]:
        """The members of ``FastPath`` about several jobs, such as distinct ids, that the body violates or may violate."""
        ids, times, numbers, _ = self._compared.values()
        distinct = len(set(numbers)) == len(numbers)
        # Two numbers written as floats may be equal as doubles but differ as written.
        exact = distinct or not any(isinstance(number, float) for number in numbers)
        kept = len(set(ids)) == len(ids), times == sorted(times), distinct, exact and numbers == sorted(numbers)
        return frozenset([name for name, each in zip(self._compared, kept, strict=True) if not each])

    @cached_property
    def _remaining_items(self) -> dict[str, Item]:
        return {item.pointer: item for item in self.rest.items} if self.remaining_jobs else {}

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order of the first job whose elements 3 and 4 show an order, and the pointer of that job, or None."""
        for job in self.jobs:
            if job.inspection.remaining is None:
                return self._demand.read_as, job.pointer
            item = self._remaining_items.get(job.pointer)
            if item is not None and item.order is not None:
                return item.order, job.pointer
        return None

    def observations(self) -> Iterator[tuple[str, Callable[[], Observation]]]:
        """Yield the prompt id of each job, with a function that returns the facts to compare it with other responses."""
        order = self._demand.read_as
        for job in self.jobs:
            if job.inspection.remaining is None:
                yield job.inspection.prompt_id, partial(job.observation, order)
            elif (item := self._remaining_items.get(job.pointer)) is not None and item.prompt_id is not None:
                yield item.prompt_id, partial(_of_texts, item, job.inspection)

    @cached_property
    def rest(self) -> Reading:
        """A body with only the jobs that were not verified, each at its own index.

        The number 0 replaces each verified job.
        """
        if not self.remaining_jobs and all(isinstance(value, list) for value in self._listed.values()):
            return _nothing_remains(tuple(self._listed), self._demand)
        members = []
        for name, value in self._listed.items():
            if isinstance(value, list):
                there = {
                    job.place: job.inspection.remaining for job in self.remaining_jobs if LISTS[job.pending] == name
                }
                texts = [there.get(index) or b"0" for index in range(len(value))] if there else []
                text = b"[%b]" % b",".join(texts)
            else:
                text = write(value)
            members.append(b'"%b":%b' % (name.encode(), text))
        return Reading(
            b"{%b}" % b",".join(members), self._demand, {(job.pending, job.place) for job in self.remaining_jobs}
        )

    @cached_property
    def without_workflows(self) -> Reading:
        """All jobs. The verified ones have no workflow."""
        items = [
            ItemWithoutWorkflow(job, self._demand)
            if job.inspection.remaining is None
            else self._remaining_items[job.pointer]
            for job in self.jobs
            if job.inspection.is_array
        ]
        return _WithoutWorkflows(self._demand, items)


@lru_cache(maxsize=16)
def _nothing_remains(names: tuple[str, ...], demand: Demand) -> Reading:
    """Return the ``Reading`` for all bodies that have the lists ``names`` and only verified jobs.

    Its lists are empty.
    """
    return Reading(write({name: [] for name in names}), demand, places=())


def _of_texts(item: Item, inspection: Inspection) -> Observation:
    """Return the data by which a job that was not verified is compared with the same job in other responses.

    It comes from the JSON texts in the body, because the parsed job may lack parts.
    """
    return item.observation(inspection.texts)


# --- how a body is proven --------------------------------------------------------------------


def _prove(content: bytes, demand: Demand, recall: Recall | None) -> _Proof | None:
    """Verify as many jobs of a body as possible. None if the body must be parsed as a whole."""
    apart = split_body(content, AS_TEXTS) if is_utf_8(content) else None
    if apart is None or not apart[0]:
        return None
    inspect = prover(demand.read_as, huge=seems_huge(content)).inspect
    jobs = _inspect(apart[0], inspect if recall is None else partial(recall, inspect))
    complete = _if_nothing_is_lost(content, *apart, jobs)
    return None if complete is None else _if_few_remain(_Proof(apart[0], complete, demand))


def _prove_must(content: bytes, demand: Demand) -> _Proof | None:
    """Verify as many jobs of a body as possible by the `must` clauses only. None if it must be parsed as a whole."""
    apart = split_body(content, AS_SPLIT) if is_utf_8(content) else None
    if apart is None or not apart[0]:
        return None
    listed = apart[0]
    return _if_few_remain(_Proof(listed, _inspect(listed, must_prover(demand.read_as).inspect), demand))


def _inspect(listed: Mapping[str, Listed[Element]], inspect: Callable[[Element], Inspection]) -> list[InspectedJob]:
    return [
        InspectedJob(name == LISTS[1], index, inspect(element))
        for name, elements in listed.items()
        if isinstance(elements, list)
        for index, element in enumerate(elements)
    ]


def _if_few_remain(proof: _Proof) -> _Proof | None:
    return (
        None if len(proof.remaining_jobs) > _MANY or (proof.remaining_jobs and not proof.rest.document.read) else proof
    )


def _if_nothing_is_lost(
    content: bytes, listed: Mapping[str, Listed[Raw]], others: Mapping[str, Raw], jobs: list[InspectedJob]
) -> list[InspectedJob] | None:
    """Check that no object of the body has a repeated name, and return the jobs.

    If a name is repeated, the parsed value has fewer members than the text. No part of the body is counted with more
    members than its text, so the two sums are equal only if the counts of each part are, and then no name is repeated.
    If the sums differ, each job is counted, and those that may have lost a member are marked as not verified. None if
    another part of the body may have lost one.
    """
    found = [sound(text) for text in others.values()]
    if None in found:
        return None
    above = len(listed) + len(others) + sum(other[1] for other in found if other is not None)
    members = above + sum([job.inspection.members for job in jobs])
    at_most = members_at_most(content)
    if members == at_most:
        return jobs
    texts = [bytes(job.inspection.element) for job in jobs if isinstance(job.inspection.element, Raw)]
    return recheck_members(jobs) if at_most == above + sum(map(members_at_most, texts)) else None


def recheck_members(jobs: Sequence[InspectedJob]) -> list[InspectedJob]:
    """Return the jobs. Those whose parsed value has fewer members than their text are marked as not verified."""
    return [
        job if _holds_all(job.inspection, bytes(element)) else job._replace(inspection=not_inspected(element))
        for job in jobs
        if isinstance(element := job.inspection.element, Raw)
    ]


def _holds_all(inspection: Inspection, text: bytes) -> bool:
    """Whether no object in the text of a job has a repeated name that the inspection lost.

    ``members`` of a verified job counts only parsed values, so it can be compared with the more exact count, too.
    """
    if inspection.members == members_at_most(text):
        return True
    return inspection.remaining is None and inspection.members == members_at_most(without_escaped_quotes(text))


def _first_order(content: bytes) -> tuple[Dialect, str] | None:
    """Return the order that element 3 of a job shows, for the first job that shows one, and that job's JSON Pointer.

    None if no job shows an order.
    """
    listed, _ = split_body(content, AS_SPLIT) or ({}, None)
    for name in LISTS:
        elements = listed.get(name)
        for index, element in enumerate(elements if isinstance(elements, list) else ()):
            kind = memoryview(element[3])[0] if isinstance(element, list) and len(element) >= ARITY else 0
            if kind in b"[{":
                return Dialect.CLOUD if kind == ord("[") else Dialect.OSS, f"/{name}/{index}"
    return None
