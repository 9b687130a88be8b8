"""One run: send the requests and judge the responses. The command line and pytest share this module."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from conformance.contract.terms import Dialect
from conformance.exchange.hosts import is_loopback
from conformance.exchange.model import Exchange
from conformance.exchange.secrets import Secret
from conformance.exchange.transcript import Populated, Search, Transcript
from conformance.exchange.trouble import InternalError
from conformance.judge.build import report_on
from conformance.judge.report import Report
from conformance.problems import UsageProblem
from conformance.run.consent import demand_consent
from conformance.run.settings import EMBEDDED, Settings
from conformance.run.stopping import stoppable

if TYPE_CHECKING:
    from conformance.probe.asker import Asker
    from conformance.probe.client import Client
    from conformance.probe.populate import Say
    from conformance.properties.preparing import Preparing
    from conformance.properties.search import Send


Progress = Callable[[Exchange], None]


def say_so(text: str) -> None:
    """Print a line on standard error, with control characters made visible."""
    from conformance.text.safe import line  # the text can contain names from a server

    print(line(text), file=sys.stderr, flush=True)  # noqa: T201 - the user may never open the report


def ask(settings: Settings, progress: Progress = lambda _: None, say: Say = say_so) -> Transcript:
    """Send all requests of a run, and return them with their responses. Submitted jobs are removed even after an error.

    Raises UsageProblem if the embedded endpoint cannot be started, or if the run would change a remote server without
    consent. Raises InternalError, with the key removed, if the suite itself fails.
    """
    demand_consent(settings)
    key = settings.key
    if settings.target is None:
        keyed = settings.dialect is Dialect.CLOUD and not settings.no_key
        key = Secret(f"embedded-{os.urandom(8).hex()}") if keyed else None
    with _endpoint(settings, key) as base:
        start = time.time()
        try:
            result = _run(settings, base, key, progress, say)
        except UsageProblem:
            raise
        except Exception as error:  # noqa: BLE001 - reported as an internal error
            raise InternalError.of(error, (*settings.secrets, *(() if key is None else (key,)))) from None
        target = EMBEDDED if settings.target is None else settings.target
        return Transcript(
            result.exchanges,
            target,
            start,
            time.time(),
            result.stopped,
            result.search,
            result.populated,
            seconds=result.seconds,
        )


async def ask_here(settings: Settings, progress: Progress = lambda _: None) -> Transcript:
    """Send the fixed requests of a run in the running event loop, which many runs can share.

    ``settings`` must name a target, and must not ask for generated requests or for jobs. Raises InternalError, as
    ``ask`` does.
    """
    assert settings.target is not None
    start = time.time()
    try:
        async with _client(settings, settings.target, settings.key, progress) as client:
            stopped = await _follow(client, settings, settings.key)
    except UsageProblem:
        raise
    except Exception as error:  # noqa: BLE001 - reported as an internal error
        raise InternalError.of(error, settings.secrets) from None
    return Transcript(tuple(client.ledger), settings.target, start, time.time(), stopped, seconds=client.left)


def check(settings: Settings, progress: Progress = lambda _: None) -> Report:
    """Send all requests of a run, judge the responses, and return the report."""
    return report_on(ask(settings, progress), settings.judging)


@contextmanager
def _endpoint(settings: Settings, key: Secret | None) -> Iterator[str]:
    if settings.target is not None:
        yield settings.target
        return
    from conformance.reference.server import serve  # import the web server only if it is needed

    moving = settings.server_changes is None
    variant = "default" if moving else "takes-jobs"
    if settings.dialect is Dialect.OSS:
        variant = "oss" if moving else "oss-takes-jobs"
    with ExitStack() as stack:
        try:
            endpoint = stack.enter_context(
                serve(variant=variant, key=None if key is None else key.reveal(), queue_path=settings.queue_path)
            )
        except OSError as error:
            msg = f"the embedded endpoint could not be started ({error.strerror}): give the --target of a server"
            raise UsageProblem(msg) from None
        yield endpoint.url


class _Result(NamedTuple):
    exchanges: tuple[Exchange, ...]
    stopped: str | None
    search: Search | None
    populated: Populated | None
    seconds: float


def _run(settings: Settings, base: str, key: Secret | None, progress: Progress, say: Say) -> _Result:
    import asyncio  # judging a recording does not need it
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _ask_all(settings, base, key, progress, say)
    with ThreadPoolExecutor(1) as pool:  # in a notebook or an async test, a loop is running already
        return pool.submit(_ask_all, settings, base, key, progress, say).result()


def _ask_all(settings: Settings, base: str, key: Secret | None, progress: Progress, say: Say) -> _Result:
    import asyncio

    from conformance.probe.plan import begin, end, generating
    from conformance.probe.populate import Populating
    from conformance.properties.preparing import Preparing

    most = settings.bounds.max_requests
    preparing = None
    if settings.properties is not None:
        preparing = Preparing(lambda: settings.described, settings.properties, settings.gateway.names)
    client = _client(settings, base, key, progress if preparing is None else preparing.during(progress))

    async def plan() -> str | None:
        return await begin(client, keyed=key is not None, max_requests=most, wait_for_items=settings.wait_for_items)

    populating = None
    if settings.server_changes is not None:
        priorities = settings.dialect is not Dialect.OSS
        populating = Populating(
            client,
            settings.server_changes,
            plan,
            lambda text: say(client.without_keys(text)),
            max_requests=most,
            priorities=priorities,
        )
    search = None
    with stoppable() as stop, asyncio.Runner() as runner:
        runner.run(client.__aenter__())
        try:
            stopped = stop.run(runner, plan() if populating is None else populating.run())
            if preparing is not None and stopped is None:
                asker = generating(client)
                client.counting = False
                search = _search(
                    settings,
                    preparing,
                    asker,
                    send=lambda asks: stop.run(runner, asker.in_turn(asks)),
                    scatter=lambda asks: stop.run(runner, asker.side_by_side(asks)),
                )
                client.counting = True
            if stopped is None:
                stopped = stop.run(runner, end(client, keyed=key is not None, max_requests=most))
        finally:
            runner.run(client.__aexit__())
            if preparing is not None:
                preparing.wait()
    populated = None if populating is None else populating.outcome
    return _Result(tuple(client.ledger), stopped, search, populated, client.left)


def _client(settings: Settings, base: str, key: Secret | None, progress: Progress) -> Client:
    from conformance.probe.client import Client
    from conformance.probe.populate import leave_for

    leave = None if settings.server_changes is None else leave_for(settings.server_changes, loopback=is_loopback(base))
    url = base + settings.queue_path
    return Client(url, key, settings.bounds, progress, settings.gateway, leave=leave, required=settings.required)


async def _follow(client: Client, settings: Settings, key: Secret | None) -> str | None:
    from conformance.probe.plan import follow

    return await follow(
        client,
        keyed=key is not None,
        max_requests=settings.bounds.max_requests,
        wait_for_items=settings.wait_for_items,
    )


def _search(settings: Settings, preparing: Preparing, asker: Asker, *, send: Send, scatter: Send) -> Search:
    """Send generated requests, and look for broken clauses that the plan's normal GET requests did not show."""
    from conformance.probe.asker import OUT_OF_TIME

    assert settings.properties is not None
    ledger = asker.client.ledger
    try:
        prepared = preparing.result(asker.seconds)
    except TimeoutError:
        return Search(settings.properties.seed, 0, settings.properties.wanted, {}, OUT_OF_TIME)
    from conformance.properties.search import Senders, search_after

    wire = Senders(send, scatter)
    return search_after(
        ledger,
        prepared,
        wire,
        settings.properties,
        dialect=settings.dialect,
        schemas=settings.schemas,
        asker=asker,
    )
