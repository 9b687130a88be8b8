"""``comfy-conformance publish badge``: a badge of a run."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.shared import Command
from conformance.problems import UsageProblem
from conformance.text.files import write_whole


@click.command(cls=Command)
@click.argument("report", type=click.Path(path_type=Path), default=Path("reports/latest/compliance.json"))
@click.option(
    "--output",
    "-o",
    "outputs",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    multiple=True,
    help="A file to write, named .svg or .json; repeatable. [default: badge.svg and badge.json beside REPORT]",
)
@click.option("--label", metavar="TEXT", default="GET /api/queue", show_default=True, help="Text on the left side.")
@click.option("--quiet", "-q", is_flag=True, help="Print only problems.")
def badge(*, report: Path, outputs: tuple[Path, ...], label: str, quiet: bool) -> None:
    """Write a badge of a run: an SVG, and the JSON for shields.io.

    REPORT is a compliance.json, by default reports/latest/compliance.json. The badge shows the verdict, the checked
    clauses of each profile and the date. Serve the JSON file from any web server and give its URL to
    https://shields.io/endpoint.
    """
    from conformance.history import snapshot
    from conformance.judge.read import read_report
    from conformance.render.badge import badge_of, render_endpoint, render_svg

    formats = {".svg": render_svg, ".json": render_endpoint}
    for path in outputs:
        if path.suffix.lower() not in formats:
            raise UsageProblem(f"{path} is neither SVG nor JSON: name a file such as badge.svg or badge.json")
    if not label.strip():
        raise UsageProblem("--label is empty: give the text for the left side of the badge")
    found = read_report(report)
    made = badge_of(snapshot(found), label)
    beside = report if report.is_dir() else report.parent
    paths = outputs or (beside / "badge.svg", beside / "badge.json")
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole({path: formats[path.suffix.lower()](made) for path in paths})
    except OSError as error:
        problem = f"{error.filename or paths[0]} cannot be written ({error.strerror})"
        raise UsageProblem(f"{problem}: choose another file with --output") from None
    if not quiet:
        click.echo(f"{made.label}: {made.message}")
        click.echo(f"badge: {', '.join(map(str, paths))}")
