"""Check one target in a worker. All checks of a worker share its event loop."""

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
from conformance.exchange.trouble import InternalError, internal_error_text
from conformance.fleet.result_lines import EndpointResult, endpoint_result, failed_result
from conformance.fleet.results import pack_report
from conformance.fleet.sources import own_environment
from conformance.judge.build import report_on
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Verdict
from conformance.problems import UsageProblem
from conformance.properties.generation import Properties
from conformance.run.one_run import ask, ask_here
from conformance.run.settings import EMBEDDED, Settings
from conformance.run.targets import Target
from conformance.spec.document import DOCUMENT_SHA256
from conformance.version import __version__

Keep = Literal["pages", "all", "broken", "none"]
"""Which reports are kept: ``pages`` (all, also as HTML pages), all, only non-conformant ones, or none."""
SMALL: Final = 1 << 20
"""If the bodies of a check have at most this many bytes together, judging them takes only hundredths of a second."""
T = TypeVar("T")
SUITE: Final = (__version__, DOCUMENT_SHA256)


class OtherSuite(Exception):
    """Raised if a worker has another version of this suite. The message is one line."""


@dataclass(frozen=True)
class Assignment:
    """One target to check. ``delay`` is in seconds, ``rate_limit`` in requests per second.

    ``environ`` has only the variables that the target names, for a worker on this machine. On a cluster ``environ`` is
    None: keys are not transmitted, and the worker takes the variables from its own environment.
    """

    target: Target
    suite: tuple[str, str] = SUITE
    delay: float = 0.0
    rate_limit: float | None = None
    keep: Keep = "all"
    environ: dict[str, str] | None = field(default=None, repr=False)

    @property
    def searches(self) -> bool:
        """Whether the check needs its own thread, because it generates requests or starts the embedded endpoint."""
        number = self.target.options.get("properties")
        return self.target.url == EMBEDDED or (Properties().number if number is None else number) > 0


@dataclass(frozen=True)
class Done:
    """The result of a check, and the packed report if it is kept."""

    result: EndpointResult
    report: bytes | None = None


async def work(order: Assignment) -> Done:
    """Check a target, as the task of a Dask worker."""
    from distributed import get_worker

    done = await check(order, os.environ)
    return replace(done, result=structs.replace(done.result, worker=str(get_worker().name)))


async def check(order: Assignment, environ: Mapping[str, str]) -> Done:
    """Check a target in the running event loop. Problems of the target are part of the result. Raises OtherSuite."""
    if order.suite != SUITE:
        raise OtherSuite(
            f"a worker has version {SUITE[0]} of the suite instead of {order.suite[0]}: "
            "install the same version everywhere"
        )
    await asyncio.sleep(order.delay)
    target = order.target
    try:
        settings = _with_rate_limit(target.settings(own_environment(target, environ), Path()), order.rate_limit)
        start = time.monotonic()
        transcript = await (_run_in(_thread("search"), ask, settings) if order.searches else ask_here(settings))
        seconds = time.monotonic() - start
        report, kept = await _judge_and_pack(transcript, settings, order.keep)
    except UsageProblem as problem:
        return Done(failed_result(target, str(problem), 4))
    except InternalError as error:
        return Done(failed_result(target, internal_error_text(error, {})))
    status = exit_status(report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok)
    return Done(endpoint_result(target.name, report, status, seconds=seconds), kept)


async def _judge_and_pack(transcript: Transcript, settings: Settings, keep: Keep) -> tuple[Report, bytes | None]:
    """Judge the responses of a run. Large ones are judged in a thread, so that other checks continue meanwhile.

    Small ones are judged directly, because a thread costs about as much as judging a small response.
    """
    size = sum(each.response.size for each in transcript.exchanges if each.response is not None)
    if size <= SMALL:
        return _judge_at_once(transcript, settings, keep)
    return await _run_in(_thread("judge"), _judge_at_once, transcript, settings, keep)


async def _run_in(thread: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(thread, function, *arguments)


def _judge_at_once(transcript: Transcript, settings: Settings, keep: Keep) -> tuple[Report, bytes | None]:
    try:
        report = report_on(transcript, settings.judging)
        kept = keep in {"pages", "all"} or (keep == "broken" and report.verdict is not Verdict.CONFORMANT)
        return report, pack_report(report) if kept else None
    except Exception as error:  # noqa: BLE001 - reported without the key
        raise InternalError.of(error, settings.secrets) from None


def _with_rate_limit(settings: Settings, rate_limit: float | None) -> Settings:
    """Return the settings of a check with its share of the rate limit of the whole run."""
    own = settings.bounds.rate_limit
    least = min((rate for rate in (own, rate_limit) if rate is not None), default=None)
    return structs.replace(settings, bounds=structs.replace(settings.bounds, rate_limit=least))


@cache
def _thread(task: str) -> ThreadPoolExecutor:
    """Return the only thread for a task: judging large responses, or sending generated requests.

    Hypothesis 6.130 allows no more than one thread that generates requests.
    """
    return ThreadPoolExecutor(1, task)
