"""Compare the clauses' quotes with a published document that is not in this repository.

``python tests/helpers/published_quotes.py openapi-cloud.yaml`` compares them. If the document contains all quotes, it
writes them to ``data/published-quotes.txt``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from conformance.contract.catalogue import CATALOGUE
from conformance.spec.document import quote_stands_at

HELD = Path(__file__).parents[1] / "data" / "published-quotes.txt"
SEPARATOR = " · "


def quotes() -> list[tuple[str, str]]:
    """Return JSON Pointer and quote of every clause that quotes this document, without duplicates, sorted."""
    sources = (clause.source for clause in CATALOGUE if clause.source.document is not None)
    return sorted({(source.pointer or "", source.quote or "") for source in sources})


def read_back() -> list[tuple[str, str]]:
    """Return the pointers and quotes in ``data/published-quotes.txt``."""
    rows = (line.partition(SEPARATOR) for line in HELD.read_text(encoding="utf-8").splitlines() if line[:1] == "/")
    return [(pointer, quote) for pointer, _, quote in rows]


def main(file: Path) -> int:
    """Compare the quotes, and write ``data/published-quotes.txt`` if all match. Returns 1 if a quote does not match."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    missing = [(pointer, quote) for pointer, quote in quotes() if not quote_stands_at(pointer, quote, document)]
    for pointer, quote in missing:
        sys.stderr.write(f"{pointer} does not say: {quote}\n")
    if not missing:
        rows = [f"{pointer}{SEPARATOR}{quote}" for pointer, quote in quotes()]
        text = "\n".join(
            ["# Written by tests/helpers/published_quotes.py: what was found in the published document.", *rows]
        )
        HELD.write_text(text + "\n", encoding="utf-8")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
