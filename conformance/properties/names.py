"""The names of two families of generated requests: declared parameters, and sequences of requests."""

from __future__ import annotations

from typing import Final

DECLARED: Final = "declared parameters"
SEQUENCES: Final = "sequences"
