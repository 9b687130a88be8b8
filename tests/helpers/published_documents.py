"""Documents as they are published: with other operations and schemas, and changed in one thing."""

from __future__ import annotations

import copy
from collections.abc import Callable

import yaml

from conformance.spec.document import (
    OpenApiDocument,
)

ITEM = "/components/schemas/QueueItem"


def whole(document: OpenApiDocument) -> str:
    """Write a document as its publisher does: among other operations and schemas, with a comment."""
    larger = copy.deepcopy(document)
    larger["paths"] = {
        "/api/upload": {"post": {"responses": {}}},
        **{path: {**operations, "put": {"responses": {}}} for path, operations in document["paths"].items()},
        "/api/userdata": {"get": {"responses": {}}},
    }
    larger["components"]["schemas"] = {"Job": {"type": "object"}, **document["components"]["schemas"], "Last": {}}
    return "# Comfy\n" + yaml.safe_dump(larger, sort_keys=False)


def http(content: bytes | str = b"", status: str = "200 OK", *fields: str) -> bytes:
    """Return an answer as bytes."""
    body = content.encode() if isinstance(content, str) else content
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


Serving = Callable[..., tuple[str, list[bytes]]]
