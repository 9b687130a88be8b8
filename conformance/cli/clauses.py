"""``comfy-conformance clauses``: list the clauses of the contract, or show one in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from conformance.cli.shared import Command
from conformance.problems import UsageProblem
from conformance.text.suggest import did_you_mean

if TYPE_CHECKING:
    from conformance.contract.clause import Clause


@click.command(cls=Command, short_help="List the clauses of the contract, or show one in full.")
@click.argument("name", metavar="[ID]", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="How to print them.",
)
@click.option("--document", is_flag=True, help="Print the path of the vendored OpenAPI document, for `st run`.")
def clauses(name: str | None, form: str, document: bool) -> None:
    """List the clauses of the contract, or show one in full.

    With the ID of a clause, print its quote, its reason, examples, where its check is in the code, and the faults
    that break it. With a part of an ID or a pattern such as 'item.*', list the matching clauses.
    """
    if document:
        from conformance.spec.document import DOCUMENT_PATH

        click.echo(DOCUMENT_PATH)
        return
    from conformance.contract.catalogue import CATALOGUE
    from conformance.render import catalogue as docs

    found = CATALOGUE if name is None else _matching(name)
    if form == "markdown":
        if name is not None:
            raise UsageProblem("--format markdown prints all clauses: leave out the ID, or use table or json")
        click.echo(docs.as_markdown().rstrip())
    elif form == "json":
        click.echo(docs.as_json(found))
    elif name is not None and len(found) == 1:
        click.echo(docs.explain(found[0]))
    else:
        _table(found)


def _matching(name: str) -> Sequence[Clause]:
    from conformance.contract.catalogue import BY_ID, matching

    found = (BY_ID[name],) if name in BY_ID else matching(name if set("*?[") & set(name) else f"*{name}*")
    if not found:
        raise UsageProblem(
            f"no clause {name!r}{did_you_mean(name, BY_ID) or ': `comfy-conformance clauses` lists all'}"
        )
    return found


def _table(found: Sequence[Clause]) -> None:
    width = max(len(clause.id) for clause in found)
    for clause in found:
        mark = "●" if clause.core else " "
        level = click.style(f"{clause.level.value:<6}", fg={"must": "red", "should": "yellow"}.get(clause.level.value))
        click.echo(f"{clause.id:<{width}} {mark} {level} {clause.title}")
    core = sum(clause.core for clause in found)
    click.echo(f"{len(found)} clauses, {core} core (●). `comfy-conformance clauses ID` shows one in full.", err=True)
