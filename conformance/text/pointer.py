"""Write JSON Pointers, and read their tokens (RFC 6901)."""

from __future__ import annotations


def pointer_to(*names: str) -> str:
    """Return the JSON Pointer for a sequence of names."""
    return "".join(f"/{escape(name)}" for name in names)


def escape(name: str) -> str:
    """Return a member name as a reference token of a JSON Pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """Return the member name that a reference token stands for (RFC 6901 §4)."""
    return token.replace("~1", "/").replace("~0", "~")
