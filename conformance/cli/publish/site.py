"""``comfy-conformance publish site``: a history as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.shared import Command
from conformance.problems import UsageProblem
from conformance.text.plural import count
from conformance.text.safe import line


@click.command(cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="The history, a file that runs with --history write.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Directory with report directories at any depth; each report is linked from its run. [default: no reports]",
)
@click.option("--title", metavar="TEXT", default="Queue conformance", show_default=True, help="Title of the site.")
@click.option(
    "--runs",
    type=click.IntRange(1),
    metavar="N",
    default=100,
    show_default=True,
    help="Number of runs of each target that get a page.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only problems.")
def site(  # noqa: PLR0913 - one parameter for each option
    *, directory: Path, history: Path, reports: Path | None, title: str, runs: int, quiet: bool
) -> None:
    """Write a static site of a history: targets, runs and changes.

    The pages are DIR/index.html and files below DIR. They need no script and no network: copy the folder to GitHub
    Pages or to any web server.
    """
    from conformance.history import Store
    from conformance.render.site import find_reports, write_site

    kept = None if reports is None else find_reports(reports)
    try:
        with Store(history) as store:
            made = write_site(store, directory, reports=kept, title=title, runs=runs)
    except FileExistsError as error:
        raise UsageProblem(f"{error}: give another DIR") from None
    except OSError as error:
        raise UsageProblem(f"{directory} cannot be written ({error.strerror}): give another DIR") from None
    for path in () if kept is None else kept.unread:
        click.echo(line(f"left out, because it is not a compliance.json of this suite: {path}"), err=True)
    if quiet:
        return
    held = f"{count(made.targets, 'target')}, {count(made.runs, 'run')}"
    click.echo(f"{held}, {made.reports} of them with their report")
    click.echo(f"site: {directory / 'index.html'}")
