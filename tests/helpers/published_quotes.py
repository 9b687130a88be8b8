"""Quotes from the published document that is not vendored: compared with it by whoever has it, and then held.

``python tests/helpers/published_quotes.py openapi-cloud.yaml`` compares, and
writes ``data/published-quotes.txt`` where all stand.
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
    """Return pointer and quote of every clause that quotes the published document, each once, sorted."""
    sources = (clause.source for clause in CATALOGUE if clause.source.document is not None)
    return sorted({(source.pointer or "", source.quote or "") for source in sources})


def read_back() -> list[tuple[str, str]]:
    """Return what was compared last."""
    rows = (line.partition(SEPARATOR) for line in HELD.read_text(encoding="utf-8").splitlines() if line[:1] == "/")
    return [(pointer, quote) for pointer, _, quote in rows]


def main(file: Path) -> int:
    """Compare, and hold what stands; return 1 where a quote does not."""
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
