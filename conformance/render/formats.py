"""Reports that are written only on request."""

from __future__ import annotations

from typing import Final

FORMATS: Final = {"ctrf": "ctrf.json", "sarif": "results.sarif"}
"""Reports that are written only on request, with their file names."""
