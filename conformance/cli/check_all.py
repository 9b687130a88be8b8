"""``comfy-conformance check --all``: check many targets, leave a report of each and one overview."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance.cli.shared import refusal, unwritable
from conformance.problems import UsageProblem
from conformance.run.settings import DEFAULT_KEY_ENV
from conformance.run.targets import OF_ONE, read
from conformance.text.suggest import did_you_mean

if TYPE_CHECKING:
    from conformance.history.overview import TargetResult
    from conformance.run.many import TargetRun
    from conformance.run.targets import Target

_LISTS: Final = (".csv", ".tsv", ".txt")
"""Suffixes of tables and of lists of URLs; other files are TOML."""
COLOUR: Final = {"conformant": "green", "non-conformant": "red", "inconclusive": "yellow", "error": "magenta"}


def check_all(  # noqa: PLR0913 - one parameter for each option that is looked at here
    file: Path, only: Sequence[str], parallel: int, report_dir: Path, given: Mapping[str, Any], *, quiet: bool
) -> int:
    """Check the targets that a file names, or those of them named in ``only``; ``given`` outweighs what it says."""
    from conformance.history.overview import overview
    from conformance.judge.ledger import instant
    from conformance.render.overview import headline, write_overview
    from conformance.render.write import check_writable
    from conformance.run.many import jobs, run_all

    for name in OF_ONE:
        if name in given:
            told = f"--{name.replace('_', '-')} belongs to one target: with --all write it into {file}"
            raise refusal(told)
    try:
        targets = [target.with_options(given) for target in chosen(file, only)]
        work = jobs(targets, os.environ, report_dir)
        check_writable(report_dir)
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    except OSError as error:
        raise unwritable(report_dir, error) from None
    if not quiet:
        _announce(work, parallel)
    start = time.time()
    with _progress(work, quiet=quiet) as tell:
        found = run_all(work, parallel=parallel, tell=tell, say=_say)
    whole = overview(found, start=instant(start), end=instant(time.time()))
    try:
        write_overview(whole, report_dir)
    except OSError as error:
        raise unwritable(report_dir, error) from None
    for one in () if quiet else found:
        click.secho(_line(one), fg=COLOUR[one.outcome])
    click.secho(headline(whole), fg=COLOUR[whole.outcome])
    if not quiet:
        click.echo(f"overview: {report_dir / 'index.html'}")
    return whole.exit


def chosen(file: Path, only: Sequence[str]) -> list[Target]:
    """Read the targets of a file, or those of them named in ``only``. Raises UsageProblem."""
    targets = {target.name: target for target in (_listed(file) if file.suffix.lower() in _LISTS else read(file))}
    for name in only:
        if name not in targets:
            raise UsageProblem(f"{file} names no target {name!r}{did_you_mean(name, targets)}")
    return [target for target in targets.values() if not only or target.name in only]


def _listed(file: Path) -> list[Target]:
    """Read a CSV file or a list of URLs. A target's name is that of its directory too."""
    from conformance.fleet.sources import source_of

    with source_of(str(file), sys.stdin.buffer) as source:
        targets = [replace(target, name=_directory(target.name)) for target in source]
    seen: set[str] = set()
    for target in targets:
        if target.name.lower() in seen:
            raise UsageProblem(f"{file}: two targets have the name {target.name!r}: add a column 'name'")
        seen.add(target.name.lower())
    if not targets:
        raise UsageProblem(f"{file} names no endpoint: give one URL a line, or a CSV file with a column 'url'")
    return targets


def _directory(name: str) -> str:
    """Return a name of a directory: of a URL what stands after its scheme."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name.partition("://")[2] or name).strip(".-")[:64] or "target"


def _announce(work: Sequence[TargetRun], parallel: int) -> None:
    from conformance.run.consent import announcement

    for job in work:
        for line in announcement(job.settings):
            click.echo(f"{job.target.name}: {line}", err=True)
    if os.environ.get(DEFAULT_KEY_ENV) and not any(DEFAULT_KEY_ENV in job.target.variables for job in work):
        told = f'{DEFAULT_KEY_ENV} is set and sent to nobody: no target says api-key-env = "{DEFAULT_KEY_ENV}"'
        click.echo(told, err=True)
    if len(work) > parallel:
        click.echo(f"{parallel} at a time", err=True)


def _say(text: str) -> None:
    """Print what a run says on the standard error: what somebody has to know at once."""
    from conformance.text.safe import line

    click.echo(("\r\033[K" if sys.stderr.isatty() else "") + line(text), err=True)


def _line(one: TargetResult) -> str:
    from conformance.text.safe import line

    flags = "".join(f" [{flag}]" for flag in one.flags)
    return line(f"{one.name}: {one.outcome}: {one.reason}{flags}")


def _progress(work: Sequence[TargetRun], *, quiet: bool) -> Any:
    """Show on a terminal who is being checked and what others came to; nowhere else."""
    from contextlib import contextmanager

    @contextmanager
    def shown() -> Any:
        if quiet or not sys.stderr.isatty():
            yield lambda *_: None
            return
        running: dict[str, None] = {}
        ended = 0

        def tell(name: str, found: TargetResult | None) -> None:
            nonlocal ended
            if found is None:
                running[name] = None
            else:
                del running[name]
                ended += 1
            names = ", ".join([*running][:6]) + (", …" if len(running) > 6 else "")
            click.echo(f"\r\033[K{ended} of {len(work)} ended; running: {names}", nl=False, err=True)

        try:
            yield tell
        finally:
            click.echo("\r\033[K", nl=False, err=True)

    return shown()
