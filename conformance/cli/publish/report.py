"""``comfy-conformance publish report``: the overview of a run over many targets, or the report of one."""

from __future__ import annotations

import os
from pathlib import Path

import click

from conformance.cli.check_all import show_overview
from conformance.cli.shared import Command, finish, unwritable
from conformance.problems import UsageProblem
from conformance.run.settings import Settings
from conformance.text.suggest import did_you_mean


@click.command(cls=Command, short_help="Write the overview of a run over many targets, or the report of one of them.")
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path))
@click.option(
    "--endpoint",
    metavar="NAME",
    help="Write the report of this endpoint, given by its name or URL. [default: the overview]",
)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the pages go. [default: the first DIR; a report goes into endpoint/ below it]",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only the verdict.")
def report(directories: tuple[Path, ...], endpoint: str | None, report_dir: Path | None, *, quiet: bool) -> int:
    """Write the overview of a run over many targets, or the report of one of them.

    DIR is the report directory of ``check --all``. Several directories, such as those of the parts of a run, become one
    overview.
    """
    into = report_dir or (directories[0] / "endpoint" if endpoint is not None else directories[0])
    if endpoint is not None:
        return _report(directories, endpoint, into, quiet=quiet)
    return _overview(directories, into, quiet=quiet)


def _overview(directories: tuple[Path, ...], into: Path, *, quiet: bool) -> int:
    try:
        into.mkdir(parents=True, exist_ok=True)
        return show_overview(directories, into, quiet=quiet)
    except OSError as error:
        raise unwritable(into, error) from None


def _report(directories: tuple[Path, ...], endpoint: str, into: Path, *, quiet: bool) -> int:
    from conformance.fleet.results import endpoints, report_of

    names: list[str] = []
    for directory in directories:
        for result in endpoints(directory):
            if endpoint in {result.name, result.target}:
                found = report_of(directory, result)
                options = found.run.options
                settings = Settings(
                    report_dir=into,
                    fail_on_should=options.get("fail_on_should") is True,
                    inconclusive_ok=options.get("inconclusive_ok") is True,
                )
                return finish(found, settings, quiet=quiet)
            if len(names) < 10_000:
                names.append(result.name)
    raise UsageProblem(
        f"no endpoint {endpoint!r} in {', '.join(map(os.fspath, directories))}{did_you_mean(endpoint, names)}"
    )
