"""``comfy-conformance publish corpus``: responses with their expected results, to test validators and clients."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.shared import Command
from conformance.problems import UsageProblem
from conformance.text.plural import count


@click.command(cls=Command)
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
def corpus(directory: Path) -> None:
    """Write responses of every fault and variant, with their expected results.

    Use them to test a validator or a client. DIR gets a JSON file for each case with its request and response as
    bytes of HTTP, a JSON Schema of the cases, and corpus.json, which lists the cases. `comfy-conformance judge`
    reports for each response what its case expects.
    """
    from conformance.run.corpus import write_corpus

    try:
        made = write_corpus(directory)
    except OSError as error:
        raise UsageProblem(f"{directory} cannot be written ({error.strerror}): give another DIR") from None
    click.echo(f"{count(made, 'case')} in {directory}")
