"""The check of one of many targets: what ``check`` asks and says, many of them in one event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections import Counter
from typing import Any

import pytest

from conformance.exchange.model import Exchange
from conformance.fleet.result_lines import EndpointResult
from conformance.fleet.work import Assignment, Done, OtherSuite, check
from conformance.reference.many import serve_many
from conformance.reference.server import KEY, serve
from conformance.run import one_run as run
from conformance.run.settings import Settings
from conformance.run.targets import Target
from helpers.commands import NOWHERE
from helpers.fleet_samples import target

CANARY = "k3yCanaryOfA-Qz81Vm40"


def checked(*targets: Target, environ: dict[str, str] | None = None, **order: Any) -> list[Done]:
    """Check targets side by side, as a worker does."""

    async def all_of_them() -> list[Done]:
        return await asyncio.gather(*(check(Assignment(each, **order), environ or {}) for each in targets))

    return asyncio.run(all_of_them())


def stored(done: Done) -> dict[str, Any]:
    """Return the report that is kept of an endpoint."""
    assert done.report is not None
    found: dict[str, Any] = json.loads(gzip.decompress(done.report))
    return found


def test_side_by_side_each_endpoint_is_asked_what_check_asks() -> None:
    asked: list[Exchange] = []
    with serve() as alone, serve_many([None] * 4) as server:
        run.check(Settings(target=alone.url), asked.append)
        done = checked(*(target(f"{server.url}/{number}") for number in range(4)))
    plan = Counter((each.request.method, each.request.purpose) for each in asked)
    for each in done:
        sent = Counter((x["request"]["method"], x["request"]["purpose"]) for x in stored(each)["exchanges"])
        assert sent == plan
        assert each.result.requests == plan.total()
        assert each.result.outcome == "conformant"


def test_every_fault_is_found_and_nobody_else_accused() -> None:
    faults = [None, "seconds", None, "id-too-short", "always-404", None]
    with serve_many(faults) as server:
        done = checked(*(target(f"{server.url}/{number}") for number in range(len(faults))))
    assert [[clause.id for clause in each.result.broken] for each in done] == [
        [],
        ["item.create-time.milliseconds"],
        [],
        ["item.prompt-id.uuid"],
        ["status.served"],
        [],
    ]
    assert [each.result.exit for each in done] == [0, 1, 0, 1, 1, 0]
    (kind,) = {(breach.clause, breach.kind) for breach in done[1].result.breaches}
    assert kind == ("item.create-time.milliseconds", "seconds")


def test_who_is_not_there_is_unreachable_and_the_reason_stands_by() -> None:
    (done,) = checked(target(NOWHERE))
    assert (done.result.outcome, done.result.exit) == ("inconclusive", 10)
    assert done.result.unreached == done.result.reason
    assert done.result.reason.startswith("the target cannot be reached: Connection refused")
    assert done.result.p95 is None


def test_a_target_that_cannot_be_asked_is_a_line_of_its_own_and_costs_nobody_else() -> None:
    with serve() as endpoint:
        bad, good = checked(target("https://a.example", api_key_env="NOT_SET"), target(endpoint.url))
    assert (bad.result.outcome, bad.result.exit) == ("error", 4)
    assert "NOT_SET, which is not set" in bad.result.reason
    assert good.result.outcome == "conformant"


def test_a_key_reaches_the_target_that_names_it_alone_and_stands_nowhere() -> None:
    environ = {"A_KEY": KEY, "B_KEY": CANARY, "COMFY_API_KEY": CANARY}
    with serve(variant="key-enforced") as keyed, serve(fault="echoes-the-key", key=CANARY) as echo, serve() as open_:
        names = [target(keyed.url, api_key_env="A_KEY"), target(echo.url, api_key_env="B_KEY"), target(open_.url)]
        done = checked(*names, environ=environ)
    assert [each.result.outcome for each in done] == ["conformant", "conformant", "conformant"]
    assert "auth.key-not-echoed" in {clause.id for clause in done[1].result.broken}  # it was sent, and came back
    for each in done:
        left = gzip.decompress(each.report or b"").decode() + str(each.result)
        assert CANARY not in left
        assert KEY not in left
    sent = [{name for x in stored(each)["exchanges"] for name, _ in x["request"]["headers"]} for each in done]
    assert ["X-API-Key" in names for names in sent] == [True, True, False]


@pytest.mark.parametrize(("keep", "there"), [("all", [True, True]), ("broken", [False, True]), ("none", [False] * 2)])
def test_reports_are_kept_of_those_that_were_asked_for(keep: str, there: list[bool]) -> None:
    with serve_many([None, "seconds"]) as server:
        done = checked(target(f"{server.url}/0"), target(f"{server.url}/1"), keep=keep)
    assert [each.report is not None for each in done] == there


def test_the_share_of_a_rate_bounds_a_check() -> None:
    with serve() as endpoint:
        (done,) = checked(target(endpoint.url, deadline=0.5, max_requests=20), rate_limit=8.0)
    assert stored(done)["run"]["options"]["rate_limit"] == 8.0
    assert done.result.requests <= 6


def test_a_worker_of_another_suite_refuses() -> None:
    with pytest.raises(OtherSuite, match=r"instead of 0\.0\.1: install the same version"):
        checked(target(NOWHERE), suite=("0.0.1", ""))


def test_a_mistake_of_the_suite_is_told_as_one_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> EndpointResult:
        raise RuntimeError(f"with {CANARY}")

    monkeypatch.setattr("conformance.fleet.work.report_on", broken)
    with serve(key=CANARY) as endpoint:
        (done,) = checked(target(endpoint.url, api_key_env="A_KEY"), environ={"A_KEY": CANARY})
    assert (done.result.outcome, done.result.exit) == ("error", 3)
    assert done.result.reason.startswith("internal error: RuntimeError: with [redacted-api-key]")
