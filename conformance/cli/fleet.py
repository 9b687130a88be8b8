"""``comfy-conformance fleet``: check many endpoints, spread over processes and machines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from conformance.cli import EXIT_INTERNAL, EXIT_INTERRUPTED
from conformance.cli.check_all import COLOUR
from conformance.cli.shared import options_at, refusal, unwritable
from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem
from conformance.run.describing import Place

if TYPE_CHECKING:
    from conformance.fleet.engine import Engine, Tell
    from conformance.fleet.model import EndpointResult
    from conformance.fleet.results import Results
    from conformance.fleet.sources import TargetSource
    from conformance.fleet.work import Keep

DEFAULT_DIRECTORY: Final = "reports/fleet"
LANES: Final = 8
"""Checks at a time for each worker, where nobody said otherwise: while one waits for its answer another is judged."""


@dataclass(frozen=True)
class FleetStop:
    """Why a fleet ended before its end, and the exit status that says so."""

    why: str
    status: int


@click.command()
@click.argument("source", metavar="SOURCE")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A Dask scheduler, such as tcp://10.0.0.1:8786. [default: processes of this machine]",
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes of this machine. [default: one for each core]"
)
@click.option(
    "--parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"Checks at a time, in all. [default: {LANES} for each worker; with --scheduler 64]",
)
@click.option(
    "--per-host",
    type=click.IntRange(min=1),
    metavar="N",
    help="Checks at a time at one host and port. [default: 2; on loopback no limit]",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Requests per second, in all. [default: no limit but that of each check]",
)
@click.option(
    "--host-rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Requests per second at one host and port. [default: no limit but that of each check]",
)
@click.option(
    "--jitter",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Begin each check up to S seconds late. [default: 1; on loopback 0]",
)
@click.option(
    "--keep",
    type=click.Choice(["all", "broken", "none"]),
    default="all",
    show_default=True,
    help="Of which endpoints the report is kept, to be shown later.",
)
@click.option(
    "--part", metavar="I/N", help="Check each N-th endpoint alone, beginning with number I, from 0. [default: all]"
)
@click.option("--resume", is_flag=True, help="Go on where the fleet in the report directory stopped, or begin.")
@click.option("--fresh", is_flag=True, help="Begin anew, though the fleet in the report directory did not end.")
@options_at(Place.ALL)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_DIRECTORY,
    show_default=True,
    metavar="DIR",
    help="Where index.html, results.jsonl and reports.jsonl.gz go.",
)
def fleet(  # noqa: PLR0913 - one parameter for each option
    *,
    source: str,
    scheduler: str | None,
    workers: int | None,
    parallel: int | None,
    per_host: int | None,
    rate: float | None,
    host_rate: float | None,
    jitter: float | None,
    keep: Keep,
    part: str | None,
    resume: bool,
    fresh: bool,
    report_dir: Path,
    quiet: bool,
    **options: Any,
) -> int:
    """Check many endpoints, spread over processes and machines.

    SOURCE is a targets.toml, a CSV file whose first line names url and other options, a file with a URL a line, or -
    for standard input (docs/fleet.md). Each endpoint is asked what check asks. What is finished is kept whatever
    happens, and --resume goes on from there.

    Exit status: the first of 1, 3, 4, 10 and 0 that any endpoint's check has; 2 where the fleet was interrupted, 3 where
    it could not go on.
    """
    if find_spec("distributed") is None:
        raise refusal("fleet needs Dask: pip install 'comfy-queue-conformance[fleet]'")
    if scheduler is not None and workers is not None:
        raise refusal("--workers are processes of this machine: with --scheduler start them by 'dask worker'")
    if resume and fresh:
        raise refusal("--resume and --fresh contradict each other: give one of them")
    from conformance.fleet.bounds import FleetBounds
    from conformance.fleet.engine import Engine
    from conformance.fleet.model import Header
    from conformance.fleet.results import Results
    from conformance.fleet.sources import WHOLE, looked_at, part_of, source_of
    from conformance.judge.ledger import instant
    from conformance.text.plural import count

    processes = workers or os.cpu_count() or 1
    bounds = FleetBounds(
        parallel or (LANES * processes if scheduler is None else 64), per_host, rate, host_rate, jitter
    )
    typed = click.get_current_context().get_parameter_source
    given = {name: value for name, value in options.items() if typed(name) is ParameterSource.COMMANDLINE}
    engine = Engine(bounds, min(processes, bounds.parallel), scheduler, keep, given)
    with ExitStack() as stack:
        try:
            bounds.demand_enough(
                Bounds(**{name: given[name] for name in ("deadline", "max_requests") if name in given})
            )
            endpoints = stack.enter_context(source_of(source, sys.stdin.buffer, part_of(part) if part else WHOLE))
            number = looked_at(endpoints, os.environ, given, far=scheduler is not None)
            header = Header(source=source, start=instant(time.time()), options=given, part=part)
            results = Results.resume(report_dir, header) if resume else Results.begin(report_dir, header, fresh=fresh)
            stack.enter_context(results)
        except UsageProblem as problem:
            raise refusal(str(problem)) from None
        except OSError as error:
            raise unwritable(report_dir, error) from None
        if not quiet:
            click.echo(
                f"checking {count(number, 'endpoint')}, {bounds.parallel} at a time, by {_who(engine)}", err=True
            )
        with _progress(results, number, quiet=quiet) as tell:
            stopped = _run(engine, endpoints, results, tell) or _end(results, report_dir)
    return _finish(report_dir, number, stopped, quiet=quiet)


def _who(engine: Engine) -> str:
    if engine.scheduler is not None:
        return f"the workers at {engine.scheduler}"
    return f"{engine.workers} process{'' if engine.workers == 1 else 'es'} of this machine"


def _run(engine: Engine, endpoints: TargetSource, results: Results, tell: Tell) -> FleetStop | None:
    """Check what is not checked yet. Return why not all of it was, None where all was."""
    from conformance.fleet.engine import Lost, run

    if all(target.name in results.done for target in endpoints):
        return None
    try:
        asyncio.run(_until_signalled(run(engine, endpoints, results, tell)))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return FleetStop("it was interrupted", EXIT_INTERRUPTED)
    except Lost as lost:
        return FleetStop(str(lost), EXIT_INTERNAL)
    except OSError as error:
        return _unwritten(error)
    return None


def _end(results: Results, directory: Path) -> FleetStop | None:
    from conformance.fleet.results import endpoints
    from conformance.fleet.tally import FleetTally
    from conformance.judge.ledger import instant

    try:
        results.write(FleetTally(endpoints(directory)).footer(instant(time.time())))
    except OSError as error:
        return _unwritten(error)
    return None


def _unwritten(error: OSError) -> FleetStop:
    return FleetStop(f"the results cannot be written: {error.strerror}", EXIT_INTERNAL)


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Let SIGTERM and Ctrl-C end the work in order: workers are stopped, files are closed."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: there Ctrl-C comes as KeyboardInterrupt
            loop.add_signal_handler(number, task.cancel)
    await work


@contextmanager
def _progress(results: Results, number: int, *, quiet: bool) -> Iterator[Tell]:
    """Show on a terminal how far the fleet is; nowhere else."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    start, before, bad = time.monotonic(), len(results.done), 0

    def tell(result: EndpointResult) -> None:
        nonlocal bad
        bad += result.outcome != "conformant"
        done = len(results.done)
        each = (done - before) / max(time.monotonic() - start, 0.1)
        click.echo(f"\r\033[K{done:,} of {number:,}, {bad:,} not conformant, {each:.1f} a second", nl=False, err=True)

    try:
        yield tell
    finally:
        click.echo("\r\033[K", nl=False, err=True)


def _finish(directory: Path, number: int, stopped: FleetStop | None, *, quiet: bool) -> int:
    """Write the overview, print the summary, return the exit status."""
    from conformance.fleet.overview import write_overview
    from conformance.fleet.tally import headline
    from conformance.fleet.text import summary

    try:
        tally = write_overview([directory], directory)
    except OSError as error:
        stopped = stopped or FleetStop(f"the overview cannot be written: {error.strerror}", EXIT_INTERNAL)
        tally = None
    if tally is not None:
        for text in summary(tally) if not quiet else ():
            click.echo(text)
        click.secho(headline(tally), fg=COLOUR[tally.outcome])
        if not quiet:
            click.echo(f"overview: {directory / 'index.html'}")
    if stopped is None:
        assert tally is not None
        return tally.exit
    done = (
        f"{tally.total:,} of {number:,} endpoints are judged and kept in {directory}" if tally else f"see {directory}"
    )
    click.echo(f"stopped: {stopped.why}; {done}: go on with --resume", err=True)
    return stopped.status
