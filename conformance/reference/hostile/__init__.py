"""Hostile endpoints: responses that harm a client and that no framework would send.

Most are the reference endpoint except for one part, so that nothing else is wrong with them. All of them write raw
bytes for as long as the client reads. An endless response ends with the connection.
"""

from __future__ import annotations

from conformance.reference.hostile import bodies, framing, streams
from conformance.reference.hostile.registry import HOSTILE, Hostile
from conformance.reference.hostile.server import serve_hostile

__all__ = ["HOSTILE", "Hostile", "bodies", "framing", "serve_hostile", "streams"]
