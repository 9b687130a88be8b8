"""Put a new version of the published document into a checkout, with its provenance; the tests say what to look at."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path
from typing import Final

from conformance.drift.published import METHOD, PATH, Published, excerpt
from conformance.spec.document import DOCUMENT_PATH
from conformance.text.files import write_whole

_PROVENANCE: Final = Path("openapi", "PROVENANCE.md")
_DOCUMENT: Final = Path("openapi", DOCUMENT_PATH.name)
_SHA256: Final = _DOCUMENT.with_name(f"{_DOCUMENT.name}.sha256")
_MODULE: Final = Path("conformance", "spec", "document.py")


class Unvendored(Exception):
    """Nothing was written. The text says why, in one line."""


def revendor(checkout: Path, published: Published, *, url: str, today: date) -> tuple[Path, ...]:
    """Write the operation as it is published into a checkout, and return the files that were replaced.

    All of them name the document by its SHA-256. Raises Unvendored and OSError; then every file is as it was.
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
        raise Unvendored(f"{checkout} is no checkout of the suite: it has no {path}") from None


def _with(text: str, pattern: str, value: str, path: Path) -> str:
    """Replace what there must be exactly one of."""
    changed, found = re.subn(pattern, lambda _: value, text, flags=re.MULTILINE)
    if found != 1:
        raise Unvendored(f"{path} is not as it was left: {pattern!r} is found {found} times instead of once")
    return changed
