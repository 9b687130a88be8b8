"""``comfy-conformance clauses``: the catalogue."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
@click.option("--document", is_flag=True, help="Print where the vendored OpenAPI document is, for `st run`.")
def clauses(form: str, document: bool) -> None:
    """Print the catalogue of clauses."""
    if document:
        from conformance.spec.document import DOCUMENT_PATH

        click.echo(DOCUMENT_PATH)
        return
    from conformance.contract.catalogue import CATALOGUE
    from conformance.render import catalogue as docs

    if form != "table":
        click.echo(docs.as_markdown().rstrip() if form == "markdown" else docs.as_json())
        return
    width = max(len(clause.id) for clause in CATALOGUE)
    for clause in CATALOGUE:
        mark = "●" if clause.core else " "
        level = click.style(f"{clause.level.value:<6}", fg={"must": "red", "should": "yellow"}.get(clause.level.value))
        click.echo(f"{clause.id:<{width}} {mark} {level} {clause.title}")
    core = sum(clause.core for clause in CATALOGUE)
    click.echo(
        f"{len(CATALOGUE)} clauses, {core} core (●). `comfy-conformance explain CLAUSE` shows one in full.", err=True
    )
