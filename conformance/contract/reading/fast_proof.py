"""What the fast path verified in a body, and the parts of the body that each clause must still check."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Any

from conformance.contract.reading.body import LISTS, PLACES, Item, Reading, Remaining, is_number
from conformance.contract.reading.fast_job import InspectedJob, Inspection
from conformance.contract.reading.fast_split import SplitList, write
from conformance.contract.reading.memory import Located, Observation
from conformance.contract.terms import Demand, Dialect, FastPath


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


def exercised_with(shapes: Collection[tuple[bool, bool]], *, linked: bool) -> frozenset[FastPath]:
    """Return the members of ``FastPath`` whose clauses apply to at least one verified job.

    ``shapes`` has two facts about each verified job: whether it has output node ids, and whether its workflow is a graph
    in API format. ``linked`` says whether a node of any job is linked to another one.
    """
    exercised = {
        FastPath.EACH_JOB: bool(shapes),
        FastPath.OUTPUT_NODE_IDS: any(outputs for outputs, _ in shapes),
        FastPath.GRAPHS: any(graph for _, graph in shapes),
        FastPath.GRAPHS_WITH_OUTPUTS: (True, True) in shapes,
        FastPath.LINKS: linked,
    }
    return frozenset(fast for fast, found in exercised.items() if found)


class WithoutWorkflows(Reading):
    """Jobs of a body without their workflows, for clauses that compare jobs with one another."""

    def __init__(self, demand: Demand, jobs: Sequence[Item]) -> None:
        super().__init__(b"", demand)
        self.items = jobs


class Proof:
    """What the fast path found out about a body: all jobs (``jobs``), and those that the clauses must still check."""

    def __init__(self, listed: Mapping[str, SplitList[Any]], jobs: Sequence[InspectedJob], demand: Demand) -> None:
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
        return Remaining(exercised=len(self._compared[fast]) > 1, reading=WithoutWorkflows(self._demand, ()))

    @cached_property
    def _exercised(self) -> frozenset[FastPath]:
        """The members of ``FastPath`` whose clauses apply to at least one job that the fast path showed to conform."""
        shapes = {
            (bool(inspection.outputs), inspection.graph)
            for _, _, inspection in self.jobs
            if inspection.remaining is None
        }
        # Also of remaining jobs, because links that keep every clause are left out of their text.
        return exercised_with(shapes, linked=any(inspection.linked for _, _, inspection in self.jobs))

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
        return WithoutWorkflows(self._demand, items)


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
