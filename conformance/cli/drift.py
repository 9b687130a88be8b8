"""``comfy-conformance drift``: compare the published document with the vendored one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from conformance.cli.shared import GroupedCommand, format_option, options_at
from conformance.problems import EXIT_CONFORMANT, EXIT_NON_CONFORMANT, EXIT_NOT_READ, UsageProblem
from conformance.run.describing import Place
from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.drift.differences import Drift
    from conformance.drift.published import Published


@click.command(cls=GroupedCommand, short_help="Compare the published document with the vendored one.")
@click.option("--url", metavar="URL", help="URL of the published document. [default: its URL in Comfy's documentation]")
@format_option
@options_at(Place.DRIFT)
def drift(url: str | None, form: str, quiet: bool, **options: Any) -> int:
    """Compare what the published and the vendored document say about GET /api/queue.

    The published document is the whole OpenAPI document of Comfy Cloud, an excerpt of it, or a Markdown page that
    contains one. Redirects to another origin are not followed.

    Exit status: 0 no drift; 1 drift; 11 the document could not be read (offline, refused, or not an OpenAPI document).
    """
    import json

    from conformance.drift.differences import PUBLISHED_AT
    from conformance.render import drift as rendering
    from conformance.render.terminal import COLOUR

    address = url if url is not None else PUBLISHED_AT
    if url is not None:
        address = document_url(url.strip())
    found, _, problem = compare_published(address, options)
    if found is None:
        todo = ": name another address of the document with --url" if url is None else ""
        click.echo(line(f"not compared: {address}: {problem}{todo}"), err=True)
        return EXIT_NOT_READ
    if form == "json":
        click.echo(json.dumps(rendering.as_dict(found), indent=2, default=str))
    elif form == "markdown":
        click.echo(rendering.as_markdown(found), nl=False)
    else:
        lines = list(rendering.as_lines(found))
        for each in lines[-1:] if quiet else lines:
            click.secho(each.text, fg=COLOUR.get(each.style))
    return EXIT_NON_CONFORMANT if found.found else EXIT_CONFORMANT


def document_url(url: str) -> str:
    """Check the address of a document and return it. Raises click.UsageError."""
    if not url:
        raise UsageProblem("--url is empty: give the URL of a document, or leave it out")
    shown = url if url.isprintable() and not set("@?#") & set(url) else "the address"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageProblem(f"--url: {shown} is not a valid URL ({error}): give one such as https://HOST/FILE") from None
    if parts.scheme == "file" or (parts.scheme not in {"http", "https"} and Path(url).exists()):
        serve = "run python3 -m http.server in its folder, and give http://127.0.0.1:8000/NAME"
        raise UsageProblem(f"--url: {shown} is a file, and only http and https are supported: {serve}")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        guess = f": give https://{url}" if shown == url and "://" not in url and "." in url.partition("/")[0] else ""
        raise UsageProblem(f"--url: {shown} is not an http or https URL{guess}")
    if parts.username is not None or parts.password is not None:
        raise UsageProblem("--url contains a user name or password, which would be shown: remove it")
    if parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise UsageProblem(f"--url: {shown} contains a query, a fragment or spaces: give only scheme, host and path")
    if parts.path.rstrip("/").endswith("/api/queue"):
        raise UsageProblem(
            f"--url: {shown} is the queue itself: give the address of the OpenAPI document, or use check"
        )
    return url


def compare_published(url: str, options: dict[str, Any]) -> tuple[Drift | None, Published | None, str]:
    """Fetch the published document and compare it with the vendored one.

    Returns the comparison, the published document, and an empty message. If the document cannot be fetched or read,
    returns None, None, and a message that says why.
    """
    from conformance.drift.differences import PUBLISHED_AT, compare
    from conformance.drift.fetch import NotFetched, fetch
    from conformance.drift.published import NoDocument, read
    from conformance.run.options import settings_from
    from conformance.run.settings import EMBEDDED

    try:
        content = fetch(url, settings_from(os.environ, {"target": EMBEDDED, "no_key": True, **options}).gateway)
    except NotFetched as problem:
        return None, None, str(problem)
    try:
        published = read(content)
    except NoDocument as problem:
        there = ": give the --url of one, or of a page that contains one"
        return None, None, f"{problem}{'' if url == PUBLISHED_AT else there}"
    return compare(published.document, url=url, content=content), published, ""
