"""Handmade exchanges (requests with responses) to judge: a conforming queue, with changes that a test asks for."""

from __future__ import annotations

import json
import uuid
from typing import Any, NamedTuple

from conformance.contract.catalogue import BY_ID
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.terms import AS_THE_DOCUMENT_SAYS, Demand
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange, Request, Response
from conformance.judge.judge import Judgement
from conformance.judge.report import ClauseResult

NOW = 1_763_913_600.0
HEADERS = (
    ("Content-Type", "application/json"),
    ("Date", "Sun, 23 Nov 2025 16:00:00 GMT"),
    ("Cache-Control", "no-store"),
)


def item(number: int = 1, **changes: Any) -> list[Any]:
    """Return a conforming job. ``changes`` replace elements by position: ``e3=...``."""
    graph = {"9": {"class_type": "SaveImage", "inputs": {}}}
    prompt_id = str(uuid.UUID(int=number, version=4))
    elements: list[Any] = [number, prompt_id, graph, ["9"], {"create_time": int(NOW * 1000) - 10_000 + number}]
    for name, value in changes.items():
        elements[int(name[1:])] = value
    return elements


def queue(*pending: Any, running: tuple[Any, ...] = ()) -> bytes:
    """Return a QueueInfo as JSON bytes."""
    return json.dumps({"queue_running": list(running), "queue_pending": list(pending)}).encode()


def read(content: bytes, *, number: int = 1, status: int = 200, headers: Any = HEADERS, **request: Any) -> Exchange:
    """Return a GET request of the queue with a response. Exchange ``number`` starts that many seconds after NOW."""
    asked = Request("GET", "http://t/api/queue", (("Accept", "application/json"),), **request)
    response = Response(status, headers, content)
    return Exchange(f"x{number}", asked, response, started=NOW + number, elapsed=0.01)


def reads(*contents: bytes) -> list[Exchange]:
    """Return GET requests with these response bodies, one second apart."""
    return [read(content, number=number) for number, content in enumerate(contents, 1)]


def result(judgement: Judgement, clause_id: str) -> ClauseResult:
    """Return the result of a clause."""
    return next(found for found in judgement.results if found.id == clause_id)


def broken(judgement: Judgement) -> set[str]:
    """Return the ids of the clauses that have findings."""
    return {found.id for found in judgement.results if found.evidence}


def asked(
    status: int, content: bytes = b"", *fields: tuple[str, str], request: Headers = (), number: int = 9, **more: Any
) -> Exchange:
    """Return an exchange whose request or response differs from the usual GET with a 200."""
    method = more.pop("method", "GET")
    sent = Request(method, "http://t/api/queue", (("Accept", "application/json"), *request), **more)
    response = Response(status, (*fields, *HEADERS), content)
    return Exchange(f"x{number}", sent, response, started=NOW + number, elapsed=0.01)


class Told(NamedTuple):
    """The texts of a finding."""

    pointer: str | None
    expected: str
    got: str
    message: str
    hint: str | None = None


def said(clause_id: str, *exchanges: Exchange, demand: Demand = AS_THE_DOCUMENT_SAYS) -> list[Told] | None:
    """Return all findings of a clause for these exchanges; None if they do not exercise the clause."""
    clause = BY_ID[clause_id]
    answers = [
        Answer(exchange, exchange.response, Reading(exchange.response.content, demand))
        for exchange in exchanges
        if exchange.response is not None
    ]
    subjects: list[Any] = []
    if clause.over is not None:
        subjects = [subject for answer in answers for subject in clause.over(answer)]
    elif clause.across is not None:
        unanswered = [exchange for exchange in exchanges if exchange.response is None]
        subjects = [subject for _, subject in clause.across(Conversation(answers, unanswered))]
    found = [finding for subject in subjects for finding in clause.check(subject)]
    return [Told(f.pointer, f.expected, f.got, f.message, f.hint) for f in found] if subjects else None


def got(findings: list[Told] | None) -> list[str] | None:
    """Return, for each finding, the value that the server sent."""
    return None if findings is None else [finding.got for finding in findings]
