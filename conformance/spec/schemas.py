"""Validate response bodies against the JSON Schemas in an OpenAPI document, as a second check besides the clauses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.spec.operation import Described, vendored
from conformance.text.pointer import pointer_to
from conformance.text.safe import printable, show

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

LARGEST: Final = 1 << 20
"""Bodies with more bytes than this are not validated, because jsonschema needs seconds for a few megabytes."""
SHOWN: Final = 20
"""Maximum number of violations that are listed for a body."""
_SHORT: Final = 120


class Violation(NamedTuple):
    """A violation of a JSON Schema: its JSON Pointer in the body, the schema's keyword, and the value in the body."""

    pointer: str
    expected: str
    got: str


class Schemas:
    """The response schemas of one OpenAPI document. Equal bodies are validated once."""

    def __init__(self, described: Described) -> None:
        self.described = described
        self._validators: dict[int, Validator | None] = {}
        self._known: dict[tuple[int, bytes], tuple[Violation, ...] | None] = {}

    def violations(self, status: int, content: bytes) -> tuple[Violation, ...] | None:
        """Return how a body violates the schema for its status. Empty if it is valid.

        None if the document does not describe the status, or if the body is not JSON or larger than ``LARGEST``.
        """
        if len(content) > LARGEST or self.described.response_schema(status) is None:
            return None
        place = status, content
        if place not in self._known:
            self._known[place] = self._validate(status, content)
        return self._known[place]

    def _validate(self, status: int, content: bytes) -> tuple[Violation, ...] | None:
        try:
            value = json.loads(content)
            found = list(islice(self._validator(status).iter_errors(value), SHOWN))
        except (ValueError, RecursionError):
            return None
        return tuple(map(_violation, found))

    def _validator(self, status: int) -> Validator:
        schema = self.described.response_schema(status)
        assert schema is not None
        if status not in self._validators:
            self._validators[status] = _validator_for(self.described, schema)
        validator = self._validators[status]
        assert validator is not None
        return validator


@cache
def of_the_vendored_document() -> Schemas:
    """Return the response schemas of the OpenAPI document that ships with the suite, without its known mistakes."""
    return Schemas(vendored())


def _validator_for(described: Described, schema: Mapping[str, Any]) -> Validator:
    rooted = {**schema, "components": described.probed.get("components", {})}  # the targets of its references
    if not described.own:
        # The vendored document has no keyword that only OpenAPI has, such as `nullable`: jsonschema reads it alike, and
        # openapi-schema-validator loads Pydantic first, which takes longer than validating.
        from jsonschema import Draft4Validator

        return Draft4Validator(rooted)
    from openapi_schema_validator import OAS30Validator, OAS31Validator

    kind = OAS30Validator if str(described.probed["openapi"]).startswith("3.0.") else OAS31Validator
    validator: Validator = kind(rooted)
    return validator


def _violation(error: ValidationError) -> Violation:
    expected = f"{error.validator}: {printable(json.dumps(error.validator_value, default=str), _SHORT)}"
    return Violation(pointer_to(*map(str, error.absolute_path)), expected, show(error.instance))
