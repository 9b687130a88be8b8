"""Split an OpenAPI document into several, one for each family (group of parameters) of generated requests.

Schemathesis sends all optional parameters of an operation together. A request with a range, a condition and an Accept
header gets a 206 or a 304 and shows nothing about the queue. So each family of parameters has its own document.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from random import Random
from typing import Any, Final

from conformance.probe.limits import METHOD_OVERRIDES
from conformance.properties.names import DECLARED, SEQUENCES
from conformance.spec.document import OpenApiDocument
from conformance.spec.operation import METHOD, Described, Parameter, follow_reference, parameters_of, place_of

NEVER_SENT: Final = METHOD_OVERRIDES | {
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "user-agent",
    "x-api-key",
    "authorization",
    "proxy-authorization",
    "x-request-id",
    "x-forwarded-host",
    "expect",
    "te",
    "upgrade",
}
"""Headers that are never generated, even if a document declares them: they change the method, the host, the framing or
the identity of the client."""

ParameterValue = Any


@dataclass(frozen=True)
class Family:
    """A group of parameters that are generated together.

    ``document`` declares only these parameters and the required ones. ``together`` is the maximum number of its
    parameters in a request that is made from values listed in the document.
    """

    name: str
    path: str
    document: OpenApiDocument
    parameters: tuple[Parameter, ...]
    required: tuple[Parameter, ...]
    together: int

    def coverage(self, random: Random) -> list[dict[tuple[str, str], ParameterValue]]:
        """Return requests that together contain every value that the document lists for a parameter, such as examples.

        Each request is a dict. The keys are pairs: the location and the name of a parameter.
        """
        pairs = _shuffle(self.pairs(random), random)
        rows: list[dict[tuple[str, str], ParameterValue]] = []
        for place, value in pairs:
            room = (row for row in rows if place not in row and len(row) < self.together)
            row = next(room, None)
            if row is None:
                rows.append({place: value})
            else:
                row[place] = value
        return rows

    def pairs(self, random: Random) -> Iterator[tuple[tuple[str, str], ParameterValue]]:
        """Yield each value that the document lists for a parameter, after the location and the name of the parameter.

        If several parameters share a schema, each of its values is used for at least one of them, not for all.
        """
        shared: dict[str, list[Parameter]] = {}
        for parameter in self.parameters:
            for value in own_values(parameter):
                yield place_of(parameter), value
            schema = schema_of(parameter)
            if "$ref" in schema:
                shared.setdefault(schema["$ref"], []).append(parameter)
            else:
                for value in schema_values(schema, self.document):
                    yield place_of(parameter), value
        for reference, parameters in shared.items():
            values = schema_values({"$ref": reference}, self.document)
            names = _shuffle(map(place_of, parameters), random)
            for index in range(max(len(values), len(names)) if values else 0):
                yield names[index % len(names)], values[index % len(values)]

    @property
    def repeatable(self) -> frozenset[str]:
        """The names of headers that may occur on several lines."""
        return frozenset(each["name"] for each in self.parameters if each.get("x-repeatable"))


def label_of(described: Described) -> str:
    """Return the name of the operation, such as ``GET /api/queue``."""
    return f"{METHOD.upper()} {described.path}"


def names(described: Described, without: Collection[str] = ()) -> list[str]:
    """Return the names of the families of generated requests, the last of which is the one of sequences.

    The family of declared parameters is included even if the document declares none. ``without`` has the names of
    headers that are not generated, in lower case.
    """
    found = [family.name for family in families(described.probed, described.path, without)]
    return [*([] if DECLARED in found else [DECLARED]), *found, SEQUENCES]


def families(document: OpenApiDocument, path: str, without: Collection[str] = ()) -> tuple[Family, ...]:
    """Split the parameters of GET ``path`` into families: first the declared ones, then those of the probing overlay.

    ``without`` has the names of headers, in lower case, that are not generated.
    """
    operation = document["paths"][path][METHOD]
    together = {name: entry["together"] for name, entry in operation.get("x-families", {}).items()}
    all_of_them = [each for each in parameters_of(document, path) if not _left_out(each, without)]
    declared = [each for each in all_of_them if "x-family" not in each]
    names = {each["name"].lower() for each in declared}
    groups: dict[str, list[Parameter]] = {DECLARED: declared} if any(each["in"] != "path" for each in declared) else {}
    for each in all_of_them:
        if "x-family" in each and each["name"].lower() not in names:  # the document declares it itself
            groups.setdefault(each["x-family"], []).append(each)
    required = tuple(each for each in declared if each.get("required"))
    return tuple(
        Family(
            name,
            path,
            _only(document, path, [*(required if name != DECLARED else ()), *members]),
            tuple(each for each in members if each["in"] != "path"),
            tuple(each for each in required if each["in"] != "path"),
            together.get(name, 1),
        )
        for name, members in groups.items()
    )


def left_out(document: OpenApiDocument, path: str, without: Collection[str] = ()) -> list[str]:
    """Return the names of headers that the document declares but that are not generated.

    These are the headers in ``NEVER_SENT``, and those in ``without`` (names in lower case).
    """
    return [each["name"] for each in parameters_of(document, path) if _left_out(each, without)]


def schema_of(parameter: Parameter) -> Mapping[str, Any]:
    """Return the JSON Schema of a parameter, from its member ``schema`` or ``content``. Empty if it has none."""
    content: Mapping[str, Any] = next(iter((parameter.get("content") or {}).values()), {})
    found = parameter.get("schema", content.get("schema"))
    return found if isinstance(found, Mapping) else {}


def own_values(parameter: Parameter) -> list[ParameterValue]:
    """Return the examples of a parameter that are not in its schema."""
    examples = parameter.get("examples")
    named = [each["value"] for each in examples.values() if "value" in each] if isinstance(examples, Mapping) else []
    return [*([parameter["example"]] if "example" in parameter else []), *named]


def schema_values(schema: Any, document: OpenApiDocument) -> list[ParameterValue]:
    """Return the values that a JSON Schema names: examples, default, enumerated values, and bounds."""
    schema = follow_reference(schema, document)
    if not isinstance(schema, Mapping):
        return []
    found = [schema[name] for name in ("example", "default", "const") if name in schema]
    found += [value for name in ("examples", "enum") for value in schema.get(name) or ()]
    for name in ("anyOf", "oneOf"):
        found += [value for branch in schema.get(name) or () for value in schema_values(branch, document)]
    types = schema.get("type")
    types = types if isinstance(types, list) else [types]
    if "boolean" in types:
        found += [True, False]
    if "integer" in types or "number" in types:
        found += _bounds(schema)
    if "array" in types:
        found += [[value] for value in schema_values(schema.get("items"), document)]
    return _distinct(found)


def _bounds(schema: Mapping[str, Any]) -> Iterator[ParameterValue]:
    step = schema.get("multipleOf", 1)
    for name, exclusive, inward in (("minimum", "exclusiveMinimum", step), ("maximum", "exclusiveMaximum", -step)):
        if name in schema:
            yield schema[name] + inward if schema.get(exclusive) is True else schema[name]
        elif isinstance(schema.get(exclusive), int | float) and not isinstance(schema[exclusive], bool):
            yield schema[exclusive] + inward


def _only(document: OpenApiDocument, path: str, members: Iterable[Parameter]) -> OpenApiDocument:
    """Return a copy of a document with only one operation, which has only these parameters."""
    operation = {name: value for name, value in document["paths"][path][METHOD].items() if not name.startswith("x-")}
    kept = [{name: value for name, value in each.items() if not name.startswith("x-")} for each in members]
    top = {name: value for name, value in document.items() if name != "paths"}
    return copy.deepcopy({**top, "paths": {path: {METHOD: {**operation, "parameters": kept}}}})


def _left_out(parameter: Parameter, without: Collection[str]) -> bool:
    name = parameter["name"].lower()
    return parameter["in"] == "header" and (name in NEVER_SENT or name in without)


def _distinct(values: Iterable[ParameterValue]) -> list[ParameterValue]:
    """Return the values without repetitions. ``1`` and ``true`` are different values."""
    return list({repr(value): value for value in values}.values())


def _shuffle(values: Iterable[Any], random: Random) -> list[Any]:
    listed = list(values)
    random.shuffle(listed)
    return listed


def interleave(lists: Iterable[Iterable[Any]]) -> Iterator[Any]:
    """Yield the first element of each list, then the second of each list, and so on."""
    nothing = object()
    return (each for row in zip_longest(*lists, fillvalue=nothing) for each in row if each is not nothing)
