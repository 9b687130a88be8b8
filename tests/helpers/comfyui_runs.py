"""Reports on simulated runs against the imitation of ComfyUI."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from conformance.exchange.model import Exchange
from conformance.probe.limits import ServerChanges
from conformance.reference.message import IncomingRequest
from helpers.comfyui import VERSIONS, ComfyUI
from helpers.simulated_runs import Clock, Run, ran


@cache
def run_of(version: str, dialect: str, *, populate: bool, step: float = 0.05) -> Run:
    """Return a run against the imitation of a version. Tests must not change the result.

    Each node takes ``step`` seconds.
    """
    clock = Clock()
    server = ComfyUI(VERSIONS[version], clock)
    server.board.step = step  # type: ignore[misc]  # of this queue only
    return ran(server, clock, ServerChanges(populate=True) if populate else None, dialect=dialect)


NAME: Final = str(uuid.UUID(int=0xABCDEF, version=4))
MANY: Final[Sequence[Mapping[str, Any]]] = (
    {},
    {"extra_data": {"client_id": "a", "api_key_comfy_org": "comfyui-x"}},
    {"number": 0.5},
    {"number": -2.5},
    {"front": True},
    {"prompt_id": NAME.upper()},
    {"prompt_id": "job-1"},
)
FEW: Final[Sequence[Mapping[str, Any]]] = ({"prompt_id": NAME}, {"prompt_id": NAME}, {"front": True})
"""Members of POST /api/prompt, apart from the workflow, that few clients send. ``MANY`` has more of them, of all kinds.
"""


def of_odd_clients(version: str, sent: Sequence[Mapping[str, Any]]) -> Run:
    """Return a run that only reads, against a queue to which clients have submitted jobs with the members ``sent``."""
    clock = Clock()
    server = ComfyUI(VERSIONS[version], clock)
    server.board.step = 1e9  # type: ignore[misc]  # of this queue only
    graph = {"1": {"class_type": "SaveImage", "inputs": {"steps": 1}}}
    for members in sent:
        clock.now += 0.01
        server.answer(IncomingRequest("POST", "/api/prompt", body=json.dumps({"prompt": graph, **members}).encode()))
    return ran(server, clock, None)


def live_runs(dialect: str) -> list[list[Exchange]]:
    """Return the exchanges of runs against the imitation of each version."""
    writing = [run_of(version, dialect, populate=True) for version in VERSIONS]
    odd = [of_odd_clients(version, sent) for version in VERSIONS for sent in (MANY, FEW)]
    return [run.client.ledger for run in (*writing, *odd)]
