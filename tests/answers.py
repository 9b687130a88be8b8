"""Exchanges to judge, made by hand: a queue that keeps the contract, and what a test changes in it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from conformance.exchange import Exchange, Request, Response
from conformance.judge import Judgement
from conformance.report.model import ClauseResult

NOW = 1_763_913_600.0
HEADERS = (
    ("Content-Type", "application/json"),
    ("Date", "Sun, 23 Nov 2025 16:00:00 GMT"),
    ("Cache-Control", "no-store"),
)


def item(number: int = 1, **changes: Any) -> list[Any]:
    """Return a job that keeps the contract; ``changes`` replace elements by position: e3=… ."""
    graph = {"9": {"class_type": "SaveImage", "inputs": {}}}
    prompt_id = str(uuid.UUID(int=number, version=4))
    elements: list[Any] = [number, prompt_id, graph, ["9"], {"create_time": int(NOW * 1000) - 10_000 + number}]
    for name, value in changes.items():
        elements[int(name[1:])] = value
    return elements


def queue(*pending: Any, running: tuple[Any, ...] = ()) -> bytes:
    """Return a QueueInfo as bytes."""
    return json.dumps({"queue_running": list(running), "queue_pending": list(pending)}).encode()


def read(content: bytes, *, number: int = 1, status: int = 200, headers: Any = HEADERS, **request: Any) -> Exchange:
    """Return a read, a second after the one before."""
    asked = Request("GET", "http://t/api/queue", (("Accept", "application/json"),), **request)
    response = Response(status, headers, content)
    return Exchange(f"x{number}", asked, response, started=NOW + number, elapsed=0.01)


def reads(*contents: bytes) -> list[Exchange]:
    """Return reads of these bodies, one after the other."""
    return [read(content, number=number) for number, content in enumerate(contents, 1)]


def result(judgement: Judgement, clause_id: str) -> ClauseResult:
    """Return what was said of a clause."""
    return next(found for found in judgement.results if found.id == clause_id)


def broken(judgement: Judgement) -> set[str]:
    """Name the clauses that found something."""
    return {found.id for found in judgement.results if found.evidence}
