"""``comfy-conformance check --all``: check many targets, on this machine or a cluster, and write one overview."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli.options_of_many import LANES, PROCESSES
from conformance.cli.shared import unwritable
from conformance.probe.limits import Bounds
from conformance.problems import EXIT_INTERNAL, EXIT_INTERRUPTED, UsageProblem
from conformance.run.settings import DEFAULT_KEY_ENV
from conformance.run.targets import OF_ONE
from conformance.text.plural import count
from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.fleet.engine import Engine, Tell
    from conformance.fleet.filing import Filing
    from conformance.fleet.result_lines import EndpointResult
    from conformance.fleet.sources import Inspected, TargetSource
    from conformance.fleet.work import Keep


@dataclass(frozen=True)
class EarlyStop:
    """Why a run stopped early, and its exit status."""

    why: str
    status: int


def check_all(source: str, many: Mapping[str, Any], report_dir: Path, given: Mapping[str, Any], *, quiet: bool) -> int:
    """Check all targets of a source, such as a targets file, and return the exit status.

    ``many`` are the options that apply only with ``--all``. ``given`` are the options of ``check`` that the user typed;
    they override the options of each target in the source.
    """
    if many["list"] is not None:
        return _list(source, many["only"], many["list"])
    for name in OF_ONE:
        if name in given:
            raise UsageProblem(f"--{name.replace('_', '-')} applies to one target: with --all, write it into {source}")
    if many["scheduler"] is not None:
        _demand_cluster(many)
    if many["resume"] and many["fresh"]:
        raise UsageProblem("--resume and --fresh contradict each other: give one of them")
    with ExitStack() as stack:
        try:
            engine, targets, filing, found = _prepare(stack, source, many, report_dir, given)
        except OSError as error:
            raise unwritable(report_dir, error) from None
        if not quiet:
            _announce(engine, found)
        with _progress(filing, found.number, quiet=quiet) as tell:
            stopped = _run(engine, targets, filing, tell) or _end(filing)
    return _finish(report_dir, found.number, stopped, quiet=quiet)


def _list(name: str, only: Sequence[str], form: str) -> int:
    """Validate a source of targets and print its targets as text, or as one line of JSON for a CI system's matrix."""
    from conformance.fleet.sources import selected_targets, source_of

    with source_of(name, sys.stdin.buffer, only=frozenset(only)) as source:
        found = selected_targets(source)
    if form == "json":
        click.echo(json.dumps([{"name": one.name, "target": one.url, "keys": sorted(one.variables)} for one in found]))
        return 0
    width = max(len(one.name) for one in found)
    for one in found:
        key = ", ".join(sorted(one.variables)) or one.options.get("api_key_file") or "no key"
        click.echo(line(f"{one.name:<{width}}  {one.url}  {one.dialect}  {key}"))
    return 0


def _demand_cluster(many: Mapping[str, Any]) -> None:
    if find_spec("distributed") is None:
        raise UsageProblem("--scheduler needs Dask: pip install 'comfy-queue-conformance[fleet]'")
    for name in ("workers", "isolate"):
        if many[name]:
            raise UsageProblem(f"--{name} is for processes on this machine: leave out --scheduler")


def _prepare(
    stack: ExitStack, name: str, many: Mapping[str, Any], directory: Path, given: Mapping[str, Any]
) -> tuple[Engine, TargetSource, Filing, Inspected]:
    from conformance.fleet.bounds import FleetBounds
    from conformance.fleet.engine import Engine
    from conformance.fleet.filing import Filing
    from conformance.fleet.result_lines import Header
    from conformance.fleet.results import Results
    from conformance.fleet.sources import WHOLE, inspect, part_of, source_of
    from conformance.history import prepare
    from conformance.judge.ledger import instant

    scheduler, part, only = many["scheduler"], many["part"], many["only"]
    processes = many["workers"] or max(os.cpu_count() or 1, PROCESSES)
    parallel = many["parallel"] or (LANES * processes if scheduler is None else 64)
    bounds = FleetBounds(parallel, many["per_host"], many["rate"], many["host_rate"], many["jitter"])
    bounds.demand_enough(Bounds(**{name: given[name] for name in ("deadline", "max_requests") if name in given}))
    meant = part_of(part) if part else WHOLE
    targets = stack.enter_context(source_of(name, sys.stdin.buffer, meant, frozenset(only)))
    found = inspect(targets, os.environ, given, far=scheduler is not None)
    for history in found.histories:
        prepare(Path(history))
    options = {name: " ".join(value) if isinstance(value, tuple) else value for name, value in given.items()}
    if only:
        options["only"] = " ".join(only)
    header = Header(source=name, start=instant(time.time()), options=options, part=part)
    keep: Keep = many["keep"] or ("pages" if targets.is_toml else "all")
    results = stack.enter_context(
        Results.resume(directory, header) if many["resume"] else Results.begin(directory, header, fresh=many["fresh"])
    )
    engine = Engine(
        bounds,
        workers=min(processes, parallel),
        scheduler=scheduler,
        keep=keep,
        given=given,
        isolate=many["isolate"],
        environ=os.environ,
        variables=frozenset(found.variables),
    )
    return engine, targets, Filing(results, directory, keep, _say), found


def _announce(engine: Engine, found: Inspected) -> None:
    from conformance.fleet.sources import FEW

    for text in found.announced if found.number <= FEW else ():
        click.echo(text, err=True)
    if os.environ.get(DEFAULT_KEY_ENV) and not found.keyed_by_default:
        told = f'{DEFAULT_KEY_ENV} is set but not sent: no target has api-key-env = "{DEFAULT_KEY_ENV}"'
        click.echo(told, err=True)
    here = f"up to {engine.workers} process{'' if engine.workers == 1 else 'es'}"
    who = f"the workers at {engine.scheduler}" if engine.scheduler else here
    targets = count(found.number, "target")
    click.echo(f"checking {targets}, up to {engine.bounds.parallel} at a time, by {who}", err=True)


def _say(text: str) -> None:
    """Print a message on standard error at once, even while the progress line is shown."""
    click.echo(("\r\033[K" if sys.stderr.isatty() else "") + line(text), err=True)


def _run(engine: Engine, targets: TargetSource, filing: Filing, tell: Tell) -> EarlyStop | None:
    """Check the targets that have no result yet. Returns why the run stopped early, or None if all were checked."""
    from conformance.fleet.backend import Lost
    from conformance.fleet.engine import run

    if all(target.name in filing.results.done for target in targets):
        return None
    try:
        asyncio.run(_until_signalled(run(engine, targets, filing, tell)))
    except (asyncio.CancelledError, KeyboardInterrupt):
        return EarlyStop("it was interrupted", EXIT_INTERRUPTED)
    except Lost as lost:
        return EarlyStop(str(lost), EXIT_INTERNAL)
    except OSError as error:
        return _unwritten(error)
    return None


def _end(filing: Filing) -> EarlyStop | None:
    from conformance.fleet.results import endpoints
    from conformance.fleet.tally import FleetTally
    from conformance.judge.ledger import instant

    try:
        filing.results.write(FleetTally(endpoints(filing.directory)).footer(instant(time.time())))
    except OSError as error:
        return _unwritten(error)
    return None


def _unwritten(error: OSError) -> EarlyStop:
    return EarlyStop(f"the results cannot be written: {error.strerror}", EXIT_INTERNAL)


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``. SIGTERM or Ctrl-C cancels it, so that it can end its processes and close its files."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt there
            loop.add_signal_handler(number, task.cancel)
    await work


@contextmanager
def _progress(filing: Filing, number: int, *, quiet: bool) -> Iterator[Tell]:
    """Show the progress on a terminal. Yields a function to call with each result."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    done = filing.results.done
    start, before, bad = time.monotonic(), len(done), 0

    def tell(result: EndpointResult) -> None:
        nonlocal bad
        bad += result.outcome != "conformant"
        each = (len(done) - before) / max(time.monotonic() - start, 0.1)
        click.echo(
            f"\r\033[K{len(done):,} of {number:,}, {bad:,} not conformant, {each:.1f} a second", nl=False, err=True
        )

    try:
        yield tell
    finally:
        click.echo("\r\033[K", nl=False, err=True)


def _finish(directory: Path, number: int, stopped: EarlyStop | None, *, quiet: bool) -> int:
    """Write the overview, print the summary, and return the exit status."""
    from conformance.fleet.results import endpoints

    status = 0
    try:
        status = show_overview([directory], directory, quiet=quiet)
    except OSError as error:
        stopped = stopped or EarlyStop(f"the overview cannot be written: {error.strerror}", EXIT_INTERNAL)
    if stopped is None:
        return status
    kept = sum(1 for _ in endpoints(directory))
    told = f"{kept:,} of {number:,} targets have results in {directory}"
    click.echo(f"stopped: {stopped.why}; {told}; continue with --resume", err=True)
    return stopped.status


def show_overview(directories: Sequence[Path], into: Path, *, quiet: bool) -> int:
    """Write one overview of several runs and print the summary. Returns the exit status of all runs together.

    Raises OSError if the overview cannot be written, and UsageProblem if one of the directories holds no results.
    """
    from conformance.fleet.overview_files import left_by_earlier, write_overview
    from conformance.render.digest import digest_lines
    from conformance.render.overview import headline
    from conformance.render.terminal import COLOUR

    shown = write_overview(directories, into)
    for text in () if quiet else digest_lines(shown.digest):
        click.echo(text)
    if shown.earlier and not quiet:
        click.echo(line(left_by_earlier(shown.earlier)))
    click.secho(headline(shown.tally), fg=COLOUR[shown.tally.outcome])
    if not quiet:
        click.echo(f"overview: {into / 'index.html'}")
    return shown.tally.exit
