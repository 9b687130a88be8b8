"""Reports that are written where they are asked for."""

from __future__ import annotations

from typing import Final

FORMATS: Final = {"ctrf": "ctrf.json", "sarif": "results.sarif"}
"""Reports that are written where they are asked for, with the names of their files."""
