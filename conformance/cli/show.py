"""``comfy-conformance show``: the overview of fleets again, or the report of one of their endpoints."""

from __future__ import annotations

import os
from pathlib import Path

import click

from conformance.cli.check_all import COLOUR
from conformance.cli.shared import finish, refusal, unwritable
from conformance.problems import UsageProblem
from conformance.run.settings import Settings
from conformance.text.suggest import did_you_mean


@click.command(short_help="Show the report of one endpoint of a fleet.")
@click.argument("directories", nargs=-1, required=True, metavar="DIR...", type=click.Path(path_type=Path))
@click.option(
    "--endpoint", metavar="NAME", help="Show the report of this endpoint, by its name or URL. [default: the overview]"
)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the pages go. [default: the first DIR; a report goes into endpoint/ below it]",
)
@click.option("--quiet", "-q", is_flag=True, help="Print the verdict alone.")
def show(directories: tuple[Path, ...], endpoint: str | None, report_dir: Path | None, *, quiet: bool) -> int:
    """Show what fleets have found: one overview of all, or the report of one endpoint.

    DIR is the report directory of a fleet. Several, such as those of the parts of a fleet, are shown as one.
    """
    into = report_dir or (directories[0] / "endpoint" if endpoint is not None else directories[0])
    try:
        if endpoint is not None:
            return _report(directories, endpoint, into, quiet=quiet)
        return _overview(directories, into, quiet=quiet)
    except UsageProblem as problem:
        raise refusal(str(problem)) from None


def _overview(directories: tuple[Path, ...], into: Path, *, quiet: bool) -> int:
    from conformance.fleet.overview import write_overview
    from conformance.fleet.tally import headline
    from conformance.fleet.text import summary

    try:
        into.mkdir(parents=True, exist_ok=True)
        tally = write_overview(directories, into)
    except OSError as error:
        raise unwritable(into, error) from None
    for text in () if quiet else summary(tally):
        click.echo(text)
    click.secho(headline(tally), fg=COLOUR[tally.outcome])
    if not quiet:
        click.echo(f"overview: {into / 'index.html'}")
    return tally.exit


def _report(directories: tuple[Path, ...], endpoint: str, into: Path, *, quiet: bool) -> int:
    from conformance.fleet.results import endpoints, report_of

    names: list[str] = []
    for directory in directories:
        for result in endpoints(directory):
            if endpoint in {result.name, result.target}:
                report = report_of(directory, result)
                options = report.run.options
                settings = Settings(
                    report_dir=into,
                    fail_on_should=options.get("fail_on_should") is True,
                    inconclusive_ok=options.get("inconclusive_ok") is True,
                )
                return finish(report, settings, quiet=quiet)
            if len(names) < 10_000:
                names.append(result.name)
    raise UsageProblem(
        f"no endpoint {endpoint!r} in {', '.join(map(os.fspath, directories))}{did_you_mean(endpoint, names)}"
    )
