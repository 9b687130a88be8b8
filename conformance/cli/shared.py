"""Code that the commands share: options, and writing the report at the end of a run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance.problems import EXIT_USAGE, UsageProblem
from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.judge.report import Report
    from conformance.run.describing import Place
    from conformance.run.options import Option
    from conformance.run.settings import Settings


OTHERS: Final = "Other options"


class GroupedOption(click.Option):
    """An option that is listed below a heading in ``--help``."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class Command(click.Command):
    """A command for which bad input is a usage error of its own: the message names its ``--help``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises click.UsageError instead of UsageProblem."""
        try:
            return super().invoke(ctx)
        except UsageProblem as problem:
            raise click.UsageError(str(problem), ctx) from None


class GroupedCommand(Command):
    """A command whose ``--help`` groups its options below headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                heading = parameter.group if isinstance(parameter, GroupedOption) else OTHERS
                sections.setdefault(heading, []).append(record)
        for heading in sorted(sections, key=lambda heading: heading == OTHERS):
            with formatter.section(heading):
                formatter.write_dl(sections[heading])


format_option: Final = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
"""The option ``--format`` of the commands that print a comparison."""


def option_of_a_run(option: Option, suffix: str = "") -> Callable[..., Any]:
    """Return the click decorator for an option of ``run/table.py``.

    ``suffix`` is appended to the name of the option: ``compare`` has ``--dialect-a`` and ``--dialect-b``.
    """
    help_text = f"{option.help[0].upper()}{option.help[1:]}.{option.notes}"
    if option.metavar is None:
        return click.option(option.flag, is_flag=True, help=help_text, cls=GroupedOption, group=option.group)
    return click.option(
        f"{option.flag}{suffix}",
        type=click.Choice(option.choices) if option.choices else option.type,
        metavar=None if option.choices else option.metavar,
        default=None if suffix else option.default,
        multiple=option.multiple,
        help=help_text,
        cls=GroupedOption,
        group=option.group,
    )


def options_at(place: Place, *, quiet: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds to a command all options that apply in ``place``, and --quiet if ``quiet``."""
    from conformance.run.options import at

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        if quiet:
            command = click.option("--quiet", "-q", is_flag=True, help="Print only the verdict.")(command)
        for option in reversed(at(place)):
            command = option_of_a_run(option)(command)
        return command

    return add


def finish(report: Report, settings: Settings, *, quiet: bool, write: bool = True) -> int:
    """Store the run in the history, write the report, print the summary, and return the exit status.

    If the run could not be stored in the history, the exit status is never 0.
    """
    from conformance.judge.exit import exit_status
    from conformance.render.terminal import COLOUR, summary_lines
    from conformance.render.write import write_reports

    unkept = False
    if settings.history is not None:
        from conformance.history import HistoryProblem, keep

        try:
            report = keep(report, settings.history, fail_on_should=settings.fail_on_should)
        except HistoryProblem as problem:
            unkept = True
            click.secho(line(f"{problem}: this run was not stored"), fg="red", err=True)
    if write:
        try:
            write_reports(report, settings.report_dir, fail_on_should=settings.fail_on_should, formats=settings.formats)
        except OSError as error:
            raise unwritable(settings.report_dir, error) from None
    lines = summary_lines(report)
    for one in lines[:1] if quiet else lines:
        click.secho(one.text, fg=COLOUR.get(one.style))
    if write and not quiet:
        click.echo(f"report: {settings.report_dir / 'index.html'}")
    status = exit_status(report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok)
    return status or EXIT_USAGE if unkept else status


def demand_writable(directory: Path, formats: Collection[str] = ()) -> None:
    """Create a report directory. Raises UsageProblem if reports cannot be written there, before anything is sent."""
    from conformance.render.write import check_writable

    try:
        check_writable(directory, formats)
    except OSError as error:
        raise unwritable(directory, error) from None


def unwritable(directory: Path, error: OSError) -> UsageProblem:
    """Return the exception for a report directory that cannot be written."""
    msg = f"the report directory {directory} cannot be written ({error.strerror}): choose another with --report-dir"
    return UsageProblem(msg)
