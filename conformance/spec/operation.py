"""The operation that reads the queue in a document: its path, its parameters, and the schemas of its responses."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from conformance.spec.document import DOCUMENT_SHA256, Document, load_corrected, load_probed

METHOD: Final = "get"
PATH: Final = "/api/queue"
JSON: Final = "application/json"
_VARIABLE: Final = re.compile(r"\\\{[^/]+?\\\}")

Parameter = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Described:
    """A document that describes reading the queue, for generating requests and judging responses.

    ``probed`` is the corrected document with the parameters of the probing overlay. ``own`` is True for a document that
    the user gave; ``unmatched`` are then the ids of the errata that do not match it.
    """

    name: str
    sha256: str
    corrected: Document
    probed: Document
    path: str
    own: bool = False
    unmatched: tuple[str, ...] = ()

    def response_schema(self, status: int) -> Mapping[str, Any] | None:
        """Return the schema of the JSON body for a status in the document, or None.

        A range (``4XX``) and ``default`` do not count.
        """
        responses = self.corrected["paths"][self.path][METHOD].get("responses", {})
        response = resolved(responses.get(str(status), responses.get(status)), self.corrected)
        content = response.get("content", {}) if isinstance(response, Mapping) else {}
        schema = content.get(JSON, {}).get("schema")
        return schema if isinstance(schema, Mapping) else None


@cache
def shipped() -> Described:
    """Return the vendored document, corrected and probed."""
    return Described("the vendored document", DOCUMENT_SHA256, load_corrected(), load_probed(), PATH)


def declaring(parameters: Sequence[Parameter]) -> Described:
    """Return the vendored document, or one of a user's own that declares more parameters."""
    found = shipped()
    if not parameters:
        return found
    corrected, probed = copy.deepcopy((found.corrected, found.probed))
    for document in (corrected, probed):
        operation = document["paths"][found.path][METHOD]
        operation["parameters"] = [*parameters, *operation.get("parameters", ())]
    return replace(found, name="a document of the user's own", corrected=corrected, probed=probed, own=True)


def path_for(document: Document, queue_path: str) -> str | None:
    """Return the path (or template) in a document that matches the path of the queue, or None."""
    paths: dict[str, Any] = document.get("paths") or {}
    offered = [path for path, item in paths.items() if isinstance(item, Mapping) and METHOD in item]
    if queue_path in offered:
        return queue_path
    for path in offered:
        if "{" in path and re.fullmatch(_VARIABLE.sub("[^/]+", re.escape(path)), queue_path):
            return path
    return None


def parameters_of(document: Document, path: str) -> list[Parameter]:
    """Return the parameters of GET ``path``, including those of the path item, with references resolved."""
    item = document["paths"][path]
    found: dict[tuple[str, str], Parameter] = {}
    for each in (*item.get("parameters", ()), *item[METHOD].get("parameters", ())):
        parameter = resolved(each, document)
        if "x-family" in parameter and place_of(parameter) in found:
            continue  # the document declares it itself
        found[place_of(parameter)] = parameter
    return list(found.values())


def place_of(parameter: Parameter) -> tuple[str, str]:
    """Return the location and name that identify a parameter."""
    return parameter["in"], parameter["name"]


def resolved(value: Any, document: Document, deepest: int = 20) -> Any:
    """Follow a local reference. Returns an unresolvable one unchanged."""
    for _ in range(deepest):
        if not isinstance(value, Mapping) or "$ref" not in value:
            return value
        target: Any = document
        for step in str(value["$ref"]).removeprefix("#/").split("/"):
            name = step.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, Mapping) else None
        if target is None:
            return value
        value = target
    return value
