"""The fast path: verify typical jobs without building Python values, and fully parse only the remaining jobs.

In this package, a "verified" (or "proven") job is one that the fast path found to conform to every clause about single
jobs. The "remaining" jobs must still be checked by the clauses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property, partial
from typing import Final

from msgspec import Raw

from conformance.contract.reading.body import ARITY, LISTS, Item, Reading, Remaining
from conformance.contract.reading.fast_job import InspectedJob, Inspection, must_prover, not_inspected, prover
from conformance.contract.reading.fast_proof import Proof
from conformance.contract.reading.fast_split import AS_SPLIT, AS_TEXTS, Element, SplitList, split_body
from conformance.contract.reading.fast_workflow import sound
from conformance.contract.reading.known_jobs import ALONE, Shared
from conformance.contract.reading.memory import Observation
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
    def _proof(self) -> Proof | None:
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


def _prove(content: bytes, demand: Demand, recall: Recall | None) -> Proof | None:
    """Verify as many jobs of a body as possible. None if the body must be parsed as a whole."""
    apart = split_body(content, AS_TEXTS) if is_utf_8(content) else None
    if apart is None or not apart[0]:
        return None
    inspect = prover(demand.read_as, huge=seems_huge(content)).inspect
    jobs = _inspect(apart[0], inspect if recall is None else partial(recall, inspect))
    complete = _if_nothing_is_lost(content, *apart, jobs)
    return None if complete is None else _if_few_remain(Proof(apart[0], complete, demand))


def _prove_must(content: bytes, demand: Demand) -> Proof | None:
    """Verify as many jobs of a body as possible by the `must` clauses only. None if it must be parsed as a whole."""
    apart = split_body(content, AS_SPLIT) if is_utf_8(content) else None
    if apart is None or not apart[0]:
        return None
    listed = apart[0]
    return _if_few_remain(Proof(listed, _inspect(listed, must_prover(demand.read_as).inspect), demand))


def _inspect(listed: Mapping[str, SplitList[Element]], inspect: Callable[[Element], Inspection]) -> list[InspectedJob]:
    return [
        InspectedJob(name == LISTS[1], index, inspect(element))
        for name, elements in listed.items()
        if isinstance(elements, list)
        for index, element in enumerate(elements)
    ]


def _if_few_remain(proof: Proof) -> Proof | None:
    return (
        None if len(proof.remaining_jobs) > _MANY or (proof.remaining_jobs and not proof.rest.document.read) else proof
    )


def _if_nothing_is_lost(
    content: bytes, listed: Mapping[str, SplitList[Raw]], others: Mapping[str, Raw], jobs: list[InspectedJob]
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
