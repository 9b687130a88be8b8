"""Formats of values in a job, for the clauses and for the fast path."""

from __future__ import annotations

import re
from typing import Final

UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
"""Matches a UUID in the text form of RFC 9562 §4."""
SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer up to which a double, and so JavaScript, represents every integer exactly (RFC 8259 §6)."""
LINK: Final = 2
"""The number of elements of a link in a workflow: ``[node id, output slot]``."""


def is_graph(value: object) -> bool:
    """Whether a workflow is an API graph: an object with at least one node that has ``class_type``."""
    return isinstance(value, dict) and any(isinstance(node, dict) and "class_type" in node for node in value.values())


def is_link(value: object) -> bool:
    """Whether an input of a node is a link ``[node id, output slot]``.

    Like in ComfyUI, it is if it is a string and an integer.
    """
    if not isinstance(value, list) or len(value) != LINK:
        return False
    return isinstance(value[0], str) and isinstance(value[1], int) and not isinstance(value[1], bool)
