"""``comfy-conformance check``: check an endpoint and write a report."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from conformance.cli.shared import (
    GroupedCommand,
    GroupedOption,
    finish,
    options_at,
    progress,
    refusal,
    unwritable,
)
from conformance.problems import UsageProblem
from conformance.run.describing import Place
from conformance.run.options import settings_from
from conformance.run.settings import Settings

TARGETS_FILE: Final = "targets.toml"
PARALLEL: Final = 4
MANY: Final = "Many targets"
"""The heading of the options for many targets."""


@click.command(cls=GroupedCommand)
@click.argument("url", required=False)
@options_at(Place.CHECK)
@click.option(
    "--all",
    "file",
    type=click.Path(path_type=Path),
    is_flag=False,
    flag_value=TARGETS_FILE,
    metavar="[FILE]",
    help=f"Check every target of a file, and write an overview too. [default: one target; FILE: {TARGETS_FILE}]",
    cls=GroupedOption,
    group=MANY,
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="With --all, check only this target; repeatable. [default: all]",
    cls=GroupedOption,
    group=MANY,
)
@click.option(
    "--parallel",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"With --all, number of targets at a time. [default: {PARALLEL}]",
    cls=GroupedOption,
    group=MANY,
)
@click.option(
    "--list",
    "form",
    type=click.Choice(["text", "json"]),
    is_flag=False,
    flag_value="text",
    metavar="[FORMAT]",
    help="With --all, list the targets and send nothing; json is one line for the matrix of a CI system. "
    "[default: check them; FORMAT: text]",
    cls=GroupedOption,
    group=MANY,
)
@click.option("--open", "opened", is_flag=True, help="Open the report in a browser.")
def check(  # noqa: PLR0913, PLR0917 - one parameter for each option that is looked at here
    url: str | None,
    target: str | None,
    report_dir: str,
    quiet: bool,
    file: Path | None,
    only: tuple[str, ...],
    parallel: int | None,
    form: str | None,
    opened: bool,
    **options: Any,
) -> int:
    """Check an endpoint and write a report.

    URL is the base URL of the server, such as http://127.0.0.1:8188. Without a URL the embedded reference endpoint is
    checked.

    With --all every target of a file (docs/ci.md) is checked by a process of its own, without the keys of others.
    Other options that are given with it override the file. Exit status: the first of 1, 3, 4, 10 and 0 that any
    target ends with; 3 if a run failed or was stopped.
    """
    if file is not None:
        if url is not None:
            raise refusal("--all FILE names the targets: leave out the URL")
        status = _many(file, only, parallel, form, {"target": target, **options}, Path(report_dir), quiet=quiet)
        return _open(Path(report_dir), status) if opened and form is None else status
    stray = [flag for flag, value in (("--only", only), ("--parallel", parallel), ("--list", form)) if value]
    if stray:
        raise refusal(f"{stray[0]} is for many targets: add --all")
    from conformance.judge.build import report_on
    from conformance.run.ask import ask
    from conformance.run.consent import announcement

    if url is not None and target is not None and url != target:
        msg = "two targets: give the URL as an argument or with --target, not both"
        raise refusal(msg)
    try:
        settings = settings_from(
            os.environ, options | {"target": url if url is not None else target, "report_dir": report_dir}
        )
        _see_places(settings)
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    except OSError as error:
        raise unwritable(Path(report_dir), error) from None
    if not quiet:
        for line in announcement(settings):
            click.echo(line, err=True)
    settings = _consent(settings)
    with progress(settings, quiet=quiet) as tell:
        try:
            transcript = ask(settings, tell)
        except UsageProblem as problem:
            raise refusal(str(problem)) from None
    status = finish(report_on(transcript, settings.judging), settings, quiet=quiet)
    return _open(settings.report_dir, status) if opened else status


def _open(directory: Path, status: int) -> int:
    """Open the report in a browser. A machine without one changes no exit status."""
    import webbrowser

    page = (directory / "index.html").resolve()
    if page.exists() and not webbrowser.open(page.as_uri()):
        click.echo(f"no browser was found: open {page} yourself", err=True)
    return status


def _many(  # noqa: PLR0913, PLR0917 - one parameter for each option that is looked at
    file: Path,
    only: tuple[str, ...],
    parallel: int | None,
    form: str | None,
    options: Mapping[str, Any],
    report_dir: Path,
    *,
    quiet: bool,
) -> int:
    """Check the targets of a file, or list them."""
    if form is not None:
        from conformance.cli.list_targets import list_targets

        return list_targets(file, only, form)
    from conformance.cli.check_all import check_all

    typed = click.get_current_context().get_parameter_source
    given = {name: value for name, value in options.items() if typed(name) is ParameterSource.COMMANDLINE}
    return check_all(file, only, parallel or PARALLEL, report_dir, given, quiet=quiet)


def _see_places(settings: Settings) -> None:
    """See where the run is to be left, before anything is sent. Raises UsageProblem and OSError."""
    from conformance.render.write import check_writable

    check_writable(settings.report_dir, settings.formats)
    if settings.history is not None:
        from conformance.history import prepare

        prepare(settings.history)


def _consent(settings: Settings) -> Settings:
    """Ask before something is written to somebody's host; where nobody can be asked, the run itself wants --yes."""
    from conformance.run.consent import agreed, unconsented

    question = unconsented(settings)
    if question is None or not sys.stdin.isatty():
        return settings
    if not click.confirm(f"{question}. Go on?", err=True):
        raise refusal("nothing was sent")
    return agreed(settings)
