"""Handmade exchanges in which jobs go through a queue."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, Operation, Request, Response
from conformance.judge.judge import Judgement, judge
from helpers.answers import NOW, Told, broken, item, said

DATE = ("Date", "Sun, 23 Nov 2025 16:00:00 GMT")
JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), DATE)
A, B, C, D = (str(uuid.UUID(int=number, version=4)) for number in (10, 11, 12, 13))
THEIRS = str(uuid.UUID(int=99, version=4))


class Talk:
    """The exchanges of a run, which its methods add one by one, a tenth of a second apart."""

    def __init__(self) -> None:
        self.at = 0.0
        self.exchanges: list[Exchange] = []
        self.created: dict[str, float] = {}

    def wait(self, seconds: float) -> Talk:
        self.at += seconds - 0.1
        return self

    def _add(self, request: Request, status: int, body: Any) -> Talk:
        content = b"" if body is None else json.dumps(body).encode()
        name = f"x{len(self.exchanges) + 1}"
        response = Response(status, JSON, content)
        self.exchanges.append(Exchange(name, request, response, started=NOW + self.at, elapsed=0.01))
        self.at += 0.1
        return self

    def post(self, operation: Operation, sent: Any, status: int = 200, answer: Any = None) -> Talk:
        body = json.dumps(sent).encode()
        request = Request("POST", "http://t/api/x", to_queue=False, operation=operation, body=body)
        return self._add(request, status, answer)

    def submit(self, name: str, graph: Any = None, **beside: Any) -> Talk:
        self.created.setdefault(name, self.at)
        sent = {"prompt": graph or workflow(name), **beside}
        return self.post(Operation.SUBMIT, sent, answer={"prompt_id": name, "number": 1})

    def delete(self, *names: str, answer: Any = None, status: int = 200) -> Talk:
        response = {"deleted": list(names)} if answer is None else answer
        return self.post(Operation.MANAGE, {"delete": list(names)}, status, response)

    def interrupt(self, name: str) -> Talk:
        return self.post(Operation.INTERRUPT, {"prompt_id": name})

    def jobs(self, **statuses: str) -> Talk:
        listed = [{"id": name, "status": status} for name, status in statuses.items()]
        request = Request("GET", "http://t/api/jobs", to_queue=False, operation=Operation.JOBS)
        return self._add(request, 200, {"jobs": listed})

    def look(self, running: Sequence[Any] = (), pending: Sequence[Any] = (), **more: Any) -> Talk:
        """Add a GET of the queue. ``running`` and ``pending`` are prompt ids, or whole jobs."""
        lists = {
            "queue_running": [self._item(job, n) for n, job in enumerate(running, 1)],
            "queue_pending": [self._item(job, n) for n, job in enumerate(pending, 1 + len(running))],
        }
        request = Request("GET", "http://t/api/queue", (("Accept", "application/json"),))
        return self._add(request, 200, lists | more)

    def _item(self, job: Any, number: int) -> Any:
        if not isinstance(job, str):
            return job
        created = int((NOW + self.created.get(job, 0.0)) * 1000)
        return item(number, e1=job, e2=workflow(job), e3=["1"], e4={"create_time": created})

    def judged(self, dialect: Dialect = Dialect.CLOUD) -> Judgement:
        return judge(self.exchanges, dialect)

    @property
    def accused(self) -> set[str]:
        return {name for name in broken(self.judged()) if name.startswith("lifecycle.")}


def workflow(name: str) -> dict[str, Any]:
    return {"1": {"class_type": "SaveImage", "inputs": {"filename_prefix": name, "cfg": 1.5}, "_meta": {"title": name}}}


def three() -> Talk:
    """Return a run that submitted three jobs: A runs, B and C are pending."""
    return Talk().submit(A).look([A]).submit(B).look([A], [B]).submit(C).look([A], [B, C])


def manage(talk: Talk, asked: Any, status: int = 200, answer: Any = None) -> Talk:
    """Add a POST of the queue, which deletes or clears, with an arbitrary body."""
    return talk.post(Operation.MANAGE, asked, status, {} if answer is None else answer)


def shifted(talk: Talk) -> list[Exchange]:
    """Return the exchanges on a clock that began with the run."""
    return [replace(one, started=(one.started or 0) - NOW) for one in talk.exchanges]


def told(clause: str, talk: Talk | list[Exchange]) -> list[Told] | None:
    """Return all findings of a clause about jobs; None if the exchanges do not exercise it."""
    return said(f"lifecycle.{clause}", *(talk.exchanges if isinstance(talk, Talk) else talk))


def charged(clause: str, talk: Talk) -> list[str]:
    """Return the exchanges to which the findings of a clause about jobs belong."""
    found = judge(talk.exchanges, only={f"lifecycle.{clause}"}).results[0]
    return [name for evidence in found.evidence for name in (evidence.exchange, *evidence.seen_in)]
