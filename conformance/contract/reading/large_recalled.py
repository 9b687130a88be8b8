"""Compare the jobs of a large body with those in other responses, without keeping any part of the body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Raw

from conformance.contract.reading.body import PLACES
from conformance.contract.reading.fast import recheck_members
from conformance.contract.reading.fast_job import InspectedJob, Inspection
from conformance.contract.reading.known_jobs import KnownJobs
from conformance.contract.reading.memory import Facts, Located, Observation, Recalled, hash_of
from conformance.contract.terms import Dialect

Read = Callable[[int, int], bytes]
"""A function that reads the text of an element of a job again, by the index of the job and the index of the element."""


def recalled(
    known: KnownJobs, look: Callable[[Raw], Inspection], elements: Iterable[tuple[bool, int, Raw]]
) -> list[InspectedJob]:
    """Inspect elements, except those with the same text as a job that was verified before, also in other responses."""
    jobs = []
    for pending, at, element in elements:
        key = hash_of(bytes(element))
        seen = known.proven(key)
        if seen is None:
            (job,) = recheck_members([InspectedJob(pending, at, look(element))])
            job.inspection.key = key
            if job.inspection.remaining is None:
                known.keep_proven(key, job.inspection.with_element(None))
        else:
            job = InspectedJob(pending, at, seen.with_element(element))
        jobs.append(job)
    return jobs


def facts_of(seen: Inspection, read: Read, index: int, order: Dialect) -> Facts:
    """Return the data of a verified job that must be the same in every response."""
    texts, (outputs, metadata) = seen.texts, PLACES[order]
    assert texts is not None
    workflow, listed = (_located(texts, at, read, index) for at in (2, outputs))
    return Facts(workflow, listed, Located(f"/{metadata}/create_time", seen.create_time))


def without_texts(seen: Observation, texts: Sequence[Raw], read: Read, index: int) -> Observation:
    """Return the observation without the texts of the elements, which ``read`` can read again."""

    def kept(found: Located | None) -> Located | None:
        return None if found is None else _located(texts, int(found.pointer[1:]), read, index)

    facts = seen.facts
    return seen._replace(facts=Facts(kept(facts.workflow), kept(facts.output_node_ids), facts.create_time))


def _located(texts: Sequence[Raw], at: int, read: Read, index: int) -> Located:
    return Located(f"/{at}", Recalled(bytes(texts[at]), read, index, at))
