"""Write JSON Pointers (RFC 6901)."""

from __future__ import annotations


def pointer_to(*names: str) -> str:
    """Return the JSON Pointer for a sequence of names."""
    return "".join(f"/{escape(name)}" for name in names)


def escape(name: str) -> str:
    """Return a member name as a reference token of a JSON Pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")
