"""Copy the published OpenAPI document into a checkout of this project: ``python tools/vendor.py [CHECKOUT]``.

The URL, date and SHA-256 of the copy are recorded too. Nothing is written if ``comfy-conformance drift`` finds no
drift. Exit status: 0 vendored, or no drift; 1 nothing was written, and a line on standard error says why; 2 usage.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import click

from conformance.cli.drift import compare_published, document_url
from conformance.cli.shared import Command, options_at
from conformance.drift.differences import PUBLISHED_AT
from conformance.drift.published import METHOD, PATH, Published, excerpt
from conformance.run.describing import Place
from conformance.spec.document import DOCUMENT_PATH
from conformance.text.files import write_whole
from conformance.text.safe import line

_PROVENANCE: Final = Path("openapi", "PROVENANCE.md")
_DOCUMENT: Final = Path("openapi", DOCUMENT_PATH.name)
_SHA256: Final = _DOCUMENT.with_name(f"{_DOCUMENT.name}.sha256")
_MODULE: Final = Path("conformance", "spec", "document.py")


class Unvendored(Exception):
    """Raised if nothing was written. The message says why, in one line."""


def revendor(checkout: Path, published: Published, *, url: str, today: date) -> tuple[Path, ...]:
    """Write the published operation into a checkout, and return the files that were replaced.

    They all contain the SHA-256 of the document. Raises Unvendored or OSError, in which case no file was changed.
    """
    if METHOD not in published.document["paths"].get(PATH, {}):
        raise Unvendored(f"the published document has no {METHOD.upper()} {PATH} any more: there is nothing to vendor")
    text = excerpt(published)
    content = text.encode()
    digest = hashlib.sha256(content).hexdigest()
    provenance, recorded, module = (_text(checkout, path) for path in (_PROVENANCE, _SHA256, _MODULE))
    before = recorded[:64]
    provenance = _with(provenance, before, digest, _PROVENANCE)
    provenance = _with(provenance, r"(?<=^- Vendored: )\d{4}-\d{2}-\d{2}", today.isoformat(), _PROVENANCE)
    provenance = _with(provenance, r"(?<=^- Published at: <)[^>\n]+", url, _PROVENANCE)
    contents = {
        _DOCUMENT: content,
        _SHA256: f"{digest}  {_DOCUMENT.name}\n".encode(),
        _PROVENANCE: provenance.encode(),
        _MODULE: _with(module, before, digest, _MODULE).encode(),
    }
    write_whole({checkout / path: written for path, written in contents.items()})
    return tuple(contents)


def _text(checkout: Path, path: Path) -> str:
    try:
        return (checkout / path).read_text("utf-8")
    except FileNotFoundError:
        raise Unvendored(f"{checkout} is not a checkout of this project: it has no {path}") from None


def _with(text: str, pattern: str, value: str, path: Path) -> str:
    """Replace the only match of a pattern in a text. Raises Unvendored if there is not exactly one match."""
    changed, found = re.subn(pattern, lambda _: value, text, flags=re.MULTILINE)
    if found != 1:
        raise Unvendored(f"{path} has {found} matches of {pattern!r} instead of one: correct it first")
    return changed


@click.command(cls=Command)
@click.argument("checkout", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--url", default=PUBLISHED_AT, show_default=True, help="Where the document is published.")
@options_at(Place.DRIFT, quiet=False)
def main(checkout: Path, url: str, **options: Any) -> None:
    """Vendor the published document into CHECKOUT, by default the current folder."""
    url = document_url(url.strip())
    drift, published, problem = compare_published(url, options)
    if drift is None or published is None:
        raise click.ClickException(line(f"not compared: {url}: {problem}"))
    if not drift.found:
        click.echo("no drift: nothing was written")
        return
    try:
        written = revendor(checkout, published, url=url, today=datetime.now(UTC).date())
    except Unvendored as why:
        raise click.ClickException(line(str(why))) from None
    except OSError as error:
        raise click.ClickException(f"{checkout} cannot be written ({error.strerror}): nothing was changed") from None
    click.echo(f"vendored into {checkout}: {', '.join(map(str, written))}")
    click.echo("next, run pytest tests/spec/test_document.py tests/contract/test_catalogue.py, then tox -e overlay")


if __name__ == "__main__":
    main()
