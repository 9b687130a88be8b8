"""Serve a hostile endpoint on loopback in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from conformance.reference.app import Reference, handler
from conformance.reference.hostile.registry import HOSTILE
from conformance.reference.server import ReferenceServer
from conformance.reference.variants import VARIANTS


@contextmanager
def serve_hostile(name: str, *, port: int = 0) -> Iterator[str]:
    """Serve a hostile endpoint on loopback in a thread, while the context is active. Yields its base URL.

    Raises KeyError if no endpoint has that name, and OSError if the port is in use. Port 0 selects a free one.
    """
    handle = handler(Reference(VARIANTS["standing-still"]), HOSTILE[name].play)
    with ReferenceServer(handle, "127.0.0.1", port) as server:
        yield server.url
