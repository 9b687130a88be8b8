"""Sample targets, and sample lines of ``results.jsonl``."""

from __future__ import annotations

import io
from typing import Any

from conformance.fleet.result_lines import BreachKind, EndpointResult, Header
from conformance.fleet.sources import TargetSource
from conformance.history.night_results import BrokenClause, Trouble
from conformance.judge.report import Status
from conformance.run.targets import Target, make_target

HEADER = Header(source="targets.csv", start="2026-02-03T02:00:00.000Z", options={})
MILLISECONDS = BreachKind(
    clause="item.create-time.milliseconds",
    place="/queue_pending/*/4/create_time",
    kind="seconds instead of milliseconds",
)
UUID = BreachKind(clause="item.prompt-id.uuid", place="/queue_pending/*/1", kind="a UUID")


def source(text: str, name: str = "targets.txt") -> TargetSource:
    """Return a source of targets with this content."""
    return TargetSource(name, io.BytesIO(text.encode()))


def target(url: str, **options: Any) -> Target:
    """Return a target whose name is its URL."""
    return make_target(url, {"target": url, "properties": 0, **options})


def kept(name: str, **more: Any) -> EndpointResult:
    """Return the line of a conformant target, with some members replaced."""
    usual = {
        "target": f"http://127.0.0.1/{name}",
        "dialect": "cloud",
        "outcome": "conformant",
        "exit": 0,
        "worker": "0",
        "reason": "no must clause broken, 79 of 99 clauses checked",
        "requests": 42,
        "received": 100,
        "p50": 0.005,
        "p95": 0.01,
    }
    return EndpointResult(name=name, **{**usual, **more})


def broken(name: str, *breaches: BreachKind, **more: Any) -> EndpointResult:
    """Return the line of a target that breaks clauses."""
    clauses = tuple(
        BrokenClause(id=each, title=f"The clause {each} holds", status=Status.FAIL)
        for each in dict.fromkeys(breach.clause for breach in breaches)
    )
    troubles = tuple(
        Trouble(
            key=f"{each.clause} {each.place}", clause=each.clause, told=f"The value must be {each.kind}", whose="server"
        )
        for each in breaches
    )
    usual = {"outcome": "non-conformant", "exit": 1, "broken": clauses, "breaches": breaches, "troubles": troubles}
    reason = f"{len(clauses)} must clause broken: {', '.join(each.id for each in clauses)}"
    return kept(name, **{**usual, "reason": reason, **more})
