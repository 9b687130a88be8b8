"""``comfy-conformance site``: a history as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.shared import refusal


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="The history, as runs with --history keep it.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Where the report directories of runs are kept, at any depth; each goes to its run. [default: no reports]",
)
@click.option(
    "--title", metavar="TEXT", default="Queue conformance", show_default=True, help="What the site is called."
)
@click.option(
    "--runs",
    type=click.IntRange(1),
    metavar="N",
    default=100,
    show_default=True,
    help="Runs of each target that have a page.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but what is wrong.")
def site(  # noqa: PLR0913 - one parameter for each option
    *, directory: Path, history: Path, reports: Path | None, title: str, runs: int, quiet: bool
) -> None:
    """Write a static site of a history: targets, runs, what changed.

    The pages go to DIR/index.html and below, each replaced whole, and need nothing else: no script, no network.
    Publish the folder as it is, on Pages or anywhere else.
    """
    from conformance.history import HistoryProblem, Store
    from conformance.render.site import find_reports, write_site
    from conformance.text.plural import count
    from conformance.text.safe import line

    kept = None if reports is None else find_reports(reports)
    try:
        with Store(history) as store:
            made = write_site(store, directory, reports=kept, title=title, runs=runs)
    except HistoryProblem as problem:
        raise refusal(str(problem)) from None
    except FileExistsError as error:
        raise refusal(f"{error}: give another DIR") from None
    except OSError as error:
        raise refusal(f"{directory} cannot be written ({error.strerror}): give another DIR") from None
    for path in () if kept is None else kept.unread:
        click.echo(line(f"left out, no compliance.json of this suite: {path}"), err=True)
    if quiet:
        return
    held = f"{count(made.targets, 'target')}, {count(made.runs, 'run')}"
    click.echo(f"{held}, {made.reports} of them with their report")
    click.echo(f"site: {directory / 'index.html'}")
