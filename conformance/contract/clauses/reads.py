"""All responses of a run together: what may change in a queue from read to read, and what may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Finding, clause, doc, inferred, rfc
from conformance.contract.clauses.item import PROSE
from conformance.contract.clauses.queue import OLDEST_FIRST, PENDING, heap_in
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import LISTS, is_number
from conformance.contract.reading.memory import Remembered
from conformance.contract.terms import Level
from conformance.text.safe import show

Succession = tuple[Answer, Answer]
SAFE_RUN: Final = 6
"""The number of reads in a row that must each remove one job. Fewer may be chance."""
RENAMED: Final = 3
"""The number of pairs of reads in which all ids must have changed. One pair may be a batch of equal jobs."""
MOST: Final = 0.9
"""The share of reads that must have removed a job. A queue that also moves without reads does not excuse a server."""


def _jobs_seen_twice(conversation: Conversation) -> Iterator[tuple[Answer, Succession]]:
    for before, after in conversation.successions:
        if before.observations.shares_jobs(after.observations):
            yield after, (before, after)


@clause(
    "reads.job-data",
    Level.SHOULD,
    title="A job does not change from read to read",
    source=inferred(
        doc(PROSE, "Contains {create_time: <milliseconds>}"),
        "The document describes a single response, and does not compare two.",
    ),
    why="The workflow, the outputs and the creation time of a job are fixed, even when it starts.",
    keeps="the same create_time in every read",
    breaks="a create_time that is always the time of the read",
    needs="a job in two consecutive reads",
    across=_jobs_seen_twice,
)
def a_job_keeps_its_data(subject: Succession) -> Iterator[Finding]:
    """[2], the output ids and create_time of a job are equal in consecutive reads."""
    before, after = subject
    earlier, later = before.observations, after.observations
    for prompt_id in later.changed_since(earlier):
        then, now = earlier[prompt_id], later[prompt_id]
        started = " when it started" if then.pending and not now.pending else ""
        for name, old, new in (
            ("workflow_json", then.workflow, now.workflow),
            ("output_node_ids", then.output_node_ids, now.output_node_ids),
        ):
            if old is not None and new is not None and old.value != new.value:
                yield Finding(
                    new.pointer,
                    f"{name} as in the previous read",
                    "a different value",
                    f"{name} of a job changed{started}.",
                )
        if then.create_time and now.create_time and then.create_time.value != now.create_time.value:
            yield Finding(
                now.create_time.pointer,
                "create_time as in the previous read",
                show(now.create_time.value),
                f"create_time of a job changed{started}. It was {show(then.create_time.value)}.",
            )


_LARGEST: Final = 1 << 63
_FEW: Final = 16
"""Workflows of one time of creation that are compared one by one, which costs no digest if their bytes are equal."""


def _timed(answer: Answer) -> Iterator[tuple[str, Remembered, object]]:
    """Yield id, workflow and time of creation of jobs, if the time is precise to the millisecond."""
    for prompt_id, facts in answer.observations.facts:
        time = facts.create_time
        if facts.workflow is None or time is None or not is_number(time.value):
            continue
        if 0 < time.value < _LARGEST and time.value % 1000:  # the remainder of a huge number cannot be computed
            yield prompt_id, facts.workflow.value, time.value


def _same_job(before: Answer, after: Answer) -> str | None:
    """Return the smallest id of a job whose workflow and time of creation a job of the read before has."""
    then: dict[object, list[Remembered]] = {}
    for _, workflow, time in _timed(before):
        then.setdefault(time, []).append(workflow)
    among = {time: each if len(each) <= _FEW else set(each) for time, each in then.items()}
    return min((name for name, workflow, time in _timed(after) if workflow in among.get(time, ())), default=None)


def _same_jobs_twice(conversation: Conversation) -> Iterator[tuple[Answer, list[tuple[Answer, str]]]]:
    """All pairs of consecutive reads that list a job with the same workflow and creation time, with such a job."""
    pairs: list[tuple[bool, Answer, str]] = []
    for before, after in conversation.successions:
        name = _same_job(before, after)
        if name is not None:
            renamed = {name.lower() for name in before.observations}.isdisjoint(map(str.lower, after.observations))
            pairs.append((renamed, after, name))
    if len(pairs) >= RENAMED:
        yield (
            pairs[-1][1],
            [(after, name) for renamed, after, name in pairs if renamed] if all(p[0] for p in pairs) else [],
        )


@clause(
    "reads.prompt-ids",
    Level.SHOULD,
    title="A job keeps its id from read to read",
    source=inferred(doc(PROSE, "Job UUID"), "The document describes a single response, and does not compare two."),
    why="A client that follows a job by its id sees only new jobs in each read.",
    keeps="the same prompt_id in every read",
    breaks="a different prompt_id in each read for the same workflow and create_time",
    needs=f"a job with the same workflow and create_time in {RENAMED} pairs of consecutive reads",
    across=_same_jobs_twice,
)
def a_job_keeps_its_id(renamed: list[tuple[Answer, str]]) -> Iterator[Finding]:
    """There is a pair of consecutive reads with the same workflows and creation times in which some id stays."""
    if renamed:
        answer, name = renamed[-1]
        told = f"All ids change from one read to the next, but workflows and creation times stay: in {len(renamed)} pairs of reads."
        yield Finding(f"{answer.observations[name].pointer}/1", "the id in the previous read", show(name), told)


def _two_pending_twice(conversation: Conversation) -> Iterator[tuple[Answer, tuple[list[str], list[str], Answer]]]:
    for before, after in conversation.successions:
        old, new = before.observations.pending, after.observations.pending
        old_set, new_set = set(old), set(new)
        old, new = [i for i in old if i in new_set], [i for i in new if i in old_set]
        if len(new) > 1:
            yield after, (old, new, after)


@clause(
    "reads.order",
    Level.SHOULD,
    title="Two pending jobs do not change places",
    source=inferred(doc(PENDING, OLDEST_FIRST), "The document describes a single response, and does not compare two."),
    why="A position that changes back and forth means nothing to a user.",
    keeps="A, B, C and then B, C",
    breaks="A, B, C and then C, B",
    needs="two pending jobs in two consecutive reads",
    across=_two_pending_twice,
)
def pending_jobs_keep_their_order(subject: tuple[list[str], list[str], Answer]) -> Iterator[Finding]:
    """The ids that are pending in two consecutive reads have the same order in both."""
    old, new, answer = subject
    for expected, got in zip(old, new, strict=True):
        if expected != got:
            place, told = (
                answer.observations[got].pointer,
                f"This job moved: {show(expected)} was here in the previous read.",
            )
            cause = heap_in(answer.reading)
            answer.reading.forget()
            yield Finding(place, "the order of the previous read", show(got), told, cause)
            return


def _between(conversation: Conversation) -> Iterator[tuple[Answer, tuple[set[str], Answer]]]:
    reads = conversation.reads
    for index in range(1, len(reads) - 1):
        before, between, after = reads[index - 1], reads[index], reads[index + 1]
        if before.precedes(between) and between.precedes(after):
            earlier, later = before.observations, after.observations
            both = ((earlier.running, later.running), (earlier.pending, later.pending))
            throughout = {
                job
                for name, (then, now) in zip(LISTS, both, strict=True)
                if name not in between.summary.absent  # clauses of the envelope cover that
                for job in {*then}.intersection(now)
            }
            if throughout:
                yield between, (throughout, between)


@clause(
    "reads.steady",
    Level.SHOULD,
    title="A job does not vanish from a single read",
    source=inferred(
        doc("/paths/~1api~1queue/get/description", "Returns information about running and pending items in the queue"),
        "The document describes a single response, and does not compare two.",
    ),
    why="A job that one read lacks is lost for that client or at that moment, for example for a browser or with a query string.",
    keeps="A, B · A, B · B",
    breaks="A, B · nothing · A, B",
    needs="a job in the same list of two reads, with a read between them",
    across=_between,
)
def a_listed_job_stays_listed(subject: tuple[set[str], Answer]) -> Iterator[Finding]:
    """A job that is in a list before and after a read is in that read too. That also holds if the queue moves.

    A job that starts may be in neither list for a moment: the document does not rule that out.
    """
    throughout, between = subject
    missing = sorted(throughout - between.summary.ids)
    if missing:
        asked = between.request.purpose
        yield Finding(
            "",
            f"{len(throughout)} jobs that the reads before and after list",
            f"{len(missing)} of them missing",
            f"Jobs are missing from this read ({asked}), for example {show(missing[0])}.",
        )


def _losses(conversation: Conversation) -> list[tuple[Answer, int, int, float]]:
    """For each read after another: how many jobs disappeared, how many GETs were sent, and the seconds between."""
    gets = [
        answer.exchange.id
        for answer in conversation.answers
        if answer.request.method == "GET" and answer.request.to_queue
    ]
    places = {name: place for place, name in enumerate(gets)}
    return [
        (
            after,
            len(before.summary.ids - after.summary.ids),
            places[after.exchange.id] - places[before.exchange.id],
            (after.exchange.started or 0) - (before.exchange.started or 0),
        )
        for before, after in conversation.successions
        if before.summary.jobs
    ]


def one_for_one(conversation: Conversation) -> bool:
    """Whether almost every read finds as many jobs fewer as there were GETs: a reason to pause and read again."""
    losses = _losses(conversation)
    as_many = sum(1 for _, lost, sent, _ in losses if lost == sent)
    return len(losses) > SAFE_RUN and as_many >= MOST * (len(losses) - 1)


def _several_reads(conversation: Conversation) -> Iterator[tuple[Answer, Conversation]]:
    losses = _losses(conversation)
    if len(losses) >= SAFE_RUN:
        yield losses[-1][0], conversation


@clause(
    "reads.safe",
    Level.SHOULD,
    title="Reading does not remove jobs from the queue",
    source=rfc(
        "RFC 9110 §9.2.1", "the client does not request, and does not expect, any state change on the origin server"
    ),
    why="A monitor that reads the queue every minute would empty it.",
    keeps="ten reads, the same jobs",
    breaks="ten reads, ten jobs fewer",
    needs=f"{SAFE_RUN} consecutive reads of a queue that is not empty",
    across=_several_reads,
)
def reading_takes_no_job(conversation: Conversation) -> Iterator[Finding]:
    """Jobs do not disappear at the rate of the reads and stay while the reads pause.

    A pause is the longest gap between two reads. A queue that loses jobs on its own loses more in a
    gap that is many times as long.
    """
    if not one_for_one(conversation):
        return
    losses = _losses(conversation)
    *reading, (_, lost_in_pause, sent, pause) = sorted(losses, key=lambda loss: loss[3])
    usual = sum(gap for *_, gap in reading) / len(reading)
    if pause > SAFE_RUN * usual and lost_in_pause <= sent:
        yield Finding(
            None,
            "the same jobs after reading",
            f"one job fewer after each of {len(reading)} reads",
            "One job disappears with each read, and none while the reads pause.",
        )
