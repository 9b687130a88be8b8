"""The HTTP operations other than reading the queue, such as POST /api/prompt, for a queue that accepts jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from conformance.reference.board import Board
from conformance.reference.message import IncomingRequest, Reply

UNREADABLE: Final = object()
"""Stands for a request body that is not JSON."""
SORTS: Final = ("create_time", "created_at", "execution_time", "execution_duration")
"""The values of ``sort_by`` that Comfy Cloud or ComfyUI accepts."""


def operation(board: Board, ask: IncomingRequest, blank: Reply, queue: str) -> Callable[[], Reply] | None:
    """Return a function that performs the requested operation; None if the request is for another path or method.

    ``queue`` is the path of the queue. The paths of the other operations replace its last segment.
    """
    beside = queue.rpartition("/")[0]
    answers: dict[tuple[str, str], Callable[[], Reply]] = {
        ("POST", f"{beside}/prompt"): lambda: _json_reply(board.submit(_parsed_body(ask)), blank),
        ("POST", queue): lambda: _removal_reply(board, _parsed_body(ask), blank),
        ("POST", f"{beside}/interrupt"): lambda: _json_reply(board.interrupt(_parsed_body(ask)), blank),
        ("GET", f"{beside}/prompt"): lambda: blank.json(200, {"exec_info": {"queue_remaining": board.remaining()}}),
        ("GET", f"{beside}/jobs"): lambda: _jobs(board, ask, blank),
        ("GET", f"{beside}/object_info"): lambda: blank.json(200, {name: {"name": name} for name in board.classes}),
    }
    return answers.get((ask.method, ask.path))


def _parsed_body(ask: IncomingRequest) -> Any:
    try:
        return json.loads(ask.body) if ask.body else {}
    except ValueError:
        return UNREADABLE


def _removal_reply(board: Board, body: Any, blank: Reply) -> Reply:
    if body is UNREADABLE:
        return blank.error(400, "The body is not JSON.")
    return _json_reply(board.manage(body), blank)


def _json_reply(answer: tuple[int, object], blank: Reply) -> Reply:
    status, body = answer
    if body is None:
        return Reply(HTTPStatus(status), dict(blank.headers))
    return blank.json(status, body)


def _jobs(board: Board, ask: IncomingRequest, blank: Reply) -> Reply:
    query = {name: values[-1] for name, values in parse_qs(ask.query).items()}
    limit, offset = query.get("limit", "100"), query.get("offset", "0")
    if query.get("sort_by", SORTS[0]) not in SORTS or not (limit.isdecimal() and offset.isdecimal()):
        return blank.error(400, "A parameter is invalid.")
    statuses = [status for status in query.get("status", "").split(",") if status]
    return blank.json(200, board.job_list(statuses, int(limit), int(offset)))
