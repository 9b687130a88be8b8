"""``comfy-conformance check``: check an endpoint and write a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from conformance.cli.options_of_many import MANY, NAMES, options_of_many
from conformance.cli.progress import progress
from conformance.cli.shared import GroupedCommand, GroupedOption, demand_writable, finish, options_at
from conformance.problems import UsageProblem
from conformance.run.describing import Place
from conformance.run.options import settings_from
from conformance.run.settings import Settings

TARGETS_FILE: Final = "targets.toml"


@click.command(cls=GroupedCommand)
@click.argument("url", required=False)
@options_at(Place.CHECK)
@click.option(
    "--all",
    "source",
    is_flag=False,
    flag_value=TARGETS_FILE,
    metavar="[SOURCE]",
    help="Check all targets of a targets.toml, a CSV file, a file with one URL per line, or - for standard input. "
    f"[default: one target; SOURCE: {TARGETS_FILE}]",
    cls=GroupedOption,
    group=MANY,
)
@options_of_many
@click.option("--open", "opened", is_flag=True, help="Open the report in a browser.")
def check(  # noqa: PLR0913 - one parameter for each option that this function reads
    *,
    url: str | None,
    target: str | None,
    report_dir: str,
    quiet: bool,
    source: str | None,
    opened: bool,
    **options: Any,
) -> int:
    """Check an endpoint and write a report.

    URL is the base URL of the server, such as http://127.0.0.1:8188. Without a URL the embedded reference endpoint is
    checked.

    With --all, every target of SOURCE is checked (docs/fleet.md), by processes on this machine or by a Dask cluster.
    Each key is sent only to its own target. Options given on the command line override SOURCE. Finished results are
    kept even if the run stops, and --resume continues from there. Exit status: the first of 1, 3, 4, 10 and 0 that any
    target ends with; 2 if the run was interrupted, 3 if it could not continue.
    """
    many = {name: options.pop(name) for name in NAMES}
    if source is not None:
        if url is not None:
            raise UsageProblem("with --all, SOURCE names the targets: leave out the URL")
        from conformance.cli.check_all import check_all

        status = check_all(source, many, Path(report_dir), _typed_options({"target": target, **options}), quiet=quiet)
        return _open(Path(report_dir), status) if opened and many["list"] is None else status
    for name in _typed_options(many):
        raise UsageProblem(f"--{name.replace('_', '-')} is for many targets: add --all")
    from conformance.judge.build import report_on
    from conformance.run.consent import announcement
    from conformance.run.one_run import ask

    if url is not None and target is not None and url != target:
        raise UsageProblem("two targets: give the URL as an argument or with --target, not both")
    address = url if url is not None else target
    settings = settings_from(os.environ, options | {"target": address, "report_dir": report_dir})
    demand_writable(settings.report_dir, settings.formats)
    if settings.history is not None:
        from conformance.history import prepare

        prepare(settings.history)
    if not quiet:
        for line in announcement(settings):
            click.echo(line, err=True)
    settings = _consent(settings)
    with progress(settings, quiet=quiet) as tell:
        transcript = ask(settings, tell)
    status = finish(report_on(transcript, settings.judging), settings, quiet=quiet)
    return _open(settings.report_dir, status) if opened else status


def _open(directory: Path, status: int) -> int:
    """Open the report in a browser, and return ``status`` whether or not that works."""
    import webbrowser

    page = (directory / "index.html").resolve()
    if page.exists() and not webbrowser.open(page.as_uri()):
        click.echo(f"no browser was found: open {page} yourself", err=True)
    return status


def _typed_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that the user typed on the command line, without defaults."""
    source = click.get_current_context().get_parameter_source
    return {name: value for name, value in values.items() if source(name) is ParameterSource.COMMANDLINE}


def _consent(settings: Settings) -> Settings:
    """Ask the user before a run changes a remote server.

    Without a terminal nobody can answer, and the run requires --yes.
    """
    from conformance.run.consent import unconsented, with_consent

    question = unconsented(settings)
    if question is None or not sys.stdin.isatty():
        return settings
    if not click.confirm(f"{question}. Go on?", err=True):
        raise UsageProblem("nothing was sent")
    return with_consent(settings)
