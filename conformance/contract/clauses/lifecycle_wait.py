"""Clauses about submitted jobs: how they wait and end, and what other operations say about them (``--populate``)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile, groupby
from typing import Any, Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred, published
from conformance.contract.clauses.item import PROSE
from conformance.contract.clauses.lifecycle_submit import GET_QUEUE, LISTED, submissions
from conformance.contract.clauses.queue import OLDEST_FIRST, PENDING, heap_in
from conformance.contract.conversation import (
    ENDED,
    FIRST_ERROR,
    Answer,
    Conversation,
    JobHistory,
    QueueRead,
    Submission,
    began,
    digest_of,
    ended,
)
from conformance.contract.reading.body import is_number
from conformance.contract.terms import CHOSEN_NUMBER, HEAP, Level
from conformance.text.safe import show

PROMPT: Final = "/components/schemas/PromptRequest/properties"
JOBS: Final = "/paths/~1api~1jobs/get/description"
SETTLED: Final = 0.5
"""Seconds after a change of a job within which two responses of a server may disagree about it."""
REPLICAS: Final = 1.0
"""Seconds by which the clocks of two servers that accept prompts may differ. That may explain a wrong order."""

# --- order ------------------------------------------------------------------------------------------------------------


def _ordered(*, prioritised: bool) -> Any:
    def across(conversation: Conversation) -> Iterator[tuple[Answer, tuple[QueueRead, list[Submission]]]]:
        history = conversation.history
        for read in history.queue_reads:
            jobs = {found.id: found for found in history.submissions}
            waiting = [jobs[name] for name in read.pending if name in jobs]
            if not prioritised:
                waiting = [found for found in waiting if not found.prioritised]
            if len(waiting) > 1 and (not prioritised or any(found.prioritised for found in waiting)):
                yield read.answer, (read, waiting)

    return across


def _inversions(read: QueueRead, waiting: list[Submission]) -> Iterator[tuple[Submission, Submission]]:
    """Yield pairs of jobs in the wrong order: the later one, which is listed first, and the earlier one."""
    for place, ahead in enumerate(waiting):
        for behind in waiting[place + 1 :]:
            if behind.before(ahead) and not _by_clocks(read, ahead, behind):
                yield ahead, behind
                break


def _by_clocks(read: QueueRead, ahead: Submission, behind: Submission) -> bool:
    """Whether two prompts were sent so close together that a small difference of clocks explains their order."""
    first, second = (read.jobs[found.id].create_time for found in (ahead, behind))
    apart = began(ahead.answer) - ended(behind.answer)
    if first is None or second is None or not is_number(first.value) or not is_number(second.value):
        return False
    return bool(0 <= second.value - first.value <= (REPLICAS - apart) * 1000)


def _out_of_order(
    read: QueueRead, ahead: Submission, behind: Submission, why: str, cause: Cause | None = None
) -> Finding:
    return Finding(
        read.jobs[behind.id].pointer,
        "before the job that was submitted after it",
        show(behind.prompt_id),
        f"The job {show(ahead.prompt_id)} was submitted later than this one, but is listed before it{why}.",
        cause,
    )


@clause(
    "lifecycle.order",
    Level.MUST,
    oss=HEAP,
    title="Pending jobs are listed in the order of their submission",
    source=doc(PENDING, OLDEST_FIRST),
    why="Clients show the position in the list as the position in the queue.",
    keeps="submitted A, B, C · pending A, B, C · pending B, C",
    breaks="submitted A, B, C, D · A starts · pending B, D, C",
    needs="two pending jobs that the run submitted without number and front (--populate)",
    across=_ordered(prioritised=False),
)
def jobs_wait_in_order(subject: tuple[QueueRead, list[Submission]]) -> Iterator[Finding]:
    """A job that was submitted after another job was accepted is listed after that job, even when others have run."""
    read, waiting = subject
    inversions = list(_inversions(read, waiting))
    cause = heap_in(read.answer.reading) if inversions else None
    read.answer.reading.forget()
    for ahead, behind in inversions:
        yield _out_of_order(read, ahead, behind, "", cause)


@clause(
    "lifecycle.priority",
    Level.MUST,
    oss=CHOSEN_NUMBER,
    title="number and front in a submission do not change the order of pending jobs",
    source=published(
        f"{PROMPT}/front/description",
        "Cloud manages queue ordering internally based on job submission time and fair scheduling",
    ),
    why="Anybody could overtake the jobs that already wait.",
    keeps='submitted A, then B with "front": true · pending A, B',
    breaks='submitted A, then B with "front": true · pending B, A',
    needs="two pending jobs, one of them submitted with number or front (--populate)",
    across=_ordered(prioritised=True),
)
def priority_is_ignored(subject: tuple[QueueRead, list[Submission]]) -> Iterator[Finding]:
    """A job that was submitted with ``number`` or ``front`` is listed at the same place as without them."""
    read, waiting = subject
    for ahead, behind in _inversions(read, waiting):
        for job in (ahead, behind):
            if job.prioritised:
                named = ", ".join(f"{name}: {job.sent[name]}" for name in ("number", "front") if name in job.sent)
                yield _out_of_order(read, ahead, behind, f" (submitted with {named})")
                break


# --- jobs that ended, and prompts that were refused -------------------------------------------------------------------


def _that_ran(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Submission]]]:
    for answer, (history, submission) in submissions(conversation):
        reads = history.after(submission.answer)
        left = any(submission.id in read.running for read in reads) and submission.id not in reads[-1].ids
        if left or any(job_list.statuses.get(submission.id) in ENDED for job_list in history.job_lists):
            yield answer, (history, submission)


@clause(
    "lifecycle.ended",
    Level.SHOULD,
    title="A job that ended is not listed",
    source=inferred(
        doc(GET_QUEUE, LISTED), "The OpenAPI document lists running and pending items. An ended job is neither."
    ),
    why="A client keeps waiting for a job that has ended.",
    keeps="running · gone",
    breaks="running · gone · gone · running",
    needs="a job of the run that ended (--populate)",
    across=_that_ran,
)
def an_ended_job_is_gone(subject: tuple[JobHistory, Submission]) -> Iterator[Finding]:
    """A job is not listed again after it ended.

    It ended if it ran and was then missing from two GETs of the queue, or if GET /api/jobs says so.
    """
    history, submission = subject
    name = submission.id
    for job_list in history.job_lists:
        reads = (
            read for read in history.after(job_list.answer) if began(read.answer) - ended(job_list.answer) > SETTLED
        )
        later = [read for read in reads if name in read.ids]
        if job_list.statuses.get(name) in ENDED and later:
            yield Finding(
                "",
                "no ended job in either list",
                show(submission.prompt_id),
                f"GET /api/jobs says that this job is {show(job_list.statuses[name])}, but the queue still lists it.",
            )
            return
    since_it_ran = dropwhile(lambda read: name not in read.running, history.after(submission.answer))
    stretches = [(listed, len([*reads])) for listed, reads in groupby(since_it_ran, key=lambda read: name in read.ids)]
    absent = next((count for listed, count in stretches[:-1] if not listed and count >= 2), None)
    if absent is not None:
        yield Finding(
            "",
            "no ended job in either list",
            show(submission.prompt_id),
            f"The job ran, was missing from {absent} GETs of the queue, and is listed again.",
        )


def _refused(conversation: Conversation) -> Iterator[tuple[Answer, tuple[QueueRead, Answer, object]]]:
    history = conversation.history
    accepted = [found.workflow for found in history.accepted]
    for answer, sent in history.prompts:
        digest = digest_of(sent.get("prompt"))
        if FIRST_ERROR <= answer.response.status < 500 and digest not in accepted:
            yield from ((read.answer, (read, answer, digest)) for read in history.after(answer))


@clause(
    "lifecycle.rejected",
    Level.SHOULD,
    title="A refused prompt is not listed",
    source=inferred(
        published("/paths/~1api~1prompt/post/responses/400/description", "Invalid prompt"),
        "The OpenAPI document calls the prompt invalid, but does not say that the prompt stays out of the queue.",
    ),
    why="The client reports a failed prompt, but the job runs and the user pays for it.",
    keeps="400 to the prompt · not listed",
    breaks="400 to the prompt · pending",
    needs="a prompt that gets a 4xx (--populate)",
    across=_refused,
)
def a_refused_prompt_never_shows(subject: tuple[QueueRead, Answer, object]) -> Iterator[Finding]:
    """No GET of the queue lists the workflow of a refused prompt, unless the same prompt was accepted at another time."""
    read, refusal, digest = subject
    for name, seen in read.jobs.items():
        if seen.workflow is not None and seen.workflow.value == digest:
            yield Finding(
                f"{seen.pointer}/1",
                "no such job",
                show(name),
                f"The queue lists a prompt that was refused with {refusal.response.status} (request {refusal.exchange.id}).",
            )


def _again(conversation: Conversation) -> Iterator[tuple[Answer, tuple[JobHistory, Answer, str]]]:
    history = conversation.history
    for answer, sent in history.prompts:
        named = str(sent.get("prompt_id")).lower()
        if "prompt_id" in sent and any(found.id == named for found in history.accepted):
            yield answer, (history, answer, named)


@clause(
    "lifecycle.prompt-id-twice",
    Level.SHOULD,
    title="Submitting a prompt_id twice does not give two jobs the same id",
    source=inferred(
        doc(PROSE, "[1] prompt_id (string): Job UUID"),
        "A UUID identifies one job, but the OpenAPI document does not say what happens if the same prompt_id is submitted again.",
    ),
    why="A client that deletes one of the two jobs, or waits for one, may get the other.",
    keeps="400, or 200 with a new id",
    breaks="200, and the id is in the queue twice",
    needs="a prompt_id that is submitted again (--populate)",
    across=_again,
)
def a_prompt_id_is_taken_once(subject: tuple[JobHistory, Answer, str]) -> Iterator[Finding]:
    """The second prompt with the same prompt_id is refused with a 4xx, or gets a new id."""
    history, answer, named = subject
    if answer.response.status >= 500:
        yield Finding(
            None,
            "200 or 4xx",
            str(answer.response.status),
            "Submitting a prompt_id that already exists causes a server error.",
        )
    elif any(_are_two(read, named) for read in history.after(answer)):
        yield Finding(
            None,
            "a new id, or a refusal",
            show(named),
            "The queue lists two jobs with this prompt_id, which was submitted twice.",
        )


def _are_two(read: QueueRead, name: str) -> bool:
    """Whether an id is listed twice, with different workflows, so that they are two jobs."""
    if name not in {repeated.lower() for repeated in read.answer.summary.repeated}:
        return False
    found = [item.elements for item in read.answer.reading.items if (item.prompt_id or "").lower() == name]
    return len({digest_of(graph) for elements in found for graph in elements[2:3]}) > 1


# --- other operations -------------------------------------------------------------------------------------------------


def _counted(conversation: Conversation) -> Iterator[tuple[Answer, tuple[int, QueueRead]]]:
    history = conversation.history
    for answer, number in history.counts():
        if still := history.around(answer):
            before, _ = still
            yield answer, (number, before)


@clause(
    "lifecycle.remaining",
    Level.SHOULD,
    title="queue_remaining is at least the number of pending jobs",
    source=inferred(
        published(
            "/components/schemas/PromptInfo/properties/exec_info/properties/queue_remaining/description",
            "Number of items remaining in the queue",
        ),
        "The OpenAPI document does not say which jobs count as remaining.",
    ),
    why="Clients show queue_remaining, or wait until it is 0.",
    keeps="three pending · queue_remaining 3 or 4",
    breaks="three pending · queue_remaining 0",
    needs="GET /api/prompt between two GETs of the queue that list the same jobs (--populate)",
    across=_counted,
)
def no_fewer_remain_than_wait(subject: tuple[int, QueueRead]) -> Iterator[Finding]:
    """queue_remaining is not below the number of pending jobs. It may include running jobs and other users' jobs."""
    number, read = subject
    if number < len(read.pending):
        yield Finding(
            "/exec_info/queue_remaining",
            f"{len(read.pending)} or more",
            str(number),
            "queue_remaining in GET /api/prompt is below the number of pending jobs in the queue.",
        )


def _compared(conversation: Conversation) -> Iterator[tuple[Answer, tuple[QueueRead, Any, list[Submission]]]]:
    history = conversation.history
    for job_list in history.job_lists:
        if still := history.around(job_list.answer):
            before, _ = still
            own = [found for found in history.submissions if _settled(history, job_list.answer, found.id)]
            if own:
                yield job_list.answer, (before, job_list, own)


def _settled(history: JobHistory, answer: Answer, name: str) -> bool:
    """Whether a job was in the same list of the queue for at least ``SETTLED`` seconds before a request was sent."""
    pending = set()
    for read in reversed(history.before(answer)):
        pending.add(read.jobs[name].pending if name in read.jobs else None)
        if began(answer) - began(read.answer) >= SETTLED:
            return pending in ({True}, {False})
    return False


@clause(
    "lifecycle.jobs",
    Level.SHOULD,
    title="GET /api/jobs lists every job that GET /api/queue lists",
    source=inferred(
        published(JOBS, "Retrieve a paginated list of jobs for the authenticated user"),
        "The OpenAPI document describes GET /api/jobs and GET /api/queue, but does not say that they list the same jobs.",
    ),
    why="Clients are moving from GET /api/queue to GET /api/jobs, and would see different jobs.",
    keeps="pending in the queue · in GET /api/jobs",
    breaks="pending in the queue · not in GET /api/jobs",
    needs="GET /api/jobs between two GETs of the queue that list the same jobs of the run (--populate)",
    across=_compared,
)
def the_list_of_jobs_has_them(subject: tuple[QueueRead, Any, list[Submission]]) -> Iterator[Finding]:
    """A complete response of GET /api/jobs has each job of the run that the queue listed before and listed after it."""
    _, job_list, own = subject
    for submission in own if job_list.whole else ():
        if submission.id not in job_list.statuses:
            yield Finding(
                "/jobs",
                show(submission.prompt_id),
                "absent",
                "GET /api/queue listed this job before and after GET /api/jobs, which did not list the job.",
            )


@clause(
    "lifecycle.job-status",
    Level.SHOULD,
    title="GET /api/jobs gives a job the same status as GET /api/queue",
    source=inferred(
        published(JOBS, "Retrieve a paginated list of jobs for the authenticated user"),
        "The OpenAPI document describes GET /api/jobs and GET /api/queue, but does not say that they agree.",
    ),
    why="The job is pending for one client and running for another.",
    keeps="in queue_running · in_progress",
    breaks="in queue_pending · completed",
    needs="GET /api/jobs between two GETs of the queue that list the same jobs of the run (--populate)",
    across=_compared,
)
def a_job_has_one_status(subject: tuple[QueueRead, Any, list[Submission]]) -> Iterator[Finding]:
    """GET /api/jobs says ``pending`` of a job in queue_pending, and ``in_progress`` of a job in queue_running."""
    read, job_list, own = subject
    for submission in own:
        waits = submission.id in read.pending
        expected = "pending" if waits else "in_progress"
        status = job_list.statuses.get(submission.id)
        if status not in {None, expected}:
            listed = "pending" if waits else "running"
            what = (
                f"GET /api/queue lists {show(submission.prompt_id)} as {listed}, but GET /api/jobs says {show(status)}."
            )
            yield Finding("/jobs", expected, show(status), what)
