"""A queue that takes jobs: what comes of submitting, deleting and interrupting, as a pure function of a clock.

Comfy Cloud's document is what it keeps: oldest first whatever ``number`` and ``front`` say, deleting and clearing
touch what waits, interrupting what runs.
"""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, ClassVar

from conformance.reference.queue import Queue, QueueItem

BoardResponse = tuple[int, object]
"""Status and body; a body of None is none."""


@dataclass
class Job:
    """One job. Times in seconds since the epoch; ``status`` as the list of jobs has it."""

    prompt_id: str
    workflow: dict[str, Any]
    outputs: list[str]
    created: float
    number: float
    foreign: bool = False
    status: str = "pending"
    started: float | None = None
    ends: float | None = None


class Board:
    """Jobs wait, run and end as its clock goes on; each call brings the time, which never goes back.

    ``workers`` jobs run at once, each for ``step`` seconds per node of its workflow. Every ``foreign`` seconds
    somebody else submits one. What a fault does otherwise is a method of a subclass.
    """

    workers: ClassVar[int] = 1
    step: ClassVar[float] = 0.05
    foreign: ClassVar[float | None] = None
    takes: ClassVar[float] = 0.0
    """Seconds that a request which writes is under way."""
    classes: ClassVar[tuple[str, ...]] = ("EmptyImage", "ImageScale", "PreviewImage", "SaveImage")
    """Nodes that workflows may be made of."""

    def __init__(self, now: float, seed: int = 0) -> None:
        self.now = now
        self.dead = False
        """Whether the server has ended: it answers nothing any more."""
        self.jobs: list[Job] = []
        """All of them, by the time of their submission, those that ended too."""
        self._random = Random(seed)  # noqa: S311 - ids, no secrets
        self._numbers = count(1)
        self._arrivals = now if self.foreign is None else now + self.foreign

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    def pending(self) -> list[Job]:
        """What waits, in the order in which it is listed."""
        return [job for job in self.jobs if job.status == "pending"]

    @property
    def running(self) -> list[Job]:
        """What runs."""
        return [job for job in self.jobs if job.status == "in_progress"]

    def advance(self, now: float) -> None:
        """Let everything happen that happens until ``now``."""
        while True:
            self._start()
            ends = min((job.ends for job in self.running if job.ends is not None), default=now + 1)
            arrives = self._arrivals if self.foreign is not None else now + 1
            if min(ends, arrives) > now:
                break
            self.now = max(self.now, min(ends, arrives))
            if arrives < ends:
                self._arrivals += self.foreign or 0.0
                self._somebody_submits()
            else:
                for job in self.running:
                    if job.ends is not None and job.ends <= self.now:
                        self.end(job, "completed")
        self.now = max(self.now, now)

    def _start(self) -> None:
        while len(self.running) < self.workers and (waiting := self.startable()):
            self.start(self.next_of(waiting))

    def startable(self) -> list[Job]:
        """Return what may be started now."""
        return self.pending

    def next_of(self, waiting: list[Job]) -> Job:
        """Return the job that is to start: the oldest."""
        return waiting[0]

    def start(self, job: Job) -> None:
        """Let a job run."""
        job.status, job.started = "in_progress", self.now
        job.ends = self.now + self.step * len(job.workflow)

    def end(self, job: Job, status: str) -> None:
        """Let a job end."""
        job.status, job.ends = status, self.now

    def _somebody_submits(self) -> None:
        color = self._random.getrandbits(24)
        graph = {
            "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": color}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }
        self.add(graph, {}).foreign = True

    # --- what is asked ------------------------------------------------------------------------------------------------

    def submit(self, asked: Any) -> BoardResponse:
        """Take a prompt, or refuse it."""
        graph = asked.get("prompt") if isinstance(asked, dict) else None
        problem = self.problem_of(graph)
        if problem is not None:
            return self.refused(graph, asked, problem)
        assert isinstance(graph, dict)
        job = self.add(graph, asked)
        return 200, {"prompt_id": self.told_id(job), "number": job.number, "node_errors": {}}

    def problem_of(self, graph: object) -> str | None:
        """Say why a graph cannot be run."""
        if not isinstance(graph, dict) or not graph:
            return "prompt is no workflow."
        unknown = [
            node for node in graph.values() if not isinstance(node, dict) or node.get("class_type") not in self.classes
        ]
        return "A node is of a class that there is not." if unknown else None

    def refused(self, _graph: Any, _asked: Any, problem: str) -> BoardResponse:
        """Answer a prompt that cannot be run."""
        return 400, {
            "error": {"type": "invalid_prompt", "message": problem, "details": "", "extra_info": {}},
            "node_errors": {},
        }

    def add(self, graph: dict[str, Any], asked: dict[str, Any]) -> Job:
        """Enter a job."""
        outputs = [name for name, node in graph.items() if node["class_type"] in {"PreviewImage", "SaveImage"}]
        job = Job(self.id_for(asked), copy.deepcopy(graph), outputs, self.now, self.number_for(asked))
        self.jobs.append(job)
        return job

    def id_for(self, _asked: dict[str, Any]) -> str:
        """Return the id of a new job: one of our own, whatever the client wants."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def number_for(self, _asked: dict[str, Any]) -> float:
        """Return the number of a new job: what the client wants is ignored."""
        return next(self._numbers)

    def told_id(self, job: Job) -> str:
        """Return the id that the submitter is told."""
        return job.prompt_id

    def manage(self, asked: Any) -> BoardResponse:
        """Delete some pending jobs, or clear all."""
        known = isinstance(asked, dict) and asked.keys() <= {"delete", "clear"}
        names = asked.get("delete", []) if known else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return 400, {"code": "BAD_REQUEST", "message": "delete is a list of ids."}
        if not isinstance(asked.get("clear", False), bool):
            return 400, {"code": "BAD_REQUEST", "message": "clear is true or false."}
        doomed = self.doomed(names, clear=asked.get("clear", False))
        for job in doomed:
            self.end(job, "cancelled")
        return self.managed([job.prompt_id for job in doomed if job.prompt_id in names], cleared=asked.get("clear"))

    def doomed(self, names: list[str], *, clear: bool) -> list[Job]:
        """Return what is to be removed."""
        return [job for job in self.pending if clear or job.prompt_id in names]

    def managed(self, deleted: list[str], *, cleared: bool | None) -> BoardResponse:
        """Answer a request to remove jobs."""
        return 200, {"deleted": deleted, **({} if cleared is None else {"cleared": cleared})}

    def interrupt(self, _asked: Any) -> BoardResponse:
        """Stop all that runs."""
        for job in self.running:
            self.end(job, "cancelled")
        return 200, None

    # --- what is shown ------------------------------------------------------------------------------------------------

    def snapshot(self) -> Queue:
        """Return the queue: fresh lists, the caller's to change, of workflows that are not."""
        running = self.running
        return {
            "queue_running": [self.item(job, position) for position, job in enumerate(running, 1)],
            "queue_pending": [self.item(job, position) for position, job in enumerate(self.pending, len(running) + 1)],
        }

    def item(self, job: Job, position: int) -> QueueItem:
        """Return a job as it is listed."""
        return [
            position,
            job.prompt_id,
            copy.deepcopy(job.workflow),
            list(job.outputs),
            {"create_time": int(job.created * 1000)},
        ]

    def remaining(self) -> int:
        """Return how many jobs remain."""
        return len(self.pending) + len(self.running)

    def roll(self, statuses: list[str], limit: int, offset: int) -> dict[str, Any]:
        """Return the list of jobs, youngest first."""
        chosen = [job for job in reversed(self.jobs) if not statuses or job.status in statuses]
        page = chosen[offset : offset + limit]
        pages = {"offset": offset, "limit": limit, "total": len(chosen), "has_more": offset + limit < len(chosen)}
        return {"jobs": [self.entry(job) for job in page], "pagination": pages}

    def entry(self, job: Job) -> dict[str, Any]:
        """Return a job as the list of jobs has it: its time in seconds, as the document says there."""
        return {"id": job.prompt_id, "status": job.status, "create_time": int(job.created)}


class SeveralWorkers(Board):
    """Three jobs run at once."""

    workers = 3


class Shared(Board):
    """Somebody else submits a job every 70 milliseconds, and two run at once."""

    workers = 2
    step = 0.03
    foreign = 0.07


class Slow(Board):
    """Every job takes its time."""

    step = 0.4


class InBetween(Board):
    """A job is in neither list for a moment, on its way from the one to the other."""

    moment: ClassVar[float] = 0.3

    def snapshot(self) -> Queue:
        """Leave out what has just started."""
        fresh = {job.prompt_id for job in self.running if self.now - (job.started or 0) < self.moment}
        queue = super().snapshot()
        return queue | {"queue_running": [item for item in queue["queue_running"] if item[1] not in fresh]}


class Oss(Board):
    """ComfyUI's ways: its own order of elements, ids and numbers as the client wants them, and empty answers."""

    def __init__(self, now: float, seed: int = 0) -> None:
        super().__init__(now, seed)
        self._numbers = count(0)

    @property
    def pending(self) -> list[Job]:
        """What waits, by number."""
        return sorted(super().pending, key=lambda job: job.number)

    def submit(self, asked: Any) -> BoardResponse:
        """Take a prompt, unless its id is there already."""
        named = asked.get("prompt_id") if isinstance(asked, dict) else None
        if named is not None and any(job.prompt_id == named for job in self.jobs):
            return self.refused(None, asked, "There is a job with this prompt_id.")
        return super().submit(asked)

    def id_for(self, asked: dict[str, Any]) -> str:
        """Return the id that the client wants."""
        return str(asked.get("prompt_id") or super().id_for(asked))

    def number_for(self, asked: dict[str, Any]) -> float:
        """Return the number that the client wants; the front is the negative of the next one."""
        if "number" in asked:
            return float(asked["number"])
        number = next(self._numbers)
        return -number if asked.get("front") else number

    def managed(self, deleted: list[str], *, cleared: bool | None) -> BoardResponse:
        """Answer with nothing."""
        del deleted, cleared
        return 200, None

    def interrupt(self, asked: Any) -> BoardResponse:
        """Stop what runs, unless another job is named."""
        named = asked.get("prompt_id") if isinstance(asked, dict) else None
        if named is None or any(job.prompt_id == named for job in self.running):
            return super().interrupt(asked)
        return 200, None

    def item(self, job: Job, position: int) -> QueueItem:
        """Return ``[number, prompt_id, prompt, extra_data, outputs_to_execute]``."""
        _, prompt_id, workflow, outputs, metadata = super().item(job, position)
        return [job.number, prompt_id, workflow, metadata, outputs]

    def entry(self, job: Job) -> dict[str, Any]:
        """Return a job as ComfyUI's list of jobs has it: its time in milliseconds."""
        return super().entry(job) | {"create_time": int(job.created * 1000), "priority": job.number}
