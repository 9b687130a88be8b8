"""Faults of a server that accepts jobs: submitting or listing a job has a wrong effect or response."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

from conformance.reference.board import Board, BoardResponse, Job, Oss, Slow
from conformance.reference.faults.registry import board
from conformance.reference.queue import Queue, QueueItem

# --- submitting -------------------------------------------------------------------------------------------------------


@board("lifecycle.prompt-id")
class NoIdIsTold(Board):
    """The response to a submission does not contain the prompt_id of the new job."""

    def submit(self, body: Any) -> BoardResponse:
        status, response = super().submit(body)
        return (200, {"status": "queued"}) if status == 200 else (status, response)


@board("lifecycle.listed")
class ForgetsAJob(Board):
    """Every third submitted job is accepted and then lost."""

    def add(self, graph: dict[str, Any], body: dict[str, Any]) -> Job:
        job = super().add(graph, body)
        if len(self.jobs) % 3 == 0:
            self.jobs.remove(job)
        return job


@board("lifecycle.listed")
class HidesJobsOfTheFrontend(Board):
    """A job whose extra_data contains the editor's graph, as ComfyUI's frontend sends it, is never listed."""

    def __init__(self, now: float, seed: int = 0) -> None:
        super().__init__(now, seed)
        self._hidden: set[str] = set()

    def add(self, graph: dict[str, Any], body: dict[str, Any]) -> Job:
        job = super().add(graph, body)
        if "extra_data" in body:
            self._hidden.add(job.prompt_id)
        return job

    def snapshot(self) -> Queue:
        queue = super().snapshot()
        return {name: [item for item in items if item[1] not in self._hidden] for name, items in queue.items()}


class _Starting(Board):
    """A queue that knows which jobs started less than ``way`` seconds ago. Subclasses list these jobs wrongly."""

    way: ClassVar[float] = 3.0

    def start(self, job: Job) -> None:
        super().start(job)
        job.ends = (job.ends or 0.0) + self.way

    def starting(self) -> set[str]:
        return {job.prompt_id for job in self.running if self.now - (job.started or 0.0) < self.way}


@board("lifecycle.listed")
class NowhereForSeconds(_Starting):
    """For three seconds after its start, a job is in neither list."""

    def snapshot(self) -> Queue:
        queue, hidden = super().snapshot(), self.starting()
        return queue | {"queue_running": [item for item in queue["queue_running"] if item[1] not in hidden]}


@board("queue.prompt-ids.distinct")
class InBothLists(_Starting):
    """For three seconds after its start, a job is in both lists."""

    def snapshot(self) -> Queue:
        queue, both = super().snapshot(), self.starting()
        again = [item for item in queue["queue_running"] if item[1] in both]
        return queue | {"queue_pending": [*again, *queue["queue_pending"]]}


@board("lifecycle.listed-at-once")
class ListsLate(Board):
    """A job is not listed until a tenth of a second after it was accepted."""

    def snapshot(self) -> Queue:
        fresh = {job.prompt_id for job in self.jobs if self.now - job.created < 0.1}
        return {name: [item for item in listed if item[1] not in fresh] for name, listed in super().snapshot().items()}


@board("lifecycle.same-id")
class AnswersInUpperCase(Board):
    """The response to a submission has the prompt_id in upper case; the queue has it in lower case."""

    def response_id(self, job: Job) -> str:
        return job.prompt_id.upper()


@board("item.five-elements")
class TornUnderLoad(Board):
    """For 0.05 seconds after a job was accepted, it is listed without its last two elements."""

    def item(self, job: Job, position: int) -> QueueItem:
        whole = super().item(job, position)
        return whole[:3] if self.now - job.created < 0.05 else whole


# --- jobs -------------------------------------------------------------------------------------------------------------


@board("lifecycle.workflow")
class LosesInputs(Board):
    """Each node of a workflow loses its last input."""

    def add(self, graph: dict[str, Any], body: dict[str, Any]) -> Job:
        job = super().add(graph, body)
        for node in job.workflow.values():
            node["inputs"] = dict(list(node["inputs"].items())[:-1])
        return job


@board("lifecycle.text")
class LosesOtherPlanes(Board):
    """Characters beyond the Basic Multilingual Plane of Unicode become question marks."""

    def add(self, graph: dict[str, Any], body: dict[str, Any]) -> Job:
        job = super().add(graph, body)
        for node in job.workflow.values():
            title = node.get("_meta", {}).get("title", "")
            node["_meta"] = {"title": "".join(c if c <= "\uffff" else "??" for c in title)}
        return job


@board("lifecycle.create-time")
class LocalTime(Board):
    """The create_time of jobs is an hour and a half too early."""

    def item(self, job: Job, position: int) -> QueueItem:
        whole = super().item(job, position)
        whole[4] = {"create_time": whole[4]["create_time"] - 5_400_000}
        return whole


@board("reads.job-data")
class CreatedWhenItStarts(Board):
    """When a job starts, its create_time changes to the time of the start."""

    def item(self, job: Job, position: int) -> QueueItem:
        whole = super().item(job, position)
        whole[4] = {"create_time": int((job.started or job.created) * 1000)}
        return whole


# --- order ------------------------------------------------------------------------------------------------------------


class _Heap(Board):
    """A queue that keeps pending jobs in a heap by job number, and lists them in heap order.

    Each start of a job reorders the rest.
    """

    def __init__(self, now: float, seed: int = 0) -> None:
        super().__init__(now, seed)
        self._heap: list[tuple[float, int, Job]] = []

    @property
    def pending(self) -> list[Job]:
        return [job for *_, job in self._heap]

    def add(self, graph: dict[str, Any], body: dict[str, Any]) -> Job:
        job = super().add(graph, body)
        heappush(self._heap, (job.number, len(self.jobs), job))
        return job

    def next_of(self, waiting: list[Job]) -> Job:
        del waiting
        return heappop(self._heap)[2]

    def end(self, job: Job, status: str) -> None:
        self._heap = [entry for entry in self._heap if entry[2] is not job]
        heapify(self._heap)
        super().end(job, status)


@board("lifecycle.order", variant="takes-slow-jobs")
class HeapOfJobs(_Heap, Slow):
    """Pending jobs are listed in the order of a heap, which is not the order of submission once a job was removed."""


@board("lifecycle.order", variant="takes-slow-jobs")
class NewestFirstAndDatedSo(Slow):
    """The newest job is listed first, and its create_time makes it look like the oldest."""

    @property
    def pending(self) -> list[Job]:
        return super().pending[::-1]

    def item(self, job: Job, position: int) -> QueueItem:
        whole = super().item(job, position)
        whole[4] = {"create_time": int((self.jobs[0].created - self.jobs.index(job)) * 1000)}
        return whole


class _Prioritised(Slow):
    @property
    def pending(self) -> list[Job]:
        return sorted(super().pending, key=lambda job: job.number)


@board("lifecycle.priority", variant="takes-slow-jobs", name="heeds-number")
class OrdersByNumber(_Prioritised):
    """Pending jobs are ordered by the `number` in their submission, lowest first, even if it was submitted later."""

    def number_for(self, body: dict[str, Any]) -> float:
        number = super().number_for(body)
        return float(body.get("number", number))


@board("lifecycle.priority", variant="takes-slow-jobs", name="heeds-front")
class FrontGoesFirst(_Prioritised):
    """A job that was submitted with `front` is listed before jobs that were submitted earlier."""

    def number_for(self, body: dict[str, Any]) -> float:
        number = super().number_for(body)
        return -number if body.get("front") else number


# --- ended and refused jobs -------------------------------------------------------------------------------------------


class _Ghosts(Board):
    """A board that lists jobs as running for a time after they have ended."""

    since: ClassVar[float] = -1.0
    """From how many seconds after the end of a job on it is listed, for up to four seconds."""

    def snapshot(self) -> Queue:
        ended = [job for job in self.jobs if job.status == "completed"]
        ghosts = [job for job in ended if self.since < self.now - (job.ends or 0.0) < 4.0]
        queue = super().snapshot()
        return queue | {"queue_running": [*queue["queue_running"], *(self.item(job, 1) for job in ghosts)]}


@board("lifecycle.ended", name="comes-back")
class EndedJobReappears(_Ghosts):
    """Almost half a second after its end, a job is listed as running again, for some seconds."""

    since = 0.4


@board("lifecycle.ended")
class EndedAndStillListed(_Ghosts):
    """A job stays in the list of running jobs for four seconds after its end."""


@board("lifecycle.rejected")
class ShowsWhatItRefused(Board):
    """A submission that was refused is still listed as a pending job."""

    def refusal(self, graph: Any, body: Any, problem: str) -> BoardResponse:
        if graph:
            self.add(graph, {})
        return super().refusal(graph, body, problem)

    def startable(self) -> list[Job]:
        return [
            job for job in self.pending if not any("NoSuch" in node["class_type"] for node in job.workflow.values())
        ]


@board("lifecycle.prompt-id-twice")
class TakesAnIdTwice(Board):
    """The server uses the prompt_id that a client chose, even if another job already has this id."""

    def id_for(self, body: dict[str, Any]) -> str:
        return str(body.get("prompt_id") or super().id_for(body))


@board("lifecycle.prompt-id-twice")
class FailsOnAnIdThatIsThere(Board):
    """A submission with the prompt_id of an existing job gets a 500."""

    def submit(self, body: Any) -> BoardResponse:
        if isinstance(body, dict) and any(job.prompt_id == body.get("prompt_id") for job in self.jobs):
            return 500, {"error": "duplicate key value violates unique constraint"}
        return super().submit(body)


# --- GET /api/prompt and GET /api/jobs --------------------------------------------------------------------------------


@board("lifecycle.remaining")
class NothingRemains(Board):
    """GET /api/prompt always reports that no jobs remain in the queue."""

    def remaining(self) -> int:
        return 0


@board("lifecycle.jobs")
class ListOfJobsLacksWhatWaits(Board):
    """GET /api/jobs does not list pending jobs."""

    def job_list(self, statuses: list[str], limit: int, offset: int) -> dict[str, Any]:
        found = super().job_list(statuses, limit, offset)
        return found | {"jobs": [job for job in found["jobs"] if job["status"] != "pending"]}


@board("lifecycle.job-status", variant="takes-slow-jobs")
class ListOfJobsSaysAllRun(Slow):
    """GET /api/jobs reports pending jobs as in progress."""

    def entry(self, job: Job) -> dict[str, Any]:
        found = super().entry(job)
        return found | ({"status": "in_progress"} if job.status == "pending" else {})


# --- ComfyUI ----------------------------------------------------------------------------------------------------------


@board("lifecycle.order", variant="oss-takes-jobs", dialect="oss")
class HeapOfComfyui(_Heap, Oss):
    """After a job was removed, pending jobs are listed in ComfyUI's heap order."""
