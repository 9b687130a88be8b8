"""``comfy-conformance deviations``: create or check a register of known deviations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.shared import Command
from conformance.problems import UsageProblem
from conformance.text.plural import count
from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.judge.report import Report


@click.group(short_help="Create or check a register of known deviations.")
def deviations() -> None:
    """Create or check a register of known deviations (docs/deviations.md).

    Give it to a run with --deviations FILE: the failures that it names are waived until they expire.
    """


@deviations.command(cls=Command)
@click.argument("report", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write; it must not exist yet. [default: standard output]",
)
@click.option("--should", is_flag=True, help="Write entries also for breached 'should' clauses.")
def init(report: Path, output: Path | None, *, should: bool) -> None:
    """Write an entry to fill in for each failure of a run.

    REPORT is the compliance.json of a run, or the directory that contains it.
    """
    from datetime import UTC, datetime

    from conformance.judge.deviations.draft import draft
    from conformance.judge.read import read_report

    found = read_report(report)
    text = draft(found, datetime.now(UTC).date(), should=should)
    if not text:
        click.echo(f"{report}: {_nothing_to_write(found)}", err=True)
        return
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        msg = f"{output} exists already and was not changed: name another file, or append with >> {output}"
        raise UsageProblem(msg) from None
    except OSError as error:
        raise UsageProblem(f"{output} cannot be written ({error.strerror}): name another file with --output") from None
    click.echo(f"wrote {output}: replace each TODO, then run with --deviations {output}", err=True)


def _nothing_to_write(report: Report) -> str:
    counts = report.counts
    if counts.waived:
        return "every failure is already waived: nothing to write"
    warned = f", and {count(counts.warn, 'warning')} (--should writes an entry for each)" if counts.warn else ""
    return f"no failure{warned}: nothing to write"


@deviations.command()
def example() -> None:
    """Print a register of the known deviations of ComfyUI itself."""
    from importlib.resources import files

    click.echo(files("conformance.judge.deviations").joinpath("comfyui.toml").read_text("utf-8"), nl=False)


@deviations.command(cls=Command, short_help="Check a register: its form, names and dates.")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> int:
    """Check that a register is readable, names existing clauses and kinds of failure, and has no expired entry.

    Exit status: 0 if all entries are valid, 1 if one needs attention, 4 if the file cannot be read.
    """
    from datetime import UTC, datetime

    from conformance.judge.deviations.register import read_register
    from conformance.judge.deviations.review import review

    register = read_register(file)
    rows, holds = review(register, datetime.now(UTC).date())
    for row in rows:
        click.echo(line(row))
    return 0 if holds else 1
