"""Names of families that are not part of the document."""

from __future__ import annotations

from typing import Final

DECLARED: Final = "declared parameters"
SEQUENCES: Final = "sequences"
