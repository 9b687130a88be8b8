"""Dialect: which reading of the tuple is demanded."""

from __future__ import annotations

import enum


class Dialect(enum.StrEnum):
    """Which reading of the tuple is demanded."""

    CLOUD = "cloud"
    """The vendored document: output node ids at [3], metadata at [4]."""
    OSS = "oss"
    """ComfyUI's own order: extra data at [3], output node ids at [4]."""
    AUTO = "auto"
    """Told by the JSON type of element 3."""
