"""Between the answers of a run: what may move in a living queue, and what may not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Finding, clause, doc, rfc
from conformance.contract.clauses.item import PROSE
from conformance.contract.clauses.queue import OLDEST_FIRST, PENDING, heap_in
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import is_number
from conformance.contract.reading.memory import Remembered
from conformance.contract.terms import Level
from conformance.text.safe import show

Succession = tuple[Answer, Answer]
SAFE_RUN: Final = 6
"""Reads in a row of which each takes one job before we call it more than chance."""
RENAMED: Final = 3
"""Pairs of reads in which all ids must have changed: one pair may show a batch of equal jobs that moved on."""
MOST: Final = 0.9
"""Share of the reads that must have taken one: one that found the queue in motion by itself is no alibi."""


def _jobs_seen_twice(conversation: Conversation) -> Iterator[tuple[Answer, Succession]]:
    for before, after in conversation.successions:
        if not before.observations.keys().isdisjoint(after.observations):
            yield after, (before, after)


@clause(
    "reads.job-data",
    Level.SHOULD,
    title="A job stays the same from read to read",
    source=doc(PROSE, "Contains {create_time: <milliseconds>}"),
    why="Workflow, outputs and time of creation are facts of the past; also a job that starts keeps them.",
    keeps="the same create_time in every read",
    breaks="a create_time that is the time of the read",
    needs="a job in two reads, one after the other",
    across=_jobs_seen_twice,
)
def a_job_keeps_its_data(subject: Succession) -> Iterator[Finding]:
    """[2], the output ids and create_time of an id are equal in neighbouring reads."""
    before, after = subject
    earlier = before.observations
    if earlier is after.observations:  # the very same bytes
        return
    for prompt_id, now in after.observations.items():
        then = earlier.get(prompt_id)
        if then is None or then.facts is now.facts:  # the very same bytes
            continue
        started = " when it started" if then.pending and not now.pending else ""
        for name, old, new in (
            ("workflow_json", then.workflow, now.workflow),
            ("output_node_ids", then.output_node_ids, now.output_node_ids),
        ):
            if old is not None and new is not None and old.value != new.value:
                yield Finding(
                    new.pointer, f"{name} as in the read before", "another value", f"{name} of a job changed{started}."
                )
        if then.create_time and now.create_time and then.create_time.value != now.create_time.value:
            yield Finding(
                now.create_time.pointer,
                "create_time as in the read before",
                show(now.create_time.value),
                f"create_time of a job changed{started}: it was {show(then.create_time.value)}.",
            )


_FEW: Final = 16
"""Workflows of one time of creation that are compared one by one, which costs no digest if their bytes are equal."""


def _timed(answer: Answer) -> Iterator[tuple[str, Remembered, object]]:
    """Yield id, workflow and time of creation of jobs, if the time is precise to the millisecond."""
    for prompt_id, seen in answer.observations.items():
        time = seen.create_time
        if seen.workflow is not None and time is not None and is_number(time.value) and time.value % 1000:
            yield prompt_id, seen.workflow.value, time.value


def _same_job(before: Answer, after: Answer) -> str | None:
    """Return the smallest id of a job whose workflow and time of creation a job of the read before has."""
    then: dict[object, list[Remembered]] = {}
    for _, workflow, time in _timed(before):
        then.setdefault(time, []).append(workflow)
    among = {time: each if len(each) <= _FEW else set(each) for time, each in then.items()}
    return min((name for name, workflow, time in _timed(after) if workflow in among.get(time, ())), default=None)


def _same_jobs_twice(conversation: Conversation) -> Iterator[tuple[Answer, list[tuple[Answer, str]]]]:
    """All pairs of neighbouring reads that list a job of one workflow and one time of creation, with such a job."""
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
    source=doc(PROSE, "Job UUID"),
    why="A client that follows a job by its id takes each read for a queue of new jobs.",
    keeps="the same prompt_id in every read",
    breaks="another prompt_id in each read for the same workflow and create_time",
    needs=f"a job of one workflow and one create_time in {RENAMED} pairs of neighbouring reads",
    across=_same_jobs_twice,
)
def a_job_keeps_its_id(renamed: list[tuple[Answer, str]]) -> Iterator[Finding]:
    """Not in every pair of reads do all ids change while workflows and times of creation stay."""
    if renamed:
        answer, name = renamed[-1]
        told = f"No id of one read is in the next, though the jobs are the same: so in {len(renamed)} pairs of reads."
        yield Finding(f"{answer.observations[name].pointer}/1", "the id of the read before", show(name), told)


def _two_pending_twice(conversation: Conversation) -> Iterator[tuple[Answer, tuple[list[str], list[str], Answer]]]:
    for before, after in conversation.successions:
        old = [i for i, seen in before.observations.items() if seen.pending]
        new = [i for i, seen in after.observations.items() if seen.pending]
        old_set, new_set = set(old), set(new)
        old, new = [i for i in old if i in new_set], [i for i in new if i in old_set]
        if len(new) > 1:
            yield after, (old, new, after)


@clause(
    "reads.order",
    Level.SHOULD,
    title="Two pending jobs do not change places",
    source=doc(PENDING, OLDEST_FIRST),
    why="A place in the queue that jumps is no place in the queue.",
    keeps="A, B, C and then B, C",
    breaks="A, B, C and then C, B",
    needs="two pending jobs in two reads, one after the other",
    across=_two_pending_twice,
)
def pending_jobs_keep_their_order(subject: tuple[list[str], list[str], Answer]) -> Iterator[Finding]:
    """The ids that are pending in two neighbouring reads stand in the same order in both."""
    old, new, answer = subject
    for expected, got in zip(old, new, strict=True):
        if expected != got:
            place, told = answer.observations[got].pointer, f"This job changed places: {show(expected)} stood here."
            cause = heap_in(answer.reading)
            answer.reading.forget()
            yield Finding(place, "the order of the read before", show(got), told, cause)
            return


def _between(conversation: Conversation) -> Iterator[tuple[Answer, tuple[set[str], Answer]]]:
    reads = conversation.reads
    for index in range(1, len(reads) - 1):
        before, between, after = reads[index - 1], reads[index], reads[index + 1]
        if before.precedes(between) and between.precedes(after):
            later = after.observations
            throughout = {
                name
                for name, seen in before.observations.items()
                if name in later and later[name].pending == seen.pending
            }
            if throughout:
                yield between, (throughout, between)


@clause(
    "reads.steady",
    Level.SHOULD,
    title="A job listed before and after is listed in between",
    source=doc(
        "/paths/~1api~1queue/get/description", "Returns information about running and pending items in the queue"
    ),
    why="A job that is missing from one read was lost, for one client or for one moment: to a browser, to a query string.",
    keeps="A, B · A, B · B",
    breaks="A, B · nothing · A, B",
    needs="a job in the same list of two reads, with a read between them",
    across=_between,
)
def a_listed_job_stays_listed(subject: tuple[set[str], Answer]) -> Iterator[Finding]:
    """ids(before) ∩ ids(after) ⊆ ids(between), of each list: true of a queue that moves, too.

    A job that starts may be on its way from one list to the other: the document does not say in which it is then.
    """
    throughout, between = subject
    missing = sorted(throughout - between.summary.ids)
    if missing:
        asked = between.request.purpose
        yield Finding(
            "",
            f"{len(throughout)} jobs that the reads before and after list",
            f"{len(missing)} of them missing",
            f"Jobs are missing from this read ({asked}), {show(missing[0])} for one.",
        )


def _losses(conversation: Conversation) -> list[tuple[Answer, int, int, float]]:
    """For each read after another: the jobs that are gone since, the GETs sent since, and the seconds."""
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
    """Whether nearly every read finds as many jobs fewer as GETs were sent: a reason to pause and look again."""
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
    title="Reading takes no job out of the queue",
    source=rfc(
        "RFC 9110 §9.2.1", "the client does not request, and does not expect, any state change on the origin server"
    ),
    why="A monitor that looks every minute would empty the queue.",
    keeps="ten reads, the same jobs",
    breaks="ten reads, ten jobs fewer",
    needs=f"{SAFE_RUN} reads in a row of a queue with something in it",
    across=_several_reads,
)
def reading_takes_no_job(conversation: Conversation) -> Iterator[Finding]:
    """Jobs do not vanish one for one with our reads and stop vanishing when we pause.

    A pause is the longest gap between two reads: where the queue loses jobs by itself, it loses
    more in a gap many times as long.
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
            f"a job fewer after each of {len(reading)} reads",
            "Jobs vanish one for one with our reads, and stop vanishing when we pause.",
        )
