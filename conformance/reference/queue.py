"""A queue that changes as time passes: the content of ``GET /api/queue`` as a pure function of the time."""

from __future__ import annotations

import hashlib
import math
import uuid
from dataclasses import dataclass
from typing import Any

QueueItem = list[Any]
"""``[job_number, prompt_id, workflow_json, output_node_ids, metadata]``."""

Queue = dict[str, Any]
"""``{"queue_running": [QueueItem, ...], "queue_pending": [QueueItem, ...]}``."""


@dataclass(frozen=True)
class MovingQueue:
    """A queue to which a job is added every ``period`` seconds. Each job waits, runs and ends.

    ``origin`` is the creation time of job 0 in seconds since the Unix epoch. A job is pending until ``waiting`` later
    jobs exist, then runs until ``running`` more exist. Once ``waiting + running`` periods have passed, the queue always
    lists ``waiting`` pending and ``running`` running jobs.
    """

    origin: float
    period: float
    waiting: int
    running: int = 1
    seed: int = 0

    @classmethod
    def full(cls, now: float, period: float, waiting: int, running: int = 1, seed: int = 0) -> MovingQueue:
        """Return a queue that already lists ``waiting`` and ``running`` jobs at ``now`` (seconds since the epoch)."""
        return cls(now - (waiting + running) * period, period, waiting, running, seed)

    def snapshot(self, now: float) -> Queue:
        """Return the queue at ``now`` (seconds since the epoch). The lists are copies that the caller may change."""
        newest = math.floor((now - self.origin) / self.period)
        oldest_pending = newest - self.waiting + 1
        running = range(max(oldest_pending - self.running, 0), max(oldest_pending, 0))
        pending = range(max(oldest_pending, 0), newest + 1)
        return {
            "queue_running": [self._item(index, position) for position, index in enumerate(running, 1)],
            "queue_pending": [self._item(index, position) for position, index in enumerate(pending, len(running) + 1)],
        }

    def _item(self, index: int, position: int) -> QueueItem:
        """Return job number ``index`` (from 0) as it is listed at ``position`` (from 1)."""
        digest = hashlib.blake2b(f"{self.seed}/{index}".encode(), digest_size=16).digest()
        created = math.floor((self.origin + index * self.period) * 1000)
        workflow = _workflow(index, color=int.from_bytes(digest[:3], "big"))
        return [position, str(uuid.UUID(bytes=digest, version=4)), workflow, ["7", "9"], {"create_time": created}]


def _workflow(index: int, color: int) -> dict[str, Any]:
    """Return a workflow in API format that a stock ComfyUI can run without a model. ``color`` is 24-bit RGB."""

    def node(class_type: str, title: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}

    return {
        "3": node("EmptyImage", "Empty Image", width=512, height=512, batch_size=1, color=color),
        "4": node(
            "ImageScale",
            "Upscale Image",
            image=["3", 0],
            upscale_method="lanczos",
            width=1024,
            height=1024,
            crop="disabled",
        ),
        "7": node("SaveImage", "Save Image", images=["4", 0], filename_prefix=f"ComfyUI_{index:05d}"),
        "9": node("PreviewImage", "Preview Image", images=["4", 0]),
    }
