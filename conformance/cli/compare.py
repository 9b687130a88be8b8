"""``comfy-conformance compare``: two endpoints side by side, clause by clause."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance.cli.shared import (
    GroupedCommand,
    GroupedOption,
    option_of_a_run,
    options_at,
    progress,
    reading,
    refusal,
    unwritable,
)
from conformance.problems import UsageProblem
from conformance.run.describing import Group, Place
from conformance.run.options import at, settings_from
from conformance.run.settings import DEFAULT_KEY_ENV, EMBEDDED

if TYPE_CHECKING:
    from conformance.history.comparison import Comparison
    from conformance.judge.report import Report
    from conformance.run.settings import Settings

EXIT: Final = {"same": 0, "different": 1, "unclear": 10}
OF_BOTH: Final = tuple(option.name for option in at(Place.BOTH))
"""Options of a run that hold for both sides. If a side needs others, check it first and give its report."""
OF_ONE: Final = tuple(option.name for option in at(Place.SIDE))
"""Options of a run that each side has for itself."""
DEFAULT_DIRECTORY: Final = "reports/compare"


def _options_of_a_side(command: Any) -> Any:
    for side in "ba":
        for option in reversed(at(Place.SIDE)):
            usual = "no key is sent" if option.name == "api_key_env" else option.usual
            about = option.about._replace(usual=usual)
            own = option._replace(help=f"of {side.upper()}, the {option.help}", about=about)
            command = option_of_a_run(own, f"-{side}")(command)
    return command


@click.command(cls=GroupedCommand)
@click.argument("a")
@click.argument("b")
@_options_of_a_side
@options_at(Place.BOTH)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    default=DEFAULT_DIRECTORY,
    show_default=True,
    cls=GroupedOption,
    group=Group.REPORT.value,
    help="Where index.html, comparison.json and summary.md go, and the report of each side in a/ and b/.",
)
def compare(*, a: str, b: str, report_dir: Path, quiet: bool, **options: Any) -> int:
    """Set two endpoints side by side, clause by clause.

    A and B are base URLs (or embedded), which are checked one after the other, or the compliance.json of a run
    before. No side sees the key of the other: a key is sent where --api-key-env-a or --api-key-env-b names it, and
    COMFY_API_KEY alone is sent to nobody. A side that needs further options is checked first, and its report given.

    \b
    Exit status:
      0   the same verdict, and no clause is opposed
      1   different: opposed verdicts, or a clause that one side keeps and the other
          breaks, that both break in other ways, or that one breaks and nothing
          came up for on the other
      10  nothing is different so far, and one side is inconclusive
      4   input that cannot be compared

    A clause that nothing came up for on one side, or that its dialect does not ask, is listed and is no difference.
    """  # noqa: D301 - click wants the backspace itself
    from conformance.history.comparison import contrast
    from conformance.render.write import check_writable

    plans = {side: _plan(side, given, options) for side, given in (("a", a), ("b", b))}
    for directory in (report_dir, report_dir / "a", report_dir / "b"):
        try:
            check_writable(directory)
        except OSError as error:
            raise unwritable(directory, error) from None
    reports = [plan(quiet) for plan in plans.values()]
    comparison = contrast(*reports)
    try:
        _write(comparison, reports, report_dir)
    except OSError as error:
        raise unwritable(report_dir, error) from None
    _print(comparison, report_dir, quiet=quiet)
    return EXIT[comparison.outcome]


def _plan(side: str, given: str, options: Mapping[str, Any]) -> Callable[[bool], Report]:
    """Return what brings the report of a side, everything that was typed checked. Takes whether to be quiet."""
    own = {name: options[f"{name}_{side}"] for name in OF_ONE if options[f"{name}_{side}"] is not None}
    path = Path(given)
    if given != EMBEDDED and "://" not in given and (path.suffix == ".json" or path.exists()):
        if own:
            flag = f"--{next(iter(own)).replace('_', '-')}-{side}"
            raise refusal(f"{flag} is for a URL: {given} is a report already")
        report = reading(path)
        return lambda _quiet: report
    shared = {name: options[name] for name in OF_BOTH}
    keyless = "api_key_env" not in own and given != EMBEDDED
    try:
        settings = settings_from(os.environ, {**shared, **own, "target": given, "no_key": keyless})
    except UsageProblem as problem:
        raise _refused(side, problem) from None
    return lambda quiet: _checked(side, settings, quiet=quiet)


def _checked(side: str, settings: Settings, *, quiet: bool) -> Report:
    from conformance.judge.build import report_on
    from conformance.run.ask import ask
    from conformance.run.consent import announcement

    if not quiet:
        for told in announcement(settings):
            click.echo(f"{side.upper()}: {told}", err=True)
        if settings.no_key and os.environ.get(DEFAULT_KEY_ENV):
            click.echo(f"{side.upper()}: no key is sent (--api-key-env-{side} names one)", err=True)
    with progress(settings, quiet=quiet) as tell:
        try:
            transcript = ask(settings, tell)
        except UsageProblem as problem:
            raise _refused(side, problem) from None
    return report_on(transcript, settings.judging)


def _refused(side: str, problem: UsageProblem) -> click.UsageError:
    """Name the side, and its options by the names that they have here."""
    told = str(problem)
    for name in OF_ONE:
        flag = f"--{name.replace('_', '-')}"
        told = told.replace(flag, f"{flag}-{side}")
    return refusal(f"{side.upper()}: {told}")


def _write(comparison: Comparison, reports: Sequence[Report], directory: Path) -> None:
    from conformance.history.comparison import encode
    from conformance.render.comparison import comparison_markdown, render_comparison
    from conformance.render.write import write_reports
    from conformance.text.files import write_whole

    for side, report in zip("ab", reports, strict=True):
        write_reports(report, directory / side)
    write_whole(
        {
            directory / "index.html": render_comparison(comparison).encode(),
            directory / "comparison.json": encode(comparison),
            directory / "summary.md": comparison_markdown(comparison).encode(),
        }
    )


def _print(comparison: Comparison, directory: Path, *, quiet: bool) -> None:
    from conformance.render.comparison import comparison_lines
    from conformance.render.terminal import COLOUR

    lines = comparison_lines(comparison)
    for line in lines[-1:] if quiet else lines:
        click.secho(line.text, fg=COLOUR.get(line.style))
    if not quiet:
        click.echo(f"report: {directory / 'index.html'}")
