"""``comfy-conformance badge``: a badge of a run."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.shared import reading, refusal


@click.command()
@click.argument("report", type=click.Path(path_type=Path), default=Path("reports/latest/compliance.json"))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where badge.svg and badge.json go. [default: beside REPORT]",
)
@click.option("--label", metavar="TEXT", default="GET /api/queue", show_default=True, help="What stands on the left.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but what is wrong.")
def badge(*, report: Path, output: Path | None, label: str, quiet: bool) -> None:
    """Write a badge of a run: an SVG, and the JSON for shields.io.

    REPORT is a compliance.json, by default reports/latest/compliance.json. The badge says verdict, exercised
    n of m, and date. badge.json is for https://shields.io/endpoint, from wherever you serve it.
    """
    from conformance.history import snapshot
    from conformance.render.badge import badge_of, render_endpoint, render_svg
    from conformance.text.files import write_whole

    if not label.strip():
        raise refusal("--label is empty: say of what the badge is")
    made = badge_of(snapshot(reading(report)).run, label)
    directory = report.parent if output is None else output
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole({directory / "badge.svg": render_svg(made), directory / "badge.json": render_endpoint(made)})
    except OSError as error:
        raise refusal(f"{directory} cannot be written ({error.strerror}): choose another with --output") from None
    if not quiet:
        click.echo(f"{made.label}: {made.message}")
        click.echo(f"badge: {directory / 'badge.svg'}, {directory / 'badge.json'}")
