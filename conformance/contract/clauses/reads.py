"""Clauses about several GETs of the queue: what must not change from one response to the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Finding, clause, doc, inferred, rfc
from conformance.contract.clauses.item import PROSE
from conformance.contract.clauses.queue import OLDEST_FIRST, PENDING, heap_in
from conformance.contract.conversation import Answer, Conversation, began
from conformance.contract.reading.body import is_number
from conformance.contract.reading.memory import Remembered
from conformance.contract.terms import Level
from conformance.text.safe import show

Succession = tuple[Answer, Answer]
SAFE_RUN: Final = 6
"""A server is accused of removing jobs only if more pairs of consecutive GETs than this show it. Fewer may be chance.
"""
RENAMED: Final = 3
"""The number of pairs of GETs in which all ids must have changed. In one pair, equal jobs may have replaced others."""
MOST: Final = 0.9
"""The share of GETs after which exactly one job must be missing for each GET. Jobs may also end on their own."""


def _jobs_seen_twice(conversation: Conversation) -> Iterator[tuple[Answer, Succession]]:
    for before, after in conversation.successions:
        if before.observations.shares_jobs(after.observations):
            yield after, (before, after)


@clause(
    "reads.job-data",
    Level.SHOULD,
    title="A job does not change from one GET of the queue to the next",
    source=inferred(
        doc(PROSE, "Contains {create_time: <milliseconds>}"),
        "The OpenAPI document describes a single response, and does not compare two.",
    ),
    why="The workflow, the outputs and the creation time of a job are fixed, even when it starts.",
    keeps="the same create_time in every response",
    breaks="a create_time that is always the time of the response",
    needs="a job in two consecutive GETs of the queue",
    across=_jobs_seen_twice,
)
def a_job_keeps_its_data(subject: Succession) -> Iterator[Finding]:
    """The workflow, the output node ids and create_time of a job are equal in consecutive GETs of the queue."""
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
                    f"{name} as in the previous response",
                    "a different value",
                    f"{name} of this job changed{started}.",
                )
        if then.create_time and now.create_time and then.create_time.value != now.create_time.value:
            yield Finding(
                now.create_time.pointer,
                "create_time as in the previous response",
                show(now.create_time.value),
                f"create_time of this job changed{started}. It was {show(then.create_time.value)} in the previous response.",
            )


_LARGEST: Final = 1 << 63
_FEW: Final = 16
"""Up to this many workflows with the same create_time are compared one by one. That is fast if their bytes are equal.
"""


def _timed(answer: Answer) -> Iterator[tuple[str, Remembered, object]]:
    """Yield id, workflow and create_time of each job whose create_time is precise to the millisecond."""
    for prompt_id, facts in answer.observations.facts:
        time = facts.create_time
        if facts.workflow is None or time is None or not is_number(time.value):
            continue
        if abs(time.value) < _LARGEST and time.value % 1000:  # the remainder of a huge number cannot be computed
            yield prompt_id, facts.workflow.value, time.value


def _same_job(before: Answer, after: Answer) -> str | None:
    """Return the smallest id of a job in ``after`` with the workflow and create_time of a job in ``before``, or None."""
    then: dict[object, list[Remembered]] = {}
    for _, workflow, time in _timed(before):
        then.setdefault(time, []).append(workflow)
    among = {time: each if len(each) <= _FEW else set(each) for time, each in then.items()}
    return min((name for name, workflow, time in _timed(after) if workflow in among.get(time, ())), default=None)


def _renamed_job(before: Answer, after: Answer) -> str | None:
    """Return the smallest new id in ``after`` of a job that ``before`` lists under an id that is gone. None if none.

    The job is recognised by its workflow and create_time. In both responses, only one job may have that create_time.
    """
    listed = {name.lower() for name in before.observations}
    new = {name for name in after.observations if name.lower() not in listed}
    if not new:
        return None
    then = {time: job for time, job in _by_time(before).items() if job[0] not in after.observations}
    now = {time: job for time, job in _by_time(after).items() if job[0] in new}
    return min((now[time][0] for time in now.keys() & then if now[time][1] == then[time][1]), default=None)


def _by_time(answer: Answer) -> dict[object, tuple[str, Remembered]]:
    """Return id and workflow of each job by its create_time, if no other job has the same one."""
    jobs: dict[object, list[tuple[str, Remembered]]] = {}
    for name, workflow, time in _timed(answer):
        jobs.setdefault(time, []).append((name, workflow))
    return {time: job for time, (job, *others) in jobs.items() if not others}


def _same_jobs_twice(conversation: Conversation) -> Iterator[tuple[Answer, list[tuple[Answer, str]]]]:
    """Yield the pairs of consecutive GETs that list a job with the same workflow and create_time under another id.

    If all ids changed in each pair, any such job counts; else only one that is certainly the same. With fewer than
    ``RENAMED`` pairs in which an id changed, the list is empty. Nothing is yielded with fewer comparable pairs.
    """
    pairs: list[tuple[Answer, str]] = []
    certain: list[tuple[Answer, str]] = []
    all_changed = True
    for before, after in conversation.successions:
        name, renamed = _same_job(before, after), _renamed_job(before, after)
        if name is not None:
            pairs.append((after, name))
            listed = {name.lower() for name in before.observations}
            all_changed = all_changed and listed.isdisjoint(map(str.lower, after.observations))
        if renamed is not None:
            certain.append((after, renamed))
    if len(pairs) >= RENAMED:
        found = pairs if all_changed else certain
        enough = len(found) >= RENAMED
        *_, (answer, _) = found if enough else pairs
        yield answer, found if enough else []


@clause(
    "reads.prompt-ids",
    Level.SHOULD,
    title="A job keeps its id from one GET of the queue to the next",
    source=inferred(
        doc(PROSE, "Job UUID"), "The OpenAPI document describes a single response, and does not compare two."
    ),
    why="A client that follows a job by its id sees only new jobs in each response.",
    keeps="the same prompt_id in every response",
    breaks="a different prompt_id in each response for the same workflow and create_time",
    needs=f"a job with the same workflow and create_time in {RENAMED} pairs of consecutive GETs of the queue",
    across=_same_jobs_twice,
)
def a_job_keeps_its_id(renamed: list[tuple[Answer, str]]) -> Iterator[Finding]:
    """From one GET of the queue to the next, a job with the same workflow and create_time has the same id."""
    if renamed:
        *_, (answer, name) = renamed
        message = f"The ids of jobs change from one response to the next, but their workflows and create_time stay the same (in {len(renamed)} pairs of responses)."
        yield Finding(f"{answer.observations[name].pointer}/1", "the id in the previous response", show(name), message)


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
    title="Two pending jobs do not swap places from one GET of the queue to the next",
    source=inferred(
        doc(PENDING, OLDEST_FIRST), "The OpenAPI document describes a single response, and does not compare two."
    ),
    why="A position that changes back and forth means nothing to a user.",
    keeps="A, B, C and then B, C",
    breaks="A, B, C and then C, B",
    needs="two pending jobs in two consecutive GETs of the queue",
    across=_two_pending_twice,
)
def pending_jobs_keep_their_order(subject: tuple[list[str], list[str], Answer]) -> Iterator[Finding]:
    """The jobs that are pending in two consecutive GETs of the queue have the same order in both."""
    old, new, answer = subject
    for expected, got in zip(old, new, strict=True):
        if expected != got:
            place, message = (
                answer.observations[got].pointer,
                f"The order of pending jobs changed: in the previous response {show(expected)} was in the place of this job.",
            )
            cause = heap_in(answer.reading)
            answer.reading.forget()
            yield Finding(place, "the order of the previous response", show(got), message, cause)
            return


def _between(conversation: Conversation) -> Iterator[tuple[Answer, tuple[set[str], Answer]]]:
    reads = conversation.reads
    for before, between, after in zip(reads, reads[1:], reads[2:], strict=False):
        if before.precedes(between) and between.precedes(after):
            earlier, later = before.observations, after.observations
            both = {
                "queue_running": (earlier.running, later.running),
                "queue_pending": (earlier.pending, later.pending),
            }
            throughout = {
                job
                for name, (then, now) in both.items()
                if name not in between.summary.absent  # clauses of the envelope cover that
                for job in {*then}.intersection(now)
            }
            if throughout:
                yield between, (throughout, between)


@clause(
    "reads.steady",
    Level.SHOULD,
    title="A job is not missing from a single GET of the queue",
    source=inferred(
        doc("/paths/~1api~1queue/get/description", "Returns information about running and pending items in the queue"),
        "The OpenAPI document describes a single response, and does not compare two.",
    ),
    why="A client that gets a response without the job, for example a browser, assumes that the job is lost.",
    keeps="A, B · A, B · B",
    breaks="A, B · nothing · A, B",
    needs="a job in the same list of two GETs of the queue, with a third GET between them",
    across=_between,
)
def a_listed_job_stays_listed(subject: tuple[set[str], Answer]) -> Iterator[Finding]:
    """A job that is in the same list of the GETs before and after a response is in this response, too.

    Jobs that changed lists are left out: a job that starts may be in neither list for a moment.
    """
    throughout, between = subject
    missing = sorted(throughout - between.summary.ids)
    if missing:
        purpose = between.request.purpose
        yield Finding(
            "",
            f"all jobs that are in the GETs before and after this one ({len(throughout)})",
            f"{len(missing)} of them missing",
            f"This response ({purpose}) lacks jobs that are in the GETs before and after it, for example {show(missing[0])}.",
        )


def _losses(conversation: Conversation) -> list[tuple[Answer, int, int, float]]:
    """Return, for each pair of consecutive responses, the later one and three numbers.

    They are the number of jobs that disappeared, the number of GETs that were sent in between, and the seconds between
    the two requests.
    """
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
            began(after) - began(before),
        )
        for before, after in conversation.successions
        if before.summary.jobs
    ]


def one_for_one(conversation: Conversation) -> bool:
    """Whether the queue loses one job with almost every GET. The probe then pauses and sends another GET to be sure."""
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
    title="A GET of the queue does not remove jobs from it",
    source=rfc(
        "RFC 9110 §9.2.1", "the client does not request, and does not expect, any state change on the origin server"
    ),
    why="A monitor that sends a GET every minute would empty the queue.",
    keeps="ten GETs, the same jobs",
    breaks="ten GETs, ten jobs fewer",
    needs=f"{SAFE_RUN} consecutive GETs of a queue that is not empty",
    across=_several_reads,
)
def reading_takes_no_job(conversation: Conversation) -> Iterator[Finding]:
    """Jobs do not disappear one by one with the GETs and stop disappearing while no GET is sent.

    The longest gap between two GETs shows that: a queue whose jobs end on their own loses more jobs in a gap that is
    many times as long.
    """
    if not one_for_one(conversation):
        return
    losses = _losses(conversation)
    *reading, (_, lost_in_pause, sent, pause) = sorted(losses, key=lambda loss: loss[3])
    usual = sum(gap for *_, gap in reading) / len(reading)
    if pause > SAFE_RUN * usual and lost_in_pause <= sent:
        yield Finding(
            None,
            "the same jobs after a GET",
            f"one job fewer after each of {len(reading)} GETs",
            "One job disappears with each GET of the queue, and none while no GET is sent.",
        )
