"""``comfy-conformance drift``: what the published document says otherwise than the vendored one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance.cli.shared import options_of_a_run, refusal

if TYPE_CHECKING:
    from conformance.drift.changes import Drift
    from conformance.drift.published import Published

EXIT_DRIFT: Final = 1
EXIT_NOT_READ: Final = 11
"""Nothing is known of the published document. No status of a run, nor of pytest."""


@click.command(short_help="Compare the published document with the vendored one.")
@click.option(
    "--url", metavar="URL", help="Where the document is published. [default: where Comfy's documentation has it]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option(
    "--update",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="CHECKOUT",
    help="Where something drifted, vendor what is published into a checkout of the suite. [default: write nothing]",
)
@options_of_a_run(("ca_bundle", "proxy_env", "insecure"))
def drift(url: str | None, form: str, update: Path | None, quiet: bool, **options: Any) -> int:
    """Compare the published document with the vendored one, in all that is said of GET /api/queue.

    What is published is the whole document of Comfy Cloud, an excerpt, or a page of Markdown that holds one.
    Redirects to another origin are not followed.

    Exit status: 0 no drift, or vendored with --update; 1 drift; 11 nothing is known: offline, refused, no document.
    """
    import json

    from conformance.drift.changes import PUBLISHED_AT
    from conformance.render import drift as told
    from conformance.render.terminal import COLOUR
    from conformance.text.safe import line

    asked = url if url is not None else PUBLISHED_AT
    found, published, problem = _compared(asked, options)
    if found is None or published is None:
        click.echo(line(f"not compared: {asked}: {problem}"), err=True)
        return EXIT_NOT_READ
    if form == "json":
        click.echo(json.dumps(told.as_dict(found), indent=2, default=str))
    elif form == "markdown":
        click.echo(told.as_markdown(found), nl=False)
    else:
        lines = list(told.as_lines(found))
        for each in lines[-1:] if quiet else lines:
            click.secho(each.text, fg=COLOUR.get(each.style))
    if update is not None and found.found:
        _vendor(update, published, asked)
        return 0
    return EXIT_DRIFT if found.found else 0


def _compared(url: str, options: dict[str, Any]) -> tuple[Drift | None, Published | None, str]:
    """Fetch, read and compare; what came in the way, in words, where something did."""
    from conformance.drift.changes import compare
    from conformance.drift.fetch import NotFetched, fetch
    from conformance.drift.published import NoDocument, read
    from conformance.problems import UsageProblem
    from conformance.run.settings import checked_url, make_settings

    if not url.strip():
        msg = "--url is empty: give the URL of a document, or leave it out"
        raise refusal(msg)
    try:
        url = checked_url(url.strip())
        content = fetch(url, make_settings(os.environ, target=url, no_key=True, **options).gateway)
    except UsageProblem as problem:
        raise refusal(str(problem).replace("the target", "--url")) from None
    except NotFetched as problem:
        return None, None, str(problem)
    try:
        published = read(content)
    except NoDocument as problem:
        return None, None, f"{problem}: name the document with --url"
    return compare(published.document, url=url, content=content), published, ""


def _vendor(checkout: Path, published: Published, url: str) -> None:
    from datetime import UTC, datetime

    from conformance.drift.vendor import Unvendored, revendor

    try:
        written = revendor(checkout, published, url=url, today=datetime.now(UTC).date())
    except Unvendored as problem:
        raise refusal(str(problem)) from None
    except OSError as error:
        msg = f"{checkout} cannot be written ({error.strerror}): nothing was changed"
        raise refusal(msg) from None
    click.echo(f"vendored into {checkout}: {', '.join(map(str, written))}", err=True)
    click.echo(
        "now look at what fails: pytest tests/test_document.py tests/test_catalogue.py; then tox -e overlay", err=True
    )
