"""The check of one target, where a worker does it: beside others, in the worker's own event loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from msgspec import structs

from conformance.exchange.transcript import Transcript
from conformance.exchange.trouble import InternalError, told
from conformance.fleet.model import EndpointResult, endpoint_result, failed
from conformance.fleet.results import packed
from conformance.fleet.sources import own_environment
from conformance.judge.build import report_on
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Verdict
from conformance.problems import UsageProblem
from conformance.properties.model import Properties
from conformance.run.ask import ask, ask_here
from conformance.run.settings import EMBEDDED, Settings
from conformance.run.targets import Target
from conformance.spec.document import DOCUMENT_SHA256
from conformance.version import __version__

Keep = Literal["pages", "all", "broken", "none"]
"""Of which targets the report is kept: all (and as pages too), those that are not conformant, or none."""
SMALL: Final = 1 << 20
"""Bytes of answers that are judged in some hundredths of a second: nobody who is asked meanwhile waits long."""
T = TypeVar("T")
SUITE: Final = (__version__, DOCUMENT_SHA256)


class OtherSuite(Exception):
    """A worker would judge by another suite than the one that asked it. Its text is one line."""


@dataclass(frozen=True)
class Order:
    """One target to be checked: by which suite, after how many seconds, and how often at most it is asked a second.

    ``environ`` holds the variables that the target names, for a worker of this machine, and no others. It is None on a
    cluster: there no key travels, and the worker takes those variables from its own environment.
    """

    target: Target
    suite: tuple[str, str] = SUITE
    delay: float = 0.0
    rate_limit: float | None = None
    keep: Keep = "all"
    environ: dict[str, str] | None = field(default=None, repr=False)

    @property
    def searches(self) -> bool:
        """Whether the check takes a thread of its own: it sends generated requests, or starts the endpoint."""
        number = self.target.options.get("properties")
        return self.target.url == EMBEDDED or (Properties.number if number is None else number) > 0


@dataclass(frozen=True)
class Done:
    """The result of a check, and its report as it is kept."""

    result: EndpointResult
    report: bytes | None = None


async def work(order: Order) -> Done:
    """Check a target, as the task of a Dask worker."""
    from distributed import get_worker

    done = await check(order, os.environ)
    return replace(done, result=structs.replace(done.result, worker=str(get_worker().name)))


async def check(order: Order, environ: Mapping[str, str]) -> Done:
    """Check a target within the running event loop. Raises OtherSuite, and nothing for what a target does."""
    if order.suite != SUITE:
        msg = f"a worker has suite {SUITE[0]} and was asked for {order.suite[0]}: install the same on all"
        raise OtherSuite(msg)
    await asyncio.sleep(order.delay)
    target = order.target
    dialect = str(target.options.get("dialect", "cloud"))
    try:
        settings = _within(target.settings(own_environment(target, environ), Path()), order.rate_limit)
        start = time.monotonic()
        transcript = await (_beside(_searching(), ask, settings) if order.searches else ask_here(settings))
        seconds = time.monotonic() - start
        report, kept = await _judged(transcript, settings, order.keep)
    except UsageProblem as problem:
        return Done(failed(target.name, target.url, dialect, str(problem), 4))
    except InternalError as trouble:
        return Done(failed(target.name, target.url, dialect, told(trouble, {}), 3))
    status = exit_status(report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok)
    return Done(endpoint_result(target.name, report, status, seconds=seconds), kept)


async def _judged(transcript: Transcript, settings: Settings, keep: Keep) -> tuple[Report, bytes | None]:
    """Judge at once what is small: a thread that wants the interpreter as well costs as much again. Else beside."""
    size = sum(each.response.size for each in transcript.exchanges if each.response is not None)
    if size <= SMALL:
        return _judge(transcript, settings, keep)
    return await _beside(_judging(), _judge, transcript, settings, keep)


async def _beside(thread: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, function, *arguments)


def _judge(transcript: Transcript, settings: Settings, keep: Keep) -> tuple[Report, bytes | None]:
    try:
        report = report_on(transcript, settings.judging)
        kept = keep in {"pages", "all"} or (keep == "broken" and report.verdict is not Verdict.CONFORMANT)
        return report, packed(report) if kept else None
    except Exception as error:  # noqa: BLE001 - told without the key
        raise InternalError.of(error, settings.secrets) from None


def _within(settings: Settings, rate_limit: float | None) -> Settings:
    """Return settings with the share of a rate that the fleet leaves to one check."""
    own = settings.bounds.rate_limit
    least = min((rate for rate in (own, rate_limit) if rate is not None), default=None)
    return replace(settings, bounds=replace(settings.bounds, rate_limit=least))


@cache
def _judging() -> ThreadPoolExecutor:
    """Return the one thread that judges large responses: it must not keep the loop from asking."""
    return ThreadPoolExecutor(1, "judge")


@cache
def _searching() -> ThreadPoolExecutor:
    """Return the one thread that sends generated requests: Hypothesis 6.130 is not made for several threads."""
    return ThreadPoolExecutor(1, "search")
