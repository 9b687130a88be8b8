"""Hostile endpoints: servers that harm a careless client, with responses that no web framework would send.

Each is the reference endpoint with one part changed, so that nothing else is wrong with it. An endless response
continues until the client closes the connection.
"""

from __future__ import annotations

from conformance.reference.hostile import bodies, framing, streams
from conformance.reference.hostile.registry import HOSTILE, Hostile
from conformance.reference.hostile.server import serve_hostile

__all__ = ["HOSTILE", "Hostile", "bodies", "framing", "serve_hostile", "streams"]
