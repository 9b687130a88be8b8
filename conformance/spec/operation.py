"""The operation GET /api/queue in an OpenAPI document: its path, its parameters, and the schemas of its responses."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from conformance.spec.document import DOCUMENT_SHA256, OpenApiDocument, load_probed
from conformance.text.pointer import unescape

METHOD: Final = "get"
PATH: Final = "/api/queue"
JSON: Final = "application/json"
_VARIABLE: Final = re.compile(r"\\\{[^/]+?\\\}")

Parameter = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Described:
    """An OpenAPI document that describes GET of the queue, for generating requests and checking responses.

    ``probed`` is the document without its known mistakes, and with the optional parameters of the probing overlay.
    ``path`` is the path of the queue in the document. ``own`` is True if the user gave the document; ``unmatched`` then
    has the ids of the errata (corrections of the published document) that do not fit this one.
    """

    name: str
    sha256: str
    probed: OpenApiDocument
    path: str
    own: bool = False
    unmatched: tuple[str, ...] = ()

    def response_schema(self, status: int) -> Mapping[str, Any] | None:
        """Return the JSON Schema of the body for a status, or None if the document has none.

        A range such as ``4XX`` and ``default`` do not count.
        """
        responses = self.probed["paths"][self.path][METHOD].get("responses", {})
        response = follow_reference(responses.get(str(status), responses.get(status)), self.probed)
        content = response.get("content", {}) if isinstance(response, Mapping) else {}
        schema = content.get(JSON, {}).get("schema")
        return schema if isinstance(schema, Mapping) else None


@cache
def vendored() -> Described:
    """Return the OpenAPI document that ships with the suite, with the documents derived from it."""
    return Described("the vendored document", DOCUMENT_SHA256, load_probed(), PATH)


def declaring(parameters: Sequence[Parameter]) -> Described:
    """Return the OpenAPI document that ships with the suite, or a copy of it that declares more parameters."""
    found = vendored()
    if not parameters:
        return found
    probed = copy.deepcopy(found.probed)
    operation = probed["paths"][found.path][METHOD]
    operation["parameters"] = [*parameters, *operation.get("parameters", ())]
    return replace(found, name="a document of the user's own", probed=probed, own=True)


def path_for(document: OpenApiDocument, queue_path: str) -> str | None:
    """Return the path in a document that matches ``queue_path``, or None.

    It may be a template such as ``/{user}/queue``.
    """
    paths: dict[str, Any] = document.get("paths") or {}
    offered = [path for path, item in paths.items() if isinstance(item, Mapping) and METHOD in item]
    if queue_path in offered:
        return queue_path
    for path in offered:
        if "{" in path and re.fullmatch(_VARIABLE.sub("[^/]+", re.escape(path)), queue_path):
            return path
    return None


def parameters_of(document: OpenApiDocument, path: str) -> list[Parameter]:
    """Return all parameters that a document declares for GET of a path, with references resolved."""
    item = document["paths"][path]
    found: dict[tuple[str, str], Parameter] = {}
    for each in (*item.get("parameters", ()), *item[METHOD].get("parameters", ())):
        parameter = follow_reference(each, document)
        if "x-family" in parameter and place_of(parameter) in found:
            continue  # the document declares it itself
        found[place_of(parameter)] = parameter
    return list(found.values())


def place_of(parameter: Parameter) -> tuple[str, str]:
    """Return the location of a parameter (such as ``query`` or ``header``) and its name, which together identify it."""
    return parameter["in"], parameter["name"]


def follow_reference(value: Any, document: OpenApiDocument, deepest: int = 20) -> Any:
    """Return the value that a local reference (``$ref``) refers to. Any other value is returned unchanged."""
    for _ in range(deepest):
        if not isinstance(value, Mapping) or "$ref" not in value:
            return value
        target: Any = document
        for step in str(value["$ref"]).removeprefix("#/").split("/"):
            name = unescape(step)
            target = target.get(name) if isinstance(target, Mapping) else None
        if target is None:
            return value
        value = target
    return value
