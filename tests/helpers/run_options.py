"""Make ``Settings`` from the options of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.run.options import settings_from
from conformance.run.settings import Settings


def make_settings(environ: Mapping[str, str], **given: Any) -> Settings:
    """Return the settings for these options and environment variables."""
    return settings_from(environ, given)
