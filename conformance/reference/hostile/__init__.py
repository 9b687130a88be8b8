"""Hostile endpoints: what a server can do to its client that no framework would send, each named by its lie.

Most of them are the reference endpoint until the lie is told, so that nothing else is wrong with them. All of them
write raw bytes, as many as the client takes: what is endless ends with the connection.
"""

from __future__ import annotations

from conformance.reference.hostile import bodies, framing, streams
from conformance.reference.hostile.registry import HOSTILE, Hostile
from conformance.reference.hostile.server import serve_hostile

__all__ = ["HOSTILE", "Hostile", "bodies", "framing", "serve_hostile", "streams"]
