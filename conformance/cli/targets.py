"""``comfy-conformance targets``: what a file of targets names, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.check import TARGETS_FILE
from conformance.cli.shared import refusal


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path(TARGETS_FILE), metavar="[FILE]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print them.",
)
def targets(file: Path, form: str) -> None:
    """List the targets of a file, having looked that it can be meant.

    FILE is targets.toml unless another is named. Nothing is sent, and no key is read. The JSON is one line,
    fit for the matrix of a CI system.
    """
    import json

    from conformance.problems import UsageProblem
    from conformance.run.targets import read
    from conformance.text.safe import line

    try:
        found = read(file)
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    if form == "json":
        click.echo(json.dumps([{"name": one.name, "target": one.url, "keys": sorted(one.variables)} for one in found]))
        return
    width = max(len(one.name) for one in found)
    for one in found:
        told = ", ".join(sorted(one.variables)) or one.options.get("api_key_file") or "no key"
        click.echo(line(f"{one.name:<{width}}  {one.url}  {one.options.get('dialect', 'cloud')}  {told}"))
