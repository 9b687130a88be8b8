"""Reports that are written only on request."""

from __future__ import annotations

from typing import Final

FORMATS: Final = {"ctrf": "ctrf.json", "sarif": "results.sarif"}
"""The names of the reports that ``--format`` adds, and their file names."""
