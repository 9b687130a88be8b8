"""``comfy-conformance explain``: one clause."""

from __future__ import annotations

import click

from conformance.cli.shared import refusal
from conformance.text.suggest import did_you_mean


@click.command(short_help="Show one clause: quote, reason, examples.")
@click.argument("clause")
def explain(clause: str) -> None:
    """Show one clause: its quote, why it matters, an example that keeps it and one that breaks it."""
    from conformance.contract.catalogue import BY_ID
    from conformance.render import catalogue as docs

    if clause not in BY_ID:
        raise refusal(f"no clause {clause!r}{did_you_mean(clause, BY_ID)}")
    click.echo(docs.explain(BY_ID[clause]))
