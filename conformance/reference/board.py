"""A simulated queue that accepts jobs: clients can submit, delete and interrupt them.

Its state depends only on the calls and on the times given in them. It follows Comfy Cloud's document: the oldest job
runs first, even if a submission has ``number`` or ``front``; deleting and clearing remove pending jobs, and
interrupting stops running jobs.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, ClassVar

from conformance.reference.queue import Queue, QueueItem

BoardResponse = tuple[int, object]
"""Status and body of a response. A body of None is sent as an empty body."""


@dataclass
class Job:
    """One job. Times are in seconds since the epoch. ``status`` is as in GET /api/jobs."""

    prompt_id: str
    workflow: dict[str, Any]
    outputs: list[str]
    created: float
    number: float
    foreign: bool = False
    status: str = "pending"
    started: float | None = None
    ends: float | None = None


def copied(value: Any) -> Any:
    """Return a copy of a JSON value. Each object and array in it is a new one."""
    if isinstance(value, dict):
        return {name: copied(member) for name, member in value.items()}
    return [copied(member) for member in value] if isinstance(value, list) else value


class Board:
    """A simulated queue whose jobs wait, run and end as time passes. ``advance`` sets the time, which must not go back.

    ``workers`` jobs run at once, each for ``step`` seconds per node of its workflow. Every ``foreign`` seconds another
    user submits a job. Each fault of such a queue is a subclass that overrides a method.
    """

    workers: ClassVar[int] = 1
    step: ClassVar[float] = 0.05
    foreign: ClassVar[float | None] = None
    takes: ClassVar[float] = 0.0
    """How many seconds a POST request takes."""
    classes: ClassVar[tuple[str, ...]] = ("EmptyImage", "ImageScale", "PreviewImage", "SaveImage")
    """The classes of nodes that a workflow may contain."""

    def __init__(self, now: float, seed: int = 0) -> None:
        self.now = now
        self.dead = False
        """Whether the server has crashed. It then sends no more responses."""
        self.jobs: list[Job] = []
        """All jobs by the time of their submission, including those that ended."""
        self._random = Random(seed)  # noqa: S311 - ids, no secrets
        self._numbers = count(1)
        self._arrivals = now if self.foreign is None else now + self.foreign

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> list[Job]:
        """The pending jobs in the order in which they are listed."""
        return [job for job in self.jobs if job.status == "pending"]

    @property
    def running(self) -> list[Job]:
        """The running jobs."""
        return [job for job in self.jobs if job.status == "in_progress"]

    def advance(self, now: float) -> None:
        """Start and end jobs as time passes, until ``now``."""
        while True:
            self._start()
            ends = min((job.ends for job in self.running if job.ends is not None), default=now + 1)
            arrives = self._arrivals if self.foreign is not None else now + 1
            if min(ends, arrives) > now:
                break
            self.now = max(self.now, min(ends, arrives))
            if arrives < ends:
                self._arrivals += self.foreign or 0.0
                self._submit_foreign_job()
            else:
                for job in self.running:
                    if job.ends is not None and job.ends <= self.now:
                        self.end(job, "completed")
        self.now = max(self.now, now)

    def _start(self) -> None:
        while len(self.running) < self.workers and (waiting := self.startable()):
            self.start(self.next_of(waiting))

    def startable(self) -> list[Job]:
        """Return the jobs that can start now."""
        return self.pending

    def next_of(self, waiting: list[Job]) -> Job:
        """Return the job that starts next: the oldest."""
        return waiting[0]

    def start(self, job: Job) -> None:
        """Start a job."""
        job.status, job.started = "in_progress", self.now
        job.ends = self.now + self.step * len(job.workflow)

    def end(self, job: Job, status: str) -> None:
        """End a job."""
        job.status, job.ends = status, self.now

    def _submit_foreign_job(self) -> None:
        color = self._random.getrandbits(24)
        graph = {
            "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": color}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
        self.add(graph, {}).foreign = True

    # --- requests -----------------------------------------------------------------------------------------------------

    def submit(self, body: Any) -> BoardResponse:
        """Accept or refuse a submission, and return the response."""
        graph = body.get("prompt") if isinstance(body, dict) else None
        problem = self.problem_of(graph)
        if problem is not None:
            return self.refusal(graph, body, problem)
        assert isinstance(graph, dict)
        job = self.add(graph, body)
        return 200, {"prompt_id": self.response_id(job), "number": job.number, "node_errors": {}}

    def problem_of(self, graph: object) -> str | None:
        """Return why a workflow cannot run, or None if it can."""
        if not isinstance(graph, dict) or not graph:
            return "prompt is not a workflow."
        unknown = [
            node for node in graph.values() if not isinstance(node, dict) or node.get("class_type") not in self.classes
        ]
        return "A node has an unknown class." if unknown else None

    def refusal(self, _graph: Any, _body: Any, problem: str) -> BoardResponse:
        """Return the response to a submission whose workflow cannot run."""
        return 400, {
            "error": {"type": "invalid_prompt", "message": problem, "details": "", "extra_info": {}},
            "node_errors": {},
        }

    def add(self, graph: dict[str, Any], body: dict[str, Any]) -> Job:
        """Add a job to the queue."""
        outputs = [name for name, node in graph.items() if node["class_type"] in {"PreviewImage", "SaveImage"}]
        job = Job(self.id_for(body), copied(graph), outputs, self.now, self.number_for(body))
        self.jobs.append(job)
        return job

    def id_for(self, _body: dict[str, Any]) -> str:
        """Return the id of a new job. An id that the client sent is ignored."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def number_for(self, _body: dict[str, Any]) -> float:
        """Return the number of a new job. The number that the client sent is ignored."""
        return next(self._numbers)

    def response_id(self, job: Job) -> str:
        """Return the id that the response to a submission contains."""
        return job.prompt_id

    def manage(self, body: Any) -> BoardResponse:
        """Delete the pending jobs that the request names, or clear the queue, and return the response."""
        known = isinstance(body, dict) and body.keys() <= {"delete", "clear"}
        names = body.get("delete", []) if known else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return 400, {"code": "BAD_REQUEST", "message": "delete is not a list of ids."}
        if not isinstance(body.get("clear", False), bool):
            return 400, {"code": "BAD_REQUEST", "message": "clear is not a boolean."}
        jobs_to_remove = self.jobs_to_remove(names, clear=body.get("clear", False))
        for job in jobs_to_remove:
            self.end(job, "cancelled")
        return self.removal_response(
            [job.prompt_id for job in jobs_to_remove if job.prompt_id in names], cleared=body.get("clear")
        )

    def jobs_to_remove(self, names: list[str], *, clear: bool) -> list[Job]:
        """Return the jobs that a request to delete or clear removes."""
        return [job for job in self.pending if clear or job.prompt_id in names]

    def removal_response(self, deleted: list[str], *, cleared: bool | None) -> BoardResponse:
        """Return the response to a request that removed jobs."""
        return 200, {"deleted": deleted, **({} if cleared is None else {"cleared": cleared})}

    def interrupt(self, _body: Any) -> BoardResponse:
        """Stop all running jobs, and return the response."""
        for job in self.running:
            self.end(job, "cancelled")
        return 200, None

    # --- responses ----------------------------------------------------------------------------------------------------

    def snapshot(self) -> Queue:
        """Return the queue as GET /api/queue shows it. The caller may change it."""
        running = self.running
        return {
            "queue_running": [self.item(job, position) for position, job in enumerate(running, 1)],
            "queue_pending": [self.item(job, position) for position, job in enumerate(self.pending, len(running) + 1)],
        }

    def item(self, job: Job, position: int) -> QueueItem:
        """Return a job as GET /api/queue lists it."""
        return [
            position,
            job.prompt_id,
            copied(job.workflow),
            list(job.outputs),
            {"create_time": int(job.created * 1000)},
        ]

    def remaining(self) -> int:
        """Return the number of pending and running jobs."""
        return len(self.pending) + len(self.running)

    def job_list(self, statuses: list[str], limit: int, offset: int) -> dict[str, Any]:
        """Return the response body of GET /api/jobs: a page of all jobs with these statuses, newest first."""
        chosen = [job for job in reversed(self.jobs) if not statuses or job.status in statuses]
        page = chosen[offset : offset + limit]
        pages = {"offset": offset, "limit": limit, "total": len(chosen), "has_more": offset + limit < len(chosen)}
        return {"jobs": [self.entry(job) for job in page], "pagination": pages}

    def entry(self, job: Job) -> dict[str, Any]:
        """Return a job as GET /api/jobs lists it. Its create_time is in seconds there, as the document requires."""
        return {"id": job.prompt_id, "status": job.status, "create_time": int(job.created)}


class SeveralWorkers(Board):
    """A queue that runs three jobs at once."""

    workers = 3


class SharedBoard(Board):
    """A queue that runs two jobs at once, and to which another user submits a job every 70 milliseconds."""

    workers = 2
    step = 0.03
    foreign = 0.07


class Slow(Board):
    """A queue whose jobs run for a long time."""

    step = 0.4


class InBetween(Board):
    """A queue in which a job that has just started is in neither list for a moment."""

    moment: ClassVar[float] = 0.3

    def snapshot(self) -> Queue:
        """Leave out jobs that have just started."""
        fresh = {job.prompt_id for job in self.running if self.now - (job.started or 0) < self.moment}
        queue = super().snapshot()
        return queue | {"queue_running": [item for item in queue["queue_running"] if item[1] not in fresh]}


class Oss(Board):
    """A queue that behaves as ComfyUI's: its order of elements, ids and numbers from clients, empty response bodies."""

    def __init__(self, now: float, seed: int = 0) -> None:
        super().__init__(now, seed)
        self._numbers = count(0)

    @property
    def pending(self) -> list[Job]:
        """The pending jobs, lowest number first."""
        return sorted(super().pending, key=lambda job: job.number)

    def submit(self, body: Any) -> BoardResponse:
        """Accept a submission unless a job already has its prompt_id."""
        named = body.get("prompt_id") if isinstance(body, dict) else None
        if named is not None and any(job.prompt_id == named for job in self.jobs):
            return self.refusal(None, body, "A job with this prompt_id already exists.")
        return super().submit(body)

    def id_for(self, body: dict[str, Any]) -> str:
        """Return the prompt_id that the client chose, or a new one."""
        return str(body.get("prompt_id") or super().id_for(body))

    def number_for(self, body: dict[str, Any]) -> float:
        """Return the number that the client chose, or the next free number, which is negated if ``front`` is set."""
        if "number" in body:
            return float(body["number"])
        number = next(self._numbers)
        return -number if body.get("front") else number

    def removal_response(self, deleted: list[str], *, cleared: bool | None) -> BoardResponse:
        """Return a response with an empty body."""
        del deleted, cleared
        return 200, None

    def interrupt(self, body: Any) -> BoardResponse:
        """Stop the running jobs, unless the request names a job that does not run."""
        named = body.get("prompt_id") if isinstance(body, dict) else None
        if named is None or any(job.prompt_id == named for job in self.running):
            return super().interrupt(body)
        return 200, None

    def item(self, job: Job, position: int) -> QueueItem:
        """Return ``[number, prompt_id, prompt, extra_data, outputs_to_execute]``."""
        _, prompt_id, workflow, outputs, metadata = super().item(job, position)
        return [job.number, prompt_id, workflow, metadata, outputs]

    def entry(self, job: Job) -> dict[str, Any]:
        """Return a job as ComfyUI's GET /api/jobs lists it. Its create_time is in milliseconds."""
        return super().entry(job) | {"create_time": int(job.created * 1000), "priority": job.number}
